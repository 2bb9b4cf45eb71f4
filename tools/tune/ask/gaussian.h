// A Gaussian process over points of a search space.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "../../recipe/space.h"
#include "../forest.h"

namespace sluice::tools {

/// What it learns from, by features: of a number its share of the range, of a choice its index; two
/// choices are equal or one apart. Where a parameter is not in force a number is put in the middle
/// of its range, and a choice is one more, of its own: what brings it into force is a feature
/// itself and tells such points from others, so that this one need only be the same for all of
/// them.
struct GaussianData {
  std::vector<char> category;                 ///< [features] whether one is a choice
  std::vector<std::vector<double>> features;  ///< [points][features]
  std::vector<double> values;                 ///< [points] of mean 0 and variance 1
};
std::vector<double> gaussian_features(const Space& space, const Point& point);

/// k(x, y) = variance (1 + sqrt(5) r + 5/3 r^2) exp(-sqrt(5) r), r^2 = sum ((x_i - y_i) /
/// scale_i)^2; and noise where x is y.
struct GaussianKernel {
  std::vector<double> scales;
  double variance = 1, noise = 1e-3;
};

/// The logarithm of the values' density; its gradient by the logarithms of scales, variance and
/// noise where one is asked for.
double log_likelihood(const GaussianData& data, const GaussianKernel& kernel,
                      std::vector<double>* gradient = nullptr);

/// The kernel of most likelihood times a prior's density, by L-BFGS from several starts.
GaussianKernel fit_kernel(const GaussianData& data);

class GaussianProcess {
 public:
  GaussianProcess(const GaussianData& data, const GaussianKernel& kernel);
  ~GaussianProcess();
  /// Of values without noise.
  std::vector<Forecast> predict(const std::vector<std::vector<double>>& features) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::tools
