// Tests the random forest over a search space against the definition of trees and against known
// functions.
#include "tune/forest.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "../support/numbers.h"

using namespace sluice::tools;
using sluice::tests::Noise;

namespace {

/// Returns a space of two numbers, a choice, and a number that is in force only with the choice's
/// second name.
Space space_of_four() {
  Space space;
  space.parameters = {{"a", "", Parameter::real, 0, 2, 0, false, {}, 0, {}},
                      {"b", "", Parameter::real, 1, 100, 0, true, {}, 1, {}},
                      {"c", "", Parameter::choice, 0, 2, 0, false, {"1", "2", "3"}, 0, {}},
                      {"d", "", Parameter::real, 0, 1, 0, false, {}, 0, {{2, {1}}}}};
  return space;
}

double truth(const std::vector<double>& f) {
  return (f[0] < 0.5 ? 1 : 3) + 2 * f[1] + (f[2] == 2 ? 5 : 0) + (f[3] < 0 ? 0 : f[3]);
}

struct Sample {
  std::vector<std::vector<double>> features;
  std::vector<double> values;
};

Sample sample(int n, std::uint64_t seed) {
  Noise noise(seed);
  const auto share = [&] { return double(noise.number(0, 1)); };
  Sample s;
  for (int i = 0; i < n; ++i) {
    const double c = std::floor(share() * 3);
    s.features.push_back({share(), share(), c, c == 1 ? share() : -1});
    s.values.push_back(truth(s.features.back()));
  }
  return s;
}

}  // namespace

TEST_CASE("a forest's features are a point's numbers, choices and missing numbers") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> f = features_of(space_of_four(), {1.5, 10, 2, nan});
  CHECK(f[0] == doctest::Approx(0.75));
  CHECK(f[1] == doctest::Approx(0.5));
  CHECK_EQ(f[2], 2);
  CHECK_EQ(f[3], -1);
}

TEST_CASE(
    "trees that are trained on every value return it again, and nothing beyond the range of the "
    "values") {
  const Sample s = sample(100, 1);
  const Forest forest = fit_forest(space_of_four(), s.features, s.values, 3,
                                   {.trees = 16, .leaf = 1, .bootstrap = false});
  for (std::size_t i = 0; i < s.values.size(); ++i) {
    const Forecast said = predict(forest, s.features[i]);
    CHECK(said.mean == doctest::Approx(s.values[i]).epsilon(1e-12));
    CHECK(said.variance < 1e-12);
  }
  const auto [low, high] = std::minmax_element(s.values.begin(), s.values.end());
  for (const auto& f : sample(300, 2).features) {
    CHECK(predict(forest, f).mean >= *low);
    CHECK(predict(forest, f).mean <= *high);
  }
}

TEST_CASE("a node has the mean, variance and count of the values below it") {
  const Sample s = sample(60, 4);
  for (const bool bootstrap : {false, true})
    for (const auto& tree : fit_forest(space_of_four(), s.features, s.values, 3,
                                       {.trees = 4, .leaf = 3, .bootstrap = bootstrap})
                                .trees)
      for (const Forest::Node& node : tree) {
        CHECK_LE(node.count, 60);
        if (node.feature < 0) {
          CHECK_GE(node.count, 3);
          continue;
        }
        const Forest::Node &left = tree[std::size_t(node.left)],
                           &right = tree[std::size_t(node.right)];
        CHECK_EQ(left.count + right.count, node.count);
        const double p = double(left.count) / node.count, q = 1 - p;
        CHECK(p * left.mean + q * right.mean == doctest::Approx(node.mean));
        // The law of total variance.
        CHECK(p * left.variance + q * right.variance +
                  p * q * std::pow(left.mean - right.mean, 2) ==
              doctest::Approx(node.variance));
      }
}

TEST_CASE(
    "a forest explains a function of numbers, a choice and a condition; its variance is larger if "
    "it has fewer trials nearby") {
  const Sample s = sample(400, 5), unseen = sample(400, 6);
  const Forest forest = fit_forest(space_of_four(), s.features, s.values, 3);
  double sum = 0, squares = 0, wrong = 0;
  for (std::size_t i = 0; i < unseen.values.size(); ++i) {
    sum += unseen.values[i], squares += unseen.values[i] * unseen.values[i];
    wrong += std::pow(predict(forest, unseen.features[i]).mean - unseen.values[i], 2);
  }
  const double n = double(unseen.values.size());
  CHECK(1 - wrong / n / (squares / n - sum * sum / n / n) > 0.98);  // R^2
  // One value among many equal ones.
  std::vector<std::vector<double>> features(30, {0.1, 0.1, 0, -1});
  std::vector<double> values(30, 1.0);
  features.push_back({0.9, 0.1, 0, -1}), values.push_back(2.0);
  const Forest two = fit_forest(space_of_four(), features, values, 1);
  CHECK(predict(two, std::vector<double>{0.5, 0.1, 0, -1}).variance >
        predict(two, std::vector<double>{0.1, 0.1, 0, -1}).variance);
  CHECK_FALSE(
      predict(fit_forest(space_of_four(), s.features, s.values, 4), unseen.features[0]).mean ==
      predict(forest, unseen.features[0]).mean);
  CHECK(predict(fit_forest(space_of_four(), s.features, s.values, 3), unseen.features[0]).mean ==
        predict(forest, unseen.features[0]).mean);
}
