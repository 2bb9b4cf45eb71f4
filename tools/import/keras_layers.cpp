// The table of Keras's layers, and those that have weights or a curve, one function each.
#include <algorithm>
#include <cmath>

#include "../common/print.h"
#include "keras_network.h"

namespace sluice::tools {
namespace {

using Json = JsonNode::Kind;

}  // namespace

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

std::size_t rank_of(const KerasValue& value) {
  return 1 + (value.sequence ? 1 : 0) + value.dims.size();
}

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
    {"AtrousConvolution1D", &KerasNetwork::read_convolution},
    {"DepthwiseConv1D", &KerasNetwork::read_convolution},
    {"SeparableConv1D", &KerasNetwork::read_convolution},
    {"SeparableConvolution1D", &KerasNetwork::read_convolution},
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
    {"GlobalMaxPooling1D", &KerasNetwork::read_over_steps},
    {"GlobalAveragePooling1D", &KerasNetwork::read_over_steps},
    {"ZeroPadding1D", &KerasNetwork::read_padding},
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
  if (dense.parts > 0 || dense.kind != SLUICE_DENSE || dense.activation != SLUICE_LINEAR) return;
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
    const bool fits = before.parts == 0 || curve.activation != SLUICE_PRELU;
    if (before.kind == SLUICE_DENSE && before.activation == SLUICE_LINEAR && fits) {
      set_curve(before, curve);
      to_.note(at, fmt::format("activation of layer {}", from.source));
      return from;
    }
  }
  const std::size_t n = from.width();
  if (curve.activation == SLUICE_SOFTMAX && from.dims.size() != 1) {
    obstacles_.add("{}: softmax over the channels of each position", at);
    return {};
  }
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
  if (!is_last_axis(use.config.find({"axis"}), rank_of(in)) || in.dims.size() > 2 ||
      use.config.number({"mode"}, 0) != 0) {
    obstacles_.add("{}: normalizes over another axis than the last one", use.at);
    return {KerasValue()};
  }
  const std::size_t n = in.dims.back(), all = in.width();  // of a row of positions: its channels
  std::vector<Wanted> wanted;
  if (scale) wanted.push_back({"weight", {n}});
  if (center) wanted.push_back({"bias", {n}});
  wanted.push_back({"running_mean", {n}}), wanted.push_back({"running_var", {n}});
  std::vector<Tensor> found = arrays(use.place, use.at, wanted);
  for (Tensor& tensor : found)  // the same numbers for each position
    for (std::size_t i = n; i < all; ++i) tensor.values.push_back(tensor.values[i - n]);
  take(4 * all);
  Layer layer = make_layer(SLUICE_BATCH_NORM, int(all), int(all));
  layer.parameter = std::max(float(epsilon), 1e-30f);
  std::size_t at = 0;
  layer.array(Role::scale).values = scale ? found[at++].values : std::vector<float>(all, 1);
  if (center) layer.array(Role::shift).values = found[at++].values;
  layer.array(Role::mean).values = found[at++].values;
  layer.array(Role::variance).values = found[at].values;
  for (const float variance : layer.array(Role::variance).values)
    if (variance < 0) refuse("{}: a variance below 0; the file is damaged", use.config.place);
  KerasValue out = add(use, std::move(layer), in);
  out.dims = in.dims;
  return {out};
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

}  // namespace sluice::tools
