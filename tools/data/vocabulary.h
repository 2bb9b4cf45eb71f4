// Learns a vocabulary from text.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../common/tokens.h"

namespace sluice::tools {

/// Calls f(token as in the text, position of its first byte) for every token of a text.
template <class F>
void each_token(TokenRules rules, std::string_view text, F f) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  for (std::size_t at = 0, begin = 0; next_token(rules, bytes, text.size(), &at, &begin);)
    f(text.substr(begin, at - begin), begin);
}

/// Returns a token in the form in which a vocabulary holds it.
std::string normal_token(TokenRules rules, std::string_view token);

/// Refuses text that is not UTF-8 or contains a byte 0, with its line; `first_line` is the text's
/// first line in the file.
void check_text(std::string_view text, const std::string& file, std::size_t first_line = 1);

/// Renumbers ids by their frequency, most frequent first; equal ones keep the order of first
/// appearance. Returns the tokens that are kept.
/// @param ids     of the training part, in order; ids of `all`
/// @param limit   the most ids to keep, including padding and unknown; 0 for all
/// @param renumber  [all.ids()] the new id of each old one; 1 for those left out
Tokens learn_tokens(const Tokens& all, std::span<const std::int32_t> ids, std::size_t limit,
                    std::vector<std::int32_t>& renumber);

}  // namespace sluice::tools
