#include "layer_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace sluice::tools {
namespace layer_table {
namespace {

constexpr unsigned fastgrnn = 1u << SLUICE_FASTGRNN;

constexpr Kind kinds[] = {
    {"gru", SLUICE_GRU, Form::units, "gated recurrent unit (Cho et al. 2014)"},
    {"lstm", SLUICE_LSTM, Form::units,
     "long short-term memory (Hochreiter, Schmidhuber 1997; Gers et al. 2000)"},
    {"rnn", SLUICE_RNN, Form::units, "h = tanh(W_ih x + W_hh h + b) (Elman 1990)"},
    {"fastgrnn", SLUICE_FASTGRNN, Form::units,
     "a gate and a candidate that share their matrices (Kusupati et al. 2018)"},
    {"dense", SLUICE_DENSE, Form::units, "y = f(W x + b)"},
    {"embedding", SLUICE_EMBEDDING, Form::units,
     "a vector for each id; the first layer of a model for text"},
    {"batch_norm", SLUICE_BATCH_NORM, Form::kept,
     "batch normalization (Ioffe, Szegedy 2015), over batch and steps; true"},
    {"layer_norm", SLUICE_LAYER_NORM, Form::kept,
     "layer normalization over features (Ba, Kiros, Hinton 2016); true"},
    {"concat", SLUICE_CONCAT, Form::joined,
     "the named outputs, one behind another; \"frame\" is the input of the first layer"},
    {"add", SLUICE_ADD, Form::joined, "the sum of the named outputs, number by number"},
    {"multiply", SLUICE_MULTIPLY, Form::joined,
     "the product of the named outputs, number by number, such as a mask"},
    {"window", SLUICE_WINDOW, Form::count,
     "the inputs of n steps, up to this one, side by side, with zeros before the first step; a "
     "dense "
     "behind it is a causal convolution over steps"},
    {"patches", SLUICE_SELECT, Form::count,
     "overlapping patches of n positions of one frame, side by side; a dense with `part` behind it "
     "is a convolution inside the frame"},
    {"max_pool", SLUICE_MAX_POOL, Form::count,
     "of every n positions of one frame, the largest number of each channel"},
    {"mean_pool", SLUICE_MEAN_POOL, Form::count, "the same, but their mean"},
    {"norm_pool", SLUICE_NORM_POOL, Form::count, "the same, but the root of their sum of squares"},
    {"unit_norm", SLUICE_UNIT_NORM, Form::kept, "x / |x|; true"},
    {"max_over_steps", SLUICE_MAX_OVER_STEPS, Form::kept,
     "the largest number of each unit over all steps, one output a sequence; true"},
    {"mean_over_steps", SLUICE_MEAN_OVER_STEPS, Form::kept, "the same, but the mean; true"},
    {"attention", SLUICE_ATTENTION, Form::joined,
     "of two named outputs, a score (one number) and x, the mean of x over all steps, weighted by "
     "e^score (an attention average)"},
    {"curve", SLUICE_CURVE, Form::kept, "the function `activation` of each number; true"},
};

const Option options[] = {
    {.name = "activation",
     .kinds = dense | curve,
     .field = choice_field<&L::activation>,
     .help = "f; softmax over all units; prelu has a trained slope for each unit",
     .words = only(SLUICE_LINEAR, SLUICE_TANH, SLUICE_SIGMOID, SLUICE_HARD_SIGMOID, SLUICE_RELU,
                   SLUICE_SOFTMAX, SLUICE_ELU, SLUICE_SELU, SLUICE_LEAKY_RELU, SLUICE_PRELU,
                   SLUICE_SILU, SLUICE_HARD_SILU, SLUICE_GELU, SLUICE_GELU_TANH, SLUICE_SOFTPLUS,
                   SLUICE_SOFTSIGN, SLUICE_CLIP, SLUICE_EXPONENTIAL, SLUICE_SQRT, SLUICE_LOG)},
    {.name = "activation",
     .kinds = curved_kinds,
     .field = choice_field<&L::candidate>,
     .help = "function of the candidate, of an lstm's output too, of an rnn's state; in place of "
             "tanh",
     .words = only(SLUICE_TANH, SLUICE_RELU, SLUICE_LINEAR, SLUICE_ELU, SLUICE_SELU,
                   SLUICE_LEAKY_RELU, SLUICE_SOFTSIGN)},
    {.name = "alpha",
     .kinds = curved_kinds | dense | curve,
     .field = &L::alpha,
     .help = "elu is alpha * (e^x - 1) for negative x, with alpha 1 if not given; leaky_relu is "
             "alpha * x, with alpha 0.01",
     .min = 1e-6,
     .max = 100},
    {.name = "low",
     .kinds = dense | curve,
     .field = &L::low,
     .help = "lowest value of clip; 0 with high = 6 is known as relu6",
     .min = -1e6,
     .max = 1e6},
    {.name = "high",
     .kinds = dense | curve,
     .field = &L::high,
     .help = "highest value of clip",
     .min = -1e6,
     .max = 1e6},
    {.name = "steps",
     .kinds = recurrent_kinds,
     .field = choice_field<&L::steps>,
     .help = "the output: every step, the last step, or the mean over all steps; default every, "
             "but last for the last recurrent layer if data.target_per is \"sequence\"",
     .words = only(StepsOut::every, StepsOut::last, StepsOut::mean)},
    {.name = "directions",
     .kinds = recurrent_kinds,
     .field = choice_field<&L::directions>,
     .help = "both: reads also from the last frame to the first, which doubles the units and needs "
             "whole sequences; the last step is then that of the forward direction after the last "
             "frame and of the backward one after the first",
     .words = only(Directions::one, Directions::both)},
    {.name = "reset",
     .kinds = gru,
     .field = choice_field<&L::reset>,
     .help = "whether the reset gate acts after the recurrent product (PyTorch, cuDNN) or before "
             "(Cho et al. 2014)",
     .words = only(Reset::after, Reset::before)},
    {.name = "gates",
     .kinds = gru | lstm | fastgrnn,
     .field = choice_field<&L::gates>,
     .help = "function of the gates",
     .words = only(SLUICE_SIGMOID, SLUICE_HARD_SIGMOID, SLUICE_TANH)},
    {.name = "slope",
     .kinds = gru | lstm | fastgrnn | dense | curve,
     .field = &L::slope,
     .help = "the hard sigmoid is clip(slope * x + 1/2, 0, 1), and hard_silu x times it; Keras and "
             "PyTorch have 1/6, ONNX 0.2",
     .min = 1e-3,
     .max = 10},
    {.name = "rank",
     .kinds = recurrent_kinds,
     .field = &L::rank,
     .help = "low rank: the matrices over input and state are products W1 W2, where W1 has this "
             "many columns, which saves weights and instructions. The matrix over an input that is "
             "no wider than the rank stays whole; 0: both are whole",
     .min = 0,
     .max = 65535},
    {.name = "initial_state",
     .kinds = recurrent_kinds,
     .field = &L::initial_state,
     .help = "learns the state from which every sequence begins, of each direction; it starts at "
             "zero. false: sequences begin from zero"},
    {.name = "peepholes",
     .kinds = lstm,
     .field = &L::peepholes,
     .help = "the gates i and f read the cell state before, and o the one after, each unit its own "
             "(Gers, Schmidhuber 2000)"},
    {.name = "cell_clip",
     .kinds = lstm,
     .field = &L::cell_clip,
     .help = "the cell state is kept in -cell_clip to cell_clip; TensorFlow Lite's is 10. 0: it is "
             "not",
     .min = 0,
     .max = 1e6},
    {.name = "projection",
     .kinds = lstm,
     .field = &L::projection,
     .help =
         "the output and the state h are a product of a matrix of this many rows with the numbers "
         "of the cells (Sak et al. 2014), as PyTorch's proj_size; 0: they are these numbers",
     .min = 0,
     .max = widest_layer},
    {.name = "repeat",
     .kinds = recurrent_kinds,
     .field = &L::repeat,
     .help = "number of copies of this layer, stacked on one another",
     .min = 1,
     .max = 64},
    {.name = "tied",
     .kinds = recurrent_kinds,
     .field = &L::tied,
     .help = "with repeat: all copies share one layer's weights; needs as many inputs as outputs"},
    {.name = "epsilon",
     .kinds = batch_norm | layer_norm | unit_norm,
     .field = &L::epsilon,
     .help = "added to the variance; of unit_norm the lowest |x|",
     .min = 1e-12,
     .max = 1},
    {.name = "dilation",
     .kinds = window,
     .field = &L::dilation,
     .help = "every how many steps the window takes one",
     .min = 1,
     .max = 65535},
    {.name = "part",
     .kinds = dense,
     .field = &L::part,
     .help = "applies the same weights to each part of this many numbers, such as a patch, which "
             "gives units for each part; 0: all of them are one part",
     .min = 0,
     .max = 65536},
    {.name = "channels",
     .kinds = patches | pools,
     .field = &L::channels,
     .help = "numbers of a position; the frame has the numbers of a position side by side",
     .min = 1,
     .max = 65536},
    {.name = "stride",
     .kinds = patches,
     .field = &L::stride,
     .help = "positions from one patch to the next; 0: n, so that patches do not overlap",
     .min = 0,
     .max = 65536},
    {.name = "stride",
     .kinds = window,
     .field = &L::stride,
     .help = "every how many steps the window has an output, from the first one on; all layers "
             "behind it have a step only then",
     .min = 1,
     .max = 65535},
    {.name = "first",
     .kinds = window,
     .field = &L::first,
     .help = "the step, counted from 0, of the window's first output. 0: zeros stand before the "
             "first step; n - 1, with a dilation of 1: there are no zeros (\"valid\")",
     .min = 0,
     .max = 65535},
    {.name = "skip",
     .kinds = patches,
     .field = &L::skip,
     .help =
         "positions that are left out in front of the first patch; there is then no padding. One "
         "patch with skip and count = 1 is a part of the frame, such as for a normalization of "
         "its own",
     .min = 0,
     .max = 65535},
    {.name = "count",
     .kinds = patches,
     .field = &L::count,
     .help = "the most patches that are taken, from the first one on; 0: as many as there are",
     .min = 0,
     .max = 65536},
    {.name = "ahead",
     .kinds = window,
     .field = &L::ahead,
     .help = "how many steps behind the one of its output the window reads, with zeros behind the "
             "last step; the model then takes whole sequences, and stays in float",
     .min = 0,
     .max = 65535},
    {.name = "padding",
     .kinds = patches,
     .field = choice_field<&L::padding>,
     .help = "the (n - 1) / 2 positions in front of the frame and n / 2 behind it: none, zeros, or "
             "the reflected frame",
     .words = only(Padding::none, Padding::zero, Padding::reflect)},
    {.name = "dropout",
     .kinds = all_kinds,
     .field = &L::dropout,
     .help = "dropout rate of the layer's output while training",
     .min = 0,
     .max = 0.99},
    {.name = "recurrent_dropout",
     .kinds = recurrent_kinds,
     .field = &L::recurrent_dropout,
     .help = "dropout rate of the state in the recurrent products, one mask per sequence; in place "
             "of model.dropout.recurrent",
     .min = 0,
     .max = 0.99},
    {.name = "gate_dropout",
     .kinds = gru | lstm,
     .field = &L::gate_dropout,
     .help = "dropout rate of frame and state for the gates only, one mask per sequence; the "
             "candidate reads them whole",
     .min = 0,
     .max = 0.99},
    {.name = "name",
     .kinds = all_kinds,
     .field = &L::name,
     .help = "a unique name, by which later layers can refer to it"},
    {.name = "from",
     .kinds = all_kinds & ~joins_kinds & ~embedding,
     .field = &L::from,
     .help = "the layer that it reads, by name, or \"frame\"; if not given, the one before"},
    {.name = "loss",
     .kinds = recurrent_kinds | dense | over_steps,
     .field = choice_field<&L::loss>,
     .help = "makes the layer a part of the answer, a head, with a loss of its own; the answer is "
             "the concat of two heads or more, and data.target names the columns of all of them in "
             "order: one for cross_entropy, the class's number from 0, else one for each output",
     .words = only(HeadLoss::cross_entropy, HeadLoss::binary, HeadLoss::mse, HeadLoss::huber)},
    {.name = "weight",
     .kinds = recurrent_kinds | dense | over_steps,
     .field = &L::weight,
     .help = "with loss: the factor of that loss in the sum that training minimizes; default 1",
     .min = 1e-6,
     .max = 1e6},
};

}  // namespace

std::span<const Kind> layer_kinds() { return kinds; }
std::span<const Option> layer_options() { return options; }

const Kind& kind_of(const LayerSpec& layer) {
  return *std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) {
    return k.kind == layer.kind || (k.kind == SLUICE_GRU && layer.kind == SLUICE_GRU_BEFORE);
  });
}

