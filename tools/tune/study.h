// A study: trials of a search, kept in an SQLite database (schema.sql says what stands where).
// Several processes may work on one.
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

/// waiting: its point is chosen; pruned: put aside at a rung, may be taken up again; unfit: over
/// the device's budget, never trained.
enum class State { waiting, running, pruned, complete, failed, unfit };
const char* state_name(State state);

/// What a trial's network costs on the recipe's device, from its shape.
struct TrialCost {
  std::uint64_t flash = 0, ram = 0, instructions = 0;
};

/// The mean over folds and seeds, of what the study ranks by: the lower the better.
struct Score {
  double value = 0;
  double error = 0;  ///< standard error of the mean; NaN of one alone
};

/// How a trial stood after so many epochs.
struct Rung {
  std::int64_t epochs = 0;
  Score score;
};

/// One training of a trial.
struct FoldResult {
  std::int64_t fold = 0, seed = 0;  ///< fold: counted through the repeats
  std::int64_t epochs = 0, best_epoch = 0;
  double value = 0;  ///< at the best epoch, as Score::value
  /// [validations] what validation said, as Score::value; of the float network
  std::vector<double> curve;
  std::vector<std::int64_t> epoch;  ///< [validations]
};

struct Trial {
  std::uint64_t number = 0;
  State state = State::waiting;
  std::string origin;  ///< "recipe", "enqueued", or the method
  Point point;
  std::int64_t seed = 0;
  std::int64_t bracket = 0;  ///< of successive halving: the epochs of its first rung; else 0
  std::int64_t until = 0;    ///< the epochs that it is to train for, or was; 0: all of its recipe's
  std::vector<Rung> rungs;   ///< ascending; the last one is how it stands
  std::vector<FoldResult> folds;
  std::optional<TrialCost> cost;  ///< where the recipe names a core
  std::string reason;             ///< why it failed or is unfit
  double seconds = 0;             ///< that were spent on it

  std::optional<Score> score() const;  ///< of a complete trial
  std::int64_t best_epoch() const;     ///< median of its folds'
  std::int64_t epochs() const;         ///< trained, of all folds
};

/// The winner, or another trial that was asked for, trained again on all training data.
struct Final {
  std::uint64_t trial = 0;
  std::int64_t seed = 0, epochs = 0;
  std::string measures;  ///< JSON: of the test set, empty where there is none
  std::string model;     ///< the blob
};

struct Limit {
  std::string name;  ///< "flash", "ram", "instructions"
  std::uint64_t amount = 0;
};

/// All that a study holds.
struct Study {
  std::string file;         ///< as given
  std::string recipe_file;  ///< by its full name
  std::string recipe;       ///< its text, with the space; what --set changed is in `overrides`
  std::vector<std::pair<std::string, std::string>> overrides;
  std::string data_folder;
  std::string version, code_hash, recipe_hash, data_hash;
  SearchMethod method = {};
  Halving halving = {};
  Monitor objective = {};
  std::int64_t seed = 0;
  std::int64_t most_epochs = 0;
  std::string core;         ///< of the device; empty: none
  sluice_format type = {};  ///< that runs there
  std::vector<Limit> limits;
  Space space;
  std::vector<Trial> trials;  ///< by number
  std::vector<Final> finals;

  /// the objective's own measure, which Score::value then has negated
  bool higher_is_better() const;
  double shown(double value) const;  ///< Score::value as the objective's own measure
  /// complete, of the least value; of equals the smaller on the device, then the earlier; null
  /// where there is none
  const Trial* best() const;
};

std::string method_text(const Study& study);  ///< "gaussian", "random with hyperband"

/// Trials that no complete one beats in value, flash, RAM and instructions at once, by number;
/// without a device the best alone.
std::vector<const Trial*> pareto_front(const Study& study);

}  // namespace sluice::tools
