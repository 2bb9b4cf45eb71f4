// Tests search methods and search spaces: points are in the space, allowed and new, and have the
// documented probability.
#include "tune/suggest.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <set>
#include <utility>

#include "tune/methods/shared.h"

using namespace sluice::tools;

namespace {

bool sparse() { return std::getenv("SLUICE_TESTS_SPARSE") != nullptr; }

Parameter real(double low, double high, bool log = false, double step = 0) {
  return {"train.real", "", Parameter::real, low, high, step, log, {}, low, {}};
}
Parameter whole(double low, double high, bool log = false, double step = 0) {
  return {"train.whole", "", Parameter::whole, low, high, step, log, {}, low, {}};
}
Parameter choice(const std::vector<std::string>& names) {
  return {
      "train.choice", "", Parameter::choice, 0, double(names.size() - 1), 0, false, names, 0, {}};
}
Parameter when(Parameter parameter, std::size_t other, std::vector<double> values) {
  parameter.when.push_back({other, std::move(values)});
  return parameter;
}

/// A space with every kind of parameter. The second layer's units are in force only if there are
/// two layers, and its rate of dropping only if it has more than 8 units.
Space mixed() {
  return {{real(1e-4, 1e-1, true), whole(1, 2), when(whole(8, 64, false, 8), 1, {2}),
           when(real(0, 0.5), 2, {16, 32, 64}), choice({"\"adam\"", "\"sgd\"", "\"rmsprop\""}),
           when(real(0, 0.99), 4, {1}), whole(1, 512, true), real(0, 1, false, 0.1)}};
}

/// A finite space: every parameter has steps or choices.
Space finite() {
  return {{whole(1, 2), when(whole(8, 64, false, 8), 0, {2}), choice({"\"a\"", "\"b\"", "\"c\""}),
           real(0, 1, false, 0.1)}};
}

bool anything(const Point&) { return true; }

/// Returns chi-square's upper 1e-6 quantile, by Wilson and Hilferty.
double chi_square_limit(double freedom) {
  const double z = 4.7534;
  return freedom * std::pow(1 - 2 / (9 * freedom) + z * std::sqrt(2 / (9 * freedom)), 3);
}

}  // namespace

TEST_CASE(
    "a settled point has numbers on their steps and within their range, and no number for a "
    "parameter that is not in force") {
  const Space space = mixed();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(same(settled(space, {1, 1, 20, 0.2, 0.4, 0.5, 3.6, 0.33}),
             {1e-1, 1, nan, nan, 0, nan, 4, 0.3}));
  CHECK(same(settled(space, {1e-9, 2, 20, 0.2, 1, 0.5, 0, 7}), {1e-4, 2, 24, nan, 1, 0.5, 1, 1}));
  CHECK(
      same(settled(space, {1e-2, 2, 15, nan, 2, nan, 513, -1}), {1e-2, 2, 16, 0, 2, nan, 512, 0}));
  CHECK_FALSE(same({1, nan}, {1, 2}));
  // The second layer has 16 units, but there is only one layer.
  CHECK_FALSE(in_force(space, 3, {1e-2, 1, 16, 0.1, 0, 0, 1, 0}));
}

TEST_CASE("a point is printed as in a recipe") {
  CHECK_EQ(point_text(finite(), settled(finite(), {1, 0, 1, 0.3})),
           "train.whole = 1, train.choice = \"b\", train.real = 0.3");
  CHECK_EQ(value_text(real(0, 1), 1), "1.0");
  CHECK_EQ(value_text(real(0, 1), 1e-5), "1e-05");
  CHECK_EQ(value_text(whole(0, 1e9), 1e8), "100000000");
}

