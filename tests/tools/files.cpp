// Tests the reading of files as people have them: separators, decimal marks, missing values, one
// row per sequence, and gzip. The truth is the same data as plain CSV, or written out by hand.
#include "data/files.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <string>

#include "../support/refusal.h"
#include "common/gzip.h"
#include "data/calendar.h"
#include "data/data.h"

using namespace sluice::tools;
using sluice::tests::refusal_of;

namespace {

using Floats = std::vector<float>;
using Names = std::vector<std::string>;

Columns columns(Format format = Format::table) {
  Columns c;
  c.sequence = format == Format::table ? "sequence" : "";
  c.target = {"label"};
  c.format = format;
  c.dialect.missing = {"", "?", "NA", "NaN"};
  return c;
}

struct Read {
  DataSet data;
  std::string as;
};

Read read(const std::string& text, const Columns& c = columns(), const Expected& expected = {}) {
  const auto reader = c.format == Format::wide   ? read_wide
                      : c.format == Format::ucr  ? read_ucr
                      : c.format == Format::ts   ? read_ts
                      : c.format == Format::arff ? read_arff
                                                 : read_csv;
  DataSet data = assemble(reader(text, "data.csv", c, expected), c, expected);
  std::string as = data.read_as;
  return {std::move(data), std::move(as)};
}

std::string refusal(const std::string& text, const Columns& c = columns()) {
  return refusal_of([&] { read(text, c); });
}

const std::string plain =
    "sequence,label,a,b\ns,x,1.5,2\ns,x,-3.25,4e2\nt,y,0.5,-0.001\nt,y,1198.5,6\n";

std::string changed(const std::string& text, char from, const std::string& to) {
  std::string result;
  for (const char c : text) result += c == from ? to : std::string(1, c);
  return result;
}

/// The text is read as the plain one is, and this is told of it.
void same_as_plain(const std::string& text, const std::string& told, const Columns& c = columns()) {
  CAPTURE(text);
  const Read other = read(text, c), first = read(plain);
  CHECK_EQ(other.as, told);
  CHECK_EQ(other.data.feature_names, first.data.feature_names);
  CHECK_EQ(other.data.x, first.data.x);
  CHECK_EQ(data_hash(other.data), data_hash(first.data));
}

}  // namespace

TEST_CASE(
    "separators, decimal commas, comments and units are found out; the numbers are the same") {
  same_as_plain(plain, "");
  same_as_plain(changed(plain, '\n', "\r\n"), "");
  same_as_plain("\xEF\xBB\xBF" + plain + "\x1A", "");
  same_as_plain(changed(plain, '\n', "\r"), "lines end with CR");
  same_as_plain(changed(plain, ',', ";"), "separated by ';'");
  same_as_plain(changed(plain, ',', "\t"), "separated by tabs");
  same_as_plain(changed(plain, ',', "|"), "separated by '|'");
  same_as_plain(changed(plain, ',', "  "), "separated by blanks");
  same_as_plain(changed(" " + changed(plain, '\n', "  \n"), ',', " "), "separated by blanks");
  same_as_plain(changed(changed(plain, ',', ";"), '.', ","), "separated by ';', decimal comma");
  same_as_plain(changed(changed(plain, ',', "\t"), '.', ","), "separated by tabs, decimal comma");
  same_as_plain("sep=;\n" + changed(plain, ',', ";"), "separated by ';'");
  same_as_plain("sep=,\n" + plain, "");
  same_as_plain("# a logger\n#\n" + plain + "# the end\n", "3 lines of comments passed over");
  same_as_plain(changed(plain, '\n', ",\n"), "empty cells at line ends passed over");
  same_as_plain(changed(changed(plain, ',', ";"), '\n', ";;\n"),
                "separated by ';', empty cells at line ends passed over");
  same_as_plain(plain + ",,,\n,,,\n", "empty rows at the end passed over");
  std::string units = plain;
  units.insert(units.find('\n') + 1, ",,m/s,degC\n");
  same_as_plain(units, "line 2 passed over as a line of units");
  std::string gnuplot = plain;
  gnuplot.insert(0, "# ");
  same_as_plain("# made by a logger\n" + gnuplot,
                "1 line of comments passed over, the header in a comment");
}

