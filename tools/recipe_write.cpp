// A recipe written out: as TOML beside a model, as JSON inside it.
#include <fmt/format.h>

#include <algorithm>

#include "common/error.h"
#include "common/json.h"
#include "data/parse_number.h"
#include "keys.h"
#include "recipe.h"
#include "sluice_train.h"

namespace sluice::tools {
namespace {

OrderedJson to_json(const std::vector<LayerSpec>& layers) {
  OrderedJson list = OrderedJson::array();
  for (const LayerSpec& layer : layers) list.push_back(tools::to_json(layer));
  return list;
}

OrderedJson to_json(const GroupValues& values) {
  GroupValues all;  // what a plain number says
  for (int g = 0; g < weight_group_count; ++g) all.of[g] = g == SLUICE_BIASES ? 0 : values.of[0];
  if (values == all) return values.of[0];
  OrderedJson json;
  for (int g = 0; g < weight_group_count; ++g)
    if (values.of[g] != 0) json[weight_groups[g]] = values.of[g];
  return json;
}

template <class Value>
OrderedJson to_json(const Value& value) {
  return value;
}

/// JSON's texts, numbers and truth values are TOML's too; its objects are inline tables but for the "=".
std::string to_toml(const OrderedJson& value) {
  std::string text;
  if (value.is_object()) {
    for (const auto& [name, item] : value.items())
      text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, to_toml(item));
    return fmt::format("{{ {} }}", text);
  }
  if (value.is_array()) {
    for (const OrderedJson& item : value) text += fmt::format("{}{}", text.empty() ? "" : ", ", to_toml(item));
    return fmt::format("[{}]", text);
  }
  return json_text(value);
}

OrderedJson value_of(const Recipe& recipe, const Key& key) {
  if (const auto* whole = std::get_if<std::int64_t Recipe::*>(&key.field); whole && !key.words.empty() && recipe.*(*whole) < 0)
    return key.words[std::size_t(-1 - recipe.*(*whole))];
  return std::visit([&](auto field) { return to_json(recipe.*field); }, key.field);
}

/// A dotted name as a place in nested objects.
OrderedJson& at(OrderedJson& root, std::string_view name) {
  OrderedJson* place = &root;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    place = &(*place)[std::string(name.substr(0, dot))];
    name.remove_prefix(dot + 1);
  }
  return (*place)[std::string(name)];
}

}  // namespace

std::string value_text(const Recipe& recipe, const Key& key) { return to_toml(value_of(recipe, key)); }

std::string recipe_toml(const Recipe& recipe) {
  std::string text, section;
  for (const Key& key : keys()) {
    const std::size_t dot = key.name.find('.');
    const std::string its_section(key.name.substr(0, dot));
    if (its_section != section) text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", its_section);
    section = its_section;
    text += fmt::format("{} = {}\n", key.name.substr(dot + 1), value_text(recipe, key));
  }
  return text;
}

std::string made_json(const Recipe& recipe, std::uint64_t data_hash) {
  OrderedJson made;
  made["version"] = fmt::format("{}.{}.{}", SLUICE_VERSION_MAJOR, SLUICE_VERSION_MINOR, SLUICE_VERSION_PATCH);
  made["data_hash"] = fmt::format("{:016x}", data_hash);
  for (const Key& key : keys())
    if (!key.never_changes_result && !key.file_name) at(made["recipe"], key.name) = value_of(recipe, key);
  return json_text(made);
}

RowRange parse_range(const std::string& place, const std::string& text) {
  if (text.empty()) return {};
  const std::size_t colon = text.find(':');
  const auto first = parse_integer(text.substr(0, colon));
  const auto end = parse_integer(colon == text.npos ? "" : text.substr(colon + 1));
  if (!first || !end || *first < 0 || *end <= *first)
    refuse("{}: \"{}\" is not a range of rows; give \"first:end\", such as \"0:8640\"", place, text);
  return {std::size_t(*first), std::size_t(*end)};
}

