// Tests the way from texts to ids: the rules against Unicode's own tables and against a plain
// dictionary, and the checks of the section against every kind of damage.
#include "data/vocabulary.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "../support/forge.h"
#include "../support/golden.h"
#include "model/pack.h"
#include "model/vocabulary.h"
#include "runtime/vocabulary.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

/// An opened model that reads texts by this vocabulary.
struct Reader {
  Memory blob;
  sluice_model model;
  explicit Reader(const tools::Tokens& tokens) : blob(bytes(tokens)) {
    REQUIRE_EQ(sluice_open(&model, blob.data(), blob.size, nullptr), SLUICE_OK);
  }
  static std::string bytes(const tools::Tokens& tokens) {
    Network network = random_network(1, {gru(1)}, 1);
    network.vocabulary = tools::vocabulary_section(tokens);
    return tools::write_blob(network);
  }
  std::vector<int32_t> ids(const std::string& text) const {
    const Memory exact(text);
    std::vector<int32_t> result;
    for (size_t at = 0;;) {
      const int32_t id =
          sluice_next_id(&model, reinterpret_cast<const char*>(exact.data()), text.size(), &at);
      if (id < 0) return result;
      result.push_back(id);
    }
  }
};

tools::Tokens words(std::vector<std::string> texts, bool lower_case = false) {
  return {{true, lower_case}, std::move(texts)};
}
tools::Tokens characters(std::vector<std::string> texts, bool lower_case = false) {
  return {{false, lower_case}, std::move(texts)};
}

std::string utf8(uint32_t c) {
  if (c < 0x80) return {char(c)};
  if (c < 0x800) return {char(0xC0 | c >> 6), char(0x80 | (c & 63))};
  if (c < 0x10000) return {char(0xE0 | c >> 12), char(0x80 | (c >> 6 & 63)), char(0x80 | (c & 63))};
  return {char(0xF0 | c >> 18), char(0x80 | (c >> 12 & 63)), char(0x80 | (c >> 6 & 63)),
          char(0x80 | (c & 63))};
}

using Ids = std::vector<int32_t>;

}  // namespace

TEST_CASE("lower case is Unicode's simple mapping in five blocks, and changes nothing elsewhere") {
  const Golden golden("lower_case.txt");
  std::map<uint32_t, uint32_t> small;
  for (size_t i = 0; i < golden["capital"].values.size(); ++i)
    small[uint32_t(golden["capital"].values[i])] = uint32_t(golden["small"].values[i]);
  CHECK(small.size() > 250);
  for (uint32_t c = 0; c < 0x110000; ++c)
    if (lower_case(c) != (small.count(c) ? small[c] : c)) FAIL("U+", c);
}

TEST_CASE("white space is the set that Unicode's PropList.txt lists as White_Space") {
  const std::set<uint32_t> listed = {9,      10,     11,     12,     13,     0x20,   0x85,
                                     0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
                                     0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028,
                                     0x2029, 0x202F, 0x205F, 0x3000};
  for (uint32_t c = 0; c < 0x110000; ++c)
    if (is_white(c) != (listed.count(c) == 1)) FAIL("U+", c);
}

TEST_CASE(
    "every code point is read from its UTF-8; bytes that are not UTF-8 are malformed, one by one") {
  for (uint32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    const std::string text = utf8(c);
    size_t at = 0;
    if (next_code_point(reinterpret_cast<const uint8_t*>(text.data()), text.size(), &at) != c ||
        at != text.size())
      FAIL("U+", c);
  }
  // Overlong forms, surrogates, beyond U+10FFFF, lone and cut bytes: RFC 3629, section 3 and 4.
  for (const std::string bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82",
        "\xF0\x9F\x98", "\xC3("}) {
    size_t at = 0;
    CHECK_EQ(next_code_point(reinterpret_cast<const uint8_t*>(bad.data()), bad.size(), &at),
             malformed);
    CHECK_EQ(at, 1u);
  }
}

