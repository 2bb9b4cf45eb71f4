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
struct PastTrial {
  Point point;
  /// Lower is better. Empty for a trial that runs, failed, or did not reach the rung that is
  /// compared; its point is not tried again.
  std::optional<double> value;
  bool failed = false;   ///< it will never have a value; it counts as the worst
  bool running = false;  ///< its value is not known yet; a model uses a made-up one (constant liar)
};

struct SearchRequest {
  const Space& space;
  std::span<const PastTrial> history;  ///< trials 0, 1, ..., number - 1
  std::uint64_t number;                ///< of the next trial
  std::uint64_t seed;                  ///< of the study
  /// Returns whether a point may be tried: the recipe allows it and it fits the device.
  std::function<bool(const Point&)> allowed;
  Acquisition acquisition = Acquisition::ei;  ///< of the Bayesian methods
  /// Trials with a value that a model of them needs; before that, points are drawn independently.
  std::uint64_t begin = 10;
};

/// Returns the next point, which is allowed and was not tried; nothing if the method has no further
/// one.
using SuggestPoint = std::optional<Point> (*)(const SearchRequest&);

/// Every combination, the first parameter slowest. A real parameter needs a step.
std::optional<Point> suggest_grid(const SearchRequest&);
std::optional<Point> suggest_random(const SearchRequest&);  ///< independent draws
/// A Sobol sequence (Joe, Kuo 2008), scrambled by the seed.
std::optional<Point> suggest_sobol(const SearchRequest&);
std::optional<Point> suggest_gaussian(const SearchRequest&);  ///< Gaussian process, Matern 5/2
std::optional<Point> suggest_forest(const SearchRequest&);    ///< random forest
std::optional<Point> suggest_tpe(const SearchRequest&);       ///< tree-structured Parzen estimator
std::optional<Point> suggest_genetic(
    const SearchRequest&);  ///< tournament, crossover, mutation, elitism

/// The methods of this build, by the word of tune.method.
struct Method {
  SearchMethod method;
  SuggestPoint suggest;
};
std::span<const Method> methods();

/// Returns the number of points of a grid; infinity if a real parameter has no step. Points that
/// conditions make equal count once.
double grid_points(const Space& space);

/// Returns a number in [0, 1) with 53 bits that depends on nothing except the arguments.
double draw(std::uint64_t seed, std::uint64_t number, std::uint32_t index, std::uint32_t attempt);

}  // namespace sluice::tools