TEST_CASE(
    "quoted numbers have decimal commas or groups of thousands; what may be both is refused") {
  const auto quoted = [](const std::string& a, const std::string& b) {
    return "sequence,label,a\ns,x,\"" + a + "\"\nt,y,\"" + b + "\"\n";
  };
  CHECK_EQ(read(quoted("1,5", "-0,25")).data.x, Floats{1.5f, -0.25f});
  CHECK_EQ(read(quoted("1,5", "-0,25")).as, "decimal comma");
  CHECK_EQ(read(quoted("1,198.50", "1,129,959")).data.x, Floats{1198.5f, 1129959});
  CHECK_EQ(read(quoted("1,198.50", "7")).as, "commas between thousands");
  CHECK_EQ(read(quoted("1.198,50", "7")).data.x, Floats{1198.5f, 7});
  CHECK_EQ(read(quoted("1,198", "0.5")).data.x, Floats{1198, 0.5f});
  CHECK(refusal(quoted("1,198", "2"))
            .starts_with("data.csv:2: a: \"1,198\" may be 1.198 or 1198; set data.decimal"));
  CHECK(refusal(quoted("1,5", "2.25"))
            .starts_with("data.csv:2: a: \"1,5\" has a decimal comma, but \"2.25\" in line 3"));
  Columns comma = columns(), point = columns();
  comma.dialect.decimal = ",", point.dialect.decimal = ".";
  CHECK_EQ(read(quoted("1,198", "2"), comma).data.x, Floats{1.198f, 2});
  CHECK_EQ(read(quoted("1,198", "2"), point).data.x, Floats{1198, 2});
}

TEST_CASE("keys say how a table is read, and what they say is not found out") {
  Columns c = columns();
  c.dialect.separator = ";";
  same_as_plain(changed(plain, ',', ";"), "", c);
  c = columns();
  c.dialect.separator = ";", c.dialect.decimal = ",";
  same_as_plain(changed(changed(plain, ',', ";"), '.', ","), "", c);
  c = columns();
  c.dialect.comment = "%";
  same_as_plain("% a\n" + plain + "% b\n", "", c);
  c = columns();
  c.dialect.skip_rows = 2;
  same_as_plain("a logger, of 2020\nits, second, line, here\n" + plain, "", c);
  c = columns();
  c.dialect.comment = "";
  CHECK(refusal("#1\n" + plain, c).find("sequence") != std::string::npos);
}

TEST_CASE("a row that begins with '#' and has all its cells is data") {
  const Read data = read("sequence,label,a\n#1,x,1\n#2,y,2\n# that is all\n");
  CHECK_EQ(data.data.names, Names{"#1", "#2"});
  CHECK_EQ(data.as, "1 line of comments passed over");
}

TEST_CASE("a quote that ends inside a cell is told by the separator of the header") {
  CHECK_EQ(refusal("sequence\tlabel\ta\n\"q\" x\ty\t1\n"),
           "data.csv:2: \"x\" after a closing quote; end the cell with tabs");
}

TEST_CASE("a first row of texts among rows of texts is no line of units") {
  CHECK(refusal("sequence,label,a\ns,x,abc\ns,x,2\nt,y,3\n").starts_with("data.csv:2: a: \"abc\""));
  CHECK(refusal("sequence,label,a\ns,x,?\ns,x,2\nt,y,3\n")
            .starts_with("data.csv:2: a: \"?\" is a missing value"));
}

TEST_CASE("UTF-16 is refused by its name; messages are bounded and name the column") {
  std::string wide = "\xFF\xFE";
  for (const char c : plain) wide += c, wide += '\0';
  CHECK_EQ(refusal(wide), "data.csv: is UTF-16; convert it to UTF-8: iconv -f UTF-16 -t UTF-8");
  CHECK_EQ(refusal(wide.substr(2)),
           "data.csv: is UTF-16; convert it to UTF-8: iconv -f UTF-16LE -t UTF-8");
  const std::string long_cell(5000, 'z');
  const std::string told = refusal("sequence,label,a\ns,x," + long_cell + "\n");
  CHECK(told.starts_with("data.csv:2: a: \"zzz"));
  CHECK_LT(told.size(), 300u);
  CHECK_LT(refusal("sequence,label," + long_cell + "," + long_cell + "\ns,x,1,1\n").size(), 300u);
  CHECK_LT(refusal(long_cell + ",b\n1,2\n").size(), 300u);
}