LayerSpec fresh(const Kind& kind) {
  LayerSpec layer;
  layer.kind = kind.kind;
  const unsigned is = bit(kind);
  if (is & recurrent_kinds) layer.recurrent_dropout = -1;
  if (is & (gru | lstm | fastgrnn | dense | curve)) layer.slope = 1.0 / 6;
  if (is & (dense | curve)) layer.low = -1, layer.high = 1;
  if (is & (batch_norm | layer_norm)) layer.epsilon = 1e-5;
  if (is & unit_norm) layer.epsilon = 1e-12;
  if (is & window) layer.stride = 1;
  return layer;
}

std::string options_of(const Kind& kind) {
  std::string list;
  for (const Option& option : options)
    if (option.kinds & bit(kind))
      list += fmt::format("{}{}", list.empty() ? "" : ", ", option.name);
  return list;
}

namespace {

/// Returns the value of an option that a layer does not give.
std::string fallback(const Option& option) {
  for (const std::string_view open : {"steps", "name", "from", "loss", "weight", "alpha"})
    if (option.name == open) return "";
  if (option.name == "recurrent_dropout") return "; default model.dropout.recurrent";
  const Kind& kind = *std::find_if(std::begin(kinds), std::end(kinds),
                                   [&](const Kind& k) { return (option.kinds & bit(k)) != 0; });
  const LayerSpec layer = fresh(kind);
  return std::visit(
      [&](const auto& field) { return fmt::format("; default {}", value_in(layer, field)); },
      option.field);
}

}  // namespace
}  // namespace layer_table

using namespace layer_table;

std::string layer_manual() {
  std::string text;
  for (const Kind& kind : kinds)
    text += fmt::format("  {{ {} = {} }}  {}: {}\n", kind.key, form_texts[int(kind.form)],
                        kind.help, options_of(kind));
  text +=
      "  { cell = \"gru\", units = 32 }  the same as { gru = 32 }; so a search can choose the "
      "cell\n";
  text +=
      "  { gru = 32, use = false }  leaves the layer out; so a search can choose whether it is "
      "there\n";
  for (const Option& option : options) {
    std::string values;
    for (std::string_view word : option.words)
      values += fmt::format("{}\"{}\"", values.empty() ? "" : ", ", word);
    if (option.max > 0) values = fmt::format("{} to {}", option.min, option.max);
    if (std::holds_alternative<std::string L::*>(option.field)) values = "a name";
    if (values.empty()) values = "true or false";
    text += fmt::format("    {} ({}{}): {}\n", option.name, values, fallback(option), option.help);
  }
  return text;
}

}  // namespace sluice::tools
