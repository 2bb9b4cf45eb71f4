#include "weights.h"

#include "../model/graph.h"

namespace sluice::tools {
namespace {

/// Copies the gates first, first + 1, ... of the layer's order into an array.
void put_gates(Array& to, const View& from, const GateOrder& order, std::size_t first) {
  const auto units = std::size_t(to.rows), cols = std::size_t(to.cols);
  for (std::size_t gate = 0; gate < std::size_t(to.gates); ++gate)
    for (std::size_t row = 0; row < units; ++row)
      for (std::size_t col = 0; col < cols; ++col)
        to.values[(gate * units + row) * cols + col] =
            from.at(order.place[first + gate] * units + row, col);
}

}  // namespace

View matrix_of(const std::vector<float>& values, std::size_t rows, std::size_t cols) {
  return {values.data(), rows, cols, std::ptrdiff_t(cols), 1};
}

View column_of(const std::vector<float>& values) { return matrix_of(values, values.size(), 1); }

Layer recurrent_layer(sluice_layer_kind kind, std::size_t in, std::size_t units, bool both,
                      bool every_step) {
  Layer layer;
  layer.kind = kind;
  layer.in = int(in), layer.out = int(both ? 2 * units : units);
  layer.both = both, layer.every_step = every_step;
  return with_arrays(std::move(layer));
}

/// Gives a layer the arrays that its options require, and keeps those that it has.
void extend(Layer& layer) {
  Layer made = with_arrays(layer);
  for (Array& array : made.arrays)
    if (const Array* const old = layer.find(array.role, array.backward)) array.values = old->values;
  layer = std::move(made);
}

/// Stores an initial state, unless it is zero, which a layer has without one.
void put_initial_state(Layer& layer, bool backward, const View& h, const View& c) {
  const auto put = [&](Role role, const View& from) {
    bool any = false;
    for (std::size_t i = 0; from && i < from.rows; ++i) any = any || from.at(i, 0) != 0;
    if (!any || (role == Role::initial_c && layer.anatomy().states < 2)) return;
    if (!layer.initial_state) layer.initial_state = true, extend(layer);
    put_gates(layer.array(role, backward), from, torch_order, 0);
  };
  put(Role::initial_h, h), put(Role::initial_c, c);
}

void put_cell(Layer& layer, bool backward, const CellWeights& weights) {
  put_initial_state(layer, backward, weights.h, weights.c);
  if (weights.peepholes) {
    if (!layer.peepholes) layer.peepholes = true, extend(layer);
    put_gates(layer.array(Role::peephole, backward), weights.peepholes, weights.peephole_order, 0);
  }
  put_gates(layer.array(Role::input_weight, backward), weights.input, weights.order, 0);
  put_gates(layer.array(Role::state_weight, backward), weights.state, weights.order, 0);
  if (Array* const candidate = layer.find(Role::candidate_weight, backward)
                                   ? &layer.array(Role::candidate_weight, backward)
                                   : nullptr)
    put_gates(*candidate, weights.state, weights.order,
              std::size_t(layer.array(Role::state_weight, backward).gates));
  if (weights.bias)
    put_gates(layer.array(Role::input_bias, backward), weights.bias, weights.order, 0);
  if (!weights.second_bias) return;
  if (layer.find(Role::state_bias, backward))
    return put_gates(layer.array(Role::state_bias, backward), weights.second_bias, weights.order,
                     0);
  Array& sum = layer.array(Role::input_bias, backward);
  Array second = sum;
  put_gates(second, weights.second_bias, weights.order, 0);
  for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += second.values[i];
}

void set_curve(Layer& layer, const Curve& curve) {
  Layer bare = layer;
  bare.activation = curve.activation;
  bare.parameter = curve.parameter, bare.second = curve.second;
  Layer made = with_arrays(std::move(bare));
  for (Array& array : made.arrays)
    if (const Array* const old = layer.find(array.role))
      array.values = old->values;
    else if (array.role == Role::slope)
      for (std::size_t i = 0; i < array.values.size(); ++i)
        array.values[i] = curve.slopes[curve.slopes.size() == 1 ? 0 : i];
  layer = std::move(made);
}

Layer dense_layer(const View& weights, const View& bias, const Curve& curve) {
  Layer layer = make_layer(SLUICE_DENSE, int(weights.cols), int(weights.rows));
  put_gates(layer.array(Role::input_weight), weights, torch_order, 0);
  if (bias) put_gates(layer.array(Role::input_bias), bias, torch_order, 0);
  set_curve(layer, curve);
  return layer;
}

std::uint32_t append_curve(Network& network, std::uint32_t source, const Curve& curve,
                           bool shared) {
  if (source > 0 && !shared) {
    Layer& before = network.layers[source - 1];
    if (before.kind == SLUICE_DENSE && before.activation == SLUICE_LINEAR &&
        readers_of(network, source).empty()) {
      set_curve(before, curve);
      return source;
    }
  }
  const int width = width_of(network, source);
  Layer layer = make_layer(SLUICE_CURVE, width, width);
  set_curve(layer, curve);
  return append(network, std::move(layer), source);
}

std::uint32_t append(Network& network, Layer layer, std::uint32_t source) {
  if (source != network.layers.size()) layer.sources = {source};
  network.layers.push_back(std::move(layer));
  return std::uint32_t(network.layers.size());
}

std::uint32_t append_join(Network& network, sluice_layer_kind kind,
                          std::vector<std::uint32_t> sources) {
  Layer layer;
  layer.kind = kind;
  for (const std::uint32_t source : sources)
    layer.out =
        kind == SLUICE_CONCAT ? layer.out + width_of(network, source) : width_of(network, source);
  layer.in = layer.out;
  layer.sources = std::move(sources);
  network.layers.push_back(with_arrays(std::move(layer)));
  return std::uint32_t(network.layers.size());
}

std::uint32_t append_select(Network& network, std::uint32_t source,
                            const std::vector<std::int32_t>& columns) {
  Layer layer = make_layer(SLUICE_SELECT, width_of(network, source), int(columns.size()));
  layer.array(Role::columns).integers = columns;
  return append(network, std::move(layer), source);
}

std::uint32_t append_scale(Network& network, std::uint32_t source, const std::vector<float>& scale,
                           const std::vector<float>& shift) {
  Layer layer = make_layer(SLUICE_BATCH_NORM, int(scale.size()), int(scale.size()));
  layer.array(Role::scale).values = scale;
  layer.array(Role::shift).values = shift;
  layer.array(Role::variance).values.assign(scale.size(), 1);
  layer.parameter = 1e-30f;  // vanishes beside a variance of 1
  return append(network, std::move(layer), source);
}

}  // namespace sluice::tools
