// A random forest over a search space, which predicts the value of a point. Search methods use it,
// and the report's importance of parameters.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "../recipe/space.h"

namespace sluice::tools {

/// Trees over features; a feature is the number of a parameter.
struct Forest {
  struct Node {
    int feature = -1;  ///< to split by; -1: a leaf
    /// The feature is a choice: points equal to `split` go left, the others right. If false,
    /// numbers below `split` go left.
    bool equal = false;
    double split = 0;
    int left = 0, right = 0;        ///< nodes of the tree
    double mean = 0, variance = 0;  ///< of the values in this node
    int count = 0;                  ///< number of values in this node
  };
  std::vector<std::vector<Node>> trees;  ///< [trees][nodes], the root first
};

struct ForestOptions {
  int trees = 64;
  int leaf = 1;           ///< the least number of values in a leaf
  bool bootstrap = true;  ///< each tree gets a sample of all values, drawn with replacement
};

/// Returns the features of a point [parameters]: the share of the range for a number, the index for
/// a choice; -1 for a parameter that is not in force.
std::vector<double> features_of(const Space& space, const Point& point);

/// Fits extremely randomized trees (Geurts, Ernst, Wehenkel 2006): at each node, one random split
/// of every feature is drawn and the one that leaves the least variance is taken. The same
/// arguments give the same trees.
/// @param features  [points] each as from features_of()
/// @param values    [points]
Forest fit_forest(const Space& space, const std::vector<std::vector<double>>& features,
                  std::span<const double> values, std::uint64_t seed,
                  const ForestOptions& options = {});

/// The mean over the trees, and the variance: that of the trees' means plus that within their
/// leaves.
struct Forecast {
  double mean = 0, variance = 0;
};
Forecast predict(const Forest& forest, std::span<const double> features);

}  // namespace sluice::tools
