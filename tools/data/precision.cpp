// Finds features and targets whose variation is too small beside their size for float32.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "../common/print.h"
#include "data.h"

namespace sluice::tools {
namespace {

/// Largest share of the variation that rounding to float32 may be.
constexpr double most_noise = 0.05;

/// Sums over the numbers of a column, or over their differences.
struct Variation {
  double n = 0, origin = 0, sum = 0, squares = 0, rounding = 0;

  /// @param error  what rounding to float32 adds to the number
  void take(double number, double error) {
    if (std::isnan(number)) return;  // missing
    if (n == 0) origin = number;
    const double from = number - origin;
    n += 1, sum += from, squares += from * from, rounding += error * error;
  }
  double mean() const { return origin + sum / n; }
  double deviation() const { return std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n))); }
  /// Returns whether rounding hides the variation. A constant is not hidden, as long as its
  /// rounding is small beside it; it may have the noise of computations in double.
  bool is_lost() const {
    constexpr double steady = 1e-12;
    const double size = std::fabs(mean()), spread = deviation();
    return n > 0 && std::sqrt(rounding / n) > most_noise * (spread > steady * size ? spread : size);
  }
};

double spacing_at(double size) {
  const float at = float(size);
  return double(std::nextafter(at, INFINITY)) - double(at);
}

/// A column of numbers: floats, and what the file's numbers are more than these.
struct Column {
  const std::vector<float>&numbers, &rests;
  std::size_t width, column;  ///< numbers in a row, and which of them

  double rest(std::size_t row) const { return double(rests[row * width + column]); }
  double exact(std::size_t row) const { return double(numbers[row * width + column]) + rest(row); }
};

/// How a column is judged.
struct Judgement {
  bool differences = false;  ///< whether its differences are read too
  double scale = 0;          ///< 1 / deviation of what a model reads; 0: unknown
  std::size_t fewest = 1;    ///< fewer numbers do not show how much they vary

  bool is_lost(const Variation& what, bool read) const {
    if (what.n < double(fewest) || !what.is_lost()) return false;
    return scale == 0 || (read && std::sqrt(what.rounding / what.n) * scale > most_noise);
  }
};

/// @param name    the file and the column
/// @param remedy  beside an offset
void check_column(const Column& column, const std::string& name, const char* remedy,
                  const Judgement& judgement, std::span<const std::size_t> first) {
  Variation values, changes;
  double largest = 0;
  for (std::size_t s = 0; s + 1 < first.size(); ++s)
    for (std::size_t row = first[s]; row < first[s + 1]; ++row) {
      const double exact = column.exact(row), rest = column.rest(row);
      values.take(exact, rest);
      largest = std::fmax(largest, std::fabs(exact));
      if (row > first[s]) changes.take(exact - column.exact(row - 1), rest - column.rest(row - 1));
    }
  const bool differences = judgement.differences, lost = judgement.is_lost(values, !differences),
             changes_lost = differences && judgement.is_lost(changes, true);
  if (!lost && !changes_lost) return;
  const Variation& what = lost ? values : changes;
  refuse(
      "{}: its {} vary by {:.3g} around {:.10g}, but near {:.3g} the numbers of float32, which the "
      "network computes with, are {:g} apart; subtract an offset from the column{}",
      name, lost ? "values" : "differences", what.deviation(), what.mean(), largest,
      spacing_at(largest), remedy);
}

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void check_precision(const Rows& rows, const Columns& columns, const Expected& expected,
                     std::span<const std::size_t> first) {
  constexpr std::size_t enough = 20;
  const auto name = [&](const std::string& column) {
    return fmt::format("{}: {}", rows.file, brief(column));
  };
  const bool named = columns.format == Format::table || columns.format == Format::wide;
  for (std::size_t i = 0; i < rows.feature_names.size() && !rows.rest.empty(); ++i) {
    const std::string& feature = rows.feature_names[i];
    const bool change = is_in(columns.changes, feature);
    const double scale = i < expected.scales.size() && !change ? double(expected.scales[i]) : 0;
    check_column({rows.x, rows.rest, rows.feature_names.size(), i}, name(feature),
                 named && expected.learning() ? ", or list it in data.ignore" : "",
                 {.differences = columns.differences || change,
                  .scale = scale,
                  .fewest = expected.learning() || scale > 0 ? 1 : enough},
                 first);
  }
  const std::vector<std::string>& targets =
      rows.value_names.empty() ? columns.target : rows.value_names;
  for (std::size_t i = 0; i < targets.size() && !rows.value_rest.empty(); ++i)
    check_column({rows.value, rows.value_rest, targets.size(), i}, name(targets[i]), "",
                 {.fewest = expected.learning() ? 1 : enough}, first);
}

}  // namespace sluice::tools
