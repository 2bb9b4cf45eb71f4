// The texts of `sluice train --keys` and `sluice train --explain`.
#pragma once
#include <string>

#include "recipe.h"

namespace sluice::tools {

/// Returns the manual: every key with type, default, range, help and source.
std::string key_manual();

/// Returns every key with its value in a recipe, the place where that was set, and its help
/// (`sluice train --explain`).
std::string explained(const Recipe& recipe);

}  // namespace sluice::tools
