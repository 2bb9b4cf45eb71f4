// How good a point is: its network trained on folds of the training data, as far as it is to go,
// and judged by what each held out.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "../train/input.h"
#include "plan.h"
#include "store.h"

namespace sluice::tools {

/// What one trial is trained on, fold by fold; read anew only where a point wants other data.
struct Folds {
  std::string key;
  std::vector<Input> inputs;
};

/// The folds of a recipe as tune.validation says. Refused where the data hold none such.
const std::vector<Input>& folds_of(const Recipe& recipe, Folds& cache);

/// How a trial ended, or how far it came.
struct Outcome {
  /// pruned: it may go on; failed; waiting: interrupted, nothing of it counts
  State state = State::complete;
  std::string reason;
  Rung rung;
  std::vector<Fold> folds;
};

/// Trains all folds and seeds of a point to an epoch, 0 for the recipe's last, from where `before`
/// left them.
/// @param recipe     of the point
/// @param interrupt  asked before each training: whether to give up; null: never
Outcome measure(const Recipe& recipe, std::int64_t until, const std::vector<Fold>& before,
                Folds& cache, bool (*interrupt)() = nullptr);

/// A point's model of all training data, for so many epochs; as the device wants it where the
/// recipe names one.
struct Finished {
  OwnedModel model;
  std::string measures;  ///< JSON: of the test set; "{}" where there is none
};
Finished finish(const Recipe& recipe, std::int64_t epochs, std::int64_t seed);

/// The recipe that does that, for `sluice train`.
Recipe final_recipe(Recipe recipe, std::int64_t epochs, std::int64_t seed);

}  // namespace sluice::tools
