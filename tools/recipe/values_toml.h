// A value of a key, read from TOML.
#pragma once
#include <string>

#include "key.h"
#include "toml.h"

namespace sluice::tools {

/// Where a value came from, for messages: "recipe.toml:14: train.batch", or "--set train.batch=0".
struct Place {
  const Key& key;
  std::string text;
  std::string file = {};  ///< empty on a command line
};

/// Reads a key's value into a recipe. Refused (exit code 2) if the key does not take it.
void set_value(Recipe& recipe, const toml::node& node, const Place& place);

}  // namespace sluice::tools
