#include "write.h"

#include <fmt/format.h>

#include <cstdint>

#include "../common/json.h"
#include "../data/files.h"
#include "keys.h"
#include "sluice_train.h"

namespace sluice::tools {
namespace {

OrderedJson to_json(const std::vector<LayerSpec>& layers) {
  OrderedJson list = OrderedJson::array();
  for (const LayerSpec& layer : layers) list.push_back(tools::to_json(layer));
  return list;
}

OrderedJson to_json(const GroupValues& values) {
  GroupValues all;  // the values that a plain number gives
  for (int g = 0; g < weight_group_count; ++g) all.of[g] = g == SLUICE_BIASES ? 0 : values.of[0];
  if (values == all) return values.of[0];
  OrderedJson json;
  for (int g = 0; g < weight_group_count; ++g)
    if (values.of[g] != 0) json[weight_groups[g]] = values.of[g];
  return json;
}

OrderedJson to_json(const ClassWeights& weights) {
  return weights.kind == ClassWeighting::given ? std::string_view(weights.numbers)
                                               : word(weights.kind);
}

template <class Value>
OrderedJson to_json(const Value& value) {
  return value;
}

}  // namespace

/// JSON's texts, numbers and truth values are TOML's too; its objects are inline tables except for
/// the "=".
std::string to_toml(const OrderedJson& value) {
  std::string text;
  if (value.is_object()) {
    for (const auto& [name, item] : value.items())
      text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, to_toml(item));
    return fmt::format("{{ {} }}", text);
  }
  if (value.is_array()) {
    for (const OrderedJson& item : value)
      text += fmt::format("{}{}", text.empty() ? "" : ", ", to_toml(item));
    return fmt::format("[{}]", text);
  }
  return json_text(value);
}

OrderedJson value_of(const Recipe& recipe, const Key& key) {
  if (const auto* whole = std::get_if<std::int64_t Recipe::*>(&key.field);
      whole && !key.words.empty() && recipe.*(*whole) < 0)
    return key.words[std::size_t(-1 - recipe.*(*whole))];
  if (const auto* text = std::get_if<std::string Recipe::*>(&key.field);
      text && key.several && lines_of(recipe.*(*text)).size() > 1)
    return lines_of(recipe.*(*text));
  return std::visit([&](const auto& field) { return to_json(value_in(recipe, field)); }, key.field);
}

std::string value_text(const Recipe& recipe, const Key& key) {
  return to_toml(value_of(recipe, key));
}

std::string recipe_toml(const Recipe& recipe) {
  std::string text, section;
  for (const Key& key : keys()) {
    const std::size_t dot = key.name.find('.');
    const std::string its_section(key.name.substr(0, dot));
    if (its_section != section)
      text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", its_section);
    section = its_section;
    text += fmt::format("{} = {}\n", key.name.substr(dot + 1), value_text(recipe, key));
  }
  return text;
}

}  // namespace sluice::tools
