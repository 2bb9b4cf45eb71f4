#include "recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "common/error.h"
#include "common/safe_file.h"
#include "keys.h"
#include "sluice_train.h"
#include "toml.h"
#include "train/run_folder.h"
#include "tune/space_toml.h"

namespace sluice::tools {
namespace {

/// Where a value came from, for messages: "recipe.toml:14: train.batch", or "--set train.batch=0".
struct Place {
  const Key& key;
  std::string text;
  std::string file = {};  ///< empty on a command line
};

/// The place of one value of a list.
std::string place_of(const Place& list, const toml::node& item) {
  return list.file.empty() ? list.text : fmt::format("{}:{}: {}", list.file, item.source().begin.line, list.key.name);
}

[[noreturn]] void refuse_type(const Place& place, const toml::node& node) {
  const std::string range = allowed(place.key);
  const std::string type(type_name(place.key));
  const bool words = is_choice(place.key);
  refuse("{}: {} is not {}; give {}", place.text, shown(node), place.key.noun,
         words           ? range
         : range == type ? type
                         : fmt::format("{}, {}", type, range));
}

[[noreturn]] void refuse_word(const Place& place, const toml::node& node) {
  const std::string_view meant = nearest(node.value_or(std::string_view{}), place.key.words);
  refuse("{}: {} is not {}; {}", place.text, shown(node), place.key.noun,
         meant.empty() ? "give " + allowed(place.key) : fmt::format("did you mean \"{}\"?", meant));
}

void check_range(double value, const toml::node& node, const Place& place) {
  if (value >= place.key.min && value <= place.key.max) return;
  refuse("{}: {} is not {}; give {}", place.text, shown(node), place.key.noun,
         value > place.key.max ? fmt::format("{} or less", place.key.max) : fmt::format("{} or more", place.key.min));
}

void read_value(bool& out, const toml::node& node, const Place& place) {
  const auto value = node.value_exact<bool>();
  if (!value) refuse_type(place, node);
  out = *value;
}

void read_value(std::int64_t& out, const toml::node& node, const Place& place) {
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

void read_value(double& out, const toml::node& node, const Place& place) {
  if (!node.is_number()) refuse_type(place, node);
  const double value = node.value<double>().value_or(0);
  check_range(value, node, place);
  out = value == 0 ? 0 : value;  // -0.0 would stand in the blob as a number of its own
}

void read_value(std::string& out, const toml::node& node, const Place& place) {
  const auto value = node.value_exact<std::string>();
  if (!value) refuse_type(place, node);
  const auto& words = place.key.words;
  if (!words.empty() && std::find(words.begin(), words.end(), *value) == words.end()) refuse_word(place, node);
  out = *value;
}

void read_value(std::vector<std::string>& out, const toml::node& node, const Place& place) {
  out.clear();
  if (const auto one = node.value_exact<std::string>()) {
    if (!one->empty()) out.push_back(*one);
    return;
  }
  if (!node.is_array()) refuse_type(place, node);
  for (const toml::node& item : *node.as_array()) {
    const auto text = item.value_exact<std::string>();
    if (const auto number = item.value_exact<std::int64_t>()) {
      out.push_back(std::to_string(*number));
      continue;
    }
    if (!text || text->empty()) refuse("{}: {} in the list is no name; give text", place.text, shown(item));
    out.push_back(*text);
  }
}

void read_value(GroupValues& out, const toml::node& node, const Place& place) {
  out = {};
  const toml::table* const table = node.as_table();
  for (int g = 0; g < weight_group_count && !table; ++g)
    if (g != SLUICE_BIASES) read_value(out.of[g], node, place);
  if (!table) return;
  for (auto&& [key, value] : *table) {
    const auto name = std::find(std::begin(weight_groups), std::end(weight_groups), key.str());
    if (name == std::end(weight_groups))
      refuse("{}: {}: no kind of weights; there are input, recurrent, bias, output and embedding", place.text, key.str());
    read_value(out.of[name - std::begin(weight_groups)], value, place);
  }
}

void read_value(std::vector<LayerSpec>& out, const toml::node& node, const Place& place) {
  const toml::array* array = node.as_array();
  if (!array) refuse_type(place, node);
  if (array->empty()) refuse("{}: an empty list is not a network; give one layer or more", place.text);
  out.clear();
  for (std::size_t i = 0; i < array->size(); ++i) {
    const toml::node& item = *array->get(i);
    bool use = true;
    LayerSpec layer = read_layer(item, fmt::format("{}: layer {}", place_of(place, item), i + 1), use);
    if (use) out.push_back(std::move(layer));
  }
  if (out.empty()) refuse("{}: no layer is used; a network has one or more", place.text);
}

void set_value(Recipe& recipe, const toml::node& node, const Place& place) {
  std::visit([&](auto field) { read_value(recipe.*field, node, place); }, place.key.field);
  recipe.origin[std::string(place.key.name)] = place.text;
}

/// The first key below this name, as data.train is below data; null where there is none.
const Key* first_below(const std::string& name) {
  for (const Key& key : keys())
    if (key.name.substr(0, name.size() + 1) == name + ".") return &key;
  return nullptr;
}

[[noreturn]] void refuse_key(const std::string& place, const std::string& name) {
  constexpr std::string_view sections[] = {"data", "model", "train", "quantize", "device", "tune"};
  const std::string_view section = name.find('.') == name.npos ? nearest(name, sections) : std::string_view();
  const std::string_view meant = section.empty() ? nearest_key(name) : section;
  if (first_below(name)) refuse("{}: not a key but a table of keys; give {} = ..., say", place, first_below(name)->name);
  if (meant.empty()) refuse("{}: unknown key; \"sluice train --keys\" lists them all", place);
  refuse("{}: unknown key; did you mean {}?", place, meant);
}

/// The tables of [[variants]].
constexpr std::string_view variants_key = "variants", variant_name = "name";

void read_table(Recipe& recipe, const toml::table& table, const std::string& prefix) {
  for (auto&& [toml_key, node] : table) {
    if (prefix.empty() && (toml_key.str() == variants_key || toml_key.str() == variant_name)) continue;
    const std::string name = prefix + std::string(toml_key.str());
    const std::string place = fmt::format("{}:{}: {}", recipe.file, toml_key.source().begin.line, name);
    if (const Key* key = find_key(name)) {
      set_value(recipe, node, {*key, place, recipe.file});
    } else if (first_below(name) && node.is_table()) {
      read_table(recipe, *node.as_table(), name + ".");
    } else {
      refuse_key(place, name);
    }
  }
}

std::string variant_place(const std::string& file, const toml::node& node) {
  return fmt::format("{}:{}: variants", file, node.source().begin.line);
}

/// The name of a variant; refused where it will not do.
std::string name_of(const toml::node& variant, const std::string& file) {
  const toml::table* const table = variant.as_table();
  const std::string place = variant_place(file, variant);
  if (!table) refuse("{}: {} is not a variant; write [[variants]] and its keys below", place, shown(variant));
  const toml::node* const node = table->get(variant_name);
  const std::string name = node ? node->value_or(std::string{}) : "";
  constexpr const char* good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (name.empty() || name[0] == '.' || name.find_first_not_of(good) != name.npos)
    refuse("{}: name: \"{}\" will not do as a folder's name; give letters, digits, -, _ or .", place, name);
  return name;
}

std::vector<const toml::table*> variants_of(const toml::table& recipe, const std::string& file) {
  std::vector<const toml::table*> all;
  const toml::node* const node = recipe.get(variants_key);
  if (!node) return all;
  if (!node->is_array()) refuse("{}: {} is not a list; write [[variants]]", variant_place(file, *node), shown(*node));
  std::set<std::string> names;
  for (const toml::node& one : *node->as_array()) {
    if (!names.insert(name_of(one, file)).second)
      refuse("{}: name: \"{}\" is another variant's already", variant_place(file, one), name_of(one, file));
    all.push_back(one.as_table());
  }
  return all;
}

/// A key's value from text: TOML, or bare text where the key takes text.
void set_text(Recipe& recipe, const Key& key, std::string_view text, const std::string& origin) {
  const Place place{key, origin};
  const bool takes_text = std::holds_alternative<std::string Recipe::*>(key.field) ||
                          std::holds_alternative<std::vector<std::string> Recipe::*>(key.field) ||
                          (!is_choice(key) && std::find(key.words.begin(), key.words.end(), text) != key.words.end());
  const bool quoted = !text.empty() && (text[0] == '"' || text[0] == '\'' || text[0] == '[');
  if (takes_text && !quoted) return set_value(recipe, toml::value<std::string>(std::string(text)), place);
  const std::optional<toml::table> table =
      parse_toml_value("value", fmt::format("{}{}", text.starts_with('.') ? "0" : "", text));  // TOML has no ".2"
  if (!table || !table->contains("value")) refuse_type(place, toml::value<std::string>(std::string(text)));
  set_value(recipe, *table->get("value"), place);
}

}  // namespace

Override parse_override(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) refuse("--set {}: no value; give key=value, such as train.batch=8", text);
  return {text.substr(0, equals), text.substr(equals + 1), "--set " + text};
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

Recipe parse_recipe(const std::string& text, const std::string& file, const std::vector<Override>& overrides,
                    const std::string& variant, const TrialValues& chosen) {
  Recipe recipe = default_recipe();
  recipe.file = file;
  toml::table table = parse_toml(text, file);
  take_space(table, file, chosen);
  read_table(recipe, table, "");
  for (const toml::table* one : variants_of(table, file))
    if (name_of(*one, file) == variant) read_table(recipe, *one, "");
  for (const Override& one : overrides) {
    const Key* key = find_key(one.key);
    if (!key) refuse_key(one.origin, one.key);
    set_text(recipe, *key, one.value, one.origin);
  }
  check_recipe(recipe);
  return recipe;
}

Space parse_space(const std::string& text, const std::string& file, const std::vector<Override>& overrides) {
  toml::table table = parse_toml(text, file);
  if (const toml::node* variants = table.get(variants_key))
    refuse("{}: are not searched; leave them out, or make each a recipe of its own", variant_place(file, *variants));
  Space space = take_space(table, file);
  for (const Override& one : overrides) {
    const auto fixed = [&](const Parameter& p) { return p.name == one.key || p.name.starts_with(one.key + "."); };
    for (const Parameter& p : space.parameters)
      for (const Condition& condition : p.when)
        if (!fixed(p) && fixed(space.parameters[condition.parameter]))
          refuse("{}: {} depends on it (when), and so must be searched or fixed too", one.origin, p.name);
    std::vector<std::size_t> place(space.parameters.size());
    Space kept;
    for (std::size_t i = 0; i < space.parameters.size(); ++i) {
      place[i] = kept.parameters.size();
      if (!fixed(space.parameters[i])) kept.parameters.push_back(space.parameters[i]);
    }
    for (Parameter& p : kept.parameters)
      for (Condition& condition : p.when) condition.parameter = place[condition.parameter];
    space = std::move(kept);
  }
  return space;
}

Recipe read_recipe(const std::string& path, const std::vector<Override>& overrides, const std::string& variant) {
  return parse_recipe(read_file(path), path, overrides, variant);
}

std::vector<std::string> read_variants(const std::string& path) {
  std::vector<std::string> names;
  const toml::table table = parse_toml(read_file(path), path);
  for (const toml::table* one : variants_of(table, path)) names.push_back(name_of(*one, path));
  return names;
}

std::string where(const Recipe& recipe, const std::string& key) {
  const auto found = recipe.origin.find(key);
  return found != recipe.origin.end() ? found->second : fmt::format("{}: {}", recipe.file, key);
}

void resolve_files(Recipe& recipe, const std::string& folder) {
  namespace fs = std::filesystem;
  for (const Key& key : keys()) {
    if (!key.file_name) continue;
    std::string& file = recipe.*std::get<std::string Recipe::*>(key.field);
    if (file.empty()) continue;
    const bool from_command = where(recipe, std::string(key.name)).starts_with("--");
    const fs::path base = !folder.empty() ? fs::path(folder) : from_command ? fs::path() : fs::path(recipe.file).parent_path();
    file = fs::absolute(base / file).lexically_normal().string();
  }
}

Recipe recipe_of_run(const std::string& folder, const std::string& data_folder, const std::vector<Override>& overrides) {
  Recipe recipe = parse_recipe(run_recipe(folder), (std::filesystem::path(folder) / "recipe.toml").string(), overrides);
  if (!data_folder.empty())
    for (std::string* file : {&recipe.train_file, &recipe.test_file}) *file = std::filesystem::path(*file).filename().string();
  resolve_files(recipe, data_folder);
  return recipe;
}

}  // namespace sluice::tools
