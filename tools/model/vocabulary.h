// A model's vocabulary: a section of its blob.
#pragma once
#include <string>

#include "../common/tokens.h"
#include "sluice.h"

namespace sluice::tools {

/// The blob's section; empty of an empty vocabulary.
std::string vocabulary_section(const Tokens& tokens);

/// What a model's blob holds; empty where there is none.
Tokens tokens_of(const sluice_model& model);

}  // namespace sluice::tools
