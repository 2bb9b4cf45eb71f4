// Turns texts into ids. Linked only when called.
#include "vocabulary.h"

namespace sluice {
namespace {

/// Compares a token of a text, in lower case if the rules say so, with a token of the vocabulary;
/// returns a number below 0, 0 or above 0. The order of code points is that of their bytes in
/// UTF-8.
int compare(TokenRules rules, const uint8_t* token, size_t bytes, const uint8_t* known,
            size_t known_bytes) {
  size_t i = 0, k = 0;
  while (i < bytes && k < known_bytes) {
    const uint32_t letter = next_code_point(token, bytes, &i),
                   other = next_code_point(known, known_bytes, &k);
    const uint32_t small = rules.lower_case ? lower_case(letter) : letter;
    if (small == malformed) return 1;
    if (small != other) return small < other ? -1 : 1;
  }
  return int(i < bytes) - int(k < known_bytes);
}

}  // namespace

int32_t find_id(const Vocabulary& vocabulary, const uint8_t* token, size_t bytes) {
  uint32_t low = 0, high = vocabulary.tokens();
  while (low < high) {
    const uint32_t middle = (low + high) / 2, candidate = vocabulary.sorted()[middle];
    const int order = compare(vocabulary.rules(), token, bytes, vocabulary.text(candidate),
                              vocabulary.length(candidate));
    if (order == 0) return int32_t(first_token + candidate);
    if (order < 0) high = middle;
    if (order > 0) low = middle + 1;
  }
  return 1;
}

}  // namespace sluice

using namespace sluice;

namespace {

const uint8_t* section_of(const sluice_model* model) {
  if (!reads_text) return nullptr;
  return static_cast<const uint8_t*>(sluice_section(model, SLUICE_SECTION_VOCABULARY, nullptr));
}

}  // namespace

sluice_vocabulary sluice_vocabulary_of(const sluice_model* model) {
  const uint8_t* section = section_of(model);
  if (!section) return {0, 0, 0};
  const BlobVocabulary& head = *Vocabulary(section).head;
  return {head.ids, head.words, head.lower_case};
}

int32_t sluice_next_id(const sluice_model* model, const char* text, size_t bytes, size_t* at) {
  const uint8_t* section = section_of(model);
  const auto* from = reinterpret_cast<const uint8_t*>(text);
  size_t begin = 0;
  if (!section || *at >= bytes || !next_token(Vocabulary(section).rules(), from, bytes, at, &begin))
    return -1;
  return find_id(Vocabulary(section), from + begin, *at - begin);
}

const char* sluice_token(const sluice_model* model, int32_t id, size_t* bytes) {
  const uint8_t* section = section_of(model);
  *bytes = 0;
  if (!section || id < int32_t(first_token) || uint32_t(id) >= Vocabulary(section).head->ids)
    return "";
  const uint32_t token = uint32_t(id) - first_token;
  *bytes = Vocabulary(section).length(token);
  return reinterpret_cast<const char*>(Vocabulary(section).text(token));
}
