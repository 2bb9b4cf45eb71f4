// Tests data in time order: windows, their parts, units of values, cut sequences and batches by
// length.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>

#include "../support/large_data.h"
#include "../support/numbers.h"
#include "../support/refusal.h"
#include "common/error.h"
#include "data/data.h"

using namespace sluice::tools;

namespace {

using Rows_ = std::vector<std::size_t>;

/// Makes rows 0, 1, 2, ... with a = row and b = row^2.
DataSet series(std::size_t rows) {
  std::string csv = "a,b\n";
  for (std::size_t i = 0; i < rows; ++i)
    csv += std::to_string(i) + "," + std::to_string(i * i) + "\n";
  const Columns c;
  const Expected all{{}, {}, false};
  return assemble(read_csv(csv, "series.csv", c, all), c, all);
}

Columns windows(std::size_t length, std::size_t horizon, std::vector<std::string> target) {
  Columns c;
  c.classes = false;
  c.target = std::move(target);
  c.windows.length = length, c.windows.horizon = horizon;
  return c;
}

/// Returns the targets of all windows, one after another.
std::vector<float> values_of(const DataSet& data) {
  std::vector<float> values;
  for (std::size_t s = 0; s < data.sequences(); ++s)
    for (std::size_t k = 0; k < data.outputs(); ++k) values.push_back(data.value_at(s, k));
  return values;
}

std::vector<std::size_t> starts(const DataSet& data, std::uint8_t part) {
  std::vector<std::size_t> list;
  for (std::size_t s = 0; s < data.sequences(); ++s)
    if (data.part[s] == part) list.push_back(data.first[s]);
  return list;
}

}  // namespace

TEST_CASE("windows hold rows of a series, and the rows after them are the targets") {
  const DataSet data = cut_windows(series(7), windows(3, 2, {"b"}), {}, "series.csv");
  CHECK_EQ(data.labels, std::vector<std::string>{"b+1", "b+2"});
  CHECK_EQ(data.sequences(), 3u);
  for (std::size_t s = 0; s < 3; ++s) {
    CHECK_EQ(data.steps(s), 3u);
    for (std::size_t t = 0; t < 3; ++t) {
      CHECK_EQ(data.frames(s)[2 * t], float(s + t));
      CHECK_EQ(data.frames(s)[2 * t + 1], float((s + t) * (s + t)));
    }
    CHECK_EQ(data.value_at(s, 0), float((s + 3) * (s + 3)));
    CHECK_EQ(data.value_at(s, 1), float((s + 4) * (s + 4)));
    CHECK_EQ(data.last_at(s, 0), float((s + 2) * (s + 2)));
  }
  Columns apart = windows(3, 1, {"b", "a"});
  apart.windows.stride = 2, apart.windows.difference = true;
  const DataSet two = cut_windows(series(8), apart, {}, "series.csv");
  CHECK_EQ(two.labels, std::vector<std::string>{"b", "a"});
  CHECK_EQ(starts(two, 0), Rows_{0, 2, 4});
  CHECK_EQ(values_of(two), std::vector<float>{9 - 4, 1, 25 - 16, 1, 49 - 36, 1});
}

TEST_CASE("windows share the targets of their series, whatever the horizon") {
  Columns c = windows(3, 100, {"b", "a"});
  for (const bool difference : {false, true}) {
    c.windows.difference = difference;
    DataSet data = cut_windows(series(300), c, {}, "series.csv");
    CHECK_EQ(data.outputs(), 200u);
    CHECK_EQ(data.sequences(), 198u);
    CHECK_EQ(data.value.size(), 2 * 300u);
    standardize_targets(data, all_sequences(data));
    CHECK_EQ(data.value.size(), 2 * 300u);
    CHECK(data.own.size() <= 2 * 300u);
  }
}

