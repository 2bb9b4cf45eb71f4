// Splits a text into tokens and finds their ids. The tools learn a vocabulary and the device reads
// texts by the same code.
#ifndef SLUICE_VOCABULARY_H
#define SLUICE_VOCABULARY_H

#include "blob.h"

namespace sluice {

/// Whether the runtime reads texts. A build without embeddings ignores the section of the
/// vocabulary.
#ifdef SLUICE_WITHOUT_EMBEDDING
constexpr bool reads_text = false;
#else
constexpr bool reads_text = true;
#endif

/// The head of the section. Then follow, for n = ids - 2 tokens: u32 end[n], the end of each
/// token's text; u16 sorted[n], the numbers (id - 2) of the tokens in the order of their bytes, and
/// a zero if n is odd; the texts, UTF-8, one after another.
struct BlobVocabulary {
  uint32_t words, lower_case;  ///< 0 or 1: TokenRules
  uint32_t ids;                ///< 3 to 65,536: padding, unknown, tokens
  uint32_t text_bytes;
};

constexpr uint32_t first_token = 2;  ///< ids 0 and 1 are padding and unknown
constexpr uint32_t most_ids = 1u << 16;
/// Stands for a byte that is not UTF-8: a character that no vocabulary holds.
constexpr uint32_t malformed = 0x110000;

struct TokenRules {
  bool words;       ///< a token is the text between white space; else it is one code point
  bool lower_case;  ///< for ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic, one to one
};

/// Returns the code point at text[*at], *at < bytes, and moves *at behind it. If it is malformed,
/// returns `malformed` and moves *at by one byte.
uint32_t next_code_point(const uint8_t* text, size_t bytes, size_t* at);

/// Returns whether c has Unicode's property White_Space.
bool is_white(uint32_t c);

/// Returns the small letter of a capital, and any other code point itself.
uint32_t lower_case(uint32_t c);

/// Finds the next token at or after *at: [*begin, *at) of the text. Returns false at the text's
/// end.
bool next_token(TokenRules rules, const uint8_t* text, size_t bytes, size_t* at, size_t* begin);

/// A vocabulary in a checked blob.
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

/// Returns the id of a token of a text, to which the rules are still to be applied; 1, the unknown
/// id, if the vocabulary lacks it.
int32_t find_id(const Vocabulary& vocabulary, const uint8_t* token, size_t bytes);

}  // namespace sluice

#endif
