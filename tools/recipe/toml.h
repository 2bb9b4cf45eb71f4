// toml++, with the text of its values in messages.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#define TOML_MAX_NESTED_VALUES 32  // deeper than any recipe; bounds the recursion of the parser
// the alternative, streams, reports a lack of memory as a wrong number
#define TOML_FLOAT_CHARCONV 1
// the parser asserts conditions that it also refuses
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>

namespace sluice::tools {

struct LayerSpec;

/// Returns a value as the recipe writes it, for messages.
std::string shown(const toml::node& node);

/// Returns the tree of a TOML text. Refuses (exit code 2) with file and line a text that is not
/// TOML or nests deeper than a recipe does.
toml::table parse_toml(std::string_view text, const std::string& file);

/// Returns the tree of "key = value" for a value that does not come from a file; nothing if it is
/// not a value.
std::optional<toml::table> parse_toml_value(std::string_view key, std::string_view value);

/// Reads one of a recipe's layers; messages begin with `place`.
/// @param use  set to false if the layer has use = false and is left out
LayerSpec read_layer(const toml::node& node, const std::string& place, bool& use);

}  // namespace sluice::tools
