// Tests the models of search methods against scikit-learn, SciPy and numeric integration, and their
// results on known functions.
#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>

#include "../support/golden.h"
#include "../support/known_functions.h"
#include "../support/numbers.h"
#include "tune/methods/shared.h"
#ifdef SLUICE_WITH_NLOPT
#include "tune/methods/gaussian.h"
#endif

using namespace sluice::tests;
using namespace sluice::tools;

namespace {

bool sparse() { return std::getenv("SLUICE_TESTS_SPARSE") != nullptr; }

std::vector<double> regrets(const KnownFunction& function, SuggestPoint suggest) {
  std::vector<double> result;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    result.push_back(regret(function, suggest, seed, 60));
  return result;
}

}  // namespace

TEST_CASE("Sobol's sequence equals SciPy's in all 64 dimensions") {
  const Golden golden("search.txt");
  for (std::size_t d = 0; d < sobol_dimensions; ++d) {
    CHECK_EQ(double(sobol(1023, d)), golden["sobol_1023"].values[d]);
    CHECK_EQ(double(sobol(700, d)), golden["sobol_700"].values[d]);
  }
}

TEST_CASE(
    "expected improvement is the mean amount by which a normal number is below the best value") {
  for (const double mean : {-1.0, 0.3, 2.0})
    for (const double deviation : {0.1, 1.0, 4.0})
      for (const double best : {-2.0, 0.25, 1.0}) {
        double sum = 0;
        const int n = 20000;
        for (int i = 0; i < n; ++i) {  // midpoints from -9 to 9 deviations
          const double z = -9 + 18 * (i + 0.5) / n;
          sum += std::max(best - mean - deviation * z, 0.0) * std::exp(-z * z / 2) /
                 std::sqrt(2 * M_PI) * 18 / n;
        }
        CHECK(expected_improvement(mean, deviation, best) ==
              doctest::Approx(sum).epsilon(1e-6).scale(1e-6));
      }
  CHECK_EQ(expected_improvement(1, 0, 3), 2);
  CHECK_EQ(expected_improvement(3, 0, 1), 0);
  const Space space;
  CHECK_EQ(acquisition({space, {}, 0, 0, {}, Acquisition::ucb}, 1.0, 0.25, 7.0), -0.5);
}

#ifdef SLUICE_WITH_NLOPT
TEST_CASE("a Gaussian process and the gradient of its likelihood agree with scikit-learn") {
  const Golden golden("search.txt");
  const auto rows = [&](const char* name) {
    const GoldenArray& a = golden[name];
    std::vector<std::vector<double>> result;
    for (int r = 0; r < a.rows; ++r)
      result.emplace_back(a.values.begin() + r * a.cols, a.values.begin() + (r + 1) * a.cols);
    return result;
  };
  const std::vector<double>& k = golden["kernel"].values;
  const GaussianKernel kernel{{k[0], k[1], k[2]}, k[3], k[4]};
  const GaussianData data{{false, false, true}, rows("features"), golden["values"].values};
  const std::vector<Forecast> said = GaussianProcess(data, kernel).predict(rows("asked"));
  REQUIRE_EQ(said.size(), golden["mean"].values.size());
  for (std::size_t i = 0; i < said.size(); ++i) {
    CHECK(said[i].mean == doctest::Approx(golden["mean"].values[i]).epsilon(1e-9));
    CHECK(said[i].variance == doctest::Approx(golden["variance"].values[i]).epsilon(1e-9));
  }
  std::vector<double> slopes;
  CHECK(log_likelihood(data, kernel, &slopes) ==
        doctest::Approx(golden["log_likelihood"].values[0]).epsilon(1e-10));
  REQUIRE_EQ(slopes.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i)
    CHECK(slopes[i] == doctest::Approx(golden["slopes"].values[i]).epsilon(1e-8));
}

TEST_CASE("a fitted kernel finds the features that matter and the amount of noise") {
  GaussianData data{{false, true, false, true}, {}, {}};
  Noise noise(7);
  const auto number = [&] { return double(noise.number(0, 1)); };
  for (int i = 0; i < 80; ++i) {
    const double a = number(), b = std::floor(3 * number());
    data.features.push_back({a, b, number(), std::floor(3 * number())});
    // Uniform noise of variance 0.04 is added to functions of variance 0.5 and 2/3.
    data.values.push_back(std::sin(2 * M_PI * a) + b - 1 + 0.4 * std::sqrt(3) * (number() - 0.5));
  }
  double mean = 0, squares = 0;
  for (const double v : data.values) mean += v / 80;
  for (const double v : data.values) squares += (v - mean) * (v - mean) / 80;
  for (double& v : data.values) v = (v - mean) / std::sqrt(squares);
  const GaussianKernel kernel = fit_kernel(data);
  CHECK(kernel.scales[2] > 5 * kernel.scales[0]);
  CHECK(kernel.scales[3] > 2 * kernel.scales[1]);
  CHECK(kernel.noise * squares > 0.02);
  CHECK(kernel.noise * squares < 0.08);
}

