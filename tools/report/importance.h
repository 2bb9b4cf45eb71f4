// The importance of parameters for a study's values: functional analysis of variance (Hutter, Hoos,
// Leyton-Brown 2014) over a random forest.
#pragma once
#include <cstdint>
#include <vector>

#include "../recipe/space.h"

namespace sluice::tools {

struct Importance {
  /// [parameters] Share of the variance that each explains by itself; all 0 if nothing varies.
  std::vector<double> alone;
  double together = 0;  ///< share that parameters explain only in combination
  /// Share of the variance that the forest explains in trials that were not used to fit it (R^2, by
  /// folds); at or below 0 it explains nothing.
  double unseen = 0;
  std::size_t first = 0, second = 0;  ///< the two most important; equal if there is one parameter
  /// [cells of second][cells of first] Mean over all other parameters.
  std::vector<double> pair;
};

/// Returns the number of cells of a parameter's range: one for each value, or equal shares of the
/// range if there are many values.
std::size_t cells_of(const Parameter& parameter);
std::size_t cell_of(const Parameter& parameter, double value);

/// Computes it with equal weight for all points and combinations of the space. A parameter that is
/// not in force has no effect, whatever its value.
/// @param values  [points] finite
Importance importance_of(const Space& space, const std::vector<Point>& points,
                         const std::vector<double>& values);

}  // namespace sluice::tools
