// A vocabulary as plain texts. runtime/tokens.h defines tokens and their ids.
#pragma once
#include <string>
#include <vector>

#include "runtime/tokens.h"

namespace sluice::tools {

/// The tokens of a model that reads text; empty for any other model.
struct Tokens {
  TokenRules rules{false, false};
  std::vector<std::string> texts;  ///< of ids 2, 3, ...; in small letters if the rules say so

  bool empty() const { return texts.empty(); }
  std::size_t ids() const { return texts.size() + first_token; }
};

/// Returns the names of all ids for messages: "<padding>", "<unknown>", then the tokens.
inline std::vector<std::string> names_of(const Tokens& tokens) {
  std::vector<std::string> names = {"<padding>", "<unknown>"};
  names.insert(names.end(), tokens.texts.begin(), tokens.texts.end());
  return names;
}

}  // namespace sluice::tools
