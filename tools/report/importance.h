// Which parameters a study's values depend on: functional analysis of variance (Hutter, Hoos,
// Leyton-Brown 2014) over a random forest.
#pragma once
#include <cstdint>
#include <vector>

#include "../recipe/space.h"

namespace sluice::tools {

struct Importance {
  /// [parameters] share of the variance that each explains by itself; all 0 where nothing varies
  std::vector<double> alone;
  double together = 0;  ///< the rest: what parameters explain only with others
  /// Share of the variance of values that the forest explains of trials it has not seen (R^2, by
  /// folds); at or below 0: nothing.
  double unseen = 0;
  std::size_t first = 0, second = 0;  ///< the two that matter most; the same of a single parameter
  /// Mean over all others: [cells of second][cells of first].
  std::vector<double> pair;
};

/// A cell of a parameter's range for each of its values, or for equal shares of the range where it
/// has many.
std::size_t cells_of(const Parameter& parameter);
std::size_t cell_of(const Parameter& parameter, double value);

/// All points and combinations of the space count alike. A parameter that is not in force changes
/// nothing, whatever its value.
/// @param values  [points] finite
Importance importance_of(const Space& space, const std::vector<Point>& points,
                         const std::vector<double>& values);

}  // namespace sluice::tools
