#include "layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <variant>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/nearest.h"
#include "runtime/anatomy.h"
#include "toml.h"

namespace sluice::tools {
namespace {

using L = LayerSpec;
using Field = std::variant<Choice<L>, std::int64_t L::*, double L::*, bool L::*, std::string L::*>;

constexpr std::int64_t widest_layer = widest;

/// The value of the key that names a kind of layer: units; true, if the layer keeps the width; the
/// names of the layers that it joins; or a count of steps or positions.
enum class Form { units, kept, joined, count };
constexpr const char* form_texts[] = {"units", "true", "[\"a\", \"b\"]", "n"};

struct Kind {
  std::string_view key;
  sluice_layer_kind kind;
  Form form;
  std::string_view help;
};
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

// Sets of kinds, as bits of their numbers.
enum : unsigned {
  gru = 1u << SLUICE_GRU,
  lstm = 1u << SLUICE_LSTM,
  fastgrnn = 1u << SLUICE_FASTGRNN,
  dense = 1u << SLUICE_DENSE,
  embedding = 1u << SLUICE_EMBEDDING,
  batch_norm = 1u << SLUICE_BATCH_NORM,
  layer_norm = 1u << SLUICE_LAYER_NORM,
  window = 1u << SLUICE_WINDOW,
  patches = 1u << SLUICE_SELECT,
  pools = 1u << SLUICE_MAX_POOL | 1u << SLUICE_MEAN_POOL | 1u << SLUICE_NORM_POOL,
  unit_norm = 1u << SLUICE_UNIT_NORM,
  over_steps = 1u << SLUICE_MAX_OVER_STEPS | 1u << SLUICE_MEAN_OVER_STEPS,
  curve = 1u << SLUICE_CURVE
};
constexpr unsigned recurrent_kinds = kinds_with([](const Anatomy& a) { return a.recurrent; }),
                   curved_kinds = kinds_with([](const Anatomy& a) { return a.curved; }),
                   joins_kinds = kinds_with([](const Anatomy& a) { return a.joins; }),
                   all_kinds = ~0u;

/// An option of some kinds of layers. Its default is the value in a new LayerSpec of that kind.
struct Option {
  std::string_view name;
  unsigned kinds;
  Field field;
  std::string_view help;
  std::vector<std::string_view> words = {};
  double min = 0, max = 0;
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

const Kind& kind_of(const LayerSpec& layer) {
  return *std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) {
    return k.kind == layer.kind || (k.kind == SLUICE_GRU && layer.kind == SLUICE_GRU_BEFORE);
  });
}

unsigned bit(const Kind& kind) { return 1u << kind.kind; }

/// Returns a layer with every option at its default.
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

std::string kind_list() {
  std::string list;
  for (const Kind& kind : kinds)
    list += fmt::format("{}{}",
                        list.empty()                   ? ""
                        : &kind == std::end(kinds) - 1 ? " or "
                                                       : ", ",
                        kind.key);
  return list;
}

/// { cell = "gru", units = 32 } is the same as { gru = 32 }, in a form in which a search can choose
/// the cell. With `use`, a layer can be left out.
constexpr const char *cell_key = "cell", *units_key = "units", *use_key = "use";

const Kind& kind_of_cell(const toml::node& node, const std::string& place) {
  const std::string name = node.value_or(std::string{});
  for (const Kind& kind : kinds)
    if (kind.key == name && kind.form == Form::units) return kind;
  refuse("{}: cell: {} is not one of gru, lstm, rnn, fastgrnn, dense and embedding", place,
         shown(node));
}

const Kind& find_kind(const toml::table& table, const std::string& place) {
  if (const toml::node* cell = table.get(cell_key)) {
    if (!table.contains(units_key))
      refuse("{}: cell: how many units? give {{ cell = \"gru\", units = 32 }}, say", place);
    return kind_of_cell(*cell, place);
  }
  const Kind* found = nullptr;
  for (const Kind& kind : kinds) {
    if (!table.contains(kind.key)) continue;
    if (found) refuse("{}: both {} and {}; a layer is one of them", place, found->key, kind.key);
    found = &kind;
  }
  if (!found) refuse("{}: not a layer; give one of {}, such as {{ gru = 32 }}", place, kind_list());
  return *found;
}

std::int64_t read_units(const toml::node& node, const std::string& place) {
  const auto units = node.value_exact<std::int64_t>();
  if (!units || *units < 1 || *units > widest_layer)
    refuse("{}: {} is not a number of units; give 1 to {}", place, shown(node), widest_layer);
  return *units;
}

void read_option(LayerSpec& layer, const Choice<L>& field, const Option& option,
                 const toml::node& node, const std::string& place) {
  const std::string text = node.value_or(std::string{});
  if (std::find(option.words.begin(), option.words.end(), text) != option.words.end())
    return field.set(layer, std::size_t(std::find(field.words.begin(), field.words.end(), text) -
                                        field.words.begin()));
  const std::string_view meant = nearest(text, option.words);
  if (!meant.empty()) refuse("{}: {} is unknown; did you mean \"{}\"?", place, shown(node), meant);
  std::string all;
  for (std::string_view word : option.words)
    all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", word);
  refuse("{}: {} is unknown; give one of {}", place, shown(node), all);
}

void check_range(double value, const Option& option, const toml::node& node,
                 const std::string& place) {
  if (!(value >= option.min && value <= option.max))
    refuse("{}: {}; give {} to {}", place, shown(node), option.min, option.max);
}

void read_option(std::int64_t& out, const Option& option, const toml::node& node,
                 const std::string& place) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value) refuse("{}: {}; give an integer", place, shown(node));
  check_range(double(*value), option, node, place);
  out = *value;
}

