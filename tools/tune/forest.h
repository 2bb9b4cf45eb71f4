// A random forest over a search space: what the value of a point may be. A search method asks it,
// and the report for what matters.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "../recipe/space.h"

namespace sluice::tools {

/// Trees over features: a feature is a parameter's number.
struct Forest {
  struct Node {
    int feature = -1;  ///< that it splits by; -1: a leaf
    /// of a choice: what equals `split` goes left, the rest right; of numbers: what is below it
    /// goes left
    bool equal = false;
    double split = 0;
    int left = 0, right = 0;        ///< nodes of the tree
    double mean = 0, variance = 0;  ///< of the values that came here
    int count = 0;                  ///< of them
  };
  std::vector<std::vector<Node>> trees;  ///< [trees][nodes], the root first
};

struct ForestOptions {
  int trees = 64;
  int leaf = 1;           ///< values that a leaf has at least
  bool bootstrap = true;  ///< each tree sees as many values as there are, drawn with replacement
};

/// What a forest sees of a point, [parameters]: of a number its share of the range, of a choice its
/// index; -1 where not in force.
std::vector<double> features_of(const Space& space, const Point& point);

/// Extremely randomized trees (Geurts, Ernst, Wehenkel 2006): at each node one random split of
/// every feature, of which the one that leaves the least variance is taken. The same trees for the
/// same arguments.
/// @param features  [points] each as by features_of()
/// @param values    [points]
Forest fit_forest(const Space& space, const std::vector<std::vector<double>>& features,
                  std::span<const double> values, std::uint64_t seed,
                  const ForestOptions& options = {});

/// Mean over the trees; and variance, of the trees' means and within their leaves.
struct Forecast {
  double mean = 0, variance = 0;
};
Forecast predict(const Forest& forest, std::span<const double> features);

}  // namespace sluice::tools
