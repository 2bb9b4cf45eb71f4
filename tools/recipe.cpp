#include "recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>

#include "common/error.h"
#include "common/safe_file.h"
#include "keys.h"
#include "sluice_train.h"
#include "toml.h"
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

toml::table parse_toml(const std::string& text, const std::string& file) {
  try {
    return toml::parse(std::string_view(text), std::string_view(file));
  } catch (const toml::parse_error& error) {
    refuse("{}:{}: {}", file, error.source().begin.line, error.description());
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
  toml::table table;
  try {
    table = toml::parse(fmt::format("value = {}{}", text.starts_with('.') ? "0" : "", text));  // TOML has no ".2"
  } catch (const toml::parse_error&) {
  }
  if (table.size() != 1) refuse_type(place, toml::value<std::string>(std::string(text)));
  set_value(recipe, *table.get("value"), place);
}

void check_targets(const Recipe& recipe) {
  const bool classes = recipe.target_type == "class";
  if (recipe.target.empty()) refuse("{}: empty; give the target's column", where(recipe, "data.target"));
  if (classes && recipe.target.size() != 1)
    refuse("{}: {} columns; classes stand in one column, or set target_type = \"value\"", where(recipe, "data.target"),
           recipe.target.size());
  const bool fits = recipe.loss == "binary" || classes == (recipe.loss == "cross_entropy");
  if (!fits)
    refuse("{}: \"{}\" does not fit data.target_type = \"{}\"; give \"{}\", or target_type = \"{}\"",
           where(recipe, "train.loss"), recipe.loss, recipe.target_type, classes ? "cross_entropy" : "mse",
           classes ? "value" : "class");
}

template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}
bool same(const std::vector<LayerSpec>&, const std::vector<LayerSpec>&) { return true; }

/// What is read in time order.
bool is_series(const Recipe& recipe) { return recipe.format == "table" && recipe.window > 0; }

void check_columns(const Recipe& recipe) {
  for (const std::string& column : recipe.features)
    if (std::find(recipe.ignore.begin(), recipe.ignore.end(), column) != recipe.ignore.end())
      refuse("{}: column \"{}\" is in data.ignore too; name it once", where(recipe, "data.features"), column);
  std::set<std::string> seen;
  auto once = [&](const char* key, const std::string& column) {
    if (!column.empty() && !seen.insert(column).second)
      refuse("{}: column \"{}\" already has another use; name it once", where(recipe, key), column);
  };
  once("data.sequence", recipe.sequence);
  for (const std::string& column : recipe.target) once("data.target", column);
  once("data.group", recipe.group);
  if (recipe.format == "tsv") once("data.text", recipe.text);
  for (const std::string& column : recipe.ignore) once("data.ignore", column);
  for (const std::string& column : recipe.features)
    if (!is_series(recipe)) once("data.features", column);
}

