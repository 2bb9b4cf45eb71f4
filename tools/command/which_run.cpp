#include "which_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "../evaluate/evaluate.h"
#include "../evaluate/monitor.h"
#include "../model/model_file.h"
#include "../recipe/words.h"
#include "../report/run.h"
#include "../train/run_folder.h"

namespace sluice::tools {
namespace {

namespace fs = std::filesystem;

/// Adds the runs inside a folder.
/// @param levels  depth of folders to search
void add_runs(const std::string& folder, int levels, std::vector<std::string>& runs) {
  std::vector<std::string> folders;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable))
    if (entry.is_directory(unreadable)) folders.push_back(entry.path().lexically_normal().string());
  std::sort(folders.begin(), folders.end());
  for (const std::string& inside : folders) {
    if (is_run(inside))
      runs.push_back(inside);
    else if (levels > 1)
      add_runs(inside, levels - 1, runs);
  }
}

/// Returns "variant/seed-1".
std::string name_in(const std::string& folder, const std::string& run) {
  return fs::path(run).lexically_relative(fs::path(folder).lexically_normal()).string();
}

std::vector<std::string> names_in(const std::string& folder, const std::vector<std::string>& runs) {
  constexpr std::size_t most_names = 10;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(runs.size(), most_names); ++i)
    names.push_back(name_in(folder, runs[i]));
  if (runs.size() > most_names) names.push_back(fmt::format("{} more", runs.size() - most_names));
  return names;
}

/// What a run's validation says of its model.
struct Score {
  Monitor monitor;
  double value;  ///< of train.monitor
};

/// Returns the validation of the epoch that a run has kept; nothing without validation.
std::optional<Score> score_of(const std::string& run) {
  const Recipe recipe = parse_recipe(run_recipe(run), (fs::path(run) / "recipe.toml").string(), {});
  const std::string file = (fs::path(run) / "log.jsonl").string();
  const Log log = read_log(read_file(file), file);
  const LogColumn* const column = log.find(fmt::format("validation_{}", word(recipe.monitor)));
  if (!column) return std::nullopt;
  std::vector<double> values = column->values;
  std::erase_if(values, [](double value) { return std::isnan(value); });
  if (values.empty()) return std::nullopt;
  const bool best_is_kept = recipe.patience > 0 && recipe.prune == 0;
  if (!best_is_kept) return Score{recipe.monitor, values.back()};
  return Score{recipe.monitor, higher_is_better(recipe.monitor)
                                   ? *std::max_element(values.begin(), values.end())
                                   : *std::min_element(values.begin(), values.end())};
}

/// Returns the run with the best validation, and tells it.
std::string best_run(const std::string& folder, const std::vector<std::string>& runs,
                     const std::string& by) {
  std::vector<std::string> complete;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(complete), is_complete);
  const std::string names = fmt::format("{}", fmt::join(names_in(folder, runs), ", "));
  if (complete.empty())
    refuse("{}: is a folder of {} runs, none of which is complete; give one with {}: {}", folder,
           runs.size(), by, names);
  std::string best;
  Score least{Monitor::loss, 0};
  for (const std::string& run : complete) {
    const std::optional<Score> score = score_of(run);
    if (!score)
      refuse(
          "{}: is a folder of {} runs, and {} has no validation to compare it by; say which one "
          "is meant with {}: {}",
          folder, runs.size(), name_in(folder, run), by, names);
    if (!best.empty() && score->monitor != least.monitor)
      refuse(
          "{}: is a folder of {} runs whose train.monitor differ; say which one is meant with "
          "{}: {}",
          folder, runs.size(), by, names);
    const bool better =
        higher_is_better(score->monitor) ? score->value > least.value : score->value < least.value;
    if (best.empty() || better) best = run, least = *score;
  }
  const std::string value =
      is_share(least.monitor) ? percent(least.value) : fmt::format("{:.4g}", least.value);
  write_stderr(
      printable(fmt::format(
          "{}: {} is taken, the best of {} runs by validation {}, {}; {} takes another one", folder,
          name_in(folder, best), with_commas(complete.size()), word(least.monitor), value, by)) +
      "\n");
  return best;
}

}  // namespace

std::vector<std::string> runs_in(const std::string& folder) {
  if (is_run(folder)) return {folder};
  std::vector<std::string> runs;
  add_runs(folder, 3, runs);
  return runs;
}

std::string chosen_model(const std::string& given, const std::string& run, const std::string& by) {
  std::error_code unknown;
  const bool one = !fs::is_directory(given, unknown) || model_path(given) != given || is_run(given);
  if (one && run.empty()) return given;
  if (one)
    refuse("--run {}: chooses among the runs of a folder, but {} is one model; leave it out", run,
           given);
  const std::vector<std::string> runs = runs_in(given);
  if (!run.empty()) {
    const std::string path = (fs::path(given) / run).lexically_normal().string();
    const auto found = std::find_if(runs.begin(), runs.end(), [&](const std::string& there) {
      return there == path || there + "/" == path;
    });
    if (found == runs.end())
      refuse("--run {}: {} has no such run; {}", run, given,
             runs.empty() ? "give a folder that \"sluice train --out\" made"
                          : fmt::format("give one of {}", fmt::join(names_in(given, runs), ", ")));
    return *found;
  }
  if (runs.empty()) return given;
  if (!fs::exists(fs::path(given) / "comparison.json", unknown))
    refuse("{}: is a directory of runs; say which one is meant with {}: {}", given, by,
           fmt::join(names_in(given, runs), ", "));
  return best_run(given, runs, by);
}

}  // namespace sluice::tools
