// Asynchronous successive halving and Hyperband (Li et al. 2018, 2020): how far a trial trains at
// first, and which paused trial continues. Like the methods, these are functions of the history.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "../recipe/recipe.h"
#include "ask.h"
#include "study.h"

namespace sluice::tools {

/// Returns the epochs at which trials pause: tune.min_epochs, eta times as many, ..., train.epochs.
/// Without halving, the last alone.
std::vector<std::int64_t> rung_epochs(const Recipe& recipe);

/// Returns the first rung of a trial. With hyperband, trials take turns so that every bracket gets
/// Hyperband's share.
std::int64_t first_rung(const Recipe& recipe, std::uint64_t number);

struct Promotion {
  std::uint64_t trial = 0;
  std::int64_t until = 0;
};

/// Returns the trial that continues: it is among the best 1/eta of the trials of its bracket that
/// reached the rung. Higher rungs come first.
std::optional<Promotion> promotion(const Study& study, const Recipe& recipe);

/// Returns the best trial of the highest rung, to continue if nothing else is left to do and no
/// trial is complete.
std::optional<Promotion> last_promotion(const Study& study, const Recipe& recipe);

/// Returns the trials as a method reads them; with halving, by the highest rung that enough of them
/// reached.
std::vector<Seen> history(const Study& study, const Recipe& recipe);

}  // namespace sluice::tools
