// Tests NumPy's files: kinds of numbers and texts, orders, shapes. The bytes are those that
// numpy.save of NumPy 1.24 writes.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "../support/refusal.h"
#include "data/data.h"
#include "data/npy.h"

#if SLUICE_WITH_ZIP
#include <unistd.h>
#include <zip.h>

#include <filesystem>

#include "common/safe_file.h"
#endif

using namespace sluice::tools;
using sluice::tests::refusal_of;

namespace {

using Floats = std::vector<float>;
using Names = std::vector<std::string>;

std::string npy(const std::string& type, const std::string& shape, const std::string& bytes,
                bool fortran = false) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type,
                                   fortran ? "True" : "False", shape);
  header.resize(117, ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + bytes;
}

template <class T>
std::string raw(std::vector<T> numbers, T offset = 0) {
  for (T& number : numbers) number = T(number + offset);
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

Floats numbers(const std::string& file) {
  const Npy array = parse_npy(file, "a.npy");
  Floats all;
  for (std::size_t row = 0; row < array.rows; ++row)
    for (std::size_t col = 0; col < array.cols; ++col) all.push_back(float(array.number(row, col)));
  return all;
}

}  // namespace

TEST_CASE("numbers of every size and byte order are read, in C's and in Fortran's order") {
  // numpy.float16([1.5, -2, 2**-24, 65504, -0.1]).tobytes()
  const std::string half("\x00\x3e\x00\xc0\x01\x00\xff\x7b\x66\xae", 10);
  CHECK_EQ(numbers(npy("<f2", "(5,)", half)), Floats{1.5f, -2, 0x1p-24f, 65504, -0.0999755859375f});
  const std::string swapped("\x3e\x00\xc0\x00\x00\x01\x7b\xff\xae\x66", 10);
  CHECK_EQ(numbers(npy(">f2", "(5,)", swapped)),
           Floats{1.5f, -2, 0x1p-24f, 65504, -0.0999755859375f});
  // numpy.array([1, -2], '>f4').tobytes(), numpy.array([-2], '>i8').tobytes()
  CHECK_EQ(numbers(npy(">f4", "(2,)", std::string("\x3f\x80\0\0\xc0\0\0\0", 8))), Floats{1, -2});
  CHECK_EQ(numbers(npy(">i8", "(1,)", "\xff\xff\xff\xff\xff\xff\xff\xfe")), Floats{-2});
  CHECK_EQ(numbers(npy("|b1", "(2,)", std::string("\0\1", 2))), Floats{0, 1});
  // numpy.arange(24.).reshape(2, 3, 4), saved in both orders
  std::vector<float> c, f;
  for (int i = 0; i < 24; ++i) c.push_back(float(i));
  for (int k = 0; k < 4; ++k)
    for (int j = 0; j < 3; ++j)
      for (int i = 0; i < 2; ++i) f.push_back(float(12 * i + 4 * j + k));
  CHECK_EQ(numbers(npy("<f4", "(2, 3, 4)", raw(c))), c);
  CHECK_EQ(numbers(npy("<f4", "(2, 3, 4)", raw(f), true)), c);
}

TEST_CASE("names are texts, whole numbers or truth values, and others are refused truly") {
  const auto text = [](const std::string& file, std::size_t row) {
    return parse_npy(file, "a.npy").text(row);
  };
  // numpy.array(['r\u00fcn', 'go']), numpy.array([b'w', b'r2'])
  const std::u32string two = {U'r', U'\u00fc', U'n', U'g', U'o', 0};
  const std::string unicode(reinterpret_cast<const char*>(two.data()), 24);
  CHECK_EQ(text(npy("<U3", "(2,)", unicode), 0), "r\xC3\xBCn");
  CHECK_EQ(text(npy("<U3", "(2,)", unicode), 1), "go");
  CHECK_EQ(text(npy("|S2", "(2,)", std::string("w\0r2", 4)), 0), "w");
  CHECK_EQ(text(npy("|b1", "(2,)", std::string("\0\1", 2)), 1), "1");
  CHECK_EQ(text(npy("<u8", "(1,)", raw<std::uint64_t>({1ull << 63})), 0), "9223372036854775808");
  CHECK_EQ(
      refusal_of([&] { text(npy("<f8", "(1,)", raw<double>({1e17})), 0); }),
      "a.npy: row 0: the float 1e+17 stands for many whole numbers; give an array of integers");
  CHECK(refusal_of([&] {
          text(npy("<f8", "(1,)", raw<double>({0.5})), 0);
        }).find("0.5 is not a whole number") != std::string::npos);
  for (const auto& one : std::vector<std::pair<std::string, std::string>>{
           {"|O", "Python objects"}, {"<c8", "type \"<c8\""}, {"<M8[D]", "type \"<M8[D]\""}}) {
    const std::string file = npy(one.first, "(1,)", "12345678");
    CHECK(refusal_of([&] { parse_npy(file, "a.npy"); }).find(one.second) != std::string::npos);
  }
}

