#include "layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <variant>

#include "common/error.h"
#include "common/json.h"
#include "keys.h"
#include "toml.h"

namespace sluice::tools {
namespace {

using L = LayerSpec;
using Field = std::variant<std::string L::*, std::int64_t L::*, double L::*, bool L::*>;

constexpr std::int64_t widest_layer = 65536;

/// A kind of layer: the key that names it takes its units, or true where the layer keeps the width.
struct Kind {
  std::string_view key;
  sluice_layer_kind kind;
  bool sized;
  std::string_view help;
};
constexpr Kind kinds[] = {
    {"gru", SLUICE_GRU, true, "gated recurrent unit (Cho et al. 2014)"},
    {"lstm", SLUICE_LSTM, true, "long short-term memory (Hochreiter, Schmidhuber 1997; Gers et al. 2000)"},
    {"rnn", SLUICE_RNN, true, "h = tanh(W_ih x + W_hh h + b) (Elman 1990)"},
    {"dense", SLUICE_DENSE, true, "y = f(W x + b)"},
    {"embedding", SLUICE_EMBEDDING, true, "a vector an id; the first layer, of text"},
    {"batch_norm", SLUICE_BATCH_NORM, false, "batch normalization (Ioffe, Szegedy 2015), over batch and steps; true"},
    {"layer_norm", SLUICE_LAYER_NORM, false, "layer normalization over features (Ba, Kiros, Hinton 2016); true"},
};

enum : unsigned { gru = 1, lstm = 2, rnn = 4, dense = 8, embedding = 16, batch_norm = 32, layer_norm = 64 };
constexpr unsigned recurrent_kinds = gru | lstm | rnn, all_kinds = 127;

/// An option of some kinds. Its default is what a LayerSpec of that kind begins with.
struct Option {
  std::string_view name;
  unsigned kinds;
  Field field;
  std::string_view help;
  std::vector<std::string_view> words = {};
  double min = 0, max = 0;
};

const Option options[] = {
    {"activation", dense, &L::activation, "f; softmax over all units",
     {"linear", "tanh", "sigmoid", "hard_sigmoid", "relu", "softmax"}},
    {"steps", recurrent_kinds, &L::steps,
     "what is handed on: every step, the last, or the mean over all; where not given every step, but of the last recurrent layer the last "
     "step when data.target_per is \"sequence\"",
     {"every", "last", "mean"}},
    {"directions", recurrent_kinds, &L::directions,
     "both: also from the last frame to the first, twice the units, for whole sequences; the last step is then the forward direction's "
     "after the last frame and the backward one's after the first",
     {"one", "both"}},
    {"reset", gru, &L::reset, "whether the reset gate acts after the recurrent product (PyTorch, cuDNN) or before (Cho et al. 2014)",
     {"after", "before"}},
    {"gates", gru | lstm, &L::gates, "the gates' function", {"sigmoid", "hard_sigmoid", "tanh"}},
    {"slope", gru | lstm | dense, &L::slope, "the hard sigmoid is clip(slope * x + 1/2, 0, 1); Keras and PyTorch have 1/6, ONNX 0.2", {},
     1e-3, 10},
    {"repeat", recurrent_kinds, &L::repeat, "so many of this layer, one above the other", {}, 1, 64},
    {"tied", recurrent_kinds, &L::tied, "with repeat: one layer's weights for all of them; as many inputs as outputs"},
    {"epsilon", batch_norm | layer_norm, &L::epsilon, "added to the variance", {}, 1e-12, 1},
    {"dropout", all_kinds, &L::dropout, "rate at which what the layer hands on is dropped while training", {}, 0, 0.99},
    {"recurrent_dropout", recurrent_kinds, &L::recurrent_dropout,
     "rate at which the state is dropped where it enters the recurrent products, one mask a sequence; in place of model.dropout.recurrent",
     {}, 0, 0.99},
    {"gate_dropout", gru | lstm, &L::gate_dropout,
     "rate at which frame and state are dropped for the gates alone, one mask a sequence; the candidate sees them whole", {}, 0, 0.99},
};

const Kind& kind_of(const LayerSpec& layer) {
  return *std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) {
    return k.kind == layer.kind || (k.kind == SLUICE_GRU && layer.kind == SLUICE_GRU_BEFORE);
  });
}