TEST_CASE(
    "characters are code points: combining marks, ideographs and emoji stand for themselves") {
  const Reader reader(
      characters({"e", "\xCC\x81", "\xC3\xA9", "\xE6\xBC\xA2", "\xF0\x9F\x98\x80", " ", "\n"}));
  CHECK_EQ(reader.ids("e\xCC\x81"), Ids{2, 3});  // two code points, not composed to U+00E9
  CHECK_EQ(reader.ids("\xC3\xA9"), Ids{4});
  CHECK_EQ(reader.ids("\xE6\xBC\xA2\xF0\x9F\x98\x80 \n\xC2\xA0"), Ids{5, 6, 7, 8, 1});
  CHECK_EQ(reader.ids("e\xC3"), Ids{2, 1});
  CHECK_EQ(reader.ids(""), Ids{});
}

TEST_CASE("words are separated by white space of any kind, and include punctuation") {
  const Reader reader(words({"it", "'s", "a", "caf\xC3\xA9", ".", "\xE6\xBC\xA2\xE5\xAD\x97"}));
  CHECK_EQ(reader.ids("  it 's\ta\n"), Ids{2, 3, 4});
  CHECK_EQ(reader.ids("a\xC2\xA0"
                      "it\xE3\x80\x80"
                      "caf\xC3\xA9\xE2\x80\xA8."),
           Ids{4, 2, 5, 6});
  CHECK_EQ(reader.ids("a.\xE2\x80\x8B"
                      "a"),
           Ids{1});  // U+200B is not white space
  CHECK_EQ(reader.ids("cafe\xCC\x81 caf caf\xC3\xA9s It"), Ids{1, 1, 1, 1});
  CHECK_EQ(reader.ids("\xE6\xBC\xA2\xE5\xAD\x97 a\xFF a"), Ids{7, 1, 4});
  CHECK_EQ(reader.ids(" \n\xE2\x80\x83"), Ids{});
}

TEST_CASE("an option reads capitals as small letters, also if their number of bytes differs") {
  const std::string street =
      "stra\xC3\x9F"
      "e";
  const Reader reader(
      words({street, "\xCF\x83\xCE\xBF\xCF\x86", "i", "\xC3\xBF", "\xD0\xB6"}, true));
  CHECK_EQ(reader.ids("STRA\xC3\x9F"
                      "E \xCE\xA3\xCE\x9F\xCE\xA6 \xC4\xB0 \xC5\xB8 \xD0\x96"),
           Ids{2, 3, 4, 5, 6});
  CHECK_EQ(Reader(words({"i"})).ids("I"), Ids{1});
}

TEST_CASE("the device's ids are those of a plain dictionary, and give their tokens back") {
  Noise noise(21);
  std::vector<std::string> letters;
  for (uint32_t c :
       {0x61u, 0x62u, 0x7Au, 0x7Fu, 0xE9u, 0x7FFu, 0x800u, 0xFFFDu, 0x10000u, 0x10FFFFu})
    letters.push_back(utf8(c));
  const auto word = [&] {
    std::string text;
    for (int n = 1 + noise.below(5); n > 0; --n)
      text += letters[size_t(noise.below(int(letters.size())))];
    return text;
  };
  for (int size : {1, 2, 3, 1000}) {
    tools::Tokens tokens = words({});
    std::map<std::string, int32_t> dictionary;
    while (tokens.texts.size() < size_t(size)) {
      const std::string text = word();
      if (dictionary.emplace(text, int32_t(tokens.ids())).second) tokens.texts.push_back(text);
    }
    const Reader reader(tokens);
    CHECK_EQ(sluice_vocabulary_of(&reader.model).ids, uint32_t(size + 2));
    CHECK_EQ(tools::tokens_of(reader.model).texts, tokens.texts);
    for (int i = 0; i < 2000; ++i) {
      const std::string text = word();
      const auto found = dictionary.find(text);
      REQUIRE_EQ(reader.ids(text), Ids{found == dictionary.end() ? 1 : found->second});
    }
    for (const auto& [text, id] : dictionary) {
      size_t bytes = 0;
      const char* token = sluice_token(&reader.model, id, &bytes);
      REQUIRE_EQ(std::string(token, bytes), text);
    }
  }
}

