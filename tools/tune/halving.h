// Successive halving and Hyperband, asynchronous (Li et al. 2018, 2020): how far a trial trains at
// first, and which of those that were put aside goes on. Functions of the history, as the methods
// are.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "../recipe/recipe.h"
#include "ask.h"
#include "study.h"

namespace sluice::tools {

/// Epochs at which trials are put aside: tune.min_epochs, eta times as many, ..., train.epochs.
/// Without halving the last alone.
std::vector<std::int64_t> rung_epochs(const Recipe& recipe);

/// The first rung of a trial: with hyperband in turns, such that every bracket gets the share that
/// Hyperband gives it.
std::int64_t first_rung(const Recipe& recipe, std::uint64_t number);

struct Promotion {
  std::uint64_t trial = 0;
  std::int64_t until = 0;
};

/// The trial that goes on: of its bracket's trials that reached the rung it is one of the best in
/// eta. From the highest rung on.
std::optional<Promotion> promotion(const Study& study, const Recipe& recipe);

/// When nothing else is left to do, and no trial is complete: the best of the highest rung goes on.
std::optional<Promotion> last_promotion(const Study& study, const Recipe& recipe);

/// The trials as a method sees them: with halving by the highest rung that enough of them reached.
std::vector<Seen> history(const Study& study, const Recipe& recipe);

}  // namespace sluice::tools
