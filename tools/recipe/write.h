// Writes a recipe as text.
#pragma once
#include <string>

#include "../common/json_fwd.h"
#include "key.h"

namespace sluice::tools {

/// Returns a key's value as JSON.
OrderedJson value_of(const Recipe& recipe, const Key& key);

/// Returns a key's value as a recipe writes it.
std::string value_text(const Recipe& recipe, const Key& key);

/// Returns the recipe as TOML with every key. Reading it gives the same recipe.
std::string recipe_toml(const Recipe& recipe);

/// A JSON value as TOML writes it on one line.
std::string to_toml(const OrderedJson& value);

}  // namespace sluice::tools
