// One training from a recipe to a folder, as `sluice train` does it once, or for every variant and
// seed.
#pragma once
#include <optional>
#include <string>

#include "../common/error.h"
#include "../evaluate/evaluate.h"
#include "../recipe/read.h"
#include "command.h"

namespace sluice::tools {

/// What --set, --seed and --threads say.
std::vector<Override> overrides_of(const TrainOptions& options);

/// A finished run's figures.
struct RunResult {
  Evaluation train, held_out,
      test;          ///< of the kept model; without targets where there is no such part
  double zeros = 0;  ///< share of its weights, biases aside, that are exactly zero
};

/// A training that had to stop since its loss or gradient was no good (exit code 1).
struct Diverged : Error {
  explicit Diverged(const std::string& text) : Error(1, text) {}
};

/// Refuses (exit code 2) what a training would refuse of a recipe and its data, before anything is
/// written.
void check_run(const Recipe& recipe);

/// Trains, or goes on where the folder holds a training of this very recipe; a complete one is only
/// evaluated. Throws as run_train.
RunResult run_recipe(const Recipe& recipe, const std::string& folder, bool force);

/// Every variant and seed of a recipe, one after another, and a table of their means and standard
/// errors.
void run_variants(const TrainOptions& options);

}  // namespace sluice::tools
