#include "values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "../common/error.h"
#include "../common/nearest.h"
#include "../data/files.h"
#include "keys.h"
#include "sluice_train.h"
#include "values_toml.h"

namespace sluice::tools {
namespace {

/// Returns the place of one value of a list.
std::string place_of(const ValueOrigin& list, const toml::node& item) {
  return list.file.empty()
             ? list.text
             : fmt::format("{}:{}: {}", list.file, item.source().begin.line, list.key.name);
}

[[noreturn]] void refuse_type(const ValueOrigin& place, const toml::node& node) {
  const std::string range = allowed(place.key);
  const std::string type(type_name(place.key));
  const bool words = is_choice(place.key);
  refuse("{}: {} is not {}; give {}", place.text, shown(node), place.key.noun,
         words           ? range
         : range == type ? type
                         : fmt::format("{}, {}", type, range));
}

[[noreturn]] void refuse_word(const ValueOrigin& place, const toml::node& node) {
  const std::string_view meant = nearest(node.value_or(std::string_view{}), place.key.words);
  refuse("{}: {} is not {}; {}", place.text, shown(node), place.key.noun,
         meant.empty() ? "give " + allowed(place.key) : fmt::format("did you mean \"{}\"?", meant));
}

void check_range(double value, const toml::node& node, const ValueOrigin& place) {
  if (value >= place.key.min && value <= place.key.max) return;
  refuse("{}: {} is not {}; give {}", place.text, shown(node), place.key.noun,
         value > place.key.max ? fmt::format("{} or less", place.key.max)
                               : fmt::format("{} or more", place.key.min));
}

void read_value(bool& out, const toml::node& node, const ValueOrigin& place) {
  const auto value = node.value_exact<bool>();
  if (!value) refuse_type(place, node);
  out = *value;
}

void read_value(std::int64_t& out, const toml::node& node, const ValueOrigin& place) {
  const auto& words = place.key.words;
  const auto word = std::find(words.begin(), words.end(), node.value_or(std::string_view{}));
  if (word != words.end()) {
    out = -1 - (word - words.begin());
    return;
  }
  const auto value = node.value_exact<std::int64_t>();
  if (!value) refuse_type(place, node);
  check_range(double(*value), node, place);
  out = *value;
}

void read_value(double& out, const toml::node& node, const ValueOrigin& place) {
  if (!node.is_number()) refuse_type(place, node);
  const double value = node.value<double>().value_or(0);
  check_range(value, node, place);
  out = value == 0 ? 0 : value;  // -0.0 would be a different number in the blob
}

/// Reads a list of file names as a text of names, one a line.
void read_files(std::string& out, const toml::array& list, const ValueOrigin& place) {
  std::vector<std::string> names;
  for (const toml::node& item : list) {
    const auto name = item.value_exact<std::string>();
    if (!name || name->empty() || name->find('\n') != name->npos)
      refuse("{}: {} in the list is not a file name; give text", place.text, shown(item));
    names.push_back(*name);
  }
  out = text_of_lines(names);
}

void read_value(std::string& out, const toml::node& node, const ValueOrigin& place) {
  if (const toml::array* list = node.as_array(); list && place.key.several)
    return read_files(out, *list, place);
  const auto value = node.value_exact<std::string>();
  if (!value) refuse_type(place, node);
  out = *value;
}

void read_value(ClassWeights& out, const toml::node& node, const ValueOrigin& place) {
  std::string text;
  read_value(text, node, place);
  out.kind = value_of_word<ClassWeighting>(text).value_or(ClassWeighting::given);
  out.numbers = out.kind == ClassWeighting::given ? text : "";
}

void read_value(std::vector<std::string>& out, const toml::node& node, const ValueOrigin& place) {
  out.clear();
  if (const auto one = node.value_exact<std::string>()) {
    if (!one->empty() || place.key.empty_items) out.push_back(*one);
    return;
  }
  if (!node.is_array()) refuse_type(place, node);
  for (const toml::node& item : *node.as_array()) {
    const auto text = item.value_exact<std::string>();
    if (const auto number = item.value_exact<std::int64_t>()) {
      out.push_back(std::to_string(*number));
      continue;
    }
    if (!text || (text->empty() && !place.key.empty_items))
      refuse("{}: {} in the list is not a name; give text", place.text, shown(item));
    out.push_back(*text);
  }
}

void read_value(GroupValues& out, const toml::node& node, const ValueOrigin& place) {
  out = {};
  const toml::table* const table = node.as_table();
  for (int g = 0; g < weight_group_count && !table; ++g)
    if (g != SLUICE_BIASES) read_value(out.of[g], node, place);
  if (!table) return;
  for (auto&& [key, value] : *table) {
    const auto name = std::find(std::begin(weight_groups), std::end(weight_groups), key.str());
    if (name == std::end(weight_groups))
      refuse("{}: {}: is not a kind of weights; give input, recurrent, bias, output or embedding",
             place.text, key.str());
    read_value(out.of[name - std::begin(weight_groups)], value, place);
  }
}

void read_value(std::vector<LayerSpec>& out, const toml::node& node, const ValueOrigin& place) {
  const toml::array* array = node.as_array();
  if (!array) refuse_type(place, node);
  if (array->empty())
    refuse("{}: an empty list is not a network; give one layer or more", place.text);
  out.clear();
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& item = *array->get(i);
    bool use = true;
    LayerSpec layer =
        read_layer(item, fmt::format("{}: layer {}", place_of(place, item), i + 1), use);
    if (use) out.push_back(std::move(layer));
  }
  if (out.empty()) refuse("{}: no layer has use = true; a network needs one or more", place.text);
}

template <class Value>
void read_field(Recipe& recipe, Value Recipe::* field, const toml::node& node,
                const ValueOrigin& place) {
  read_value(recipe.*field, node, place);
}

void read_field(Recipe& recipe, const Choice<Recipe>& field, const toml::node& node,
                const ValueOrigin& place) {
  const auto value = node.value_exact<std::string>();
  if (!value) refuse_type(place, node);
  const auto& allowed = place.key.words;
  if (std::find(allowed.begin(), allowed.end(), *value) == allowed.end()) refuse_word(place, node);
  field.set(recipe, std::size_t(std::find(field.words.begin(), field.words.end(), *value) -
                                field.words.begin()));
}

}  // namespace