/// A key that was given where nothing reads it is a slip.
void check_uses(const Recipe& recipe) {
  const bool series = is_series(recipe), text = recipe.format == "text", tsv = recipe.format == "tsv",
             ranges = !recipe.train_rows.empty();
  const struct {
    const char* key;
    bool read;
    const char* needs;
  } uses[] = {
      {"data.text", tsv, "data.format = \"tsv\""},
      {"data.tokens", text || tsv, "data.format = \"text\" or \"tsv\""},
      {"data.lower_case", text || tsv, "data.format = \"text\" or \"tsv\""},
      {"data.vocabulary", text || tsv, "data.format = \"text\" or \"tsv\""},
      {"data.features", recipe.format == "table", "data.format = \"table\""},
      {"data.max_steps", !series && !text, "sequences of their own; data.window says how long these are"},
      {"data.cut", recipe.max_steps > 0, "data.max_steps"},
      {"data.window", !tsv, "data.format = \"table\" or \"text\"; give data.max_steps"},
      {"data.stride", series, "data.window"},
      {"data.horizon", series, "data.window"},
      {"data.windows_target", series, "data.window"},
      {"data.train_rows", series || text, "data.window or data.format = \"text\""},
      {"data.validation_rows", ranges, "data.train_rows"},
      {"data.test_rows", ranges, "data.train_rows"},
      {"data.test", recipe.test_rows.empty(), "no data.test_rows; give one of the two"},
      {"data.reach_back", series, "data.window"},
      {"data.group", !series && !text, "sequences; what is in time order is split so"},
      {"data.thin", recipe.target_type == "class" && !text, "classes of sequences"},
      {"data.differences", !text && !tsv, "frames of numbers"},
      {"data.standardize_target", recipe.target_type == "value" && !text, "data.target_type = \"value\""},
      {"train.carry", text, "data.format = \"text\"; give train.truncate"},
      {"train.truncate", recipe.format == "table" && recipe.target_per == "row", "a table and data.target_per = \"row\""},
      {"train.bucket", !recipe.carries(), "sequences that are not carried on"},
      {"data.validation", !ranges, "no data.train_rows; give data.validation_rows"},
  };
  const Recipe defaults = default_recipe();
  for (const auto& use : uses) {
    const bool given = recipe.origin.contains(use.key) &&
                       std::visit([&](auto field) { return !same(recipe.*field, defaults.*field); }, find_key(use.key)->field);
    if (given && !use.read) refuse("{}: means nothing here; it goes with {}", where(recipe, use.key), use.needs);
  }
}

/// What a text or a series says of itself, filled in.
void resolve_data(Recipe& recipe) {
  const auto settle = [&](const char* key, std::string& value, const std::string& only, const char* why) {
    if (recipe.origin.contains(key) && value != only)
      refuse("{}: \"{}\", but {}; leave it out", where(recipe, key), value, why);
    value = only;
  };
  if (recipe.format == "text") {
    settle("data.target_per", recipe.target_per, "row", "in a text every token has a target, the next one");
    settle("data.target_type", recipe.target_type, "class", "in a text the targets are tokens");
    if (recipe.window == 0)
      refuse("{}: 0; give the tokens that training takes at once, such as 64", where(recipe, "data.window"));
  }
  if (recipe.format == "tsv") settle("data.target_per", recipe.target_per, "sequence", "a text has one target");
  if (is_series(recipe)) {
    settle("data.target_type", recipe.target_type, "value", "targets of windows are values");
    settle("data.target_per", recipe.target_per, "sequence", "a window has one answer");
    settle("data.sequence", recipe.sequence, "", "with data.window the file is one series");
    if (recipe.loss == "cross_entropy" && !recipe.origin.contains("train.loss")) recipe.loss = "mse";
  }
  if (recipe.group == containment && recipe.format != "tsv")
    refuse("{}: \"containment\" is for texts; set data.format = \"tsv\", or give a column", where(recipe, "data.group"));
  if (recipe.vocabulary > 0 && recipe.vocabulary <= std::int64_t(first_token))
    refuse("{}: {} ids are padding and unknown alone; give 3 or more", where(recipe, "data.vocabulary"), recipe.vocabulary);
  if (recipe.standardize_target && recipe.quantize_aware)
    refuse("{}: cannot be folded into a model trained for fixed point; train in float and quantize it",
           where(recipe, "data.standardize_target"));
}

/// Fills in every recurrent layer's steps, and checks that what comes out is one target a sequence, or one a row.
void resolve_steps(Recipe& recipe) {
  const bool per_row = recipe.target_per == "row";
  const std::string place = where(recipe, "model.layers");
  LayerSpec* last_recurrent = nullptr;
  for (LayerSpec& layer : recipe.layers)
    if (layer.recurrent()) last_recurrent = &layer;
  bool one_answer = false;
  for (LayerSpec& layer : recipe.layers) {
    if (!layer.recurrent()) continue;
    if (one_answer)
      refuse("{}: a recurrent layer follows one that hands on one answer a sequence; give that one steps = \"every\"", place);
    if (layer.steps.empty()) layer.steps = &layer == last_recurrent && !per_row ? "last" : "every";
    one_answer = layer.steps != "every";
  }
  if (per_row && one_answer)
    refuse("{}: steps = \"last\" or \"mean\" gives one answer a sequence, but data.target_per is \"row\"; give steps = \"every\"", place);
  if (!per_row && !last_recurrent)
    refuse("{}: no recurrent layer, so every row gets its own answer; add one, or set data.target_per = \"row\"", place);
  if (!per_row && !one_answer)
    refuse("{}: steps = \"every\" answers every row, but data.target_per is \"sequence\"; give steps = \"last\"", place);
}