namespace {

Windows windows_of(const Recipe& recipe) {
  Windows windows;
  windows.length = recipe.format == "table" ? std::size_t(recipe.window) : 0;
  windows.stride = std::size_t(recipe.stride), windows.horizon = std::size_t(recipe.horizon);
  windows.difference = recipe.windows_target == "difference";
  windows.reach_back = recipe.reach_back;
  windows.validation = recipe.validation;
  windows.part[0] = parse_range(where(recipe, "data.train_rows"), recipe.train_rows);
  windows.part[1] = parse_range(where(recipe, "data.validation_rows"), recipe.validation_rows);
  windows.part[2] = parse_range(where(recipe, "data.test_rows"), recipe.test_rows);
  return windows;
}

/// Reads a key's value as made_json wrote it; of the kinds that data has. False if it is none of the key's.
bool from_json(const OrderedJson& json, Recipe& recipe, const Key& key) {
  const auto is_word = [&](const OrderedJson& text) {
    return std::find(key.words.begin(), key.words.end(), text.get<std::string>()) != key.words.end();
  };
  const auto all_text = [&] {
    return std::all_of(json.begin(), json.end(), [](const OrderedJson& item) { return item.is_string(); });
  };
  return std::visit(
      [&](auto field) {
        using Value = std::remove_reference_t<decltype(recipe.*field)>;
        bool fits = false;
        if constexpr (std::is_same_v<Value, std::vector<LayerSpec>> || std::is_same_v<Value, GroupValues>) return true;
        if constexpr (std::is_same_v<Value, bool>) fits = json.is_boolean();
        if constexpr (std::is_same_v<Value, std::int64_t>) fits = json.is_number_integer();
        if constexpr (std::is_same_v<Value, double>) fits = json.is_number();
        if constexpr (std::is_same_v<Value, std::string>) fits = json.is_string() && (key.words.empty() || is_word(json));
        if constexpr (std::is_same_v<Value, std::vector<std::string>>) fits = json.is_array() && all_text();
        if constexpr (!std::is_same_v<Value, std::vector<LayerSpec>> && !std::is_same_v<Value, GroupValues>)
          if (fits) recipe.*field = json.get<Value>();
        if constexpr (std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>)  // a blob from elsewhere may say anything
          recipe.*field = std::clamp(recipe.*field, Value(key.min), Value(key.max));
        return fits;
      },
      key.field);
}

}  // namespace

Columns columns_of(const Recipe& recipe) {
  const bool words = recipe.tokens == "auto" ? recipe.format == "tsv" : recipe.tokens == "words";
  return {.sequence = recipe.sequence,
          .target = recipe.target,
          .classes = recipe.target_type == "class",
          .per_row = recipe.target_per == "row",
          .ignore = recipe.ignore,
          .group = recipe.group,
          .features = recipe.features,
          .format = recipe.format == "tsv"    ? Format::tsv
                    : recipe.format == "text" ? Format::text
                                              : Format::table,
          .text = recipe.text,
          .tokens = {words, recipe.lower_case},
          .every_character = recipe.vocabulary == 0,
          .max_steps = std::size_t(recipe.max_steps),
          .cut_front = recipe.cut == "front",
          .windows = windows_of(recipe)};
}

Recipe recipe_of_made(const std::string& made, const std::string& model) {
  const OrderedJson json = parse_ordered_json(made);
  for (const char* name : {"sequence", "target", "target_type", "target_per", "ignore", "group"})
    if (!value_at(json, fmt::format("/recipe/data/{}", name)))
      refuse("{}: does not say which columns it was trained on; use a model as \"sluice train\" writes it", model);
  Recipe recipe = default_recipe();
  recipe.file = model;
  for (const Key& key : keys()) {
    const bool wanted = key.name.starts_with("data.") || key.name == "train.loss" || key.name == "train.huber_delta";
    const std::size_t dot = key.name.find('.');
    const OrderedJson* const value =
        value_at(json, fmt::format("/recipe/{}/{}", key.name.substr(0, dot), key.name.substr(dot + 1)));
    if (wanted && value && !from_json(*value, recipe, key))  // a model of an older version lacks what came later
      refuse("{}: {}: {} is not {}; use a model as \"sluice train\" writes it", model, key.name, json_text(*value), key.noun);
  }
  if (recipe.target.empty())
    refuse("{}: does not say which columns it was trained on; use a model as \"sluice train\" writes it", model);
  return recipe;
}

