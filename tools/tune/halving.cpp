#include "halving.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sluice::tools {
namespace {

/// Returns the state of a trial at a rung; null if it did not reach it. A complete trial counts at
/// all later rungs too.
const Rung* rung_at(const Trial& trial, std::int64_t epochs) {
  if (trial.state == State::complete && epochs > trial.rungs.back().epochs)
    return &trial.rungs.back();
  for (const Rung& rung : trial.rungs)
    if (rung.epochs == epochs) return &rung;
  return nullptr;
}

/// Returns the trials of a bracket that reached a rung, the best first and of equal ones the
/// earlier.
std::vector<const Trial*> ranked(const Study& study, std::int64_t bracket, std::int64_t epochs) {
  std::vector<const Trial*> list;
  for (const Trial& trial : study.trials)
    if (trial.bracket == bracket && rung_at(trial, epochs)) list.push_back(&trial);
  std::stable_sort(list.begin(), list.end(), [&](const Trial* a, const Trial* b) {
    return rung_at(*a, epochs)->score.value < rung_at(*b, epochs)->score.value;
  });
  return list;
}

bool waits_at(const Trial& trial, std::int64_t epochs) {
  return trial.state == State::pruned && trial.rungs.back().epochs == epochs;
}

/// Returns the share of trials that Hyperband begins at each rung: ceil(rungs / (rungs left) *
/// eta^(rungs left - 1)).
std::vector<double> bracket_weights(const Recipe& recipe, std::size_t rungs) {
  std::vector<double> weights;
  for (std::size_t first = 0; first < rungs; ++first) {
    const double left = double(rungs - first);
    double power = 1;
    for (double i = 1; i < left; ++i) power *= double(recipe.tune_eta);
    weights.push_back(std::ceil(double(rungs) / left * power));
  }
  return weights;
}

}  // namespace

std::vector<std::int64_t> rung_epochs(const Recipe& recipe) {
  std::vector<std::int64_t> rungs;
  if (recipe.tune_halving != Halving::none)
    for (std::int64_t epochs = recipe.tune_min_epochs; epochs < recipe.epochs;
         epochs *= recipe.tune_eta)
      rungs.push_back(epochs);
  rungs.push_back(recipe.epochs);
  return rungs;
}

std::int64_t first_rung(const Recipe& recipe, std::uint64_t number) {
  const std::vector<std::int64_t> rungs = rung_epochs(recipe);
  if (recipe.tune_halving == Halving::none) return 0;
  if (recipe.tune_halving == Halving::halving) return rungs.front();
  const std::vector<double> weights = bracket_weights(recipe, rungs.size());
  double all = 0;
  for (const double w : weights) all += w;
  std::vector<double> given(rungs.size());
  std::size_t most = 0;
  // gives each trial to the bracket that is furthest below its share
  for (std::uint64_t n = 0; n <= number; ++n) {
    const auto owed = [&](std::size_t b) { return weights[b] / all * double(n + 1) - given[b]; };
    most = 0;
    for (std::size_t b = 1; b < rungs.size(); ++b)
      if (owed(b) > owed(most)) most = b;
    given[most] += 1;
  }
  return rungs[most];
}

std::optional<Promotion> promotion(const Study& study, const Recipe& recipe) {
  const std::vector<std::int64_t> rungs = rung_epochs(recipe);
  for (std::size_t k = rungs.size() - 1; k-- > 0;)
    for (const std::int64_t bracket : rungs) {
      const std::vector<const Trial*> list = ranked(study, bracket, rungs[k]);
      for (std::size_t i = 0; i < list.size() / std::size_t(recipe.tune_eta); ++i)
        if (waits_at(*list[i], rungs[k])) return Promotion{list[i]->number, rungs[k + 1]};
    }
  return std::nullopt;
}

std::optional<Promotion> last_promotion(const Study& study, const Recipe& recipe) {
  if (study.best()) return std::nullopt;
  const std::vector<std::int64_t> rungs = rung_epochs(recipe);
  for (std::size_t k = rungs.size() - 1; k-- > 0;) {
    const Trial* best = nullptr;
    for (const Trial& trial : study.trials)
      if (waits_at(trial, rungs[k]) &&
          (!best || trial.rungs.back().score.value < best->rungs.back().score.value))
        best = &trial;
    if (best) return Promotion{best->number, rungs[k + 1]};
  }
  return std::nullopt;
}

std::vector<PastTrial> history(const Study& study, const Recipe& recipe) {
  const std::vector<std::int64_t> rungs = rung_epochs(recipe);
  const bool halves = rungs.size() > 1;
  const auto enough = std::ptrdiff_t(study.space.parameters.size()) + 2;
  std::int64_t rung = rungs.front();
  for (const std::int64_t r : rungs)
    if (std::count_if(study.trials.begin(), study.trials.end(),
                      [&](const Trial& t) { return rung_at(t, r); }) >= enough)
      rung = r;
  std::vector<PastTrial> seen;
  for (const Trial& trial : study.trials) {
    PastTrial one;
    one.point = trial.point;
    // An unfit trial is left out, since `allowed` excludes such points already.
    one.failed = trial.state == State::failed;
    const Rung* const at = halves                ? rung_at(trial, rung)
                           : trial.rungs.empty() ? nullptr
                                                 : &trial.rungs.back();
    if (at && !one.failed) one.value = at->score.value;
    one.running = !one.failed && !one.value &&
                  (trial.state == State::running || trial.state == State::waiting);
    seen.push_back(std::move(one));
  }
  return seen;
}

}  // namespace sluice::tools
