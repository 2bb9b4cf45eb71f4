#include "gaussian.h"

#include <nlopt.h>

#define EIGEN_DONT_PARALLELIZE  // the cores are used by trials
#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "shared.h"

namespace sluice::tools {
namespace {

using Eigen::MatrixXd, Eigen::VectorXd;
constexpr std::size_t most_points = 250;

/// Returns the squared differences in one feature.
MatrixXd apart(const GaussianData& data, const std::vector<std::vector<double>>& others,
               std::size_t feature) {
  MatrixXd result(data.features.size(), others.size());
  for (Eigen::Index j = 0; j < result.cols(); ++j)
    for (Eigen::Index i = 0; i < result.rows(); ++i) {
      const double difference =
          data.features[std::size_t(i)][feature] - others[std::size_t(j)][feature];
      result(i, j) = data.category[feature] ? difference != 0 : difference * difference;
    }
  return result;
}

/// Replaces r^2 by Matern 5/2 of it. `slope`: its derivative by r^2, times -2.
void matern(MatrixXd& squares, MatrixXd* slope = nullptr) {
  for (Eigen::Index i = 0; i < squares.size(); ++i) {
    const double r = std::sqrt(5 * squares(i)), e = std::exp(-r);
    if (slope) slope->coeffRef(i) = 5.0 / 3 * (1 + r) * e;
    squares(i) = (1 + r + r * r / 3) * e;
  }
}

/// The likelihood for one set of points and many kernels; differences are computed once.
class Likelihood {
 public:
  explicit Likelihood(const GaussianData& data)
      : values_(Eigen::Map<const VectorXd>(data.values.data(), Eigen::Index(data.values.size()))) {
    for (std::size_t f = 0; f < data.category.size(); ++f)
      apart_.push_back(apart(data, data.features, f));
  }

  double operator()(const GaussianKernel& kernel, std::vector<double>* gradient) const {
    const Eigen::Index n = values_.size();
    MatrixXd k = MatrixXd::Zero(n, n), slope(n, n);
    for (std::size_t f = 0; f < apart_.size(); ++f)
      k += apart_[f] / (kernel.scales[f] * kernel.scales[f]);
    matern(k, &slope);
    MatrixXd noisy = kernel.variance * k;
    noisy.diagonal().array() += kernel.noise;
    const Eigen::LLT<MatrixXd> factor(noisy);
    if (factor.info() != Eigen::Success) {
      if (gradient) gradient->assign(apart_.size() + 2, 0);
      return -1e10;
    }
    const VectorXd alpha = factor.solve(values_);
    if (gradient) {
      // d/dt = tr((alpha alpha^T - K^-1) dK/dt) / 2
      const MatrixXd outer = alpha * alpha.transpose() - factor.solve(MatrixXd::Identity(n, n));
      gradient->clear();
      const MatrixXd weighted = kernel.variance * outer.cwiseProduct(slope);
      for (std::size_t f = 0; f < apart_.size(); ++f)
        gradient->push_back(weighted.cwiseProduct(apart_[f]).sum() /
                            (2 * kernel.scales[f] * kernel.scales[f]));
      gradient->push_back(kernel.variance * outer.cwiseProduct(k).sum() / 2);
      gradient->push_back(kernel.noise * outer.trace() / 2);
    }
    return -values_.dot(alpha) / 2 -
           factor.matrixL().toDenseMatrix().diagonal().array().log().sum() -
           double(n) / 2 * std::log(2 * M_PI);
  }

 private:
  std::vector<MatrixXd> apart_;
  VectorXd values_;
};

/// A normal density of a logarithm.
struct Prior {
  double middle, width;
  double operator()(double x, double* slope) const {
    const double z = (x - middle) / width;
    *slope -= z / width;
    return -z * z / 2;
  }
};

struct Fit {
  const Likelihood& likelihood;
  std::vector<Prior> priors;

  static GaussianKernel kernel(const double* logs, std::size_t features) {
    GaussianKernel result;
    for (std::size_t f = 0; f < features; ++f) result.scales.push_back(std::exp(logs[f]));
    result.variance = std::exp(logs[features]), result.noise = std::exp(logs[features + 1]);
    return result;
  }

