// toml++, and how a value of it stands in a message.
#pragma once
#include <string>
#define TOML_ASSERT(condition) static_assert(true)  // its parser asserts what it then refuses
#include <toml++/toml.h>

namespace sluice::tools {

struct LayerSpec;

/// A value as it stands in the recipe, for messages.
std::string shown(const toml::node& node);

/// One of a recipe's layers; refused with `place`.
/// @param use  becomes false where the layer says use = false: then it is left out
LayerSpec read_layer(const toml::node& node, const std::string& place, bool& use);

}  // namespace sluice::tools
