// Reads a recipe, and its search space, from a file or from text. The command line may override
// keys.
#pragma once
#include <string>
#include <vector>

#include "recipe.h"
#include "space.h"

namespace sluice::tools {

/// A key given on the command line: `value` as a recipe would write it (text may be without
/// quotes), `origin` for messages.
struct Override {
  std::string key, value, origin;
};

/// Reads "train.batch=8" from --set; refuses a text without a key or "=".
Override parse_override(const std::string& text);

/// Returns the names of a recipe's [[variants]], in order; empty if it has none. Refuses two equal
/// names, and a name that is not possible as a folder's name.
std::vector<std::string> read_variants(const std::string& path);

/// Reads a recipe, applies overrides and checks it; every layer's steps are resolved. Refusals
/// (exit code 2) give file, line and key.
/// @param variant  the one of its [[variants]] to apply: its keys override the recipe's, and
/// `overrides` override them; empty: none
Recipe read_recipe(const std::string& path, const std::vector<Override>& overrides,
                   const std::string& variant = "");

/// Does the same from text; `file` is for messages.
/// @param chosen  values for parameters of its search space, as TOML; others have the recipe's own
Recipe parse_recipe(const std::string& text, const std::string& file,
                    const std::vector<Override>& overrides, const std::string& variant = "",
                    const TrialValues& chosen = {});

/// Returns the search space of a recipe (space.h), without the parameters that overrides fix.
Space parse_space(const std::string& text, const std::string& file,
                  const std::vector<Override>& overrides);

/// Makes file names absolute: relative to `folder` if given, else to the recipe. A file from --set
/// is relative to `folder` or to the current directory.
void resolve_files(Recipe& recipe, const std::string& folder);

}  // namespace sluice::tools