TEST_CASE(
    "no window crosses a split, except that inputs may reach back by an option; targets never do") {
  Columns c = windows(4, 2, {"a"});
  c.windows.part[0] = {0, 10}, c.windows.part[1] = {10, 18}, c.windows.part[2] = {20, 27};
  const DataSet data = cut_windows(series(30), c, {}, "series.csv");
  CHECK_EQ(starts(data, 0), Rows_{0, 1, 2, 3, 4});
  CHECK_EQ(starts(data, 1), Rows_{10, 11, 12});
  CHECK_EQ(starts(data, 2), Rows_{20, 21});
  c.windows.reach_back = true;
  const DataSet reaching = cut_windows(series(30), c, {}, "series.csv");
  CHECK_EQ(starts(reaching, 0), Rows_{0, 1, 2, 3, 4});
  CHECK_EQ(starts(reaching, 1), Rows_{6, 7, 8, 9, 10, 11, 12});
  CHECK_EQ(starts(reaching, 2), Rows_{16, 17, 18, 19, 20, 21});
  const Split parts = split(reaching, 0, 1);
  CHECK_EQ(parts.train.size(), 5u);
  CHECK_EQ(parts.held_out.size(), 7u);
  CHECK_EQ(parts.test.size(), 6u);
  Columns share = windows(4, 2, {"a"});
  share.windows.validation = 0.25;
  const DataSet last = cut_windows(series(40), share, {}, "series.csv");
  CHECK_EQ(starts(last, 0).back(), 24u);
  CHECK_EQ(starts(last, 1).front(), 30u);
}

TEST_CASE("a series is standardized by its training rows, each counted once") {
  Columns c = windows(4, 2, {"b"});
  c.windows.part[0] = {0, 10}, c.windows.part[1] = {10, 18};
  DataSet data = cut_windows(series(30), c, {}, "series.csv");
  const Split parts = split(data, 0, 1);
  const Standardization s = standardization(data, parts.train);
  CHECK_EQ(s.mean[0], 4.5f);
  CHECK(std::fabs(double(s.scale[0]) - 1 / std::sqrt(8.25)) < 1e-7);  // (10^2 - 1) / 12
  double mean = 0, square = 0;
  for (int i = 0; i < 10; ++i) mean += i * i / 10.0;
  for (int i = 0; i < 10; ++i) square += (i * i - mean) * (i * i - mean) / 10;
  CHECK(std::fabs(data.units.mean[1] - mean) < 1e-12 * mean);
  CHECK(std::fabs(data.units.deviation[1] - std::sqrt(square)) < 1e-12 * mean);
  const std::vector<float> own = values_of(data);
  const std::uint64_t hash = data_hash(data);
  standardize_targets(data, parts.train);
  CHECK_EQ(data_hash(data), hash);
  for (std::size_t i = 0; i < own.size(); ++i)
    CHECK(std::fabs(double(values_of(data)[i]) - (own[i] - mean) / std::sqrt(square)) < 1e-5);
  restore_targets(data);
  CHECK_EQ(values_of(data), own);
}

TEST_CASE("values of sequences are standardized over the valid ones of the training part") {
  Columns c;
  c.sequence = "sequence", c.target = {"v", "w"}, c.classes = false, c.per_row = true;
  DataSet data = assemble(
      read_csv("sequence,v,w,x\n1,2,5,0\n1,,5,0\n2,6,5,0\n3,100,0,0\n", "data.csv", c, {}), c, {});
  standardize_targets(data, std::vector<std::size_t>{0, 1});
  CHECK_EQ(data.units.mean, std::vector<double>{4, 5});
  // The unit of a constant value stays 1.
  CHECK_EQ(data.units.deviation, std::vector<double>{2, 1});
  CHECK_EQ(data.value[0], -1.0f);
  CHECK(std::isnan(data.value[2]));
  CHECK_EQ(data.value[3], 0.0f);
  CHECK_EQ(data.value[4], 1.0f);
  CHECK_EQ(data.value[6], 48.0f);
}

TEST_CASE("settings that a series cannot satisfy are refused") {
  const auto cut = [](std::size_t rows, const Columns& c) {
    return sluice::tests::refusal_of([&] { cut_windows(series(rows), c, {}, "series.csv"); });
  };
  CHECK(cut(7, windows(6, 2, {"a"}))
            .starts_with("series.csv: 7 rows of training hold no window of 6 rows and 2"));
  CHECK(cut(7, windows(2, 2, {"c"})).starts_with("series.csv: c: no such column"));
  Columns c = windows(2, 1, {"a"});
  c.features = {"b"};
  CHECK_EQ(cut(7, c), "accepted");
  c.windows.difference = true;
  CHECK(cut(7, c).starts_with("series.csv: a: is a target, and"));
  Columns parts = windows(2, 1, {"a"});
  parts.windows.part[0] = {0, 10}, parts.windows.part[1] = {9, 18};
  CHECK(cut(30, parts).starts_with("series.csv: data.validation_rows: rows 9:18 begin before"));
  parts.windows.part[1] = {10, 31};
  CHECK(cut(30, parts).starts_with(
      "series.csv: data.validation_rows: rows 10:31, but the file has 30"));
  parts.windows.part[1] = {10, 12};
  CHECK(cut(30, parts).starts_with("series.csv: 2 rows of validation hold no window"));
}

