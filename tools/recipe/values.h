// The values of keys: reading from text, and defaults.
#pragma once
#include <string>
#include <string_view>

#include "key.h"

namespace sluice::tools {

/// Reads a key's value from text: TOML, or bare text if the key takes text. Refuses a value that
/// the key does not take (exit code 2).
/// @param origin  the source of the text, for messages
void set_text(Recipe& recipe, const Key& key, std::string_view text, const std::string& origin);

/// Returns a recipe with every key at its default. It is not checked, and keys without a default
/// are missing.
Recipe default_recipe();

}  // namespace sluice::tools