TEST_CASE("missing values are filled with the value before or the mean of the training rows") {
  const std::string csv = "sequence,label,a,b\ns,x,1,NA\ns,x,,2\ns,x,4,?\nt,y,NaN,6\nt,y,7,8\n";
  CHECK(
      refusal(csv).starts_with("data.csv:2: b: \"NA\" is a missing value; give a number, or set"));
  Columns c = columns();
  c.dialect.fill = Fill::mean;
  DataSet data = read(csv, c).data;
  const std::size_t only_first[] = {0}, both[] = {0, 1};
  CHECK_EQ(present_means(data, only_first, "data.csv"), Floats{2.5f, 2});
  CHECK_EQ(present_means(data, both, "data.csv"), Floats{4, 16.0f / 3});
  fill_means(data, {10, 20});
  CHECK_EQ(data.x, Floats{1, 20, 10, 2, 4, 20, 10, 6, 7, 8});
  c.dialect.fill = Fill::previous;
  data = read(csv, c).data;
  fill_means(data, {10, 20});
  CHECK_EQ(data.x, Floats{1, 20, 1, 2, 4, 2, 10, 6, 7, 8});
  c.fill_means = {10, 20};  // of a model that was trained
  CHECK_EQ(read(csv, c).data.x, data.x);
  c = columns();
  c.dialect.missing = {"-9999"}, c.dialect.fill = Fill::mean;
  CHECK(std::isnan(read("sequence,label,a\ns,x,-9999.0\nt,y,1\n", c).data.x[0]));
}

TEST_CASE("missing values of a series are filled; a missing target of a window is masked") {
  Columns c = columns();
  c.sequence = "", c.target = {"b"}, c.classes = false;
  c.windows.length = 2;
  c.dialect.fill = Fill::mean, c.fill_means = {100, 200};
  Expected expected;
  expected.features = {"a", "b"};
  const std::string csv = "a,b\n1,10\nNA,20\n3,NA\n4,40\n";
  const auto windows = [&] {
    Columns all = c;
    all.target.clear(), all.classes = false;
    Expected none;
    none.targets = false;
    return cut_windows(assemble(read_csv(csv, "data.csv", all, none), all, none), c, expected,
                       "data.csv");
  };
  DataSet data = windows();
  fill_means(data, c.fill_means);
  CHECK_EQ(data.x, Floats{1, 10, 100, 20, 3, 200, 4, 40});
  CHECK(std::isnan(data.value_at(0, 0)));
  CHECK_EQ(data.value_at(1, 0), 40);
  CHECK_EQ(data.units.mean[0], doctest::Approx(70.0 / 3));  // of 10, 20, 40
  CHECK_EQ(data.units.deviation[0], doctest::Approx(12.4721913));
  c.dialect.fill = Fill::previous;
  data = windows();
  CHECK_EQ(data.value_at(0, 0), 20);
  CHECK_EQ(data.value_at(1, 0), 40);
}

TEST_CASE("classes that are numbers have one spelling, in the order of their values") {
  const auto labels = [](const std::string& a, const std::string& b, const std::string& c) {
    return read("sequence,label,a\n1," + a + ",0\n2," + b + ",0\n3," + c + ",0\n").data;
  };
  CHECK_EQ(labels("10.0", "9", "+9.0").labels, Names{"9", "10"});
  CHECK_EQ(labels("10.0", "9", "+9.0").target, std::vector<std::int32_t>{1, 0, 0});
  CHECK_EQ(labels("1.0000000e+00", "-1", "0.5").labels, Names{"-1", "0.5", "1"});
  CHECK_EQ(labels("01", "02", "10").labels, Names{"01", "02", "10"});
  CHECK_EQ(labels("1", "01", "2").labels, Names{"1", "2"});
  CHECK_EQ(labels("9", "10", "x").labels, Names{"10", "9", "x"});
  CHECK_EQ(labels("nan", "10", "9").labels, Names{"10", "9", "nan"});
  Expected expected;
  expected.features = {"a"}, expected.labels = {"1", "2"};
  CHECK_EQ(read("sequence,label,a\n1,2.0,0\n2,+1,0\n", columns(), expected).data.target,
           std::vector<std::int32_t>{1, 0});
}

