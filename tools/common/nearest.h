// Suggestions for mistyped words.
#pragma once
#include <span>
#include <string_view>

namespace sluice::tools {

/// Returns the edit distance of Damerau and Levenshtein: insertions, deletions, replacements and
/// swaps of neighbors.
std::size_t letters_apart(std::string_view a, std::string_view b);

/// Returns whether `word` is a plausible correction at that edit distance.
bool is_near(std::size_t differ, std::string_view word);

/// Returns the one of `words` nearest to a mistyped word; empty if none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

}  // namespace sluice::tools
