// Reads a recipe, and its search space, from a file or from text. The command line may override
// keys.
#pragma once
#include <string>
#include <vector>

#include "recipe.h"
#include "space.h"

namespace sluice::tools {

/// A key given on the command line: `value` as a recipe would write it (text may go without
/// quotes), `origin` for messages.
struct Override {
  std::string key, value, origin;
};

/// "train.batch=8" from --set; refused without a key or "=".
Override parse_override(const std::string& text);

/// The names of a recipe's [[variants]], in order; none where it has none. Refused where two are
/// the same, or one will not do as a folder's name.
std::vector<std::string> read_variants(const std::string& path);

/// Reads, overrides and checks a recipe; every layer's steps are resolved. Refused (exit code 2)
/// with file, line and key.
/// @param variant  the one of its [[variants]] whose keys stand above the recipe's, and below the
/// overrides; empty: none
Recipe read_recipe(const std::string& path, const std::vector<Override>& overrides,
                   const std::string& variant = "");

/// The same from text; `file` stands in messages.
/// @param chosen  values for parameters of its search space, as TOML; the others have the recipe's
/// own
Recipe parse_recipe(const std::string& text, const std::string& file,
                    const std::vector<Override>& overrides, const std::string& variant = "",
                    const TrialValues& chosen = {});

/// The search space of a recipe (space.h), but for what the overrides fix.
Space parse_space(const std::string& text, const std::string& file,
                  const std::vector<Override>& overrides);

/// File names made absolute: relative to `folder` where given, else to the recipe. A file from
/// --set is relative to `folder` or to the current directory.
void resolve_files(Recipe& recipe, const std::string& folder);

}  // namespace sluice::tools
