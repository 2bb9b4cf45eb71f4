#include "write_onnx.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "../common/error.h"
#include "../model/graph.h"

#if SLUICE_WITH_ONNX
#include <onnx/onnx_pb.h>
#endif

namespace sluice::tools {

#if SLUICE_WITH_ONNX
namespace {

constexpr int opset = 17, ir_version = 8;

/// Builds the graph. Every value of it is [steps][1][numbers], with one step for a value that is
/// one row per sequence.
class Writer {
 public:
  Writer(const Network& network, const std::string& name)
      : network_(network), name_(name), once_(one_row_per_sequence(network)) {}

  std::string write() {
    model_.set_ir_version(ir_version);
    model_.set_producer_name("sluice");
    model_.add_opset_import()->set_version(opset);
    model_.mutable_graph()->set_name("sluice");
    const bool ids = network_.layers.front().kind == SLUICE_EMBEDDING;
    const int width = frame_width(network_), outputs = network_.layers.back().out;
    describe(model_.mutable_graph()->add_input(), "x",
             ids ? onnx::TensorProto::INT64 : onnx::TensorProto::FLOAT, true, ids ? 0 : width);
    values_.push_back(
        ids ? node("Unsqueeze", {node("Transpose", {"x"}, {{"perm", {1, 0}}}), whole({2})})
            : node("Transpose", {"x"}, {{"perm", {1, 0, 2}}}));
    for (std::size_t l = 0; l < network_.layers.size(); ++l) values_.push_back(layer(l));
    std::string y = node("Transpose", {values_.back()}, {{"perm", {1, 0, 2}}});
    if (once_.back()) y = node("Squeeze", {y, whole({1})});
    onnx::NodeProto* const last = model_.mutable_graph()->add_node();
    last->set_op_type("Identity");
    last->add_input(y), last->add_output("y");
    describe(model_.mutable_graph()->add_output(), "y", onnx::TensorProto::FLOAT, !once_.back(),
             outputs);
    std::string bytes;
    model_.SerializeToString(&bytes);
    return bytes;
  }

 private:
  using Wholes = std::vector<std::pair<const char*, std::vector<std::int64_t>>>;

  static void describe(onnx::ValueInfoProto* value, const char* name, int type, bool steps,
                       int width) {
    value->set_name(name);
    auto* const tensor = value->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    tensor->mutable_shape()->add_dim()->set_dim_value(1);
    if (steps) tensor->mutable_shape()->add_dim()->set_dim_param("steps");
    if (width > 0) tensor->mutable_shape()->add_dim()->set_dim_value(width);
  }

  std::string fresh() { return "v" + fmt::format("{}", count_++); }

  onnx::NodeProto* add(const char* op, const std::vector<std::string>& inputs) {
    onnx::NodeProto* const made = model_.mutable_graph()->add_node();
    made->set_op_type(op);
    for (const std::string& input : inputs) made->add_input(input);
    return made;
  }

  /// Adds a node with one output, and returns its name. Attributes of one number are single ones if
  /// their names say so.
  std::string node(const char* op, const std::vector<std::string>& inputs,
                   const Wholes& attributes = {}) {
    onnx::NodeProto* const made = add(op, inputs);
    for (const auto& [attribute, values] : attributes) {
      const std::string_view what = attribute;
      if (what == "axis" || what == "keepdims")
        set(made, attribute, values[0]);
      else
        set(made, attribute, values);
    }
    made->add_output(fresh());
    return made->output(0);
  }

  static onnx::AttributeProto* attribute(onnx::NodeProto* node, const char* name,
                                         onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto* const made = node->add_attribute();
    made->set_name(name);
    made->set_type(type);
    return made;
  }
  static void set(onnx::NodeProto* node, const char* name, std::int64_t value) {
    attribute(node, name, onnx::AttributeProto::INT)->set_i(value);
  }
  static void set(onnx::NodeProto* node, const char* name, float value) {
    attribute(node, name, onnx::AttributeProto::FLOAT)->set_f(value);
  }
  static void set(onnx::NodeProto* node, const char* name,
                  const std::vector<std::int64_t>& values) {
    onnx::AttributeProto* const made = attribute(node, name, onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) made->add_ints(value);
  }

