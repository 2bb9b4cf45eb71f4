#include "check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>

#include "../common/error.h"
#include "columns.h"
#include "heads.h"
#include "keys.h"
#include "runtime/blob.h"
#include "values.h"
#include "write.h"

namespace sluice::tools {
namespace {

void check_targets(const Recipe& recipe) {
  const bool classes = recipe.target_type == TargetType::classes;
  if (recipe.target.empty())
    refuse("{}: empty; give the target's column", where(recipe, "data.target"));
  if (classes && recipe.target.size() != 1)
    refuse("{}: {} columns; classes stand in one column, or set target_type = \"value\"",
           where(recipe, "data.target"), recipe.target.size());
  const bool fits =
      recipe.loss == LossKind::binary || classes == (recipe.loss == LossKind::cross_entropy);
  if (!fits)
    refuse(
        "{}: \"{}\" does not fit data.target_type = \"{}\"; give \"{}\", or target_type = \"{}\"",
        where(recipe, "train.loss"), word(recipe.loss), word(recipe.target_type),
        classes ? "cross_entropy" : "mse", classes ? "value" : "class");
}

/// Returns whether sequences are windows of a series.
bool is_series(const Recipe& recipe) { return recipe.format == Format::table && recipe.window > 0; }

/// Returns whether the data are one sequence in which every row has a target.
bool is_one_sequence(const Recipe& recipe) {
  return recipe.sequence.empty() && recipe.target_per == TargetPer::row;
}

void check_columns(const Recipe& recipe) {
  for (const std::string& column : recipe.features)
    if (std::find(recipe.ignore.begin(), recipe.ignore.end(), column) != recipe.ignore.end())
      refuse("{}: column \"{}\" is in data.ignore too; name it once",
             where(recipe, "data.features"), column);
  std::set<std::string> seen;
  auto once = [&](const char* key, const std::string& column) {
    if (!column.empty() && !seen.insert(column).second)
      refuse("{}: column \"{}\" already has another use; name it once", where(recipe, key), column);
  };
  once("data.sequence", recipe.sequence);
  for (const std::string& column : recipe.target) once("data.target", column);
  once("data.group", recipe.group);
  if (recipe.format == Format::tsv) once("data.text", recipe.text);
  once("data.time", recipe.time);
  for (const std::string& column : recipe.ignore) once("data.ignore", column);
  for (const std::string& column : recipe.features)
    if (!is_series(recipe) || recipe.target_type == TargetType::classes)
      once("data.features", column);
}

void check_time_features(const Recipe& recipe) {
  constexpr std::string_view parts[] = {"hour", "weekday", "yearday"};
  std::set<std::string> seen;
  for (const std::string& part : recipe.time_features) {
    if (std::find(std::begin(parts), std::end(parts), part) == std::end(parts))
      refuse("{}: \"{}\" is not a part of a time; give \"hour\", \"weekday\" or \"yearday\"",
             where(recipe, "data.time_features"), part);
    if (!seen.insert(part).second)
      refuse("{}: \"{}\" is there twice; name it once", where(recipe, "data.time_features"), part);
  }
}

/// Returns why the data are in time order, as whole sequences could not be held out of them; null:
/// they need not be.
const char* why_in_time(const Recipe& recipe) {
  return recipe.format == Format::text                  ? "a text is one sequence"
         : !recipe.train_rows.empty()                   ? "data.train_rows gives the parts"
         : is_series(recipe) && recipe.sequence.empty() ? "windows are of one series"
         : is_one_sequence(recipe)                      ? "the file is one sequence"
                                                        : nullptr;
}

/// Refuses keys that were given but have no effect, and pairs of keys that exclude one another:
/// both are probably mistakes. This is the one table of them among the keys of data and of batches.
void check_uses(const Recipe& recipe) {
  const bool series = is_series(recipe), text = recipe.format == Format::text,
             tsv = recipe.format == Format::tsv, ranges = !recipe.train_rows.empty(),
             texts = holds_texts(recipe.format),
             cells = recipe.format == Format::table || recipe.format == Format::wide ||
                     recipe.format == Format::ucr || tsv,
             classes = recipe.target_type == TargetType::classes,
             in_time = recipe.validation_order == ValidationOrder::time,
             rows = recipe.target_per == TargetPer::row;
  const struct {
    const char* key;
    bool works;
    const char* needs;
  } uses[] = {
      {"data.text", tsv, "data.format = \"tsv\""},
      {"data.tokens", text || tsv, "data.format = \"text\" or \"tsv\""},
      {"data.lower_case", text || tsv, "data.format = \"text\" or \"tsv\""},
      {"data.vocabulary", text || tsv, "data.format = \"text\" or \"tsv\""},
      {"data.separator", cells, "a table of cells"},
      {"data.decimal", cells, "a table of cells"},
      {"data.comment", cells, "a table of cells"},
      {"data.skip_rows", cells, "a table of cells"},
      {"data.missing", !text, "cells of numbers"},
      {"data.target_from", recipe.target_type == TargetType::classes && !text && !series,
       "classes of sequences"},
      {"data.time", recipe.format == Format::table, "data.format = \"table\""},
      {"data.time_features", !recipe.time.empty(), "data.time"},
      {"data.fill", !texts, "frames of numbers"},
      {"data.features", !texts, "frames of numbers"},
      {"data.max_steps", !series && !text,
       "sequences of their own; data.window says how long these are"},
      {"data.cut", recipe.max_steps > 0, "data.max_steps"},
      {"data.window", recipe.format == Format::table || text,
       "data.format = \"table\" or \"text\"; give data.max_steps"},
      {"data.stride", series, "data.window"},
      {"data.horizon", series && !classes, "data.window and data.target_type = \"value\""},
      {"data.windows_target", series && !classes, "data.window and data.target_type = \"value\""},
      {"data.window_class", series && classes, "data.window and data.target_type = \"class\""},
      {"data.train_rows", recipe.format == Format::table || text,
       "data.format = \"table\" or \"text\""},
      {"data.validation_rows", ranges, "data.train_rows"},
      {"data.test_rows", ranges, "data.train_rows"},
      {"data.reach_back", series && in_time, "data.window, and parts in time order"},
      {"data.group", !series && !text && !in_time,
       "sequences; data in time order is split in that order"},
      {"data.thin", classes && !text, "classes of sequences"},
      {"data.differences", !texts, "frames of numbers"},
      {"data.standardize_target", !classes && !text, "data.target_type = \"value\""},
      {"train.carry", text, "data.format = \"text\"; give train.truncate"},
      {"train.truncate", recipe.format == Format::table && rows,
       "a table and data.target_per = \"row\""},
      {"train.bucket", !recipe.carries(), "sequences that are not carried on"},
  };
  const struct {
    const char *key, *other;
    const char* instead;
  } pairs[] = {
      {"data.test", "data.test_rows", "give one of the two"},
      {"data.validation", "data.train_rows", "give data.validation_rows"},
      {"data.validation_order", "data.validation_file", "the file is the validation part"},
      {"data.validation", "data.validation_file", "give one of the two"},
      {"data.validation_rows", "data.validation_file", "give one of the two"},
      {"data.group", "data.validation_file", "the file says what is held out"},
      {"data.reach_back", "data.validation_file", "its windows have nothing before them"},
      {"train.truncate", "data.differences",
       "the first difference of a piece needs the frame before it; put the differences into the "
       "file, or cut long sequences by data.max_steps"},
  };
  // A written recipe gives all keys, also those that follow from others.
  Recipe defaults = default_recipe();
  if (why_in_time(recipe) || is_series(recipe)) defaults.validation_order = ValidationOrder::time;
  if (!recipe.validation_file.empty() && recipe.validation == 0) defaults.validation = 0;
  const auto given = [&](const char* name) {
    const Key& key = *find_key(name);
    return recipe.origin.contains(name) && value_text(recipe, key) != value_text(defaults, key);
  };
  for (const auto& use : uses)
    if (given(use.key) && !use.works)
      refuse("{}: means nothing here; it goes with {}", where(recipe, use.key), use.needs);
  for (const auto& pair : pairs)
    if (given(pair.key) && given(pair.other))
      refuse("{}: does not go together with {}; {}", where(recipe, pair.key), pair.other,
             pair.instead);
}

/// Fills in data.validation_order where it follows from the data, and refuses "random" for data
/// that are one sequence.
void resolve_order(Recipe& recipe) {
  const char* const why = why_in_time(recipe);
  const bool given = recipe.origin.contains("data.validation_order");
  if (given && why && recipe.validation_order == ValidationOrder::random)
    refuse("{}: \"random\" holds out whole sequences, but {}; give \"time\"",
           where(recipe, "data.validation_order"), why);
  if (why || (!given && is_series(recipe))) recipe.validation_order = ValidationOrder::time;
  const bool own = recipe.validation != default_recipe().validation;
  if (!recipe.validation_file.empty() && !own) recipe.validation = 0;
}

/// Fills in keys that follow from data.format or from a series.
void resolve_data(Recipe& recipe) {
  const auto settle = [&](const char* name, auto field, const auto& only, const char* why) {
    if (recipe.origin.contains(name) && recipe.*field != only)
      refuse("{}: \"{}\", but {}; leave it out", where(recipe, name), word(recipe.*field), why);
    recipe.*field = only;
  };
  if (recipe.format == Format::text) {
    settle("data.target_per", &Recipe::target_per, TargetPer::row,
           "in a text every token has a target, the next one");
    settle("data.target_type", &Recipe::target_type, TargetType::classes,
           "in a text the targets are tokens");
    if (recipe.window == 0)
      refuse("{}: 0; give the tokens that training takes at once, such as 64",
             where(recipe, "data.window"));
  }
  if (recipe.format == Format::tsv)
    settle("data.target_per", &Recipe::target_per, TargetPer::sequence, "a text has one target");
  if (row_is_sequence(recipe.format))
    settle("data.target_per", &Recipe::target_per, TargetPer::sequence,
           "a row is a sequence and has one target");
  if (row_is_sequence(recipe.format) && recipe.format != Format::wide)
    settle("data.sequence", &Recipe::sequence, std::string(), "each row is a sequence");
  if (is_series(recipe)) {
    const bool softmax =
        !recipe.layers.empty() && recipe.layers.back().activation == SLUICE_SOFTMAX;
    if (!recipe.origin.contains("data.target_type"))
      recipe.target_type = softmax || recipe.origin.contains("data.window_class")
                               ? TargetType::classes
                               : TargetType::values;
    settle("data.target_per", &Recipe::target_per, TargetPer::sequence, "a window has one answer");
    if (!recipe.origin.contains("data.sequence")) recipe.sequence.clear();
    if (!recipe.origin.contains("data.reach_back") && recipe.validation_file.empty())
      recipe.reach_back = !recipe.sequence.empty() && recipe.target_type == TargetType::values &&
                          (recipe.validation_order == ValidationOrder::time ||
                           !recipe.origin.contains("data.validation_order"));
    if (recipe.target_type == TargetType::values && recipe.loss == LossKind::cross_entropy &&
        !recipe.origin.contains("train.loss"))
      recipe.loss = LossKind::mse;
  }
  resolve_order(recipe);
  if (recipe.group == containment && recipe.format != Format::tsv)
    refuse("{}: \"containment\" is for texts; set data.format = \"tsv\", or give a column",
           where(recipe, "data.group"));
  if (recipe.vocabulary > 0 && recipe.vocabulary <= std::int64_t(first_token))
    refuse("{}: {} ids are padding and unknown alone; give 3 or more",
           where(recipe, "data.vocabulary"), recipe.vocabulary);
}

/// Checks that names of layers are unique, and that every name that a layer reads exists.
void check_names(const Recipe& recipe) {
  const std::string place = where(recipe, "model.layers");
  for (std::size_t l = 0; l < recipe.layers.size(); ++l) {
    const std::string& name = recipe.layers[l].name;
    for (std::size_t before = 0; before < l; ++before)
      if (!name.empty() && recipe.layers[before].name == name)
        refuse("{}: layer {} is called \"{}\", and so is layer {}", place, l + 1, name, before + 1);
    const std::vector<std::size_t> sources = sources_of(recipe.layers, l, place);
    const bool reads_id = recipe.layers[0].kind == SLUICE_EMBEDDING && l > 0;
    if (reads_id && std::find(sources.begin(), sources.end(), 0u) != sources.end())
      refuse(
          "{}: layer {}: reads \"{}\", but the frame of a text is an id, which only the embedding "
          "reads; give the embedding a name, and that name here",
          place, l + 1, frame_name);
  }
}

/// Refuses more layers than a blob holds: those of the recipe, each as often as it is repeated, and
/// those that training adds.
void check_layer_count(const Recipe& recipe) {
  std::int64_t layers = 0, repeated = 0;
  for (const LayerSpec& layer : recipe.layers) layers += layer.repeat, repeated += layer.repeat - 1;
  const bool table = recipe.format == Format::table,
             adds_input = is_series(recipe) && recipe.windows_target == WindowsTarget::difference;
  const std::int64_t added =
      recipe.differences + (table && recipe.standardize) + (adds_input ? 2 : 0);
  const std::int64_t most = std::int64_t(most_layers) - added;
  if (layers > most)
    refuse("{}: {} layers, {} of them by repeat; a network has at most {}",
           where(recipe, "model.layers"), layers, repeated, most);
}

/// Fills in every recurrent layer's steps, and checks that the result is one target per sequence,
/// or one per row.
void resolve_steps(Recipe& recipe) {
  const bool per_row = recipe.target_per == TargetPer::row;
  const std::string place = where(recipe, "model.layers");
  // The last recurrent layer answers once, except if a later one does.
  LayerSpec* last_recurrent = nullptr;
  bool ends = false;
  for (LayerSpec& layer : recipe.layers) {
    if (layer.recurrent()) last_recurrent = &layer;
    ends = ends || anatomy_of(std::uint32_t(layer.kind)).once;
  }
  std::vector<bool> once = {
      false};  // of the frame, then of each layer: whether its output is one row per sequence
  std::size_t thins = 0;  // the last layer, counted from 1, that leaves steps out
  Clock clock;
  for (std::size_t l = 0; l < recipe.layers.size(); ++l) {
    LayerSpec& layer = recipe.layers[l];
    bool reads_once = false;
    for (const std::size_t source : sources_of(recipe.layers, l, place)) {
      reads_once = reads_once || once[source];
      if (source < thins)
        refuse(
            "{}: layer {}: reads {}, which has an output at every step, but the window of layer {} "
            "leaves steps out for all layers behind it; read that window or a layer behind it",
            place, l + 1, source ? fmt::format("layer {}", source) : "the frame", thins);
    }
    if (layer.thins())
      clock = clock.then({std::uint64_t(layer.first), std::uint64_t(layer.stride)});
    if (!clock.fits())
      refuse("{}: layer {}: strides and first steps of {} steps in all; at most {} are possible",
             place, l + 1, std::max(clock.first, clock.stride), Clock::most);
    if (layer.thins()) thins = l + 1;
    once.push_back(reads_once);
    const Anatomy& anatomy = anatomy_of(std::uint32_t(layer.kind));
    if (reads_once && anatomy.by_step && !layer.recurrent())
      refuse(
          "{}: layer {}: a {} reads every step, but a layer before it has one output a sequence; "
          "put "
          "it in front of that layer, or give that one steps = \"every\"",
          place, l + 1, anatomy.name);
    if (anatomy.once) once.back() = true;
    if (!layer.recurrent()) continue;
    if (reads_once)
      refuse(
          "{}: a recurrent layer follows one that has one output a sequence; give that one "
          "steps = \"every\"",
          place);
    if (layer.steps == StepsOut::open)
      layer.steps =
          &layer == last_recurrent && !per_row && !ends ? StepsOut::last : StepsOut::every;
    once.back() = layer.steps != StepsOut::every;
  }
  check_rows_of_heads(recipe, once);
  const bool one_answer = once.back();
  if (per_row && one_answer)
    refuse(
        "{}: a layer gives one answer a sequence (steps = \"last\" or \"mean\", or one over all "
        "steps), but data.target_per is \"row\"; give steps = \"every\"",
        place);
  if (!per_row && !last_recurrent && !one_answer)
    refuse(
        "{}: no recurrent layer, so every row gets its own answer; add one, or set data.target_per "
        "= \"row\"",
        place);
  if (!per_row && !one_answer)
    refuse(
        "{}: steps = \"every\" answers every row, but data.target_per is \"sequence\"; give steps "
        "= \"last\"",
        place);
}

void check_layers(const Recipe& recipe) {
  const std::string place = where(recipe, "model.layers");
  for (const LayerSpec& layer : recipe.layers)
    if (layer.kind == SLUICE_EMBEDDING && &layer != recipe.layers.data())
      refuse("{}: an embedding is the first layer", place);
  for (const LayerSpec& layer : recipe.layers)
    if ((layer.directions == Directions::both || layer.ahead > 0) &&
        (recipe.carries() || recipe.format == Format::text))
      refuse("{}: a layer {} wants whole sequences{}", place,
             layer.ahead > 0 ? "that looks ahead" : "in both directions",
             recipe.format == Format::text
                 ? fmt::format(", and would read the token that it must predict; {}",
                               layer.ahead > 0 ? "leave ahead out" : "give directions = \"one\"")
                 : "; leave train.truncate out");
  for (const LayerSpec& layer : recipe.layers)
    if (recipe.format == Format::text && recipe.target_per == TargetPer::row && layer.thins())
      refuse(
          "{}: a window with a stride, or with a first step, leaves tokens without an answer, and "
          "a "
          "model of the next token answers each; leave stride and first out",
          place);
  const bool adds_input = is_series(recipe) && recipe.windows_target == WindowsTarget::difference;
  for (const LayerSpec& layer : recipe.layers)
    if (adds_input && layer.thins())
      refuse(
          "{}: the model adds the last row of a window to its answer (data.windows_target = "
          "\"difference\"), but a window with a stride, or with a first step, may leave that row "
          "out; leave one of them out",
          place);
  for (const LayerSpec& layer : recipe.layers)
    if (layer.kind == SLUICE_WINDOW && recipe.carries())
      refuse(
          "{}: a window begins each piece of a sequence with zeros, which train.truncate and "
          "train.carry "
          "cut it into; leave them out",
          place);
  for (const LayerSpec& layer : recipe.layers)
    if (layer.units == 1 && layer.activation == SLUICE_SOFTMAX)
      refuse("{}: softmax over one unit is 1, whatever enters; give sigmoid, or linear for values",
             place);
  const LayerSpec& last = recipe.layers.back();
  if (recipe.loss == LossKind::cross_entropy && last.activation != SLUICE_SOFTMAX)
    refuse(
        "{}: cross_entropy wants probabilities; end with {{ dense = classes, activation = "
        "\"softmax\" }}",
        place);
  if (recipe.loss == LossKind::binary && last.activation != SLUICE_SIGMOID)
    refuse("{}: binary wants a probability; end with {{ dense = 1, activation = \"sigmoid\" }}",
           place);
  if (last.dropout > 0)
    refuse("{}: dropout on the output of the last layer would drop answers; leave it out", place);
}

void check_loss(const Recipe& recipe) {
  const bool classes = recipe.target_type == TargetType::classes;
  const auto only = [&](const char* key, bool given, bool fits, const char* what) {
    if (given && !fits) refuse("{}: is for {}; leave it out", where(recipe, key), what);
  };
  only("train.class_weights", recipe.class_weights.kind != ClassWeighting::none, classes,
       "classes");
  only("train.sampling", recipe.sampling != Sampling::all,
       classes && recipe.target_per == TargetPer::sequence, "sequences with a class each");
  if (recipe.class_weights.kind == ClassWeighting::balanced &&
      recipe.sampling == Sampling::balanced)
    refuse("{}: train.sampling balances the classes already; give one of the two",
           where(recipe, "train.class_weights"));
  const std::vector<Head> heads = heads_of(recipe);
  const bool smooths = std::any_of(heads.begin(), heads.end(), [](const Head& head) {
    return head.loss == SLUICE_CROSS_ENTROPY || head.loss == SLUICE_BINARY;
  });
  only("train.label_smoothing", recipe.label_smoothing > 0,
       recipe.loss == LossKind::cross_entropy || recipe.loss == LossKind::binary || smooths,
       "cross_entropy and binary");
}

/// Checks that pruning ends after its begin, and that a layer can be pruned.
void check_prune(const Recipe& recipe) {
  if (recipe.prune == 0) return;
  if (recipe.prune_end <= recipe.prune_begin)
    refuse("{}: {} is not behind train.prune_begin, {}", where(recipe, "train.prune_end"),
           recipe.prune_end, recipe.prune_begin);
  if (std::none_of(recipe.layers.begin(), recipe.layers.end(),
                   [](const LayerSpec& l) { return l.recurrent(); }))
    refuse("{}: prunes the matrices of recurrent layers, and there is none; leave it out",
           where(recipe, "train.prune"));
}

/// Checks that keys that need validation have one, and that keys of early stopping are not given
/// without it.
void check_watch(const Recipe& recipe) {
  if (recipe.tune_validation == TuneValidation::hold_out)
    check_validated(recipe);  // else `sluice tune` holds out by itself
  if (recipe.monitor != Monitor::loss && !heads_of(recipe).empty())
    refuse("{}: of an answer in several parts the sum of the losses is watched; give \"loss\"",
           where(recipe, "train.monitor"));
  const bool values = recipe.target_type == TargetType::values,
             text = recipe.format == Format::text;
  if (recipe.monitor == Monitor::mae ? !values : recipe.monitor != Monitor::loss && values)
    refuse("{}: {} have no {}; give \"loss\"{}", where(recipe, "train.monitor"),
           values ? "values" : "classes", word(recipe.monitor), values ? " or \"mae\"" : "");
  if (text && recipe.monitor != Monitor::loss && recipe.monitor != Monitor::accuracy)
    refuse("{}: tokens of a text have no {}; give \"loss\" or \"accuracy\"",
           where(recipe, "train.monitor"), word(recipe.monitor));
  if (recipe.min_improvement > 0 && recipe.patience == 0)
    refuse("{}: nothing looks at it without early stopping; set train.patience",
           where(recipe, "train.min_improvement"));
  if (recipe.diverged > 0 && recipe.diverged < 1)
    refuse("{}: {} would stop at a loss below the first epoch's; give 1 or more, or 0 for never",
           where(recipe, "train.diverged"), recipe.diverged);
}

}  // namespace

bool holds_out(const Recipe& recipe) {
  if (!recipe.validation_file.empty()) return true;
  return recipe.train_rows.empty() ? recipe.validation > 0 : !recipe.validation_rows.empty();
}

void check_validated(const Recipe& recipe) {
  const auto needs_validation = [&](const char* key, const char* what) {
    refuse("{}: {} needs a validation split; set {}, or data.validation_file", where(recipe, key),
           what, recipe.train_rows.empty() ? "data.validation above 0" : "data.validation_rows");
  };
  if (holds_out(recipe)) return;
  if (recipe.patience > 0) needs_validation("train.patience", "early stopping");
  if (recipe.schedule == Schedule::plateau) needs_validation("train.schedule", "\"plateau\"");
  if (recipe.monitor != Monitor::loss)
    needs_validation("train.monitor", "another measure than the loss");
  if (recipe.validate_every != 1) needs_validation("train.validate_every", "it");
}

void check_recipe(Recipe& recipe) {
  for (const Key& key : keys())
    if (key.fallback.empty() && !recipe.origin.contains(std::string(key.name)))
      refuse("{}: {}: missing; give {}", recipe.file, key.name, key.noun);
  if (recipe.train_file.empty())
    refuse("{}: \"\" is not a file name; give the training data", where(recipe, "data.train"));
  resolve_heads(recipe);
  resolve_data(recipe);
  check_uses(recipe);
  check_targets(recipe);
  check_columns(recipe);
  check_time_features(recipe);
  columns_of(recipe);  // refuses invalid ranges
  check_layer_count(recipe);
  check_names(recipe);
  resolve_steps(recipe);
  check_layers(recipe);
  check_loss(recipe);
  if (recipe.optimizer != Optimizer::sgd && (recipe.momentum != 0 || recipe.nesterov))
    refuse("{}: {} has no momentum of its own; set train.optimizer = \"sgd\"",
           where(recipe, recipe.momentum != 0 ? "train.momentum" : "train.nesterov"),
           word(recipe.optimizer));
  if (recipe.nesterov && recipe.momentum == 0)
    refuse("{}: needs a momentum; set train.momentum", where(recipe, "train.nesterov"));
  if (recipe.elastic > 0 && (recipe.l1.any() || recipe.l2.any()))
    refuse("{}: stands in place of train.l1 and train.l2; give it or them",
           where(recipe, "train.elastic"));
  if (recipe.optimizer == Optimizer::adam && recipe.weight_decay.any())
    refuse(
        "{}: adam has no decoupled weight decay; set train.optimizer = \"adamw\", or use train.l2",
        where(recipe, "train.weight_decay"));
  check_prune(recipe);
  check_watch(recipe);
  if (recipe.stop_after > recipe.epochs)
    refuse("{}: {} is behind the last of train.epochs, {}", where(recipe, "train.stop_after"),
           recipe.stop_after, recipe.epochs);
}

}  // namespace sluice::tools