TEST_CASE(
    "long sequences are cut at their beginning or their end, with the targets of the cut rows") {
  Columns c;
  c.sequence = "sequence", c.target = {"label"}, c.per_row = true, c.max_steps = 2;
  const std::string csv =
      "sequence,label,x\n1,a,0\n1,b,1\n1,c,2\n2,a,3\n3,c,4\n3,b,5\n3,a,6\n3,a,7\n";
  const auto read = [&] { return assemble(read_csv(csv, "data.csv", c, {}), c, {}); };
  const DataSet front = read();
  CHECK_EQ(front.x, std::vector<float>{0, 1, 3, 4, 5});
  CHECK_EQ(front.target, std::vector<std::int32_t>{0, 1, 0, 2, 1});
  CHECK_EQ(front.first, Rows_{0, 2, 3, 5});
  CHECK_EQ(front.cut, 2u);
  c.cut_front = true;
  const DataSet back = read();
  CHECK_EQ(back.x, std::vector<float>{1, 2, 3, 6, 7});
  CHECK_EQ(back.target, std::vector<std::int32_t>{1, 2, 0, 0, 0});
}

TEST_CASE("batches hold sequences of similar length, and every sequence once, and are shuffled") {
  sluice::tests::Noise noise(17);
  DataSet data;
  data.feature_names = {"x"};
  data.first = {0};
  for (int s = 0; s < 1003; ++s)
    data.first.push_back(data.first.back() + std::size_t(1 + noise.below(100)));
  std::vector<std::size_t> order;
  for (std::size_t s = 0; s < 1003; ++s) order.push_back((s * 617) % 1003);
  const std::vector<std::size_t> shuffled = order;
  const auto padding = [&](const std::vector<std::size_t>& list) {
    std::size_t sum = 0;
    for (std::size_t b = 0; b < list.size(); b += 8) {
      std::size_t longest = 0;
      for (std::size_t i = b; i < std::min(list.size(), b + 8); ++i)
        longest = std::max(longest, data.steps(list[i]));
      for (std::size_t i = b; i < std::min(list.size(), b + 8); ++i)
        sum += longest - data.steps(list[i]);
    }
    return sum;
  };
  bucket(order, data, 8, 1, 1);
  CHECK_EQ(std::set<std::size_t>(order.begin(), order.end()).size(), 1003u);
  CHECK(padding(order) * 8 < padding(shuffled));
  std::vector<std::size_t> again = shuffled, later = shuffled;
  bucket(again, data, 8, 1, 1), bucket(later, data, 8, 1, 2);
  CHECK_EQ(again, order);
  CHECK(later != order);
  std::vector<std::size_t> means;  // the order is not from short to long
  for (std::size_t b = 0; b + 8 <= 512; b += 8) means.push_back(data.steps(order[b]));
  CHECK(!std::is_sorted(means.begin(), means.end()));
  // The incomplete batch stays last.
  for (std::size_t i = 1000; i < 1003; ++i) CHECK_EQ(order[i], later[i]);
}

TEST_CASE(
    "repeating the last value of ETTh1 scores the published 0.0343, and 0.0696 in the validation "
    "months") {
  const std::string path = sluice::tests::large_data("etth1/ETTh1.csv");
  if (path.empty()) return;
  Columns c = windows(96, 24, {"OT"});
  c.features = {"OT"};
  c.windows.reach_back = true;
  c.windows.part[0] = {0, 8640}, c.windows.part[1] = {8640, 11520},
  c.windows.part[2] = {11520, 14400};
  DataSet data = read_data(path, c);
  const Split parts = split(data, 0, 1);
  CHECK_EQ(parts.test.size(), 2880u - 24 + 1);
  const auto error = [&](const std::vector<std::size_t>& sequences) {
    double sum = 0;
    for (const std::size_t s : sequences)
      for (std::size_t k = 0; k < 24; ++k) {
        const double standardized =
            (double(data.value_at(s, k)) - double(data.last_at(s, k))) / data.units.deviation[0];
        sum += standardized * standardized;
      }
    return sum / double(24 * sequences.size());
  };
  CHECK(std::fabs(error(parts.test) - 0.0343) < 0.00005);
  CHECK(std::fabs(error(parts.held_out) - 0.0696) < 0.00005);
}