  /// Adds a constant of whole numbers or floats, and returns its name.
  std::string whole(const std::vector<std::int64_t>& values) {
    onnx::TensorProto* const made = model_.mutable_graph()->add_initializer();
    made->set_name(fresh());
    made->set_data_type(onnx::TensorProto::INT64);
    made->add_dims(std::int64_t(values.size()));
    for (const std::int64_t value : values) made->add_int64_data(value);
    return made->name();
  }
  std::string floats(const std::vector<float>& values, const std::vector<std::int64_t>& shape) {
    onnx::TensorProto* const made = model_.mutable_graph()->add_initializer();
    made->set_name(fresh());
    made->set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t size : shape) made->add_dims(size);
    made->set_raw_data(values.data(), values.size() * sizeof(float));
    return made->name();
  }
  std::string number(float value) { return floats({value}, {}); }
  std::string row(const std::vector<float>& values) {
    return floats(values, {std::int64_t(values.size())});
  }

  std::string last_row(const std::string& value) {
    return node("Slice", {value, whole({-1}), whole({INT64_MAX}), whole({0})});
  }

  std::string curve(const Layer& layer, const std::string& x);
  std::string convolution(const Layer& dense, std::size_t index);
  std::string recurrent(const Layer& given, std::size_t index, const std::string& x);
  std::string layer(std::size_t index);