Columns columns_of_made(const std::string& made, const std::string& model) { return columns_of(recipe_of_made(made, model)); }

Split split_of_made(const std::string& made, const DataSet& data) {
  constexpr double share_where_none = 0.2;
  const OrderedJson json = parse_ordered_json(made);
  const OrderedJson *const share_said = value_at(json, "/recipe/data/validation"), *const seed_said =
                                                                                       value_at(json, "/recipe/train/seed");
  double share = share_said && share_said->is_number() ? share_said->get<double>() : 0;
  const std::uint64_t seed = seed_said && seed_said->is_number_unsigned() ? seed_said->get<std::uint64_t>() : 1;
  if (share <= 0 || share >= 1) share = share_where_none;
  Split result = split(data, share, seed);
  if (data.part.empty() || !result.held_out.empty()) return result;
  const auto kept = std::ptrdiff_t(double(result.train.size()) * (1 - share));  // in time order
  result.held_out.assign(result.train.begin() + kept, result.train.end());
  result.train.resize(std::size_t(kept));
  return result;
}

namespace {

/// What `made` says, with one thing more.
std::string made_with(const std::string& made, const char* name, const OrderedJson& value) {
  OrderedJson json = parse_ordered_json(made);
  if (!json.is_object()) json = OrderedJson::object();
  json[name] = value;
  return json_text(json);
}

}  // namespace

std::string made_from(const std::string& made, std::uint64_t hash) {
  return made_with(made, "started_from", fmt::format("{:016x}", hash));
}

std::string made_with_units(const std::string& made, const Units& units) {
  return made_with(made, "units", {{"mean", units.mean}, {"deviation", units.deviation}});
}

Units units_of_made(const std::string& made) {
  const OrderedJson json = parse_ordered_json(made);
  const auto numbers_at = [&](const char* place) {
    const OrderedJson* const list = value_at(json, place);
    std::vector<double> numbers;
    for (std::size_t i = 0; list && list->is_array() && i < list->size() && (*list)[i].is_number(); ++i)
      numbers.push_back((*list)[i]);
    return numbers;
  };
  Units units{numbers_at("/units/mean"), numbers_at("/units/deviation")};
  return units.mean.size() == units.deviation.size() ? units : Units{};
}

bool trained_for_fixed_point(const std::string& made) {
  const OrderedJson json = parse_ordered_json(made);
  const OrderedJson* const aware = value_at(json, "/recipe/quantize/aware");
  return aware && *aware == true;
}

bool trained_on(const std::string& made, std::uint64_t data_hash) {
  const OrderedJson json = parse_ordered_json(made);
  const OrderedJson* const hash = value_at(json, "/data_hash");
  return hash && *hash == fmt::format("{:016x}", data_hash);
}

bool trained_on_all(const std::string& made, std::uint64_t data_hash) {
  if (!trained_on(made, data_hash)) return false;
  const OrderedJson json = parse_ordered_json(made);
  const OrderedJson* const share = value_at(json, "/recipe/data/validation");
  return share && *share == 0;
}

std::string made_quantized(const std::string& made, const std::string& type, const std::string& ranges,
                           std::uint64_t data_hash) {
  return made_with(made, "quantized", {{"type", type}, {"ranges", ranges}, {"data_hash", fmt::format("{:016x}", data_hash)}});
}

}  // namespace sluice::tools
