#include "objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../common/json.h"
#include "../convert/calibrate.h"
#include "../convert/quantize.h"
#include "../evaluate/mean.h"
#include "../evaluate/measures.h"
#include "../evaluate/monitor.h"
#include "../model/graph.h"
#include "../model/pack.h"
#include "../recipe/columns.h"
#include "../recipe/made.h"
#include "../train/start.h"

namespace sluice::tools {
namespace {

/// Returns whether the data are one sequence whose rows are in time order.
bool is_stream(const Recipe& recipe) {
  if (recipe.format != Format::table) return recipe.format == Format::text;
  return recipe.window > 0 || (recipe.sequence.empty() && recipe.target_per == TargetPer::row);
}

/// Returns the rows of a stream that trials may use: all rows except those of the test part.
RowRange usable_rows(const Recipe& recipe) {
  if (recipe.train_rows.empty()) {
    Recipe whole = recipe;
    whole.validation = 0;
    return {0, read_data(recipe.train_file, columns_of(whole)).first.back()};
  }
  RowRange rows = parse_range(where(recipe, "data.train_rows"), recipe.train_rows);
  if (!recipe.validation_rows.empty()) {
    const RowRange held_out =
        parse_range(where(recipe, "data.validation_rows"), recipe.validation_rows);
    if (held_out.first != rows.end)
      refuse(
          "{}: begins at row {}, but training ends at {}; the last training of a study uses both, "
          "so let them join",
          where(recipe, "data.validation_rows"), held_out.first, rows.end);
    rows.end = held_out.end;
  }
  return rows;
}

std::string range_text(std::size_t first, std::size_t end) {
  return fmt::format("{}:{}", first, end);
}

std::vector<Input> time_inputs(const Recipe& recipe) {
  const RowRange rows = usable_rows(recipe);
  const auto blocks = std::size_t(recipe.tune_folds) + 1;
  const auto at = [&](std::size_t i) { return rows.first + (rows.end - rows.first) * i / blocks; };
  std::vector<Input> inputs;
  for (std::size_t f = 1; f < blocks; ++f) {
    Recipe fold = recipe;
    fold.validation = 0, fold.test_rows.clear();
    fold.train_rows = range_text(rows.first, at(f)),
    fold.validation_rows = range_text(at(f), at(f + 1));
    inputs.push_back(read_input(fold));
  }
  return inputs;
}

void check_split(const Recipe& recipe, const DataSet& data, const Split& split, std::size_t fold) {
  if (!has_target(data, split.train) || !has_target(data, split.held_out))
    refuse("{}: fold {} of {} sequences has no target in training or validation; give fewer folds",
           where(recipe, "tune.folds"), fold + 1, data.sequences());
}

/// Returns the data without the test set, which trials must not use.
std::vector<Input> inputs_of(Recipe recipe) {
  recipe.test_file.clear();
  if (recipe.tune_validation == TuneValidation::hold_out) {
    std::vector<Input> one = {};
    one.push_back(read_input(recipe));
    if (one[0].split.held_out.empty())
      refuse(
          "{}: \"hold-out\", but nothing is held out; set data.validation, or give \"k-fold\" or "
          "\"time\"",
          where(recipe, "tune.validation"));
    return one;
  }
  if (is_stream(recipe)) return time_inputs(recipe);
  const DataSet data = read_data(recipe.train_file, columns_of(recipe));
  const auto folds = std::size_t(recipe.tune_folds);
  std::vector<Split> splits;
  if (recipe.tune_validation == TuneValidation::time) splits = time_folds(data, folds);
  for (std::int64_t r = 0;
       r < recipe.tune_repeats && recipe.tune_validation == TuneValidation::k_fold; ++r)
    for (Split& split : k_folds(data, folds, std::uint64_t(recipe.tune_seed), std::uint32_t(r)))
      splits.push_back(std::move(split));
  std::vector<Input> inputs;
  for (Split& split : splits) {
    check_split(recipe, data, split, inputs.size());
    inputs.push_back(input_of(recipe, data, std::move(split)));
  }
  return inputs;
}

/// Returns train.monitor of a model on the part that its fold held out; lower is better.
double validation_score(const Recipe& recipe, const OwnedModel& model, const Input& input) {
  const Evaluation e = evaluate(model.model, input.train, input.split.held_out, int(recipe.threads),
                                {recipe.loss, recipe.huber_delta});
  const double value = watched_measure(e, recipe.monitor);
  return higher_is_better(recipe.monitor) ? -value : value;
}

/// Returns a float model in the number format of the device, with ranges from its training part.
OwnedModel exported(const Recipe& recipe, const OwnedModel& model, const Input& input) {
  const sluice_format format = device_format(recipe);
  if (recipe.device_core.empty() || format == SLUICE_F32 || model.info().format != SLUICE_F32)
    return open_model(bytes_of(model), "the model");
  const Network real = with_integer_form(read_network(model.model), format);
  const Calibration calibration = calibrate(real, input.train, input.split.train);
  Quantized quantized = quantize(real, format, choose_ranges(calibration, recipe.quantize_ranges),
                                 calibration.moments);
  quantized.network.made =
      made_quantized(real.made, format, recipe.quantize_ranges, data_hash(input.train));
  return open_model(write_blob(quantized.network), "the quantized model");
}

void add_curve(FoldResult& result, const Recipe& recipe, const Trained& trained) {
  for (const Epoch& epoch : trained.epochs) {
    if (!epoch.held_out) continue;
    result.epoch.push_back(epoch.number);
    result.curve.push_back(higher_is_better(recipe.monitor) ? -epoch.held_out->watched
                                                            : epoch.held_out->watched);
  }
}

/// Runs one training. Returns false if it ends the trial; `outcome` then has state and reason.
bool train_fold(const Recipe& recipe, const Input& input, std::int64_t until, Fold& fold,
                Outcome& outcome) {
  const Network start = checked_start(recipe, input);
  TrainingSegment segment{until, fold.checkpoint};
  const Trained trained =
      train(recipe, input.train, input.split, start, nullptr, nullptr, {}, &segment);
  if (trained.interrupted) {
    outcome.state = State::waiting;
    return false;
  }
  const auto give_up = [&](const std::string& why) {
    outcome.state = State::failed,
    outcome.reason = fmt::format("fold {}: {}", fold.result.fold + 1, why);
    return false;
  };
  if (!trained.diverged.empty()) return give_up("diverged in " + trained.diverged);
  FoldResult& result = fold.result;
  result.epochs = std::int64_t(trained.epochs.size()), result.best_epoch = trained.kept;
  add_curve(result, recipe, trained);
  result.value = validation_score(recipe, exported(recipe, trained.model, input), input);
  fold.checkpoint = segment.complete ? "" : segment.checkpoint;
  if (!segment.complete) outcome.state = State::pruned;
  return std::isfinite(result.value)
             ? true
             : give_up(fmt::format("its {} is not a number", word(recipe.monitor)));
}

}  // namespace

const std::vector<Input>& folds_of(const Recipe& recipe, Folds& cache) {
  if (const std::string key = data_key(recipe); cache.key != key || cache.inputs.empty()) {
    cache.inputs = inputs_of(recipe);
    cache.key = key;
  }
  return cache.inputs;
}

Outcome measure(const Recipe& recipe, std::int64_t until, const std::vector<Fold>& before,
                Folds& cache, bool (*interrupt)()) {
  Outcome outcome;
  const std::vector<Input>& inputs = folds_of(recipe, cache);
  std::vector<double> values;
  try {
    for (std::size_t f = 0; f < inputs.size(); ++f)
      for (std::int64_t s = 0; s < recipe.tune_seeds; ++s) {
        if (interrupt && interrupt()) {  // a training checks for interrupts only while it runs
          outcome.state = State::waiting;
          return outcome;
        }
        Recipe seeded = recipe;
        seeded.seed += s;
        const auto at = std::find_if(before.begin(), before.end(), [&](const Fold& b) {
          return b.result.fold == std::int64_t(f) && b.result.seed == seeded.seed;
        });
        Fold fold = at != before.end() ? *at : Fold{};
        fold.result.fold = std::int64_t(f), fold.result.seed = seeded.seed;
        const bool done = at != before.end() && at->checkpoint.empty();
        if (!done && !train_fold(seeded, inputs[f], until, fold, outcome)) return outcome;
        values.push_back(fold.result.value);
        outcome.folds.push_back(std::move(fold));
      }
  } catch (const Error& error) {
    if (error.exit_code != 2) throw;
    outcome.state = State::failed, outcome.reason = error.what();
    return outcome;
  }
  const Mean m = mean_of(values);
  outcome.rung = {until > 0 ? until : recipe.last_epoch(), {m.mean, m.error}};
  return outcome;
}

Recipe final_recipe(Recipe recipe, std::int64_t epochs, std::int64_t seed) {
  if (is_stream(recipe)) {
    const RowRange rows = usable_rows(recipe);
    if (!recipe.train_rows.empty()) recipe.train_rows = range_text(rows.first, rows.end);
    recipe.validation_rows.clear();
  }
  recipe.validation = 0;
  recipe.validation_file.clear();
  recipe.patience = 0, recipe.min_improvement = 0, recipe.validate_every = 1,
  recipe.monitor = Monitor::loss;
  recipe.stop_after = epochs < recipe.epochs ? epochs : 0;
  recipe.seed = seed;
  return recipe;
}

Finished finish(const Recipe& point, std::int64_t epochs, std::int64_t seed) {
  const Recipe recipe = final_recipe(point, epochs, seed);
  Input input = read_input(recipe);
  const Network start = checked_start(recipe, input);
  TrainingSegment segment;
  Trained trained = train(recipe, input.train, input.split, start, nullptr, nullptr, {}, &segment);
  if (trained.interrupted)
    throw Error(130, "interrupted; run the same command again to continue the study");
  if (!trained.diverged.empty())
    fail("seed {}: training on all data diverged in {}", seed, trained.diverged);
  in_data_units(recipe, input, trained);
  Finished result{exported(recipe, trained.model, input), "{}"};
  const bool by_file = !recipe.test_file.empty();
  if (!by_file && input.split.test.empty()) return result;
  const DataSet& data = by_file ? input.test : input.train;
  const std::vector<std::size_t> sequences = by_file ? all_sequences(input.test) : input.split.test;
  const Evaluation e = evaluate(result.model.model, data, sequences, int(recipe.threads),
                                {recipe.loss, recipe.huber_delta});
  OrderedJson measures = {{"loss", e.loss}};
  for (const Evaluation& head : e.heads) {
    const Measure measure = short_measure(head);
    measures[head.name + " loss"] = head.loss;
    measures[fmt::format("{} {}", head.name, measure.name)] = measure.value;
  }
  if (e.classes) measures["accuracy"] = e.accuracy();
  if (!e.classes && e.heads.empty()) measures["mean_absolute_error"] = e.absolute_error;
  if (!e.units.empty()) measures["squared_error_in_units"] = error_in_units(e);
  if (const double value = watched_measure(e, point.monitor);
      point.monitor != Monitor::loss && std::isfinite(value))
    measures[std::string(word(point.monitor))] = value;
  result.measures = json_text(measures);
  return result;
}

}  // namespace sluice::tools
