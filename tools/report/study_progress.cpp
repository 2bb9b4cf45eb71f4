// The progress of a study, by trial and by epoch.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <utility>

#include "../common/print.h"
#include "draw.h"
#include "markup.h"
#include "study.h"

namespace sluice::tools {
namespace {

constexpr std::size_t most_curves = 200, curve_stretches = 30;

/// Returns the best value so far as steps: a point before and one after each change.
Points best_so_far(const Study& study) {
  Points steps{.name = "best so far", .shape = Points::none, .color = 2, .joined = true};
  const auto add = [&](double x, double y) { steps.x.push_back(x), steps.y.push_back(y); };
  const std::vector<ScoredTrial> trials = complete_trials(study);
  double best = 0;
  for (const ScoredTrial& scored : trials) {
    const double number = double(scored.trial->number);
    if (!steps.x.empty() && scored.value >= best) continue;
    if (!steps.x.empty()) add(number, drawn(study, best));
    best = scored.value;
    add(number, drawn(study, best));
  }
  if (!steps.x.empty() && !study.trials.empty())
    add(double(study.trials.back().number), drawn(study, best));
  return steps;
}

std::string history(const Study& study) {
  const Objective objective = objective_of(study);
  const Trial* const best = best_of(study);
  std::string title = "Optimization history: no trial is complete yet";
  if (best)
    title = fmt::format("Optimization history: the best {} is {}, of trial {} of {}",
                        objective.name, score_text(study, last_score(*best).value_or(no_score)),
                        best->number, with_commas(study.trials.size()));
  std::vector<Points> series =
      points_of(study, [](const Trial& trial) { return double(trial.number); });
  series.insert(series.begin(), best_so_far(study));
  return scatter({.title = title,
                  .x = {.label = "trial",
                        .whole = true,
                        .low = 0,
                        .high = std::max(1.0, double(study.trials.back().number))},
                  .y = objective_axis(study),
                  .series = series});
}

/// Returns the validation of a trial by epoch: the mean over the folds, as far as all of them went.
Series curve_of(const Study& study, const Trial& trial) {
  Series curve;
  std::map<std::int64_t, std::pair<std::size_t, double>> sums;  // by epoch
  std::size_t folds = 0;
  for (const FoldResult& fold : trial.folds) {
    folds += !fold.curve.empty();
    for (std::size_t i = 0; i < std::min(fold.curve.size(), fold.epoch.size()); ++i) {
      auto& [count, sum] = sums[fold.epoch[i]];
      ++count, sum += fold.curve[i];
    }
  }
  for (const auto& [epoch, sum] : sums)
    if (sum.first == folds)
      curve.x.push_back(double(epoch)), curve.y.push_back(drawn(study, sum.second / double(folds)));
  if (curve.x.empty())
    for (const Rung& rung : trial.rungs)
      curve.x.push_back(double(rung.epochs)), curve.y.push_back(drawn(study, rung.score.value));
  return thinned(curve, curve_stretches);
}

struct TrialCurve {
  const Trial* trial;
  Series curve;
};

/// Returns the curves of all trials that have one.
std::vector<TrialCurve> curves_of(const Study& study) {
  std::vector<TrialCurve> curves;
  for (const Trial& trial : study.trials)
    if (Series curve = curve_of(study, trial); !curve.x.empty())
      curves.push_back({&trial, std::move(curve)});
  return curves;
}

struct Kind {
  const char* name;
  int color;
  bool (*holds)(State);
};
constexpr Kind kinds[] = {
    {"pruned", 7, [](State s) { return s == State::pruned; }},
    {"failed", 4, [](State s) { return s == State::failed; }},
    {"running", 5, [](State s) { return s == State::running || s == State::waiting; }},
    {"complete", 1, [](State s) { return s == State::complete; }}};

/// Returns the curves to draw, with the best on top and the complete ones below it.
/// @param every  one of this many is drawn
std::vector<Series> drawn_curves(const Study& study, const std::vector<TrialCurve>& curves,
                                 std::size_t every) {
  const Trial* const best = best_of(study);
  std::vector<Series> series;
  for (const Kind& kind : kinds) {
    std::string name = kind.name;
    for (std::size_t i = 0; i < curves.size(); i += every) {
      if (!kind.holds(curves[i].trial->state) || curves[i].trial == best) continue;
      series.push_back(curves[i].curve);
      series.back().name = std::exchange(name, ""), series.back().color = kind.color,
      series.back().faint = true;
    }
  }
  for (const TrialCurve& c : curves)
    if (c.trial == best)
      series.push_back(c.curve), series.back().name = "the best", series.back().color = 2;
  return series;
}

std::string intermediate(const Study& study) {
  const std::vector<TrialCurve> curves = curves_of(study);
  if (std::all_of(curves.begin(), curves.end(),
                  [](const TrialCurve& c) { return c.curve.x.size() < 2; }))
    return "";
  const std::size_t every = (curves.size() + most_curves - 1) / most_curves;
  const std::vector<Series> series = drawn_curves(study, curves, every);
  Extent drawn_values;
  for (const Series& s : series)
    for (const double y : s.y)
      if (std::isfinite(y)) drawn_values.take(y);
  const auto pruned = std::count_if(curves.begin(), curves.end(), [](const TrialCurve& c) {
    return c.trial->state == State::pruned;
  });
  const std::string title =
      pruned == 0
          ? fmt::format("Validation while training, of {}", counted(curves.size(), "trial"))
          : fmt::format("Validation while training: {} of {} pruned",
                        with_commas(std::uint64_t(pruned)), counted(curves.size(), "trial"));
  std::string note = "Mean over a trial\u2019s folds and seeds, as far as all of them went.";
  if (!study.core.empty() && study.type != SLUICE_F32)
    note += fmt::format(
        " The curves are those of the float network; a trial is judged by its {} model.",
        word(study.type));
  if (every > 1) note += fmt::format(" One trial of {} is drawn.", every);
  return line_chart({.title = title,
                     .x = {.label = "epoch", .whole = true},
                     .y = over(objective_of(study).axis(), drawn_values),
                     .series = series,
                     .note = note});
}

}  // namespace

std::string study_progress(const Study& study) {
  if (study.trials.empty()) return section("Progress", missing("No trial has begun yet."));
  if (std::none_of(study.trials.begin(), study.trials.end(),
                   [](const Trial& t) { return last_score(t).has_value(); }))
    return section("Progress", missing("No trial has a value yet, so there is nothing to draw."));
  const std::string curves = intermediate(study);
  return section("Progress",
                 charts(history(study) + curves) +
                     (curves.empty() ? missing("No trial has a validation curve.") : ""));
}

}  // namespace sluice::tools
