// The sums of a cell's gates, in real numbers, of a layer in float or in fixed point.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "../model/network.h"
#include "numbers.h"

namespace sluice::tools {

/// W v + b of a gate, or of a factor of low rank.
struct GateSums {
  const Array& w;
  const Array* bias;  ///< null: zeros
  int shift;          ///< of R; -1 for a float layer
  int first = 0;      ///< the gate of the bias that the matrix begins with

  /// In units of gate_unit in fixed point.
  double at(int gate, int row, const std::vector<double>& v) const {
    const std::size_t index = std::size_t(first + gate) * std::size_t(w.rows) + std::size_t(row);
    if (shift < 0) return more(bias ? double(bias->values[index]) : 0, gate, row, v);
    double sum = bias->integers[index];
    const std::size_t begin =
        (std::size_t(gate) * std::size_t(w.rows) + std::size_t(row)) * std::size_t(w.cols);
    for (std::size_t k = 0; k < v.size(); ++k) sum += double(w.integers[begin + k]) * v[k];
    return sum * double(bias->integers[bias->integers.size() / 2 + index]) *
           std::ldexp(gate_unit, shift - 32);
  }

  /// sum + W v of a float layer.
  double more(double sum, int gate, int row, const std::vector<double>& v) const {
    const std::size_t begin =
        (std::size_t(gate) * std::size_t(w.rows) + std::size_t(row)) * std::size_t(w.cols);
    for (std::size_t k = 0; k < v.size(); ++k) sum += double(w.values[begin + k]) * v[k];
    return sum;
  }
};

/// The number that enters a product in int8 for an int16 number: its upper byte, rounded.
inline double narrowed(double h) {
  return std::min(std::floor(h / narrowing_of(SLUICE_INT8) + 0.5), highest_input(SLUICE_INT8));
}

/// Returns v as it enters the layer's own matrix: the product of the factor of low rank over it; v
/// itself if the layer has no such factor.
inline std::vector<double> over_factor(const Layer& layer, Role factor, std::vector<double> v) {
  const Array* const w = layer.find(factor);
  if (!w) return v;
  const bool real = layer.format == SLUICE_F32, input = factor == Role::input_factor;
  const GateSums sums{*w, layer.find(input ? Role::input_factor_bias : Role::state_factor_bias),
                      real    ? -1
                      : input ? layer.factor_shift_ih
                              : layer.factor_shift_hh};
  std::vector<double> y;
  for (int row = 0; row < w->rows; ++row) {
    double sum = sums.at(0, row, v);
    if (!real) sum = std::clamp(std::floor(sum / gate_unit + 0.5), lowest_output, highest_output);
    y.push_back(layer.format == SLUICE_INT8 ? narrowed(sum) : sum);
  }
  return y;
}

}  // namespace sluice::tools
