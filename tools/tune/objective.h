// The objective: trains a point's network on folds of the training data, up to an epoch, and
// evaluates it on the parts held out.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../train/input.h"
#include "plan.h"
#include "store.h"

namespace sluice::tools {

/// The training data of a trial, fold by fold. Read again only if a point needs other data.
struct Folds {
  std::string key;
  std::vector<Input> inputs;
};

/// Returns the folds of a recipe by tune.validation. Refuses data that cannot be split so.
const std::vector<Input>& folds_of(const Recipe& recipe, Folds& cache);

/// The result of a trial, or its state at a rung.
struct Outcome {
  /// pruned: it may continue; waiting: it was interrupted, and its results are dropped.
  State state = State::complete;
  std::string reason;
  Rung rung;
  std::vector<Fold> folds;
};

/// Trains all folds and seeds of a point up to an epoch (0: the recipe's last), continuing from
/// `before`.
/// @param recipe     of the point
/// @param interrupt  called before each training; true ends the trial; null: never
Outcome measure(const Recipe& recipe, std::int64_t until, const std::vector<Fold>& before,
                Folds& cache, bool (*interrupt)() = nullptr);

/// A point's model trained on all training data for a number of epochs; in the device's number
/// format if the recipe names a device.
struct Finished {
  OwnedModel model;
  std::string measures;  ///< JSON, of the test set; "{}" without one
};
Finished finish(const Recipe& recipe, std::int64_t epochs, std::int64_t seed);

/// Returns the recipe with which `sluice train` would train the same.
Recipe final_recipe(Recipe recipe, std::int64_t epochs, std::int64_t seed);

}  // namespace sluice::tools
