// The search space in a recipe's TOML: found, read, and taken out.
#pragma once
#include <string>
#include <vector>

#include "space.h"
#include "toml.h"

namespace sluice::tools {

/// Reads every { value = ..., low = ..., high = ... } and { value = ..., choices = [...] } of a
/// recipe and leaves in its place what `chosen` says, else its own value: what is left is a recipe
/// without a search space. Refused (exit code 2), with file, line and key, where one contradicts
/// itself.
Space take_space(toml::table& recipe, const std::string& file, const TrialValues& chosen = {});

/// A value as it stands in a list of choices; what is no TOML, as it is.
std::string as_toml(const std::string& text);

/// Where a value stands in a list, 1 and 1.0 being the same; its size where it does not.
std::size_t place_in(const std::vector<std::string>& list, const std::string& value);

}  // namespace sluice::tools
