// What may vary: the search space that a recipe holds beside the values it replaces,
//   learning_rate = { value = 1e-3, low = 1e-4, high = 1e-1, log = true }
//   layers = [{ gru = { value = 32, low = 8, high = 64, step = 8 }, steps = "last" }, ...]
//   optimizer = { value = "adam", choices = ["adam", "sgd"] }
//   l2 = { value = 1e-4, low = 1e-6, high = 1e-2, log = true, step = 10 }      with log a step is a
//   factor momentum = { value = 0.0, low = 0.0, high = 0.99, when = { "train.optimizer" = "sgd" } }
// `value` is the recipe's own: what `sluice train` uses, and the first trial of a study.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice::tools {

/// Holds while a parameter, itself in force, has one of these values; of a choice their indices.
struct Condition {
  std::size_t parameter = 0;
  std::vector<double> values;
};

struct Parameter {
  enum Kind { choice, whole, real };
  std::string name;   ///< "train.learning_rate", "model.layers.1.gru": layers count from 1
  std::string place;  ///< "recipe.toml:14: train.learning_rate", for messages
  Kind kind = real;
  double low = 0, high = 0;  ///< of numbers, both allowed; of a choice 0 and the last index
  /// of numbers: low, low + step, ..., with log low, low * step, ...; 0: every number between, of
  /// whole ones every one
  double step = 0;
  bool log = false;                  ///< searched by its logarithm
  std::vector<std::string> choices;  ///< as TOML
  double own = 0;                    ///< the recipe's value
  std::vector<Condition> when;       ///< all must hold; of parameters before this one alone
};

struct Space {
  std::vector<Parameter> parameters;  ///< what one depends on stands before it
};

/// A value for each parameter: a number, of a choice its index; NaN where a parameter is not in
/// force.
using Point = std::vector<double>;

/// The same as names and TOML, of what is in force.
using TrialValues = std::vector<std::pair<std::string, std::string>>;

/// Whether two points are the same, parameter by parameter.
bool same(const Point& a, const Point& b);

/// Whether a parameter is in force where those before it have these values.
bool in_force(const Space& space, std::size_t parameter, const Point& point);

/// A point that lies in the space: numbers on their steps and between their ends, NaN where not in
/// force. What was NaN and is in force becomes the recipe's own.
Point settled(const Space& space, Point point);

/// Values that a parameter can have; 0 where they cannot be counted.
std::uint64_t values_of(const Parameter& parameter);

/// The i-th of them, i < values_of(); of numbers ascending.
double value_at(const Parameter& parameter, std::uint64_t i);

/// Which of them a number is, or is nearest to.
std::uint64_t index_of(const Parameter& parameter, double value);

/// A parameter's value that lies at a share of its range, 0 to 1: every value has a share of the
/// same width. Where it is searched by its logarithm, a value's share reaches half way to its
/// neighbors by the logarithm. And where a value's share has its middle.
double value_of_share(const Parameter& parameter, double share);
double share_of_value(const Parameter& parameter, double value);

/// A value as a recipe writes it.
std::string value_text(const Parameter& parameter, double value);

/// "train.learning_rate = 0.01, model.layers.1.gru = 24": what is in force.
std::string point_text(const Space& space, const Point& point);

}  // namespace sluice::tools
