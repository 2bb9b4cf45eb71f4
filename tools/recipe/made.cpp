#include "made.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "../common/error.h"
#include "columns.h"
#include "keys.h"
#include "values.h"
#include "write.h"

namespace sluice::tools {
namespace {

using Json = nlohmann::ordered_json;

/// A dotted name as a place in nested objects.
Json& at(Json& root, std::string_view name) {
  Json* place = &root;
  for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.')) {
    place = &(*place)[std::string(name.substr(0, dot))];
    name.remove_prefix(dot + 1);
  }
  return (*place)[std::string(name)];
}

}  // namespace

std::string made_json(const Recipe& recipe, std::uint64_t data_hash) {
  Json made;
  made["version"] = fmt::format("{}.{}.{}", SLUICE_VERSION_MAJOR, SLUICE_VERSION_MINOR, SLUICE_VERSION_PATCH);
  made["data_hash"] = fmt::format("{:016x}", data_hash);
  for (const Key& key : keys())
    if (!key.never_changes_result && !key.file_name) at(made["recipe"], key.name) = value_of(recipe, key);
  return made.dump(-1, ' ', false, Json::error_handler_t::replace);
}

namespace {

/// A value as made_json wrote it; of the kinds that data has.
template <class Value>
void from_json(const Json& json, Recipe& recipe, Value Recipe::*field, const Key& key) {
  if constexpr (std::is_same_v<Value, std::vector<LayerSpec>> || std::is_same_v<Value, GroupValues> ||
                std::is_same_v<Value, ClassWeights>)
    return;
  else
    recipe.*field = json.get<Value>();
  if constexpr (std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>)  // a blob from elsewhere may say anything
    recipe.*field = std::clamp(recipe.*field, Value(key.min), Value(key.max));
}

/// A word that the key does not know leaves the default.
void from_json(const Json& json, Recipe& recipe, const Choice<Recipe>& field, const Key&) {
  const auto found = std::find(field.words.begin(), field.words.end(), json.get<std::string>());
  if (found != field.words.end()) field.set(recipe, std::size_t(found - field.words.begin()));
}

}  // namespace

Recipe recipe_of_made(const std::string& made, const std::string& model) {
  try {
    const Json json = Json::parse(made).at("recipe");
    for (const char* name : {"sequence", "target", "target_type", "target_per", "ignore", "group"}) json.at("data").at(name);
    Recipe recipe = default_recipe();
    for (const Key& key : keys()) {
      const bool wanted = key.name.starts_with("data.") || key.name == "train.loss" || key.name == "train.huber_delta";
      const std::size_t dot = key.name.find('.');
      const Json::json_pointer at(fmt::format("/{}/{}", key.name.substr(0, dot), key.name.substr(dot + 1)));
      if (wanted && json.contains(at))  // a model of an older version lacks what came later
        std::visit([&](const auto& field) { from_json(json.at(at), recipe, field, key); }, key.field);
    }
    return recipe;
  } catch (const Json::exception&) {
    refuse("{}: does not say which columns it was trained on; use a model as \"sluice train\" writes it", model);
  }
}

Columns columns_of_made(const std::string& made, const std::string& model) { return columns_of(recipe_of_made(made, model)); }

Split split_of_made(const std::string& made, const DataSet& data) {
  constexpr double share_where_none = 0.2;
  const Json recipe = Json::parse(made, nullptr, false);
  const Json::json_pointer share_at("/recipe/data/validation"), seed_at("/recipe/train/seed");
  double share = 0;
  std::uint64_t seed = 1;
  if (recipe.is_object() && recipe.contains(share_at) && recipe[share_at].is_number()) share = recipe[share_at];
  if (recipe.is_object() && recipe.contains(seed_at) && recipe[seed_at].is_number_unsigned()) seed = recipe[seed_at];
  if (share <= 0 || share >= 1) share = share_where_none;
  Split result = split(data, share, seed);
  if (data.part.empty() || !result.held_out.empty()) return result;
  const auto kept = std::ptrdiff_t(double(result.train.size()) * (1 - share));  // in time order
  result.held_out.assign(result.train.begin() + kept, result.train.end());
  result.train.resize(std::size_t(kept));
  return result;
}

std::string made_from(const std::string& made, std::uint64_t hash) {
  Json json = Json::parse(made, nullptr, false);
  json["started_from"] = fmt::format("{:016x}", hash);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string made_with_units(const std::string& made, const Units& units) {
  Json json = Json::parse(made, nullptr, false);
  json["units"] = {{"mean", units.mean}, {"deviation", units.deviation}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Units units_of_made(const std::string& made) {
  const Json json = Json::parse(made, nullptr, false);
  try {
    return {json.at("units").at("mean"), json.at("units").at("deviation")};
  } catch (const Json::exception&) {
    return {};
  }
}

bool trained_for_fixed_point(const std::string& made) {
  const Json json = Json::parse(made, nullptr, false);
  const Json::json_pointer aware_at("/recipe/quantize/aware");
  return json.is_object() && json.contains(aware_at) && json[aware_at] == true;
}

bool trained_on(const std::string& made, std::uint64_t data_hash) {
  const Json json = Json::parse(made, nullptr, false);
  return json.is_object() && json.value("data_hash", "") == fmt::format("{:016x}", data_hash);
}

bool trained_on_all(const std::string& made, std::uint64_t data_hash) {
  if (!trained_on(made, data_hash)) return false;
  const Json json = Json::parse(made, nullptr, false);
  const Json::json_pointer share_at("/recipe/data/validation");
  return json.contains(share_at) && json[share_at] == 0;
}

std::string made_quantized(const std::string& made, sluice_format type, RangeChoice ranges, std::uint64_t data_hash) {
  Json json = Json::parse(made, nullptr, false);
  if (!json.is_object()) json = Json::object();
  json["quantized"] = {{"type", word(type)}, {"ranges", word(ranges)}, {"data_hash", fmt::format("{:016x}", data_hash)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::tools