namespace {

/// Two series of 10 and 8 rows: x counts the rows, k is a class that changes every third row, and
/// is empty in the last row of the file.
std::string two_series() {
  std::string csv = "s,x,k\n";
  for (int i = 0; i < 18; ++i)
    csv += (i < 10 ? "a," : "b,") + std::to_string(i) + "," +
           (i == 17 ? "" : std::string(1, char('p' + i / 3 % 3))) + "\n";
  return csv;
}

DataSet cut(const Columns& columns) {
  Columns read = columns;
  read.per_row = columns.classes;
  Expected all;
  if (!columns.classes) read.target.clear(), read.classes = false, all.targets = false;
  return cut_windows(assemble(read_csv(two_series(), "two.csv", read, all), read, all), columns, {},
                     "two.csv");
}

}  // namespace

TEST_CASE("no window leaves its series, and each series is split by itself") {
  Columns c = windows(3, 1, {"x"});
  c.sequence = "s", c.ignore = {"k"};
  const DataSet whole = cut(c);
  CHECK_EQ(starts(whole, 0), Rows_{0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14});
  CHECK_EQ(whole.names[7], "b:0");
  CHECK_EQ(whole.value_at(7, 0), 13.0f);
  c.windows.validation = 0.5;  // rows 5 to 9 and 14 to 17
  const DataSet parts = cut(c);
  CHECK_EQ(starts(parts, 0), Rows_{0, 1, 10});
  CHECK_EQ(starts(parts, 1), Rows_{5, 6, 14});
  CHECK_EQ(parts.units.mean, std::vector<double>{(0 + 1 + 2 + 3 + 4 + 10 + 11 + 12 + 13) / 9.0});
  c.windows.reach_back = true;
  CHECK_EQ(starts(cut(c), 1), Rows_{2, 3, 4, 5, 6, 11, 12, 13, 14});
  c.windows.order = ValidationOrder::random;
  DataSet drawn = cut(c);
  const Split split_by_series = split(drawn, 0.5, 1);
  CHECK_EQ(split_by_series.held_out.size() + split_by_series.train.size(), 12u);
  for (const std::size_t s : split_by_series.held_out)
    CHECK_EQ(drawn.group[s], drawn.group[split_by_series.held_out[0]]);
  fit_series(drawn, split_by_series.train);
  const double mean = drawn.group[split_by_series.train[0]] == "a" ? 4.5 : 13.5;
  CHECK_EQ(drawn.units.mean, std::vector<double>{mean});
}

TEST_CASE("a window's class is that of its last row, or of most of its rows") {
  Columns c = windows(4, 1, {"k"});
  c.classes = true, c.sequence = "s";
  const auto classes = [&] {
    const DataSet data = cut(c);
    CHECK_EQ(data.feature_names, std::vector<std::string>{"x"});
    std::string text;
    for (const std::int32_t one : data.target) text += data.labels[std::size_t(one)];
    return text;
  };
  // The rows of a are pppqqqrrrp, those of b are ppqqqrr and one without a class.
  CHECK_EQ(classes(),
           "qqqrrrp"
           "qqrr");
  c.windows.window_class = WindowClass::majority;
  // pppq ppqq pqqq qqqr qqrr qrrr rrrp; ppqq pqqq qqqr qqrr qrr-
  CHECK_EQ(classes(),
           "pqqqrrr"
           "qqqrr");
}

