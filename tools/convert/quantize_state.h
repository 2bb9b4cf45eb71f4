// A quantization in progress, and its parts: the products with weights, the answer's units, and the
// kinds of layers.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "calibrate.h"
#include "fixed_matrix.h"
#include "numbers.h"
#include "quantized.h"

namespace sluice::tools {

/// Ratio of the range of answers, and of a state whose unit is in the record, to calibration's;
/// int16 has room for it.
constexpr double headroom = 2;

/// How the integers of a source enter a product: value = (unit * v + shift) * scale, with v a
/// frame's number, or an output's after narrowing. The scale and a part of the shift come from a
/// folded standardization.
struct SourceScale {
  std::vector<double> unit, shift, scale;
  bool frame = false;  ///< the model's input, standardized or not

  double unit_of(std::size_t k) const { return unit[k] * scale[k]; }
  double zero_of(std::size_t k) const { return shift[k] * scale[k]; }
};

/// A quantization in progress, layer by layer.
struct QuantizeState {
  const Network& real;
  sluice_format format;
  const Ranges& ranges;
  const std::vector<LayerMoments>& moments;
  std::vector<SourceScale> sides{};  ///< of the frame, then of each layer of `real`
  /// The source in the fixed-point network: 0 for the frame, else a layer counted from 1.
  std::vector<std::uint32_t> fixed_of{};
  Quantized result{};

  /// Return the largest magnitude of a product's inputs, and the ratio of an int16 number to its
  /// value as an input.
  double largest() const { return -lowest_input(format); }
  double narrowing() const { return narrowing_of(format); }

  /// Returns the number of a layer of `real`, counted from 0.
  std::size_t index_of(const Layer& layer) const {
    return std::size_t(&layer - real.layers.data());
  }
  /// Returns the numbers that a layer of one source reads.
  const SourceScale& side_of(const Layer& layer) const;

  /// Adds a layer whose outputs have these units.
  void add(const Layer& of, Layer layer, const std::vector<double>& unit,
           const std::vector<double>& zero);
  void add(const Layer& of, Layer layer, double unit) {
    const auto n = std::size_t(layer.out);
    add(of, std::move(layer), std::vector<double>(n, unit), std::vector<double>(n));
  }
};

// Products with weights (quantize_product.cpp).

/// Returns moments of values as moments of integers: number = value * factor + offset.
Moments in_numbers(Moments m, const std::vector<double>& factor, const std::vector<double>& offset);

/// Rounds a matrix over the inputs of its layer, the columns in steps of the inputs; the inputs'
/// value at 0 goes into the bias.
/// @param bias  null: zeros
/// @param zero  [rows] zero points of the outputs, which the bias leaves out; empty: 0
Fixed over_input(QuantizeState& work, const Layer& layer, const Array& w, const Array* bias,
                 const std::vector<double>& zero = {});

/// Rounds a matrix over numbers without an offset.
/// @param bias  empty: zeros
/// @param unit  [cols] value of one step of each number in the product
Fixed over_numbers(QuantizeState& work, const Layer& layer, const Array& w, std::vector<float> bias,
                   const Entering& entering, const std::vector<double>& unit);

/// Adds the multipliers that scale a product's sums to `target`. Refuses weights so large that they
/// leave no room.
/// @param target      [rows] units of the scaled sums
/// @param from_input  whether the frame enters the product, so that a column's range may be the
///                    cause
void scale_sums(const QuantizeState& work, const Layer& layer, Fixed& fixed,
                const std::vector<double>& target, bool from_input);

// Answers and Dense (quantize_dense.cpp).

/// Returns one unit for n numbers, without a zero point.
Units16 one_unit(double unit, std::size_t n);

/// Returns the units, as float, of numbers of the answer, or of terms that are added or multiplied.
/// Each number gets its own unit and zero point, by its calibrated range with headroom, so that
/// targets far from 0, and of very different magnitudes, keep their precision. Returns nothing if
/// the layer's numbers share a unit without a zero point: classes are compared with one another,
/// and other layers may read the numbers. ReLU's zero is the number 0.
std::optional<Units16> own_units(const QuantizeState& work, const Layer& layer);

/// Returns the unit of a layer by its calibrated peak, as float; an answer has headroom. If all
/// outputs were 0 in the calibration data, 1 stands for the peak: units of next to nothing would
/// leave no multiplier for the sums.
double unit_by_peak(const QuantizeState& work, const Layer& layer);

/// Returns the units of the int16 numbers that a layer of one source reads: value = unit * number +
/// zero (quantize_join.cpp).
Units16 numbers16_of(const QuantizeState& work, const Layer& layer);

// Convolutions (quantize_window.cpp).

/// Returns which numbers of the frame need one unit, and 0 for zero, because weights or pooling
/// read them by parts.
std::vector<bool> shared_columns(const Network& real);

/// Returns the network with each layer that is a curve alone as a Dense that copies its input.
Network without_curve_layers(Network network);

// Layers: each adds the layer of `real` to the network in fixed point.

void add_cell(QuantizeState& work, const Layer& real);    // quantize_cell.cpp
void add_dense(QuantizeState& work, const Layer& real);   // quantize_dense.cpp
void add_concat(QuantizeState& work, const Layer& real);  // quantize_join.cpp
void add_difference(QuantizeState& work, const Layer& real);
void add_select(QuantizeState& work, const Layer& real);
void add_sum(QuantizeState& work, const Layer& real);
void add_dense_of_parts(QuantizeState& work, const Layer& real);  // quantize_window.cpp
void add_window(QuantizeState& work, const Layer& real);
void add_pool(QuantizeState& work, const Layer& real);
void add_over_steps(QuantizeState& work, const Layer& real);
void add_product(QuantizeState& work, const Layer& real);
}  // namespace sluice::tools
