// Tests the reading of data: CSV, sequences, splits, standardization; and the results of an
// evaluation.
#include "data/data.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <set>

#include "../support/numbers.h"
#include "../support/refusal.h"
#include "common/error.h"
#include "evaluate/measures.h"

using namespace sluice::tools;
using sluice::tests::Noise;

namespace {

Columns columns() {
  Columns c;
  c.sequence = "sequence";
  c.target = {"label"};
  return c;
}

DataSet read(const std::string& csv, const Columns& c = columns()) {
  return assemble(read_csv(csv, "data.csv", c, {}), c, {});
}

/// Makes `count` sequences of one frame, with classes and groups by number.
DataSet numbered(int count, int classes, int groups) {
  std::string csv = groups ? "sequence,label,group,x\n" : "sequence,label,x\n";
  for (int i = 0; i < count; ++i) {
    csv += std::to_string(i) + ",c" + std::to_string(i % classes);
    if (groups) csv += ",g" + std::to_string(i * 7 % groups);
    csv += "," + std::to_string(i) + "\n";
  }
  Columns c = columns();
  if (groups) c.group = "group";
  return read(csv, c);
}

std::string refusal(const std::string& csv) {
  return sluice::tests::refusal_of([&] { read(csv); });
}

}  // namespace

TEST_CASE("CSV is read with quotes, CRLF, a byte-order mark and empty lines") {
  const DataSet plain = read("sequence,label,a,b\ns,x,1,2\ns,x,3,4\nt,y,-5e-1,6\n");
  CHECK_EQ(plain.sequences(), 2u);
  CHECK_EQ(plain.names, std::vector<std::string>{"s", "t"});
  CHECK_EQ(plain.labels, std::vector<std::string>{"x", "y"});
  CHECK_EQ(plain.feature_names, std::vector<std::string>{"a", "b"});
  CHECK_EQ(plain.x, std::vector<float>{1, 2, 3, 4, -0.5f, 6});
  CHECK_EQ(plain.target, std::vector<std::int32_t>{0, 1});
  const DataSet odd = read(
      "\xEF\xBB\xBF"
      "sequence,label,\"a\",b\r\n\r\ns,x, 1 ,\"2\"\r\ns,x,3,4\r\nt,y,-.5,6");
  CHECK_EQ(odd.x, plain.x);
  CHECK_EQ(odd.names, plain.names);
  CHECK_EQ(data_hash(odd), data_hash(plain));
  CHECK_EQ(read("sequence,label,a\n\"s,\"\"1\"\"\",x,1\n").names[0], "s,\"1\"");
  CHECK(refusal("sequence,label,a\n\"s,x,1\n").starts_with("data.csv:2: "));
  CHECK(refusal("sequence,label,a\ns,x,1\nt,x,2\ns,x,3\n").starts_with("data.csv:4: sequence: "));
}

TEST_CASE("classes are numbered by value if they are whole numbers, else by their bytes") {
  CHECK_EQ(read("sequence,label,a\n1,10,0\n2,9,0\n3,-1,0\n").labels,
           std::vector<std::string>{"-1", "9", "10"});
  CHECK_EQ(read("sequence,label,a\n1,10,0\n2,9,0\n3,b,0\n").labels,
           std::vector<std::string>{"10", "9", "b"});
}

TEST_CASE("an empty cell masks a step, of classes and of values") {
  Columns c = columns();
  c.per_row = true;
  CHECK_EQ(read("sequence,label,a\n1,x,0\n1,,0\n1,y,0\n", c).target,
           std::vector<std::int32_t>{0, -1, 1});
  c.classes = false;
  c.target = {"v", "w"};
  const DataSet values = read("sequence,v,w,a\n1,0.5,,0\n1,,2,0\n", c);
  CHECK_EQ(values.value[0], 0.5f);
  CHECK(std::isnan(values.value[1]));
  CHECK(std::isnan(values.value[2]));
  CHECK_EQ(values.value[3], 2.0f);
}

TEST_CASE("a split is stratified, deterministic and complete") {
  for (const double share : {0.1, 0.2, 0.5}) {
    const DataSet data = numbered(120, 3, 0);
    const Split a = split(data, share, 1), again = split(data, share, 1),
                other = split(data, share, 2);
    CHECK_EQ(a.held_out, again.held_out);
    CHECK(a.held_out != other.held_out);
    std::set<size_t> all(a.train.begin(), a.train.end());
    all.insert(a.held_out.begin(), a.held_out.end());
    CHECK_EQ(all.size(), 120u);
    CHECK_EQ(a.train.size() + a.held_out.size(), 120u);
    std::map<int, int> per_class;
    for (const size_t s : a.held_out) ++per_class[data.target[s]];
    for (const auto& [label, count] : per_class) CHECK_EQ(count, int(share * 40));
  }
}

TEST_CASE("a split keeps groups together and every class in training") {
  const DataSet data = numbered(120, 3, 11);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Split s = split(data, 0.3, seed);
    REQUIRE(!s.held_out.empty());
    std::set<std::string> inside, outside;
    std::set<int> classes;
    for (const size_t i : s.train) inside.insert(data.group[i]), classes.insert(data.target[i]);
    for (const size_t i : s.held_out) outside.insert(data.group[i]);
    for (const std::string& group : outside) CHECK_EQ(inside.count(group), 0u);
    CHECK_EQ(classes.size(), 3u);
  }
  const Split few = split(numbered(3, 3, 0), 0.5, 1);
  CHECK(few.held_out.empty());
}

TEST_CASE(
    "standardization is mean and deviation over all frames; a constant feature becomes zero") {
  Noise noise(151);
  std::string csv = "sequence,label,a,b,c\n";
  std::vector<double> a, c;
  for (int i = 0; i < 500; ++i) {
    a.push_back(noise.number(99, 103));
    c.push_back(noise.number(-1e-3f, 1e-3f));
    csv += std::to_string(i / 7) + ",x," + std::to_string(a.back()) + ",0.1," +
           std::to_string(c.back()) + "\n";
    a.back() = std::stof(std::to_string(a.back()));
    c.back() = std::stof(std::to_string(c.back()));
  }
  const DataSet data = read(csv);
  const Standardization s = standardization(data, all_sequences(data));
  const auto expect = [&](size_t feature, const std::vector<double>& v) {
    double mean = 0, square = 0;
    for (const double x : v) mean += x / 500;
    for (const double x : v) square += (x - mean) * (x - mean) / 500;
    CHECK(std::fabs(double(s.mean[feature]) - mean) <= 1e-6 * std::fabs(mean) + 1e-9);
    CHECK(std::fabs(double(s.scale[feature]) * std::sqrt(square) - 1) <= 1e-5);
  };
  expect(0, a);
  expect(2, c);
  CHECK_EQ(s.mean[1], 0.1f);
  CHECK_EQ(s.scale[1], 1.0f);
}

TEST_CASE("the interval of an accuracy is Wilson's") {
  // Brown, Cai, DasGupta 2001 and R's prop.test(correct = FALSE): 8 of 10, 0 of 20, 362 of 370
  const struct {
    std::uint64_t successes, trials;
    double low, high;
  } known[] = {{8, 10, 0.4901625, 0.9433178}, {0, 20, 0.0, 0.1611252}, {20, 20, 0.8388748, 1.0}};
  for (const auto& k : known) {
    const Interval i = wilson(k.successes, k.trials);
    CHECK(std::fabs(i.low - k.low) <= 1e-6);
    CHECK(std::fabs(i.high - k.high) <= 1e-6);
  }
}
