// Tests the search for values that make a feature's standard deviation. The deviations come from
// formulas of known distributions, whose quantiles are the numbers.
#include "data/outliers.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "data/data.h"

using namespace sluice::tools;

namespace {

using Floats = std::vector<float>;

/// Returns n numbers, evenly spaced over [low, high).
Floats even(std::size_t n, double low, double high) {
  Floats numbers;
  for (std::size_t i = 0; i < n; ++i)
    numbers.push_back(float(low + (high - low) * double(i * 7 % n) / double(n)));
  return numbers;
}

/// The population deviation of such numbers.
double even_deviation(std::size_t n, double low, double high) {
  return (high - low) / double(n) * std::sqrt((double(n) * double(n) - 1) / 12);
}

/// Returns the numbers with `count` equal ones spread between them.
Floats with(Floats numbers, float value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    numbers.insert(numbers.begin() + std::ptrdiff_t(i * 11 % numbers.size()), value);
  return numbers;
}

/// Returns the quantiles of a distribution: quantile(p) for n values of p in (0, 1).
template <class Quantile>
Floats quantiles(std::size_t n, Quantile quantile) {
  Floats numbers;
  for (std::size_t i = 0; i < n; ++i)
    numbers.push_back(float(quantile((double(i * 7 % n) + 0.5) / double(n))));
  return numbers;
}

/// Returns the values that were found, such as "-9999 x 7".
std::string found(const Floats& numbers) {
  std::string text;
  for (const Outliers::Value& v : find_outliers(numbers).values)
    text += fmt::format("{}{} x {}", text.empty() ? "" : ", ", v.value, v.count);
  return text;
}

}  // namespace

TEST_CASE("a repeated value far from the others is found, with its effect") {
  // 993 numbers of [0, 10) and 7 times -9999: the variance is (1 - p) s^2 + p (1 - p) d^2.
  const Floats numbers = with(even(993, 0, 10), -9999, 7);
  CHECK_EQ(found(numbers), "-9999 x 7");
  const Outliers outliers = find_outliers(numbers);
  const double s = even_deviation(993, 0, 10), p = 0.007, d = 9999 + 5 - 5.0 / 993;
  CHECK_EQ(outliers.numbers, 1000);
  CHECK_EQ(outliers.without, doctest::Approx(s).epsilon(1e-6));
  CHECK_EQ(outliers.with,
           doctest::Approx(std::sqrt((1 - p) * s * s + p * (1 - p) * d * d)).epsilon(1e-6));
  CHECK_EQ(found(with(even(500, -20, 40), 65535, 3)), "65535 x 3");
  CHECK_EQ(found(with(even(600, 0, 1), -200, 400)), "-200 x 400");
  CHECK_EQ(found(with(with(even(500, 0, 1), -9999, 9), 9999, 9)), "-9999 x 9, 9999 x 9");
  CHECK_EQ(found(with(with(even(500, 0, 1), -9999, 9), -8888, 5)), "-9999 x 9, -8888 x 5");
  CHECK_EQ(found(with(even(950, 900, 1100), 0, 50)), "0 x 50");
  CHECK_EQ(found(with(even(600, 0, 1), -200, 2400)), "-200 x 2400");
  Floats missing = numbers;
  missing.insert(missing.begin(), 100, std::nanf(""));
  CHECK_EQ(found(missing), "-9999 x 7");
  CHECK_EQ(find_outliers(missing).numbers, 1000);
}

TEST_CASE("values of any size leave the deviation of the others exact") {
  for (const float far : {1e9f, -1e30f, 3e38f}) {
    const Outliers outliers = find_outliers(with(even(100, 1000, 1001), far, 1));
    REQUIRE_EQ(outliers.values.size(), 1);
    CHECK_EQ(outliers.values[0].value, far);
    CHECK_EQ(outliers.without, doctest::Approx(even_deviation(100, 0, 1)).epsilon(1e-3));
    CHECK_EQ(outliers.with,
             doctest::Approx(double(std::fabs(far)) * std::sqrt(0.01 * 0.99 / 1.0)).epsilon(0.02));
  }
}