TEST_CASE("a bare array is a table of columns x0, x1, ...") {
  Columns c;
  c.target = {"x0"};
  const std::string file = npy("<f4", "(3, 3)", raw<float>({1, 5, 6, 2, 7, 8, 1, 9, 10}));
  c.per_row = true;
  const DataSet data = assemble(read_npy(file, "a.npy", c, {}), c, {});
  CHECK_EQ(data.feature_names, Names{"x1", "x2"});
  CHECK_EQ(data.labels, Names{"1", "2"});
  CHECK_EQ(data.target, std::vector<std::int32_t>{0, 1, 0});
  CHECK_EQ(data.x, Floats{5, 6, 7, 8, 9, 10});
}

#if SLUICE_WITH_ZIP
namespace {

/// Reads an archive of these arrays.
std::string archive(const std::vector<std::pair<std::string, std::string>>& arrays) {
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("sluice-numpy-{}.npz", getpid()))
          .string();
  int error = 0;
  zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  for (const auto& [name, bytes] : arrays)
    zip_file_add(zip, (name + ".npy").c_str(),
                 zip_source_buffer(zip, bytes.data(), bytes.size(), 0), 0);
  zip_close(zip);
  const std::string bytes = read_file(path);
  std::filesystem::remove(path);
  return bytes;
}

DataSet read_archive(const std::vector<std::pair<std::string, std::string>>& arrays,
                     const Columns& columns) {
  return assemble(read_npz(archive(arrays), "a.npz", columns, {}), columns, {});
}

}  // namespace

TEST_CASE("columns of a bare array may stand beside the answers") {
  const std::string file =
      npy("<f4", "(3, 3)", raw(std::vector<float>{1, 0.5f, 7, 2, 1.5f, 8, 3, 2.5f, 9}));
  Columns columns;
  columns.sequence = "x0";
  columns.beside = {"x2", "x1", "none"};
  Expected expected;
  expected.features = {"x1", "x2"};
  expected.targets = false;
  const Rows rows = read_npy(file, "a.npy", columns, expected);
  REQUIRE_EQ(rows.beside.size(), 3);
  CHECK_EQ(rows.beside[0], Names{"7", "8", "9"});
  CHECK_EQ(rows.beside[1], Names{"0.5", "1.5", "2.5"});
  CHECK(rows.beside[2].empty());
}

TEST_CASE("true values and classes may be elements of an array") {
  const std::string x = npy("<f4", "(2, 2, 1)", raw<float>({0, 1, 2, 3}));
  const std::string bytes = archive({{"x", x},
                                     {"y", npy("<f4", "(2, 3)", raw<float>({1, 2, 3, 4, 5.5f, 6}))},
                                     {"n", npy("<i4", "(2, 2)", raw<std::int32_t>({7, 8, 9, 10}))},
                                     {"label", npy("<f4", "(2, 2)", raw<float>({0, 1, 1, 0}))}});
  Expected expected;
  expected.features = {"x0"};
  expected.targets = false;
  Columns values;
  values.classes = values.per_row = false, values.target = {"y", "n"};
  values.beside = {"y0", "y2", "n1", "y3", "x0", "z0"};  // names of values, as training gives them
  const Rows rows = read_npz(bytes, "a.npz", values, expected);
  REQUIRE_EQ(rows.beside.size(), 6);
  CHECK_EQ(rows.beside[0], Names{"1", "1", "4", "4"});
  CHECK_EQ(rows.beside[1], Names{"3", "3", "6", "6"});
  CHECK_EQ(rows.beside[2], Names{"8", "8", "10", "10"});
  CHECK(rows.beside[3].empty());
  CHECK_EQ(rows.beside[4], Names{"0", "1", "2", "3"});
  CHECK(rows.beside[5].empty());
  Columns classes;
  classes.per_row = false, classes.target = {"label"}, classes.beside = {"label"};
  CHECK_EQ(read_npz(bytes, "a.npz", classes, expected).beside.at(0), Names{"1", "1", "0", "0"});
}

