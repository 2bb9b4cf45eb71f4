#include "fold.h"

#include <algorithm>
#include <cmath>

namespace sluice::tools {
namespace {

const std::vector<float>& values(const Layer& layer, const char* name) {
  return std::find_if(layer.arrays.begin(), layer.arrays.end(), [&](const Array& a) { return a.name == name; })->values;
}

bool takes_over(const Layer& layer) { return (recurrent(layer) || layer.kind == SLUICE_DENSE) && layer.tied < 0; }

/// W (s x + t) + b = (W s) x + (b + W t): sums in double, rounded once.
void fold(const Layer& norm, Layer& next) {
  const std::size_t n = std::size_t(norm.out);
  std::vector<double> scale(n), shift(n);
  for (std::size_t i = 0; i < n; ++i) {
    scale[i] = double(values(norm, "weight")[i]) / std::sqrt(double(values(norm, "running_var")[i]) + double(norm.parameter));
    shift[i] = double(values(norm, "bias")[i]) - double(values(norm, "running_mean")[i]) * scale[i];
  }
  const std::size_t directions = next.both ? 2 : 1, arrays = next.arrays.size() / directions;
  for (std::size_t d = 0; d < directions; ++d) {
    Array& w = next.arrays[d * arrays];
    Array& b = *std::find_if(next.arrays.begin() + std::ptrdiff_t(d * arrays), next.arrays.end(),
                             [](const Array& a) { return a.name.starts_with("bias"); });
    for (std::size_t row = 0; row < std::size_t(w.gates * w.rows); ++row) {
      double sum = double(b.values[row]);
      for (std::size_t k = 0; k < n; ++k) {
        float& weight = w.values[row * n + k];
        sum += double(weight) * shift[k];
        weight = float(double(weight) * scale[k]);
      }
      b.values[row] = float(sum);
    }
  }
}

/// Whether a later layer has this one's weights: they cannot be changed for one alone.
bool shared(const Network& network, std::size_t layer) {
  return std::any_of(network.layers.begin(), network.layers.end(), [&](const Layer& l) { return l.tied == int(layer); });
}

}  // namespace

Network folded(Network network) {
  for (std::size_t i = 0; i + 1 < network.layers.size();) {
    if (network.layers[i].kind != SLUICE_BATCH_NORM || !takes_over(network.layers[i + 1]) || shared(network, i + 1)) {
      ++i;
      continue;
    }
    fold(network.layers[i], network.layers[i + 1]);
    network.layers.erase(network.layers.begin() + std::ptrdiff_t(i));
    for (Layer& layer : network.layers)
      if (layer.tied > int(i)) --layer.tied;
  }
  return network;
}

bool has_batch_norm(const Network& network) {
  return std::any_of(network.layers.begin(), network.layers.end(), [](const Layer& l) { return l.kind == SLUICE_BATCH_NORM; });
}

}  // namespace sluice::tools
