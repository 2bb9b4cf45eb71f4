// The definition of a study for all who work on it: recipe, search space and data, and the recipe
// and cost of a point.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "../recipe/keys.h"
#include "../recipe/read.h"
#include "../train/train.h"
#include "study.h"

namespace sluice::tools {

struct Plan {
  std::string recipe_file, text;  ///< file: full name; text: with the search space
  std::vector<Override> overrides;
  std::string data_folder;
  Recipe own;
  Space space;
};

/// Refuses (exit code 2) a recipe that has no search space, whose range contains a refused end, or
/// that cannot be tuned.
Plan read_plan(const std::string& recipe_file, const std::string& text,
               const std::vector<Override>& overrides, const std::string& data_folder);

/// Returns a point's recipe with resolved file names. Refuses as `sluice train` would.
Recipe recipe_of(const Plan& plan, const Point& point);

/// Returns the point of the values in an enqueued text, such as
/// "train.learning_rate=0.01,model.layers.1.gru=16"; other parameters have the recipe's own values.
/// Refusals begin with `origin`.
Point point_of(const Space& space, const std::string& text, const std::string& origin);

/// Returns whether a key may change during a study, since it does not affect the measurements.
bool may_change(const Key& key);

/// Returns a hash of the resolved recipe and its search space, without the keys that may change
/// during a study, such as method, trials and threads.
std::string recipe_hash(const Plan& plan);

/// Returns as text everything that determines the reading, splitting and preparation of a recipe's
/// data. Trials with equal keys share the data.
std::string data_key(const Recipe& recipe);

/// Shared results for points: the data, and the cost of networks by their shape.
struct Shapes {
  std::string key;  ///< data_key() of the data
  std::optional<DataSet> data;
  struct Verdict {
    TrialCost cost;
    std::string objection;  ///< why it does not fit; empty if it fits
  };
  std::map<std::string, Verdict> verdicts = {};  ///< by shape_key()
};

/// Returns the untrained network that a recipe makes of its data, for its shape.
Network shape_of(const Recipe& recipe, Shapes& shapes);

/// Returns the cost of the recipe's network on its device; nothing without a device.
std::optional<TrialCost> cost_of(const Recipe& recipe, Shapes& shapes);

/// Returns why a point cannot be tried (the recipe refuses it, or it does not fit); empty if it
/// can.
std::string objection(const Plan& plan, const Point& point, Shapes& shapes);

}  // namespace sluice::tools
