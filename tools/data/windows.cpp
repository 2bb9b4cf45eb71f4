// Data in time order: its parts, windows over a series, pieces of a stream.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <span>

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

/// Adds mean and population deviation of one target column over the rows that statistics are
/// computed from; missing values do not count.
void add_units(const DataSet& data, std::size_t column, Units& units) {
  double sum = 0, squares = 0, n = 0;
  const auto each_value = [&](auto f) {
    for (const RowRange& rows : data.fit)
      for (std::size_t row = rows.first; row < rows.end; ++row)
        if (const float x = data.value[row * data.value_columns() + column]; !std::isnan(x))
          f(double(x));
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

/// Rows of one series in one part.
struct Stretch {
  RowRange rows;
  std::size_t part, series;
};

RowRange both(const RowRange& a, const RowRange& b) {
  return {std::max(a.first, b.first), std::min(a.end, b.end)};
}

/// Returns how each sequence of a table is divided into parts, in the order of the rows: by the
/// ranges of rows, or each by the last share.
/// @param first  [sequences + 1] first row of each sequence, then rows
std::vector<Stretch> divide(const Windows& windows, const std::vector<std::size_t>& first,
                            bool learning, const std::string& file) {
  const bool by_share = learning && windows.part[0].empty();
  const std::vector<RowRange> ranges =
      by_share ? std::vector<RowRange>{} : parts_of(windows, first.back(), learning, file);
  std::vector<Stretch> stretches;
  for (std::size_t s = 0; s + 1 < first.size(); ++s) {
    const RowRange all{first[s], first[s + 1]};
    const std::size_t rows = all.end - all.first;
    if (!by_share) {
      for (std::size_t p = 0; p < ranges.size(); ++p)
        if (const RowRange rows_of = both(all, ranges[p]);
            !ranges[p].empty() && rows_of.first < rows_of.end)
          stretches.push_back({rows_of, p, s});
      continue;
    }
    const bool whole = windows.validation == 0 || windows.order == ValidationOrder::random;
    const auto share = std::size_t(std::floor(double(rows) * (1 - windows.validation)));
    const std::size_t train = all.first + (whole || share == 0 ? rows : share);
    stretches.push_back({{all.first, train}, 0, s});
    if (train < all.end) stretches.push_back({{train, all.end}, 1, s});
  }
  return stretches;
}

/// The number of windows in each part, and the most rows of a stretch without any.
struct Found {
  std::size_t windows[3] = {}, rows[3] = {};
  bool given[3] = {};
};

void check_found(const Found& found, const Windows& windows, std::size_t series,
                 std::size_t horizon, bool learning, const std::string& file) {
  for (std::size_t p = 0; p < 3; ++p)
    if ((found.given[p] || p == 0) && found.windows[p] == 0)
      refuse("{}: {}{} rows of {} hold no window of {} rows{}; give shorter windows, or more rows",
             file,
             series > 1 ? fmt::format("of {} series, none has enough: the longest ", series) : "",
             found.rows[p], learning ? part_names[p] : "the series", windows.length,
             horizon ? fmt::format(" and {} target rows", horizon) : "");
}

}  // namespace

std::int32_t class_of_window(std::span<const std::int32_t> rows, WindowClass which,
                             std::size_t classes) {
  if (which == WindowClass::last) return rows.back();
  std::vector<std::size_t> count(classes);
  for (const std::int32_t one : rows)
    if (one >= 0) ++count[std::size_t(one)];
  std::int32_t most = -1;
  for (std::size_t i = rows.size(); i-- > 0;)  // from the end, so that the last of equals is kept
    if (rows[i] >= 0 && (most < 0 || count[std::size_t(rows[i])] > count[std::size_t(most)]))
      most = rows[i];
  return most;
}

void fit_series(DataSet& data, std::span<const std::size_t> train) {
  if (!data.window) return;
  for (std::size_t i = 0; data.fit.empty() && i + 1 < data.series.size(); ++i) {
    const bool trained = std::any_of(train.begin(), train.end(), [&](std::size_t s) {
      return data.first[s] >= data.series[i] && data.first[s] < data.series[i + 1];
    });
    if (trained) data.fit.push_back({data.series[i], data.series[i + 1]});
  }
  if (data.fit.empty() && !train.empty()) data.fit.push_back({0, data.first.back()});
  if (data.classes || data.value.empty()) return;
  data.units = {};
  const std::size_t columns = data.value_columns();
  for (std::size_t k = 0; k < data.outputs(); ++k) add_units(data, k % columns, data.units);
  if (data.difference) data.units.mean.assign(data.units.mean.size(), 0.0);
}

DataSet cut_windows(DataSet rows, const Columns& columns, const Expected& expected,
                    const std::string& file) {
  const Windows& windows = columns.windows;
  const std::vector<std::string>& wanted =
      expected.learning() ? columns.features : expected.features;
  DataSet data;
  data.feature_names = wanted.empty() ? rows.feature_names : wanted;
  data.series = rows.first;
  data.classes = columns.classes && expected.targets;
  const std::vector<std::string> names = std::move(rows.names);
  const std::vector<std::int32_t> classes = std::move(rows.target);
  data.labels = std::move(rows.labels);
  const Series series = series_of(std::move(rows), data.feature_names, columns,
                                  expected.targets && !data.classes, file);
  const std::size_t count = data.series.back(),
                    horizon = expected.targets && !data.classes ? windows.horizon : 0;
  data.window = windows.length, data.horizon = windows.horizon;
  data.difference = windows.difference;
  for (std::size_t k = 1; k <= windows.horizon && !columns.classes; ++k)
    for (const std::string& name : columns.target)
      data.labels.push_back(windows.horizon == 1 ? name : fmt::format("{}+{}", name, k));

  const bool by_series =
      expected.divides() && windows.part[0].empty() && windows.order == ValidationOrder::random;
  Found found;
  for (const Stretch& stretch : divide(windows, data.series, expected.divides(), file)) {
    const std::size_t p = stretch.part, start = data.series[stretch.series];
    const std::size_t back =
        p > 0 && windows.reach_back ? std::min(windows.length, stretch.rows.first - start) : 0;
    const std::size_t begin = stretch.rows.first - back, end = stretch.rows.end;
    found.given[p] = true;
    const std::size_t before = found.windows[p];
    for (std::size_t row = begin; row + windows.length + horizon <= end; row += windows.stride) {
      if (data.classes) {
        const std::int32_t one = class_of_window({classes.data() + row, windows.length},
                                                 windows.window_class, data.labels.size());
        if (one < 0) continue;
        data.target.push_back(one);
      }
      ++found.windows[p];
      data.first.push_back(row);
      const std::string& name = names[stretch.series];
      data.names.push_back(name.empty() ? std::to_string(row)
                                        : fmt::format("{}:{}", name, row - start));
      if (!by_series) data.part.push_back(std::uint8_t(p));
      if (by_series) data.group.push_back(name);
    }
    if (found.windows[p] == before)
      ++data.too_short, found.rows[p] = std::max(found.rows[p], end - begin);
    if (!by_series && p == 0 && (found.windows[p] > before || data.series.size() == 2))
      data.fit.push_back(stretch.rows);
  }
  check_found(found, windows, data.series.size() - 1, horizon, expected.divides(), file);
  data.first.push_back(count);
  data.beside = series.rows.beside;
  for (std::size_t row = 0; row < count; ++row)
    for (const std::size_t column : series.features) data.x.push_back(series.at(row, column));
  data.missing = series.rows.missing;
  for (std::size_t row = 0; row < count && !series.rows.filled.empty(); ++row)
    for (const std::size_t column : series.features)
      data.filled.push_back(series.rows.filled[row * series.rows.features() + column]);
  for (std::size_t row = 0; row < count; ++row)
    for (const std::size_t column : series.answers) data.value.push_back(series.at(row, column));
  if (expected.targets && !by_series) fit_series(data, {});
  return data;
}

namespace {

/// Rows to keep, and the sequence that they are of.
struct Kept {
  RowRange rows;
  std::size_t sequence;
};

/// Keeps these rows alone, each range as a sequence.
void keep_rows(DataSet& data, const std::vector<Kept>& ranges) {
  const std::size_t width = data.is_text() ? 0 : data.features(), outputs = data.outputs();
  DataSet kept;
  const auto move = [](const auto& from, auto& to, std::size_t begin, std::size_t end,
                       std::size_t each) {
    if (!from.empty())
      to.insert(to.end(), from.begin() + std::ptrdiff_t(begin * each),
                from.begin() + std::ptrdiff_t(end * each));
  };
  std::size_t rows = 0;
  for (const Kept& one : ranges) {
    const std::size_t begin = one.rows.first, end = one.rows.end;
    kept.first.push_back(rows);
    rows += end - begin;
    kept.names.push_back(data.names[one.sequence]);
    if (!data.group.empty()) kept.group.push_back(data.group[one.sequence]);
    move(data.x, kept.x, begin, end, width), move(data.ids, kept.ids, begin, end, 1);
    move(data.filled, kept.filled, begin, end, width);
    const std::size_t target = data.per_row ? begin : one.sequence,
                      past = data.per_row ? end : one.sequence + 1;
    move(data.target, kept.target, target, past, 1);
    move(data.value, kept.value, target, past, outputs);
  }
  kept.first.push_back(rows);
  data.first = std::move(kept.first), data.names = std::move(kept.names);
  data.group = std::move(kept.group), data.x = std::move(kept.x), data.ids = std::move(kept.ids);
  data.filled = std::move(kept.filled);
  data.target = std::move(kept.target), data.value = std::move(kept.value);
}

/// Refuses a range that ends inside a sequence with one target.
void check_whole(const DataSet& data, const RowRange& range, std::size_t sequence,
                 const std::string& file) {
  const std::size_t first = data.first[sequence], end = data.first[sequence + 1];
  if (range.first <= first && range.end >= end) return;
  refuse(
      "{}: rows {}:{} cut sequence \"{}\", rows {}:{}, which has one target; end the ranges "
      "between sequences, or set data.target_per = \"row\"",
      file, range.first, range.end, data.names[sequence], first, end);
}

}  // namespace

void hold_out_rows(DataSet& data, const Columns& columns, const Expected& expected,
                   const std::string& file) {
  const Windows& windows = columns.windows;
  const bool learning = expected.divides(), by_ranges = !windows.part[0].empty();
  if (learning ? !by_ranges && (windows.validation == 0 || windows.order == ValidationOrder::random)
               : windows.only.empty())
    return;
  if (!data.per_row && learning && !by_ranges) {  // the last sequences
    const std::size_t n = data.sequences(),
                      train = std::size_t(std::floor(double(n) * (1 - windows.validation)));
    for (std::size_t s = 0; s < n; ++s) data.part.push_back(s >= train);
    return;
  }
  std::vector<Kept> kept;
  for (const Stretch& stretch : divide(windows, data.first, learning, file)) {
    if (!data.per_row)
      check_whole(data, learning ? windows.part[stretch.part] : windows.only, stretch.series, file);
    kept.push_back({stretch.rows, stretch.series});
    if (learning) data.part.push_back(std::uint8_t(stretch.part));
  }
  if (kept.empty()) refuse("{}: the ranges of rows hold no row; give others", file);
  keep_rows(data, kept);
}

void append_validation(DataSet& data, Split& split, DataSet validation) {
  const auto add = [](auto& to, auto& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  };
  const std::size_t rows = data.first.back(), sequences = data.sequences();
  data.part.resize(sequences, 0);
  data.part.resize(sequences + validation.sequences(), 1);
  if (!data.group.empty() || !validation.group.empty())
    data.group.resize(sequences), validation.group.resize(validation.sequences()),
        add(data.group, validation.group);
  for (std::size_t s = 0; s < validation.sequences(); ++s) split.held_out.push_back(sequences + s);
  for (std::size_t& first : validation.first) first += rows;
  for (std::size_t& first : validation.series) first += rows;
  data.first.pop_back();
  if (!data.series.empty()) data.series.pop_back();
  add(data.first, validation.first), add(data.series, validation.series);
  add(data.names, validation.names), add(data.x, validation.x), add(data.ids, validation.ids);
  add(data.target, validation.target), add(data.value, validation.value);
  data.cut += validation.cut, data.too_short += validation.too_short;
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
