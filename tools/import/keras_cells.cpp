// Keras's recurrent layers, in one direction and both.
#include <algorithm>
#include <cmath>

#include "../common/print.h"
#include "keras_network.h"

namespace sluice::tools {
namespace {

using Json = JsonNode::Kind;

}  // namespace

KerasCell KerasNetwork::cell_of(const Use& use) {
  KerasCell cell;
  std::string type = use.layer.type;
  const JsonNode* settings = &use.config.config;
  if (type == "RNN") {
    const JsonNode* const inner = use.config.find({"cell"});
    const JsonNode* const name = inner ? inner->find("class_name") : nullptr;
    const JsonNode* const config = inner ? inner->find("config") : nullptr;
    type = name && name->is(Json::text) ? name->text : "";
    if (type.ends_with("Cell")) type.resize(type.size() - 4);
    if (config && config->is(Json::object)) settings = config;
  }
  const KerasEntries entries = {*settings, use.config.place};
  const bool fast = type.starts_with("CuDNN");
  if (fast) type.erase(0, 5);
  cell.units = entries.size({"units", "output_dim"}, 0);
  cell.bias = entries.truth({"use_bias", "bias"}, true);
  cell.activation = fast ? "tanh" : entries.word({"activation"}, "tanh");
  cell.backwards = use.config.truth({"go_backwards"}, false);
  cell.sequences = use.config.truth({"return_sequences"}, false);
  cell.state = use.config.truth({"return_state"}, false);
  if (type == "LSTM") {
    cell.kind = SLUICE_LSTM;
  } else if (type == "GRU") {
    cell.kind =
        fast || entries.truth({"reset_after"}, version_ >= 3) ? SLUICE_GRU : SLUICE_GRU_BEFORE;
  } else if (type == "SimpleRNN") {
    cell.kind = SLUICE_RNN;
  } else {
    obstacles_.add("{}: a cell of the class \"{}\", and LSTM, GRU and SimpleRNN can be expressed",
                   use.at, brief(type));
    cell.known = false;
    return cell;
  }
  if (cell.units == 0) refuse("{}: units: is missing or 0; write the file again", use.config.place);
  if (use.config.truth({"time_major"}, false))
    obstacles_.add("{}: time_major, with the steps in front of the batch", use.at);
  Layer probe;
  if (!put_candidate(probe, cell.activation)) {
    obstacles_.add("{}: activation \"{}\" of the candidate is not one that cells have here", use.at,
                   brief(cell.activation));
    cell.known = false;
  }
  if (cell.kind == SLUICE_RNN) return cell;
  const std::string gates = fast ? "sigmoid"
                                 : entries.word({"recurrent_activation", "inner_activation"},
                                                version_ < 3 ? "hard_sigmoid" : "sigmoid");
  if (gates == "hard_sigmoid") {
    cell.gates = SLUICE_HARD_SIGMOID, cell.slope = version_ < 3 ? 0.2f : 1.0f / 6;
  } else if (gates == "tanh") {
    cell.gates = SLUICE_TANH;
  } else if (gates != "sigmoid") {
    obstacles_.add(
        "{}: recurrent_activation \"{}\", and gates have sigmoid, hard_sigmoid or tanh "
        "here",
        use.at, brief(gates));
    cell.known = false;
  }
  return cell;
}

KerasCellArrays KerasNetwork::cell_arrays(const KerasPlace& place, const std::string& at,
                                          const KerasCell& cell, std::size_t in) {
  std::vector<Tensor> found = weights_.arrays(place, at);
  const std::size_t gates = anatomy_of(std::uint32_t(cell.kind)).gates, parts = cell.bias ? 3 : 2;
  if (found.size() != parts && (gates == 1 || found.size() != 3 * gates))
    refuse(
        "{}: {}: has {} arrays of weights, and its configuration makes them {}; the file is not "
        "whole, or contradicts itself",
        file_, at, found.size(), parts);
  return keras_cell(std::move(found), cell.kind, cell.units, in, file_);
}

Layer KerasNetwork::cell_layer(const KerasCell& cell, std::size_t in, bool both) {
  const std::size_t gates = anatomy_of(std::uint32_t(cell.kind)).gates;
  take((both ? 2 : 1) * gates * cell.units * (in + cell.units + 2));
  Layer layer = recurrent_layer(cell.kind, in, cell.units, both, cell.sequences);
  layer.activation = cell.gates, layer.parameter = cell.slope;
  put_candidate(layer, cell.activation);
  return layer;
}

void KerasNetwork::put_direction(Layer& layer, bool backward, const KerasCellArrays& arrays,
                                 std::size_t in, const std::string& at) {
  const auto units = std::size_t(layer.both ? layer.out / 2 : layer.out),
             rows = units * layer.anatomy().gates;
  CellWeights cell;
  cell.input = matrix_of(arrays.input, in, rows).transposed();
  cell.state = matrix_of(arrays.state, units, rows).transposed();
  if (!arrays.bias.empty()) cell.bias = column_of(arrays.bias);
  if (!arrays.second_bias.empty()) cell.second_bias = column_of(arrays.second_bias);
  cell.order = layer.kind == SLUICE_LSTM  ? keras_lstm_order
               : layer.kind == SLUICE_RNN ? torch_order
                                          : keras_gru_order;
  put_cell(layer, backward, cell);
  const std::size_t number = to_.network.layers.size() + 1;
  const char* const reverse = backward ? "_reverse" : "";
  to_.note(fmt::format("{}: kernel [{}][{}]", at, in, rows),
           fmt::format("layer {}: weight_ih{}", number, reverse));
  to_.note(fmt::format("{}: recurrent_kernel [{}][{}]", at, units, rows),
           layer.find(Role::candidate_weight, backward)
               ? fmt::format("layer {}: weight_hh{}, weight_hn{}", number, reverse, reverse)
               : fmt::format("layer {}: weight_hh{}", number, reverse));
  if (!arrays.bias.empty())
    to_.note(fmt::format("{}: bias", at),
             arrays.second_bias.empty()
                 ? fmt::format("layer {}: bias_ih{}", number, reverse)
                 : fmt::format("layer {}: bias_ih{}, bias_hh{}", number, reverse, reverse));
}

KerasValues KerasNetwork::read_recurrent(const Use& use, const KerasValues& inputs) {
  KerasCell cell = cell_of(use);
  const auto wanted = [&](std::size_t output) {
    return output < use.readers.size() && use.readers[output] > 0;
  };
  if (cell.kind == SLUICE_LSTM && wanted(2))
    obstacles_.add("{}: its cell state is read, and a network hands on h alone", use.at);
  if (use.config.truth({"stateful"}, false))
    to_.remarks.push_back(fmt::format(
        "{}: is stateful: the caller keeps the stream, and resets it where a sequence begins",
        use.at));
  if (!takes_sequence(use, inputs) || !cell.known) return {KerasValue()};
  const KerasValue& in = inputs[0];
  const std::size_t width = in.width();
  if (in.steps == 1)
    to_.remarks.push_back(fmt::format(
        "{}: reads sequences of one step: the caller resets the stream before each", use.at));
  // The state h alone is read: it is the output of the last step.
  if (cell.state && cell.sequences && !wanted(0)) cell.sequences = false;
  const bool backward = cell.backwards != in.reversed;
  const KerasCellArrays arrays = cell_arrays(use.place, use.at, cell, width);
  const auto put = [&](const KerasCell& shape) {
    Layer layer = cell_layer(shape, width, backward);
    put_direction(layer, backward, arrays, width, use.at);
    const auto key = std::pair(use.layer.config, static_cast<const JsonNode*>(nullptr));
    const auto first = first_with_.find(key);
    if (first == first_with_.end())
      first_with_[key] = int(to_.network.layers.size());
    else if (to_.network.layers[std::size_t(first->second)].both == backward)
      layer.tied = first->second;
    KerasValue out = add(use, std::move(layer), in);
    out.sequence = shape.sequences, out.once = !shape.sequences;
    out.reversed = shape.sequences && backward;
    out.masked = shape.sequences && in.masked;
    if (out.once) out.steps = 0;
    if (!backward) return out;
    to_.remarks.push_back(fmt::format(
        "{}: goes from the last frame to the first, which a network does as one half of a layer of "
        "both directions; the other half has zeros for weights, and costs as much",
        use.at));
    return select(out, cell.units, cell.units);
  };
  KerasValues outputs = {put(cell)};
  if (!cell.state) return outputs;
  KerasValue state = outputs[0];
  if (cell.sequences && wanted(1)) {
    KerasCell last = cell;
    last.sequences = false;
    state = put(last);
    to_.remarks.push_back(fmt::format(
        "{}: its outputs and its last state are read, so it is computed twice", use.at));
  }
  outputs.push_back(state);
  if (wanted(2)) outputs.emplace_back();
  return outputs;
}

KerasValues KerasNetwork::read_bidirectional(const Use& use, const KerasValues& inputs) {
  const JsonNode* const forward_node = use.config.find({"layer"});
  const JsonNode* const backward_node = use.config.find({"backward_layer"});
  if (!forward_node || !forward_node->is(Json::object))
    refuse("{}: has no layer inside; write the file again", use.config.place);
  const bool two = backward_node && backward_node->is(Json::object);
  const KerasLayer layers[] = {keras_layer(*forward_node, use.config.place),
                               keras_layer(two ? *backward_node : *forward_node, use.config.place)};
  const KerasCall none;
  KerasCell cells[2];
  for (int i = 0; i < 2; ++i) {
    if (!layers[i].config->is(Json::object))
      refuse("{}: the config of its layer is not an object; write the file again",
             use.config.place);
    const Use inner = {layers[i],
                       none,
                       {},
                       fmt::format("{}, {}", use.at, layers[i].type),
                       {*layers[i].config, use.config.place},
                       {}};
    static constexpr const char* cell_types[] = {"LSTM", "GRU",       "SimpleRNN",
                                                 "RNN",  "CuDNNLSTM", "CuDNNGRU"};
    if (std::find(std::begin(cell_types), std::end(cell_types), layers[i].type) ==
        std::end(cell_types)) {
      obstacles_.add("{}: there is no such layer of both directions here", inner.at);
      cells[i].known = false;
    } else if (i == 0 || (two && cells[0].known)) {
      cells[i] = cell_of(inner);
    } else {
      cells[1] = cells[0], cells[1].backwards = !cells[0].backwards;
    }
  }
  const JsonNode* const mode_node = use.config.find({"merge_mode"});
  const std::string mode = !mode_node ? "concat" : mode_node->is(Json::text) ? mode_node->text : "";
  const bool known_mode = mode == "concat" || mode == "sum" || mode == "mul" || mode == "ave" ||
                          (mode.empty() && mode_node && mode_node->is(Json::null));
  if (!known_mode) obstacles_.add("{}: merge_mode \"{}\"", use.at, brief(mode));
  const KerasCell &one = cells[0], &other = cells[1];
  bool fits = one.known && other.known && known_mode;
  if (fits && (one.kind != other.kind || one.units != other.units || one.gates != other.gates ||
               one.activation != other.activation || one.sequences != other.sequences)) {
    obstacles_.add(
        "{}: its backward layer is another one than its forward layer, in more than its "
        "weights",
        use.at);
    fits = false;
  }
  if (fits && (one.backwards || !other.backwards)) {
    obstacles_.add("{}: its layers do not go forward and backward", use.at);
    fits = false;
  }
  const std::size_t states = mode.empty() ? 2 : 1;
  for (std::size_t i = states; i < use.readers.size(); ++i)
    if (use.readers[i] > 0) {
      obstacles_.add("{}: its states are read, and a network hands on the outputs alone", use.at);
      fits = false;
      break;
    }
  if (!takes_sequence(use, inputs) || !fits) return {KerasValue()};

  const KerasValue& in = inputs[0];
  const std::size_t width = in.width(), units = one.units;
  const KerasCellArrays first =
      cell_arrays(weights_.part(use.place, "forward_layer"), use.at + ": forward", one, width);
  Layer layer = cell_layer(one, width, true);
  // Of frames in the opposite order, the network's backward half is Keras's forward layer.
  put_direction(layer, in.reversed, first, width, use.at + ": forward");
  const KerasCellArrays second =
      cell_arrays(weights_.part(use.place, "backward_layer"), use.at + ": backward", other, width);
  put_direction(layer, !in.reversed, second, width, use.at + ": backward");
  const auto key = std::pair(use.layer.config, layers[0].config);
  const auto known = first_with_.find(key);
  if (known == first_with_.end())
    first_with_[key] = int(to_.network.layers.size());
  else
    layer.tied = known->second;
  KerasValue all = add(use, std::move(layer), in);
  all.sequence = one.sequences, all.once = !one.sequences;
  all.reversed = one.sequences && in.reversed;
  all.masked = one.sequences && in.masked;
  if (all.once) all.steps = 0;
  if (mode == "concat" && !in.reversed) return {all};
  share(all.source);
  KerasValues halves = {select(all, in.reversed ? units : 0, units),
                        select(all, in.reversed ? 0 : units, units)};
  if (mode.empty()) return halves;
  KerasValue merged = join(mode == "concat" ? SLUICE_CONCAT
                           : mode == "mul"  ? SLUICE_MULTIPLY
                                            : SLUICE_ADD,
                           halves);
  if (mode == "ave")
    merged = scaled(merged, std::vector<float>(units, 0.5f), std::vector<float>(units));
  note(use, fmt::format("layer {}: the {} of both directions", merged.source,
                        mode == "concat" ? "concat"
                        : mode == "mul"  ? "product"
                        : mode == "sum"  ? "sum"
                                         : "mean"));
  return {merged};
}

}  // namespace sluice::tools
