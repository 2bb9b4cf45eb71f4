#include "importance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "../tune/forest.h"
#include "../tune/suggest.h"

namespace sluice::tools {
namespace {

constexpr std::uint64_t seed = 1;
constexpr std::size_t most_cells = 32, folds = 5;

/// Returns the features of a point. A parameter that is not in force has no effect, so it gets a
/// random value: then the forest cannot learn from it which others are in force.
std::vector<double> features(const Space& space, Point point, std::size_t number) {
  for (std::size_t i = 0; i < point.size(); ++i)
    if (std::isnan(point[i]))
      point[i] = value_of_share(space.parameters[i], draw(seed, number, std::uint32_t(i), 0));
  return features_of(space, point);
}

/// A part of the space as trees split it: for each parameter, the cells that it contains.
struct Part {
  std::vector<std::vector<bool>> in;
  std::vector<double> share;  ///< width of each cell
};

Part whole_of(const Space& space) {
  Part part;
  for (const Parameter& p : space.parameters)
    part.in.push_back(std::vector<bool>(cells_of(p), true)), part.share.push_back(1);
  return part;
}

/// Returns one side of a split.
Part side_of(const Space& space, const Part& part, const Forest::Node& node, bool left) {
  Part side = part;
  const auto f = std::size_t(node.feature);
  const std::size_t cells = side.in[f].size();
  const bool choice = space.parameters[f].kind == Parameter::choice;
  for (std::size_t c = 0; c < cells; ++c) {
    const double feature = choice ? double(c) : (double(c) + 0.5) / double(cells);
    const bool goes_left = node.equal ? feature == node.split : feature < node.split;
    if (goes_left != left) side.in[f][c] = false;
  }
  side.share[f] = double(std::count(side.in[f].begin(), side.in[f].end(), true)) / double(cells);
  return side;
}

/// Calls leaf(part, value) for each leaf that contains points of the space.
template <class Leaf>
void walk(const Space& space, const std::vector<Forest::Node>& tree, int at, const Part& part,
          const Leaf& leaf) {
  const Forest::Node& node = tree[std::size_t(at)];
  if (node.feature < 0) return leaf(part, node.mean);
  for (const bool left : {true, false}) {
    const Part side = side_of(space, part, node, left);
    if (side.share[std::size_t(node.feature)] > 0)
      walk(space, tree, left ? node.left : node.right, side, leaf);
  }
}

double product_without(const std::vector<double>& shares, std::size_t a, std::size_t b) {
  double product = 1;
  for (std::size_t i = 0; i < shares.size(); ++i) product *= i == a || i == b ? 1 : shares[i];
  return product;
}

/// Adds the shares of a tree's variance. Returns false if the tree has none.
bool add_tree(const Space& space, const std::vector<Forest::Node>& tree,
              std::vector<double>& alone) {
  const std::size_t n = space.parameters.size();
  std::vector<std::vector<double>> marginal;
  for (const Parameter& p : space.parameters) marginal.push_back(std::vector<double>(cells_of(p)));
  double mean = 0, squares = 0;
  walk(space, tree, 0, whole_of(space), [&](const Part& part, double value) {
    const double all = product_without(part.share, n, n);
    mean += all * value, squares += all * value * value;
    for (std::size_t i = 0; i < n; ++i) {
      const double others = product_without(part.share, i, i);
      for (std::size_t c = 0; c < part.in[i].size(); ++c)
        if (part.in[i][c]) marginal[i][c] += others * value;
    }
  });
  const double variance = squares - mean * mean;
  if (!(variance > 1e-12)) return false;  // values are between 0 and 1
  for (std::size_t i = 0; i < n; ++i) {
    double own = 0;
    for (const double m : marginal[i]) own += (m - mean) * (m - mean) / double(marginal[i].size());
    alone[i] += own / variance;
  }
  return true;
}

std::vector<double> pair_of(const Space& space, const Forest& forest, std::size_t a,
                            std::size_t b) {
  const std::size_t columns = cells_of(space.parameters[a]);
  std::vector<double> means(columns * cells_of(space.parameters[b]));
  for (const auto& tree : forest.trees)
    walk(space, tree, 0, whole_of(space), [&](const Part& part, double value) {
      const double add = product_without(part.share, a, b) * value / double(forest.trees.size());
      for (std::size_t row = 0; row < part.in[b].size(); ++row)
        for (std::size_t column = 0; column < columns && part.in[b][row]; ++column)
          if (part.in[a][column]) means[row * columns + column] += add;
    });
  return means;
}

/// Returns the share of the variance that a forest of the other trials explains.
double explained_unseen(const Space& space, const std::vector<std::vector<double>>& x,
                        const std::vector<double>& y) {
  const double mean = std::accumulate(y.begin(), y.end(), 0.0) / double(y.size());
  double wrong = 0, all = 0;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    std::vector<std::vector<double>> seen;
    std::vector<double> values;
    for (std::size_t i = 0; i < y.size(); ++i)
      if (i % folds != fold) seen.push_back(x[i]), values.push_back(y[i]);
    const Forest forest = fit_forest(space, seen, values, seed);
    for (std::size_t i = fold; i < y.size() && !values.empty(); i += folds) {
      const double error = predict(forest, x[i]).mean - y[i];
      wrong += error * error, all += (y[i] - mean) * (y[i] - mean);
    }
  }
  return all > 0 ? 1 - wrong / all : 0;
}

}  // namespace

std::size_t cells_of(const Parameter& parameter) {
  const std::uint64_t values = values_of(parameter);
  if (parameter.kind == Parameter::choice) return std::size_t(values);
  return values == 0 ? most_cells : std::size_t(std::min<std::uint64_t>(values, most_cells));
}

std::size_t cell_of(const Parameter& parameter, double value) {
  if (parameter.kind == Parameter::choice) return std::size_t(value);
  const double cells = double(cells_of(parameter));
  return std::size_t(std::clamp(share_of_value(parameter, value) * cells, 0.0, cells - 1));
}

Importance importance_of(const Space& space, const std::vector<Point>& points,
                         const std::vector<double>& values) {
  Importance result;
  const std::size_t n = space.parameters.size();
  result.alone.assign(n, 0);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double least = *low, range = *high - *low;
  std::vector<std::vector<double>> x;
  for (const Point& point : points) x.push_back(features(space, point, x.size()));
  std::vector<double> y;
  for (const double value : values) y.push_back(range > 0 ? (value - least) / range : 0);
  const Forest forest = fit_forest(space, x, y, seed);
  std::size_t trees = 0;
  for (const auto& tree : forest.trees) trees += add_tree(space, tree, result.alone);
  for (double& share : result.alone) share /= double(std::max<std::size_t>(trees, 1));
  result.together =
      trees ? std::max(0.0, 1 - std::accumulate(result.alone.begin(), result.alone.end(), 0.0)) : 0;
  result.unseen = explained_unseen(space, x, y);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return result.alone[a] > result.alone[b]; });
  result.first = order[0], result.second = order[n > 1 ? 1 : 0];
  if (n > 1) result.pair = pair_of(space, forest, result.first, result.second);
  for (double& mean : result.pair) mean = least + mean * range;
  return result;
}

}  // namespace sluice::tools
