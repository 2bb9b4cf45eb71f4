#include "made.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "../common/error.h"
#include "../common/json.h"
#include "columns.h"
#include "heads.h"
#include "keys.h"
#include "values.h"
#include "write.h"

namespace sluice::tools {
namespace {

/// Returns the member of nested objects that a dotted name names.
OrderedJson& at(OrderedJson& root, std::string_view name) {
  OrderedJson* place = &root;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    place = &(*place)[std::string(name.substr(0, dot))];
    name.remove_prefix(dot + 1);
  }
  return (*place)[std::string(name)];
}

std::string version_text() {
  return fmt::format("{}.{}.{}", SLUICE_VERSION_MAJOR, SLUICE_VERSION_MINOR, SLUICE_VERSION_PATCH);
}

/// Returns whether a key says what the columns of data are, or how answers are measured.
bool says_columns(const Key& key) {
  return key.name.starts_with("data.") || key.name == "train.loss" ||
         key.name == "train.huber_delta";
}

}  // namespace

std::string made_json(const Recipe& recipe, std::uint64_t data_hash) {
  OrderedJson made;
  made["version"] = version_text();
  made["data_hash"] = fmt::format("{:016x}", data_hash);
  for (const Key& key : keys())
    if (!key.never_changes_result && !key.file_name)
      at(made["recipe"], key.name) = value_of(recipe, key);
  if (!recipe.validation_file.empty()) made["validation_file"] = true;
  return json_text(made);
}

std::string made_of_import(const Recipe& recipe, const std::string& format, std::uint64_t hash,
                           std::optional<float> mask) {
  OrderedJson made;
  made["version"] = version_text();
  made["imported"] = {{"format", format}, {"hash", fmt::format("{:016x}", hash)}};
  if (mask) made["imported"]["mask"] = double(*mask);
  for (const Key& key : keys())
    if (says_columns(key) && !key.file_name) at(made["recipe"], key.name) = value_of(recipe, key);
  return json_text(made);
}

bool had_validation_file(const std::string& made) {
  const OrderedJson json = parse_ordered_json(made);
  const OrderedJson* const said = value_at(json, "/validation_file");
  return said && *said == true;
}

namespace {

/// Reads a value as made_json() wrote it, of a type that keys of [data] have. Returns false if the
/// key does not take it.
template <class Value>
bool from_json(const OrderedJson& json, Recipe& recipe, Value Recipe::* field, const Key& key) {
  if constexpr (std::is_same_v<Value, std::vector<LayerSpec>> ||
                std::is_same_v<Value, GroupValues> || std::is_same_v<Value, ClassWeights>) {
    return true;
  } else {
    bool fits = false;
    if constexpr (std::is_same_v<Value, bool>) fits = json.is_boolean();
    if constexpr (std::is_same_v<Value, std::int64_t>) fits = json.is_number_integer();
    if constexpr (std::is_same_v<Value, double>) fits = json.is_number();
    if constexpr (std::is_same_v<Value, std::string>) fits = json.is_string();
    if constexpr (std::is_same_v<Value, std::vector<std::string>>)
      fits = json.is_array() && std::all_of(json.begin(), json.end(), [](const OrderedJson& item) {
               return item.is_string();
             });
    if (fits) recipe.*field = json.get<Value>();
    if constexpr (std::is_arithmetic_v<Value> &&
                  !std::is_same_v<Value, bool>)  // a foreign blob may contain anything
      recipe.*field = std::clamp(recipe.*field, Value(key.min), Value(key.max));
    return fits;
  }
}

/// Does the same for a word.
bool from_json(const OrderedJson& json, Recipe& recipe, const Choice<Recipe>& field,
               const Key& key) {
  const std::string text = json.is_string() ? json.get<std::string>() : "";
  if (std::find(key.words.begin(), key.words.end(), text) == key.words.end()) return false;
  field.set(recipe, std::size_t(std::find(field.words.begin(), field.words.end(), text) -
                                field.words.begin()));
  return true;
}

/// Reads the layers of a model whose answer has several parts: only their losses tell the type of
/// its targets.
void read_heads(const OrderedJson& json, Recipe& recipe, const std::string& model) {
  const Key& key = *find_key("model.layers");
  const OrderedJson* const layers = value_at(json, "/recipe/model/layers");
  if (!layers || !layers->is_array() ||
      std::none_of(layers->begin(), layers->end(), [](const OrderedJson& layer) {
        return layer.is_object() && layer.contains("loss");
      }))
    return;
  set_text(recipe, key, to_toml(*layers), fmt::format("{}: {}", model, key.name));
  resolve_heads(recipe);
}

}  // namespace

