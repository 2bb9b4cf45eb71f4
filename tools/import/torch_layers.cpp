// Makes the layers of modules and functions of torch.
#include <algorithm>
#include <functional>

#include "../model/graph.h"
#include "torch_follower.h"

namespace sluice::tools::script {

Tensor Follower::tensor(const Value& value, const std::string& name) {
  if (!value.is(What::constant)) stop("{}: its weights are not tensors of the file", brief(name));
  Tensor result = reader_.read(*value.values, *value.node, name);
  check_finite(result, path_);
  if (!value.transposed || result.shape.size() != 2) return result;
  Tensor exchanged = result;
  std::swap(exchanged.shape[0], exchanged.shape[1]);
  const View from = matrix_of(result.values, result.shape[0], result.shape[1]).transposed();
  for (std::size_t i = 0; i < exchanged.values.size(); ++i)
    exchanged.values[i] = from.at(i / from.cols, i % from.cols);
  return exchanged;
}

std::uint32_t Follower::flow_of(const Value* value, const std::string& what) {
  if (value && value->is(What::hidden)) {
    const Value last = last_step(*value);
    return last.source;
  }
  if (!value || !value->is(What::flow))
    stop("{}: its input does not come from the frame", brief(what));
  return value->source;
}

void Follower::begin(std::size_t inputs) {
  if (!begun_) result_.network.width = int(inputs);
  begun_ = true;
}

std::uint32_t Follower::put(Layer layer, std::uint32_t source, const std::string& name) {
  const std::string kind = layer.anatomy().name;
  const std::uint32_t number = append(result_.network, std::move(layer), source);
  result_.note(name.empty() ? "the code" : name, fmt::format("layer {}: {}", number, kind));
  return number;
}

Value Follower::recurrent(sluice_layer_kind kind, const Value* input, const Value* start,
                          const std::vector<Value>& weights, bool biases, std::size_t layers,
                          bool both, const std::string& name, sluice_activation candidate) {
  std::uint32_t source = flow_of(input, name);
  if (start && depends_on_frame(*start))
    stop("{}: its state is computed from the frame", brief(name));
  std::vector<Tensor> initial;  // h, then an LSTM's c
  bool any = false;             // of its numbers is not zero
  const std::function<void(const Value&)> collect = [&](const Value& value) {
    for (const Value& item : value.items) collect(item);
    if (!value.is(What::constant)) return;
    initial.push_back(tensor(value, name + ", initial state"));
    for (const float number : initial.back().values) any = any || number != 0;
  };
  if (start) collect(*start);
  if (!any) initial.clear();
  if (any && initial.size() != anatomy_of(std::uint32_t(kind)).states)
    stop("{}: an initial state of which a part is computed", brief(name));
  const std::size_t gates = anatomy_of(std::uint32_t(kind)).gates, plain = biases ? 4 : 2,
                    directions = both ? 2 : 1;
  const bool projects = kind == SLUICE_LSTM && weights.size() == layers * directions * (plain + 1);
  const std::size_t arrays = plain + projects;
  if (weights.size() != layers * directions * arrays)
    stop("{}: {} arrays for {} layers", brief(name), weights.size(), layers);
  std::vector<std::uint32_t> made;
  for (std::size_t l = 0; l < layers; ++l) {
    Layer layer;
    for (std::size_t d = 0; d < directions; ++d) {
      const std::size_t first = (l * directions + d) * arrays;
      const auto array = [&](std::size_t i) {
        return tensor(weights[first + i], fmt::format("{}, array {}", name, first + i));
      };
      const Tensor w = array(0), u = array(1);
      Tensor b, second, projection;
      if (projects) projection = array(plain);
      if (biases) b = array(2), second = array(3);
      const std::size_t rows = w.shape.size() == 2 ? w.shape[0] : 0, cells = rows / gates,
                        units = !projects || projection.shape.empty() ? cells : projection.shape[0];
      if (rows == 0 || rows % gates != 0 || u.shape != std::vector<std::size_t>{rows, units} ||
          (projects && projection.shape != std::vector<std::size_t>{units, cells}) ||
          (biases && (b.values.size() != rows || second.values.size() != rows)))
        stop("{}: weights of the shapes {} and {}", brief(name), w.shape_text(), u.shape_text());
      begin(w.shape[1]);
      if (w.shape[1] != width(source))
        stop("{}: {} numbers enter weights for {}", brief(name), width(source), w.shape[1]);
      if (d == 0) layer = recurrent_layer(kind, w.shape[1], units, both, true);
      if (d == 0 && projects) layer.cells = int(cells), layer = with_arrays(std::move(layer));
      CellWeights cell;
      cell.input = matrix_of(w.values, rows, w.shape[1]);
      cell.state = matrix_of(u.values, rows, units);
      if (biases) cell.bias = column_of(b.values), cell.second_bias = column_of(second.values);
      for (std::size_t i = 0; i < initial.size(); ++i) {
        const std::size_t numbers = i == 0 ? units : cells;
        if (initial[i].values.size() != layers * directions * numbers)
          stop("{}: an initial state of the shape {}", brief(name), initial[i].shape_text());
        (i == 0 ? cell.h : cell.c) =
            column_of(initial[i].values).part((l * directions + d) * numbers, numbers);
      }
      put_cell(layer, d == 1, cell);
      if (projects) layer.array(Role::projection, d == 1).values = projection.values;
    }
    layer.candidate = candidate;
    source =
        put(std::move(layer), source, layers > 1 ? fmt::format("{}, layer {}", name, l) : name);
    made.push_back(source);
  }
  Value hidden;
  hidden.what = What::hidden;
  hidden.of = made;
  const Value states = kind == SLUICE_LSTM ? list_value({hidden, state_value()}) : hidden;
  return list_value({flow_value(source), states});
}

Value Follower::linear(const Value* input, const Value& weight, const Value* bias,
                       const std::string& name) {
  const std::uint32_t source = flow_of(input, name);
  const Tensor w = tensor(weight, name + ".weight");
  Tensor b;
  if (bias) b = tensor(*bias, name + ".bias");
  if (w.shape.size() != 2 || (bias && b.values.size() != w.shape[0]))
    stop("{}: a weight of the shape {}", brief(name), w.shape_text());
  begin(w.shape[1]);
  if (w.shape[1] != width(source))
    stop("{}: {} numbers enter weights for {}", brief(name), width(source), w.shape[1]);
  return flow_value(put(
      dense_layer(matrix_of(w.values, w.shape[0], w.shape[1]), bias ? column_of(b.values) : View()),
      source, name));
}

Value Follower::activate(const Value* input, const Curve& curve, const std::string& name) {
  const std::uint32_t source = flow_of(input, name);
  if (source == 0) {
    if (!begun_) return *input;  // the width is still to be found out
  }
  const std::uint32_t made = append_curve(result_.network, source, curve);
  result_.note(name.empty() ? "the code" : name, fmt::format("the activation of layer {}", made));
  return flow_value(made);
}

/// Multiplies by a constant, divides by it, or adds it, number by number.
Value Follower::scale(const Value* input, const Value& by, bool adds, bool inverted, double sign) {
  std::vector<float> numbers;
  if (by.is(What::number)) numbers = {float(by.number)};
  if (by.is(What::constant)) numbers = tensor(by, "a factor").values;
  if (!begun_ && numbers.size() > 1) begin(numbers.size());
  if (!begun_) return *input;  // the width is still to be found out
  const std::uint32_t source = flow_of(input, "a factor");
  const std::size_t size = width(source);
  if (numbers.size() != 1 && numbers.size() != size)
    stop("{} factors of {} numbers", numbers.size(), size);
  if (numbers.size() == 1) numbers.resize(size, numbers[0]);
  std::vector<float> factor(size, 1), shift(size, 0);
  for (std::size_t i = 0; i < size; ++i)
    (adds ? shift : factor)[i] = adds       ? float(sign) * numbers[i]
                                 : inverted ? 1 / numbers[i]
                                            : numbers[i];
  const std::uint32_t made = append_scale(result_.network, source, factor, shift);
  result_.note("the code",
               fmt::format("layer {}: {}", made, adds ? "a sum with constants" : "factors"));
  return flow_value(made);
}

/// Returns the last step of a flow, or of a hidden state.
Value Follower::last_step(const Value& value) {
  std::uint32_t layer = value.is(What::hidden) ? value.of.back() : value.source;
  if (layer == 0) stop("the last step of the frames themselves");
  // Through layers without a state, back to the recurrent layer.
  while (!tools::recurrent(result_.network.layers[layer - 1])) {
    const std::vector<std::uint32_t> sources = sources_of(result_.network, layer - 1);
    if (sources.size() != 1 || sources[0] == 0) stop("the last step of a layer without a state");
    layer = sources[0];
  }
  if (value.is(What::flow)) {
    // There the backward direction has read one frame, and at the end of a sequence all of them.
    if (goes_both_ways(layer))
      result_.remarks.emplace_back(
          "the answer is that of the last step; the model answers every step, since its last step "
          "has read one frame alone in the backward direction");
    else
      last_.push_back(layer);
    return value;
  }
  last_.push_back(layer);
  if (value.half == 0) return flow_value(layer);
  const int units = result_.network.layers[layer - 1].out / 2;
  std::vector<std::int32_t> columns;
  for (int i = 0; i < units; ++i) columns.push_back((value.half == 2 ? units : 0) + i);
  return flow_value(append_select(result_.network, layer, columns));
}

/// Returns the state of one layer and direction out of those of all.
Value Follower::select_state(const Value& hidden, double index) {
  const bool both = goes_both_ways(hidden.of.back());
  const auto states = double(hidden.of.size() * (both ? 2 : 1));
  if (index < 0) index += states;
  if (hidden.half != 0 || !(index >= 0 && index < states)) return hidden;  // a dimension of one
  Value one = hidden;
  const auto at = std::size_t(index);
  one.of = {hidden.of[both ? at / 2 : at]};
  if (both) one.half = at % 2 ? 2 : 1;
  if (one.of[0] != hidden.of.back()) stop("the last state of a layer that others read every step");
  return one;
}

}  // namespace sluice::tools::script