unsigned bit(const Kind& kind) { return 1u << (&kind - kinds); }

/// A layer with every option at its default.
LayerSpec fresh(const Kind& kind) {
  LayerSpec layer;
  layer.kind = kind.kind;
  const unsigned is = bit(kind);
  if (is & dense) layer.activation = "linear";
  if (is & recurrent_kinds) layer.directions = "one", layer.recurrent_dropout = -1;
  if (is & (gru | lstm)) layer.gates = "sigmoid";
  if (is & gru) layer.reset = "after";
  if (is & (gru | lstm | dense)) layer.slope = 1.0 / 6;
  if (is & (batch_norm | layer_norm)) layer.epsilon = 1e-5;
  return layer;
}

std::string kind_list() {
  std::string list;
  for (const Kind& kind : kinds) list += fmt::format("{}{}", list.empty() ? "" : &kind == std::end(kinds) - 1 ? " or " : ", ", kind.key);
  return list;
}

/// { cell = "gru", units = 32 } is { gru = 32 }: a form in which a search can choose the cell. And a layer may be left out.
constexpr const char *cell_key = "cell", *units_key = "units", *use_key = "use";

const Kind& kind_of_cell(const toml::node& node, const std::string& place) {
  const std::string name = node.value_or(std::string{});
  for (const Kind& kind : kinds)
    if (kind.key == name && kind.sized) return kind;
  refuse("{}: cell: {} is not one of gru, lstm, rnn, dense and embedding", place, shown(node));
}

const Kind& find_kind(const toml::table& table, const std::string& place) {
  if (const toml::node* cell = table.get(cell_key)) {
    if (!table.contains(units_key)) refuse("{}: cell: how many units? give {{ cell = \"gru\", units = 32 }}, say", place);
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

void read_option(std::string& out, const Option& option, const toml::node& node, const std::string& place) {
  out = node.value_or(std::string{});
  if (std::find(option.words.begin(), option.words.end(), out) != option.words.end()) return;
  const std::string_view meant = nearest(out, option.words);
  if (!meant.empty()) refuse("{}: {} is unknown; did you mean \"{}\"?", place, shown(node), meant);
  std::string all;
  for (std::string_view word : option.words) all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", word);
  refuse("{}: {} is unknown; give one of {}", place, shown(node), all);
}

void check_range(double value, const Option& option, const toml::node& node, const std::string& place) {
  if (!(value >= option.min && value <= option.max)) refuse("{}: {}; give {} to {}", place, shown(node), option.min, option.max);
}

void read_option(std::int64_t& out, const Option& option, const toml::node& node, const std::string& place) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value) refuse("{}: {}; give an integer", place, shown(node));
  check_range(double(*value), option, node, place);
  out = *value;
}

void read_option(double& out, const Option& option, const toml::node& node, const std::string& place) {
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

std::string options_of(const Kind& kind) {
  std::string list;
  for (const Option& option : options)
    if (option.kinds & bit(kind)) list += fmt::format("{}{}", list.empty() ? "" : ", ", option.name);
  return list;
}

void check_sense(const LayerSpec& layer, const std::string& place) {
  const bool hard = layer.gates == "hard_sigmoid" || layer.activation == "hard_sigmoid";
  if (layer.slope != 0 && layer.slope != 1.0 / 6 && !hard) refuse("{}: slope: there is no hard sigmoid; leave it out", place);
  if (layer.tied && layer.repeat == 1) refuse("{}: tied: there is one layer alone; give repeat = 2 or more", place);
}

/// What an option is where a layer does not say.
std::string fallback(const Option& option) {
  if (option.name == "steps") return "";
  if (option.name == "recurrent_dropout") return "; default model.dropout.recurrent";
  const Kind& kind = *std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& k) { return (option.kinds & bit(k)) != 0; });
  const LayerSpec layer = fresh(kind);
  return std::visit([&](auto field) { return fmt::format("; default {}", layer.*field); }, option.field);
}

}  // namespace

