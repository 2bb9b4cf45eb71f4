// A key of a recipe: its name, the member that holds its value, the values that it takes, and its
// help text.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "recipe.h"

namespace sluice::tools {

/// The member of Recipe that holds a key's value. Its alternative is the key's type.
using Field =
    std::variant<bool Recipe::*, std::int64_t Recipe::*, double Recipe::*, std::string Recipe::*,
                 std::vector<std::string> Recipe::*, std::vector<LayerSpec> Recipe::*,
                 GroupValues Recipe::*, Choice<Recipe>, ClassWeights Recipe::*>;

struct Key {
  std::string_view name;  ///< dotted: "train.batch"
  Field field;
  std::string_view fallback;  ///< the default, as a recipe writes it; empty: the key must be given
  std::string_view noun;      ///< names a value in messages: "0 is not a batch size"
  std::string_view help;      ///< one or a few sentences
  double min = 0, max = 0;    ///< of numbers; both are allowed
  /// For a choice, the allowed words; empty: all words of the enum. For a whole number, words that
  /// may stand in its place: Recipe then holds -1 for the first and -2 for the second.
  std::vector<std::string_view> words = {};
  std::string_view source = "";  ///< paper or formula, if there is one
  /// Not recorded in a blob, as file names are not.
  bool never_changes_result = false;
  bool file_name = false;
  bool several = false;      ///< of file names: a list may give several
  bool empty_items = false;  ///< items of a list may be empty texts
  /// Determines the measure or the data of an evaluation. Trials of a search could not be compared
  /// if they differed in it.
  bool measures = false;
};

}  // namespace sluice::tools
