// A key of a recipe: its name, where its value lies, which values it takes, and its text in the
// manual.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "recipe.h"

namespace sluice::tools {

/// Where a key's value lies in a Recipe; which alternative it is, is the key's type.
using Field =
    std::variant<bool Recipe::*, std::int64_t Recipe::*, double Recipe::*, std::string Recipe::*,
                 std::vector<std::string> Recipe::*, std::vector<LayerSpec> Recipe::*,
                 GroupValues Recipe::*, Choice<Recipe>, ClassWeights Recipe::*>;

struct Key {
  std::string_view name;  ///< dotted: "train.batch"
  Field field;
  std::string_view fallback;  ///< the default, as a recipe would write it; empty: must be given
  std::string_view noun;      ///< what a value is, for messages: "0 is not a batch size"
  std::string_view help;      ///< one sentence
  double min = 0, max = 0;    ///< both allowed; of numbers
  /// of a choice the allowed ones; empty: all that it has. Of a whole number: what it may be
  /// instead; the Recipe then holds -1 for the first, -2 for the second
  std::vector<std::string_view> words = {};
  std::string_view source = "";  ///< paper or formula, where there is one
  /// left out of what a blob says of its making, as are file names
  bool never_changes_result = false;
  bool file_name = false;
  /// says what is measured, and on what: trials of a search that differ in it could not be compared
  bool measures = false;
};

}  // namespace sluice::tools