bool LayerSpec::recurrent() const { return (bit(kind_of(*this)) & recurrent_kinds) != 0; }

std::string shown(const toml::node& node) {
  if (node.is_table()) return "a table";
  if (node.is_array()) return "a list";
  if (const auto text = node.value_exact<std::string>()) return fmt::format("\"{}\"", *text);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  std::ostringstream out;
  out.exceptions(std::ios::badbit);  // else a lack of memory only shortens the text
  out << toml::node_view<const toml::node>(node);
  return out.str();
}

LayerSpec read_layer(const toml::node& node, const std::string& place, bool& use) {
  const toml::table* table = node.as_table();
  if (!table) refuse("{}: {} is not a layer; give {{ gru = 32 }} or {{ dense = 9, activation = \"softmax\" }}", place, shown(node));
  const Kind& kind = find_kind(*table, place);
  LayerSpec layer = fresh(kind);
  for (auto&& [key, value] : *table) {
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
      if (kind.sized) layer.units = read_units(value, at);
      if (!kind.sized && !value.value_exact<bool>().value_or(false)) refuse("{}: {}; give true", at, shown(value));
      continue;
    }
    const auto option = std::find_if(std::begin(options), std::end(options), [&](const Option& o) { return o.name == name; });
    if (option == std::end(options) || !(option->kinds & bit(kind)))
      refuse("{}: unknown key; a {} has {}{}", at, kind.key, kind.sized ? "its units, " : "", options_of(kind));
    std::visit([&](auto field) { read_option(layer.*field, *option, value, at); }, option->field);
  }
  if (layer.reset == "before") layer.kind = SLUICE_GRU_BEFORE;
  check_sense(layer, place);
  return layer;
}

OrderedJson to_json(const LayerSpec& layer) {
  const Kind& kind = kind_of(layer);
  const LayerSpec plain = fresh(kind);
  OrderedJson json;
  if (kind.sized)
    json[std::string(kind.key)] = layer.units;
  else
    json[std::string(kind.key)] = true;
  for (const Option& option : options)
    std::visit(
        [&](auto field) {
          const bool always = option.name == "steps" || option.name == "activation";
          if ((option.kinds & bit(kind)) && (always || layer.*field != plain.*field)) json[std::string(option.name)] = layer.*field;
        },
        option.field);
  return json;
}

bool layer_counts(std::string_view name) {
  const auto names_units = [&](const Kind& kind) { return kind.sized && kind.key == name; };
  const auto counts = [&](const Option& option) { return option.name == name && std::holds_alternative<std::int64_t L::*>(option.field); };
  return name == units_key || std::any_of(std::begin(kinds), std::end(kinds), names_units) ||
         std::any_of(std::begin(options), std::end(options), counts);
}

std::string layer_manual() {
  std::string text;
  for (const Kind& kind : kinds)
    text += fmt::format("  {{ {} = {} }}  {}: {}\n", kind.key, kind.sized ? "units" : "true", kind.help, options_of(kind));
  text += "  { cell = \"gru\", units = 32 }  the same as { gru = 32 }; so a search can choose the cell\n";
  text += "  { gru = 32, use = false }  leaves the layer out; so a search can choose whether it is there\n";
  for (const Option& option : options) {
    std::string values;
    for (std::string_view word : option.words) values += fmt::format("{}\"{}\"", values.empty() ? "" : ", ", word);
    if (option.max > 0) values = fmt::format("{} to {}", option.min, option.max);
    if (values.empty()) values = "true or false";
    text += fmt::format("    {} ({}{}): {}\n", option.name, values, fallback(option), option.help);
  }
  return text;
}

}  // namespace sluice::tools
