// The data of a run.
#pragma once
#include "../data/data.h"
#include "../recipe/recipe.h"

namespace sluice::tools {

struct Input {
  Recipe recipe;
  DataSet train, test;  ///< test: the file of data.test; empty if the recipe has none
  Split split;
};

/// Reads the recipe's files, checks and splits them. Values are standardized if the recipe says so.
Input read_input(const Recipe& recipe);

/// Does the same for data that have been read and split.
Input input_of(const Recipe& recipe, DataSet train, Split split);

}  // namespace sluice::tools
