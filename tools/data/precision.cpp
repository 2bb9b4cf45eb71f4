// Finds features whose variation is too small beside their size for float32.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../common/error.h"
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
  /// rounding is small beside it.
  bool is_lost() const {
    constexpr double steady = 1e-9;
    const double size = std::fabs(mean()), spread = deviation();
    return n > 0 && std::sqrt(rounding / n) > most_noise * (spread > steady * size ? spread : size);
  }
};

double spacing_at(double size) {
  const float at = float(size);
  return double(std::nextafter(at, INFINITY)) - double(at);
}

void check_column(const Rows& rows, std::size_t column, bool differences,
                  std::span<const std::size_t> first) {
  const std::size_t features = rows.feature_names.size();
  const auto rest = [&](std::size_t row) { return double(rows.rest[row * features + column]); };
  const auto exact = [&](std::size_t row) {
    return double(rows.x[row * features + column]) + rest(row);
  };
  Variation values, changes;
  double largest = 0;
  for (std::size_t s = 0; s + 1 < first.size(); ++s)
    for (std::size_t row = first[s]; row < first[s + 1]; ++row) {
      values.take(exact(row), rest(row));
      largest = std::max(largest, std::fabs(exact(row)));
      if (row > first[s]) changes.take(exact(row) - exact(row - 1), rest(row) - rest(row - 1));
    }
  const bool lost = values.is_lost(), changes_lost = differences && changes.is_lost();
  if (!lost && !changes_lost) return;
  const Variation& what = lost ? values : changes;
  refuse(
      "{}: {}: its {} vary by {:.3g} around {:.10g}, but near {:.3g} the numbers of float32, which "
      "the network computes with, are {:g} apart; subtract an offset from the column, or list it "
      "in data.ignore",
      rows.file, rows.feature_names[column], lost ? "values" : "differences", what.deviation(),
      what.mean(), largest, spacing_at(largest));
}

}  // namespace

void check_precision(const Rows& rows, const Columns& columns, std::span<const std::size_t> first) {
  if (rows.rest.empty() || rows.rest.size() != rows.x.size()) return;
  for (std::size_t column = 0; column < rows.feature_names.size(); ++column) {
    const bool changes =
        std::count(columns.changes.begin(), columns.changes.end(), rows.feature_names[column]) > 0;
    check_column(rows, column, columns.differences || changes, first);
  }
}

}  // namespace sluice::tools