TEST_CASE("values are counted and ascend, and each is at the middle of its share") {
  for (const Parameter& p :
       {whole(1, 512, true), whole(0, 7), whole(8, 64, true, 8), whole(5, 5),
        real(0, 1, false, 0.1), real(0.1, 1, true, 1.5), choice({"1", "2", "3"}),
        real(-3, -1, false, 0.7), whole(1, 1000000, true), whole(1, 100, true, 40)}) {
    const std::uint64_t n = values_of(p);
    REQUIRE(n > 0);
    for (std::uint64_t i = 0; i < n; i += 1 + i / 100) {
      const double value = value_at(p, i);
      CHECK(value >= p.low);
      CHECK(value <= p.high);
      if (i > 0) CHECK(value > value_at(p, i - 1));
      CHECK_EQ(value_of_share(p, share_of_value(p, value)), value);
      CHECK_EQ(index_of(p, value), i);
    }
    CHECK_EQ(value_of_share(p, 0), p.low);
    CHECK_EQ(value_of_share(p, 1), value_at(p, n - 1));
  }
  CHECK_EQ(values_of(whole(1, 512)), 512u);
  CHECK_EQ(values_of(whole(8, 64, false, 8)), 8u);
  CHECK_EQ(values_of(whole(8, 63, false, 8)), 7u);
  CHECK_EQ(values_of(real(0, 1, false, 0.1)), 11u);
  CHECK_EQ(values_of(real(0, 0.3, false, 0.1)), 4u);
  CHECK_EQ(value_at(real(0, 1, false, 0.1), 3), 0.3);
  CHECK_EQ(values_of(real(1e-7, 1e-1, true, 10)), 7u);  // on a logarithmic scale a step is a factor
  CHECK_EQ(value_at(real(1e-7, 1e-1, true, 10), 3), 1e-4);
  CHECK_EQ(index_of(real(1e-7, 1e-1, true, 10), 1e-2), 5u);
  CHECK_EQ(values_of(whole(8, 65, true, 2)), 4u);
  CHECK_EQ(value_at(whole(8, 65, true, 2), 3), 64);
  CHECK_EQ(value_of_share(whole(8, 64, true, 2), 0.49), 16);
  CHECK_EQ(share_of_value(whole(8, 64, true, 2), 32), 0.625);
  CHECK_EQ(values_of(real(0, 1)), 0u);
  CHECK_EQ(values_of(real(1, 1)), 1u);
  CHECK(value_of_share(real(1e-4, 1, true), 0.5) == doctest::Approx(1e-2));
  CHECK(share_of_value(real(1e-4, 1, true), 1e-3) == doctest::Approx(0.25));
  // 10^(-4 + 4 * 0.123456), in six digits.
  CHECK_EQ(value_of_share(real(1e-4, 1, true), 0.123456), 0.000311763);
}

TEST_CASE("a grid has every combination once, the first parameter slowest, with conditions") {
  CHECK_EQ(grid_points(finite()), (1 + 8) * 3 * 11.0);
  CHECK_EQ(grid_points({{whole(1, 10000000)}}), 1e7);
  CHECK(std::isinf(grid_points(mixed())));
  // Each of 40 layers may be left out, or has one to three units; with two or three units it also
  // has one of three rates of dropping. These are 1 + 1 + 2 * 3 points per layer, and counting them
  // must not walk through the grid.
  Space layers;
  for (std::size_t i = 0; i < 40; ++i) {
    layers.parameters.push_back(whole(0, 1));
    layers.parameters.push_back(when(whole(1, 3), 3 * i, {1}));
    layers.parameters.push_back(when(real(0, 1, false, 0.5), 3 * i + 1, {2, 3}));
  }
  CHECK(grid_points(layers) == doctest::Approx(std::pow(1 + 1 + 2 * 3, 40)).epsilon(1e-12));
  // A parameter that depends on two others.
  Space two{{whole(0, 2), whole(0, 3), when(when(whole(1, 5), 0, {1, 2}), 1, {0})}};
  CHECK_EQ(grid_points(two), 12 - 2 + 2 * 5);

  const Space space = finite();
  std::vector<PastTrial> seen;
  for (std::uint64_t n = 0;; ++n) {
    const auto point = suggest_grid({space, seen, n, 1, anything});
    if (!point) break;
    CHECK(same(*point, settled(space, *point)));
    // They come in ascending order, so none occurs twice.
    if (n > 0) CHECK(PointLess()(seen.back().point, *point));
    seen.push_back({*point, 1.0});
  }
  CHECK_EQ(double(seen.size()), grid_points(space));
  CHECK_FALSE(suggest_grid({mixed(), {}, 0, 1, anything}));
}

