// Reads the value of a key from TOML.
#pragma once
#include <string>

#include "key.h"
#include "toml.h"

namespace sluice::tools {

/// The place that a value came from, for messages: "recipe.toml:14: train.batch", or "--set
/// train.batch=0".
struct Place {
  const Key& key;
  std::string text;
  std::string file = {};  ///< empty for the command line
};

/// Reads a key's value into a recipe. Refuses a value that the key does not take (exit code 2).
void set_value(Recipe& recipe, const toml::node& node, const Place& place);

}  // namespace sluice::tools
