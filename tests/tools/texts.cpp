// Tests the way from texts to data: vocabularies, streams of tokens, TSV, and texts that are parts
// of other texts.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "../support/large_data.h"
#include "../support/numbers.h"
#include "../support/refusal.h"
#include "command/generate.h"
#include "common/error.h"
#include "data/data.h"

using namespace sluice::tools;
using sluice::tests::large_data;
using sluice::tests::Noise;

namespace {

using Ids = std::vector<std::int32_t>;
using Texts = std::vector<std::string>;

Columns stream_columns(double validation = 0) {
  Columns c;
  c.format = Format::text;
  c.per_row = true;
  c.windows.validation = validation;
  return c;
}

Columns tsv_columns() {
  Columns c;
  c.format = Format::tsv;
  c.text = "text";
  c.target = {"label"};
  c.tokens.words = true;
  return c;
}

DataSet read_texts(const std::string& tsv, const Columns& c = tsv_columns(),
                   const Expected& expected = {}) {
  return assemble(read_tsv(tsv, "data.tsv", c, expected), c, expected);
}

}  // namespace

TEST_CASE(
    "the next token is drawn with its probability to the power of 1 / temperature; padding and "
    "unknown are never drawn") {
  const float chances[] = {0.9f, 0.9f, 0.2f, 0.5f, 0.3f};
  // 0.5^2, 0.3^2, 0.2^2, divided by 0.38, sum up to 0.65789, 0.89474, 1.
  CHECK_EQ(sampled_id(chances, {0.5f, 0}, 0.0f), 3);
  CHECK_EQ(sampled_id(chances, {0.5f, 0}, 0.6578f), 3);
  CHECK_EQ(sampled_id(chances, {0.5f, 0}, 0.6580f), 4);
  CHECK_EQ(sampled_id(chances, {0.5f, 0}, 0.8946f), 4);
  CHECK_EQ(sampled_id(chances, {0.5f, 0}, 0.8949f), 2);
  CHECK_EQ(sampled_id(chances, {1, 2}, 0.6249f), 3);  // 0.5 / 0.8
  CHECK_EQ(sampled_id(chances, {1, 2}, 0.6251f), 4);
  CHECK_EQ(sampled_id(chances, {1, 2}, 0.9999f), 4);
  CHECK_EQ(sampled_id(chances, {0, 0}, 0.9999f), 3);
}

TEST_CASE("a vocabulary has the most frequent token first, ties in the order of first appearance") {
  DataSet data = read_texts("text\tlabel\nb a c\t0\nc a\t1\nd c\t0\n");
  learn_vocabulary(data, std::vector<std::size_t>{0, 1, 2}, 0, "data.tsv");
  CHECK_EQ(data.tokens.texts, Texts{"c", "a", "b", "d"});  // frequencies 3, 2, 1, 1
  CHECK_EQ(data.ids, Ids{4, 3, 2, 2, 3, 5, 2});
  CHECK_EQ(data.first, std::vector<std::size_t>{0, 3, 5, 7});
}

TEST_CASE(
    "a vocabulary comes from the training part; tokens that only other parts have are unknown") {
  DataSet data = read_texts("text\tlabel\nx x y\t0\na b b\t1\nz a\t0\n");
  learn_vocabulary(data, std::vector<std::size_t>{1, 2}, 0, "data.tsv");
  CHECK_EQ(data.tokens.texts, Texts{"a", "b", "z"});
  CHECK_EQ(data.ids, Ids{1, 1, 1, 2, 3, 3, 4, 2});
}

TEST_CASE("a limited vocabulary keeps the most frequent tokens; padding and unknown count") {
  DataSet data = read_texts("text\tlabel\nb a c\t0\nc a\t1\nd c\t0\n");
  learn_vocabulary(data, std::vector<std::size_t>{0, 1, 2}, 4, "data.tsv");
  CHECK_EQ(data.tokens.texts, Texts{"c", "a"});
  CHECK_EQ(data.ids, Ids{1, 3, 2, 2, 3, 1, 2});
}

TEST_CASE("an option makes words lower-case, and counts both cases as one word") {
  Columns c = tsv_columns();
  c.tokens.lower_case = true;
  DataSet data = read_texts("text\tlabel\nThe cat\t0\nthe THE \xC3\x84pfel\t1\n", c);
  CHECK_EQ(data.tokens.texts, Texts{"the", "cat", "\xC3\xA4pfel"});
  CHECK_EQ(data.ids, Ids{2, 3, 2, 2, 4});
}

