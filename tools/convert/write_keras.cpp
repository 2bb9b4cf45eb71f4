#include "write_keras.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/zip_archive.h"
#include "../model/graph.h"
#include "write_hdf5.h"

namespace sluice::tools {
namespace {

/// An array of a layer, by its place in the layer's group: "cell/vars/0".
struct Weight {
  std::string place;
  std::vector<std::size_t> shape;
  std::vector<float> values;
};

/// A layer of the Keras model. It reads earlier ones and has one output.
struct Node {
  std::string type;   ///< its class: "GRU"
  std::string group;  ///< the class in the names of weights: "gru"
  OrderedJson config;
  std::vector<std::size_t> sources;
  bool joins = false;  ///< takes its sources as a list
  bool once = false;   ///< one row for each sequence
  int width = 0;
  std::vector<Weight> weights;
};

/// Returns the values of a matrix [rows][cols] as [cols][rows].
std::vector<float> transposed(const std::vector<float>& values, std::size_t cols) {
  const std::size_t rows = values.size() / cols;
  std::vector<float> result(values.size());
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t col = 0; col < cols; ++col)
      result[col * rows + row] = values[row * cols + col];
  return result;
}

/// Returns the word of an activation that Keras knows by a name alone, or null.
/// @param slope  of a hard sigmoid
/// @param alpha  of an ELU or leaky ReLU
const char* word_of(sluice_activation activation, float slope, float alpha) {
  const bool hard = std::abs(slope - 1.0f / 6) < 1e-6f;  // the slope of Keras 3
  switch (activation) {
    case SLUICE_LINEAR:
      return "linear";
    case SLUICE_TANH:
      return "tanh";
    case SLUICE_SIGMOID:
      return "sigmoid";
    case SLUICE_RELU:
      return "relu";
    case SLUICE_SOFTMAX:
      return "softmax";
    case SLUICE_HARD_SIGMOID:
      return hard ? "hard_sigmoid" : nullptr;
    case SLUICE_HARD_SILU:
      return hard ? "hard_silu" : nullptr;
    case SLUICE_SILU:
      return "silu";
    case SLUICE_GELU:
      return "gelu";
    case SLUICE_SOFTPLUS:
      return "softplus";
    case SLUICE_SOFTSIGN:
      return "softsign";
    case SLUICE_EXPONENTIAL:
      return "exponential";
    case SLUICE_SELU:
      return "selu";
    case SLUICE_ELU:
      return alpha == 1 ? "elu" : nullptr;
    case SLUICE_LEAKY_RELU:
      return alpha == 0.2f ? "leaky_relu" : nullptr;
    default:
      return nullptr;
  }
}

class Writer {
 public:
  Writer(const Network& network, const std::string& name)
      : network_(network), name_(name), once_(one_row_per_sequence(network)) {}

  std::string write();

 private:
  /// The layers of Keras that stand for an output of the network; none if it is a window's, which
  /// the layer behind it takes over.
  using Value = std::optional<std::size_t>;

  [[noreturn]] void stop(std::size_t layer, const std::string& why) const {
    refuse("{}: layer {} ({}): {}", name_, layer + 1, network_.layers[layer].anatomy().name, why);
  }

  std::size_t add(Node node) {
    nodes_.push_back(std::move(node));
    return nodes_.size() - 1;
  }
  std::size_t add(const char* type, const char* group, OrderedJson config, std::size_t source,
                  std::vector<Weight> weights = {}) {
    const Node& from = nodes_[source];
    return add({.type = type,
                .group = group,
                .config = std::move(config),
                .sources = {source},
                .once = from.once,
                .width = from.width,
                .weights = std::move(weights)});
  }

  Value layer(std::size_t index);
  std::size_t curve(std::size_t index, sluice_activation activation, std::size_t from);
  std::size_t dense(std::size_t index, std::size_t from);
  std::size_t convolution(std::size_t index, std::size_t window);
  std::size_t pooling(std::size_t index, std::size_t window);
  std::size_t recurrent(std::size_t index, std::size_t from);
  std::size_t join(std::size_t index);
  std::size_t padded(std::size_t window, const char*& padding);
  /// Returns the layer that stands for a source of a layer. Stops at a window.
  std::size_t source(std::size_t index, std::size_t which = 0) const;
  /// Returns the window that a layer reads, counted from 0.
  std::optional<std::size_t> window_before(std::size_t index) const;
  std::vector<Weight> cell(std::size_t index, const Layer& layer, bool backward,
                           const std::string& folder) const;
  std::vector<std::size_t> in_keras_order(std::size_t answer) const;
  OrderedJson tensor(std::size_t node) const;
  OrderedJson shape_of(const Node& node) const;

