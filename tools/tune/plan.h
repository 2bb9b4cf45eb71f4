// What a study is of, as everyone who works on it reads it: recipe, space and data; and what a
// point of the space comes to.
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
  std::string recipe_file, text;  ///< by its full name; with the space
  std::vector<Override> overrides;
  std::string data_folder;
  Recipe own;
  Space space;
};

/// Refused (exit code 2) where the recipe has no space, an end of it is refused, or it cannot be
/// tuned.
Plan read_plan(const std::string& recipe_file, const std::string& text,
               const std::vector<Override>& overrides, const std::string& data_folder);

/// A point's recipe, its files found. Refused as `sluice train` would.
Recipe recipe_of(const Plan& plan, const Point& point);

/// The values that a point is of, or the enqueued text
/// "train.learning_rate=0.01,model.layers.1.gru=16"; what is not named has the recipe's own.
/// Refused with `origin`.
Point point_of(const Space& space, const std::string& text, const std::string& origin);

/// Whether a key may change while a study goes on: it is not part of what is measured.
bool may_change(const Key& key);

/// The resolved recipe and its space as one hash, without what may change while a study goes on:
/// method, trials, threads.
std::string recipe_hash(const Plan& plan);

/// What a recipe reads of its data, and how it splits and prepares them, as text: trials of one key
/// share what was read.
std::string data_key(const Recipe& recipe);

/// What points have in common, read and reckoned once: the data, and what a network costs by its
/// shape.
struct Shapes {
  std::string key;  ///< of the data that are read
  std::optional<DataSet> data;
  struct Verdict {
    TrialCost cost;
    std::string objection;  ///< why it does not fit; empty where it does
  };
  std::map<std::string, Verdict> verdicts = {};  ///< by what the shape depends on
};

/// The network that a recipe makes of its data, for its shape: trained on nothing.
Network shape_of(const Recipe& recipe, Shapes& shapes);

/// What the recipe's network costs on its device; none without one.
std::optional<TrialCost> cost_of(const Recipe& recipe, Shapes& shapes);

/// Why a point cannot be tried: the recipe refuses it, or it does not fit; empty where it can.
std::string objection(const Plan& plan, const Point& point, Shapes& shapes);

}  // namespace sluice::tools
