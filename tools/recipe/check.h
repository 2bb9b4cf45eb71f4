// Fills in what a recipe leaves open, and refuses what contradicts itself.
#pragma once
#include "recipe.h"

namespace sluice::tools {

/// Fills in what a recipe leaves open, and refuses (exit code 2) what contradicts itself.
void check_recipe(Recipe& recipe);

/// Refuses (exit code 2) what looks at validation, where the recipe holds nothing out.
void check_validated(const Recipe& recipe);

}  // namespace sluice::tools
