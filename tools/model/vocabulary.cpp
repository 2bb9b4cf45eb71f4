#include "vocabulary.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

#include "runtime/vocabulary.h"

namespace sluice::tools {
namespace {

template <class T>
void add_numbers(std::string& bytes, const std::vector<T>& numbers) {
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

}  // namespace

std::string vocabulary_section(const Tokens& tokens) {
  if (tokens.empty()) return "";
  std::vector<std::uint32_t> ends;
  std::vector<std::uint16_t> sorted(tokens.texts.size());
  std::string texts;
  for (const std::string& text : tokens.texts)
    ends.push_back(std::uint32_t((texts += text).size()));
  std::iota(sorted.begin(), sorted.end(), std::uint16_t(0));
  std::sort(sorted.begin(), sorted.end(),
            [&](auto a, auto b) { return tokens.texts[a] < tokens.texts[b]; });
  if (sorted.size() % 2) sorted.push_back(0);
  const BlobVocabulary head{tokens.rules.words, tokens.rules.lower_case,
                            std::uint32_t(tokens.ids()), std::uint32_t(texts.size())};
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  add_numbers(bytes, ends);
  add_numbers(bytes, sorted);
  return bytes + texts;
}

Tokens tokens_of(const sluice_model& model) {
  const sluice_vocabulary head = sluice_vocabulary_of(&model);
  Tokens tokens{{head.words != 0, head.lower_case != 0}, {}};
  for (std::int32_t id = first_token; id < std::int32_t(head.ids); ++id) {
    std::size_t bytes = 0;
    const char* text = sluice_token(&model, id, &bytes);
    tokens.texts.emplace_back(text, bytes);
  }
  return tokens;
}

}  // namespace sluice::tools
