#include "forest.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "kernels/random.h"

namespace sluice::tools {
namespace {

bool goes_left(const Forest::Node& node, double feature) {
  return node.equal ? feature == node.split : feature < node.split;
}

/// Grows one tree. Its random numbers depend on the seed and the tree alone.
class TreeBuilder {
 public:
  TreeBuilder(const Space& space, const std::vector<std::vector<double>>& features,
              std::span<const double> values, const ForestOptions& options, std::uint64_t seed,
              int tree)
      : space_(space),
        features_(features),
        values_(values),
        options_(options),
        seed_(seed),
        tree_(std::uint32_t(tree)) {}

  std::vector<Forest::Node> grow() {
    std::vector<std::size_t> rows(values_.size());
    std::iota(rows.begin(), rows.end(), std::size_t(0));
    if (options_.bootstrap)
      for (std::size_t& row : rows)
        row = std::min(std::size_t(number() * double(values_.size())), values_.size() - 1);
    node(rows);
    return std::move(nodes_);
  }

 private:
  double number() {
    return Philox::at(seed_, tree_, drawn_++, 0, std::uint32_t(Purpose::tune) | 2u << 16).word[0] /
           4294967296.0;
  }

  /// The sum of squared differences from the mean, with mean and count.
  struct Spread {
    double sum = 0, squares = 0;
    std::size_t count = 0;
    void add(double value) { sum += value, squares += value * value, ++count; }
    double mean() const { return sum / double(count); }
    double left_over() const { return std::max(squares - sum * sum / double(count), 0.0); }
  };

  int node(std::span<std::size_t> rows) {
    const int at = int(nodes_.size());
    nodes_.emplace_back();
    Spread all;
    // Relative to the first value, so that squares lose no precision.
    for (const std::size_t row : rows) all.add(values_[row] - values_[rows[0]]);
    Forest::Node best;
    best.mean = values_[rows[0]] + all.mean(), best.variance = all.left_over() / double(all.count),
    best.count = int(rows.size());
    if (all.left_over() > 0 && rows.size() >= 2 * std::size_t(options_.leaf))
      choose_split(rows, best);
    if (best.feature >= 0) {
      const auto right = std::stable_partition(rows.begin(), rows.end(), [&](std::size_t row) {
        return goes_left(best, features_[row][std::size_t(best.feature)]);
      });
      const auto cut = std::size_t(right - rows.begin());
      best.left = node(rows.first(cut)), best.right = node(rows.subspan(cut));
    }
    nodes_[std::size_t(at)] = best;
    return at;
  }

  void choose_split(std::span<const std::size_t> rows, Forest::Node& best) {
    double least = INFINITY;
    for (std::size_t f = 0; f < space_.parameters.size(); ++f) {
      double low = INFINITY, high = -INFINITY;
      for (const std::size_t row : rows)
        low = std::min(low, features_[row][f]), high = std::max(high, features_[row][f]);
      // Drawn even if not needed, so that a constant feature does not change the splits of others.
      const double share = number();
      if (low == high) continue;
      Forest::Node candidate = best;
      candidate.feature = int(f), candidate.equal = space_.parameters[f].kind == Parameter::choice;
      candidate.split =
          candidate.equal
              ? features_[rows[std::min(std::size_t(share * double(rows.size())), rows.size() - 1)]]
                         [f]
              : std::max(low + share * (high - low), std::nextafter(low, high));
      Spread left, right;
      for (const std::size_t row : rows)
        (goes_left(candidate, features_[row][f]) ? left : right).add(values_[row] - best.mean);
      if (std::min(left.count, right.count) < std::size_t(options_.leaf)) continue;
      const double left_over = left.left_over() + right.left_over();
      if (left_over < least) least = left_over, best = candidate;
    }
  }

  const Space& space_;
  const std::vector<std::vector<double>>& features_;
  std::span<const double> values_;
  const ForestOptions& options_;
  std::uint64_t seed_;
  std::uint32_t tree_, drawn_ = 0;
  std::vector<Forest::Node> nodes_;
};

}  // namespace

std::vector<double> features_of(const Space& space, const Point& point) {
  std::vector<double> features;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const Parameter& parameter = space.parameters[i];
    features.push_back(std::isnan(point[i])                  ? -1
                       : parameter.kind == Parameter::choice ? point[i]
                                                             : share_of_value(parameter, point[i]));
  }
  return features;
}

Forest fit_forest(const Space& space, const std::vector<std::vector<double>>& features,
                  std::span<const double> values, std::uint64_t seed,
                  const ForestOptions& options) {
  Forest forest;
  for (int tree = 0; tree < options.trees && !values.empty(); ++tree)
    forest.trees.push_back(TreeBuilder(space, features, values, options, seed, tree).grow());
  return forest;
}

Forecast predict(const Forest& forest, std::span<const double> features) {
  const double offset = forest.trees[0][0].mean;  // subtracted so that squares lose no precision
  double sum = 0, squares = 0, within = 0;
  for (const std::vector<Forest::Node>& tree : forest.trees) {
    const Forest::Node* node = tree.data();
    while (node->feature >= 0)
      node = &tree[std::size_t(
          goes_left(*node, features[std::size_t(node->feature)]) ? node->left : node->right)];
    const double mean = node->mean - offset;
    sum += mean, squares += mean * mean, within += node->variance;
  }
  const double n = double(forest.trees.size()), mean = sum / n;
  return {offset + mean, std::max(squares / n - mean * mean, 0.0) + within / n};
}

}  // namespace sluice::tools
