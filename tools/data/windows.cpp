// Data in time order: its parts, windows over a series, pieces of a stream.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "data.h"
#include "features.h"

namespace sluice::tools {
namespace {

constexpr const char* part_names[] = {"training", "validation", "test"};
constexpr const char* part_keys[] = {"data.train_rows", "data.validation_rows", "data.test_rows"};

void check_range(const RowRange& range, std::size_t rows, const char* key,
                 const std::string& file) {
  if (range.end > rows)
    refuse("{}: {}: rows {}:{}, but the file has {}; end at {} or before", file, key, range.first,
           range.end, rows, rows);
}

std::vector<std::size_t> positions_of(const std::vector<std::string>& names,
                                      const std::vector<std::string>& among, const char* key,
                                      const std::string& file) {
  std::vector<std::size_t> positions;
  for (const std::string& name : names) positions.push_back(need_column(among, name, key, file));
  return positions;
}

/// Adds mean and population deviation of one column over some rows; missing values do not count.
void add_units(const DataSet& series, std::size_t column, const RowRange& rows, Units& units) {
  double sum = 0, squares = 0, n = 0;
  const auto each_value = [&](auto f) {
    for (std::size_t row = rows.first; row < rows.end; ++row)
      if (const float x = series.x[row * series.features() + column]; !std::isnan(x)) f(double(x));
  };
  each_value([&](double x) { sum += x, n += 1; });
  each_value([&](double x) { squares += (x - sum / n) * (x - sum / n); });
  units.mean.push_back(n > 0 ? sum / n : 0.0);
  units.deviation.push_back(squares > 0 ? std::sqrt(squares / n) : 1.0);
}

}  // namespace

std::vector<RowRange> parts_of(const Windows& windows, std::size_t rows, bool learning,
                               const std::string& file) {
  if (!learning) {
    check_range(windows.only, rows, "rows", file);
    return {windows.only.empty() ? RowRange{0, rows} : windows.only};
  }
  if (windows.part[0].empty()) {
    const auto train = std::size_t(std::floor(double(rows) * (1 - windows.validation)));
    if (windows.validation == 0) return {{0, rows}};
    return {{0, train}, {train, rows}};
  }
  std::vector<RowRange> parts;
  for (int i = 0; i < 3; ++i) {
    const RowRange& part = windows.part[i];
    check_range(part, rows, part_keys[i], file);
    for (int before = 0; before < i && !part.empty(); ++before)
      if (part.first < windows.part[before].end)
        refuse("{}: {}: rows {}:{} begin before {} end; give parts that follow one another", file,
               part_keys[i], part.first, part.end, part_keys[before]);
    parts.push_back(part);
  }
  while (parts.back().empty()) parts.pop_back();
  return parts;
}

namespace {

/// The columns of a series: those in the windows, and those whose values in the rows after are the
/// targets.
struct Series {
  DataSet rows;
  std::vector<std::size_t> features, answers;
  float at(std::size_t row, std::size_t column) const {
    return rows.x[row * rows.features() + column];
  }
};

Series series_of(DataSet rows, const std::vector<std::string>& features, const Columns& columns,
                 bool targets, const std::string& file) {
  Series series{std::move(rows), {}, {}};
  series.features = positions_of(features, series.rows.feature_names, "features", file);
  if (targets || columns.windows.difference)
    series.answers = positions_of(columns.target, series.rows.feature_names, "target", file);
  if (columns.windows.difference)
    for (const std::string& name : columns.target)
      if (find_column(features, name) == no_column)
        refuse(
            "{}: {}: is a target, and with data.windows_target = \"difference\" must be a feature "
            "too; add it to data.features",
            file, name);
  return series;
}

/// Adds one window from its first row on.
void add_window(std::size_t row, std::size_t part, DataSet& data) {
  data.first.push_back(row);
  data.names.push_back(std::to_string(row));
  data.part.push_back(std::uint8_t(part));
}

/// Returns mean and population deviation of every target column over the rows that statistics are
/// computed from.
Units units_of(const Series& series, const RowRange& rows, const Windows& windows) {
  Units units;
  for (std::size_t k = 0; k < windows.horizon; ++k)
    for (const std::size_t column : series.answers) add_units(series.rows, column, rows, units);
  if (windows.difference) units.mean.assign(units.mean.size(), 0.0);
  return units;
}

}  // namespace

DataSet cut_windows(DataSet rows, const Columns& columns, const Expected& expected,
                    const std::string& file) {
  const Windows& windows = columns.windows;
  const std::vector<std::string>& wanted =
      expected.learning() ? columns.features : expected.features;
  DataSet data;
  data.feature_names = wanted.empty() ? rows.feature_names : wanted;
  const Series series =
      series_of(std::move(rows), data.feature_names, columns, expected.targets, file);
  const std::size_t count = series.rows.first.back(),
                    horizon = expected.targets ? windows.horizon : 0;
  data.classes = false, data.window = windows.length, data.horizon = windows.horizon;
  data.difference = windows.difference;
  for (std::size_t k = 1; k <= windows.horizon; ++k)
    for (const std::string& name : columns.target)
      data.labels.push_back(windows.horizon == 1 ? name : fmt::format("{}+{}", name, k));

  const std::vector<RowRange> parts = parts_of(windows, count, expected.learning(), file);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    if (parts[p].empty()) continue;
    const std::size_t back =
        p > 0 && windows.reach_back ? std::min(windows.length, parts[p].first) : 0;
    const std::size_t begin = parts[p].first - back, end = parts[p].end;
    if (begin + windows.length + horizon > end)
      refuse(
          "{}: {} rows of {} hold no window of {} rows and {} target rows; give shorter windows, "
          "or more rows",
          file, end - begin, expected.learning() ? part_names[p] : "the series", windows.length,
          horizon);
    for (std::size_t row = begin; row + windows.length + horizon <= end; row += windows.stride)
      add_window(row, p, data);
  }
  data.first.push_back(count);
  data.beside = series.rows.beside;
  data.fit = parts[0];
  if (expected.targets) data.units = units_of(series, data.fit, windows);
  for (std::size_t row = 0; row < count; ++row)
    for (const std::size_t column : series.features) data.x.push_back(series.at(row, column));
  for (std::size_t row = 0; row < count; ++row)
    for (const std::size_t column : series.answers) data.value.push_back(series.at(row, column));
  return data;
}

void cut_pieces(DataSet& data, Split& split, std::size_t steps) {
  DataSet cut;
  Split parts;
  const auto is_in = [](const std::vector<std::size_t>& list, std::size_t s) {
    return std::binary_search(list.begin(), list.end(), s);
  };
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    const bool trained = is_in(split.train, s);
    const std::size_t piece = trained ? steps : data.steps(s);
    for (std::size_t row = data.first[s]; row < data.first[s + 1]; row += piece) {
      if (trained || is_in(split.held_out, s) || is_in(split.test, s))
        (trained                    ? parts.train
         : is_in(split.held_out, s) ? parts.held_out
                                    : parts.test)
            .push_back(cut.first.size());
      cut.goes_on.push_back(row > data.first[s]);
      cut.first.push_back(row);
      cut.names.push_back(data.names[s]);
      if (!data.part.empty()) cut.part.push_back(data.part[s]);
      if (!data.group.empty()) cut.group.push_back(data.group[s]);
    }
  }
  cut.first.push_back(data.first.back());
  data.first = std::move(cut.first), data.names = std::move(cut.names),
  data.goes_on = std::move(cut.goes_on);
  data.part = std::move(cut.part), data.group = std::move(cut.group);
  split = std::move(parts);
}

}  // namespace sluice::tools