Recipe recipe_of_made(const std::string& made, const std::string& model) {
  const OrderedJson json = parse_ordered_json(made);
  for (const char* name : {"sequence", "target", "target_type", "target_per", "ignore", "group"})
    if (!value_at(json, fmt::format("/recipe/data/{}", name)))
      refuse("{}: has no record of its training columns; use a model that \"sluice train\" wrote",
             model);
  Recipe recipe = default_recipe();
  recipe.file = model;
  for (const Key& key : keys()) {
    const std::size_t dot = key.name.find('.');
    const OrderedJson* const value = value_at(
        json, fmt::format("/recipe/{}/{}", key.name.substr(0, dot), key.name.substr(dot + 1)));
    if (!says_columns(key) || !value) continue;  // a model of an older version lacks newer keys
    if (!std::visit([&](const auto& field) { return from_json(*value, recipe, field, key); },
                    key.field))
      refuse("{}: {}: {} is not {}; use a model that \"sluice train\" wrote", model, key.name,
             json_text(*value), key.noun);
  }
  if (recipe.target.empty())
    refuse(
        "{}: does not say which columns it was trained on; use a model as \"sluice train\" writes "
        "it",
        model);
  read_heads(json, recipe, model);
  return recipe;
}

Columns columns_of_made(const std::string& made, const std::string& model) {
  Columns columns = columns_of(recipe_of_made(made, model));
  const OrderedJson json = parse_ordered_json(made);
  const OrderedJson *const means = value_at(json, "/fill_means"), *const file = value_at(
                                                                      json, "/file_is_sequence");
  columns.file_is_sequence = file && *file == true;
  for (std::size_t i = 0; means && means->is_array() && i < means->size(); ++i)
    if ((*means)[i].is_number()) columns.fill_means.push_back((*means)[i].get<float>());
  return columns;
}

std::vector<Head> heads_of_made(const std::string& made) {
  try {
    return heads_of(recipe_of_made(made, "the model"));
  } catch (const Error&) {
    return {};  // the record is not one that "sluice train" writes
  }
}

Split split_of_made(const std::string& made, const DataSet& data) {
  constexpr double share_where_none = 0.2;
  const OrderedJson json = parse_ordered_json(made);
  const OrderedJson *const share_said = value_at(json, "/recipe/data/validation"),
                           *const seed_said = value_at(json, "/recipe/train/seed");
  double share = share_said && share_said->is_number() ? share_said->get<double>() : 0;
  const std::uint64_t seed =
      seed_said && seed_said->is_number_unsigned() ? seed_said->get<std::uint64_t>() : 1;
  if (share <= 0 || share >= 1) share = share_where_none;
  Split result = split(data, share, seed);
  if (data.part.empty() || !result.held_out.empty()) return result;
  const auto kept = std::ptrdiff_t(double(result.train.size()) * (1 - share));  // in time order
  result.held_out.assign(result.train.begin() + kept, result.train.end());
  result.train.resize(std::size_t(kept));
  return result;
}

namespace {

/// Returns the record with one more entry.
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

std::string made_with_reading(const std::string& made, const DataSet& data) {
  std::string record = made;
  if (!data.read_as.empty()) record = made_with(record, "read_as", data.read_as);
  if (!data.fill_means.empty()) record = made_with(record, "fill_means", data.fill_means);
  if (data.file_is_sequence) record = made_with(record, "file_is_sequence", true);
  return record;
}

std::string made_with_units(const std::string& made, const Units& units) {
  return made_with(made, "units", {{"mean", units.mean}, {"deviation", units.deviation}});
}

Units units_of_made(const std::string& made) {
  const OrderedJson json = parse_ordered_json(made);
  const auto numbers_at = [&](const char* place) {
    const OrderedJson* const list = value_at(json, place);
    std::vector<double> numbers;
    for (std::size_t i = 0; list && list->is_array() && i < list->size() && (*list)[i].is_number();
         ++i)
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

std::string made_quantized(const std::string& made, sluice_format type, RangeChoice ranges,
                           std::uint64_t data_hash) {
  return made_with(made, "quantized",
                   {{"type", word(type)},
                    {"ranges", word(ranges)},
                    {"data_hash", fmt::format("{:016x}", data_hash)}});
}

}  // namespace sluice::tools
