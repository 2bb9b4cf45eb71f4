#include "outliers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/print.h"

namespace sluice::tools {
namespace {

constexpr std::size_t fewest_numbers = 20;  ///< fewer of them tell nothing
/// A feature that has fewer distinct values besides the outliers may be a category.
constexpr std::size_t fewest_values = 10;
constexpr std::size_t fewest_repeats = 3, most_marks = 3, most_cuts = 8;

/// Numbers, their sum and the sum of their squares, as differences from an origin.
struct Sums {
  double n = 0, sum = 0, squares = 0;

  double deviation() const {
    const double mean = sum / n;
    return std::sqrt(std::fmax(0.0, squares / n - mean * mean));
  }
};

Sums operator+(const Sums& a, const Sums& b) {
  return {a.n + b.n, a.sum + b.sum, a.squares + b.squares};
}

/// A feature's distinct values, ascending.
struct Distribution {
  std::vector<Outliers::Value> values;
  std::size_t numbers = 0;
  std::size_t median = 0;  ///< its place in `values`; an end with more than half does not count

  /// Returns the sums over the values [begin, end). The median is their origin, so that values far
  /// from it cost the others no precision.
  Sums sums(std::size_t begin, std::size_t end) const {
    Sums result;
    for (std::size_t i = begin; i < end; ++i) {
      const auto count = double(values[i].count);
      const double from = double(values[i].value) - double(values[median].value);
      result.n += count, result.sum += count * from, result.squares += count * from * from;
    }
    return result;
  }
};

Distribution distribution_of(std::vector<float> numbers) {
  std::erase_if(numbers, [](float x) { return std::isnan(x); });
  std::sort(numbers.begin(), numbers.end());
  Distribution d;
  d.numbers = numbers.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i == 0 || numbers[i] != numbers[i - 1]) d.values.push_back({numbers[i], 0});
    ++d.values.back().count;
  }
  if (d.values.empty()) return d;
  const auto mark = [&](const Outliers::Value& end) {
    return end.count * 2 > d.numbers ? end.count : 0;
  };
  const std::size_t low = mark(d.values.front()), high = mark(d.values.back());
  const std::size_t middle = low + (d.numbers - low - high) / 2;
  std::size_t before = d.values[0].count;
  while (before <= middle && d.median + 1 < d.values.size()) before += d.values[++d.median].count;
  return d;
}

/// A number of distinct values at one end that may be left out.
struct Cut {
  std::size_t values = 0, numbers = 0;
  double gap = 0;  ///< from them to the nearest value that is kept
  /// The least gap: in deviations of the kept values if each value left out is repeated, in their
  /// ranges if one is not, or if most numbers are left out. A frequent value needs none.
  double deviations = 0, ranges = 0;
  Sums kept = {};  ///< over the values from the cut to the median

  bool is_separate(double deviation, double range) const {
    return gap >= deviations * deviation && gap >= ranges * range;
  }
};

/// Returns the cuts at one end that may be tried: none, and those with the widest gaps.
/// @param high  whether the end is that of the greatest values
std::vector<Cut> cuts_at(const Distribution& d, bool high) {
  const std::size_t few = std::max<std::size_t>(2, d.numbers / 20),
                    many = std::max<std::size_t>(10, (d.numbers + 99) / 100);
  const auto value = [&](std::size_t i) { return d.values[high ? d.values.size() - 1 - i : i]; };
  std::vector<Cut> cuts;
  Cut cut;
  bool repeated = true, zero = false;
  for (std::size_t i = 0; i + 1 < d.values.size(); ++i) {
    const Outliers::Value here = value(i);
    cut.values = i + 1, cut.numbers += here.count;
    cut.gap = std::fabs(double(value(i + 1).value) - double(here.value));
    repeated = repeated && here.count >= fewest_repeats && i < most_marks;
    zero = zero || here.value == 0;
    if (cut.numbers > few && !repeated) break;
    // 0 is an ordinary value if it is frequent. Other marks may have most of the numbers.
    if (cut.numbers * 10 > (zero ? 1u : 9u) * d.numbers) break;
    if (high ? d.values.size() - cut.values <= d.median : cut.values > d.median) break;
    const bool frequent = i == 0 && here.count >= many, most = cut.numbers * 2 > d.numbers;
    cut.deviations = repeated && !frequent ? 2 : 0, cut.ranges = repeated && !most ? 0 : 2;
    cuts.push_back(cut);
  }
  std::stable_sort(cuts.begin(), cuts.end(),
                   [](const Cut& a, const Cut& b) { return a.gap > b.gap; });
  cuts.resize(std::min(cuts.size(), most_cuts));
  cuts.push_back({});
  for (Cut& one : cuts)
    one.kept = high ? d.sums(d.median, d.values.size() - one.values) : d.sums(one.values, d.median);
  return cuts;
}