  static double value(unsigned n, const double* logs, double* gradient, void* data) {
    const Fit& fit = *static_cast<const Fit*>(data);
    std::vector<double> slopes;
    double sum = fit.likelihood(kernel(logs, n - 2), &slopes);
    for (unsigned i = 0; i < n; ++i) sum += fit.priors[i](logs[i], &slopes[i]);
    if (gradient) std::ranges::copy(slopes, gradient);
    return sum;
  }
};

}  // namespace

std::vector<double> gaussian_features(const Space& space, const Point& point) {
  std::vector<double> features = features_of(space, point);
  for (std::size_t i = 0; i < features.size(); ++i)
    if (features[i] < 0 && space.parameters[i].kind != Parameter::choice) features[i] = 0.5;
  return features;
}

double log_likelihood(const GaussianData& data, const GaussianKernel& kernel,
                      std::vector<double>* gradient) {
  return Likelihood(data)(kernel, gradient);
}

GaussianKernel fit_kernel(const GaussianData& data) {
  const std::size_t features = data.category.size(), n = features + 2;
  const Likelihood likelihood(data);
  Fit fit{likelihood, {}};
  std::vector<double> low(n, std::log(0.02)), high(n, std::log(20));
  // Scales grow with the root of the number of features, as distances do (Hvarfner, Hellsten, Nardi
  // 2024).
  for (std::size_t f = 0; f < features; ++f)
    fit.priors.push_back({std::log(0.3) + 0.5 * std::log(double(features)), 1});
  fit.priors.push_back({0, 1}), low[features] = std::log(0.05), high[features] = std::log(20);
  fit.priors.push_back({std::log(1e-4), 2}), low[n - 1] = std::log(1e-6), high[n - 1] = 0;
  const int evaluations =
      int(std::clamp(3e8 / std::pow(double(data.values.size()), 3), 20.0, 100.0));
  double best = -INFINITY;
  GaussianKernel result;
  for (const double shift : {0.0, -1.0, 1.0}) {
    std::vector<double> logs;
    for (std::size_t i = 0; i < n; ++i)
      logs.push_back(
          std::clamp(fit.priors[i].middle + (i < features ? shift : 0), low[i], high[i]));
    nlopt_opt optimizer = nlopt_create(NLOPT_LD_LBFGS, unsigned(n));
    nlopt_set_max_objective(optimizer, Fit::value, &fit);
    nlopt_set_lower_bounds(optimizer, low.data());
    nlopt_set_upper_bounds(optimizer, high.data());
    nlopt_set_maxeval(optimizer, evaluations);
    nlopt_set_ftol_abs(optimizer, 1e-4);
    double reached = -INFINITY;
    nlopt_optimize(optimizer, logs.data(),
                   &reached);  // whatever ended it: `logs` has the best point evaluated
    nlopt_destroy(optimizer);
    if (reached > best || result.scales.empty())
      best = reached, result = Fit::kernel(logs.data(), features);
  }
  return result;
}

struct GaussianProcess::State {
  GaussianData data;
  GaussianKernel kernel;
  Eigen::LLT<MatrixXd> factor;
  VectorXd alpha;

  MatrixXd covariance(const std::vector<std::vector<double>>& others) const {
    MatrixXd k = MatrixXd::Zero(Eigen::Index(data.features.size()), Eigen::Index(others.size()));
    for (std::size_t f = 0; f < data.category.size(); ++f)
      k += apart(data, others, f) / (kernel.scales[f] * kernel.scales[f]);
    matern(k);
    // The analyzer loses track of the copied kernel, all of whose numbers have values.
    // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign)
    const double variance = kernel.variance;
    return variance * k;
  }
};

GaussianProcess::GaussianProcess(const GaussianData& data, const GaussianKernel& kernel)
    : state_(new State{data, kernel, {}, {}}) {
  MatrixXd k = state_->covariance(data.features);
  k.diagonal().array() += kernel.noise;
  state_->factor.compute(k);
  state_->alpha = state_->factor.solve(
      Eigen::Map<const VectorXd>(data.values.data(), Eigen::Index(data.values.size())));
}

GaussianProcess::~GaussianProcess() = default;

std::vector<Forecast> GaussianProcess::predict(
    const std::vector<std::vector<double>>& features) const {
  MatrixXd k = state_->covariance(features);
  const VectorXd mean = k.transpose() * state_->alpha;
  state_->factor.matrixL().solveInPlace(k);
  const VectorXd variance = state_->kernel.variance - k.colwise().squaredNorm().transpose().array();
  std::vector<Forecast> result;
  for (Eigen::Index i = 0; i < mean.size(); ++i)
    result.push_back({mean(i), std::max(variance(i), 0.0)});
  return result;
}

namespace {

/// Standardizes values to mean 0 and variance 1. Values far above the rest, such as those of failed
/// trials, are moved closer first: the model need not know how bad they are.
void standardize(std::vector<double>& values) {
  std::vector<double> sorted = values;
  std::ranges::sort(sorted);
  const double least = sorted.front(), upper = sorted[sorted.size() * 3 / 4];
  for (double& value : values) value = std::min(value, upper + 2 * (upper - least));
  const double n = double(values.size()),
               mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = std::sqrt(squares / n);
  for (double& value : values) value = deviation > 0 ? (value - mean) / deviation : 0;
}

/// Keeps the best values and of the others the latest, if there are more than the limit.
void keep_most_informative(Learned& data) {
  if (data.points.size() <= most_points) return;
  std::vector<std::size_t> order(data.points.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return data.values[a] < data.values[b]; });
  std::ranges::sort(order.begin() + most_points / 2, order.end(), std::greater());
  order.resize(most_points);
  Learned kept;
  for (const std::size_t i : order)
    kept.points.push_back(data.points[i]), kept.values.push_back(data.values[i]);
  data = kept;
}

}  // namespace

std::optional<Point> suggest_gaussian(const SearchRequest& request) {
  if (beginning(request)) return suggest_sobol(request);
  const Space& space = request.space;
  Learned data = learned(request, Lie::mean);
  keep_most_informative(data);
  standardize(data.values);
  GaussianData known;
  for (const Parameter& parameter : space.parameters)
    known.category.push_back(parameter.kind == Parameter::choice);
  for (const Point& point : data.points) known.features.push_back(gaussian_features(space, point));
  known.values = data.values;
  const GaussianProcess process(known, fit_kernel(known));
  double best = INFINITY;  // the best trial's value without its noise
  for (const Forecast& said : process.predict(known.features)) best = std::min(best, said.mean);
  return highest(request, data, [&](const std::vector<Point>& points) {
    std::vector<std::vector<double>> features;
    for (const Point& point : points) features.push_back(gaussian_features(space, point));
    std::vector<double> scores;
    for (const Forecast& said : process.predict(features))
      scores.push_back(acquisition(request, said.mean, std::sqrt(said.variance), best));
    return scores;
  });
}

}  // namespace sluice::tools
