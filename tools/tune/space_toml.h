// The search space in a recipe's TOML: found, read, and taken out.
#pragma once
#include <string>

#include "../toml.h"
#include "space.h"

namespace sluice::tools {

/// Reads every { value = ..., low = ..., high = ... } and { value = ..., choices = [...] } of a recipe and leaves in its place what
/// `chosen` says, else its own value: what is left is a recipe without a search space. Refused (exit code 2), with file, line and key,
/// where one contradicts itself.
Space take_space(toml::table& recipe, const std::string& file, const TrialValues& chosen = {});

}  // namespace sluice::tools
