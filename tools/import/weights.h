// Puts the weights of other programs' layers into the arrays of a network's layers: their order of
// gates, of rows and columns.
#pragma once
#include <array>
#include <cstddef>
#include <vector>

#include "imported.h"

namespace sluice::tools {

/// A matrix inside a tensor, without memory of its own. A vector is a matrix of one column.
struct View {
  const float* data = nullptr;  ///< null: there is none
  std::size_t rows = 0, cols = 0;
  std::ptrdiff_t row_step = 0, col_step = 0;
  explicit operator bool() const { return data != nullptr; }
  float at(std::size_t row, std::size_t col) const {
    return data[std::ptrdiff_t(row) * row_step + std::ptrdiff_t(col) * col_step];
  }
  View transposed() const { return {data, cols, rows, col_step, row_step}; }
  /// Returns `count` rows from `first` on.
  View part(std::size_t first, std::size_t count) const {
    return {data + std::ptrdiff_t(first) * row_step, count, cols, row_step, col_step};
  }
  /// Returns `count` columns from `first` on.
  View columns(std::size_t first, std::size_t count) const {
    return {data + std::ptrdiff_t(first) * col_step, rows, count, row_step, col_step};
  }
};

/// Returns numbers as a matrix in row-major order.
View matrix_of(const std::vector<float>& values, std::size_t rows, std::size_t cols);
/// Returns numbers as a column.
View column_of(const std::vector<float>& values);

/// The order of a file's gates: for each gate of the network's layer (GRU r, z, n; LSTM i, f, g, o)
/// its number in the file.
struct GateOrder {
  std::array<std::size_t, 4> place;
};
constexpr GateOrder torch_order = {{0, 1, 2, 3}};       ///< GRU r, z, n; LSTM i, f, g, o
constexpr GateOrder keras_gru_order = {{1, 0, 2, 3}};   ///< z, r, h; ONNX has the same
constexpr GateOrder keras_lstm_order = {{0, 1, 2, 3}};  ///< i, f, c, o
constexpr GateOrder onnx_lstm_order = {{0, 2, 3, 1}};   ///< i, o, f, c
constexpr GateOrder onnx_peephole_order = {{0, 2, 1}};  ///< i, o, f

/// The weights of one direction of a cell, with the rows of all gates one behind another.
struct CellWeights {
  View input;        ///< [gates * units][in]
  View state;        ///< [gates * units][units]
  View bias;         ///< [gates * units]; may be missing
  View second_bias;  ///< [gates * units]: added by the product over the state; may be missing
  View h, c;         ///< [units] the initial state; missing: zero
  View peepholes;    ///< [3 * units] of i, f and o of an LSTM; missing: none
  GateOrder order = torch_order;
  GateOrder peephole_order = torch_order;  ///< of i, f and o
};

/// Returns a recurrent layer of that shape, with zeros.
/// @param units  of one direction
Layer recurrent_layer(sluice_layer_kind kind, std::size_t in, std::size_t units, bool both,
                      bool every_step);

/// Puts a direction's weights into a recurrent layer.
void put_cell(Layer& layer, bool backward, const CellWeights& weights);

/// An activation with its numbers.
struct Curve {
  sluice_activation activation = SLUICE_LINEAR;
  float parameter = 0;             ///< as Layer::parameter
  float second = 0;                ///< as Layer::second
  std::vector<float> slopes = {};  ///< of a PReLU: one for each unit, or one for all
};

/// Gives a Dense, or a layer of a curve alone, that activation.
void set_curve(Layer& layer, const Curve& curve);

/// Returns a Dense.
/// @param weights  [out][in]
/// @param bias     [out]; may be missing
Layer dense_layer(const View& weights, const View& bias, const Curve& curve = {});

/// Applies an activation to a source: in the Dense that it is, if that has none and nothing else
/// reads it; else in a layer of its own.
/// @param shared  whether other layers may read the source too
std::uint32_t append_curve(Network& network, std::uint32_t source, const Curve& curve,
                           bool shared = false);

/// Appends a layer that reads `source` (0: the frame; else a layer counted from 1), and returns its
/// own number, by which later layers read it.
std::uint32_t append(Network& network, Layer layer, std::uint32_t source);

/// Appends a layer that joins outputs of one width, or a concat.
std::uint32_t append_join(Network& network, sluice_layer_kind kind,
                          std::vector<std::uint32_t> sources);

/// Appends a selection of columns of a source.
std::uint32_t append_select(Network& network, std::uint32_t source,
                            const std::vector<std::int32_t>& columns);

/// Appends y = x * scale + shift, number by number.
std::uint32_t append_scale(Network& network, std::uint32_t source, const std::vector<float>& scale,
                           const std::vector<float>& shift);

}  // namespace sluice::tools