TEST_CASE("a wide table has one row per sequence; names with numbers say the feature") {
  const Columns wide = columns(Format::wide);
  const DataSet one = read("label,t0,t1,t2\nx,1,2,3\ny,4,5,\n", wide).data;
  CHECK_EQ(one.feature_names, Names{"t"});
  CHECK_EQ(one.x, Floats{1, 2, 3, 4, 5});
  CHECK_EQ(one.first, std::vector<std::size_t>{0, 3, 5});
  CHECK_EQ(one.names, Names{"0", "1"});
  CHECK_EQ(one.target, std::vector<std::int32_t>{0, 1});
  const DataSet two = read("id;ax_0;ay_0;ax_1;ay_1;label\nq;1;2;3;4;x\nr;5;6;7;8,5;y\n",
                           [&] {
                             Columns c = wide;
                             c.sequence = "id";
                             return c;
                           }())
                          .data;
  CHECK_EQ(two.feature_names, Names{"ax", "ay"});
  CHECK_EQ(two.x, Floats{1, 2, 3, 4, 5, 6, 7, 8.5f});
  CHECK_EQ(two.names, Names{"q", "r"});
  CHECK_EQ(read("label,0,1\nx,1,2\n", wide).data.feature_names, Names{"x0"});
  CHECK_EQ(read("label,jan,feb\nx,1,2\n", wide).data.x, Floats{1, 2});
  CHECK(refusal("label,t0,t1,who\nx,1,2,3\n", wide)
            .starts_with("data.csv:1: who: has no number of a step, as t0 has"));
  CHECK(refusal("label,a0,a1,b0\nx,1,2,3\n", wide)
            .starts_with("data.csv:1: 1 columns of b, but 2 of a"));
  CHECK(refusal("label,t0,t1\nx,,\n", wide).starts_with("data.csv:2: a sequence without steps"));
  CHECK(refusal("label,t0,t1\nx,,1\n", wide).starts_with("data.csv:2: t: no value in step 0"));
  CHECK(refusal("label,t0,t1\nx,a,1\n", wide).starts_with("data.csv:2: t0: \"a\" is not a number"));
  Columns named = wide;
  named.sequence = "sequence";
  CHECK(refusal("sequence,label,t0\ns,x,1\ns,x,2\n", named)
            .starts_with("data.csv:3: sequence: a second row of sequence \"s\""));
  Columns ignoring = wide;
  ignoring.ignore = {"who", "b"};
  CHECK_EQ(read("label,a0,a1,b0,who\nx,1,2,3,4\n", ignoring).data.x, Floats{1, 2});
}

TEST_CASE("the archives' formats give the same sequences") {
  const std::vector<std::size_t> first{0, 3, 5};
  const std::vector<std::int32_t> target{1, 0};
  const std::string arff =
      "% a remark\n@RELATION r\n@attribute att0 numeric\n@attribute 'att1' real\n"
      "@attribute att2 NUMERIC\n@attribute target {1,2}\n\n@data\n1,2.5,-3,2\n4,5,?,1\n";
  for (const auto& one : std::vector<std::pair<Format, std::string>>{
           {Format::ucr, "2\t1\t2.5\t-3\n1\t4\t5\tNaN\n"},
           {Format::ucr, "2,1,2.5,-3\n1,4,5\n"},
           {Format::ucr, "  2.0000000e+00   1.0e+00 2.5 -3\n  1.0000000e+00 4 5 NaN\n"},
           {Format::ts,
            "#a\n@problemName p\n@timeStamps false\n@classLabel true 1 2\n@data\n"
            "1,2.5,-3:2\n4,5:1\n"},
           {Format::arff, arff}}) {
    const std::string& text = one.second;
    CAPTURE(text);
    const DataSet data = read(text, columns(one.first)).data;
    CHECK_EQ(data.x, Floats{1, 2.5f, -3, 4, 5});
    CHECK_EQ(data.first, first);
    CHECK_EQ(data.labels, Names{"1", "2"});
    CHECK_EQ(data.target, target);
  }
  const std::string ts = "@dimensions 2\n@classLabel true a b\n@data\n1,2:10,20:a\n3:?:b\n";
  CHECK(refusal(ts, columns(Format::ts)).starts_with("data.csv:5: x1: no value in step 0"));
  Columns c = columns(Format::ts);
  c.dialect.fill = Fill::previous;
  c.fill_means = {7, 8};
  CHECK_EQ(read(ts, c).data.x, Floats{1, 10, 2, 20, 3, 8});
  CHECK_EQ(read(ts, c).data.feature_names, Names{"x0", "x1"});
  const std::string relational =
      "@attribute a relational\n@attribute v0 numeric\n@end a\n@attribute class {a,b}\n@data\n"
      "'1,2\\n10,20',a\n\"3\\n30\",b\n";
  CHECK_EQ(read(relational, columns(Format::arff)).data.x, Floats{1, 10, 2, 20, 3, 30});
  Columns values = columns(Format::ts);
  values.classes = false;
  CHECK_EQ(read("@targetLabel true\n@data\n1,2:0.5\n3,4:-1\n", values).data.value,
           Floats{0.5f, -1});
  CHECK(refusal("1,2:a\n", columns(Format::ts)).starts_with("data.csv:1: \"1,2:a\" before @data"));
}