TEST_CASE("rows of long sequences are held out in time order, or by ranges") {
  Columns c;
  c.sequence = "s", c.target = {"k"}, c.per_row = true;
  c.windows.validation = 0.25;
  const auto read = [&](const Expected& expected = {}) {
    return assemble(read_csv(two_series(), "two.csv", c, expected), c, expected);
  };
  const DataSet shared = read();  // the last rows of each
  CHECK_EQ(shared.first, Rows_{0, 7, 10, 16, 18});
  CHECK_EQ(shared.part, std::vector<std::uint8_t>{0, 1, 0, 1});
  c.windows.part[0] = {2, 12}, c.windows.part[1] = {13, 18};
  const DataSet ranges = read();
  CHECK_EQ(ranges.first, Rows_{0, 8, 10, 15});
  CHECK_EQ(ranges.part, std::vector<std::uint8_t>{0, 0, 1});
  CHECK_EQ(ranges.x[0], 2.0f);
  CHECK_EQ(ranges.x[10], 13.0f);
  CHECK_EQ(ranges.target[10], shared.target[13]);
  Expected known{{"x"}, shared.labels, true};
  c.windows.only = {4, 9};
  CHECK_EQ(read(known).x, std::vector<float>{4, 5, 6, 7, 8});
  c.per_row = false, c.target = {"s"}, c.sequence = "k", c.windows.part[1] = {12, 18};
  CHECK(sluice::tests::refusal_of([&] {
          assemble(read_csv("k,s,x\n1,p,0\n1,p,0\n2,q,0\n2,q,0\n", "four.csv", c, {}), c, {});
        }).find("four.csv") != std::string::npos);
}

TEST_CASE("a feature that float32 cannot tell apart is refused by name") {
  const auto read = [](double start, double step, bool differences) {
    std::string csv = "sequence,label,t,x\n";
    for (int i = 0; i < 40; ++i)
      csv += std::to_string(i / 10) + "," + std::to_string(i / 10 % 2) + "," +
             fmt::format("{:.3f}", start + step * i + 0.3 * step * (i * i % 7)) + ",1\n";
    Columns c;
    c.sequence = "sequence", c.target = {"label"}, c.differences = differences;
    return sluice::tests::refusal_of([&] { assemble(read_csv(csv, "data.csv", c, {}), c, {}); });
  };
  // The numbers of float32 are 128 apart near 1.7e9 (numpy.spacing(numpy.float32(1.7e9))).
  CHECK(read(1.7e9, 300, true).find("data.csv: t: its differences vary by") == 0);
  CHECK(read(1.7e9, 300, true).find("are 128 apart") != std::string::npos);
  CHECK(read(1.7e9, 1, false).find("data.csv: t: its values vary by") == 0);
  CHECK_EQ(read(1.7e9, 86400, false), "accepted");
  CHECK_EQ(read(1.7e9, 86400, true), "accepted");
  CHECK_EQ(read(0, 60, true), "accepted");
  CHECK_EQ(read(0.123, 0.001, true), "accepted");
}

TEST_CASE("a refusal by float32 states the variation of the file, whose first number counts") {
  // Steps of 1 and 3 in turn: their mean is 2, their deviation 1. Sequences begin far apart.
  std::string csv = "sequence,label,t,x\n";
  for (int i = 0; i < 40; ++i)
    csv += fmt::format("{},{},{},0.5\n", i / 8, i / 8 % 2,
                       1700000000000 + i / 8 * 1000000000LL + i % 8 * 2 - i % 2);
  Columns c;
  c.sequence = "sequence", c.target = {"label"}, c.differences = true;
  const std::string text =
      sluice::tests::refusal_of([&] { assemble(read_csv(csv, "data.csv", c, {}), c, {}); });
  CHECK(text.starts_with("data.csv: t: its differences vary by 0.99"));
  CHECK(text.find(" around 1.857142857,") != std::string::npos);  // 13 / 7, of four 1 and three 3
}