  const Network& network_;
  const std::string& name_;
  std::vector<bool> once_;
  onnx::ModelProto model_;
  std::vector<std::string> values_;  ///< of the frame, then of each layer
  int count_ = 0;
};

std::string Writer::curve(const Layer& layer, const std::string& x) {
  const auto with_alpha = [&](const char* op, const char* name, float value) {
    onnx::NodeProto* const made = add(op, {x});
    set(made, name, value);
    made->add_output(fresh());
    return made->output(0);
  };
  switch (layer.activation) {
    case SLUICE_LINEAR:
      return x;
    case SLUICE_TANH:
      return node("Tanh", {x});
    case SLUICE_SIGMOID:
      return node("Sigmoid", {x});
    case SLUICE_RELU:
      return node("Relu", {x});
    case SLUICE_SOFTMAX:
      return node("Softmax", {x}, {{"axis", {-1}}});
    case SLUICE_HARD_SIGMOID:
      return with_alpha("HardSigmoid", "alpha", layer.parameter);
    case SLUICE_ELU:
      return with_alpha("Elu", "alpha", layer.second);
    case SLUICE_LEAKY_RELU:
      return with_alpha("LeakyRelu", "alpha", layer.second);
    case SLUICE_PRELU:
      return node("PRelu", {x, row(layer.array(Role::slope).values)});
    case SLUICE_SILU:
      return node("Mul", {x, node("Sigmoid", {x})});
    case SLUICE_GELU: {
      const std::string inner = node("Erf", {node("Mul", {x, number(float(std::sqrt(0.5)))})});
      return node("Mul", {node("Mul", {x, number(0.5f)}), node("Add", {inner, number(1)})});
    }
    case SLUICE_GELU_TANH: {
      const std::string cube = node("Mul", {node("Mul", {x, x}), x});
      const std::string sum = node("Add", {x, node("Mul", {cube, number(0.044715f)})});
      const std::string inner =
          node("Tanh", {node("Mul", {sum, number(float(std::sqrt(2 / M_PI)))})});
      return node("Mul", {node("Mul", {x, number(0.5f)}), node("Add", {inner, number(1)})});
    }
    case SLUICE_SOFTPLUS:
      return node("Softplus", {x});
    case SLUICE_CLIP:
      return node("Clip", {x, number(layer.parameter), number(layer.second)});
    case SLUICE_SOFTSIGN:
      return node("Softsign", {x});
    case SLUICE_EXPONENTIAL:
      return node("Exp", {x});
    case SLUICE_SELU:
      return node("Selu", {x});
    case SLUICE_HARD_SILU:
      return node("Mul", {x, with_alpha("HardSigmoid", "alpha", layer.parameter)});
    case SLUICE_SQRT:
      return node("Sqrt", {node("Relu", {x})});
    case SLUICE_LOG:
      return node("Log", {node("Max", {x, number(FLT_MIN)})});
  }
  refuse("{}: an activation that ONNX has not", name_);
}

std::string Writer::recurrent(const Layer& given, std::size_t index, const std::string& x) {
  const Layer layer = multiplied_out(given);
  const std::string place = fmt::format("{}: layer {}", name_, index + 1);
  const bool is_lstm = layer.kind == SLUICE_LSTM, is_rnn = layer.kind == SLUICE_RNN;
  if (!is_lstm && !is_rnn && layer.kind != SLUICE_GRU && layer.kind != SLUICE_GRU_BEFORE)
    refuse("{}: a {}, which ONNX has not", place, layer.anatomy().name);
  if (layer.cells > 0) refuse("{}: an LSTM with a projection, which ONNX has not", place);
  if (layer.cell_clip != 0)
    refuse("{}: its cell state is clipped, and ONNX's clip is another: of the sums of its gates",
           place);
  const int directions = layer.both ? 2 : 1, units = layer.out / directions,
            gates = layer.anatomy().gates, rows = gates * units;
  // ONNX has the gates z, r, h and i, o, f, c.
  const std::vector<int> order = is_lstm  ? std::vector{0, 3, 1, 2}
                                 : is_rnn ? std::vector{0}
                                          : std::vector{1, 0, 2};
  std::vector<float> w, r, b;
  const auto append = [&](std::vector<float>& to, const std::vector<float>& from, int gate,
                          int cols) {
    const auto begin = from.begin() + std::ptrdiff_t(gate) * units * cols;
    to.insert(to.end(), begin, begin + std::ptrdiff_t(units) * cols);
  };
  for (int d = 0; d < directions; ++d) {
    const bool back = d == 1;
    std::vector<float> state = layer.array(Role::state_weight, back).values;
    if (const Array* const candidate = layer.find(Role::candidate_weight, back))
      state.insert(state.end(), candidate->values.begin(), candidate->values.end());
    for (const int gate : order)
      append(w, layer.array(Role::input_weight, back).values, gate, layer.in);
    for (const int gate : order) append(r, state, gate, units);
    for (const int gate : order) append(b, layer.array(Role::input_bias, back).values, gate, 1);
    const Array* const second = layer.find(Role::state_bias, back);
    const std::vector<float> none(std::size_t(rows), 0.0f);
    for (const int gate : order) append(b, second ? second->values : none, gate, 1);
  }
  std::vector<std::string> inputs = {x, floats(w, {directions, rows, layer.in}),
                                     floats(r, {directions, rows, units}),
                                     floats(b, {directions, 2 * rows})};
  if (layer.initial_state) {
    inputs.emplace_back();  // without sequence_lens
    for (const Role role : {Role::initial_h, Role::initial_c}) {
      std::vector<float> start;
      for (int d = 0; d < directions; ++d)
        if (const Array* const array = layer.find(role, d == 1))
          start.insert(start.end(), array->values.begin(), array->values.end());
      if (start.empty()) continue;
      inputs.push_back(floats(start, {directions, 1, units}));
    }
  }
  if (layer.peepholes) {
    inputs.resize(7);
    std::vector<float> p;
    for (int d = 0; d < directions; ++d)
      for (const int gate : {0, 2, 1})  // i, o, f
        append(p, layer.array(Role::peephole, d == 1).values, gate, 1);
    inputs.push_back(floats(p, {directions, 3 * units}));
  }
  onnx::NodeProto* const made = add(is_lstm ? "LSTM" : is_rnn ? "RNN" : "GRU", inputs);
  set(made, "hidden_size", std::int64_t(units));
  attribute(made, "direction", onnx::AttributeProto::STRING)
      ->set_s(layer.both ? "bidirectional" : "forward");
  if (layer.kind == SLUICE_GRU) set(made, "linear_before_reset", std::int64_t(1));
  if (layer.activation != SLUICE_LINEAR || layer.candidate != SLUICE_TANH) {
    const auto word = [&](sluice_activation activation) -> const char* {
      switch (activation) {
        case SLUICE_TANH:
          return "Tanh";
        case SLUICE_RELU:
          return "Relu";
        case SLUICE_LINEAR:
          return "Affine";
        case SLUICE_ELU:
          return "Elu";
        case SLUICE_LEAKY_RELU:
          return "LeakyRelu";
        case SLUICE_SOFTSIGN:
          return "Softsign";
        case SLUICE_HARD_SIGMOID:
          return "HardSigmoid";
        default:
          refuse("{}: a candidate with an activation that ONNX's cells have not", place);
      }
    };
    auto* const names = attribute(made, "activations", onnx::AttributeProto::STRINGS);
    auto* const alphas = attribute(made, "activation_alpha", onnx::AttributeProto::FLOATS);
    auto* const betas = attribute(made, "activation_beta", onnx::AttributeProto::FLOATS);
    const auto use = [&](sluice_activation activation, float number) {
      names->add_strings(word(activation));
      // ONNX Runtime reads one alpha and one beta for each activation that has them.
      if (activation == SLUICE_HARD_SIGMOID) alphas->add_floats(number), betas->add_floats(0.5f);
      if (activation == SLUICE_LINEAR) alphas->add_floats(1), betas->add_floats(0);
      if (activation == SLUICE_ELU || activation == SLUICE_LEAKY_RELU) alphas->add_floats(number);
    };
    for (int d = 0; d < directions; ++d) {
      if (!is_rnn && layer.activation == SLUICE_LINEAR)
        names->add_strings("Sigmoid");
      else if (!is_rnn)
        use(layer.activation, layer.parameter);
      use(layer.candidate, layer.second);
      if (is_lstm) use(layer.candidate, layer.second);
    }
  }
  const std::string all = fresh(), last = fresh();
  made->add_output(all), made->add_output(last);
  if (!layer.every_step && !layer.mean)
    return node("Reshape",
                {node("Transpose", {last}, {{"perm", {1, 0, 2}}}), whole({1, 1, layer.out})});
  const std::string steps = node(
      "Reshape", {node("Transpose", {all}, {{"perm", {0, 2, 1, 3}}}), whole({-1, 1, layer.out})});
  return layer.mean ? node("ReduceMean", {steps}, {{"axes", {0}}, {"keepdims", {1}}}) : steps;
}

/// Returns the steps of zeros that a window reads before a sequence.
std::int64_t zeros_before(const Layer& window) {
  return std::int64_t(window.parts - 1) * window.dilation - window.ahead - window.first;
}

/// A Dense behind a window is a convolution over steps.
std::string Writer::convolution(const Layer& dense, std::size_t index) {
  const Layer& window = network_.layers[index];
  const auto in = std::size_t(window.in), taps = std::size_t(window.parts),
             rows = std::size_t(dense.out);
  const std::vector<float>& w = dense.array(Role::input_weight).values;
  std::vector<float> kernel(w.size());
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t tap = 0; tap < taps; ++tap)
        kernel[(row * in + i) * taps + tap] = w[(row * taps + tap) * in + i];
  const std::string x =
      node("Transpose", {values_[sources_of(network_, index)[0]]}, {{"perm", {1, 2, 0}}});
  const std::string y = node("Conv",
                             {x, floats(kernel, {dense.out, window.in, window.parts}),
                              row(dense.array(Role::input_bias).values)},
                             {{"pads", {zeros_before(window), window.ahead}},
                              {"dilations", {window.dilation}},
                              {"strides", {window.stride}}});
  return node("Transpose", {y}, {{"perm", {2, 0, 1}}});
}

