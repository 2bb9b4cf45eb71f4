// A text's tokens and their ids: one set of rules for the desk, which learns a vocabulary by it,
// and for the device.
#ifndef SLUICE_VOCABULARY_H
#define SLUICE_VOCABULARY_H

#include "blob.h"

namespace sluice {

// Whether the runtime reads texts. Without embeddings a vocabulary is one of the sections that it
// passes over.
#ifdef SLUICE_WITHOUT_EMBEDDING
constexpr bool reads_text = false;
#else
constexpr bool reads_text = true;
#endif

/// What the section begins with. Then, for n = ids - 2 tokens: u32 end[n], where each one's text
/// ends; u16 sorted[n], the tokens' numbers (id - 2) in the order of their bytes, and a zero where
/// n is odd; the texts, UTF-8, one after another.
struct BlobVocabulary {
  uint32_t words, lower_case;  ///< 0 or 1: TokenRules
  uint32_t ids;                ///< 3 to 65,536: padding, unknown, tokens
  uint32_t text_bytes;
};

constexpr uint32_t first_token = 2;  ///< ids 0 and 1 are padding and unknown
constexpr uint32_t most_ids = 1u << 16;
constexpr uint32_t malformed =
    0x110000;  ///< stands for a byte that is not UTF-8: a character that no vocabulary holds

struct TokenRules {
  bool words;       ///< tokens are what stands between white space; else every code point is one
  bool lower_case;  ///< of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic, one to one
};

/// The code point at text[*at], *at < bytes, which moves behind it; behind one byte where it is
/// malformed.
uint32_t next_code_point(const uint8_t* text, size_t bytes, size_t* at);

/// Unicode's White_Space.
bool is_white(uint32_t c);

uint32_t lower_case(uint32_t c);

/// The next token at or after *at, [begin, *at) of the text; false at the text's end.
bool next_token(TokenRules rules, const uint8_t* text, size_t bytes, size_t* at, size_t* begin);

/// A vocabulary in a blob that has been checked.
struct Vocabulary {
  const BlobVocabulary* head;
  explicit Vocabulary(const uint8_t* section)
      : head(reinterpret_cast<const BlobVocabulary*>(section)) {}

  uint32_t tokens() const { return head->ids - first_token; }
  TokenRules rules() const { return {head->words != 0, head->lower_case != 0}; }
  const uint32_t* ends() const { return reinterpret_cast<const uint32_t*>(head + 1); }
  const uint16_t* sorted() const { return reinterpret_cast<const uint16_t*>(ends() + tokens()); }
  const uint8_t* texts() const {
    return reinterpret_cast<const uint8_t*>(sorted() + tokens() + tokens() % 2);
  }
  uint32_t begin(uint32_t token) const { return token ? ends()[token - 1] : 0; }
  uint32_t length(uint32_t token) const { return ends()[token] - begin(token); }
  const uint8_t* text(uint32_t token) const { return texts() + begin(token); }
};

/// The id of a token as it stands in a text; 1, unknown, where the vocabulary lacks it.
int32_t find_id(const Vocabulary& vocabulary, const uint8_t* token, size_t bytes);

}  // namespace sluice

#endif
