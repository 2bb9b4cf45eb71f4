// How a study went: trial after trial, and epoch after epoch.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "../common/print.h"
#include "draw.h"
#include "markup.h"
#include "study.h"

namespace sluice::tools {
namespace {

constexpr std::size_t most_curves = 200, curve_stretches = 30;

/// The best so far as steps: a point before and one behind each change.
Points best_so_far(const Study& study) {
  Points steps{.name = "best so far", .shape = Points::none, .color = 2, .joined = true};
  const auto add = [&](double x, double y) { steps.x.push_back(x), steps.y.push_back(y); };
  const std::vector<Judged> trials = complete_trials(study);
  double best = 0;
  for (const Judged& judged : trials) {
    const double number = double(judged.trial->number);
    if (!steps.x.empty() && judged.value >= best) continue;
    if (!steps.x.empty()) add(number, drawn(study, best));
    best = judged.value;
    add(number, drawn(study, best));
  }
  if (!steps.x.empty() && !study.trials.empty()) add(double(study.trials.back().number), drawn(study, best));
  return steps;
}

std::string history(const Study& study) {
  const Objective objective = objective_of(study);
  const Trial* const best = best_of(study);
  std::string title = "Optimization history: no trial is complete yet";
  if (best)
    title = fmt::format("Optimization history: the best {} is {}, of trial {} of {}", objective.name,
                        score_text(study, *standing(*best)), best->number, with_commas(study.trials.size()));
  std::vector<Points> series = points_of(study, [](const Trial& trial) { return double(trial.number); });
  series.insert(series.begin(), best_so_far(study));
  return scatter({.title = title,
                  .x = {.label = "trial", .whole = true, .low = 0, .high = std::max(1.0, double(study.trials.back().number))},
                  .y = objective_axis(study),
                  .series = series});
}

/// What validation said, epoch after epoch: the mean over the folds, as far as all of them went.
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
    if (sum.first == folds) curve.x.push_back(double(epoch)), curve.y.push_back(drawn(study, sum.second / double(folds)));
  if (curve.x.empty())
    for (const Rung& rung : trial.rungs)
      curve.x.push_back(double(rung.epochs)), curve.y.push_back(drawn(study, rung.score.value));
  return thinned(curve, curve_stretches);
}

std::string intermediate(const Study& study) {
  std::vector<const Trial*> trials;
  std::size_t longest = 0;
  for (const Trial& trial : study.trials)
    if (const std::size_t points = curve_of(study, trial).x.size(); points > 0)
      trials.push_back(&trial), longest = std::max(longest, points);
  if (longest < 2) return "";
  const std::size_t with_curve = trials.size(), every = (with_curve + most_curves - 1) / most_curves;
  const Trial* const best = best_of(study);
  struct Kind {
    const char* name;
    int color;
    bool (*holds)(const Trial&);
  };
  const Kind kinds[] = {{"pruned", 7, [](const Trial& t) { return t.state == State::pruned; }},
                        {"failed", 4, [](const Trial& t) { return t.state == State::failed; }},
                        {"running", 5, [](const Trial& t) { return t.state == State::running || t.state == State::waiting; }},
                        {"complete", 1, [](const Trial& t) { return t.state == State::complete; }}};
  std::vector<Series> series;
  for (const Kind& kind : kinds) {
    bool named = false;
    for (std::size_t i = 0; i < trials.size(); i += every) {
      if (!kind.holds(*trials[i]) || trials[i] == best) continue;
      series.push_back(curve_of(study, *trials[i]));
      series.back().name = named ? "" : kind.name;
      series.back().color = kind.color, series.back().faint = true;
      named = true;
    }
  }
  if (best && !curve_of(study, *best).x.empty()) {
    series.push_back(curve_of(study, *best));
    series.back().name = "the best", series.back().color = 2;
  }
  Extent drawn_values;
  for (const Series& s : series)
    for (const double y : s.y)
      if (std::isfinite(y)) drawn_values.take(y);
  const std::int64_t aside =
      std::count_if(trials.begin(), trials.end(), [](const Trial* t) { return t->state == State::pruned; });
  std::string title = fmt::format("Validation while training: {} of {} pruned", with_commas(std::uint64_t(aside)),
                                  counted(with_curve, "trial"));
  if (aside == 0) title = fmt::format("Validation while training, of {}", counted(with_curve, "trial"));
  std::string note = "Mean over a trial\u2019s folds and seeds, as far as all of them went, of the float network.";
  if (every > 1) note += fmt::format(" One trial of {} is drawn.", every);
  return line_chart({.title = title,
                     .x = {"epoch", true},
                     .y = over(objective_of(study).axis(), drawn_values),
                     .series = series,
                     .note = note});
}

}  // namespace

std::string study_progress(const Study& study) {
  if (study.trials.empty()) return section("Progress", missing("No trial has begun yet."));
  if (std::none_of(study.trials.begin(), study.trials.end(), [](const Trial& t) { return standing(t).has_value(); }))
    return section("Progress", missing("No trial has a value yet, so there is nothing to draw."));
  const std::string curves = intermediate(study);
  return section("Progress", charts(history(study) + curves) +
                                 (curves.empty() ? missing("No trial says how validation went while it trained.") : ""));
}

}  // namespace sluice::tools
