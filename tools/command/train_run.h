// Training from a recipe into a folder: one run, or a run for every variant and seed.
#pragma once
#include <optional>
#include <string>

#include "../common/error.h"
#include "../evaluate/evaluate.h"
#include "../recipe/read.h"
#include "command.h"

namespace sluice::tools {

/// Returns the overrides that --set, --seed and --threads ask for.
std::vector<Override> overrides_of(const TrainOptions& options);

/// The results of a complete run.
struct RunResult {
  Evaluation train, held_out,
      test;          ///< of the kept model; empty for a part that does not exist or has no targets
  double zeros = 0;  ///< share of the weights, without biases, that are exactly zero
};

/// A training stopped because its loss or gradient was not finite or too large (exit code 1).
struct Diverged : Error {
  explicit Diverged(const std::string& text) : Error(1, text) {}
};

/// Refuses (exit code 2) a recipe or data that a training would refuse, before any file is written.
void check_run(const Recipe& recipe);

/// Trains, or continues if the folder holds an interrupted training of the same recipe; a complete
/// one is only evaluated. Throws as run_train does.
RunResult run_recipe(const Recipe& recipe, const std::string& folder, bool force);

/// Trains every variant and seed of a recipe, one after another, and prints a table of means and
/// standard errors.
void run_variants(const TrainOptions& options);

}  // namespace sluice::tools