TEST_CASE("a saturated end is found although the other values reach it") {
  // 30 of 3,830 numbers are spread from 34 to 1,000, so that no gap parts 1,023 from the others.
  Floats numbers = with(even(3800, 0, 20), 1000, 1);
  for (int i = 1; i < 30; ++i) numbers.push_back(float(i * 34));
  CHECK_EQ(found(numbers), "");
  CHECK_EQ(found(with(numbers, 1023, 200)), "1023 x 200");
  // A heavy tail that is cut off does not make the deviation.
  CHECK_EQ(found(quantiles(4000, [](double p) { return std::fmin(100, 1 / (1 - p)); })), "");
}

TEST_CASE("a few values far beyond the range of the others are found") {
  Floats numbers = even(1000, 0, 1);
  numbers[5] = 400, numbers[600] = 420, numbers[700] = 500, numbers[701] = 470;
  CHECK_EQ(found(numbers), "400 x 1, 420 x 1, 470 x 1, 500 x 1");
  numbers = even(59, 0, 10);
  numbers.push_back(1e5f);
  CHECK_EQ(found(numbers), "100000 x 1");
}

TEST_CASE("up to a twentieth of the numbers may be outliers, if nothing is near them") {
  Floats numbers = even(570, 0, 10);
  for (int i = 0; i < 30; ++i) numbers.push_back(float(-9000 - i * 17 % 1000));
  CHECK_EQ(find_outliers(numbers).values.size(), 30u);
  numbers.insert(numbers.end(), {-9001.5f, -9002.5f});
  CHECK_EQ(found(numbers), "");
}

TEST_CASE("features as people have them are not told") {
  const auto exponential = [](double p) { return -std::log(1 - p); };
  for (const std::size_t n : {30u, 300u, 3000u}) {
    CAPTURE(n);
    CHECK_EQ(found(even(n, 0, 1)), "");
    CHECK_EQ(found(quantiles(n, exponential)), "");
    CHECK_EQ(found(quantiles(n, [&](double p) { return std::pow(exponential(p), 2); })), "");
    CHECK_EQ(found(quantiles(n, [](double p) { return std::pow(1 - p, -0.4); })), "");
    CHECK_EQ(found(Floats(n, 518.67f)), "");
    CHECK_EQ(found(with(Floats(n, 0), 1, n / 100 + 1)), "");         // binary
    CHECK_EQ(found(with(Floats(n, 518.67f), 519, n / 20 + 1)), "");  // almost constant
  }
  const auto rounded = [](double from, double to, double share_of_zero) {
    return quantiles(2000, [=](double p) {
      return p < share_of_zero ? 0.0 : std::floor(from + (to - from) * p);
    });
  };
  CHECK_EQ(found(rounded(0, 9, 0)), "");                        // categories
  CHECK_EQ(found(with(rounded(0, 9, 0), 99, 50)), "");          // and one for the rest
  CHECK_EQ(found(rounded(1, 40, 0.6)), "");                     // counts
  CHECK_EQ(found(with(even(1300, 1450, 1550), 0, 600)), "");    // a machine that stands still
  CHECK_EQ(found(with(even(600, 1000, 3000), 800, 2400)), "");  // one that idles
  CHECK_EQ(found(with(even(1300, 85, 100), 100, 600)), "");     // saturated, but near the others
  CHECK_EQ(found(with(even(900, 0, 20), -23, 60)), "");         // a floor of logarithms
  CHECK_EQ(found(with(even(15, 0, 1), -9999, 4)), "");          // too little data
}

namespace {

Columns columns() {
  Columns c;
  c.sequence = "sequence", c.target = {"label"};
  return c;
}

/// Returns a table of sequences of ten rows; in one row of each listed sequence a feature is -9999.
DataSet table(std::size_t sequences, const std::vector<std::size_t>& marked,
              std::size_t features = 2) {
  std::string csv = "sequence,label";
  for (std::size_t f = 0; f < features; ++f) csv += fmt::format(",f{}", f);
  for (std::size_t s = 0; s < sequences; ++s)
    for (std::size_t t = 0; t < 10; ++t) {
      csv += fmt::format("\n{},{}", s, s % 2);
      for (std::size_t f = 0; f < features; ++f) {
        const bool mark = f > 0 && t == 3 && std::count(marked.begin(), marked.end(), s) > 0;
        csv += mark ? std::string(",-9999") : fmt::format(",{}", (s * 10 + t) * 13 % 100);
      }
    }
  return assemble(read_csv(csv + "\n", "data.csv", columns(), {}), columns(), {});
}

}  // namespace

