#include "layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <variant>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/nearest.h"
#include "layer_table.h"
#include "toml.h"

namespace sluice::tools {

using namespace layer_table;

namespace {

/// "gru, lstm or rnn": the kinds for which `wanted` holds.
template <class Wanted>
std::string kind_list(Wanted wanted) {
  std::vector<std::string_view> names;
  for (const Kind& kind : layer_kinds())
    if (wanted(kind)) names.push_back(kind.key);
  const std::string_view last = names.back();
  names.pop_back();
  return fmt::format("{} or {}", fmt::join(names, ", "), last);
}

bool takes_units(const Kind& kind) { return kind.form == Form::units; }

/// { cell = "gru", units = 32 } is the same as { gru = 32 }, in a form in which a search can choose
/// the cell. With `use`, a layer can be left out.
constexpr const char *cell_key = "cell", *units_key = "units", *use_key = "use";

const Kind& kind_of_cell(const toml::node& node, const std::string& place) {
  const std::string name = node.value_or(std::string{});
  for (const Kind& kind : layer_kinds())
    if (kind.key == name && takes_units(kind)) return kind;
  refuse("{}: cell: {} is not {}", place, shown(node), kind_list(takes_units));
}

const Kind& find_kind(const toml::table& table, const std::string& place) {
  if (const toml::node* cell = table.get(cell_key)) {
    if (!table.contains(units_key))
      refuse("{}: cell: how many units? give {{ cell = \"gru\", units = 32 }}, say", place);
    return kind_of_cell(*cell, place);
  }
  const Kind* found = nullptr;
  for (const Kind& kind : layer_kinds()) {
    if (!table.contains(kind.key)) continue;
    if (found) refuse("{}: both {} and {}; a layer is one of them", place, found->key, kind.key);
    found = &kind;
  }
  if (!found)
    refuse("{}: not a layer; give one of {}, such as {{ gru = 32 }}", place,
           kind_list([](const Kind&) { return true; }));
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
    const auto option =
        std::find_if(layer_options().begin(), layer_options().end(),
                     [&](const Option& o) { return o.name == name && (o.kinds & bit(kind)) != 0; });
    if (option == layer_options().end())
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
  for (const Option& option : layer_options())
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
  return name == units_key ||
         std::any_of(layer_kinds().begin(), layer_kinds().end(), names_units) ||
         std::any_of(layer_options().begin(), layer_options().end(), counts);
}

bool layer_measures(std::string_view name) { return name == "loss" || name == "weight"; }

}  // namespace sluice::tools