void read_option(double& out, const Option& option, const toml::node& node,
                 const std::string& place) {
  if (!node.is_number()) refuse("{}: {}; give a number", place, shown(node));
  out = node.value<double>().value_or(0);
  check_range(out, option, node, place);
  out = out == 0 ? 0 : out;
}

void read_option(bool& out, const Option&, const toml::node& node, const std::string& place) {
  const auto value = node.value_exact<bool>();
  if (!value) refuse("{}: {}; give true or false", place, shown(node));
  out = *value;
}

/// Accepts letters, digits, _ and -, but not the frame's own name.
void check_name(const std::string& text, const toml::node& node, const std::string& place) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), fits))
    refuse("{}: {} is not a name; give letters, digits, _ and -", place, shown(node));
}

void read_option(std::string& out, const Option& option, const toml::node& node,
                 const std::string& place) {
  out = node.value_or(std::string{});
  check_name(out, node, place);
  if (option.name == "name" && out == frame_name)
    refuse("{}: \"{}\" is the frame's own name; give another", place, out);
}

std::vector<std::string> read_names(const toml::node& node, const std::string& place) {
  const toml::array* const list = node.as_array();
  if (!list || list->size() < 2)
    refuse("{}: {}; give a list of two or more names, such as [\"a\", \"frame\"]", place,
           !list           ? shown(node)
           : list->empty() ? "an empty list"
                           : fmt::format("a list of {} alone", shown(*list->get(0))));
  if (list->size() > most_sources)
    refuse("{}: {} names; give at most {}, and join several joins", place, list->size(),
           most_sources);
  std::vector<std::string> names;
  for (const toml::node& item : *list) {
    names.push_back(item.value_or(std::string{}));
    check_name(names.back(), item, place);
  }
  return names;
}

template <class Value>
void read_option(LayerSpec& layer, Value L::* field, const Option& option, const toml::node& node,
                 const std::string& place) {
  read_option(layer.*field, option, node, place);
}

std::string options_of(const Kind& kind) {
  std::string list;
  for (const Option& option : options)
    if (option.kinds & bit(kind))
      list += fmt::format("{}{}", list.empty() ? "" : ", ", option.name);
  return list;
}

bool has_alpha(sluice_activation curve) {
  return curve == SLUICE_ELU || curve == SLUICE_LEAKY_RELU;
}

void check_window(const LayerSpec& layer, const std::string& place) {
  const std::int64_t reach = (layer.units - 1) * layer.dilation;
  if (layer.ahead > reach)
    refuse("{}: ahead: {} steps, but the window has {} steps beside one; give at most these", place,
           layer.ahead, reach);
  if (layer.first > reach)
    refuse("{}: first: step {}, but the window needs only {} steps before one; give at most these",
           place, layer.first, reach);
  if (layer.ahead > 0 && layer.first > 0)
    refuse("{}: ahead: is of a window that begins at the first step; leave it or first out", place);
}

