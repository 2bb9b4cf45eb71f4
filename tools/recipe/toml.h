// toml++, and how a value of it stands in a message.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#define TOML_MAX_NESTED_VALUES 32  // more than a recipe holds: its parser recurses
#define TOML_FLOAT_CHARCONV 1      // its streams take a lack of memory for a wrong number
#define TOML_ASSERT(condition) static_assert(true)  // its parser asserts what it then refuses
#include <toml++/toml.h>

namespace sluice::tools {

struct LayerSpec;

/// A value as it stands in the recipe, for messages.
std::string shown(const toml::node& node);

/// The tree of a TOML text. Refused (exit code 2) with file and line if it is none, or nests deeper
/// than a recipe does.
toml::table parse_toml(std::string_view text, const std::string& file);

/// The tree of "key = value", a value from elsewhere than a file; none if it is no value.
std::optional<toml::table> parse_toml_value(std::string_view key, std::string_view value);

/// One of a recipe's layers; refused with `place`.
/// @param use  becomes false where the layer says use = false: then it is left out
LayerSpec read_layer(const toml::node& node, const std::string& place, bool& use);

}  // namespace sluice::tools
