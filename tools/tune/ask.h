// Search methods: from what a study has seen to the next point. A method keeps nothing: it is a
// function of the history and of the number of the trial that is to come, so that a study resumed,
// a second process and many machines need no further code.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "../recipe/space.h"
#include "../recipe/words.h"

namespace sluice::tools {

/// A trial as a method sees it.
struct Seen {
  Point point;
  /// the lower the better; none of what runs or failed, or has nothing to compare with: not
  /// measured again
  std::optional<double> value;
  bool failed = false;   ///< it will never have one: as bad as the worst
  bool running = false;  ///< its value is to come: until then one is made up (constant liar)
};

struct Question {
  const Space& space;
  std::span<const Seen> seen;  ///< trials 0, 1, ..., number - 1
  std::uint64_t number;        ///< of the trial that is to come
  std::uint64_t seed;          ///< of the study
  /// Whether a point may be tried: the recipe allows it, and it fits the device.
  std::function<bool(const Point&)> allowed;
  Acquisition acquisition = Acquisition::ei;  ///< of the Bayesian methods
  /// trials with a value before a model of them is made; until then independent draws
  std::uint64_t begin = 10;
};

/// The next point: allowed, and not among those seen. None where the method has no further one.
using Ask = std::optional<Point> (*)(const Question&);

/// every combination, the first parameter slowest; a real parameter needs a step
std::optional<Point> ask_grid(const Question&);
std::optional<Point> ask_random(const Question&);  ///< independent draws
/// a Sobol sequence (Joe, Kuo 2008), scrambled by the seed
std::optional<Point> ask_sobol(const Question&);
std::optional<Point> ask_gaussian(const Question&);  ///< Gaussian process, Matern 5/2
std::optional<Point> ask_forest(const Question&);    ///< random forest
std::optional<Point> ask_tpe(const Question&);       ///< tree-structured Parzen estimator
std::optional<Point> ask_genetic(const Question&);   ///< tournament, crossover, mutation, elitism

/// The methods of this build, by tune.method.
struct Method {
  SearchMethod method;
  Ask ask;
};
std::span<const Method> methods();

/// How many points a grid has; infinity where a real parameter has no step. Points that conditions
/// make the same count once.
double grid_points(const Space& space);

/// A number in [0, 1), of 53 bits, that depends on the arguments alone.
double draw(std::uint64_t seed, std::uint64_t number, std::uint32_t index, std::uint32_t attempt);

}  // namespace sluice::tools
