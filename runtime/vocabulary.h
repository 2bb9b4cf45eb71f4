// The vocabulary in a blob: finds the ids of tokens.
#ifndef SLUICE_VOCABULARY_H
#define SLUICE_VOCABULARY_H

#include "blob.h"
#include "tokens.h"

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
