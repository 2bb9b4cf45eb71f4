// The table of recipe keys is the one place that knows their names, types, defaults, ranges and
// help. Parsing, --set, "did you mean", the resolved recipe, the record in a blob and the manual
// (`sluice train --keys`) all read it.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "key.h"

namespace sluice::tools {

/// Returns all keys, section by section, in the order in which a recipe is written.
std::span<const Key> keys();

/// Returns the key of that name, or null.
const Key* find_key(std::string_view name);

/// Returns the name nearest to a mistyped one: "train.bach", "bach" without its section,
/// "data.batch" in a wrong one. Empty if none is near.
std::string_view nearest_key(std::string_view name);

/// Returns the name of a key's type for a message: "a whole number", "text".
std::string_view type_name(const Key& key);

/// Returns whether a value must be one of the key's words.
bool is_choice(const Key& key);

/// Returns the allowed values for a message: "1 or more", "0 to 0.99", "1 or more, or \"all\"",
/// "\"adam\" or \"adamw\"".
std::string allowed(const Key& key);

}  // namespace sluice::tools