void check_sense(const LayerSpec& layer, const std::string& place) {
  const bool hard = layer.gates == SLUICE_HARD_SIGMOID || layer.activation == SLUICE_HARD_SIGMOID ||
                    layer.activation == SLUICE_HARD_SILU;
  if (layer.slope != 0 && layer.slope != 1.0 / 6 && !hard)
    refuse("{}: slope: there is no hard sigmoid; leave it out", place);
  if (layer.alpha != 0 && !has_alpha(layer.activation) && !has_alpha(layer.candidate))
    refuse("{}: alpha: there is no elu and no leaky_relu; leave it out", place);
  if (layer.activation == SLUICE_CLIP && layer.low >= layer.high)
    refuse("{}: low: {} is not below high, {}", place, layer.low, layer.high);
  const bool given =
      (bit(kind_of(layer)) & (dense | curve)) != 0 && (layer.low != -1 || layer.high != 1);
  if (given && layer.activation != SLUICE_CLIP)
    refuse("{}: low and high are of clip; leave them out, or give activation = \"clip\"", place);
  const std::int64_t state = layer.projection > 0 ? layer.projection : layer.units;
  if (layer.rank > 0 && layer.rank >= state)
    refuse("{}: rank: {} is not below the {} units, so it would save nothing; leave it out", place,
           layer.rank, state);
  if (layer.projection > 0 && layer.gate_dropout > 0)
    refuse("{}: gate_dropout: not of an LSTM with a projection; leave it or projection out", place);
  if (layer.rank > 0 && layer.gate_dropout > 0)
    refuse("{}: gate_dropout: not of matrices of low rank; leave it or rank out", place);
  if (layer.kind == SLUICE_WINDOW) check_window(layer, place);
  if (layer.skip > 0 && layer.padding != Padding::none)
    refuse("{}: skip: is of patches without padding; leave it or padding out", place);
  if (layer.weight != 0 && layer.loss == HeadLoss::none)
    refuse("{}: weight: is the factor of a loss, and the layer has none; give it a loss too",
           place);
  if (layer.tied && layer.repeat == 1)
    refuse("{}: tied: there is one layer alone; give repeat = 2 or more", place);
}

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

bool LayerSpec::recurrent() const { return (bit(kind_of(*this)) & recurrent_kinds) != 0; }
std::int64_t patch_count(const LayerSpec& patches, std::int64_t in) {
  const std::int64_t n = patches.units, positions = in / patches.channels - patches.skip,
                     padded = positions + (patches.padding == Padding::none ? 0 : n - 1),
                     stride = patches.stride ? patches.stride : n,
                     all = padded < n ? 0 : (padded - n) / stride + 1;
  return patches.count > 0 ? std::min(patches.count, all) : all;
}

std::int64_t LayerSpec::out(std::int64_t in) const {
  switch (kind) {
    case SLUICE_WINDOW:
      return in * units;
    case SLUICE_SELECT:
      return patch_count(*this, in) * units * channels;
    case SLUICE_MAX_POOL:
    case SLUICE_MEAN_POOL:
    case SLUICE_NORM_POOL:
      return in / units;
    default: {
      if (part > 0) return in / part * units;
      const std::int64_t own = projection > 0 ? projection : units;
      return own == 0 ? in : directions == Directions::both ? 2 * own : own;
    }
  }
}
bool LayerSpec::ends_steps() const {
  return anatomy_of(std::uint32_t(kind)).once || (recurrent() && steps != StepsOut::every);
}
bool LayerSpec::thins() const { return kind == SLUICE_WINDOW && (stride > 1 || first > 0); }
bool LayerSpec::joins() const { return (bit(kind_of(*this)) & joins_kinds) != 0; }

std::vector<std::size_t> sources_of(const std::vector<LayerSpec>& layers, std::size_t index,
                                    const std::string& place) {
  const LayerSpec& layer = layers[index];
  const auto find = [&](const std::string& name) -> std::size_t {
    if (name == frame_name) return 0;
    std::vector<std::string_view> known = {frame_name};
    for (std::size_t l = 0; l < index; ++l) {
      if (layers[l].name == name) return l + 1;
      if (!layers[l].name.empty()) known.push_back(layers[l].name);
    }
    const std::string_view meant = nearest(name, known);
    if (!meant.empty())
      refuse("{}: layer {}: no layer before it is called \"{}\"; did you mean \"{}\"?", place,
             index + 1, name, meant);
    std::string all;
    for (const std::string_view one : known)
      all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", one);
    refuse("{}: layer {}: no layer before it is called \"{}\"; there {} {}", place, index + 1, name,
           known.size() > 1 ? "are" : "is", all);
  };
  std::vector<std::size_t> sources;
  for (const std::string& name : layer.sources) sources.push_back(find(name));
  if (!layer.joins()) sources.push_back(layer.from.empty() ? index : find(layer.from));
  return sources;
}