void set_value(Recipe& recipe, const toml::node& node, const ValueOrigin& place) {
  std::visit([&](const auto& field) { read_field(recipe, field, node, place); }, place.key.field);
  recipe.origin[std::string(place.key.name)] = place.text;
}

void set_text(Recipe& recipe, const Key& key, std::string_view text, const std::string& origin) {
  const ValueOrigin place{key, origin};
  const bool takes_text =
      std::holds_alternative<std::string Recipe::*>(key.field) ||
      std::holds_alternative<std::vector<std::string> Recipe::*>(key.field) ||
      std::holds_alternative<Choice<Recipe>>(key.field) ||
      std::holds_alternative<ClassWeights Recipe::*>(key.field) ||
      (!is_choice(key) && std::find(key.words.begin(), key.words.end(), text) != key.words.end());
  const bool quoted = !text.empty() && (text[0] == '"' || text[0] == '\'' || text[0] == '[');
  if (takes_text && !quoted)
    return set_value(recipe, toml::value<std::string>(std::string(text)), place);
  // TOML does not allow ".2"
  const std::optional<toml::table> table =
      parse_toml_value("value", fmt::format("{}{}", text.starts_with('.') ? "0" : "", text));
  if (!table || !table->contains("value"))
    refuse_type(place, toml::value<std::string>(std::string(text)));
  set_value(recipe, *table->get("value"), place);
}

Recipe default_recipe() {
  static const Recipe defaults = [] {
    Recipe recipe;
    for (const Key& key : keys())
      if (!key.fallback.empty()) set_text(recipe, key, key.fallback, "");
    recipe.origin.clear();
    return recipe;
  }();
  return defaults;
}

}  // namespace sluice::tools
