// Keys of the network and its initial weights. key.h describes a key.
#include "sections.h"

namespace sluice::tools {
namespace {

const Key table[] = {
    {.name = "model.layers",
     .field = &R::layers,
     .fallback = "",
     .noun = "a list of layers",
     .help = "The network, layer by layer; kinds and options are listed below."},
    {.name = "model.init_from",
     .field = &R::init_from,
     .fallback = "\"\"",
     .noun = "a model's file name",
     .help = "Float model whose weights training starts from in place of random ones; --init sets "
             "it. It must have the same layers, except that the last one may have another width "
             "and then starts from random weights. Standardization and vocabulary are those of the "
             "model. Empty for none.",
     .file_name = true},
    {.name = "model.freeze",
     .field = &R::freeze,
     .fallback = "[]",
     .noun = "a list of layer numbers",
     .help = "Layers that are not trained, counted from 1 as in model.layers, such as [\"1\", "
             "\"2\"]; --freeze sets it."},
    {.name = "model.dropout.input",
     .field = &R::dropout_input,
     .fallback = "0.0",
     .noun = "a rate of dropping",
     .help = "Dropout rate of the standardized inputs while training; every number of every frame "
             "is drawn by itself.",
     .min = 0,
     .max = 0.99,
     .source = "Srivastava et al. 2014"},
    {.name = "model.dropout.recurrent",
     .field = &R::dropout_recurrent,
     .fallback = "0.0",
     .noun = "a rate of dropping",
     .help = "Dropout rate of the state of every recurrent layer in the recurrent products while "
             "training. Each sequence has one mask, for all steps and all gates. The state that is "
             "carried to the next step is not dropped.",
     .min = 0,
     .max = 0.99,
     .source = "Gal, Ghahramani 2016; Semeniuta et al. 2016"},
    {.name = "model.dropout.output",
     .field = &R::dropout_output,
     .fallback = "0.0",
     .noun = "a rate of dropping",
     .help = "Dropout rate of the inputs of the last layer while training.",
     .min = 0,
     .max = 0.99,
     .source = "Srivastava et al. 2014"},
    {.name = "model.init.input",
     .field = choice_field<&R::init_input>,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Initial input weights of recurrent layers. pytorch: U(-1/sqrt(units), "
             "1/sqrt(units)). Fans are those of one gate.",
     .source =
         "xavier: Glorot, Bengio 2010; kaiming: He et al. 2015; orthogonal: Saxe et al. 2014"},
    {.name = "model.init.recurrent",
     .field = choice_field<&R::init_recurrent>,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help =
         "Initial recurrent weights of recurrent layers; pytorch and fans as in model.init.input."},
    {.name = "model.init.output",
     .field = choice_field<&R::init_output>,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Initial weights of dense layers. pytorch: U(-1/sqrt(inputs), 1/sqrt(inputs)). "
             "Embeddings always begin as N(0, 1), as in PyTorch."},
    {.name = "model.init.bias",
     .field = choice_field<&R::init_bias>,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Initial biases. With pytorch, those of a gate and a candidate that share their "
             "matrices begin at 1, as in EdgeML.",
     .words = only(Initializer::pytorch, Initializer::zeros)},
    {.name = "model.init.forget_bias",
     .field = &R::init_forget_bias,
     .fallback = "0.0",
     .noun = "a bias",
     .help = "Added to the initial bias of the forget gates of every LSTM. A positive value makes "
             "the state last longer.",
     .min = -100,
     .max = 100,
     .source = "Gers et al. 2000; Jozefowicz et al. 2015"},
    {.name = "model.init.update_bias",
     .field = &R::init_update_bias,
     .fallback = "0.0",
     .noun = "a bias",
     .help = "Added to the initial bias of the update gates of every GRU. A positive value makes "
             "the state last longer, since h' = z h + (1 - z) n.",
     .min = -100,
     .max = 100},
    {.name = "model.batch_norm",
     .field = choice_field<&R::batch_norm>,
     .fallback = "\"pytorch\"",
     .noun = "a way to keep running moments",
     .help =
         "How running moments of batch normalization are kept. pytorch: they move by 0.1 towards "
         "those of a batch, with the variance divided by n - 1. keras: they move by 0.01, with the "
         "variance divided by n; for Keras's epsilon, give the layer epsilon = 1e-3."},
};

}  // namespace

std::span<const Key> model_keys() { return table; }

}  // namespace sluice::tools
