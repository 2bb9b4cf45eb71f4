// The table of recipe keys: the one place that knows their names, types, defaults, ranges and help.
// Parsing, --set, "did you mean", the resolved recipe, what a blob says of its making, and the
// manual (`sluice train --keys`) all walk it.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "key.h"

namespace sluice::tools {

/// All keys, section by section, in the order in which a recipe is written.
std::span<const Key> keys();

/// The key of that name, or null.
const Key* find_key(std::string_view name);

/// The name nearest to a mistyped one: "train.bach", "bach" without its section, "data.batch" in a
/// wrong one; empty when none is near.
std::string_view nearest_key(std::string_view name);

/// "an integer", "text": the type in a message.
std::string_view type_name(const Key& key);

/// Whether a value is one of the key's words and nothing else.
bool is_choice(const Key& key);

/// "1 or more", "0 to 0.99", "1 or more, or \"all\"", "\"adam\" or \"adamw\"": what would do.
std::string allowed(const Key& key);

}  // namespace sluice::tools