TEST_CASE("times are read in ISO 8601 or as numbers") {
  // Seconds by Python's datetime.fromisoformat(...).timestamp(), in UTC.
  const auto seconds = [](const char* text) {
    const auto time = parse_time(text);
    return time ? time->seconds : -1;
  };
  CHECK_EQ(seconds("2024-02-29 23:00"), 1709247600);
  CHECK_EQ(seconds("2024-02-29T23:00:01.5"), 1709247601.5);
  CHECK_EQ(seconds("2024-02-29T23:00:00Z"), 1709247600);
  CHECK_EQ(seconds("2024-02-29T23:00:00+02:00"), 1709240400);
  CHECK_EQ(seconds("2024/02/29 23:00:00-0530"), 1709267400);
  CHECK_EQ(seconds("1969-12-31"), -86400);
  CHECK_EQ(seconds("12.5"), 12.5);
  CHECK_EQ(seconds("20240229T230000"), 1709247600);
  CHECK_EQ(seconds("20240229T2300Z"), 1709247600);
  CHECK_EQ(seconds("20240229T230001.5+0200"), 1709240401.5);
  CHECK_EQ(seconds("20240229"), 20240229);
  CHECK_EQ(seconds("1709247600000"), 1709247600);
  CHECK_EQ(seconds("1709247600500000"), 1709247600.5);
  CHECK_EQ(seconds("1709247600000000000"), 1709247600);
  CHECK_EQ(seconds("1709247600"), 1709247600);
  CHECK_EQ(seconds("99999999999"), 99999999999);
  for (const char* wrong :
       {"", "20240230T230000", "20240229T2560", "2023-02-29", "2024-2-9", "29/02/2024",
        "2024-02-29 25:00", "2024-02-29 23:60", "2024-02-29x", "soon", "nan"})
    CHECK_FALSE(parse_time(wrong).has_value());
}

TEST_CASE("parts of a time are features, as sine and cosine; a model finds them by their names") {
  Columns c = columns();
  c.time = "t", c.time_features = {"hour", "weekday", "yearday"};
  const std::string csv =
      "sequence,label,t,a\ns,x,2024-05-07 06:00,1\nt,y,2024-01-01T00:00+03:00,2\n";
  const DataSet data = read(csv, c).data;
  CHECK_EQ(data.feature_names, Names{"a", "hour_sin", "hour_cos", "weekday_sin", "weekday_cos",
                                     "yearday_sin", "yearday_cos"});
  // 2024-05-07 is a Tuesday and 127 days after the first of January; the other is a Monday.
  const double pi = 3.14159265358979, week = 2 * pi / 7, year = 2 * pi * 127 / 365.25;
  const std::vector<double> truth{
      1, 1, 0, std::sin(week), std::cos(week), std::sin(year), std::cos(year), 2, 0, 1, 0, 1, 0, 1};
  for (std::size_t i = 0; i < truth.size(); ++i)
    CHECK_EQ(double(data.x[i]), doctest::Approx(truth[i]).epsilon(1e-6));
  Expected expected;
  expected.features = data.feature_names, expected.labels = data.labels;
  CHECK_EQ(read(csv, c, expected).data.x, data.x);
  CHECK(refusal_of([&] {
          read("sequence,label,a\ns,x,1\n", c, expected);
        }).starts_with("data.csv:1: t: no such column"));
  CHECK(refusal("sequence,label,t,a\ns,x,soon,1\n", c)
            .starts_with("data.csv:2: t: \"soon\" is no time"));
  Columns plain_time = columns();
  plain_time.time = "t";
  CHECK_EQ(read(csv, plain_time).data.feature_names, Names{"a"});
  CHECK(refusal(csv).find("name a column of times in data.time") != std::string::npos);
}