void check_layers(const Recipe& recipe) {
  const std::string place = where(recipe, "model.layers");
  for (const LayerSpec& layer : recipe.layers)
    if (layer.kind == SLUICE_EMBEDDING && &layer != recipe.layers.data()) refuse("{}: an embedding is the first layer", place);
  for (const LayerSpec& layer : recipe.layers)
    if (layer.directions == "both" && (recipe.carries() || recipe.format == "text"))
      refuse("{}: a layer in both directions wants whole sequences{}", place,
             recipe.format == "text" ? ", and would see the token that it is to tell; give directions = \"one\"" : "; leave train.truncate out");
  for (const LayerSpec& layer : recipe.layers)
    if (layer.units == 1 && layer.activation == "softmax")
      refuse("{}: softmax over one unit is 1, whatever enters; give sigmoid, or linear for values", place);
  const LayerSpec& last = recipe.layers.back();
  if (recipe.loss == "cross_entropy" && last.activation != "softmax")
    refuse("{}: cross_entropy wants probabilities; end with {{ dense = classes, activation = \"softmax\" }}", place);
  if (recipe.loss == "binary" && last.activation != "sigmoid")
    refuse("{}: binary wants a probability; end with {{ dense = 1, activation = \"sigmoid\" }}", place);
  if (last.dropout > 0) refuse("{}: dropout on what the last layer hands on would drop answers; leave it out", place);
}

void check_loss(const Recipe& recipe) {
  const bool classes = recipe.target_type == "class";
  const auto only = [&](const char* key, bool given, bool fits, const char* what) {
    if (given && !fits) refuse("{}: is for {}; leave it out", where(recipe, key), what);
  };
  only("train.class_weights", recipe.class_weights != "none", classes, "classes");
  only("train.sampling", recipe.sampling != "all", classes && recipe.target_per == "sequence", "sequences with a class each");
  if (recipe.class_weights == "balanced" && recipe.sampling == "balanced")
    refuse("{}: train.sampling balances the classes already; give one of the two", where(recipe, "train.class_weights"));
  only("train.label_smoothing", recipe.label_smoothing > 0, recipe.loss == "cross_entropy" || recipe.loss == "binary",
       "cross_entropy and binary");
}

/// Pruning ends behind its begin, and in a layer that has what it prunes.
void check_prune(const Recipe& recipe) {
  if (recipe.prune == 0) return;
  if (recipe.prune_end <= recipe.prune_begin)
    refuse("{}: {} is not behind train.prune_begin, {}", where(recipe, "train.prune_end"), recipe.prune_end, recipe.prune_begin);
  if (std::none_of(recipe.layers.begin(), recipe.layers.end(), [](const LayerSpec& l) { return l.recurrent(); }))
    refuse("{}: prunes the matrices of recurrent layers, and there is none; leave it out", where(recipe, "train.prune"));
}

