// A Gaussian process over points of a search space.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "../../recipe/space.h"
#include "../forest.h"

namespace sluice::tools {

/// The data of a Gaussian process. Features: for a number its share of the range, for a choice its
/// index; two choices are equal or one apart. A number that is not in force is put in the middle of
/// its range; a choice that is not in force becomes a category of its own. The parameter that
/// brings it into force is a feature too and tells such points from others, so the value here need
/// only be the same for all of them.
struct GaussianData {
  std::vector<char> category;                 ///< [features] whether the feature is a choice
  std::vector<std::vector<double>> features;  ///< [points][features]
  std::vector<double> values;                 ///< [points] with mean 0 and variance 1
};
std::vector<double> gaussian_features(const Space& space, const Point& point);

/// k(x, y) = variance (1 + sqrt(5) r + 5/3 r^2) exp(-sqrt(5) r), r^2 = sum ((x_i - y_i) /
/// scale_i)^2; plus noise if x is y.
struct GaussianKernel {
  std::vector<double> scales;
  double variance = 1, noise = 1e-3;
};

/// Returns the logarithm of the values' density, and on request its gradient by the logarithms of
/// scales, variance and noise.
double log_likelihood(const GaussianData& data, const GaussianKernel& kernel,
                      std::vector<double>* gradient = nullptr);

/// Returns the kernel that maximizes the likelihood times a prior's density, by L-BFGS from several
/// starts.
GaussianKernel fit_kernel(const GaussianData& data);

class GaussianProcess {
 public:
  GaussianProcess(const GaussianData& data, const GaussianKernel& kernel);
  ~GaussianProcess();
  /// Predicts values without noise.
  std::vector<Forecast> predict(const std::vector<std::vector<double>>& features) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::tools
