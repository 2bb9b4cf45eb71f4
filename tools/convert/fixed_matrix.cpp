#include "fixed_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "numbers.h"

namespace sluice::tools {
namespace {

// 2^30: half of what int32 holds, before the shift of R
constexpr double accumulator_limit = 1073741824;
constexpr double most_multiplier = 2147483647;

/// One row in integers: its unit, weights, bias, and the largest possible magnitude of its
/// accumulator.
struct Row {
  double unit = 0;
  std::vector<std::int32_t> w;
  double bias = 0, worst = 0;
};

/// Moves weights by single steps while that lowers the variance of the row's error, sum (q - w) v,
/// over the inputs; zeros stay. (Rounding each weight by itself ignores that the errors of
/// correlated inputs add up or cancel; Nagel et al. 2020 call this adaptive rounding.)
void lower_error(const double* w, double unit, const Moments& moments,
                 std::vector<std::int32_t>& q) {
  const std::size_t n = q.size();
  const double* const h = moments.covariance.data();
  std::vector<double> slope(n);  // half the derivative of the variance by each weight
  for (std::size_t k = 0; k < n; ++k) {
    const double error = double(q[k]) - w[k] / unit;
    for (std::size_t j = 0; j < n; ++j) slope[j] += h[k * n + j] * error;
  }
  constexpr int passes = 20;
  for (int pass = 0; pass < passes; ++pass) {
    bool moved = false;
    for (std::size_t k = 0; k < n; ++k) {
      if (w[k] == 0) continue;  // pruned
      const int step = slope[k] > 0 ? -1 : 1;
      const double change = 2 * step * slope[k] + h[k * n + k];
      if (!(change < -1e-9 * h[k * n + k]) || std::abs(q[k] + step) > most_weight) continue;
      q[k] += step, moved = true;
      for (std::size_t j = 0; j < n; ++j) slope[j] += step * h[k * n + j];
    }
    if (!moved) return;
  }
}

Row round_row(const double* w, int cols, double bias, double unit, const Entering& entering) {
  Row row{unit, {}, 0, 0};
  for (int k = 0; k < cols; ++k)
    row.w.push_back(
        std::int32_t(std::clamp(rounded(w[k] / unit), -double(most_weight), double(most_weight))));
  double shift = 0;  // of the mean; the bias compensates it
  if (!entering.moments.mean.empty()) {
    lower_error(w, unit, entering.moments, row.w);
    for (int k = 0; k < cols; ++k)
      shift +=
          (double(row.w[std::size_t(k)]) - w[k] / unit) * entering.moments.mean[std::size_t(k)];
  }
  row.bias = rounded(bias / unit - shift);
  row.worst = std::fabs(row.bias);
  for (const std::int32_t q : row.w) row.worst += std::fabs(double(q)) * entering.largest;
  return row;
}

/// Returns the row in the finest unit in which neither a weight nor the accumulator is too large.
/// Sets `coarsened` if the weights alone would allow a finer unit. A row without weights needs its
/// bias to 16 bits and no finer, since a finer unit would leave no room for a shift.
Row fixed_row(const double* w, int cols, double bias, const Entering& entering, int* coarsened) {
  double most = 0;
  for (int k = 0; k < cols; ++k) most = std::max(most, std::fabs(w[k]));
  const double finest = most > 0 ? most / most_weight : std::fabs(bias) / 65536,
               for_bias = std::fabs(bias) / (accumulator_limit / 2);
  double unit = std::max({finest, for_bias, 1e-30});
  Row row = round_row(w, cols, bias, unit, entering);
  if (row.worst < accumulator_limit) return row;
  ++*coarsened;
  while (row.worst >= accumulator_limit) row = round_row(w, cols, bias, unit *= 1.01, entering);
  return row;
}

}  // namespace

double rounded(double v) { return std::floor(v + 0.5); }

Fixed round_matrix(const Affine& real, const Entering& entering) {
  Fixed fixed;
  fixed.cols = real.cols;
  for (std::size_t r = 0; r < real.rows; ++r) {
    const Row row = fixed_row(real.w.data() + r * real.cols, int(real.cols), real.bias[r], entering,
                              &fixed.coarsened);
    fixed.w.insert(fixed.w.end(), row.w.begin(), row.w.end());
    fixed.bias.push_back(std::int32_t(row.bias));
    fixed.unit.push_back(row.unit);
    fixed.worst = std::max(fixed.worst, row.worst);
  }
  return fixed;
}

Fixed joined(Fixed first, const Fixed& second) {
  first.w.insert(first.w.end(), second.w.begin(), second.w.end());
  first.bias.insert(first.bias.end(), second.bias.begin(), second.bias.end());
  first.unit.insert(first.unit.end(), second.unit.begin(), second.unit.end());
  first.worst = std::max(first.worst, second.worst);
  return first;
}

double largest_scale(const Fixed& fixed) {
  int shift = fixed.shift;
  while (shift < 30 && fixed.worst * double(1u << (shift + 1)) < 2 * accumulator_limit) ++shift;
  return std::ldexp(most_multiplier, shift - 32);
}

bool add_multipliers(Fixed& fixed, double target) {
  return add_multipliers(fixed, std::vector<double>(fixed.rows(), target));
}

bool add_multipliers(Fixed& fixed, const std::vector<double>& target) {
  double most = 0;
  for (std::size_t i = 0; i < fixed.rows(); ++i) most = std::max(most, fixed.unit[i] / target[i]);
  // R(a, s, m) = a * 2^s * m / 2^32 with m < 2^31. Uses the least shift that leaves room for the
  // largest scale.
  const auto multiplier = [&](double scale) {
    return rounded(scale * 4294967296.0 / double(1u << fixed.shift));
  };
  while (multiplier(most) > most_multiplier) {
    ++fixed.shift;
    if (fixed.shift > 30 || fixed.worst * double(1u << fixed.shift) >= 2 * accumulator_limit)
      return false;
  }
  for (std::size_t i = 0; i < fixed.rows(); ++i)
    fixed.bias.push_back(std::int32_t(multiplier(fixed.unit[i] / target[i])));
  return true;
}

}  // namespace sluice::tools