/// Cuts at both ends, and the deviation of the values that are kept.
struct Choice {
  Cut low, high;
  double deviation = 0;
  std::size_t numbers() const { return low.numbers + high.numbers; }
};

/// Returns all pairs of cuts after which the deviation is at most half of `all`.
std::vector<Choice> choices(const Distribution& d, double all) {
  std::vector<Choice> found;
  const std::vector<Cut> lows = cuts_at(d, false), highs = cuts_at(d, true);
  for (const Cut& low : lows)
    for (const Cut& high : highs) {
      const Choice choice{low, high, (low.kept + high.kept).deviation()};
      const std::size_t end = d.values.size() - high.values;
      if (end < low.values + fewest_values) continue;
      const double range = double(d.values[end - 1].value) - double(d.values[low.values].value);
      if (choice.deviation * 2 <= all && low.is_separate(choice.deviation, range) &&
          high.is_separate(choice.deviation, range))
        found.push_back(choice);
    }
  return found;
}

/// Returns the rows that statistics are computed from, each once: of a series its training rows,
/// else the rows of the sequences.
std::vector<RowRange> rows_of(const DataSet& data, std::span<const std::size_t> sequences) {
  if (!data.fit.empty()) return data.fit;
  std::vector<std::uint8_t> is_in(data.x.size() / data.features());
  for (const std::size_t s : sequences)
    std::fill_n(is_in.begin() + std::ptrdiff_t(data.first[s]), data.steps(s), std::uint8_t(1));
  std::vector<RowRange> rows;
  for (std::size_t row = 0; row < is_in.size(); ++row) {
    if (!is_in[row]) continue;
    if (rows.empty() || rows.back().end != row) rows.push_back({row, row});
    ++rows.back().end;
  }
  return rows;
}

/// What the advice of a line rests on.
struct Advice {
  const DataSet& data;
  bool target = false;  ///< the values are targets, which nothing is put in the place of

  /// Returns the settings that make these values missing ones.
  std::string settings(const std::vector<Outliers::Value>& values) const {
    std::string list;
    const auto add = [&](const std::string& one) {
      list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", one);
    };
    for (const std::string& one : data.missing) add(one);
    for (const Outliers::Value& v : values) add(fmt::format("{}", v.value));
    const bool fills = target ? data.window == 0 : !data.filled.empty();
    return fmt::format("set data.missing = [{}]{}", list, fills ? "" : " and data.fill");
  }
};

std::string line_of(const std::string& name, const Outliers& found, const Advice& advice) {
  std::size_t count = 0;
  bool repeated = false;
  for (const Outliers::Value& v : found.values)
    count += v.count, repeated = repeated || v.count >= fewest_repeats;
  const std::string numbers =
      fmt::format("{} of {} values", with_commas(count), with_commas(found.numbers));
  const bool one = found.values.size() == 1;
  std::string head, remedy;
  if (found.values.size() <= most_marks) {
    for (const Outliers::Value& v : found.values)
      head += fmt::format("{}{}", head.empty() ? "" : ", ", v.value);
    head += fmt::format(" ({})", numbers);
    const char* const cause = !repeated ? one ? "it is an error or marks a missing value"
                                              : "they are errors or mark missing values"
                              : one     ? "it marks a missing value or a saturated sensor"
                                        : "they mark missing values or a saturated sensor";
    const bool can_mask = !advice.target || advice.data.per_row || advice.data.window;
    remedy = can_mask ? fmt::format("if {}, {}", cause, advice.settings(found.values))
                      : fmt::format("if {}, leave {} out", cause,
                                    one ? "its sequences" : "their sequences");
  } else {
    head = fmt::format("{}, such as {} and {},", numbers, found.values.front().value,
                       found.values.back().value);
    remedy = "if they are errors, correct them, or leave their sequences out";
  }
  return fmt::format("{}: {} {} its standard deviation {:.3g}; without {} {:.3g}: {}",
                     brief(name, 40), head, one ? "makes" : "make", found.with, one ? "it" : "them",
                     found.without, remedy);
}

}  // namespace