TEST_CASE("independent draws are as likely as a value's share is wide") {
  const int n = sparse() ? 2000 : 20000;
  const auto chi_square = [&](const Parameter& parameter, auto bin_of,
                              const std::vector<double>& expected) {
    const Space space{{parameter}};
    std::vector<double> counts(expected.size());
    for (int i = 0; i < n; ++i)
      ++counts[bin_of((*suggest_random({space, {}, std::uint64_t(i), 7, anything}))[0])];
    double sum = 0;
    for (std::size_t b = 0; b < counts.size(); ++b)
      sum += std::pow(counts[b] - n * expected[b], 2) / (n * expected[b]);
    CHECK(sum < chi_square_limit(double(counts.size() - 1)));
  };
  const std::vector<double> tenths(10, 0.1), eighths(8, 0.125);
  chi_square(real(-1, 3), [](double v) { return std::size_t((v + 1) / 4 * 10); }, tenths);
  chi_square(
      real(1e-5, 1, true), [](double v) { return std::size_t((std::log10(v) + 5) * 2); }, tenths);
  chi_square(whole(8, 64, false, 8), [](double v) { return std::size_t(v / 8 - 1); }, eighths);
  chi_square(
      choice({"1", "2", "3", "4", "5", "6", "7", "8"}), [](double v) { return std::size_t(v); },
      eighths);
  chi_square(real(0.5, 4, false, 0.5), [](double v) { return std::size_t(v * 2 - 1); }, eighths);
  // The shares of 1, 2, 3, 4 on a logarithmic scale have borders at sqrt(1 * 2), sqrt(2 * 3),
  // sqrt(3 * 4), and ends at 1 / sqrt(2) and 4 * sqrt(4 / 3).
  std::vector<double> shares;
  const double borders[] = {std::sqrt(0.5), std::sqrt(2), std::sqrt(6), std::sqrt(12),
                            4 * std::sqrt(4.0 / 3)};
  for (int i = 0; i < 4; ++i)
    shares.push_back(std::log(borders[i + 1] / borders[i]) / std::log(borders[4] / borders[0]));
  chi_square(whole(1, 4, true), [](double v) { return std::size_t(v - 1); }, shares);
}

TEST_CASE("Sobol's first points are those that Joe and Kuo publish") {
  // https://web.maths.unsw.edu.au/~fkuo/sobol/: the output of sobol.cc for `sobol 10 3
  // new-joe-kuo-6.21201`
  const double published[10][3] = {{0, 0, 0},
                                   {0.5, 0.5, 0.5},
                                   {0.75, 0.25, 0.25},
                                   {0.25, 0.75, 0.75},
                                   {0.375, 0.375, 0.625},
                                   {0.875, 0.875, 0.125},
                                   {0.625, 0.125, 0.875},
                                   {0.125, 0.625, 0.375},
                                   {0.1875, 0.3125, 0.9375},
                                   {0.6875, 0.8125, 0.4375}};
  for (std::uint32_t i = 0; i < 10; ++i)
    for (std::size_t d = 0; d < 3; ++d) CHECK_EQ(sobol(i, d) / 4294967296.0, published[i][d]);
}

TEST_CASE("every 64 scrambled Sobol points have one point in each 64th of every axis") {
  Space space;
  for (std::size_t i = 0; i < 64; ++i) space.parameters.push_back(whole(0, 63));
  for (std::uint64_t seed = 1; seed <= 2; ++seed)
    for (std::size_t d = 0; d < space.parameters.size(); ++d) {
      std::set<double> cells;
      for (std::uint64_t i = 64; i < 128; ++i)
        cells.insert(sobol_point({space, {}, 0, seed, anything}, i)[d]);
      CHECK_EQ(cells.size(), 64u);
    }
  CHECK_FALSE(same(sobol_point({space, {}, 0, 1, anything}, 1),
                   sobol_point({space, {}, 0, 2, anything}, 1)));
}