TEST_CASE("lines name the feature, and only the rows of these sequences count") {
  using Lines = std::vector<std::string>;
  const DataSet data = table(50, {1, 5, 7});
  // Every number of 0 to 99 occurs five times, except that three are -9999.
  const Lines lines = outlier_lines(data, all_sequences(data));
  REQUIRE_EQ(lines.size(), 1);
  CHECK_EQ(lines[0],
           "f1: -9999 (3 of 500 values) makes its standard deviation 777; without it 28.9: if it "
           "marks a missing value or a saturated sensor, set data.missing = [\"\", \"-9999\"] and "
           "data.fill");
  CHECK_EQ(outlier_lines(data, std::vector<std::size_t>{0, 2, 3, 4, 6, 8}), Lines{});
  CHECK_EQ(outlier_lines(table(50, {1, 5, 7}, 12), all_sequences(data)).size(), 11);
  CHECK_EQ(outlier_lines(table(50, {1, 5, 7}, 12), all_sequences(data)).back(),
           "1 more feature has values that make its standard deviation");
}

TEST_CASE("numbers in the place of missing ones do not count, and the advice keeps the markers") {
  std::string csv = "sequence,label,a,b\n";
  for (int i = 0; i < 200; ++i)
    csv += fmt::format("{},{},{},{}\n", i / 10, i / 10 % 2,
                       i % 50 == 7                 ? "-9999"
                       : i % 50 > 7 && i % 50 < 10 ? "?"
                                                   : fmt::format("{}", i * 13 % 100),
                       i * 13 % 100);
  Columns c = columns();
  c.dialect.fill = Fill::previous, c.dialect.missing = {"", "?"};
  const DataSet data = assemble(read_csv(csv, "data.csv", c, {}), c, {});
  const std::vector<std::string> lines = outlier_lines(data, all_sequences(data));
  REQUIRE_EQ(lines.size(), 1);
  CHECK(lines[0].starts_with("a: -9999 (4 of 192 values) makes its standard deviation"));
  CHECK(lines[0].ends_with("set data.missing = [\"\", \"?\", \"-9999\"]"));
}

TEST_CASE("targets that are values are told too") {
  std::string csv = "sequence,y,z,a\n";
  for (int i = 0; i < 200; ++i)
    csv += fmt::format("{},{},1,{}\n", i, i % 50 == 7 ? -9999 : i * 13 % 100, i * 7 % 100);
  Columns c = columns();
  c.classes = false, c.target = {"y", "z"};
  const auto lines_of = [&] {
    const DataSet data = assemble(read_csv(csv, "data.csv", c, {}), c, {});
    return outlier_lines(data, all_sequences(data));
  };
  REQUIRE_EQ(lines_of().size(), 1);
  CHECK(lines_of()[0].starts_with("target y: -9999 (4 of 200 values) makes"));
  CHECK(lines_of()[0].ends_with(", leave its sequences out"));
  c.per_row = true;
  CHECK(lines_of()[0].ends_with(", set data.missing = [\"\", \"-9999\"]"));
}

TEST_CASE("of windows, each row of the training part counts once") {
  std::string csv = "a\n";
  for (int i = 0; i < 200; ++i)
    csv += i == 150 ? "1e6\n" : i < 4 ? "-9999\n" : fmt::format("{}\n", i * 13 % 100);
  Columns c;
  c.classes = false, c.target = {"a"};
  c.windows.length = 5, c.windows.part[0] = {0, 100}, c.windows.part[1] = {100, 200};
  const Expected none{{}, {}, false};
  Columns all;
  const DataSet data =
      cut_windows(assemble(read_csv(csv, "data.csv", all, none), all, none), c, {}, "data.csv");
  const std::vector<std::string> lines = outlier_lines(data, split(data, 0, 1).train);
  REQUIRE_EQ(lines.size(), 1);
  CHECK(lines[0].starts_with("a: -9999 (4 of 100 values) makes its standard deviation"));
}
