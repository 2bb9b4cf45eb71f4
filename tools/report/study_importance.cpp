// The importance of parameters, and the joint effect of the two most important ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "../common/print.h"
#include "../evaluate/evaluate.h"
#include "draw.h"
#include "importance.h"
#include "markup.h"
#include "study.h"

namespace sluice::tools {
namespace {

std::string name_of(const Study& study, std::size_t parameter) {
  return shortened(short_name(study.space, parameter), 40);
}

/// Returns "25 complete trials", or "40 trials as they stood after 9 epochs".
std::string trials_text(const Comparable& comparable) {
  if (comparable.epochs == 0) return counted(comparable.trials.size(), "complete trial");
  return fmt::format("{} after {}", counted(comparable.trials.size(), "trial"),
                     counted(std::uint64_t(comparable.epochs), "epoch"));
}

std::string bars(const Study& study, const Comparable& comparable, const Importance& importance) {
  std::vector<std::size_t> order(importance.alone.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return importance.alone[a] > importance.alone[b];
  });
  Bars chart{.title = fmt::format("{} matters most: alone it explains {} of the variance",
                                  name_of(study, order[0]), percent(importance.alone[order[0]])),
             .x = {.label = "share of the variance (%)"},
             .series = {"share"}};
  for (const std::size_t i : order) {
    chart.rows.push_back(name_of(study, i));
    chart.values.push_back(100 * importance.alone[i]);
  }
  if (order.size() > 1)
    chart.rows.push_back("only together"), chart.values.push_back(100 * importance.together);
  // Smaller differences are noise of the forest.
  for (double& value : chart.values) value = std::floor(value * 10 + 0.5) / 10;
  chart.note = fmt::format(
      "Functional analysis of variance (fANOVA; Hutter, Hoos, Leyton-Brown 2014) over a random "
      "forest fitted to the validation {} of {}, with equal weight for every value of the space. "
      "In trials that were not used to fit it, the forest explains {} of the variance.",
      objective_of(study).name, trials_text(comparable),
      importance.unseen > 0 ? percent(importance.unseen) : "nothing");
  return bar_chart(chart);
}

/// Returns the values at the middles of a chart's rows or columns: each choice, or numbers at equal
/// distances on the axis.
std::vector<double> middles(const Parameter& parameter, const Axis& axis) {
  constexpr std::size_t columns = 64;
  const Scale scale = scale_of(axis, {});
  std::vector<double> values;
  const std::size_t n = axis.names.empty() ? columns : axis.names.size();
  for (std::size_t i = 0; i < n; ++i)
    values.push_back(axis.names.empty() ? std::clamp(scale.value((double(i) + 0.5) / double(n)),
                                                     parameter.low, parameter.high)
                                        : double(i));
  return values;
}

std::string contour(const Study& study, const Comparable& comparable,
                    const Importance& importance) {
  const std::size_t a = importance.first, b = importance.second;
  const Parameter &across = study.space.parameters[a], &up = study.space.parameters[b];
  Scatter chart;
  chart.x = parameter_axis(study.space, a), chart.y = parameter_axis(study.space, b);
  const std::vector<double> columns = middles(across, chart.x), rows = middles(up, chart.y);
  const auto [best, worst] = std::minmax_element(importance.pair.begin(), importance.pair.end());
  chart.ground.rows = rows.size(), chart.ground.columns = columns.size();
  for (std::size_t r = rows.size(); r-- > 0;)
    for (const double column : columns) {
      const double mean =
          importance.pair[cell_of(up, rows[r]) * cells_of(across) + cell_of(across, column)];
      chart.ground.shares.push_back(*worst > *best ? (*worst - mean) / (*worst - *best) : 0);
    }
  const auto figure_of = [&](double value) {
    return figure_text(drawn(study, value)) + (objective_of(study).share ? " %" : "");
  };
  chart.ground.low = figure_of(*worst), chart.ground.high = figure_of(*best);
  Points points{.name = "trials", .color = 8};
  const std::size_t every = (comparable.trials.size() + most_drawn - 1) / most_drawn;
  for (std::size_t i = 0; i < comparable.trials.size(); i += every) {
    const ScoredTrial& scored = comparable.trials[i];
    points.x.push_back(scored.trial->point[a]), points.y.push_back(scored.trial->point[b]);
  }
  chart.series = {points};
  if (const Trial* const winner = best_of(study))
    chart.series.push_back({.name = "the best",
                            .x = {winner->point[a]},
                            .y = {winner->point[b]},
                            .shape = Points::winner,
                            .color = 2});
  chart.title = fmt::format("{} and {}, the two that matter most: validation {} from {} to {}",
                            name_of(study, a), name_of(study, b), objective_of(study).name,
                            figure_of(*best), figure_of(*worst));
  chart.note = fmt::format(
      "Colors: prediction of validation {1} by the forest of {0}, as the mean over all other "
      "parameters.",
      trials_text(comparable), objective_of(study).name);
  if (every > 1) chart.note += fmt::format(" One trial of {} is drawn.", every);
  return scatter(chart);
}

}  // namespace

std::string study_importance(const Study& study) {
  const auto wrapped = [](const std::string& inside) {
    return section("Importance of parameters", inside);
  };
  const Comparable comparable = comparable_trials(study);
  if (study.space.parameters.empty() || comparable.trials.empty())
    return wrapped(missing(fmt::format(
        "Fewer than {} trials can be compared, too few to compute the importance of parameters.",
        least_comparable)));
  std::vector<Point> points;
  std::vector<double> values;
  for (const ScoredTrial& scored : comparable.trials)
    points.push_back(scored.trial->point), values.push_back(scored.value);
  const Importance importance = importance_of(study.space, points, values);
  if (*std::max_element(importance.alone.begin(), importance.alone.end()) <= 0)
    return wrapped(missing(
        fmt::format("The validation {} of {} is the same for all, so no parameter has an effect.",
                    objective_of(study).name, trials_text(comparable))));
  std::string drawn = bars(study, comparable, importance);
  if (!importance.pair.empty()) drawn += contour(study, comparable, importance);
  std::string html = charts(drawn);
  if (importance.unseen <= 0)
    html += missing(
        "The forest cannot predict trials that were not used to fit it, so these shares are noise "
        "until there are more trials.");
  return wrapped(html);
}

}  // namespace sluice::tools
