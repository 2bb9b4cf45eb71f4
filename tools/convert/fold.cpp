#include "fold.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../model/graph.h"

namespace sluice::tools {
namespace {

bool takes_over(const Layer& layer) { return layer.find(Role::input_weight) && layer.tied < 0; }

/// Computes W (s x + t) + b = (W s) x + (b + W t); sums are in double and rounded once.
void fold(const Layer& norm, Layer& next) {
  const std::size_t n = std::size_t(norm.out);
  std::vector<double> scale(n), shift(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto value = [&](Role role) { return double(norm.array(role).values[i]); };
    scale[i] = value(Role::scale) / std::sqrt(value(Role::variance) + double(norm.parameter));
    shift[i] = value(Role::shift) - value(Role::mean) * scale[i];
  }
  for (const bool backward : {false, true}) {
    if (backward && !next.both) continue;
    // With low rank, the factor takes the scale, and W1 carries the shift into the biases.
    Array* const factor = const_cast<Array*>(next.find(Role::input_factor, backward));
    Array& w = next.array(Role::input_weight, backward);
    Array& scaled = factor ? *factor : w;
    std::vector<double> moved = shift;  // as an input of w
    if (factor) {
      moved.assign(std::size_t(factor->rows), 0);
      for (std::size_t row = 0; row < moved.size(); ++row)
        for (std::size_t k = 0; k < n; ++k)
          moved[row] += double(factor->values[row * n + k]) * shift[k];
    }
    std::vector<Array*> biases;  // gate and candidate that share a chain have a bias each
    for (Array& b : next.arrays)
      if (b.backward == backward && (b.role == Role::input_bias || b.role == Role::gate_bias ||
                                     b.role == Role::candidate_bias))
        biases.push_back(&b);
    for (std::size_t row = 0; row < std::size_t(w.gates) * std::size_t(w.rows); ++row)
      for (Array* const b : biases) {
        double sum = double(b->values[row]);
        for (std::size_t k = 0; k < moved.size(); ++k)
          sum += double(w.values[row * moved.size() + k]) * moved[k];
        b->values[row] = float(sum);
      }
    for (std::size_t i = 0; i < scaled.values.size(); ++i)
      scaled.values[i] = float(double(scaled.values[i]) * scale[i % n]);
  }
}

/// Returns whether a later layer shares this one's weights, which then cannot be changed for one
/// alone.
bool shared(const Network& network, std::size_t layer) {
  return std::any_of(network.layers.begin(), network.layers.end(),
                     [&](const Layer& l) { return l.tied == int(layer); });
}

}  // namespace

Network folded(Network network) {
  for (std::size_t i = 0; i + 1 < network.layers.size();) {
    const std::vector<std::uint32_t> readers = readers_of(network, std::uint32_t(i) + 1);
    const std::size_t next = readers.size() == 1 ? readers[0] - 1 : 0;
    const bool folds = network.layers[i].kind == SLUICE_BATCH_NORM && readers.size() == 1 &&
                       takes_over(network.layers[next]) && !shared(network, next);
    if (folds) fold(network.layers[i], network.layers[next]), remove_layer(network, i);
    i += !folds;
  }
  return network;
}

bool has_batch_norm(const Network& network) {
  return std::any_of(network.layers.begin(), network.layers.end(),
                     [](const Layer& l) { return l.kind == SLUICE_BATCH_NORM; });
}

}  // namespace sluice::tools