TEST_CASE("numbers of milliseconds to nanoseconds are times, and the unit is told") {
  Columns c = columns();
  c.time = "t", c.time_features = {"hour"};
  const auto of = [&](const std::string& zeros) {
    return read(
        "sequence,label,t,a\ns,x,1714975200" + zeros + ",1\ns,x,1714986000" + zeros + ",2\n", c);
  };
  CHECK_EQ(of("").as, "");
  for (const auto& [zeros, unit] : {std::pair("000", "milliseconds"),
                                    {"000000", "microseconds"},
                                    {"000000000", "nanoseconds"}}) {
    CHECK_EQ(of(zeros).as, std::string("t in ") + unit + " since 1970");
    CHECK_EQ(of(zeros).data.x, of("").data.x);
  }
}

TEST_CASE("classes with a decimal comma are numbers, in one spelling and in their order") {
  const DataSet data =
      read("sequence;a;label\np;0,5;10,5\nq;1,5;9,5\nr;1,5;9,50\ns;1;1,0\nt;2;1\n").data;
  CHECK_EQ(data.labels, Names{"1", "9.5", "10.5"});
  CHECK_EQ(data.target, std::vector<std::int32_t>{2, 1, 1, 0, 0});
  CHECK_EQ(read("a0;a1;label\n0,5;1;2,5\n1,5;2;2,50\n", columns(Format::wide)).data.labels,
           Names{"2.5"});
  CHECK_EQ(read("sequence;a;label\np;0,5;x,y\n").data.labels, Names{"x,y"});
}

TEST_CASE("the columns of a wide table are steps in the order of their numbers") {
  const Columns wide = columns(Format::wide);
  const Read names = read("a_0,a_1,a_10,a_2,label\n0,1,10,2,x\n", wide);
  CHECK_EQ(names.data.x, Floats{0, 1, 2, 10});
  CHECK_EQ(
      names.as,
      "the columns of a in the order of their numbers, which is not that of the file, 1 gap in "
      "the numbers of columns (a_10 follows a_2)");
  CHECK_EQ(read("a_3,a_2,a_1,label\n0,1,2,x\n", wide).data.x, Floats{2, 1, 0});
  CHECK_EQ(read("a_0,b_0,a_1,b_1,label\n0,1,2,3,x\n", wide).as, "");
  CHECK_EQ(read("a_0,a_10,a_20,label\n0,1,2,x\n", wide).as, "");
  CHECK_EQ(read("jan,feb,label\n0,1,x\n", wide).as, "");
}

TEST_CASE("a table whose rows are sequences is noticed by its refusal") {
  Columns c = columns();
  c.sequence = "";
  CHECK(refusal("a_0,a_1,a_2,a_3,label\n0,1,2,3,x\n0,1,2,3,y\n", c)
            .ends_with("whose steps are the columns a_0 to a_3, set data.format = \"wide\""));
  CHECK(refusal("a,b,label\n0,1,x\n0,1,y\n", c).ends_with("set data.target_per = \"row\""));
}

TEST_CASE("a class that the head of a .ts file does not list is refused") {
  const std::string head = "@classLabel true A C\n@data\n1,2:A\n";
  CHECK(refusal(head + "1,2:B\n", columns(Format::ts))
            .starts_with(
                "data.csv:4: class \"B\" is not among those of @classLabel in line 1: A, C;"));
  CHECK_EQ(refusal(head + "1,2:C\n", columns(Format::ts)), "accepted");
  CHECK_EQ(refusal("@classLabel true 1 2\n@data\n1,2:1.0\n", columns(Format::ts)), "accepted");
}

