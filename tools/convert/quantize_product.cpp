// A matrix of a layer in fixed point: its columns in steps of the numbers that enter the product,
// its bias and its multipliers.
#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "quantize.h"
#include "quantize_state.h"

namespace sluice::tools {

Moments in_numbers(Moments m, const std::vector<double>& factor,
                   const std::vector<double>& offset) {
  const std::size_t n = m.mean.size();
  for (std::size_t i = 0; i < n; ++i) {
    m.mean[i] = m.mean[i] * factor[i] + offset[i];
    for (std::size_t j = 0; j < n; ++j) m.covariance[i * n + j] *= factor[i] * factor[j];
  }
  return m;
}

namespace {

/// Returns the inputs of a layer's product.
Entering entering_of(const QuantizeState& work, const Layer& layer) {
  if (work.moments.empty()) return {work.largest(), {}};
  const SourceScale& side = work.side_of(layer);
  if (side.frame) {  // the frame's moments are those before a standardization
    const Scales& scales = work.result.network.scales;
    return {work.largest(),
            in_numbers(work.moments[0].input, {scales.inverse.begin(), scales.inverse.end()},
                       {scales.offset.begin(), scales.offset.end()})};
  }
  std::vector<double> factor(side.unit.size()), offset(side.unit.size());
  for (std::size_t k = 0; k < factor.size(); ++k) {
    factor[k] = side.unit_of(k) == 0 ? 0 : 1 / side.unit_of(k);
    offset[k] = -side.zero_of(k) * factor[k];
  }
  return {work.largest(), in_numbers(work.moments[work.index_of(layer)].input, factor, offset)};
}

/// Returns a layer's matrix in integers, and stores the weights that these stand for. The weight of
/// a constant feature is not used and stays.
/// @param unit  [cols] value of one step of each column's feature
Fixed round_weights(QuantizeState& work, const Layer& layer, const Array& w, const Affine& affine,
                    const Entering& entering, const std::vector<double>& unit) {
  Fixed fixed = round_matrix(affine, entering);
  Layer& rounded_layer = work.result.rounded.layers[work.index_of(layer)];
  std::vector<float>& values = rounded_layer.arrays[std::size_t(&w - layer.arrays.data())].values;
  if (affine.cols == 0) return fixed;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double column = unit[i % affine.cols];
    if (column != 0) values[i] = float(fixed.w[i] * fixed.unit[i / affine.cols] / column);
  }
  if (fixed.coarsened)
    work.result.warnings.push_back(
        fmt::format("{}: {} of {} rows of {} made coarser, so that no accumulator can overflow",
                    layer_name(work.real, layer), fixed.coarsened, affine.rows, w.name));
  return fixed;
}

Affine affine_of(const Array& w, const std::vector<float>& bias) {
  return {std::size_t(w.gates) * std::size_t(w.rows),
          std::size_t(w.cols),
          {w.values.begin(), w.values.end()},
          {bias.begin(), bias.end()}};
}

/// Refuses a product with the frame whose sums are too large: because a feature lies far from 0 and
/// is not standardized, or because its steps are so coarse that its column alone is too large.
[[noreturn]] void refuse_range(const QuantizeState& work, const Layer& layer, const Fixed& fixed,
                               const std::string& name) {
  const SourceScale& side = work.side_of(layer);
  const std::vector<float>& weights = layer.array(Role::input_weight).values;
  double largest = 0;
  for (const double bias : fixed.bias) largest = std::max(largest, std::fabs(bias));
  if (largest > fixed.worst / 2) {
    const auto offset = [&](std::size_t i) {
      return std::fabs(double(weights[i]) * side.zero_of(i % fixed.cols));
    };
    std::size_t farthest = 0;
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (offset(i) > offset(farthest)) farthest = i;
    const std::size_t k = farthest % fixed.cols;
    refuse(
        "{}: an accumulator could overflow, for {} is near {} and is not standardized; set "
        "data.standardize, or subtract an offset",
        name, input_name(work.real, k), work.ranges.low[k]);
  }
  std::size_t widest = 0;
  const auto value = [&](std::size_t i) {
    return std::abs(fixed.w[i]) * fixed.unit[i / fixed.cols];
  };
  for (std::size_t i = 0; i < fixed.w.size(); ++i)
    if (value(i) > value(widest)) widest = i;
  const std::size_t k = widest % fixed.cols;
  refuse(
      "{}: an accumulator could overflow, for {} goes from {} to {} in the calibration data; look "
      "there for an outlier, or "
      "choose ranges by percentile",
      name, input_name(work.real, k), work.ranges.low[k], work.ranges.high[k]);
}

}  // namespace

Fixed over_input(QuantizeState& work, const Layer& layer, const Array& w, const Array* bias,
                 const std::vector<double>& zero) {
  const SourceScale& side = work.side_of(layer);
  Affine a = affine_of(
      w, bias ? bias->values : std::vector<float>(std::size_t(w.gates) * std::size_t(w.rows)));
  for (std::size_t r = 0; r < zero.size(); ++r) a.bias[r] -= zero[r];
  for (std::size_t r = 0; r < a.rows; ++r)
    for (std::size_t k = 0; k < a.cols; ++k) {
      double& weight = a.w[r * a.cols + k];
      weight *= side.scale[k];
      a.bias[r] += weight * side.shift[k];
      weight *= side.unit[k];
    }
  std::vector<double> unit(a.cols);
  for (std::size_t k = 0; k < a.cols; ++k) unit[k] = side.unit_of(k);
  return round_weights(work, layer, w, a, entering_of(work, layer), unit);
}

Fixed over_numbers(QuantizeState& work, const Layer& layer, const Array& w, std::vector<float> bias,
                   const Entering& entering, const std::vector<double>& unit) {
  bias.resize(std::size_t(w.gates) * std::size_t(w.rows));
  Affine a = affine_of(w, bias);
  for (std::size_t i = 0; i < a.w.size(); ++i) a.w[i] *= unit[i % a.cols];
  return round_weights(work, layer, w, a, entering, unit);
}

void scale_sums(const QuantizeState& work, const Layer& layer, Fixed& fixed,
                const std::vector<double>& target, bool from_input) {
  if (add_multipliers(fixed, target)) return;
  const std::string name = layer_name(work.real, layer);
  if (from_input && layer.find(Role::input_weight)) refuse_range(work, layer, fixed, name);
  refuse(
      "{}: its weights are so large that an accumulator could overflow; train with a penalty on "
      "them (train.l2)",
      name);
}

}  // namespace sluice::tools
