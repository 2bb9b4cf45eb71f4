// The search space of a recipe. A range or a list of choices stands beside the value that it
// replaces:
//   learning_rate = { value = 1e-3, low = 1e-4, high = 1e-1, log = true }
//   layers = [{ gru = { value = 32, low = 8, high = 64, step = 8 }, steps = "last" }, ...]
//   optimizer = { value = "adam", choices = ["adam", "sgd"] }
//   l2 = { value = 1e-4, low = 1e-6, high = 1e-2, log = true, step = 10 }
//   momentum = { value = 0.0, low = 0.0, high = 0.99, when = { "train.optimizer" = "sgd" } }
//
// With log, a step is a factor. `value` is the recipe's own: `sluice train` uses it, and so does
// the first trial of a study.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice::tools {

/// A condition on another parameter. It holds if that one is in force and has one of these values
/// (indices of a choice).
struct Condition {
  std::size_t parameter = 0;
  std::vector<double> values;
};

struct Parameter {
  enum Kind { choice, whole, real };
  std::string name;   ///< "train.learning_rate", "model.layers.1.gru": layers count from 1
  std::string place;  ///< "recipe.toml:14: train.learning_rate", for messages
  Kind kind = real;
  double low = 0, high = 0;  ///< of numbers, both allowed; for a choice 0 and the last index
  /// Of numbers: low, low + step, ...; with log low, low * step, .... 0: every number between the
  /// ends, for whole numbers every whole one.
  double step = 0;
  bool log = false;                  ///< searched on a logarithmic scale
  std::vector<std::string> choices;  ///< as TOML
  double own = 0;                    ///< the recipe's value
  std::vector<Condition> when;       ///< all must hold; they name earlier parameters only
};

struct Space {
  std::vector<Parameter> parameters;  ///< each parameter is after those that it depends on
};

/// A value for each parameter: a number, or the index of a choice; NaN if the parameter is not in
/// force.
using Point = std::vector<double>;

/// The parameters in force as names and TOML values.
using TrialValues = std::vector<std::pair<std::string, std::string>>;

/// Returns whether two points are equal, parameter by parameter.
bool same(const Point& a, const Point& b);

/// Returns whether a parameter is in force, given the values of those before it.
bool in_force(const Space& space, std::size_t parameter, const Point& point);

/// Returns the point moved into the space: numbers on their steps and between their ends, NaN for
/// parameters that are not in force. A parameter in force that was NaN gets the recipe's own value.
Point settled(const Space& space, Point point);

/// Returns the number of values that a parameter can have; 0 if they cannot be counted.
std::uint64_t values_of(const Parameter& parameter);

/// Returns value i < values_of(); numbers ascend.
double value_at(const Parameter& parameter, std::uint64_t i);

/// Returns the index of a value, or of the value nearest to it.
std::uint64_t index_of(const Parameter& parameter, double value);

/// Returns the value at a share of the range, 0 to 1, and the share of a value. Every value owns a
/// share of the same width. On a logarithmic scale it reaches half way to the neighbors by the
/// logarithm. The share of a value is the middle of that.
double value_of_share(const Parameter& parameter, double share);
double share_of_value(const Parameter& parameter, double value);

/// Returns a value as a recipe writes it.
std::string value_text(const Parameter& parameter, double value);

/// Returns the parameters in force: "train.learning_rate = 0.01, model.layers.1.gru = 24".
std::string point_text(const Space& space, const Point& point);

}  // namespace sluice::tools