TEST_CASE("trials that run at the same time get different points") {
  const KnownFunction function = known_functions()[0];
  for (const SuggestPoint suggest : {suggest_gaussian, suggest_forest, suggest_tpe}) {
    std::vector<PastTrial> seen;
    const auto next = [&] {
      return *suggest({function.space, seen, seen.size(), 3, [](const Point&) { return true; }});
    };
    while (seen.size() < 25) {
      const Point point = next();
      seen.push_back({point, function.value(point)});
    }
    for (int i = 0; i < 4; ++i) seen.push_back({next(), std::nullopt, false, true});
    double least = INFINITY;
    for (std::size_t a = 25; a < 29; ++a)
      for (std::size_t b = 25; b < a; ++b)
        least = std::min(least, std::hypot(seen[a].point[0] - seen[b].point[0],
                                           seen[a].point[1] - seen[b].point[1]));
    CHECK(least > 0.01);
  }
}
#endif

TEST_CASE(
    "the best trials are found with parameters that are whole, chosen, stepped and depend on each "
    "other") {
  const Parameter units{"units", "", Parameter::whole, 8, 128, 8, true, {}, 8, {}};
  const Parameter rate{"rate", "", Parameter::real, 1e-5, 1, 0, true, {}, 1e-3, {}};
  const Parameter kind{"kind", "", Parameter::choice, 0, 2, 0, false, {"1", "2", "3"}, 0, {}};
  const Parameter momentum{"momentum", "", Parameter::real, 0, 1, 0, false, {}, 0, {{2, {1}}}};
  const auto value = [](const Point& p) {
    const double kind = p[2] == 1 ? std::abs(p[3] - 0.7) : p[2] == 0 ? 0.3 : 0.6;
    return std::abs(p[0] - 48) / 100 + std::pow(std::log10(p[1]) + 2, 2) / 4 + kind;
  };
  const KnownFunction function{"mixed", {{units, rate, kind, momentum}}, value, 0};
  if (sparse()) return;  // the other methods run the same code on other points
  std::vector<double> random;
  for (std::uint64_t seed = 1; seed <= 12; ++seed)
    random.push_back(regret(function, suggest_random, seed, 40));
  for (const Method& method : methods()) {
    if (method.suggest == suggest_grid || method.suggest == suggest_random ||
        method.suggest == suggest_sobol)
      continue;
    CAPTURE(word(method.method));
    std::vector<double> found;
    for (std::uint64_t seed = 1; seed <= 12; ++seed)
      found.push_back(regret(function, method.suggest, seed, 40));
    CHECK(smaller_p(found, random) < 0.05);
  }
}

TEST_CASE("Wilcoxon's test has the probabilities of its published tables") {
  // The differences are -1, ..., -7 and +8, which has the greatest rank. Of all 2^8 sign patterns,
  // 25 have a sum of positive ranks up to 8 (Wilcoxon 1945).
  std::vector<double> zero(8), differences;
  for (int i = 1; i <= 7; ++i) differences.push_back(-i);
  differences.push_back(8);
  CHECK(smaller_p(differences, zero) == doctest::Approx(25.0 / 256));
  CHECK(smaller_p(zero, differences) == doctest::Approx(1 - 19.0 / 256));
  CHECK(smaller_p({-1, -1, -1}, {0, 0, 0}) == doctest::Approx(1.0 / 8));
  CHECK(smaller_p({-1, -2, -3, 0}, {0, 0, 0, 0}) == doctest::Approx(1.0 / 8));
}

TEST_CASE(
    "over 20 seeds, 60 evaluations come near the least values, and nearer than independent draws") {
  if (sparse()) {
    MESSAGE("skipped: the goals of the search methods, which take a while");
    return;
  }
  const std::vector<KnownFunction> functions = known_functions();
  const std::vector<double> random = regrets(functions[1], suggest_random);
#ifdef SLUICE_WITH_NLOPT
  CHECK(median(regrets(functions[0], suggest_gaussian)) <= 0.05);
  const std::vector<double> gaussian = regrets(functions[1], suggest_gaussian);
  CHECK(median(gaussian) <= 0.3);
  CHECK(smaller_p(gaussian, random) < 0.01);
#endif
  CHECK(smaller_p(regrets(functions[1], suggest_forest), random) < 0.05);
  CHECK(smaller_p(regrets(functions[1], suggest_tpe), random) < 0.05);
}