TEST_CASE("x may be [sequences][steps][features], with lengths") {
  Columns c;
  c.sequence = "sequence", c.target = {"label"};
  const std::string x =
      npy("<f4", "(2, 3, 2)", raw<float>({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, NAN}));
  const std::string lengths = npy("<i8", "(2,)", raw<std::int64_t>({3, 2}));
  const std::string label = npy("<i8", "(2,)", raw<std::int64_t>({7, 3}));
  const DataSet data = read_archive({{"x", x}, {"lengths", lengths}, {"label", label}}, c);
  CHECK_EQ(data.first, std::vector<std::size_t>{0, 3, 5});
  CHECK_EQ(data.names, Names{"0", "1"});
  CHECK_EQ(data.x, Floats{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK_EQ(data.labels, Names{"3", "7"});
  CHECK_EQ(data.target, std::vector<std::int32_t>{1, 0});
  CHECK(refusal_of([&] { read_archive({{"x", x}, {"label", label}}, c); })
            .find("a.npz: x: sequence 1, step 2: x1: nan is a missing value; give a number, or set "
                  "data.fill; or give the steps that count in an array \"lengths\"") == 0);
  c.per_row = true;
  const std::string each = npy("<i8", "(2, 3)", raw<std::int64_t>({0, 1, 0, 1, 1, 0}));
  CHECK_EQ(read_archive({{"x", x}, {"lengths", lengths}, {"label", each}}, c).target,
           std::vector<std::int32_t>{0, 1, 0, 1, 1});
}

TEST_CASE("missing numbers of arrays are filled in as those of CSV are, or refused by name") {
  Columns c;
  c.sequence = "sequence", c.target = {"label"};
  c.dialect.missing = {"", "-9999"};
  const std::string x = npy("<f8", "(4, 2)", raw<double>({1, NAN, -9999, 2, 3, 4, NAN, 5}));
  const std::string sequence = npy("<i8", "(4,)", raw<std::int64_t>({7, 7, 7, 8}));
  const std::string label = npy("<i8", "(4,)", raw<std::int64_t>({0, 0, 0, 1}));
  const auto archive = [&] {
    return read_archive({{"x", x}, {"sequence", sequence}, {"label", label}}, c);
  };
  CHECK_EQ(refusal_of([&] { archive(); }),
           "a.npz: x: sequence 7, row 0: x1: nan is a missing value; give a number, or set "
           "data.fill");
  const std::string table = npy(
      "<f8", "(4, 4)", raw<double>({7, 0, 1, 0, 7, 0, -9999, 2, 7, 0, 3, 4, 8, 1, INFINITY, 5}));
  Columns positions = c;
  positions.sequence = "x0", positions.target = {"x1"};
  const auto bare = [&](const std::string& file) {
    return assemble(read_npy(file, "a.npy", positions, {}), positions, {});
  };
  CHECK_EQ(refusal_of([&] { bare(table); }),
           "a.npy: sequence 7, row 1: x2: -9999 is a missing value; give a number, or set "
           "data.fill");
  const std::string csv = "sequence,label,x0,x1\n7,0,1,\n7,0,-9999,2\n7,0,3,4\n8,1,,5\n";
  for (const Fill fill : {Fill::mean, Fill::previous}) {
    c.dialect.fill = positions.dialect.fill = fill;
    c.fill_means = {10, 20};
    const DataSet truth = assemble(read_csv(csv, "a.csv", c, {}), c, {});
    CHECK_EQ(archive().x, truth.x);
    CHECK_EQ(truth.x[3], 2);
    CHECK_EQ(truth.x[2], fill == Fill::mean ? 10 : 1);
    CHECK(refusal_of([&] {
            bare(table);
          }).starts_with("a.npy: sequence 8, row 3: x2: inf is not a finite float; give"));
  }
  c.classes = false;
  const DataSet values =
      read_archive({{"x", x},
                    {"sequence", sequence},
                    {"label", npy("<f4", "(4,)", raw<float>({-9999, 0.5f, NAN, 2}))}},
                   c);
  CHECK_EQ(values.value, Floats{0.5f, 2});
}

TEST_CASE("classes that are whole numbers above 2^53 stay apart, in the order of their values") {
  Columns c;
  c.sequence = "sequence", c.target = {"label"};
  const std::string x = npy("<f4", "(4, 1, 1)", raw<float>({0, 1, 2, 3}));
  const auto labels = [&](const std::string& label) {
    return read_archive({{"x", x}, {"label", label}}, c);
  };
  const std::uint64_t top = 1ull << 63;
  const DataSet large = labels(npy("<u8", "(4,)", raw<std::uint64_t>({top + 1, top, ~0ull, top})));
  CHECK_EQ(large.labels,
           Names{"9223372036854775808", "9223372036854775809", "18446744073709551615"});
  CHECK_EQ(large.target, std::vector<std::int32_t>{1, 0, 2, 0});
  const std::int64_t past = (1ll << 53) + 1;
  const DataSet both = labels(npy(">i8", "(4,)", [&] {
    std::string bytes = raw<std::int64_t>({past - 1, -past, 1 - past, past});
    for (std::size_t i = 0; i < bytes.size(); i += 8)
      std::reverse(bytes.begin() + std::ptrdiff_t(i), bytes.begin() + std::ptrdiff_t(i + 8));
    return bytes;
  }()));
  CHECK_EQ(both.labels,
           Names{"-9007199254740993", "-9007199254740992", "9007199254740992", "9007199254740993"});
  CHECK_EQ(both.target, std::vector<std::int32_t>{2, 0, 1, 3});
  const std::string csv =
      "sequence,label,x\n1,18446744073709551617,0\n2,18446744073709551616,0\n"
      "3,+18446744073709551617,0\n";
  CHECK_EQ(assemble(read_csv(csv, "a.csv", c, {}), c, {}).target,
           std::vector<std::int32_t>{1, 0, 1});
}

TEST_CASE("numbers of arrays that float32 cannot tell apart are refused, features and values") {
  Columns c;
  c.sequence = "sequence", c.target = {"y"}, c.classes = false;
  const double unix_time = 1.7e9;
  const std::string small = npy("<f8", "(3, 2, 1)", raw<double>({0, 1, 2, 3, 4, 5})),
                    large =
                        npy("<i8", "(3, 2, 1)", raw<std::int64_t>({0, 1, 2, 3, 4, 5}, 1700000000)),
                    y = npy("<f8", "(3, 2)",
                            raw<double>({0, unix_time, 1, unix_time + 1, 2, unix_time + 2}));
  const auto refusal = [&](const std::string& x, const std::string& targets) {
    return refusal_of([&] { read_archive({{"x", x}, {"y", targets}}, c); });
  };
  const std::string fine = npy("<f8", "(3,)", raw<double>({0.1, 0.2, 0.4}));
  CHECK_EQ(refusal(small, fine), "accepted");
  CHECK(refusal(large, fine).starts_with("a.npz: x0: its values vary by 1.71 around 1700000002,"));
  CHECK(refusal(small, y).starts_with("a.npz: y1: its values vary by 0.816 around 1700000001,"));
}

TEST_CASE("classes may be one-hot, and values several in one array") {
  Columns c;
  c.sequence = "sequence", c.target = {"y"};
  const std::string x = npy("<f4", "(3, 2, 1)", raw<float>({0, 1, 2, 3, 4, 5}));
  const std::string hot = npy("<f4", "(3, 3)", raw<float>({0, 0, 1, 1, 0, 0, 0, 1, 0}));
  const DataSet classes = read_archive({{"x", x}, {"y", hot}}, c);
  CHECK_EQ(classes.labels, Names{"0", "1", "2"});
  CHECK_EQ(classes.target, std::vector<std::int32_t>{2, 0, 1});
  const std::string two = npy("<f4", "(3, 2)", raw<float>({0.5f, 1, 2, 3, 4, 5}));
  CHECK(refusal_of([&] {
          read_archive({{"x", x}, {"y", two}}, c);
        }).find("2 numbers that are not one 1 among 0") != std::string::npos);
  c.classes = false;
  const DataSet values = read_archive({{"x", x}, {"y", two}}, c);
  CHECK_EQ(values.labels, Names{"y0", "y1"});
  CHECK_EQ(values.value, Floats{0.5f, 1, 2, 3, 4, 5});
}

TEST_CASE("an array alone is one sequence if each file is; its class may be one number") {
  Columns c;
  c.sequence = "sequence", c.target = {"y"}, c.file_is_sequence = true;
  const std::string x = npy("<f4", "(3, 2)", raw<float>({0, 1, 2, 3, 4, 5}));
  const Rows one = read_npz(archive({{"x", x}, {"y", npy("<i8", "()", raw<std::int64_t>({7}))}}),
                            "a.npz", c, {});
  CHECK_EQ(one.label, Names{"7", "7", "7"});
  CHECK(one.file_is_sequence);
  Columns bare = c;
  bare.target = {"x1"}, bare.classes = false;
  CHECK(read_npy(x, "a.npy", bare, {}).file_is_sequence);
  c.file_is_sequence = false;
  CHECK(refusal_of([&] { read_archive({{"x", x}}, c); }).find("sequence: no such array") !=
        std::string::npos);
  CHECK(refusal_of([&] {
          read_archive({{"x", npy("<f4", "()", raw<float>({7}))}, {"y", x}}, c);
        }).ends_with("x: is one number; give an array"));
}
#endif
