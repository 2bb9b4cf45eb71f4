// Completes a recipe, and refuses contradictions.
#pragma once
#include "recipe.h"

namespace sluice::tools {

/// Fills in the keys that a recipe leaves open, and refuses contradictions (exit code 2).
void check_recipe(Recipe& recipe);

/// Returns whether a part of the data, or a file of its own, is held out for validation.
bool holds_out(const Recipe& recipe);

/// Refuses (exit code 2) keys that need validation if the recipe holds nothing out.
void check_validated(const Recipe& recipe);

}  // namespace sluice::tools