TEST_CASE("a model without a vocabulary has no ids, and ids beyond a vocabulary have no token") {
  const Memory blob(tools::write_blob(random_network(1, {gru(1)}, 1)));
  sluice_model model;
  REQUIRE_EQ(sluice_open(&model, blob.data(), blob.size, nullptr), SLUICE_OK);
  CHECK_EQ(sluice_vocabulary_of(&model).ids, 0u);
  size_t at = 0, bytes = 1;
  CHECK_EQ(sluice_next_id(&model, "a", 1, &at), -1);
  CHECK_EQ(std::string(sluice_token(&model, 2, &bytes)), "");
  CHECK_EQ(bytes, 0u);
  const Reader reader(words({"a"}));
  for (const int32_t id : {-1, 0, 1, 3, INT32_MAX, INT32_MIN}) {
    sluice_token(&reader.model, id, &bytes);
    CHECK_EQ(bytes, 0u);
  }
}

TEST_CASE("a damaged vocabulary is refused") {
  const std::string good = Reader::bytes(words({"b", "a", "cc"}));
  CHECK_EQ(Forged(good).open(), SLUICE_OK);
  const auto lying = [&](size_t at, uint32_t value) {
    Forged f(good);
    f.write(f.section_offset(SLUICE_SECTION_VOCABULARY) + at, value);
    return f.checksum().open();
  };
  const size_t ends = sizeof(BlobVocabulary), sorted = ends + 12;
  for (const uint32_t value : {2u, 0xFFFFFFFFu}) {
    CHECK_EQ(lying(0, value), SLUICE_STRUCTURE);  // words
    CHECK_EQ(lying(4, value), SLUICE_STRUCTURE);  // lower case
  }
  for (const uint32_t ids : {0u, 1u, 2u, 4u, 6u, 65536u, 65537u, 0x80000002u, 0xFFFFFFFFu})
    CHECK_EQ(lying(8, ids), SLUICE_STRUCTURE);
  for (const uint32_t bytes : {0u, 3u, 5u, 0xFFFFFFFFu})
    CHECK_EQ(lying(12, bytes), SLUICE_STRUCTURE);
  for (const uint32_t end : {0u, 2u, 4u, 0xFFFFFFFFu}) CHECK_EQ(lying(ends, end), SLUICE_STRUCTURE);
  for (const uint32_t end : {3u, 5u, 0xFFFFFFFFu}) CHECK_EQ(lying(ends + 8, end), SLUICE_STRUCTURE);
  CHECK_EQ(lying(sorted, 1u | 0u << 16), SLUICE_OK);             // the order a, b, cc
  CHECK_EQ(lying(sorted, 0u | 1u << 16), SLUICE_STRUCTURE);      // not in order
  CHECK_EQ(lying(sorted, 1u | 1u << 16), SLUICE_STRUCTURE);      // an id twice
  CHECK_EQ(lying(sorted, 3u | 0u << 16), SLUICE_STRUCTURE);      // an id out of range
  CHECK_EQ(lying(sorted + 4, 2u | 1u << 16), SLUICE_STRUCTURE);  // the padding is not 0
  Forged twice(Reader::bytes(words({"b", "a", "c"})));
  const size_t texts = twice.section_offset(SLUICE_SECTION_VOCABULARY) + sorted + 8;
  twice.bytes[texts + 2] = 'b';
  CHECK_EQ(twice.checksum().open(), SLUICE_STRUCTURE);
}
