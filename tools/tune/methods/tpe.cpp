#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "shared.h"

namespace sluice::tools {
namespace {

constexpr std::size_t candidates = 64;
constexpr double good_share = 0.15;
constexpr std::size_t most_good = 25;

double cdf(double x) { return 0.5 * std::erfc(-x * M_SQRT1_2); }

/// A density over a space: a mixture of one kernel around each point and one over the whole space.
/// A kernel is a product over the parameters of normal densities, cut off at the ends of the range,
/// and of probabilities of choices.
class Parzen {
 public:
  Parzen(const Space& space, std::vector<Point> points)
      : space_(space), points_(std::move(points)) {
    for (std::size_t i = 0; i < space.parameters.size(); ++i) widths_.push_back(widths(i));
  }

  Point drawn(Draws& draws) const {
    const std::size_t kernel = draws.below(points_.size() + 1);
    Point point;
    for (std::size_t i = 0; i < space_.parameters.size(); ++i) {
      const Parameter& parameter = space_.parameters[i];
      const double u = draws();
      if (kernel == points_.size() || std::isnan(points_[kernel][i])) {
        point.push_back(value_of_share(parameter, u));
      } else if (parameter.kind == Parameter::choice) {
        point.push_back(draws() < kept() ? points_[kernel][i] : value_of_share(parameter, u));
      } else {
        const double middle = share_of_value(parameter, points_[kernel][i]);
        double share = -1;
        while (share < 0 || share > 1) share = middle + widths_[i][kernel] * draws.normal();
        point.push_back(value_of_share(parameter, share));
      }
    }
    return settled(space_, point);
  }

  double log_density(const Point& point) const {
    std::vector<double> logs{0};  // the kernel over the whole space
    for (std::size_t k = 0; k < points_.size(); ++k) {
      const Point& around = points_[k];
      double log = 0;
      for (std::size_t i = 0; i < point.size(); ++i) {
        const Parameter& parameter = space_.parameters[i];
        // A parameter that is not in force is given by others; if the kernel's point lacks it, the
        // density is uniform.
        if (std::isnan(point[i]) || std::isnan(around[i])) continue;
        if (parameter.kind == Parameter::choice) {
          const double n = double(parameter.choices.size());
          log += std::log((point[i] == around[i] ? kept() * n : 0) + 1 - kept());
        } else {
          const double width = widths_[i][k], middle = share_of_value(parameter, around[i]);
          const double z = (share_of_value(parameter, point[i]) - middle) / width;
          log -= z * z / 2 + std::log(width * std::sqrt(2 * M_PI) *
                                      (cdf((1 - middle) / width) - cdf(-middle / width)));
        }
      }
      logs.push_back(log);
    }
    const double most = std::ranges::max(logs);
    double sum = 0;
    for (const double log : logs) sum += std::exp(log - most);
    return most + std::log(sum / double(logs.size()));
  }

 private:
  /// Returns for one parameter the distance of each point to the further one of its neighbors, but
  /// not less than the range divided by the number of kernels.
  std::vector<double> widths(std::size_t parameter) const {
    std::vector<std::pair<double, std::size_t>> sorted;
    for (std::size_t k = 0; k < points_.size(); ++k)
      if (!std::isnan(points_[k][parameter]) &&
          space_.parameters[parameter].kind != Parameter::choice)
        sorted.emplace_back(share_of_value(space_.parameters[parameter], points_[k][parameter]), k);
    std::ranges::sort(sorted);
    std::vector<double> result(points_.size(), 1);
    const double least = 1 / std::min(100.0, double(points_.size()) + 2);
    for (std::size_t k = 0; k < sorted.size() && sorted.size() > 1; ++k) {
      const double before = k > 0 ? sorted[k].first - sorted[k - 1].first : 0;
      const double after = k + 1 < sorted.size() ? sorted[k + 1].first - sorted[k].first : 0;
      result[sorted[k].second] = std::clamp(std::max(before, after), least, 1.0);
    }
    return result;
  }

  /// Returns the probability of a choice that stays on the point's own value.
  double kept() const { return double(points_.size()) / (double(points_.size()) + 1); }

  const Space& space_;
  std::vector<Point> points_;
  /// [parameters][points] standard deviations of the normal densities, as shares of the range.
  std::vector<std::vector<double>> widths_;
};

}  // namespace

/// Searches as Bergstra, Bardenet, Bengio, Kegl 2011, with kernels over all parameters at once
/// (Falkner, Klein, Hutter 2018). Near good points the kernels are as wide as the gaps between
/// them.
std::optional<Point> suggest_tpe(const SearchRequest& request) {
  if (beginning(request)) return suggest_sobol(request);
  const Learned data = learned(request, Lie::worst);
  std::vector<std::size_t> order(data.values.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return data.values[a] < data.values[b]; });
  const std::size_t good =
      std::min(std::size_t(std::ceil(good_share * double(order.size()))), most_good);
  std::vector<Point> below, above;
  for (const std::size_t i : order) (below.size() < good ? below : above).push_back(data.points[i]);
  const Parzen promising(request.space, std::move(below)), rest(request.space, std::move(above));

  Draws draws(request, stream::candidates);
  std::vector<std::pair<double, Point>> drawn;
  for (std::size_t i = 0; i < candidates; ++i) {
    Point point = promising.drawn(draws);
    const double ratio = promising.log_density(point) - rest.log_density(point);
    drawn.emplace_back(ratio, std::move(point));
  }
  std::ranges::stable_sort(drawn, std::ranges::greater(), &std::pair<double, Point>::first);
  return first_new(request, [&](std::uint32_t attempt) {
    return attempt < drawn.size() ? drawn[attempt].second : promising.drawn(draws);
  });
}

}  // namespace sluice::tools
