// The network, and how it begins. (key.h says what a key is.)
#include "sections.h"

namespace sluice::tools {
namespace {

const Key table[] = {
    {.name = "model.layers",
     .field = &R::layers,
     .fallback = "",
     .noun = "a list of layers",
     .help = "The network, layer by layer; their kinds and options stand below."},
    {.name = "model.init_from",
     .field = &R::init_from,
     .fallback = "\"\"",
     .noun = "a model's file name",
     .help = "Float model to start from in place of random weights, as --init says it: the same "
             "layers, but for a last one of another width, "
             "which begins anew. Standardization and vocabulary are the model's. Empty for none.",
     .file_name = true},
    {.name = "model.freeze",
     .field = &R::freeze,
     .fallback = "[]",
     .noun = "a list of layer numbers",
     .help = "Layers that keep their weights, counted from 1 as model.layers has them, such as "
             "[\"1\", \"2\"]; --freeze 1 adds one."},
    {.name = "model.dropout.input",
     .field = &R::dropout_input,
     .fallback = "0.0",
     .noun = "a rate of dropping",
     .help = "Rate at which standardized inputs are dropped while training, every number of every "
             "frame.",
     .min = 0,
     .max = 0.99,
     .source = "Srivastava et al. 2014"},
    {.name = "model.dropout.recurrent",
     .field = &R::dropout_recurrent,
     .fallback = "0.0",
     .noun = "a rate of dropping",
     .help = "Rate at which the state of every recurrent layer is dropped where it enters the "
             "recurrent products while training: one mask a "
             "sequence, the same at every step and for all gates. The state that is carried on is "
             "whole.",
     .min = 0,
     .max = 0.99,
     .source = "Gal, Ghahramani 2016; Semeniuta et al. 2016"},
    {.name = "model.dropout.output",
     .field = &R::dropout_output,
     .fallback = "0.0",
     .noun = "a rate of dropping",
     .help = "Rate at which what enters the last layer is dropped while training.",
     .min = 0,
     .max = 0.99,
     .source = "Srivastava et al. 2014"},
    {.name = "model.init.input",
     .field = choice_field<&R::init_input>,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Of recurrent layers' input weights. pytorch: U(-1/sqrt(units), 1/sqrt(units)); fans "
             "are those of one gate.",
     .source =
         "xavier: Glorot, Bengio 2010; kaiming: He et al. 2015; orthogonal: Saxe et al. 2014"},
    {.name = "model.init.recurrent",
     .field = choice_field<&R::init_recurrent>,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Of recurrent layers' recurrent weights; likewise."},
    {.name = "model.init.output",
     .field = choice_field<&R::init_output>,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Of dense layers' weights; pytorch: U(-1/sqrt(inputs), 1/sqrt(inputs)). Embeddings "
             "begin as N(0, 1), as PyTorch's."},
    {.name = "model.init.bias",
     .field = choice_field<&R::init_bias>,
     .fallback = "\"pytorch\"",
     .noun = "an initializer",
     .help = "Of all biases. With pytorch those of a gate and a candidate that share their "
             "matrices begin at 1, as EdgeML's do.",
     .words = only(Initializer::pytorch, Initializer::zeros)},
    {.name = "model.init.forget_bias",
     .field = &R::init_forget_bias,
     .fallback = "0.0",
     .noun = "a bias",
     .help = "Added to the forget gates' bias of every LSTM. A positive one remembers.",
     .min = -100,
     .max = 100,
     .source = "Gers et al. 2000; Jozefowicz et al. 2015"},
    {.name = "model.init.update_bias",
     .field = &R::init_update_bias,
     .fallback = "0.0",
     .noun = "a bias",
     .help = "Added to the update gates' bias of every GRU. A positive one remembers, for h' = z h "
             "+ (1 - z) n.",
     .min = -100,
     .max = 100},
    {.name = "model.batch_norm",
     .field = choice_field<&R::batch_norm>,
     .fallback = "\"pytorch\"",
     .noun = "a way to keep running moments",
     .help = "pytorch: they move by 0.1 towards a batch's, the variance divided by n - 1. keras: "
             "by 0.01, divided by n; "
             "Keras's epsilon is given by the layer, epsilon = 1e-3."},
};

}  // namespace

std::span<const Key> model_keys() { return table; }

}  // namespace sluice::tools