std::string Writer::layer(std::size_t index) {
  const Layer& layer = network_.layers[index];
  std::vector<std::string> x;
  for (const std::uint32_t source : sources_of(network_, index)) {
    const bool once = source > 0 && once_[source - 1];
    x.push_back(once_[index] && !once && layer.anatomy().joins ? last_row(values_[source])
                                                               : values_[source]);
  }
  const auto numbers = [&](Role role) { return row(layer.array(role).values); };
  if (tools::recurrent(layer)) return recurrent(layer, index, x[0]);
  switch (layer.kind) {
    case SLUICE_STANDARDIZE:
      return node("Mul", {node("Sub", {x[0], numbers(Role::mean)}), numbers(Role::scale)});
    case SLUICE_DENSE: {
      const std::uint32_t source = sources_of(network_, index)[0];
      if (source > 0 && network_.layers[source - 1].kind == SLUICE_WINDOW && !layer.parts)
        return curve(layer, convolution(layer, source - 1));
      const Array& matrix = layer.array(Role::input_weight);
      const std::vector<float>& w = matrix.values;
      const auto in = std::size_t(matrix.cols), out = std::size_t(matrix.rows);
      std::vector<float> transposed(w.size());
      for (std::size_t i = 0; i < w.size(); ++i) transposed[i % in * out + i / in] = w[i];
      const std::string cut =
          layer.parts ? node("Reshape", {x[0], whole({-1, 1, layer.parts, matrix.cols})}) : x[0];
      const std::string product =
          node("MatMul", {cut, floats(transposed, {matrix.cols, matrix.rows})});
      const std::string y = curve(layer, node("Add", {product, numbers(Role::input_bias)}));
      return layer.parts ? node("Reshape", {y, whole({-1, 1, layer.out})}) : y;
    }
    case SLUICE_CURVE:
      return curve(layer, x[0]);
    case SLUICE_MAX_POOL:
    case SLUICE_MEAN_POOL:
    case SLUICE_NORM_POOL: {
      const char* const op = layer.kind == SLUICE_MAX_POOL    ? "ReduceMax"
                             : layer.kind == SLUICE_MEAN_POOL ? "ReduceMean"
                                                              : "ReduceL2";
      const std::string cut =
          node("Reshape",
               {x[0], whole({-1, 1, layer.parts, layer.in / layer.out, layer.out / layer.parts})});
      return node("Reshape",
                  {node(op, {cut}, {{"axes", {3}}, {"keepdims", {0}}}), whole({-1, 1, layer.out})});
    }
    case SLUICE_UNIT_NORM: {
      const std::string norm = node("ReduceL2", {x[0]}, {{"axes", {2}}, {"keepdims", {1}}});
      return node("Div", {x[0], node("Max", {norm, number(layer.parameter)})});
    }
    case SLUICE_WINDOW: {
      const int reach = (layer.parts - 1) * layer.dilation;
      const auto zeros = [&](std::int64_t count) {
        return floats(std::vector<float>(std::size_t(count * layer.in)), {count, 1, layer.in});
      };
      std::vector<std::string> padded = {x[0]};
      if (zeros_before(layer)) padded.insert(padded.begin(), zeros(zeros_before(layer)));
      if (layer.ahead) padded.push_back(zeros(layer.ahead));
      const std::string all =
          padded.size() > 1 ? node("Concat", padded, {{"axis", {0}}}) : padded[0];
      std::vector<std::string> steps;
      for (int begin = 0; begin <= reach; begin += layer.dilation) {
        const std::int64_t end = begin == reach ? INT64_MAX : begin - reach;
        steps.push_back(
            node("Slice", {all, whole({begin}), whole({end}), whole({0}), whole({layer.stride})}));
      }
      return steps.size() > 1 ? node("Concat", steps, {{"axis", {2}}}) : steps[0];
    }
    case SLUICE_MAX_OVER_STEPS:
      return node("ReduceMax", {x[0]}, {{"axes", {0}}, {"keepdims", {1}}});
    case SLUICE_MEAN_OVER_STEPS:
      return node("ReduceMean", {x[0]}, {{"axes", {0}}, {"keepdims", {1}}});
    case SLUICE_ATTENTION: {
      const std::string weights = node("Softmax", {values_[layer.sources[0]]}, {{"axis", {0}}}),
                        product = node("Mul", {weights, values_[layer.sources[1]]});
      return node("ReduceSum", {product, whole({0})}, {{"keepdims", {1}}});
    }
    case SLUICE_EMBEDDING: {
      const std::vector<float>& w = layer.array(Role::vectors).values;
      std::vector<float> transposed(w.size());
      for (std::size_t i = 0; i < w.size(); ++i)
        transposed[i % std::size_t(layer.in) * std::size_t(layer.out) + i / std::size_t(layer.in)] =
            w[i];
      const std::string ids = node("Squeeze", {x[0], whole({2})});
      return node("Gather", {floats(transposed, {layer.in, layer.out}), ids}, {{"axis", {0}}});
    }
    case SLUICE_BATCH_NORM: {
      std::vector<float> factor, shift;
      for (std::size_t i = 0; i < std::size_t(layer.out); ++i) {
        const double gain =
            double(layer.array(Role::scale).values[i]) /
            std::sqrt(double(layer.array(Role::variance).values[i]) + double(layer.parameter));
        factor.push_back(float(gain));
        shift.push_back(float(double(layer.array(Role::shift).values[i]) -
                              double(layer.array(Role::mean).values[i]) * gain));
      }
      return node("Add", {node("Mul", {x[0], row(factor)}), row(shift)});
    }
    case SLUICE_LAYER_NORM: {
      onnx::NodeProto* const made =
          add("LayerNormalization", {x[0], numbers(Role::scale), numbers(Role::shift)});
      set(made, "axis", std::int64_t(-1));
      set(made, "epsilon", layer.parameter);
      made->add_output(fresh());
      return made->output(0);
    }
    case SLUICE_DIFFERENCE: {
      const std::string first = node("Slice", {x[0], whole({0}), whole({1}), whole({0})}),
                        before = node("Slice", {x[0], whole({0}), whole({-1}), whole({0})});
      return node("Sub", {x[0], node("Concat", {first, before}, {{"axis", {0}}})});
    }
    case SLUICE_SELECT: {
      const std::vector<std::int32_t>& columns = layer.array(Role::columns).integers;
      const bool zeros = std::count(columns.begin(), columns.end(), -1) > 0;
      const std::string from =  // with a zero behind its numbers
          zeros ? node("Pad", {x[0], whole({0, 0, 0, 0, 0, 1})}) : x[0];
      std::vector<std::int64_t> taken;
      for (const std::int32_t column : columns) taken.push_back(column < 0 ? layer.in : column);
      return node("Gather", {from, whole(taken)}, {{"axis", {2}}});
    }
    case SLUICE_CONCAT:
      return node("Concat", x, {{"axis", {2}}});
    case SLUICE_ADD:
    case SLUICE_MULTIPLY: {
      std::string joined = x[0];
      for (std::size_t i = 1; i < x.size(); ++i)
        joined = node(layer.kind == SLUICE_ADD ? "Add" : "Mul", {joined, x[i]});
      return joined;
    }
    default:
      refuse("{}: layer {} ({}), which ONNX has not", name_, index + 1, layer.anatomy().name);
  }
}

}  // namespace

std::string write_onnx(const Network& network, const std::string& name) {
  return Writer(network, name).write();
}

#else

std::string write_onnx(const Network&, const std::string& name) {
  refuse("{}: this build is without ONNX; install libonnx-dev and build again", name);
}

#endif

}  // namespace sluice::tools
