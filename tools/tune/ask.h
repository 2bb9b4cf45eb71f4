// Search methods: functions from the history of a study to its next point. A method keeps no state
// of its own; it depends on the history and the number of the next trial. Therefore resumed
// studies, several processes and several machines need no further code.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "../recipe/space.h"
#include "../recipe/words.h"

namespace sluice::tools {

/// A trial as a method reads it.
struct Seen {
  Point point;
  /// Lower is better. Empty for a trial that runs, failed, or did not reach the rung that is
  /// compared; its point is not tried again.
  std::optional<double> value;
  bool failed = false;   ///< it will never have a value; it counts as the worst
  bool running = false;  ///< its value is not known yet; a model uses a made-up one (constant liar)
};

struct Question {
  const Space& space;
  std::span<const Seen> seen;  ///< trials 0, 1, ..., number - 1
  std::uint64_t number;        ///< of the next trial
  std::uint64_t seed;          ///< of the study
  /// Returns whether a point may be tried: the recipe allows it and it fits the device.
  std::function<bool(const Point&)> allowed;
  Acquisition acquisition = Acquisition::ei;  ///< of the Bayesian methods
  /// Trials with a value that a model of them needs; before that, points are drawn independently.
  std::uint64_t begin = 10;
};

/// Returns the next point, which is allowed and was not tried; nothing if the method has no further
/// one.
using Ask = std::optional<Point> (*)(const Question&);

/// Every combination, the first parameter slowest. A real parameter needs a step.
std::optional<Point> ask_grid(const Question&);
std::optional<Point> ask_random(const Question&);  ///< independent draws
/// A Sobol sequence (Joe, Kuo 2008), scrambled by the seed.
std::optional<Point> ask_sobol(const Question&);
std::optional<Point> ask_gaussian(const Question&);  ///< Gaussian process, Matern 5/2
std::optional<Point> ask_forest(const Question&);    ///< random forest
std::optional<Point> ask_tpe(const Question&);       ///< tree-structured Parzen estimator
std::optional<Point> ask_genetic(const Question&);   ///< tournament, crossover, mutation, elitism

/// The methods of this build, by the word of tune.method.
struct Method {
  SearchMethod method;
  Ask ask;
};
std::span<const Method> methods();

/// Returns the number of points of a grid; infinity if a real parameter has no step. Points that
/// conditions make equal count once.
double grid_points(const Space& space);

/// Returns a number in [0, 1) with 53 bits that depends on nothing except the arguments.
double draw(std::uint64_t seed, std::uint64_t number, std::uint32_t index, std::uint32_t attempt);

}  // namespace sluice::tools
