// The objective against each parameter, and all parameters together.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "../common/print.h"
#include "../recipe/keys.h"
#include "draw.h"
#include "markup.h"
#include "study.h"
#include "style.h"

namespace sluice::tools {
namespace {

std::string value_or_none(const Study& study, std::size_t parameter, const Trial& trial) {
  const double value = trial.point[parameter];
  return std::isnan(value) ? "not in force" : brief_text(study.space.parameters[parameter], value);
}

/// Returns "elastic = 1e-4, l1_ratio = 0.5".
std::string brief_point(const Space& space, const Point& point) {
  std::string text;
  for (std::size_t i = 0; i < space.parameters.size(); ++i)
    if (!std::isnan(point[i]))
      text +=
          fmt::format("{}{} = {}", text.empty() ? "" : ", ", shortened(short_name(space, i), 40),
                      brief_text(space.parameters[i], point[i]));
  return text;
}

std::string slice(const Study& study, std::size_t parameter) {
  const Trial* const best = best_of(study);
  const std::string name = shortened(short_name(study.space, parameter), 40);
  return scatter(
      {.title =
           best ? fmt::format("{}: {} in the best", name, value_or_none(study, parameter, *best))
                : name,
       .x = parameter_axis(study.space, parameter),
       .y = objective_axis(study),
       .series = points_of(study, [&](const Trial& trial) { return trial.point[parameter]; })});
}

/// Returns the number in force if it is the only one.
std::optional<std::size_t> only_number(const Space& space, const Point& point) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < space.parameters.size(); ++i) {
    if (space.parameters[i].kind == Parameter::choice || std::isnan(point[i])) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

/// A curve of a study in which one number varies, and at most one choice.
struct Curve {
  std::size_t number;
  double choice;  ///< NaN: none
  std::vector<ScoredTrial> trials;
};

/// Returns nothing if more parameters vary.
std::vector<Curve> curves_of(const Study& study) {
  const std::vector<Parameter>& parameters = study.space.parameters;
  const auto is_choice = [](const Parameter& p) { return p.kind == Parameter::choice; };
  if (std::count_if(parameters.begin(), parameters.end(), is_choice) > 1) return {};
  const auto choice = std::find_if(parameters.begin(), parameters.end(), is_choice);
  std::map<std::pair<std::size_t, double>, std::vector<ScoredTrial>> groups;
  for (const ScoredTrial& scored : complete_trials(study)) {
    const Point& point = scored.trial->point;
    const std::optional<std::size_t> number = only_number(study.space, point);
    if (!number) return {};
    const double chosen =
        choice == parameters.end() ? -1 : point[std::size_t(choice - parameters.begin())];
    groups[{*number, std::isnan(chosen) ? -1 : chosen}].push_back(scored);
  }
  if (groups.size() > series_colors) return {};
  std::vector<Curve> curves;
  for (auto& [key, trials] : groups) {
    const std::size_t number = key.first;
    std::sort(trials.begin(), trials.end(), [&](const ScoredTrial& a, const ScoredTrial& b) {
      return a.trial->point[number] < b.trial->point[number];
    });
    curves.push_back({number, key.second < 0 ? std::nan("") : key.second, trials});
  }
  return curves;
}

/// Returns a range that contains those of all curves' numbers.
Axis axis_of(const Space& space, const std::vector<Curve>& curves) {
  Axis axis = parameter_axis(space, curves[0].number);
  for (const Curve& curve : curves) {
    const Axis other = parameter_axis(space, curve.number);
    if (curve.number != curves[0].number) axis.label = "the number in force";
    axis.low = std::min(axis.low, other.low), axis.high = std::max(axis.high, other.high);
    axis.logarithmic = axis.logarithmic && other.logarithmic,
    axis.whole = axis.whole && other.whole;
  }
  return axis;
}

/// Returns the objective against the one number, with standard errors.
std::string curves_chart(const Study& study, const std::vector<Curve>& curves) {
  const Space& space = study.space;
  const auto choice = std::find_if(space.parameters.begin(), space.parameters.end(),
                                   [](const Parameter& p) { return p.kind == Parameter::choice; });
  const bool one_number = std::all_of(curves.begin(), curves.end(),
                                      [&](const Curve& c) { return c.number == curves[0].number; });
  Extent values;
  bool any_error = false;
  Scatter chart;
  chart.x = axis_of(space, curves);
  for (const Curve& curve : curves) {
    Points points{.color = int(chart.series.size()) + 1, .joined = true};
    if (!one_number) points.name = short_name(space, curve.number);
    if (!std::isnan(curve.choice))
      points.name += fmt::format("{}{} = {}", points.name.empty() ? "" : ", ",
                                 short_name(space, std::size_t(choice - space.parameters.begin())),
                                 value_text(*choice, curve.choice));
    for (const ScoredTrial& scored : curve.trials) {
      points.x.push_back(scored.trial->point[curve.number]);
      points.y.push_back(drawn(study, scored.value));
      points.error.push_back(drawn_error(study, last_score(*scored.trial).value_or(no_score)));
      const double y = points.y.back(), error = points.error.back();
      values.take(y);
      if (!is_number(error)) continue;
      any_error = true;
      // An error bar that reaches below 0 must not prevent a logarithmic axis.
      for (const double end : {y - error, y + error})
        if (end > 0 || y <= 0) values.take(end);
    }
    chart.series.push_back(points);
  }
  chart.y = over(objective_of(study).axis(), values);
  const Objective objective = objective_of(study);
  chart.title = fmt::format("Validation {} against {}", objective.name, chart.x.label);
  if (const Trial* const best = best_of(study)) {
    chart.series.push_back({.name = "the best",
                            .x = {best->point[only_number(space, best->point).value_or(0)]},
                            .y = {drawn(study, last_score(*best).value_or(no_score).value)},
                            .shape = Points::winner,
                            .color = 2});
    chart.title += fmt::format(": {} {} at {}", objective.share ? "highest" : "lowest",
                               score_text(study, last_score(*best).value_or(no_score)),
                               brief_point(space, best->point));
  }
  if (any_error)
    chart.note =
        "Bars: one standard error of the mean over folds and seeds, in both directions; those of "
        "several curves are drawn side by side.";
  return scatter(chart);
}

std::string parallel(const Study& study) {
  std::vector<ScoredTrial> trials = complete_trials(study);
  std::stable_sort(trials.begin(), trials.end(),
                   [](const ScoredTrial& a, const ScoredTrial& b) { return a.value > b.value; });
  Parallel chart;
  chart.title = fmt::format(
      "{} together: every line is a trial",
      trials.size() > most_drawn
          ? fmt::format("The best {} of {}", most_drawn, counted(trials.size(), "complete trial"))
          : counted(trials.size(), "complete trial"));
  if (trials.size() > most_drawn) trials.erase(trials.begin(), trials.end() - most_drawn);
  for (std::size_t i = 0; i < study.space.parameters.size(); ++i)
    chart.axes.push_back(parameter_axis(study.space, i));
  chart.axes.push_back(complete_axis(study));
  for (std::size_t i = 0; i < trials.size(); ++i) {
    chart.lines.push_back(trials[i].trial->point);
    chart.lines.back().push_back(drawn(study, trials[i].value));
    chart.shares.push_back(trials.size() > 1 ? double(i) / double(trials.size() - 1) : 1);
    if (trials[i].trial == best_of(study)) chart.winner = i;
  }
  chart.low = "worst", chart.high = "best";
  chart.note = "Colors by rank among them.";
  const auto has_gap = [](const std::vector<double>& l) {
    return std::any_of(l.begin(), l.end(), [](double v) { return std::isnan(v); });
  };
  if (std::any_of(chart.lines.begin(), chart.lines.end(), has_gap))
    chart.note += " \u201coff\u201d: the parameter is not in force.";
  return parallel_coordinates(chart);
}

}  // namespace

std::string study_slices(const Study& study) {
  const std::size_t complete = complete_trials(study).size();
  if (std::count_if(study.trials.begin(), study.trials.end(),
                    [](const Trial& t) { return last_score(t).has_value(); }) < 2)
    return section(
        "By parameter",
        missing(
            "Fewer than two trials have a value, so the effect of a parameter cannot be shown."));
  std::string drawn;
  const std::vector<Curve> curves = curves_of(study);
  if (!curves.empty()) drawn = curves_chart(study, curves);
  for (std::size_t i = 0; i < study.space.parameters.size() && curves.empty(); ++i)
    drawn += slice(study, i);
  if (complete > 1) drawn += parallel(study);
  std::string html = charts(drawn);
  if (complete < 2)
    html += missing(fmt::format("{} complete; this chart needs two.",
                                complete == 0 ? "No trial is" : "One trial is"));
  return section("By parameter", html);
}

}  // namespace sluice::tools
