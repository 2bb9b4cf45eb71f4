// Functions with a known least value, as goals of search methods, and a test that compares the
// regrets of two methods.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "tune/suggest.h"

namespace sluice::tests {

struct KnownFunction {
  const char* name;
  tools::Space space;
  double (*value)(const tools::Point&);
  double least;
};

inline tools::Parameter between(double low, double high) {
  tools::Parameter x;
  x.name = "x";
  x.low = low, x.high = high, x.own = low;
  return x;
}

/// Branin's function has three minima of 5/(4 pi), on [-5, 10] x [0, 15].
inline double branin(const tools::Point& x) {
  const double q = x[1] - 5.1 / (4 * M_PI * M_PI) * x[0] * x[0] + 5 / M_PI * x[0] - 6;
  return q * q + 10 * (1 - 1 / (8 * M_PI)) * std::cos(x[0]) + 10;
}

/// Hartmann's function has four minima in [0, 1]^6; the least is -3.32237 (Dixon, Szego 1978).
inline double hartmann6(const tools::Point& x) {
  constexpr double c[4] = {1.0, 1.2, 3.0, 3.2};
  constexpr double a[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                              {0.05, 10, 17, 0.1, 8, 14},
                              {3, 3.5, 1.7, 10, 17, 8},
                              {17, 8, 0.05, 10, 0.1, 14}};
  constexpr double p[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                              {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                              {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                              {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
  double sum = 0;
  for (int i = 0; i < 4; ++i) {
    double inner = 0;
    for (int j = 0; j < 6; ++j)
      inner += a[i][j] * (x[std::size_t(j)] - p[i][j]) * (x[std::size_t(j)] - p[i][j]);
    sum -= c[i] * std::exp(-inner);
  }
  return sum;
}

inline std::vector<KnownFunction> known_functions() {
  return {{"branin", {{between(-5, 10), between(0, 15)}}, branin, 0.39788735772973816},
          {"hartmann6",
           {std::vector<tools::Parameter>(6, between(0, 1))},
           hartmann6,
           -3.322368011391339}};
}

/// Returns the difference between the best of so many evaluations and the least value.
inline double regret(const KnownFunction& function, tools::SuggestPoint suggest, std::uint64_t seed,
                     std::uint64_t evaluations,
                     tools::Acquisition acquisition = tools::Acquisition::ei) {
  std::vector<tools::PastTrial> seen;
  double best = INFINITY;
  for (std::uint64_t n = 0; n < evaluations; ++n) {
    const auto point = suggest(
        {function.space, seen, n, seed, [](const tools::Point&) { return true; }, acquisition});
    if (!point) return INFINITY;
    const double value = function.value(*point);
    seen.push_back({*point, value});
    best = std::min(best, value);
  }
  return best - function.least;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/// Returns the probability of pairs like these, or more extreme ones, if a is not smaller than b:
/// the p-value of Wilcoxon's signed-rank test, one-sided and exact (Wilcoxon 1945). Equal pairs are
/// left out; equal differences share their ranks.
inline double smaller_p(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i]) differences.push_back(a[i] - b[i]);
  std::sort(differences.begin(), differences.end(),
            [](double x, double y) { return std::abs(x) < std::abs(y); });
  const std::size_t n = differences.size();
  std::vector<std::size_t> twice(n);  // ranks from 1, doubled, since shared ranks may be halves
  for (std::size_t i = 0, end; i < n; i = end) {
    for (end = i; end < n && std::abs(differences[end]) == std::abs(differences[i]);) ++end;
    for (std::size_t k = i; k < end; ++k) twice[k] = i + 1 + end;
  }
  std::size_t positive = 0;
  for (std::size_t i = 0; i < n; ++i) positive += differences[i] > 0 ? twice[i] : 0;
  std::vector<double> ways(n * (n + 1) + 1);  // [sum of ranks] number of sign patterns
  ways[0] = 1;
  for (const std::size_t rank : twice)
    for (std::size_t sum = ways.size(); sum-- > rank;) ways[sum] += ways[sum - rank];
  return std::accumulate(ways.begin(), ways.begin() + std::ptrdiff_t(positive) + 1, 0.0) /
         std::pow(2.0, double(n));
}

}  // namespace sluice::tests
