// A model's vocabulary as a section of its blob.
#pragma once
#include <string>

#include "../common/tokens.h"
#include "sluice.h"

namespace sluice::tools {

/// Returns the blob's section; empty for an empty vocabulary.
std::string vocabulary_section(const Tokens& tokens);

/// Returns the vocabulary in a model's blob; empty if there is none.
Tokens tokens_of(const sluice_model& model);

}  // namespace sluice::tools