TEST_CASE(
    "every method gives points of the space that are allowed and new, the same for the same "
    "history") {
  const Space space = mixed();
  const auto allowed = [](const Point& p) { return p[4] != 2 || p[6] > 20; };
  for (const Method& method : methods()) {
    if (method.suggest == suggest_grid) continue;  // the space has a real parameter without a step
    CAPTURE(word(method.method));
    const std::uint64_t trials = sparse() ? 25 : 60;
    std::vector<PastTrial> seen;
    PointSet known;
    for (std::uint64_t n = 0; n < trials; ++n) {
      const auto point = method.suggest({space, seen, n, 5, allowed});
      REQUIRE(point);
      CHECK(same(*point, settled(space, *point)));
      CHECK(allowed(*point));
      CHECK(known.insert(*point).second);
      // Some trials fail, and the last few are still running.
      seen.push_back({*point, std::abs(std::log10((*point)[0]) + 2) + (*point)[7]});
      if (n % 7 == 3) seen.back() = {*point, std::nullopt, true, false};
      if (n % 7 == 4) seen.back().value = n % 2 == 0 ? INFINITY : NAN;
      if (n + 3 >= trials) seen.back() = {*point, std::nullopt, false, true};
    }
    const auto once = method.suggest({space, seen, trials, 5, allowed}),
               again = method.suggest({space, seen, trials, 5, allowed});
    CHECK(same(*once, *again));
    CHECK_FALSE(same(*once, *method.suggest({space, seen, trials, 6, allowed})));
  }
}

TEST_CASE("every method finds all points of a finite space that are allowed, then none") {
  const Space space{
      {whole(1, 2), when(whole(8, 24, false, 8), 0, {2}), choice({"\"a\"", "\"b\"", "\"c\""})}};
  for (const Method& method : methods()) {
    CAPTURE(word(method.method));
    std::vector<PastTrial> seen;
    PointSet known;
    for (;;) {
      const auto point = method.suggest({space, seen, seen.size(), 3,
                                         [](const Point& p) { return p[0] != 1 || p[2] != 2; },
                                         Acquisition::ei, 4});
      if (!point) break;
      REQUIRE(known.insert(*point).second);
      seen.push_back({*point, (*point)[2] + (*point)[0]});
    }
    CHECK_EQ(seen.size(), 12u - 1u);
    // A space of one point, and a space without parameters.
    CHECK(method.suggest({Space{{whole(5, 5)}}, {}, 0, 3, anything}));
    CHECK_FALSE(
        method.suggest({Space{{whole(5, 5)}}, {}, 0, 3, [](const Point&) { return false; }}));
  }
}

TEST_CASE("every method gives points if no trial has a value") {
  const Space space = mixed();
  for (const Method& method : methods()) {
    if (method.suggest == suggest_grid) continue;
    std::vector<PastTrial> seen;
    for (std::uint64_t n = 0; n < 15; ++n) {
      const auto point = method.suggest({space, seen, n, 5, anything});
      REQUIRE(point);
      seen.push_back({*point, n % 2 ? std::optional<double>(NAN) : std::nullopt, n % 2 == 0});
    }
  }
  // Also if all values are equal.
  for (const Method& method : methods()) {
    std::vector<PastTrial> seen;
    for (std::uint64_t n = 0; n < 15; ++n) {
      const auto point = method.suggest({finite(), seen, n, 5, anything});
      REQUIRE(point);
      seen.push_back({*point, 7.0});
    }
  }
}

TEST_CASE("a method returns nothing if no point is allowed") {
  for (const Method& method : methods())
    CHECK_FALSE(method.suggest({mixed(), {}, 0, 1, [](const Point&) { return false; }}));
}
