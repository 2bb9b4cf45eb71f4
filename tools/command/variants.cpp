// Trains every variant and seed of a recipe, and compares them in a table.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../evaluate/mean.h"
#include "../evaluate/measures.h"
#include "../recipe/read.h"
#include "seeds.h"
#include "train_run.h"

namespace sluice::tools {
namespace {

/// The runs of one variant.
struct Group {
  std::string variant;
  std::vector<Recipe> recipes;
  std::vector<std::string> seeds, folders;
  std::vector<RunResult> results;              ///< of the runs that did not diverge
  std::vector<std::string> trained, diverged;  ///< seeds
};

/// Reads and checks every recipe, and the data of each variant's first one, before any is trained.
std::vector<Group> groups_of(const TrainOptions& options) {
  std::vector<std::string> variants = read_variants(options.recipe);
  if (!options.variant.empty()) {
    if (std::find(variants.begin(), variants.end(), options.variant) == variants.end())
      refuse("--variant {}: {} has no such variant", options.variant, options.recipe);
    variants = {options.variant};
  }
  if (variants.empty()) variants = {""};
  const std::vector<std::string> seeds =
      options.seeds.empty() ? std::vector<std::string>{""} : seeds_of(options.seeds);
  std::vector<Group> groups;
  for (const std::string& variant : variants) {
    Group group;
    group.variant = variant;
    for (const std::string& seed : seeds) {
      std::vector<Override> overrides = overrides_of(options);
      if (!seed.empty()) overrides.push_back({"train.seed", seed, "--seeds " + options.seeds});
      Recipe recipe = read_recipe(options.recipe, overrides, variant);
      resolve_files(recipe, options.data_folder);
      std::filesystem::path folder(options.out);
      if (!variant.empty()) folder /= variant;
      if (!seed.empty()) folder /= "seed-" + seed;
      group.seeds.push_back(std::to_string(recipe.seed));
      group.folders.push_back(folder.string());
      group.recipes.push_back(std::move(recipe));
    }
    check_run(group.recipes.front());
    groups.push_back(std::move(group));
  }
  return groups;
}

/// A column of the table and the number that it shows of a run.
struct Column {
  std::string name;
  std::function<double(const RunResult&)> value;
  bool share;  ///< shown as percent
};

/// Returns a column for each part that exists: accuracy for classes, nats for a text's tokens, for
/// values the loss or, if they have units, the squared error in these.
std::vector<Column> columns_for(const RunResult& result) {
  const bool accuracy = result.train.classes && !result.train.text,
             units = !result.train.classes && !result.train.units.empty();
  const char* const what = accuracy            ? "accuracy"
                           : result.train.text ? "nats"
                           : units             ? "squared error"
                                               : "loss";
  std::vector<Column> columns;
  const auto add = [&](const char* part, Evaluation RunResult::* evaluation) {
    if ((result.*evaluation).targets == 0) return;
    columns.push_back({fmt::format("{} {}", part, what),
                       [=](const RunResult& r) {
                         const Evaluation& e = r.*evaluation;
                         return accuracy ? e.accuracy() : units ? error_in_units(e) : e.loss;
                       },
                       accuracy});
  };
  const auto add_head = [&](const char* part, Evaluation RunResult::* evaluation,
                            std::size_t head) {
    const Evaluation& e = result.*evaluation;
    if (e.targets == 0) return;
    const Measure measure = short_measure(e.heads[head]);
    columns.push_back(
        {fmt::format("{} {} {}", part, e.heads[head].name, measure.name),
         [=](const RunResult& r) { return short_measure((r.*evaluation).heads[head]).value; },
         measure.share});
  };
  add("training", &RunResult::train), add("validation", &RunResult::held_out),
      add("test", &RunResult::test);
  for (std::size_t head = 0; head < result.train.heads.size(); ++head)
    add_head("validation", &RunResult::held_out, head), add_head("test", &RunResult::test, head);
  if (accuracy && result.test.targets)
    columns.push_back(
        {"test balanced accuracy",
         [](const RunResult& r) { return watched_measure(r.test, Monitor::balanced_accuracy); },
         true});
  columns.push_back({"exact zeros", [](const RunResult& r) { return r.zeros; }, true});
  return columns;
}

std::vector<double> values_of(const Group& group, const Column& column) {
  std::vector<double> values;
  for (const RunResult& result : group.results) values.push_back(column.value(result));
  return values;
}

const RunResult& some_result(const std::vector<Group>& groups) {
  return std::find_if(groups.begin(), groups.end(),
                      [](const Group& g) { return !g.results.empty(); })
      ->results.front();
}

std::string comparison(const std::vector<Group>& groups) {
  const std::vector<Column> columns = columns_for(some_result(groups));
  std::vector<std::vector<std::string>> rows = {{"variant", "runs"}};
  for (const Column& column : columns) rows[0].push_back(column.name);
  for (const Group& group : groups) {
    const std::size_t ended = group.results.size(), all = group.recipes.size();
    rows.push_back({group.variant.empty() ? "recipe" : group.variant,
                    ended == all ? std::to_string(all) : fmt::format("{} of {}", ended, all)});
    for (const Column& column : columns)
      rows.back().push_back(ended ? mean_text(mean_of(values_of(group, column)), column.share)
                                  : "diverged");
  }
  return table(rows);
}

std::string comparison_json(const std::vector<Group>& groups) {
  OrderedJson json = OrderedJson::array();
  for (const Group& group : groups) {
    OrderedJson one = {
        {"variant", group.variant}, {"seeds", group.trained}, {"diverged", group.diverged}};
    for (const Column& column : columns_for(some_result(groups))) {
      if (group.results.empty()) continue;
      const Mean m = mean_of(values_of(group, column));
      one[column.name] = {{"mean", m.mean}, {"values", values_of(group, column)}};
      if (!std::isnan(m.error)) one[column.name]["standard_error"] = m.error;
    }
    json.push_back(one);
  }
  return json_text(json, 2) + "\n";
}

}  // namespace

void run_variants(const TrainOptions& options) {
  if (options.out.empty()) refuse("sluice train: no output folder; give --out DIR");
  if (!options.seed.empty() && !options.seeds.empty())
    refuse("--seed {}: --seeds gives the seeds; leave one of the two out", options.seed);
  std::vector<Group> groups = groups_of(options);
  std::vector<std::string> diverged;
  for (Group& group : groups)
    for (std::size_t i = 0; i < group.recipes.size(); ++i) {
      tell(printable("== " + group.folders[i]) + "\n");
      try {
        group.results.push_back(run_recipe(group.recipes[i], group.folders[i], options.force));
        group.trained.push_back(group.seeds[i]);
      } catch (const Diverged& error) {
        tell(printable(error.what()) + "\n");
        group.diverged.push_back(group.seeds[i]), diverged.push_back(group.folders[i]);
      } catch (const Error& error) {
        if (error.exit_code != 130) throw;
        throw Error(
            130,
            fmt::format("{}; run the same command again to continue with all variants and seeds",
                        error.what()));
      }
    }
  if (std::all_of(groups.begin(), groups.end(), [](const Group& g) { return g.results.empty(); }))
    fail("every training diverged; lower train.learning_rate, or set train.clip_norm");
  const std::string text = comparison(groups);
  write_file((std::filesystem::path(options.out) / "comparison.json").string(),
             comparison_json(groups));
  print("{}The results of every run are in {}.\n", text,
        (std::filesystem::path(options.out) / "comparison.json").string());
  if (!diverged.empty())
    fail("{} of these trainings diverged: {}", diverged.size(), fmt::join(diverged, ", "));
}

}  // namespace sluice::tools
