// The word that a mistyped one may have meant.
#pragma once
#include <span>
#include <string_view>

namespace sluice::tools {

/// How many letters differ: insertions, deletions, replacements, and neighbors that changed places
/// (Damerau, Levenshtein).
std::size_t letters_apart(std::string_view a, std::string_view b);

/// Whether a word that differs from `word` by so many letters may have been meant.
bool is_near(std::size_t differ, std::string_view word);

/// The one of `words` nearest to a mistyped word; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

}  // namespace sluice::tools
