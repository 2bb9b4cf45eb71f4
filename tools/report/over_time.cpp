// True and predicted values of a regression over time: a stretch of windows of a series, or of
// sequences that are answered at every row.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

#include "../common/print.h"
#include "../evaluate/measures.h"
#include "charts.h"
#include "markup.h"
#include "report.h"

namespace sluice::tools {
namespace {

constexpr std::size_t most_times = 300;  // of the stretch
constexpr std::size_t most_columns = 4;  // of the targets, a chart each

/// The values of one target in the stretch, by time: rows of the series, or rows of the part.
struct TimeValues {
  std::map<std::size_t, double> truth;
  std::vector<std::map<std::size_t, double>> predicted;  ///< by the step of the horizon
};

/// Returns the values of every target column over the first rows of the part.
/// @param columns  output i is of column i % columns, at step i / columns of the horizon
std::vector<TimeValues> values_of(const Measured& measured, std::size_t columns) {
  const DataSet& data = *measured.part.data;
  const std::size_t outputs = data.outputs();
  std::vector<TimeValues> values(columns);
  for (TimeValues& one : values) one.predicted.resize(outputs / columns);
  auto answer = measured.evaluation.answers.begin();
  std::size_t row = 0;  // of the part; a row lies empty between two sequences
  for (const std::size_t s : measured.part.sequences) {
    row += row > 0 && !data.window && data.begins(s);
    bool full = false;
    each_answered(measured.evaluation, data, s, [&](std::size_t t) {
      full = full ||
             (data.window ? t - measured.part.sequences.front() >= most_times : row >= most_times);
      if (full) return;
      ++row;
      for (std::size_t output = 0; output < outputs; ++output) {
        const std::size_t step = output / columns;
        const float value = data.value_at(t, output);
        if (std::isnan(value)) continue;  // masked, without an answer
        const double last = data.difference ? double(data.last_at(t, output)) : 0,
                     truth = last + double(value), error = (*answer++).error;
        const std::size_t time = data.window ? data.first[s] + data.window + step : row;
        values[output % columns].truth[time] = truth;
        values[output % columns].predicted[step][time] = truth + error;
      }
    });
    if (full) return values;
  }
  return values;
}

/// Returns a curve with a gap wherever a time is missing.
/// @param stride  the distance of two times without a gap
Series curve(const std::string& name, const std::map<std::size_t, double>& values,
             std::size_t stride, int color) {
  Series series{name, {}, {}, color};
  for (const auto& [time, value] : values) {
    if (!series.x.empty() && double(time) > series.x.back() + double(stride))
      series.x.push_back(series.x.back()), series.y.push_back(std::nan(""));
    series.x.push_back(double(time)), series.y.push_back(value);
  }
  return series;
}

std::string chart_of(const Measured& measured, const TimeValues& values, const std::string& name) {
  const DataSet& data = *measured.part.data;
  const std::vector<std::size_t>& sequences = measured.part.sequences;
  const std::size_t steps = values.predicted.size();
  const std::size_t stride =
      data.window && sequences.size() > 1 ? data.first[sequences[1]] - data.first[sequences[0]] : 1;
  double squares = 0;
  for (const auto& [time, value] : values.predicted[0])
    squares += (value - values.truth.at(time)) * (value - values.truth.at(time));
  const double error = std::sqrt(squares / double(values.predicted[0].size()));
  const auto ahead = [&](std::size_t step) {
    return steps == 1 ? std::string("predicted")
                      : fmt::format("predicted {} ahead", counted(step + 1, "row"));
  };
  LineChart chart{
      .title =
          fmt::format("{} over time: root mean squared error {}{} in this stretch",
                      shortened(name, 40), figure_text(error), steps == 1 ? "" : " one row ahead"),
      .x = {.label = data.window ? "row of the file" : "step", .whole = true},
      .y = {.label = "value"},
      .series = {curve("true", values.truth, stride, 1)},
      .note = fmt::format("The first {} of the {} part{}.",
                          counted(values.predicted[0].size(), "answer"), measured.part.name,
                          data.window ? ""
                                      : ", one sequence after another; gaps lie between them and "
                                        "at rows without a target")};
  chart.series.push_back(curve(ahead(0), values.predicted[0], stride, 2));
  if (steps > 1)
    chart.series.push_back(curve(ahead(steps - 1), values.predicted[steps - 1], stride, 3));
  return line_chart(chart);
}

}  // namespace

std::string over_time(const Measured& measured) {
  const DataSet& data = *measured.part.data;
  if (!data.window && !data.per_row) return "";  // sequences have no order in time
  const Evaluation& e = measured.evaluation;
  const std::size_t columns = column_count(e);
  const std::vector<TimeValues> values = values_of(measured, columns);
  std::string drawn;
  for (std::size_t c = 0; c < std::min(columns, most_columns); ++c) {
    std::string name = e.labels[c];
    if (columns < e.labels.size()) name.resize(name.size() - 2);  // "load" of "load+1"
    if (!values[c].predicted[0].empty()) drawn += chart_of(measured, values[c], name);
  }
  return drawn;
}

}  // namespace sluice::tools