Outliers find_outliers(std::vector<float> numbers) {
  const Distribution d = distribution_of(std::move(numbers));
  if (d.numbers < fewest_numbers || d.values.size() <= fewest_values) return {};
  const double all = d.sums(0, d.values.size()).deviation();
  const std::vector<Choice> found = choices(d, all);
  if (found.empty()) return {};
  double least = found[0].deviation;
  for (const Choice& choice : found) least = std::fmin(least, choice.deviation);
  const Choice* best = &found[0];  // the fewest numbers that bring almost the least deviation
  for (const Choice& choice : found)
    if (choice.deviation <= 1.25 * least &&
        (!(best->deviation <= 1.25 * least) || choice.numbers() < best->numbers()))
      best = &choice;
  Outliers result{.numbers = d.numbers, .with = all, .without = best->deviation};
  for (std::size_t i = 0; i < d.values.size(); ++i)
    if (i < best->low.values || i >= d.values.size() - best->high.values)
      result.values.push_back(d.values[i]);
  return result;
}

namespace {

/// Returns the name of a column of targets; of windows without the row that it is taken from.
std::string target_name(const DataSet& data, std::size_t column) {
  const std::string& label = data.labels[column];
  return data.window && data.horizon > 1 ? label.substr(0, label.rfind('+')) : label;
}

/// Returns the targets of one column, in the file's units: of windows those in the training rows.
std::vector<float> target_numbers(const DataSet& data, std::span<const std::size_t> sequences,
                                  const std::vector<RowRange>& rows, std::size_t column) {
  const std::vector<float>& values = data.own.empty() ? data.value : data.own;
  const std::size_t width = data.value_columns();
  std::vector<float> numbers;
  const auto add = [&](std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) numbers.push_back(values[i * width + column]);
  };
  if (data.window)
    for (const RowRange& range : rows) add(range.first, range.end);
  else
    for (const std::size_t s : sequences)
      add(data.target_begin(s), data.target_begin(s) + data.targets(s));
  return numbers;
}

}  // namespace

std::vector<std::string> outlier_lines(const DataSet& data,
                                       std::span<const std::size_t> sequences) {
  constexpr std::size_t most_lines = 10;
  if (data.is_text()) return {};
  const std::vector<RowRange> rows = rows_of(data, sequences);
  std::vector<std::string> lines;
  std::size_t more = 0;
  const auto judge = [&](const std::string& name, std::vector<float> numbers, bool target) {
    const Outliers found = find_outliers(std::move(numbers));
    if (found.values.empty()) return;
    if (lines.size() < most_lines)
      lines.push_back(line_of(name, found, {data, target}));
    else
      ++more;
  };
  for (std::size_t k = 0; !data.classes && !data.value.empty() && k < data.value_columns(); ++k) {
    const std::string name = target_name(data, k);
    const std::vector<std::string>& features = data.feature_names;
    if (std::find(features.begin(), features.end(), name) == features.end())
      judge("target " + name, target_numbers(data, sequences, rows, k), true);
  }
  for (std::size_t f = 0; f < data.features(); ++f) {
    std::vector<float> numbers;
    for (const RowRange& range : rows)
      for (std::size_t i = range.first * data.features() + f; i < range.end * data.features();
           i += data.features())
        if (i >= data.filled.size() || !data.filled[i]) numbers.push_back(data.x[i]);
    judge(data.feature_names[f], std::move(numbers), false);
  }
  if (more)
    lines.push_back(fmt::format("{} more {} values that make {} standard deviation", more,
                                more == 1 ? "feature has" : "features have",
                                more == 1 ? "its" : "their"));
  return lines;
}

void tell_outliers(const DataSet& data, std::span<const std::size_t> sequences) {
  for (const std::string& line : outlier_lines(data, sequences)) tell_once("warning: " + line);
}

}  // namespace sluice::tools
