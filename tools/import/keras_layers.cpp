// The kinds of Keras's layers, one function each.
#include <algorithm>
#include <cmath>

#include "../common/print.h"
#include "keras_network.h"

namespace sluice::tools {
namespace {

using Json = JsonNode::Kind;

/// Returns whether an axis is the last one of a tensor; a list of one axis will do.
bool is_last_axis(const JsonNode* axis, std::size_t rank) {
  if (!axis || axis->is(Json::null)) return true;
  double value = 0;
  if (axis->is(Json::number))
    value = axis->number;
  else if (axis->is(Json::numbers) && axis->numbers.size() == 1)
    value = axis->numbers[0];
  else
    return false;
  return value == -1 || value == double(rank) - 1;
}

/// Returns the rank of a value, with the batch's dimension.
std::size_t rank_of(const KerasValue& value) {
  return 1 + (value.sequence ? 1 : 0) + value.dims.size();
}

/// Returns whole numbers of a list or a single one; nothing if a number is none.
std::optional<std::vector<double>> whole_numbers(const JsonNode* node) {
  if (!node) return std::nullopt;
  if (node->is(Json::number)) return std::vector<double>{node->number};
  if (!node->is_list()) return std::nullopt;
  std::vector<double> numbers = node->numbers;
  for (const JsonNode& item : node->items) {
    if (!item.is(Json::number)) return std::nullopt;
    numbers.push_back(item.number);
  }
  for (const double value : numbers)
    if (value != std::floor(value) || std::fabs(value) > 1e9) return std::nullopt;
  return numbers;
}

}  // namespace

const KerasNetwork::Kind KerasNetwork::kinds[] = {
    {"LSTM", &KerasNetwork::read_recurrent},
    {"GRU", &KerasNetwork::read_recurrent},
    {"SimpleRNN", &KerasNetwork::read_recurrent},
    {"CuDNNLSTM", &KerasNetwork::read_recurrent},
    {"CuDNNGRU", &KerasNetwork::read_recurrent},
    {"RNN", &KerasNetwork::read_recurrent},
    {"Bidirectional", &KerasNetwork::read_bidirectional},
    {"TimeDistributed", &KerasNetwork::read_time_distributed},
    {"Sequential", &KerasNetwork::read_nested},
    {"Functional", &KerasNetwork::read_nested},
    {"Model", &KerasNetwork::read_nested},
    {"Dense", &KerasNetwork::read_dense},
    {"TimeDistributedDense", &KerasNetwork::read_dense},
    {"Conv1D", &KerasNetwork::read_convolution},
    {"Convolution1D", &KerasNetwork::read_convolution},
    {"Embedding", &KerasNetwork::read_embedding},
    {"BatchNormalization", &KerasNetwork::read_batch_norm},
    {"BatchNormalizationV1", &KerasNetwork::read_batch_norm},
    {"BatchNormalizationV2", &KerasNetwork::read_batch_norm},
    {"LayerNormalization", &KerasNetwork::read_layer_norm},
    {"Normalization", &KerasNetwork::read_normalization},
    {"Rescaling", &KerasNetwork::read_rescaling},
    {"Activation", &KerasNetwork::read_activation},
    {"ReLU", &KerasNetwork::read_activation},
    {"LeakyReLU", &KerasNetwork::read_activation},
    {"ELU", &KerasNetwork::read_activation},
    {"PReLU", &KerasNetwork::read_activation},
    {"ThresholdedReLU", &KerasNetwork::read_activation},
    {"Softmax", &KerasNetwork::read_activation},
    {"Masking", &KerasNetwork::read_masking},
    {"Dropout", &KerasNetwork::read_nothing},
    {"SpatialDropout1D", &KerasNetwork::read_nothing},
    {"GaussianDropout", &KerasNetwork::read_nothing},
    {"GaussianNoise", &KerasNetwork::read_nothing},
    {"AlphaDropout", &KerasNetwork::read_nothing},
    {"ActivityRegularization", &KerasNetwork::read_nothing},
    {"Identity", &KerasNetwork::read_nothing},
    {"InputLayer", &KerasNetwork::read_nothing},
    {"Flatten", &KerasNetwork::read_flatten},
    {"Reshape", &KerasNetwork::read_reshape},
    {"Permute", &KerasNetwork::read_permute},
    {"RepeatVector", &KerasNetwork::read_repeat},
    {"MaxPooling1D", &KerasNetwork::read_pooling},
    {"AveragePooling1D", &KerasNetwork::read_pooling},
    {"GlobalAveragePooling1D", &KerasNetwork::read_average},
    {"GetItem", &KerasNetwork::read_slice},
    {"SlicingOpLambda", &KerasNetwork::read_slice},
    {"Concatenate", &KerasNetwork::read_join},
    {"Add", &KerasNetwork::read_join},
    {"Multiply", &KerasNetwork::read_join},
    {"Average", &KerasNetwork::read_join},
    {"Subtract", &KerasNetwork::read_join},
    {"Merge", &KerasNetwork::read_join},
    {"TFOpLambda", &KerasNetwork::read_operator},
    {nullptr, nullptr}};

// ---- Curves -------------------------------------------------------------------------------------

std::optional<Curve> KerasNetwork::curve_of(const std::string& word, const JsonNode* settings,
                                            const std::string& at) {
  const float hard_slope = version_ < 3 ? 0.2f : 1.0f / 6;
  static const JsonNode none;
  const KerasEntries entries = {settings ? *settings : none, fmt::format("{}: {}", file_, at)};
  if (word == "linear" || word.empty()) return Curve{};
  if (word == "tanh") return Curve{SLUICE_TANH};
  if (word == "sigmoid") return Curve{SLUICE_SIGMOID};
  if (word == "hard_sigmoid") return Curve{SLUICE_HARD_SIGMOID, hard_slope};
  if (word == "softmax" || word == "Softmax") {
    if (!entries.find({"axis"}) || entries.number({"axis"}, -1) == -1) return Curve{SLUICE_SOFTMAX};
    obstacles_.add("{}: softmax over axis {}, and over the last one alone it can be expressed", at,
                   entries.number({"axis"}, -1));
    return std::nullopt;
  }
  const auto number = [&](std::initializer_list<const char*> names, double otherwise) {
    return float(entries.number(names, otherwise));
  };
  if (word == "relu") return Curve{SLUICE_RELU};
  if (word == "relu6") return Curve{SLUICE_CLIP, 0, 6};
  if (word == "hard_tanh") return Curve{SLUICE_CLIP, -1, 1};
  const auto with_alpha = [&](sluice_activation activation, float alpha) -> std::optional<Curve> {
    if (alpha > 0) return Curve{activation, 0, alpha};
    if (alpha == 0) return Curve{SLUICE_RELU};
    obstacles_.add("{}: the activation \"{}\" with a slope of {}, below 0", at, brief(word), alpha);
    return std::nullopt;
  };
  if (word == "elu" || word == "ELU") return with_alpha(SLUICE_ELU, number({"alpha"}, 1));
  if (word == "selu") return Curve{SLUICE_SELU};
  if (word == "LeakyReLU" || word == "leaky_relu")
    return with_alpha(SLUICE_LEAKY_RELU,
                      number({"negative_slope", "alpha"}, word == "LeakyReLU" ? 0.3 : 0.2));
  if (word == "silu" || word == "swish") return Curve{SLUICE_SILU};
  if (word == "gelu") return Curve{SLUICE_GELU};
  if (word == "softplus") return Curve{SLUICE_SOFTPLUS};
  if (word == "softsign") return Curve{SLUICE_SOFTSIGN};
  if (word == "exponential") return Curve{SLUICE_EXPONENTIAL};
  if (word == "hard_silu" || word == "hard_swish") return Curve{SLUICE_HARD_SILU, 1.0f / 6};
  if (word == "ReLU") {
    const float most = number({"max_value"}, INFINITY), slope = number({"negative_slope"}, 0),
                threshold = number({"threshold"}, 0);
    if (threshold == 0 && slope == 0 && most > 0)
      return std::isinf(most) ? Curve{SLUICE_RELU} : Curve{SLUICE_CLIP, 0, most};
    if (threshold == 0 && std::isinf(most)) return with_alpha(SLUICE_LEAKY_RELU, slope);
    obstacles_.add("{}: relu with a threshold, or with a max_value and a negative_slope", at);
    return std::nullopt;
  }
  obstacles_.add("{}: the activation \"{}\" is not one that a Dense has here", at, brief(word));
  return std::nullopt;
}

/// Sets the activation of a cell's candidate. Returns whether the runtime has it.
bool KerasNetwork::put_candidate(Layer& layer, const std::string& word) const {
  const struct {
    const char* word;
    sluice_activation activation;
    float alpha;
  } curves[] = {{"tanh", SLUICE_TANH, 0},         {"linear", SLUICE_LINEAR, 0},
                {"", SLUICE_LINEAR, 0},           {"relu", SLUICE_RELU, 0},
                {"elu", SLUICE_ELU, 1},           {"leaky_relu", SLUICE_LEAKY_RELU, 0.2f},
                {"softsign", SLUICE_SOFTSIGN, 0}, {"selu", SLUICE_SELU, 0}};
  for (const auto& curve : curves) {
    if (word != curve.word) continue;
    layer.candidate = curve.activation, layer.second = curve.alpha;
    return true;
  }
  return false;
}

/// Puts a batch normalization into the Dense before it, so that the Dense may have the activation
/// that follows. Does so if nothing else reads either of them.
void KerasNetwork::fold_norm(KerasValue& value) {
  Network& network = to_.network;
  const std::uint32_t at = value.source;
  if (at == 0 || at != network.layers.size() || is_shared(at)) return;
  const Layer& norm = network.layers.back();
  const std::uint32_t source = norm.sources.empty() ? at - 1 : norm.sources[0];
  if (norm.kind != SLUICE_BATCH_NORM || source == 0 || is_shared(source)) return;
  Layer& dense = layer_at(source);
  if (dense.kind != SLUICE_DENSE || dense.activation != SLUICE_LINEAR) return;
  std::vector<float>&weight = dense.array(Role::input_weight).values,
  &bias = dense.array(Role::input_bias).values;
  const auto in = std::size_t(dense.in);
  for (std::size_t row = 0; row < bias.size(); ++row) {
    const double variance = norm.array(Role::variance).values[row],
                 factor = double(norm.array(Role::scale).values[row]) /
                          std::sqrt(variance + double(norm.parameter));
    for (std::size_t col = 0; col < in; ++col)
      weight[row * in + col] = float(double(weight[row * in + col]) * factor);
    bias[row] = float((double(bias[row]) - double(norm.array(Role::mean).values[row])) * factor +
                      double(norm.array(Role::shift).values[row]));
  }
  const std::string was = fmt::format("layer {}: ", at);
  for (Origin& origin : to_.origins)
    if (origin.became.starts_with(was)) origin.became = fmt::format("folded into layer {}", source);
  network.layers.pop_back();
  value.source = source;
}

KerasValue KerasNetwork::curved(KerasValue from, const Curve& curve, const std::string& at) {
  if (curve.activation == SLUICE_LINEAR) return from;
  Network& network = to_.network;
  fold_norm(from);
  if (from.source > 0 && !is_shared(from.source)) {
    Layer& before = layer_at(from.source);
    if (before.kind == SLUICE_DENSE && before.activation == SLUICE_LINEAR) {
      set_curve(before, curve);
      to_.note(at, fmt::format("activation of layer {}", from.source));
      return from;
    }
  }
  const std::size_t n = from.width();
  take(n);
  Layer layer = make_layer(SLUICE_CURVE, int(n), int(n));
  set_curve(layer, curve);
  KerasValue to = from;
  const std::uint32_t source = source_of(from);
  to.source = append(network, std::move(layer), source);
  to.input = false;
  to_.note(at, fmt::format("layer {}: curve", to.source));
  return to;
}

KerasValues KerasNetwork::read_activation(const Use& use, const KerasValues& inputs) {
  std::string word = use.layer.type;
  const JsonNode* settings = &use.config.config;
  if (word == "Activation") {
    word = use.config.word({"activation"}, "linear");
    const JsonNode* const said = use.config.find({"activation"});
    settings = said && said->is(Json::object) ? said->find("config") : nullptr;
    if (settings && !settings->is(Json::object)) settings = nullptr;
  }
  std::optional<Curve> curve;
  if (word == "PReLU") {
    // One slope for each number, or one for all steps.
    if (!takes_one(use, inputs)) return {KerasValue()};
    const std::size_t n = inputs[0].width();
    const std::vector<Tensor> found = weights_.arrays(use.place, use.at);
    if (found.size() != 1 || found[0].values.size() != n) {
      obstacles_.add("{}: slopes that differ from step to step, or do not fit its {} numbers",
                     use.at, n);
      return {KerasValue()};
    }
    curve = Curve{SLUICE_PRELU, 0, 0, found[0].values};
  } else {
    curve = curve_of(word, settings, use.at);
  }
  if (!takes_one(use, inputs) || !curve) return {KerasValue()};
  return {curved(inputs[0], *curve, use.at)};
}

// ---- Cells --------------------------------------------------------------------------------------

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

// ---- Layers inside layers -----------------------------------------------------------------------

KerasValues KerasNetwork::read_time_distributed(const Use& use, const KerasValues& inputs) {
  const JsonNode* const node = use.config.find({"layer"});
  if (!node || !node->is(Json::object))
    refuse("{}: has no layer inside; write the file again", use.config.place);
  const KerasLayer inner = keras_layer(*node, use.config.place);
  if (!takes_one(use, inputs) || !inputs[0].sequence) {
    if (!inputs.empty() && inputs[0].known)
      obstacles_.add("{}: reads one row for a sequence, and it is for rows of every step", use.at);
    // The layer inside may have reasons of its own.
    read_layer(inner, use.call, {}, use.at + ": ", {1}, {KerasValue()});
    return {KerasValue()};
  }
  KerasValue in = inputs[0];
  in.sequence = false;
  KerasCall call = use.call;
  call.others.clear();
  KerasValues outputs =
      read_layer(inner, call, weights_.part(use.place, "layer"), use.at + ": ", {1}, {in});
  KerasValue& out = outputs[0];
  if (!out.known) return {out};
  if (out.once != inputs[0].once) {
    obstacles_.add("{}: a recurrent layer for every step, which reads sequences in each frame",
                   use.at);
    return {KerasValue()};
  }
  out.sequence = true, out.steps = inputs[0].steps;
  out.reversed = inputs[0].reversed, out.masked = inputs[0].masked, out.input = false;
  return {out};
}

KerasValues KerasNetwork::read_nested(const Use& use, const KerasValues& inputs) {
  const KerasModel model = keras_model(use.layer.type, use.layer.config, file_);
  if (inputs.size() != model.inputs.size()) {
    obstacles_.add("{}: reads {} tensors, and it has {} inputs", use.at, inputs.size(),
                   model.inputs.size());
    return KerasValues(model.outputs.size());
  }
  return read_model(model, use.place, use.at + ": ", inputs);
}

// ---- Layers of weights --------------------------------------------------------------------------

KerasValues KerasNetwork::read_dense(const Use& use, const KerasValues& inputs) {
  const std::size_t units = use.config.size({"units", "output_dim"}, 0);
  const bool bias = use.config.truth({"use_bias", "bias"}, true);
  const JsonNode* const said = use.config.find({"activation"});
  const JsonNode* settings = said && said->is(Json::object) ? said->find("config") : nullptr;
  if (settings && !settings->is(Json::object)) settings = nullptr;
  const auto curve = curve_of(use.config.word({"activation"}, "linear"), settings, use.at);
  if (units == 0) refuse("{}: units: is missing or 0; write the file again", use.config.place);
  if (!takes_one(use, inputs) || !curve) return {KerasValue()};
  if (inputs[0].dims.size() != 1) {
    obstacles_.add("{}: reads rows of several dimensions", use.at);
    return {KerasValue()};
  }
  const std::size_t in = inputs[0].width();
  std::vector<Wanted> wanted = {{"weight, transposed", {in, units}}};
  if (bias) wanted.push_back({"bias", {units}});
  const std::vector<Tensor> found = arrays(use.place, use.at, wanted);
  take(in * units + units);
  Layer layer = dense_layer(matrix_of(found[0].values, in, units).transposed(),
                            bias ? column_of(found[1].values) : View(), *curve);
  return {add(use, std::move(layer), inputs[0])};
}

KerasValues KerasNetwork::read_convolution(const Use& use, const KerasValues& inputs) {
  const auto kernel = whole_numbers(use.config.find({"kernel_size", "filter_length"}));
  const auto strides = whole_numbers(use.config.find({"strides", "subsample_length"}));
  const auto dilations = whole_numbers(use.config.find({"dilation_rate", "atrous_rate"}));
  const std::string padding = use.config.word({"padding", "border_mode"}, "valid");
  const auto only = [](const std::optional<std::vector<double>>& numbers) {
    return !numbers ? 1 : numbers->size() == 1 ? numbers->front() : 0;
  };
  const double taps = kernel ? only(kernel) : 0, dilation = only(dilations);
  const char* const reason =
      taps < 1 || dilation < 1 || std::max(taps, dilation) > 65535 ? "a kernel that makes no sense"
      : only(strides) != 1                    ? "skips steps, and here every step has an answer"
      : use.config.number({"groups"}, 1) != 1 ? "a convolution in groups"
      : taps > 1 && padding == "valid"        ? "its first steps have no answer; pad by \"causal\""
      : taps > 1 && padding != "causal"       ? "reads steps of the future; pad by \"causal\""
                                              : nullptr;
  if (reason) {
    obstacles_.add("{}: {}", use.at, reason);
    return {KerasValue()};
  }
  const std::size_t filters = use.config.size({"filters", "nb_filter"}, 0);
  const bool bias = use.config.truth({"use_bias", "bias"}, true);
  const auto curve = curve_of(use.config.word({"activation"}, "linear"), nullptr, use.at);
  if (filters == 0) refuse("{}: filters: is missing or 0; write the file again", use.config.place);
  if (!takes_sequence(use, inputs) || !curve) return {KerasValue()};
  const std::size_t in = inputs[0].width();
  const auto steps = std::size_t(taps), columns = in * steps;
  if (columns > widest || (steps - 1) * std::size_t(dilation) * in > (1u << 24)) {
    obstacles_.add("{}: {} steps of {} numbers, which is too much", use.at, steps, in);
    return {KerasValue()};
  }
  std::vector<Wanted> wanted = {{"weight, transposed", {steps, in, filters}}};
  if (bias) wanted.push_back({"bias", {filters}});
  const std::vector<Tensor> found = arrays(use.place, use.at, wanted);
  take(columns * filters + filters);
  KerasValue from = inputs[0];
  if (steps > 1) {
    Layer window;
    window.kind = SLUICE_WINDOW, window.in = int(in), window.out = int(columns);
    window.parts = int(taps), window.dilation = int(dilation);
    from = add(use, with_arrays(std::move(window)), from);
  }
  Layer layer = dense_layer(matrix_of(found[0].values, columns, filters).transposed(),
                            bias ? column_of(found[1].values) : View(), *curve);
  return {add(use, std::move(layer), from)};
}

KerasValues KerasNetwork::read_embedding(const Use& use, const KerasValues& inputs) {
  const double vocabulary = use.config.number({"input_dim"}, 0);
  const std::size_t units = use.config.size({"output_dim"}, 0);
  if (!(vocabulary >= 1 && vocabulary <= 1e9) || units == 0)
    refuse("{}: input_dim or output_dim: is missing or not a size; write the file again",
           use.config.place);
  const auto ids = std::size_t(vocabulary);
  if (!takes_one(use, inputs)) return {KerasValue()};
  const KerasValue& in = inputs[0];
  if (in.source != 0 || !in.input || frame_read_ || reshaped_ || given_inputs_ != 1 ||
      !to_.network.layers.empty()) {
    obstacles_.add(
        "{}: reads ids beside other inputs, and a network that reads ids reads nothing "
        "else",
        use.at);
    return {KerasValue()};
  }
  if (ids > widest) {
    obstacles_.add("{}: a vocabulary of {} ids, and {} are the most", use.at, ids, widest);
    return {KerasValue()};
  }
  const std::vector<Tensor> found = arrays(use.place, use.at, {{"weight", {ids, units}}});
  take(ids * units);
  Layer layer = make_layer(SLUICE_EMBEDDING, int(ids), int(units));
  std::vector<float>& to = layer.array(Role::vectors).values;
  for (std::size_t unit = 0; unit < units; ++unit)
    for (std::size_t id = 0; id < ids; ++id)
      to[unit * ids + id] = found[0].values[id * units + unit];
  const std::size_t steps = in.dims[0];
  KerasValue out = add(use, std::move(layer), in);
  to_.network.width = 0, to_.network.inputs.clear();
  out.sequence = true, out.steps = steps;
  if (use.config.truth({"mask_zero"}, false)) {
    out.masked = true;
    to_.mask = 0;
    to_.remarks.push_back(
        fmt::format("{}: masks the id 0: the caller leaves it out of a sequence", use.at));
  }
  return {out};
}

KerasValues KerasNetwork::read_batch_norm(const Use& use, const KerasValues& inputs) {
  const bool scale = use.config.truth({"scale"}, true), center = use.config.truth({"center"}, true);
  const double epsilon = use.config.number({"epsilon"}, 1e-3);
  if (!takes_one(use, inputs)) return {KerasValue()};
  const KerasValue& in = inputs[0];
  if (!is_last_axis(use.config.find({"axis"}), rank_of(in)) || in.dims.size() != 1 ||
      use.config.number({"mode"}, 0) != 0) {
    obstacles_.add("{}: normalizes over another axis than the last one", use.at);
    return {KerasValue()};
  }
  const std::size_t n = in.width();
  std::vector<Wanted> wanted;
  if (scale) wanted.push_back({"weight", {n}});
  if (center) wanted.push_back({"bias", {n}});
  wanted.push_back({"running_mean", {n}}), wanted.push_back({"running_var", {n}});
  const std::vector<Tensor> found = arrays(use.place, use.at, wanted);
  take(4 * n);
  Layer layer = make_layer(SLUICE_BATCH_NORM, int(n), int(n));
  layer.parameter = std::max(float(epsilon), 1e-30f);
  std::size_t at = 0;
  layer.array(Role::scale).values = scale ? found[at++].values : std::vector<float>(n, 1);
  if (center) layer.array(Role::shift).values = found[at++].values;
  layer.array(Role::mean).values = found[at++].values;
  layer.array(Role::variance).values = found[at].values;
  for (const float variance : layer.array(Role::variance).values)
    if (variance < 0) refuse("{}: a variance below 0; the file is damaged", use.config.place);
  return {add(use, std::move(layer), in)};
}

KerasValues KerasNetwork::read_layer_norm(const Use& use, const KerasValues& inputs) {
  const bool scale = use.config.truth({"scale"}, true), center = use.config.truth({"center"}, true);
  const double epsilon = use.config.number({"epsilon"}, 1e-3);
  const bool rms = use.config.truth({"rms_scaling"}, false);
  if (rms) obstacles_.add("{}: rms_scaling, without the mean", use.at);
  if (!takes_one(use, inputs) || rms) return {KerasValue()};
  const KerasValue& in = inputs[0];
  if (!is_last_axis(use.config.find({"axis"}), rank_of(in)) || in.dims.size() != 1) {
    obstacles_.add("{}: normalizes over another axis than the last one", use.at);
    return {KerasValue()};
  }
  const std::size_t n = in.width();
  std::vector<Wanted> wanted;
  if (scale) wanted.push_back({"weight", {n}});
  if (center) wanted.push_back({"bias", {n}});
  const std::vector<Tensor> found = arrays(use.place, use.at, wanted);
  take(2 * n);
  Layer layer = make_layer(SLUICE_LAYER_NORM, int(n), int(n));
  layer.parameter = std::max(float(epsilon), 1e-30f);
  layer.array(Role::scale).values = scale ? found[0].values : std::vector<float>(n, 1);
  if (center) layer.array(Role::shift).values = found.back().values;
  return {add(use, std::move(layer), in)};
}

KerasValues KerasNetwork::read_normalization(const Use& use, const KerasValues& inputs) {
  const bool invert = use.config.truth({"invert"}, false);
  const JsonNode* const mean = use.config.find({"mean"});
  const bool given = mean && !mean->is(Json::null);
  if (invert) obstacles_.add("{}: invert, the way back from normalized numbers", use.at);
  if (given) obstacles_.add("{}: a mean in its configuration in place of its weights", use.at);
  if (!takes_one(use, inputs) || invert || given) return {KerasValue()};
  const KerasValue& in = inputs[0];
  if (!is_last_axis(use.config.find({"axis"}), rank_of(in)) || in.dims.size() != 1) {
    obstacles_.add("{}: normalizes over another axis than the last one", use.at);
    return {KerasValue()};
  }
  const std::size_t n = in.width();
  const std::vector<Tensor> found = weights_.arrays(use.place, use.at);
  if (found.size() < 2 || found[0].values.size() != n || found[1].values.size() != n)
    refuse("{}: its mean and variance are not {} numbers each; the file contradicts itself",
           use.config.place, n);
  std::vector<float> scale(n), shift(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double factor = 1 / std::max(std::sqrt(double(found[1].values[i])), 1e-7);
    if (!std::isfinite(factor))
      refuse("{}: a variance below 0; the file is damaged", use.config.place);
    scale[i] = float(factor), shift[i] = float(-double(found[0].values[i]) * factor);
  }
  const KerasValue out = scaled(in, scale, shift);
  note(use, fmt::format("layer {}: a factor and a shift for each number", out.source));
  return {out};
}

KerasValues KerasNetwork::read_rescaling(const Use& use, const KerasValues& inputs) {
  const JsonNode *const scale = use.config.find({"scale"}), *const offset =
                                                                use.config.find({"offset"});
  const auto is_number = [](const JsonNode* node) { return !node || node->is(Json::number); };
  if (!is_number(scale) || !is_number(offset)) {
    obstacles_.add("{}: a scale or an offset that is not a single number", use.at);
    return {KerasValue()};
  }
  if (!takes_one(use, inputs)) return {KerasValue()};
  const std::size_t n = inputs[0].width();
  take(2 * n);
  const KerasValue out =
      scaled(inputs[0], std::vector<float>(n, float(use.config.number({"scale"}, 1))),
             std::vector<float>(n, float(use.config.number({"offset"}, 0))));
  note(use, fmt::format("layer {}: a factor and a shift", out.source));
  return {out};
}

// ---- Layers that compute nothing ----------------------------------------------------------------

KerasValues KerasNetwork::read_nothing(const Use& use, const KerasValues& inputs) {
  if (!takes_one(use, inputs)) return {KerasValue()};
  note(use, "nothing");
  return {inputs[0]};
}

KerasValues KerasNetwork::read_masking(const Use& use, const KerasValues& inputs) {
  const double value = use.config.number({"mask_value"}, 0);
  if (!takes_sequence(use, inputs)) return {KerasValue()};
  if (inputs[0].source != 0 || given_inputs_ != 1) {
    obstacles_.add("{}: masks frames that the network has computed, or one of several inputs",
                   use.at);
    return {KerasValue()};
  }
  to_.mask = float(value);
  note(use, "the caller leaves those frames out");
  to_.remarks.push_back(fmt::format(
      "{}: frames whose numbers are all {} are to be left out by the caller", use.at, value));
  KerasValue out = inputs[0];
  out.masked = true;
  return {out};
}

KerasValues KerasNetwork::read_flatten(const Use& use, const KerasValues& inputs) {
  if (!takes_one(use, inputs)) return {KerasValue()};
  KerasValue out = inputs[0];
  if (out.sequence && out.steps != 1) {
    const std::size_t in = out.width(), all = in * out.steps;
    if (out.steps == 0 || out.masked || out.reversed || out.input || all > widest) {
      obstacles_.add("{}: puts {} steps{} into one row", use.at,
                     out.steps ? std::to_string(out.steps) : "all",
                     out.masked ? ", of which some are masked," : "");
      return {KerasValue()};
    }
    Layer window;
    window.kind = SLUICE_WINDOW, window.in = int(in), window.out = int(all);
    window.parts = int(out.steps), window.dilation = 1;
    to_.remarks.push_back(fmt::format(
        "{}: reads {} steps at once, which the model keeps; its answer is the one after step {} of "
        "a sequence, so reset it before each sequence",
        use.at, out.steps, out.steps));
    out = add(use, with_arrays(std::move(window)), out);
    out.dims = {all}, out.steps = 0;
    return {out};
  }
  out.dims = {out.width()};
  out.sequence = out.reversed = out.masked = false;
  note(use, "nothing");
  return {out};
}

KerasValues KerasNetwork::read_reshape(const Use& use, const KerasValues& inputs) {
  const auto target = whole_numbers(use.config.find({"target_shape", "dims"}));
  if (!target || target->empty())
    refuse("{}: target_shape: is missing or not a list of sizes; write the file again",
           use.config.place);
  if (!takes_one(use, inputs)) return {KerasValue()};
  const KerasValue& in = inputs[0];
  // An open size takes the rest.
  const double all = double(in.width()) * double(in.sequence ? in.steps : 1);
  double known = 1;
  for (const double size : *target) known *= size > 0 ? size : 1;
  std::vector<std::size_t> shape;
  for (const double size : *target)
    shape.push_back(size > 0 ? std::size_t(size) : std::size_t(known > 0 ? all / known : 0));
  KerasValue out = in;
  if (in.sequence) {
    const std::vector<std::size_t> rest(shape.begin() + 1, shape.end());
    std::size_t width = 1;
    for (const std::size_t size : rest) width = std::min<std::size_t>(width, widest) * size;
    if (shape.size() > 1 && (shape[0] == in.steps || in.steps == 0) && width == in.width()) {
      out.dims = rest;
    } else if (shape.size() == 1 && in.steps == 1 && shape[0] == in.width()) {
      out.dims = {in.width()}, out.sequence = out.masked = out.reversed = false;
    } else {
      obstacles_.add("{}: makes other frames of {} steps of {} numbers", use.at,
                     in.steps ? std::to_string(in.steps) : "any number of", in.width());
      return {KerasValue()};
    }
    note(use, "nothing");
    return {out};
  }
  std::size_t width = 1;
  for (std::size_t i = shape.size() > 1 ? 1 : 0; i < shape.size(); ++i)
    width = std::min<std::size_t>(width, widest) * shape[i];
  if (shape.size() == 1 && width == in.width()) {
    out.dims = {width};
    note(use, "nothing");
    return {out};
  }
  if (shape.size() > 1 && shape[0] == 1 && width == in.width()) {
    out.dims.assign(shape.begin() + 1, shape.end());
    out.sequence = true, out.input = false, out.steps = 1;
    note(use, "nothing");
    return {out};
  }
  if (shape.size() > 1 && in.input && in.source == 0 && given_inputs_ == 1 && !frame_read_ &&
      width > 0 && shape[0] > 0 && double(shape[0]) * double(width) == all &&
      (reshaped_ == 0 || reshaped_ == width)) {
    // The input of all numbers is a sequence of frames.
    reshaped_ = width;
    to_.network.width = int(width), to_.network.inputs.clear();
    out.dims.assign(shape.begin() + 1, shape.end());
    out.sequence = true, out.input = false, out.steps = shape[0];
    note(use, fmt::format("the frame: {} of {} numbers", shape[0], width));
    to_.remarks.push_back(fmt::format("{}: an input of {} numbers is read as {} frames of {}",
                                      use.at, all, shape[0], width));
    return {out};
  }
  obstacles_.add("{}: makes other frames of a row of {} numbers", use.at, in.width());
  return {KerasValue()};
}

KerasValues KerasNetwork::read_permute(const Use& use, const KerasValues& inputs) {
  const auto order = whole_numbers(use.config.find({"dims"}));
  bool same = order.has_value();
  for (std::size_t i = 0; same && i < order->size(); ++i) same = (*order)[i] == double(i + 1);
  if (!same) {
    obstacles_.add("{}: exchanges steps and features", use.at);
    return {KerasValue()};
  }
  return read_nothing(use, inputs);
}

KerasValues KerasNetwork::read_repeat(const Use& use, const KerasValues& inputs) {
  const auto times = std::size_t(std::clamp(use.config.number({"n"}, 0), 0.0, 1e9));
  if (!takes_one(use, inputs)) return {KerasValue()};
  KerasValue out = inputs[0];
  if (out.sequence || out.dims.size() != 1 || (out.once && times != 1)) {
    obstacles_.add(
        "{}: repeats the answer to the last step {} times, and a network goes over its "
        "frames once",
        use.at, times);
    return {KerasValue()};
  }
  out.sequence = true, out.input = false, out.steps = times;
  note(use, "nothing");
  if (times != 1)
    to_.remarks.push_back(
        fmt::format("{}: the caller gives the row in each of {} frames", use.at, times));
  return {out};
}

// ---- Layers over time ---------------------------------------------------------------------------

KerasValues KerasNetwork::read_pooling(const Use& use, const KerasValues& inputs) {
  const auto size = whole_numbers(use.config.find({"pool_size", "pool_length"}));
  const JsonNode* const node = use.config.find({"strides", "stride"});
  const auto strides = node && node->is(Json::null) ? size : node ? whole_numbers(node) : size;
  const bool one = size && size->size() == 1 && size->front() == 1 && strides &&
                   strides->size() == 1 && strides->front() == 1;
  if (one) return read_nothing(use, inputs);
  obstacles_.add("{}: pools several frames", use.at);
  return {KerasValue()};
}

/// Makes the sequence a value of the last step, or the mean over the steps, if it comes from a
/// recurrent layer that nothing else reads, through layers that keep each step to itself.
bool KerasNetwork::once_a_sequence(KerasValue& value, bool mean) {
  std::uint32_t source = value.source;
  for (;;) {
    if (source == 0 || is_shared(source)) return false;
    const Layer& layer = layer_at(source);
    if (layer.anatomy().recurrent) break;
    const bool affine = layer.kind == SLUICE_BATCH_NORM || layer.kind == SLUICE_SELECT ||
                        (layer.kind == SLUICE_DENSE && layer.activation == SLUICE_LINEAR);
    if (layer.anatomy().joins || layer.anatomy().by_step || (mean && !affine)) return false;
    source = layer.sources.empty() ? source - 1 : layer.sources[0];
  }
  Layer& layer = layer_at(source);
  // The last step of a layer of both directions is that of its forward half alone, except if only
  // its backward half is read.
  if (!layer.every_step || (!mean && layer.both && !value.reversed)) return false;
  layer.every_step = false, layer.mean = mean;
  value.sequence = value.reversed = value.masked = false;
  value.once = true, value.steps = 0;
  return true;
}

KerasValues KerasNetwork::read_average(const Use& use, const KerasValues& inputs) {
  const bool keeps = use.config.truth({"keepdims"}, false);
  if (keeps) obstacles_.add("{}: keepdims, a sequence of one step", use.at);
  if (!takes_sequence(use, inputs) || keeps) return {KerasValue()};
  KerasValue out = inputs[0];
  if (!once_a_sequence(out, true)) {
    obstacles_.add(
        "{}: the mean over the steps of a layer that is not recurrent, or that others "
        "read too",
        use.at);
    return {KerasValue()};
  }
  note(use, "the mean over the steps of the recurrent layer before it");
  return {out};
}

/// Reads x[:, -1, :] and x[:, -1] of a sequence.
KerasValues KerasNetwork::read_slice(const Use& use, const KerasValues& inputs) {
  const JsonNode* const index = use.call.index;
  const auto is_all = [](const JsonNode& node) {
    const JsonNode* const config = node.find("config");
    const JsonNode& range = config ? *config : node;
    bool all = range.is(Json::object);
    for (const auto& [name, value] : range.members) all = all && value.is(Json::null);
    return all;
  };
  const bool last = index && index->is(Json::list) && index->items.size() >= 2 &&
                    index->items.size() <= 3 && is_all(index->items[0]) &&
                    index->items[1].is(Json::number) && index->items[1].number == -1 &&
                    (index->items.size() == 2 || is_all(index->items[2]));
  if (!last) obstacles_.add("{}: a part of a tensor other than its last step, [:, -1, :]", use.at);
  if (!takes_sequence(use, inputs) || !last) return {KerasValue()};
  KerasValue out = inputs[0];
  if (!once_a_sequence(out, false)) {
    obstacles_.add(
        "{}: the last step of a layer of both directions, of one that is not recurrent, "
        "or of one that others read too",
        use.at);
    return {KerasValue()};
  }
  note(use, "the last step of the recurrent layer before it");
  return {out};
}

// ---- Joins --------------------------------------------------------------------------------------

/// Reads a sum, product or difference that Keras 2 wrote of an operator or a function of
/// TensorFlow.
KerasValues KerasNetwork::read_operator(const Use& use, const KerasValues& inputs) {
  const std::string function = use.config.word({"function"}, "");
  const std::pair<const char*, const char*> types[] = {
      {"__operators__.add", "Add"},  {"math.add", "Add"},
      {"math.multiply", "Multiply"}, {"__operators__.mul", "Multiply"},
      {"math.subtract", "Subtract"}, {"__operators__.sub", "Subtract"}};
  for (const auto& [name, type] : types)
    if (function == name) {
      KerasLayer layer = use.layer;
      layer.type = type;
      return read_join({layer, use.call, use.place, use.at, use.config, use.readers}, inputs);
    }
  obstacles_.add("{}: the function \"{}\", and there is no such layer here", use.at,
                 brief(function));
  return {KerasValue()};
}

KerasValues KerasNetwork::read_join(const Use& use, const KerasValues& inputs) {
  std::string type = use.layer.type;
  if (type == "Merge") {
    const std::string mode = use.config.word({"mode"}, "sum");
    type = mode == "concat" ? "Concatenate"
           : mode == "sum"  ? "Add"
           : mode == "mul"  ? "Multiply"
           : mode == "ave"  ? "Average"
                            : "";
    if (type.empty()) obstacles_.add("{}: mode \"{}\"", use.at, brief(mode));
  }
  if (inputs.size() < 2)
    obstacles_.add("{}: reads {} tensors, and the other operand is not one of the model's", use.at,
                   inputs.size());
  bool good = !type.empty() && inputs.size() >= 2;
  for (const KerasValue& value : inputs) good = good && value.known;
  if (!good) return {KerasValue()};
  const bool concat = type == "Concatenate";
  const KerasValue& first = inputs[0];
  if (concat && !is_last_axis(use.config.find({"axis", "concat_axis"}), rank_of(first))) {
    obstacles_.add("{}: joins along another axis than the last one", use.at);
    return {KerasValue()};
  }
  for (const KerasValue& value : inputs) {
    if (value.sequence != first.sequence || value.dims.size() != 1 || first.dims.size() != 1 ||
        value.width() == 0 || (!concat && value.width() != first.width())) {
      obstacles_.add("{}: joins tensors of different shapes", use.at);
      return {KerasValue()};
    }
    if (value.sequence && value.reversed != first.reversed) {
      obstacles_.add(
          "{}: joins steps in the order of go_backwards with steps in the order of the "
          "frames",
          use.at);
      return {KerasValue()};
    }
    if (value.sequence && value.once != first.once) {
      obstacles_.add("{}: joins the answer to the last step with every step", use.at);
      return {KerasValue()};
    }
  }
  const std::size_t width = first.width();
  KerasValues parts = inputs;
  if (type == "Subtract")
    parts[1] = scaled(parts[1], std::vector<float>(width, -1), std::vector<float>(width));
  std::size_t sum = 0;
  for (const KerasValue& value : parts) sum += value.width();
  if (concat && sum > widest) {
    obstacles_.add("{}: {} numbers, and {} are the most", use.at, sum, widest);
    return {KerasValue()};
  }
  KerasValue out = join(concat               ? SLUICE_CONCAT
                        : type == "Multiply" ? SLUICE_MULTIPLY
                                             : SLUICE_ADD,
                        parts);
  if (type == "Average")
    out =
        scaled(out, std::vector<float>(width, 1 / float(parts.size())), std::vector<float>(width));
  note(use, fmt::format("layer {}: {}", out.source,
                        concat               ? "concat"
                        : type == "Multiply" ? "product"
                        : type == "Subtract" ? "difference"
                        : type == "Average"  ? "mean"
                                             : "sum"));
  return {out};
}

}  // namespace sluice::tools
