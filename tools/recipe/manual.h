// What `sluice train --keys` and `sluice train --explain` print of the keys.
#pragma once
#include <string>

#include "recipe.h"

namespace sluice::tools {

/// The manual: every key with type, default, range, help and source.
std::string key_manual();

/// A recipe's every key with its value, where that was set, and what the manual says of it (`sluice
/// train --explain`).
std::string explained(const Recipe& recipe);

}  // namespace sluice::tools
