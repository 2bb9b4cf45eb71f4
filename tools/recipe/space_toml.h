// The search space in a recipe's TOML: found, read and removed.
#pragma once
#include <string>
#include <vector>

#include "space.h"
#include "toml.h"

namespace sluice::tools {

/// Reads every { value = ..., low = ..., high = ... } and { value = ..., choices = [...] } of a
/// recipe. Puts in its place the value in `chosen`, else its own value, so that a recipe without a
/// search space remains. Refuses a contradiction (exit code 2) with file, line and key.
Space take_space(toml::table& recipe, const std::string& file, const TrialValues& chosen = {});

/// Returns a value as a list of choices writes it; a text that is not TOML is returned unchanged.
std::string as_toml(const std::string& text);

/// Returns the position of a value in a list, where 1 and 1.0 are equal; the list's size if it is
/// missing.
std::size_t place_in(const std::vector<std::string>& list, const std::string& value);

}  // namespace sluice::tools
