// Statistics of the features, in double, by plain sums in the order of the frames: the same bits everywhere.
#include <cmath>
#include <limits>

#include "data.h"

namespace sluice::tools {
namespace {

/// Calls f(x) with every frame's value of one feature.
template <class F>
void each(const DataSet& data, std::span<const std::size_t> sequences, std::size_t feature, F f) {
  for (std::size_t s : sequences)
    for (std::size_t row = data.first[s]; row < data.first[s + 1]; ++row) f(data.x[row * data.features() + feature]);
}

}  // namespace

Standardization standardization(const DataSet& data, std::span<const std::size_t> sequences) {
  Standardization result;
  for (std::size_t feature = 0; feature < data.features(); ++feature) {
    double n = 0, sum = 0, squares = 0;
    float least = std::numeric_limits<float>::infinity(), most = -least;
    each(data, sequences, feature, [&](float x) {
      n += 1, sum += x;
      least = x < least ? x : least, most = x > most ? x : most;
    });
    const double mean = sum / n;
    each(data, sequences, feature, [&](float x) { squares += (x - mean) * (x - mean); });
    const float scale = float(1.0 / std::sqrt(squares / n));
    // Rounding leaves a constant feature a deviation of almost 0, which must not become an enormous scale.
    const bool constant = least == most || !std::isfinite(scale);
    result.mean.push_back(least == most ? least : float(mean));
    result.scale.push_back(constant ? 1.0f : scale);
  }
  return result;
}

}  // namespace sluice::tools