TEST_CASE(
    "a model's vocabulary gives another file its ids: unknown words are unknown, and unknown "
    "characters are refused if an answer is requested") {
  Expected expected;
  expected.features = {"id"}, expected.labels = {"0", "1"};
  expected.tokens = {{true, false}, {"a", "b"}};
  CHECK_EQ(read_texts("text\tlabel\nb z a\t1\n", tsv_columns(), expected).ids, Ids{3, 1, 2});
  expected.tokens = {{false, false}, {"a", "b", "\n"}};
  CHECK_EQ(read_stream("ab\nz", "t.txt", stream_columns(), expected).ids, Ids{2, 3, 4});
  CHECK_EQ(read_stream("ab\nz", "t.txt", stream_columns(), expected).target, Ids{3, 4, 1});
  expected.targets = false;
  CHECK_EQ(read_stream("ab\na", "t.txt", stream_columns(), expected).ids, Ids{2, 3, 4, 2});
  CHECK(sluice::tests::refusal_of([&] {
          read_stream("ab\n\naz", "t.txt", stream_columns(), expected);
        }).starts_with("t.txt:3: character \"z\""));
}

TEST_CASE("the target of a token in a stream is the next token; parts share no token") {
  DataSet data = read_stream("abcabcabxy", "t.txt", stream_columns(0.2), {});
  CHECK_EQ(data.sequences(), 2u);
  const Split parts = split(data, 0.2, 1);
  CHECK_EQ(parts.train, std::vector<std::size_t>{0});
  CHECK_EQ(parts.held_out, std::vector<std::size_t>{1});
  learn_vocabulary(data, parts.train, 0, "t.txt");
  CHECK_EQ(data.tokens.texts, Texts{"a", "b", "c"});  // frequencies 3, 3, 2
  CHECK_EQ(data.ids, Ids{2, 3, 4, 2, 3, 4, 2, 1});
  CHECK_EQ(data.target, Ids{3, 4, 2, 3, 4, 2, 3, 1});
  CHECK_EQ(data.labels, Texts{"<padding>", "<unknown>", "a", "b", "c"});
  CHECK_EQ(data.steps(0), 7u);
}

TEST_CASE("a stream is cut into pieces for training, and stays whole for validation") {
  std::string text;
  for (int i = 0; i < 103; ++i) text += char('a' + i % 7);
  DataSet data = read_stream(text, "t.txt", stream_columns(0.1), {});
  Split parts = split(data, 0.1, 1);
  CHECK_EQ(data.steps(0), 91u);  // of floor(103 * 0.9) tokens

  const Ids ids = data.ids;
  cut_pieces(data, parts, 40);
  CHECK_EQ(data.first, std::vector<std::size_t>{0, 40, 80, 91, data.ids.size()});
  CHECK_EQ(parts.train, std::vector<std::size_t>{0, 1, 2});
  CHECK_EQ(parts.held_out, std::vector<std::size_t>{3});
  CHECK_EQ(data.ids, ids);
}

TEST_CASE("TSV has no quotes; CRLF, empty lines and a byte-order mark are as in CSV") {
  const DataSet data =
      read_texts("\xEF\xBB\xBFlabel\tid\ttext\r\n1\t7\t\"a b\r\n\r\n0\t8\tit 's\r\n");
  CHECK_EQ(data.tokens.texts, Texts{"\"a", "b", "it", "'s"});
  CHECK_EQ(data.labels, Texts{"0", "1"});
  CHECK_EQ(data.target, Ids{1, 0});
  CHECK_EQ(data.names, Texts{"2", "4"});
}

TEST_CASE(
    "a text belongs to the longest training text that contains it, as plain search finds it") {
  Noise noise(31);
  for (int round = 0; round < 200; ++round) {
    Ids ids;
    std::vector<std::size_t> first = {0};
    const int kinds = 1 + noise.below(4), texts = 1 + noise.below(30);
    for (int t = 0; t < texts; ++t) {
      for (int n = 1 + noise.below(noise.below(4) ? 5 : 20); n > 0; --n)
        ids.push_back(2 + noise.below(kinds));
      first.push_back(ids.size());
    }
    const std::vector<std::size_t> groups = containment_groups(ids, first);
    for (std::size_t t = 0; t < std::size_t(texts); ++t) {
      const auto text = [&](std::size_t i) {
        return Ids(ids.begin() + std::ptrdiff_t(first[i]),
                   ids.begin() + std::ptrdiff_t(first[i + 1]));
      };
      std::size_t best = t;
      for (std::size_t other = 0; other < std::size_t(texts); ++other) {
        const Ids a = text(other), b = text(t);
        const bool holds = std::search(a.begin(), a.end(), b.begin(), b.end()) != a.end();
        if (holds &&
            (a.size() > text(best).size() || (a.size() == text(best).size() && other < best)))
          best = other;
      }
      REQUIRE_EQ(groups[t], best);
    }
  }
}

