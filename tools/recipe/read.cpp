#include "read.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "../common/error.h"
#include "../common/nearest.h"
#include "../common/safe_file.h"
#include "../data/files.h"
#include "check.h"
#include "keys.h"
#include "space_toml.h"
#include "values.h"
#include "values_toml.h"

namespace sluice::tools {
namespace {

/// Returns the first key below this name, such as data.train below data; null if there is none.
const Key* first_below(const std::string& name) {
  for (const Key& key : keys())
    if (key.name.substr(0, name.size() + 1) == name + ".") return &key;
  return nullptr;
}

[[noreturn]] void refuse_key(const std::string& place, const std::string& name) {
  constexpr std::string_view sections[] = {"data", "model", "train", "quantize", "device", "tune"};
  const std::string_view section =
      name.find('.') == name.npos ? nearest(name, sections) : std::string_view();
  const std::string_view meant = section.empty() ? nearest_key(name) : section;
  if (first_below(name))
    refuse("{}: not a key but a table of keys; give {} = ..., say", place, first_below(name)->name);
  if (meant.empty()) refuse("{}: unknown key; \"sluice train --keys\" lists them all", place);
  refuse("{}: unknown key; did you mean {}?", place, meant);
}

/// Keys of the tables of [[variants]].
constexpr std::string_view variants_key = "variants", variant_name = "name";

void read_table(Recipe& recipe, const toml::table& table, const std::string& prefix) {
  for (auto&& [toml_key, node] : table) {
    if (prefix.empty() && (toml_key.str() == variants_key || toml_key.str() == variant_name))
      continue;
    const std::string name = prefix + std::string(toml_key.str());
    const std::string place =
        fmt::format("{}:{}: {}", recipe.file, toml_key.source().begin.line, name);
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

/// Returns the name of a variant; refuses one that is not possible as a folder's name.
std::string name_of(const toml::node& variant, const std::string& file) {
  const toml::table* const table = variant.as_table();
  const std::string place = variant_place(file, variant);
  if (!table)
    refuse("{}: {} is not a variant; write [[variants]] and its keys below", place, shown(variant));
  const toml::node* const node = table->get(variant_name);
  const std::string name = node ? node->value_or(std::string{}) : "";
  constexpr const char* good = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (name.empty() || name[0] == '.' || name.find_first_not_of(good) != name.npos)
    refuse("{}: name: \"{}\" will not do as a folder's name; give letters, digits, -, _ or .",
           place, name);
  return name;
}

std::vector<const toml::table*> variants_of(const toml::table& recipe, const std::string& file) {
  std::vector<const toml::table*> all;
  const toml::node* const node = recipe.get(variants_key);
  if (!node) return all;
  if (!node->is_array())
    refuse("{}: {} is not a list; write [[variants]]", variant_place(file, *node), shown(*node));
  std::set<std::string> names;
  for (const toml::node& one : *node->as_array()) {
    if (!names.insert(name_of(one, file)).second)
      refuse("{}: name: \"{}\" is another variant's already", variant_place(file, one),
             name_of(one, file));
    all.push_back(one.as_table());
  }
  return all;
}

}  // namespace

Override parse_override(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    refuse("--set {}: no value; give key=value, such as train.batch=8", text);
  return {text.substr(0, equals), text.substr(equals + 1), "--set " + text};
}

Recipe parse_recipe(const std::string& text, const std::string& file,
                    const std::vector<Override>& overrides, const std::string& variant,
                    const TrialValues& chosen) {
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

Space parse_space(const std::string& text, const std::string& file,
                  const std::vector<Override>& overrides) {
  toml::table table = parse_toml(text, file);
  if (const toml::node* variants = table.get(variants_key))
    refuse("{}: are not searched; leave them out, or make each a recipe of its own",
           variant_place(file, *variants));
  Space space = take_space(table, file);
  for (const Override& one : overrides) {
    const auto fixed = [&](const Parameter& p) {
      return p.name == one.key || p.name.starts_with(one.key + ".");
    };
    for (const Parameter& p : space.parameters)
      for (const Condition& condition : p.when)
        if (!fixed(p) && fixed(space.parameters[condition.parameter]))
          refuse("{}: {} depends on it (when), and so must be searched or fixed too", one.origin,
                 p.name);
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

Recipe read_recipe(const std::string& path, const std::vector<Override>& overrides,
                   const std::string& variant) {
  return parse_recipe(read_file(path), path, overrides, variant);
}

std::vector<std::string> read_variants(const std::string& path) {
  std::vector<std::string> names;
  const toml::table table = parse_toml(read_file(path), path);
  for (const toml::table* one : variants_of(table, path)) names.push_back(name_of(*one, path));
  return names;
}

void resolve_files(Recipe& recipe, const std::string& folder) {
  namespace fs = std::filesystem;
  for (const Key& key : keys()) {
    if (!key.file_name) continue;
    std::string& file = recipe.*std::get<std::string Recipe::*>(key.field);
    if (file.empty()) continue;
    const bool from_command = where(recipe, std::string(key.name)).starts_with("--");
    const fs::path base = !folder.empty() ? fs::path(folder)
                          : from_command  ? fs::path()
                                          : fs::path(recipe.file).parent_path();
    std::vector<std::string> names = lines_of(file);
    for (std::string& name : names) name = fs::absolute(base / name).lexically_normal().string();
    file = text_of_lines(names);
  }
}

}  // namespace sluice::tools