TEST_CASE("float32 is checked in the data of a model, by the deviation of its training data") {
  const auto read = [](double start, double step, int rows, float scale) {
    std::string csv = "sequence,label,t\n";
    for (int i = 0; i < rows; ++i)
      csv += fmt::format("{},{},{:.3f}\n", i / 10, i / 10 % 2,
                         start + step * i + 0.3 * step * (i * i % 7));
    Columns c;
    c.sequence = "sequence", c.target = {"label"}, c.differences = true;
    Expected expected{{"t"}, {"0", "1"}, true};
    if (scale > 0) expected.scales = {scale};
    return sluice::tests::refusal_of(
        [&] { assemble(read_csv(csv, "data.csv", c, expected), c, expected); });
  };
  CHECK(read(1.7e9, 1, 40, 1).starts_with("data.csv: t: its differences vary by"));
  CHECK(read(1.7e9, 1, 40, 1).ends_with("; subtract an offset from the column"));
  CHECK_EQ(read(1.7e9, 1, 40, 1e-5f), "accepted");
  CHECK_EQ(read(0, 1, 40, 1), "accepted");
  CHECK(read(1.7e9, 1, 4, 1).starts_with("data.csv: t: its differences vary by"));
  CHECK(read(1.7e9, 1, 40, 0).starts_with("data.csv: t: its"));
  CHECK_EQ(read(1.7e9, 1, 4, 0), "accepted");
}

TEST_CASE("float32 is checked in every format, and for values of targets") {
  // Twelve numbers that are a step apart, in two sequences.
  const auto number = [](double start, double step, int i) {
    return fmt::format("{:.3f}", start + step * i + 0.3 * step * (i * i % 7));
  };
  const auto steps = [&](double start, double step, int s, const char* separator) {
    std::string text;
    for (int i = 6 * s; i < 6 * s + 6; ++i)
      text += (i % 6 ? separator : "") + number(start, step, i);
    return text;
  };
  const auto text = [&](Format format, double start, double step) {
    const auto row = [&](int s, const char* separator) { return steps(start, step, s, separator); };
    if (format == Format::wide)
      return "label,t0,t1,t2,t3,t4,t5\np," + row(0, ",") + "\nq," + row(1, ",") + "\n";
    if (format == Format::ucr) return "1 " + row(0, " ") + "\n2 " + row(1, " ") + "\n";
    if (format == Format::ts)
      return "@classLabel true p q\n@data\n" + row(0, ",") + ":p\n" + row(1, ",") + ":q\n";
    return "@attribute a relational\n@attribute v numeric\n@end a\n@attribute label "
           "{p,q}\n@data\n'" +
           row(0, ",") + "',p\n'" + row(1, ",") + "',q\n";
  };
  const auto refusal = [&](Format format, double start, double step, bool differences) {
    const auto reader = format == Format::wide  ? read_wide
                        : format == Format::ucr ? read_ucr
                        : format == Format::ts  ? read_ts
                                                : read_arff;
    Columns c;
    c.target = {"label"}, c.format = format, c.differences = differences;
    return sluice::tests::refusal_of(
        [&] { assemble(reader(text(format, start, step), "data", c, {}), c, {}); });
  };
  for (const Format format : {Format::wide, Format::ucr, Format::ts, Format::arff}) {
    CAPTURE(int(format));
    const std::string head = std::string("data: ") + (format == Format::wide ? "t" : "x0");
    CHECK(refusal(format, 1.7e9, 1, false).starts_with(head + ": its values vary by"));
    CHECK(refusal(format, 1.7e9, 300, true).starts_with(head + ": its differences vary by"));
    CHECK(refusal(format, 1.7e9, 300, true).find("are 128 apart") != std::string::npos);
    CHECK_EQ(refusal(format, 1.7e9, 86400, true), "accepted");
    CHECK_EQ(refusal(format, 0.123, 0.001, true), "accepted");
  }
  const auto target = [&](double start, double step, bool per_row) {
    std::string csv = "sequence,x,y,z\n";
    for (int i = 0; i < 12; ++i)
      csv += fmt::format("{},0,{},{}\n", i / 2, number(0, 1, per_row ? i : i / 2),
                         number(start, step, per_row ? i : i / 2));
    Columns c;
    c.sequence = "sequence", c.target = {"y", "z"}, c.classes = false, c.per_row = per_row;
    return sluice::tests::refusal_of([&] { assemble(read_csv(csv, "data", c, {}), c, {}); });
  };
  for (const bool per_row : {false, true}) {
    CHECK(target(1.7e9, 1, per_row).starts_with("data: z: its values vary by"));
    CHECK(target(1.7e9, 1, per_row).ends_with("; subtract an offset from the column"));
    CHECK_EQ(target(1.7e9, 86400, per_row), "accepted");
    CHECK_EQ(target(0, 1, per_row), "accepted");
  }
}
