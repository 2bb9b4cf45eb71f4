// A study: the trials of a search in an SQLite database (described in schema.sql). Several
// processes may work on one.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../recipe/space.h"
#include "../recipe/words.h"

namespace sluice::tools {

/// waiting: the point is chosen; pruned: paused at a rung, may continue; unfit: over the device's
/// budget, never trained.
enum class State { waiting, running, pruned, complete, failed, unfit };
const char* state_name(State state);

/// The cost of a trial's network on the recipe's device, computed from its shape.
struct TrialCost {
  std::uint64_t flash = 0, ram = 0, instructions = 0;
};

/// The mean over folds and seeds of the measure that ranks trials; lower is better.
struct Score {
  double value = 0;
  double error = 0;  ///< standard error of the mean; NaN if there is one value
};

/// For value_or, if a trial has no score.
constexpr Score no_score{std::numeric_limits<double>::quiet_NaN(),
                         std::numeric_limits<double>::quiet_NaN()};

/// The score of a trial after a number of epochs.
struct Rung {
  std::int64_t epochs = 0;
  Score score;
};

/// One training of a trial.
struct FoldResult {
  std::int64_t fold = 0, seed = 0;  ///< fold: counted through all repeats
  std::int64_t epochs = 0, best_epoch = 0;
  double value = 0;  ///< at the best epoch, as Score::value
  /// [validations] The measure after each validation, as Score::value; of the float network.
  std::vector<double> curve;
  std::vector<std::int64_t> epoch;  ///< [validations]
};

struct Trial {
  std::uint64_t number = 0;
  State state = State::waiting;
  std::string origin;  ///< "recipe", "enqueued", or the method
  Point point;
  std::int64_t seed = 0;
  std::int64_t bracket = 0;  ///< of successive halving: epochs of its first rung; else 0
  std::int64_t until = 0;    ///< epochs to train for; 0: all of the recipe's
  std::vector<Rung> rungs;   ///< ascending; the last one is the current score
  std::vector<FoldResult> folds;
  std::optional<TrialCost> cost;  ///< if the recipe names a core
  std::string reason;             ///< why it failed or is unfit
  double seconds = 0;             ///< spent on the trial

  std::optional<Score> score() const;  ///< if the trial is complete
  std::int64_t best_epoch() const;     ///< median over its folds
  std::int64_t epochs() const;         ///< trained in all folds together
};

/// The winner, or another requested trial, trained again on all training data.
struct Final {
  std::uint64_t trial = 0;
  std::int64_t seed = 0, epochs = 0;
  std::string measures;  ///< JSON, of the test set; empty without one
  std::string model;     ///< the blob
};

struct Limit {
  std::string name;  ///< "flash", "ram", "instructions"
  std::uint64_t amount = 0;
};

/// Everything in the file of a study.
struct Study {
  std::string file;         ///< as given
  std::string recipe_file;  ///< its full name
  std::string recipe;       ///< its text with the search space; --set is in `overrides`
  std::vector<std::pair<std::string, std::string>> overrides;
  std::string data_folder;
  std::string version, code_hash, recipe_hash, data_hash;
  SearchMethod method = {};
  Halving halving = {};
  Monitor objective = {};
  std::int64_t seed = 0;
  std::int64_t most_epochs = 0;
  std::string core;         ///< of the device; empty: none
  sluice_format type = {};  ///< of the model on the device
  std::vector<Limit> limits;
  Space space;
  std::vector<Trial> trials;  ///< by number
  std::vector<Final> finals;

  /// Whether the measure is one for which higher is better; Score::value is then negated.
  bool higher_is_better() const;
  double shown(double value) const;  ///< Score::value in the sign of the measure
  /// The complete trial of the least value; of equal ones the smaller on the device, then the
  /// earlier. Null if there is none.
  const Trial* best() const;
};

std::string method_text(const Study& study);  ///< "gaussian", "random with hyperband"

/// Returns the trials that no complete one beats in value, flash, RAM and instructions at once, by
/// number; without a device the best alone.
std::vector<const Trial*> pareto_front(const Study& study);

}  // namespace sluice::tools
