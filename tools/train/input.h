// What a run works on.
#pragma once
#include "../data/data.h"
#include "../recipe/recipe.h"

namespace sluice::tools {

struct Input {
  Recipe recipe;
  DataSet train, test;  ///< test: the file of the recipe's data.test; empty where it names none
  Split split;
};

/// Reads the recipe's files, and checks and splits what they hold. Values are in standardized units
/// where the recipe wants that.
Input read_input(const Recipe& recipe);

/// The same of data that have been read, split so.
Input input_of(const Recipe& recipe, DataSet train, Split split);

}  // namespace sluice::tools