TEST_CASE("a missing column is named with the one that is meant") {
  Expected expected;
  expected.features = {"a", "acc x"}, expected.labels = {"x"};
  CHECK(refusal_of([&] {
          read("sequence,label,A,acc_x\ns,x,1,2\n", columns(), expected);
        }).find("missing a (there is A), acc x (there is acc_x)") != std::string::npos);
}

TEST_CASE("text before the header, and a line of units with a 1") {
  CHECK(refusal("% logger\nsequence,label,a\ns,x,1\n").ends_with("set data.comment = \"%\""));
  CHECK(refusal("// logger\nsequence,label,a\ns,x,1\n").ends_with("set data.comment = \"//\""));
  CHECK(refusal("Logger\nsequence,label,a\ns,x,1\n").find("set data.skip_rows") !=
        std::string::npos);
  CHECK(refusal("Serial;123\nsequence;label;a\ns;x;1\n").find("set data.skip_rows") !=
        std::string::npos);
  const Read units = read("sequence,label,a,b\nname,class,m/s,1\ns,x,1,2\ns,x,3,4\n");
  CHECK_EQ(units.as, "line 2 passed over as a line of units");
  CHECK_EQ(units.data.x, Floats{1, 2, 3, 4});
  CHECK(refusal("sequence,label,a,b\ns,x,err,1\ns,x,3,4\n").starts_with("data.csv:2: a: \"err\""));
}

TEST_CASE("the class of a file is its own name, or its folder's") {
  CHECK_EQ(class_of_file("data/circle/7.csv", TargetFrom::folder), "circle");
  CHECK_EQ(class_of_file("data/circle_007.csv.gz", TargetFrom::file), "circle");
  CHECK_EQ(class_of_file("data/swipe-left.csv", TargetFrom::file), "swipe-left");
  CHECK_EQ(class_of_file("3.csv", TargetFrom::file), "3");
  CHECK(refusal_of([] {
          class_of_file("3.csv", TargetFrom::folder);
        }).starts_with("3.csv: its name"));
  CHECK_EQ(without_folder("/data/a/1.csv\n/data/b/1.csv"), "a/1.csv\nb/1.csv");
  CHECK_EQ(without_folder("/data/gestures/*/*.csv"), "*/*.csv");
  CHECK_EQ(without_folder("/data/a.csv"), "a.csv");
  CHECK_EQ(shown_files("/data/a.csv\n/data/b.csv\nc.csv"), "/data/a.csv and 2 more");
}

TEST_CASE("texts are read from CSV with quotes too") {
  Columns c = columns(Format::tsv);
  c.text = "text", c.tokens.words = true;
  const auto read_texts = [&](const std::string& text, const std::string& file) {
    return assemble(read_tsv(text, file, c, {}), c, {});
  };
  const DataSet tabs = read_texts("label\ttext\n0\tso, so\n1\ta \"b\" c\n", "a.tsv");
  const DataSet commas = read_texts("label,text\n0,\"so, so\"\n1,\"a \"\"b\"\" c\"\n", "a.csv");
  CHECK_EQ(commas.ids, tabs.ids);
  CHECK_EQ(commas.tokens.texts, tabs.tokens.texts);
  CHECK_EQ(commas.target, tabs.target);
  CHECK_EQ(read_texts("label;text\n0;so, so\n1;\"a \"\"b\"\" c\"\n", "a.txt").ids, tabs.ids);
}

TEST_CASE("gzip is inflated, all members of it; damage and bombs are refused") {
  // Python's gzip.compress(b"a,b\n1,2\n", mtime=0)
  const std::string once(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x4b\xd4\x49\xe2\x32\xd4\x31\xe2\x02\x00\x7b\x07\x97"
      "\x0a\x08\x00\x00\x00",
      28);
  CHECK(is_gzip(once));
  const std::string text = refusal_of([&] { CHECK_EQ(inflated(once, "a.gz"), "a,b\n1,2\n"); });
  if (text.find("without zlib") != std::string::npos) return;
  CHECK_EQ(inflated(once + once, "a.gz"), "a,b\n1,2\na,b\n1,2\n");
  CHECK_EQ(refusal_of([&] { inflated(once.substr(0, 20), "a.gz"); }),
           "a.gz: is a damaged gzip file; write it again");
  std::string broken = once;
  broken[22] = 'x';
  CHECK(refusal_of([&] { inflated(broken, "a.gz"); }).starts_with("a.gz: is a damaged"));
}
