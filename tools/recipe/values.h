// A value of a key: read from text, and the default.
#pragma once
#include <string>
#include <string_view>

#include "key.h"

namespace sluice::tools {

/// Reads a key's value from text: TOML, or bare text if the key takes text. Refused (exit code 2)
/// if the key does not take it.
/// @param origin  where the text was given, for messages
void set_text(Recipe& recipe, const Key& key, std::string_view text, const std::string& origin);

/// Every key at its default; such a recipe is not checked, and lacks what has none.
Recipe default_recipe();

}  // namespace sluice::tools