std::string shown(const toml::node& node) {
  if (node.is_table()) return "a table";
  if (node.is_array()) return "a list";
  if (const auto text = node.value_exact<std::string>()) return fmt::format("\"{}\"", *text);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // without this, a lack of memory would only shorten the text
  out << toml::node_view<const toml::node>(node);
  return out.str();
}

LayerSpec read_layer(const toml::node& node, const std::string& place, bool& use) {
  const toml::table* table = node.as_table();
  if (!table)
    refuse(
        "{}: {} is not a layer; give {{ gru = 32 }} or {{ dense = 9, activation = \"softmax\" }}",
        place, shown(node));
  const Kind& kind = find_kind(*table, place);
  LayerSpec layer = fresh(kind);
  for (auto&& [key, node_of_key] : *table) {
    // A copy is needed because clang before 16 lets no lambda capture a structured binding.
    const toml::node& value = node_of_key;
    const std::string_view name = key.str();
    const std::string at = fmt::format("{}: {}", place, name);
    const bool by_cell = table->contains(cell_key);
    if (by_cell && name == cell_key) continue;
    if (name == use_key) {
      const auto value_of_use = value.value_exact<bool>();
      if (!value_of_use) refuse("{}: {}; give true or false", at, shown(value));
      use = *value_of_use;
      continue;
    }
    if (name == kind.key || (by_cell && name == units_key)) {
      if (kind.form == Form::units || kind.form == Form::count) layer.units = read_units(value, at);
      if (kind.form == Form::joined) layer.sources = read_names(value, at);
      if (kind.form == Form::kept && !value.value_exact<bool>().value_or(false))
        refuse("{}: {}; give true", at, shown(value));
      continue;
    }
    const auto option = std::find_if(std::begin(options), std::end(options), [&](const Option& o) {
      return o.name == name && (o.kinds & bit(kind)) != 0;
    });
    if (option == std::end(options))
      refuse("{}: unknown key; {} has {}{}", at, kind.key,
             kind.form == Form::units ? "its units, " : "", options_of(kind));
    std::visit([&](const auto& field) { read_option(layer, field, *option, value, at); },
               option->field);
  }
  if (layer.reset == Reset::before) layer.kind = SLUICE_GRU_BEFORE;
  check_sense(layer, place);
  if (layer.loss != HeadLoss::none && layer.weight == 0) layer.weight = 1;
  return layer;
}

OrderedJson to_json(const LayerSpec& layer) {
  const Kind& kind = kind_of(layer);
  const LayerSpec plain = fresh(kind);
  OrderedJson json;
  if (kind.form == Form::units || kind.form == Form::count)
    json[std::string(kind.key)] = layer.units;
  else if (kind.form == Form::joined)
    json[std::string(kind.key)] = layer.sources;
  else
    json[std::string(kind.key)] = true;
  for (const Option& option : options)
    std::visit(
        [&](const auto& field) {
          const bool always =
              option.name == "steps" || (option.name == "activation" && option.kinds & dense);
          if ((option.kinds & bit(kind)) &&
              (always || value_in(layer, field) != value_in(plain, field)))
            json[std::string(option.name)] = value_in(layer, field);
        },
        option.field);
  return json;
}

bool layer_counts(std::string_view name) {
  const auto names_units = [&](const Kind& kind) {
    return (kind.form == Form::units || kind.form == Form::count) && kind.key == name;
  };
  const auto counts = [&](const Option& option) {
    return option.name == name && std::holds_alternative<std::int64_t L::*>(option.field);
  };
  return name == units_key || std::any_of(std::begin(kinds), std::end(kinds), names_units) ||
         std::any_of(std::begin(options), std::end(options), counts);
}

bool layer_measures(std::string_view name) { return name == "loss" || name == "weight"; }

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