/// What looks at validation needs one, and what early stopping is told needs early stopping.
void check_watch(const Recipe& recipe) {
  const auto needs_validation = [&](const char* key, const char* what) {
    refuse("{}: {} needs a validation split; set {}", where(recipe, key), what,
           recipe.train_rows.empty() ? "data.validation above 0" : "data.validation_rows");
  };
  if (recipe.train_rows.empty() ? recipe.validation == 0 : recipe.validation_rows.empty()) {
    if (recipe.patience > 0) needs_validation("train.patience", "early stopping");
    if (recipe.schedule == "plateau") needs_validation("train.schedule", "\"plateau\"");
    if (recipe.monitor != "loss") needs_validation("train.monitor", "another measure than the loss");
    if (recipe.validate_every != 1) needs_validation("train.validate_every", "it");
  }
  const bool values = recipe.target_type == "value", text = recipe.format == "text";
  if (recipe.monitor == "mae" ? !values : recipe.monitor != "loss" && values)
    refuse("{}: {} have no {}; give \"loss\"{}", where(recipe, "train.monitor"), values ? "values" : "classes", recipe.monitor,
           values ? " or \"mae\"" : "");
  if (text && recipe.monitor != "loss" && recipe.monitor != "accuracy")
    refuse("{}: tokens of a text have no {}; give \"loss\" or \"accuracy\"", where(recipe, "train.monitor"), recipe.monitor);
  if (recipe.min_improvement > 0 && recipe.patience == 0)
    refuse("{}: nothing looks at it without early stopping; set train.patience", where(recipe, "train.min_improvement"));
  if (recipe.diverged > 0 && recipe.diverged < 1)
    refuse("{}: {} would stop at a loss below the first epoch's; give 1 or more, or 0 for never",
           where(recipe, "train.diverged"), recipe.diverged);
}

void check(Recipe& recipe) {
  for (const Key& key : keys())
    if (key.fallback.empty() && !recipe.origin.contains(std::string(key.name)))
      refuse("{}: {}: missing; give {}", recipe.file, key.name, key.noun);
  if (recipe.train_file.empty()) refuse("{}: \"\" is not a file name; give the training data", where(recipe, "data.train"));
  resolve_data(recipe);
  check_uses(recipe);
  check_targets(recipe);
  check_columns(recipe);
  columns_of(recipe);  // refuses ranges that are none
  resolve_steps(recipe);
  check_layers(recipe);
  check_loss(recipe);
  if (recipe.optimizer != "sgd" && (recipe.momentum != 0 || recipe.nesterov))
    refuse("{}: {} has no momentum of its own; set train.optimizer = \"sgd\"",
           where(recipe, recipe.momentum != 0 ? "train.momentum" : "train.nesterov"), recipe.optimizer);
  if (recipe.nesterov && recipe.momentum == 0)
    refuse("{}: needs a momentum; set train.momentum", where(recipe, "train.nesterov"));
  if (recipe.elastic > 0 && (recipe.l1.any() || recipe.l2.any()))
    refuse("{}: stands in place of train.l1 and train.l2; give it or them", where(recipe, "train.elastic"));
  if (recipe.optimizer == "adam" && recipe.weight_decay.any())
    refuse("{}: adam has no decoupled weight decay; set train.optimizer = \"adamw\", or use train.l2",
           where(recipe, "train.weight_decay"));
  check_prune(recipe);
  check_watch(recipe);
  if (recipe.stop_after > recipe.epochs)
    refuse("{}: {} is behind the last of train.epochs, {}", where(recipe, "train.stop_after"), recipe.stop_after, recipe.epochs);
}

}  // namespace

Override parse_override(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) refuse("--set {}: no value; give key=value, such as train.batch=8", text);
  return {text.substr(0, equals), text.substr(equals + 1), "--set " + text};
}

Recipe default_recipe() {
  Recipe recipe;
  for (const Key& key : keys())
    if (!key.fallback.empty()) set_text(recipe, key, key.fallback, "");
  recipe.origin.clear();
  return recipe;
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
  check(recipe);
  return recipe;
}

Space parse_space(const std::string& text, const std::string& file, const std::vector<Override>& overrides) {
  toml::table table = parse_toml(text, file);
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
  Recipe recipe = read_recipe((std::filesystem::path(folder) / "recipe.toml").string(), overrides);
  if (!data_folder.empty())
    for (std::string* file : {&recipe.train_file, &recipe.test_file}) *file = std::filesystem::path(*file).filename().string();
  resolve_files(recipe, data_folder);
  return recipe;
}

}  // namespace sluice::tools
