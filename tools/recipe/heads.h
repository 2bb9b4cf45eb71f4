// Heads: the parts of an answer that have losses of their own.
#pragma once
#include <vector>

#include "../data/data.h"
#include "recipe.h"

namespace sluice::tools {

/// Returns the heads of a recipe in the order of the answer; empty for a recipe with one answer,
/// whose loss is train.loss. Before resolve_heads() there are none.
std::vector<Head> heads_of(const Recipe& recipe);

/// The word of a head's loss, as a recipe writes it.
std::string_view loss_word(const Head& head);

/// Makes the answer of layers that have a loss: adds the concat that ends the network if it is
/// not written. Refused (exit code 2) if the layers or the targets do not go together.
void resolve_heads(Recipe& recipe);

/// Refuses heads of which some answer every row and others a sequence.
/// @param once  of the frame, then of each layer: whether its output is one row a sequence
void check_rows_of_heads(const Recipe& recipe, const std::vector<bool>& once);

}  // namespace sluice::tools