TEST_CASE("a split keeps phrases with their sentence") {
  std::string tsv = "text\tlabel\n";
  std::map<std::string, std::string> whole;
  for (int s = 0; s < 50; ++s) {
    const std::string a = "a" + std::to_string(s), sentence = a + " of " + a + "x the " + a + "y";
    for (const std::string& phrase : {a + "x the", sentence, a + " of"}) {
      whole[phrase] = sentence;
      tsv += phrase + "\t" + std::to_string(s % 2) + "\n";
    }
  }
  Columns c = tsv_columns();
  c.group = containment;
  const DataSet data = read_texts(tsv, c);
  const Split parts = split(data, 0.2, 3);
  CHECK_EQ(parts.held_out.size(), 30u);
  for (std::size_t s = 0; s < data.sequences(); ++s)
    CHECK_EQ(data.group[s], std::to_string(s / 3 * 3 + 1));
  for (const std::size_t s : parts.held_out)
    CHECK(std::find(parts.train.begin(), parts.train.end(), s / 3 * 3) == parts.train.end());
}

TEST_CASE("bad texts are refused with their place") {
  const auto tsv = [&](const std::string& text) {
    return sluice::tests::refusal_of([&] { read_texts(text); });
  };
  CHECK(tsv("").starts_with("data.tsv: empty"));
  CHECK(tsv("text\tlabel\n").starts_with("data.tsv: a header without rows"));
  CHECK(tsv("words\tlabel\na\t1\n").starts_with("data.tsv:1: text: no such column"));
  CHECK(tsv("text\tclass\na\t1\n").starts_with("data.tsv:1: label: no such column"));
  CHECK(tsv("text\ttext\na\t1\n").starts_with("data.tsv:1: text: two columns"));
  CHECK(tsv("text\tlabel\na\t1\nb\n").starts_with("data.tsv:3: 1 cells, but"));
  CHECK(tsv("text\tlabel\na\t1\n\xC2\xA0 \t1\n").starts_with("data.tsv:3: text: no token"));
  CHECK(tsv("text\tlabel\na\t1\nb\xFF\t1\n").starts_with("data.tsv:3: byte ff is not UTF-8"));
  CHECK(
      tsv("text\tlabel\na\t1\nb\t\n").starts_with("data.tsv:3: label: the sequence has no class"));
  CHECK(tsv(std::string("text\tlabel\na\0\t1\n", 16)).starts_with("data.tsv:2: contains a byte 0"));
  Columns grouped = tsv_columns();
  grouped.group = "author";
  CHECK(sluice::tests::refusal_of([&] {
          read_texts("text\tlabel\na\t1\n", grouped);
        }).starts_with("data.tsv:1: author: no such column"));

  const auto stream = [&](const std::string& text, double validation) {
    return sluice::tests::refusal_of(
        [&] { read_stream(text, "t.txt", stream_columns(validation), {}); });
  };
  CHECK(stream("", 0).starts_with("t.txt: empty"));
  CHECK(stream("abc", 0.5).starts_with("t.txt: 1 tokens, rows 0:1"));
  CHECK(stream("ab\nc\xE2\x82", 0).starts_with("t.txt:2: byte e2 is not UTF-8"));
  DataSet same = read_stream("aaaaaa", "t.txt", stream_columns(), {});
  CHECK(sluice::tests::refusal_of([&] {
          learn_vocabulary(same, std::vector<std::size_t>{0}, 0, "t.txt");
        }).starts_with("t.txt: the training part has only"));
}

TEST_CASE("tiny-shakespeare has 65 different characters, and a tenth of it is for validation") {
  const std::string path = large_data("tiny-shakespeare/input.txt");
  if (path.empty()) return;
  DataSet data = read_data(path, stream_columns(0.1));
  learn_vocabulary(data, std::vector<std::size_t>{0}, 0, path);
  CHECK_EQ(data.tokens.texts.size(), 65u);
  CHECK_EQ(data.tokens.texts[0], " ");
  CHECK_EQ(data.steps(0), 1003853u);
  CHECK_EQ(data.steps(1), 111539u);
  CHECK(std::count(data.target.begin(), data.target.end(), 1) == 0);
}

TEST_CASE("nine tenths of SST-2's distinct phrases are parts of others") {
  const std::string path = large_data("sst2/train.tsv");
  if (path.empty()) return;
  Columns c = tsv_columns();
  c.text = "sentence", c.group = containment;
  const DataSet data = read_data(path, c);
  CHECK_EQ(data.sequences(), 67349u);
  std::map<Ids, bool> part;
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    const std::size_t holder = std::stoul(data.group[s]);
    part[Ids(data.ids.begin() + std::ptrdiff_t(data.first[s]),
             data.ids.begin() + std::ptrdiff_t(data.first[s + 1]))] =
        data.steps(holder) > data.steps(s);
  }
  const auto parts =
      std::count_if(part.begin(), part.end(), [](const auto& one) { return one.second; });
  CHECK(std::abs(double(parts) / double(part.size()) - 0.9) < 0.01);
}