  const Network& network_;
  const std::string& name_;
  std::vector<bool> once_;
  std::vector<Node> nodes_;
  std::vector<std::string> names_;  ///< of the nodes
  std::vector<Value> values_;       ///< of the frame, then of each layer
};

std::size_t Writer::source(std::size_t index, std::size_t which) const {
  const std::uint32_t from = sources_of(network_, index)[which];
  if (!values_[from])
    stop(index, "reads a window, and in Keras a dense, max_pool or mean_pool alone can do so");
  return *values_[from];
}

std::optional<std::size_t> Writer::window_before(std::size_t index) const {
  const std::uint32_t from = sources_of(network_, index)[0];
  if (values_[from]) return std::nullopt;
  return from - 1;
}

/// Returns the layer for an activation, or the layer itself if it is linear.
std::size_t Writer::curve(std::size_t index, sluice_activation activation, std::size_t from) {
  const Layer& layer = network_.layers[index];
  if (activation == SLUICE_LINEAR) return from;
  if (const char* const word = word_of(activation, layer.parameter, layer.second))
    return add("Activation", "activation", {{"activation", word}}, from);
  switch (activation) {
    case SLUICE_ELU:
      return add("ELU", "elu", {{"alpha", layer.second}}, from);
    case SLUICE_LEAKY_RELU:
      return add("LeakyReLU", "leaky_re_lu", {{"negative_slope", layer.second}}, from);
    case SLUICE_PRELU: {
      const auto n = std::size_t(layer.out);
      const bool once = nodes_[from].once;
      return add("PReLU", "p_re_lu",
                 {{"shared_axes", once ? OrderedJson(nullptr) : OrderedJson({1})}}, from,
                 {{"vars/0", once ? std::vector{n} : std::vector{std::size_t(1), n},
                   layer.array(Role::slope).values}});
    }
    case SLUICE_CLIP:
      if (layer.parameter == 0) return add("ReLU", "re_lu", {{"max_value", layer.second}}, from);
      if (layer.parameter == -1 && layer.second == 1)
        return add("Activation", "activation", {{"activation", "hard_tanh"}}, from);
      stop(index, "Keras has no clip whose lowest value is not 0");
    case SLUICE_HARD_SIGMOID:
    case SLUICE_HARD_SILU:
      stop(index,
           fmt::format("its hard sigmoid has the slope {}, and Keras's is 1/6", layer.parameter));
    default:
      stop(index, "an activation that Keras has not; export it as onnx");
  }
}

std::size_t Writer::dense(std::size_t index, std::size_t from) {
  const Layer& layer = network_.layers[index];
  if (layer.parts) stop(index, "Keras has no dense for parts of a frame; export it as onnx");
  const auto in = std::size_t(layer.in), out = std::size_t(layer.out);
  const std::size_t made = add(
      "Dense", "dense", {{"units", layer.out}, {"activation", "linear"}, {"use_bias", true}}, from,
      {{"vars/0", {in, out}, transposed(layer.array(Role::input_weight).values, in)},
       {"vars/1", {out}, layer.array(Role::input_bias).values}});
  nodes_[made].width = layer.out;
  return curve(index, layer.activation, made);
}

/// Returns the layer that a window reads, with zeros before and behind it if `padding` cannot say
/// them.
std::size_t Writer::padded(std::size_t window, const char*& padding) {
  const Layer& layer = network_.layers[window];
  const int reach = (layer.parts - 1) * layer.dilation, before = reach - layer.ahead - layer.first;
  const std::size_t from = source(window);
  padding = "valid";
  if (before == 0 && layer.ahead == 0) return from;
  if (before == reach) {
    padding = "causal";
    return from;
  }
  return add("ZeroPadding1D", "zero_padding1d", {{"padding", {before, layer.ahead}}}, from);
}

/// A dense behind a window.
std::size_t Writer::convolution(std::size_t index, std::size_t window) {
  const Layer &layer = network_.layers[index], &steps = network_.layers[window];
  if (layer.parts) stop(index, "Keras has no dense for parts of a window; export it as onnx");
  if (steps.stride > 1 && steps.dilation > 1)
    stop(window, "Keras has no convolution with a stride and a dilation; export it as onnx");
  const auto taps = std::size_t(steps.parts), in = std::size_t(steps.in),
             out = std::size_t(layer.out);
  const char* padding = nullptr;
  const std::size_t from = padded(window, padding);
  const std::size_t made = add(
      "Conv1D", "conv1d",
      {{"filters", layer.out},
       {"kernel_size", {steps.parts}},
       {"strides", {steps.stride}},
       {"padding", padding},
       {"data_format", "channels_last"},
       {"dilation_rate", {steps.dilation}},
       {"groups", 1},
       {"activation", "linear"},
       {"use_bias", true}},
      from,
      {{"vars/0", {taps, in, out}, transposed(layer.array(Role::input_weight).values, taps * in)},
       {"vars/1", {out}, layer.array(Role::input_bias).values}});
  nodes_[made].width = layer.out;
  return curve(index, layer.activation, made);
}

/// A pooling behind a window.
std::size_t Writer::pooling(std::size_t index, std::size_t window) {
  const Layer &layer = network_.layers[index], &steps = network_.layers[window];
  const bool whole = layer.parts <= 1 && layer.in == layer.out * steps.parts;
  if (!whole || steps.dilation != 1 || steps.ahead != 0 || steps.first != steps.parts - 1)
    stop(index, "Keras has no pooling of such a window; export it as onnx");
  const bool largest = layer.kind == SLUICE_MAX_POOL;
  return add(largest ? "MaxPooling1D" : "AveragePooling1D",
             largest ? "max_pooling1d" : "average_pooling1d",
             {{"pool_size", {steps.parts}},
              {"strides", {steps.stride}},
              {"padding", "valid"},
              {"data_format", "channels_last"}},
             source(window));
}

/// Returns the weights of one direction. Keras has the gates z, r, h and i, f, c, o.
std::vector<Weight> Writer::cell(std::size_t index, const Layer& layer, bool backward,
                                 const std::string& folder) const {
  const bool is_lstm = layer.kind == SLUICE_LSTM, is_rnn = layer.kind == SLUICE_RNN,
             two_biases = layer.kind == SLUICE_GRU;
  if (!is_lstm && !is_rnn && !two_biases && layer.kind != SLUICE_GRU_BEFORE)
    stop(index, "Keras has no such cell");
  const auto in = std::size_t(layer.in), units = std::size_t(layer.gate_rows());
  const std::vector<std::size_t> order = is_lstm  ? std::vector<std::size_t>{0, 1, 2, 3}
                                         : is_rnn ? std::vector<std::size_t>{0}
                                                  : std::vector<std::size_t>{1, 0, 2};
  const std::size_t rows = order.size() * units;
  const auto in_order = [&](const std::vector<float>& from, std::size_t cols) {
    std::vector<float> result;
    for (const std::size_t gate : order) {
      const auto begin = from.begin() + std::ptrdiff_t(gate * units * cols);
      result.insert(result.end(), begin, begin + std::ptrdiff_t(units * cols));
    }
    return result;
  };
  std::vector<float> state = layer.array(Role::state_weight, backward).values;
  if (const Array* const candidate = layer.find(Role::candidate_weight, backward))
    state.insert(state.end(), candidate->values.begin(), candidate->values.end());
  std::vector<float> bias = in_order(layer.array(Role::input_bias, backward).values, 1);
  if (const Array* const second = layer.find(Role::state_bias, backward)) {
    const std::vector<float> more = in_order(second->values, 1);
    for (std::size_t i = 0; i < rows && !two_biases; ++i) bias[i] += more[i];
    if (two_biases) bias.insert(bias.end(), more.begin(), more.end());
  }
  return {{folder + "cell/vars/0",
           {in, rows},
           transposed(in_order(layer.array(Role::input_weight, backward).values, in), in)},
          {folder + "cell/vars/1", {units, rows}, transposed(in_order(state, units), units)},
          {folder + "cell/vars/2",
           two_biases ? std::vector{std::size_t(2), rows} : std::vector{rows}, std::move(bias)}};
}

std::size_t Writer::recurrent(std::size_t index, std::size_t from) {
  const Layer layer = multiplied_out(network_.layers[index]);
  if (layer.peepholes) stop(index, "Keras has no peepholes; export it as onnx");
  if (layer.cells > 0) stop(index, "Keras has no projection of a cell");
  if (layer.cell_clip != 0) stop(index, "Keras clips no cell state");
  if (layer.initial_state)
    stop(index, "Keras's layers begin from zeros, and this one from a state; export it as onnx");
  const char* const candidate = word_of(layer.candidate, 0, layer.second);
  const bool is_rnn = layer.kind == SLUICE_RNN;
  const char* const gates =
      layer.activation == SLUICE_LINEAR ? "sigmoid" : word_of(layer.activation, layer.parameter, 0);
  if (!candidate) stop(index, "Keras has no such activation of a candidate; export it as onnx");
  if (!gates)
    stop(index, fmt::format("its gates are hard sigmoids of the slope {}, and Keras's is 1/6",
                            layer.parameter));
  const bool sequences = layer.every_step || layer.mean;
  std::vector<Weight> weights = cell(index, layer, false, layer.both ? "forward_layer/" : "");
  const char* const type = is_rnn ? "SimpleRNN" : layer.kind == SLUICE_LSTM ? "LSTM" : "GRU";
  const char* const group = is_rnn ? "simple_rnn" : layer.kind == SLUICE_LSTM ? "lstm" : "gru";
  OrderedJson config = {{"return_sequences", sequences},
                        {"return_state", false},
                        {"go_backwards", false},
                        {"stateful", false},
                        {"unroll", false},
                        {"units", layer.gate_rows()},
                        {"activation", candidate},
                        {"use_bias", true}};
  if (!is_rnn) config["recurrent_activation"] = gates;
  if (type == std::string_view("GRU")) config["reset_after"] = layer.kind == SLUICE_GRU;
  std::size_t made = 0;
  if (layer.both) {
    for (Weight& weight : cell(index, layer, true, "backward_layer/"))
      weights.push_back(std::move(weight));
    OrderedJson back = config;
    back["go_backwards"] = true;
    const auto inner = [&](OrderedJson settings, const char* half) {
      settings["name"] = fmt::format("{}_{}", half, group);
      return OrderedJson{{"module", "keras.layers"},
                         {"class_name", type},
                         {"config", std::move(settings)},
                         {"registered_name", nullptr}};
    };
    made = add("Bidirectional", "bidirectional",
               {{"merge_mode", "concat"},
                {"layer", inner(std::move(config), "forward")},
                {"backward_layer", inner(std::move(back), "backward")}},
               from, std::move(weights));
  } else {
    made = add(type, group, std::move(config), from, std::move(weights));
  }
  nodes_[made].width = layer.out, nodes_[made].once = !sequences;
  if (!layer.mean) return made;
  made = add("GlobalAveragePooling1D", "global_average_pooling1d",
             {{"data_format", "channels_last"}, {"keepdims", false}}, made);
  nodes_[made].once = true;
  return made;
}

std::size_t Writer::join(std::size_t index) {
  const Layer& layer = network_.layers[index];
  Node node;
  node.type = layer.kind == SLUICE_CONCAT ? "Concatenate"
              : layer.kind == SLUICE_ADD  ? "Add"
                                          : "Multiply";
  node.group = layer.kind == SLUICE_CONCAT ? "concatenate"
               : layer.kind == SLUICE_ADD  ? "add"
                                           : "multiply";
  node.config = OrderedJson::object();
  if (layer.kind == SLUICE_CONCAT) node.config["axis"] = -1;
  for (std::size_t i = 0; i < sources_of(network_, index).size(); ++i)
    node.sources.push_back(source(index, i));
  node.joins = true, node.once = once_[index], node.width = layer.out;
  for (const std::size_t from : node.sources)
    if (nodes_[from].once != node.once)
      stop(index,
           "Keras joins no rows of every step with one row of the sequence; export it as onnx");
  return add(std::move(node));
}

Writer::Value Writer::layer(std::size_t index) {
  const Layer& layer = network_.layers[index];
  if (layer.kind == SLUICE_WINDOW) return std::nullopt;
  if (const auto window = window_before(index)) {
    if (layer.kind == SLUICE_DENSE) return convolution(index, *window);
    if (layer.kind == SLUICE_MAX_POOL || layer.kind == SLUICE_MEAN_POOL)
      return pooling(index, *window);
  }
  if (layer.anatomy().joins && layer.kind != SLUICE_ATTENTION) return join(index);
  const std::size_t from = source(index);
  if (tools::recurrent(layer)) return recurrent(index, from);
  const auto n = std::size_t(layer.out);
  const auto numbers = [&](Role role) { return layer.array(role).values; };
  switch (layer.kind) {
    case SLUICE_DENSE:
      return dense(index, from);
    case SLUICE_CURVE:
      return curve(index, layer.activation, from);
    case SLUICE_STANDARDIZE: {  // a batch normalization whose variance is 1
      return add("BatchNormalization", "batch_normalization",
                 {{"axis", -1}, {"epsilon", 0.0}, {"center", true}, {"scale", true}}, from,
                 {{"vars/0", {n}, numbers(Role::scale)},
                  {"vars/1", {n}, std::vector<float>(n)},
                  {"vars/2", {n}, numbers(Role::mean)},
                  {"vars/3", {n}, std::vector<float>(n, 1.0f)}});
    }
    case SLUICE_BATCH_NORM:
      return add("BatchNormalization", "batch_normalization",
                 {{"axis", -1}, {"epsilon", layer.parameter}, {"center", true}, {"scale", true}},
                 from,
                 {{"vars/0", {n}, numbers(Role::scale)},
                  {"vars/1", {n}, numbers(Role::shift)},
                  {"vars/2", {n}, numbers(Role::mean)},
                  {"vars/3", {n}, numbers(Role::variance)}});
    case SLUICE_LAYER_NORM:
      return add("LayerNormalization", "layer_normalization",
                 {{"axis", -1}, {"epsilon", layer.parameter}, {"center", true}, {"scale", true}},
                 from,
                 {{"vars/0", {n}, numbers(Role::scale)}, {"vars/1", {n}, numbers(Role::shift)}});
    case SLUICE_EMBEDDING: {
      const auto ids = std::size_t(layer.in);
      const std::size_t made =
          add("Embedding", "embedding",
              {{"input_dim", layer.in}, {"output_dim", layer.out}, {"mask_zero", false}}, from,
              {{"vars/0", {ids, n}, transposed(numbers(Role::vectors), ids)}});
      nodes_[made].width = layer.out;
      return made;
    }
    case SLUICE_SELECT: {  // a dense whose rows are those of an identity
      const auto in = std::size_t(layer.in);
      std::vector<float> kernel(in * n);
      const std::vector<std::int32_t>& columns = layer.array(Role::columns).integers;
      for (std::size_t i = 0; i < n; ++i)
        if (columns[i] >= 0) kernel[std::size_t(columns[i]) * n + i] = 1;
      const std::size_t made = add(
          "Dense", "dense", {{"units", layer.out}, {"activation", "linear"}, {"use_bias", false}},
          from, {{"vars/0", {in, n}, std::move(kernel)}});
      nodes_[made].width = layer.out;
      return made;
    }
    case SLUICE_MAX_OVER_STEPS:
    case SLUICE_MEAN_OVER_STEPS: {
      const bool largest = layer.kind == SLUICE_MAX_OVER_STEPS;
      const std::size_t made = add(largest ? "GlobalMaxPooling1D" : "GlobalAveragePooling1D",
                                   largest ? "global_max_pooling1d" : "global_average_pooling1d",
                                   {{"data_format", "channels_last"}, {"keepdims", false}}, from);
      nodes_[made].once = true;
      return made;
    }
    default:
      stop(index, "Keras has no such layer; export it as onnx");
  }
}

/// Returns the layers in the order in which Keras lists those of a Functional model, since the
/// names of their weights count the layers of a class: by their distance from the answer, the
/// farthest first, and at one distance as a walk from the answer to the inputs meets them
/// (keras/src/ops/function.py, map_graph).
std::vector<std::size_t> Writer::in_keras_order(std::size_t answer) const {
  std::vector<std::size_t> met(nodes_.size()), finished, open = {answer};
  std::vector<std::size_t> next(nodes_.size());  // the source to walk to
  std::vector<bool> known(nodes_.size());
  std::size_t count = 0;
  known[answer] = true, met[answer] = count++;
  while (!open.empty()) {
    const std::size_t node = open.back();
    if (next[node] == nodes_[node].sources.size()) {
      finished.push_back(node), open.pop_back();
      continue;
    }
    const std::size_t from = nodes_[node].sources[next[node]++];
    if (known[from]) continue;
    known[from] = true, met[from] = count++;
    open.push_back(from);
  }
  std::vector<std::size_t> distance(nodes_.size());
  for (auto node = finished.rbegin(); node != finished.rend(); ++node)
    for (const std::size_t from : nodes_[*node].sources)
      distance[from] = std::max(distance[from], distance[*node] + 1);
  std::sort(finished.begin(), finished.end(), [&](std::size_t a, std::size_t b) {
    return distance[a] != distance[b] ? distance[a] > distance[b] : met[a] < met[b];
  });
  return finished;
}

OrderedJson Writer::shape_of(const Node& node) const {
  OrderedJson shape = {nullptr};
  if (!node.once) shape.push_back(nullptr);
  if (node.width > 0) shape.push_back(node.width);
  return shape;
}

OrderedJson Writer::tensor(std::size_t node) const {
  return {{"class_name", "__keras_tensor__"},
          {"config",
           {{"shape", shape_of(nodes_[node])},
            {"dtype", "float32"},
            {"keras_history", OrderedJson::array({names_[node], 0, 0})}}}};
}

std::string Writer::write() {
  const bool ids = network_.layers.front().kind == SLUICE_EMBEDDING;
  Node input;
  input.type = "InputLayer", input.group = "input_layer";
  input.width = ids ? 0 : frame_width(network_);
  input.config = {{"batch_shape", shape_of(input)}};
  values_.emplace_back(add(std::move(input)));
  for (std::size_t l = 0; l < network_.layers.size(); ++l) values_.push_back(layer(l));
  if (!values_.back())
    stop(network_.layers.size() - 1, "Keras has no layer for it; export it as onnx");
  const std::size_t answer = *values_.back();

  const std::vector<std::size_t> order = in_keras_order(answer);
  names_.resize(nodes_.size());
  std::map<std::string, int> seen;
  for (const std::size_t node : order) {
    const std::string& group = nodes_[node].group;
    const int before = seen[group]++;
    names_[node] = before ? fmt::format("{}_{}", group, before) : group;
  }
  OrderedJson layers = OrderedJson::array();
  std::vector<Hdf5Array> arrays;
  for (const std::size_t n : order) {
    Node& node = nodes_[n];
    OrderedJson config = {
        {"name", names_[n]}, {"trainable", true}, {"dtype", ids && n == 0 ? "int32" : "float32"}};
    config.update(node.config);
    OrderedJson inbound = OrderedJson::array(), sources = OrderedJson::array();
    for (const std::size_t source : node.sources) sources.push_back(tensor(source));
    if (!node.sources.empty())
      inbound.push_back({{"args", node.joins ? OrderedJson::array({sources}) : sources},
                         {"kwargs", OrderedJson::object()}});
    layers.push_back({{"module", "keras.layers"},
                      {"class_name", node.type},
                      {"config", std::move(config)},
                      {"registered_name", nullptr},
                      {"name", names_[n]},
                      {"inbound_nodes", std::move(inbound)}});
    for (Weight& weight : node.weights)
      arrays.push_back({fmt::format("layers/{}/{}", names_[n], weight.place),
                        std::move(weight.shape), std::move(weight.values)});
  }
  const auto end = [&](std::size_t node) { return OrderedJson::array({names_[node], 0, 0}); };
  const OrderedJson config = {{"module", "keras.src.models.functional"},
                              {"class_name", "Functional"},
                              {"config",
                               {{"name", "sluice"},
                                {"trainable", true},
                                {"layers", std::move(layers)},
                                {"input_layers", end(0)},
                                {"output_layers", end(answer)}}},
                              {"registered_name", "Functional"}};
  const OrderedJson metadata = {{"keras_version", "3.0.0"}};
  return write_zip({{"metadata.json", metadata.dump()},
                    {"config.json", config.dump()},
                    {"model.weights.h5", write_hdf5(arrays, name_)}},
                   name_);
}

}  // namespace

std::string write_keras(const Network& network, const std::string& name) {
  return Writer(network, name).write();
}

}  // namespace sluice::tools
