// A vocabulary before it is in a blob, and how it is learned. What a token is, and which id it has, is the runtime's
// (runtime/vocabulary.h).
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/vocabulary.h"
#include "sluice.h"

namespace sluice::tools {

/// Empty for a model that reads no text.
struct Tokens {
  TokenRules rules{false, false};
  std::vector<std::string> texts;  ///< of ids 2, 3, ..., small letters where the rules say so

  bool empty() const { return texts.empty(); }
  std::size_t ids() const { return texts.size() + first_token; }
};

/// Calls f(token as the text has it, where it begins) for every token of a text.
template <class F>
void each_token(TokenRules rules, std::string_view text, F f) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t at = 0, begin = 0; next_token(rules, bytes, text.size(), &at, &begin);)
    f(text.substr(begin, at - begin), begin);
}

/// A token as a vocabulary holds it.
std::string normal_token(TokenRules rules, std::string_view token);

/// Refuses text that is not UTF-8, or holds a byte 0, with its line; `first_line` is the text's first in the file.
void check_text(std::string_view text, const std::string& file, std::size_t first_line = 1);

/// Ids renumbered by how often they occur, most frequent first, ties in the order of first appearance.
/// @param ids     of the training part, in order; ids of `all`
/// @param limit   the most ids to keep, padding and unknown among them; 0 for all
/// @param renumber  [all.ids()] each old id's new one; 1 for what is left out
Tokens learn_tokens(const Tokens& all, std::span<const std::int32_t> ids, std::size_t limit,
                    std::vector<std::int32_t>& renumber);

/// The blob's section; empty of an empty vocabulary.
std::string vocabulary_section(const Tokens& tokens);

/// What a model's blob holds; empty where there is none.
Tokens tokens_of(const sluice_model& model);

/// Names of all ids, for answers: "<padding>", "<unknown>", then the tokens.
std::vector<std::string> names_of(const Tokens& tokens);

}  // namespace sluice::tools
