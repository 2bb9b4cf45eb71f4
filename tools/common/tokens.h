// A vocabulary as plain texts. What a token is, and which id it has, is the runtime's
// (runtime/vocabulary.h).
#pragma once
#include <string>
#include <vector>

#include "runtime/vocabulary.h"

namespace sluice::tools {

/// Empty for a model that reads no text.
struct Tokens {
  TokenRules rules{false, false};
  std::vector<std::string> texts;  ///< of ids 2, 3, ..., small letters where the rules say so

  bool empty() const { return texts.empty(); }
  std::size_t ids() const { return texts.size() + first_token; }
};

/// Names of all ids, for answers: "<padding>", "<unknown>", then the tokens.
inline std::vector<std::string> names_of(const Tokens& tokens) {
  std::vector<std::string> names = {"<padding>", "<unknown>"};
  names.insert(names.end(), tokens.texts.begin(), tokens.texts.end());
  return names;
}

}  // namespace sluice::tools
