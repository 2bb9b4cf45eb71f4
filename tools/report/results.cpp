// The quality of a model on its data: measures, confusion and classes; for values predicted against
// true ones.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/print.h"
#include "../evaluate/measures.h"
#include "charts.h"
#include "markup.h"
#include "report.h"

namespace sluice::tools {
namespace {

// limit of the classes with names and numbers in their cells
constexpr std::size_t most_named = 24;
constexpr std::size_t most_rows = 200;     // of a drawn confusion; more classes are grouped
constexpr std::size_t most_points = 1500;  // of a scatter chart
constexpr std::size_t most_scatters = 4;
constexpr std::size_t most_pairs = 12;

std::string confusion_title(const Evaluation& e, const std::vector<Mistake>& wrong) {
  std::string right =
      fmt::format("Confusion: {} of {} right", with_commas(e.correct), with_commas(e.targets));
  if (wrong.empty()) return right;
  return fmt::format("{}; most often {} is taken for {} ({})", right,
                     shortened(e.labels[wrong[0].truth], 24),
                     shortened(e.labels[wrong[0].guess], 24), counted(wrong[0].count, "time"));
}

/// Returns the confusion with each `each` classes counted as one.
std::vector<std::uint64_t> grouped(const Evaluation& e, std::size_t each, std::size_t groups) {
  const std::size_t n = e.labels.size();
  std::vector<std::uint64_t> counts(groups * groups);
  for (std::size_t i = 0; i < n * n; ++i)
    counts[i / n / each * groups + i % n / each] += e.confusion[i];
  return counts;
}

std::string confusion_chart(const Evaluation& e, const std::vector<Mistake>& wrong) {
  const std::size_t n = e.labels.size(), each = (n + most_rows - 1) / most_rows,
                    groups = (n + each - 1) / each;
  const std::vector<std::uint64_t> counts = grouped(e, each, groups);
  HeatMap map{.title = confusion_title(e, wrong),
              .x = {.label = "predicted class"},
              .y = {.label = "true class"},
              .rows = groups,
              .columns = groups};
  for (std::size_t row = 0; row < groups; ++row) {
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < groups; ++i) all += counts[row * groups + i];
    for (std::size_t i = 0; i < groups; ++i)
      map.values.push_back(all ? double(counts[row * groups + i]) / double(all) : 0);
  }
  map.note = "Color: share of the true class.";
  if (n <= most_named) {
    map.row_names = map.column_names = e.labels;
    for (const std::uint64_t count : counts)
      map.texts.push_back(count ? std::to_string(count) : "");
  } else {
    map.square = true;
    map.each = double(each);
    if (each > 1) map.note += fmt::format(" A cell stands for {} by {} classes.", each, each);
  }
  return heat_map(map);
}

std::string classes(const Evaluation& e) {
  const std::vector<Mistake> wrong = mistakes(e);
  std::string inside = charts(confusion_chart(e, wrong));
  if (e.labels.size() > most_named && !wrong.empty())
    inside += "<h3>Most frequent mistakes</h3>\n" + html_table(mistake_rows(e, most_pairs));
  return inside + "<h3>Every class</h3>\n" + html_table(class_rows(e));
}

/// Returns true and predicted values of one output; of all if `output` is npos.
Series points_of(const Measured& measured, std::size_t output) {
  const DataSet& data = *measured.part.data;
  Series points{"", {}, {}, 1, true};
  auto answer = measured.evaluation.answers.begin();
  for (const std::size_t s : measured.part.sequences)
    each_answered(measured.evaluation, data, s, [&](std::size_t target) {
      for (std::size_t k = 0; k < data.outputs(); ++k) {
        const float value = data.value_at(target, k);
        if (std::isnan(value)) continue;  // masked, without an answer
        const double truth = double(value), error = (*answer++).error;
        if (output == std::string::npos || k == output)
          points.x.push_back(truth), points.y.push_back(truth + error);
      }
    });
  return points;
}

Series fewer(const Series& all) {
  const std::size_t every = (all.x.size() + most_points - 1) / most_points;
  if (every <= 1) return all;
  Series points = all;
  points.x.clear(), points.y.clear();
  for (std::size_t i = 0; i < all.x.size(); i += every)
    points.x.push_back(all.x[i]), points.y.push_back(all.y[i]);
  return points;
}

std::string scatter(const Measured& measured, std::size_t output, const std::string& name) {
  const Series all = points_of(measured, output), shown = fewer(all);
  double squares = 0;
  for (std::size_t i = 0; i < all.x.size(); ++i)
    squares += (all.y[i] - all.x[i]) * (all.y[i] - all.x[i]);
  const double error = std::sqrt(squares / double(all.x.size()));
  const char* const what =
      measured.part.data->difference ? "difference from the window\u2019s last value" : "value";
  return line_chart(
      {.title = fmt::format("{}: predicted over true; root mean squared error {}",
                            shortened(name, 40), figure_text(error)),
       .x = {.label = fmt::format("true {}", what)},
       .y = {.label = fmt::format("predicted {}", what)},
       .series = {shown},
       .note = shown.x.size() < all.x.size()
                   ? fmt::format(
                         "{} of {} answers, evenly chosen; on the dotted line they would be right.",
                         with_commas(shown.x.size()), with_commas(all.x.size()))
                   : "On the dotted line the answers would be right.",
       .square = true});
}

/// Returns the root mean squared error of each of many outputs, to show how it grows with the
/// horizon.
std::string errors_by_output(const Measured& measured) {
  const std::size_t outputs = measured.part.data->outputs();
  Series series{"", {}, {}, 1};
  for (std::size_t k = 0; k < outputs; ++k) {
    const Series points = points_of(measured, k);
    double squares = 0;
    for (std::size_t i = 0; i < points.x.size(); ++i)
      squares += (points.y[i] - points.x[i]) * (points.y[i] - points.x[i]);
    series.x.push_back(double(k + 1)),
        series.y.push_back(std::sqrt(squares / double(points.x.size())));
  }
  return line_chart({.title = fmt::format("Error of each of {} values: {} to {}", outputs,
                                          shortened(measured.evaluation.labels.front(), 20),
                                          shortened(measured.evaluation.labels.back(), 20)),
                     .x = {.label = "value, in the recipe\u2019s order", .whole = true},
                     .y = {.label = "root mean squared error"},
                     .series = {series}});
}

std::string values(const Measured& measured) {
  const std::vector<std::string>& labels = measured.evaluation.labels;
  std::string drawn = over_time(measured);
  if (labels.size() > most_scatters)
    return charts(drawn + scatter(measured, std::string::npos, "All values") +
                  errors_by_output(measured));
  for (std::size_t k = 0; k < labels.size(); ++k) drawn += scatter(measured, k, labels[k]);
  return charts(drawn);
}

/// Of one answer, or of one head.
std::string measures_of(const Measured& measured, bool whole) {
  const Evaluation& e = measured.evaluation;
  if (e.targets == 0) return missing("It has no target in this part.");
  std::string inside = html_table(measure_rows(e));
  if (!e.classes && e.labels.size() > 1)
    inside += "<h3>Each target</h3>\n" + html_table(target_rows(e));
  if (!whole) return inside;
  if (!e.confusion.empty()) inside += classes(e);
  if (!e.classes) inside += values(measured);
  return inside;
}

std::string result(const Measured& measured, bool whole) {
  const Evaluation& e = measured.evaluation;
  std::string inside = fmt::format("<h3>On the {} part: {}, {}</h3>\n", measured.part.name,
                                   counted(e.sequences, "sequence"), counted(e.frames, "frame"));
  if (e.heads.empty()) return inside + measures_of(measured, whole);
  inside += paragraph(fmt::format("Loss {}: the sum of the losses below, each times its weight.",
                                  figure_text(e.loss)));
  for (std::size_t i = 0; i < e.heads.size(); ++i) {
    const DataSet targets = head_targets(*measured.part.data, i);
    inside += fmt::format("<h3>{}: weight {}, {} part</h3>\n", escaped(e.heads[i].name),
                          figure_text(e.heads[i].weight), measured.part.name);
    inside +=
        measures_of({{measured.part.name, &targets, measured.part.sequences}, e.heads[i]}, whole);
  }
  return inside;
}

}  // namespace

std::string results(const std::vector<Measured>& measured) {
  std::string inside;
  if (measured.front().part.name == "training")
    inside += missing(
        "Nothing was held out: these are figures of the sequences that the network was trained "
        "on.");
  for (const Measured& one : measured) inside += result(one, &one == &measured.front());
  return section("Result", inside);
}

}  // namespace sluice::tools
