#include "tflite_nodes.h"

#include <algorithm>
#include <array>
#include <map>

#include "../common/print.h"

namespace sluice::tools {
namespace {

/// Codes of operations that have a function of their own here.
enum Code : std::int32_t {
  concatenation = 2,
  conv_2d = 3,
  dequantize = 6,
  fully_connected_code = 9,
  lstm_code = 16,
  reshape = 22,
  rnn_code = 24,
  softmax = 25,
  custom_code = 32,
  sequence_rnn = 35,
  gather = 36,
  squeeze = 43,
  sequence_lstm = 44,
  both_rnn = 46,
  both_lstm = 52,
  cast = 53,
  pack = 83,
  unpack = 88,
  leaky_relu = 98,
  quantize = 114,
  if_code = 118,
  while_code = 119,
  batch_matmul = 126,
  call_once = 129,
  var_handle = 142,
  read_variable = 143,
  assign_variable = 144,
  gelu = 150
};

struct Known {
  const char* name;        ///< TFLite's
  const char* tensorflow;  ///< TensorFlow's name of the same operation; null: not read
};

/// Operations by their codes.
const std::map<std::int32_t, Known>& known_codes() {
  static const std::map<std::int32_t, Known> known = {
      {0, {"ADD", "Add"}},
      {1, {"AVERAGE_POOL_2D", nullptr}},
      {concatenation, {"CONCATENATION", ""}},
      {conv_2d, {"CONV_2D", ""}},
      {4, {"DEPTHWISE_CONV_2D", nullptr}},
      {dequantize, {"DEQUANTIZE", "Identity"}},
      {7, {"EMBEDDING_LOOKUP", nullptr}},
      {fully_connected_code, {"FULLY_CONNECTED", ""}},
      {11, {"L2_NORMALIZATION", nullptr}},
      {14, {"LOGISTIC", "Sigmoid"}},
      {lstm_code, {"LSTM", ""}},
      {17, {"MAX_POOL_2D", nullptr}},
      {18, {"MUL", "Mul"}},
      {19, {"RELU", "Relu"}},
      {20, {"RELU_N1_TO_1", "Clip"}},
      {21, {"RELU6", "Relu6"}},
      {reshape, {"RESHAPE", ""}},
      {rnn_code, {"RNN", ""}},
      {softmax, {"SOFTMAX", ""}},
      {27, {"SVDF", nullptr}},
      {28, {"TANH", "Tanh"}},
      {custom_code, {"CUSTOM", ""}},
      {34, {"PAD", nullptr}},
      {sequence_rnn, {"UNIDIRECTIONAL_SEQUENCE_RNN", ""}},
      {gather, {"GATHER", ""}},
      {39, {"TRANSPOSE", "Transpose"}},
      {40, {"MEAN", "Mean"}},
      {41, {"SUB", "Sub"}},
      {42, {"DIV", "Div"}},
      {squeeze, {"SQUEEZE", ""}},
      {sequence_lstm, {"UNIDIRECTIONAL_SEQUENCE_LSTM", ""}},
      {45, {"STRIDED_SLICE", "StridedSlice"}},
      {both_rnn, {"BIDIRECTIONAL_SEQUENCE_RNN", ""}},
      {47, {"EXP", "Exp"}},
      {49, {"SPLIT", "Split"}},
      {both_lstm, {"BIDIRECTIONAL_SEQUENCE_LSTM", ""}},
      {cast, {"CAST", ""}},
      {54, {"PRELU", "Prelu"}},
      {55, {"MAXIMUM", "Maximum"}},
      {57, {"MINIMUM", "Minimum"}},
      {58, {"LESS", "Less"}},
      {59, {"NEG", "Neg"}},
      {61, {"GREATER", "Greater"}},
      {62, {"GREATER_EQUAL", "GreaterEqual"}},
      {63, {"LESS_EQUAL", "LessEqual"}},
      {64, {"SELECT", nullptr}},
      {65, {"SLICE", "Slice"}},
      {69, {"TILE", nullptr}},
      {70, {"EXPAND_DIMS", "ExpandDims"}},
      {71, {"EQUAL", "Equal"}},
      {73, {"LOG", nullptr}},
      {74, {"SUM", "Sum"}},
      {75, {"SQRT", "Sqrt"}},
      {76, {"RSQRT", "Rsqrt"}},
      {77, {"SHAPE", "Shape"}},
      {78, {"POW", "Pow"}},
      {pack, {"PACK", ""}},
      {84, {"LOGICAL_OR", "LogicalOr"}},
      {86, {"LOGICAL_AND", "LogicalAnd"}},
      {87, {"LOGICAL_NOT", "LogicalNot"}},
      {unpack, {"UNPACK", ""}},
      {90, {"FLOOR_DIV", "FloorDiv"}},
      {92, {"SQUARE", "Square"}},
      {93, {"ZEROS_LIKE", "ZerosLike"}},
      {94, {"FILL", "Fill"}},
      {96, {"RANGE", "Range"}},
      {leaky_relu, {"LEAKY_RELU", ""}},
      {99, {"SQUARED_DIFFERENCE", "SquaredDifference"}},
      {102, {"SPLIT_V", "SplitV"}},
      {105, {"REVERSE_V2", "ReverseV2"}},
      {110, {"RANK", "Rank"}},
      {111, {"ELU", "Elu"}},
      {quantize, {"QUANTIZE", "Identity"}},
      {117, {"HARD_SWISH", "HardSwish"}},
      {if_code, {"IF", ""}},
      {while_code, {"WHILE", ""}},
      {123, {"SELECT_V2", nullptr}},
      {batch_matmul, {"BATCH_MATMUL", ""}},
      {call_once, {"CALL_ONCE", nullptr}},
      {130, {"BROADCAST_TO", "BroadcastTo"}},
      {var_handle, {"VAR_HANDLE", ""}},
      {read_variable, {"READ_VARIABLE", ""}},
      {assign_variable, {"ASSIGN_VARIABLE", nullptr}},
      {gelu, {"GELU", ""}},
      {151, {"DYNAMIC_UPDATE_SLICE", nullptr}},
      {152, {"RELU_0_TO_1", "Clip"}}};
  return known;
}

/// The activation that an operation applies to its answer.
enum class Fused { none = 0, relu = 1, relu_n1_to_1 = 2, relu6 = 3, tanh = 4 };

/// Returns the number of the field that says the fused activation; -1 if the operation has none.
int fused_field(std::int32_t code) {
  switch (code) {
    case 0:
    case 18:
    case 41:
    case 42:
    case fully_connected_code:
      return 0;
    case concatenation:
      return 1;
    case conv_2d:
      return 3;
    default:
      return -1;
  }
}

}  // namespace

bool TfliteNode::is_loop() const { return code == while_code || code == if_code; }

bool TfliteNode::makes_variable() const { return code == var_handle; }
bool TfliteNode::reads_variable() const { return code == read_variable; }
bool TfliteNode::sets_variable() const { return code == assign_variable; }
bool TfliteNode::runs_once() const { return code == call_once; }

const Constant* TfliteNodes::constant(const std::string& name) const {
  const auto found = graph_.constants.find(name);
  return found == graph_.constants.end() ? nullptr : found->second.get();
}

std::string TfliteNodes::put(Constant constant, const OpNode& of) {
  const std::string name = tensorflow_.fresh(of);
  graph_.constants[name] = std::make_shared<const Constant>(std::move(constant));
  return name;
}

void TfliteNodes::add(const TfliteNode& node) {
  OpNode to;
  const auto known = known_codes().find(node.code);
  to.file_op = node.code == custom_code       ? node.custom
               : known != known_codes().end() ? known->second.name
                                              : fmt::format("operation {}", node.code);
  to.inputs = node.inputs, to.outputs = node.outputs;
  to.name = node.outputs.empty() ? to.file_op : node.outputs[0];
  const int field = fused_field(node.code);
  const auto fused = field < 0 ? Fused::none : Fused(option<std::int8_t>(node, field, 0));
  if (fused == Fused::none || to.outputs.empty()) {
    add_operation(node, std::move(to));
    return;
  }
  OpNode curve;
  curve.name = to.name, curve.file_op = to.file_op, curve.outputs = to.outputs;
  to.outputs[0] = tensorflow_.fresh(to);
  curve.inputs = {to.outputs[0]};
  add_operation(node, std::move(to));
  switch (fused) {
    case Fused::relu:
      curve.op = "Relu";
      break;
    case Fused::relu6:
      curve.op = "Relu6";
      break;
    case Fused::tanh:
      curve.op = "Tanh";
      break;
    case Fused::relu_n1_to_1:
      curve.op = "Clip";
      curve.attributes["min"] = real_attribute(-1), curve.attributes["max"] = real_attribute(1);
      break;
    default:
      tensorflow_.refused(curve, fmt::format("the activation {}", int(fused)));
      return;
  }
  tensorflow_.add(curve);
}

void TfliteNodes::add_operation(const TfliteNode& node, OpNode to) {
  const auto known = known_codes().find(node.code);
  if (known == known_codes().end() || !known->second.tensorflow) {
    tensorflow_.refused(to, "is not one of the operations that are read");
    return;
  }
  to.op = known->second.tensorflow;
  const auto whole = [&](const char* name, std::int64_t number) {
    to.attributes[name] = whole_attribute(number);
  };
  switch (node.code) {
    case dequantize:
    case quantize:
      // Weights are floats already.
      if (const Constant* const from = to.inputs.empty() ? nullptr : constant(to.inputs[0]);
          from && to.outputs.size() == 1) {
        graph_.constants[to.outputs[0]] = graph_.constants[to.inputs[0]];
        return;
      }
      break;
    case fully_connected_code:
      return fully_connected(node, std::move(to));
    case conv_2d:
      return convolution(node, std::move(to));
    case lstm_code:
    case rnn_code:
    case sequence_lstm:
    case sequence_rnn:
    case both_lstm:
    case both_rnn:
      if (!recurrent(node, to)) tensorflow_.refused(to, "its inputs do not fit");
      return;
    case concatenation:
      return tensorflow_.own(to, "Concat", to.inputs, to.outputs,
                             {{"axis", whole_attribute(option<std::int32_t>(node, 0, 0))}});
    case reshape:
      to.op = "Reshape";
      if (to.inputs.size() < 2 && node.options) {
        std::vector<std::int64_t> shape;
        for (const std::int32_t size : node.options->numbers<std::int32_t>(0))
          shape.push_back(size);
        to.attributes["shape"] = wholes_attribute(shape);
      }
      break;
    case softmax:
      to.op = "Softmax";
      to.attributes["beta"] = real_attribute(option(node, 0, 1.0f));
      break;
    case gather:
      to.op = "Gather";
      whole("axis", option<std::int32_t>(node, 0, 0));
      if (option<std::int32_t>(node, 1, 0) != 0)
        return tensorflow_.refused(to, "an index for each sequence");
      break;
    case squeeze: {
      to.op = "Squeeze";
      std::vector<std::int64_t> dims;
      if (node.options)
        for (const std::int32_t d : node.options->numbers<std::int32_t>(0)) dims.push_back(d);
      to.attributes["squeeze_dims"] = wholes_attribute(dims);
      break;
    }
    case cast: {
      constexpr std::int64_t type_float = 1, type_whole = 7;  // ONNX's numbers
      to.op = "Cast";
      whole("to", node.is_float ? type_float : type_whole);
      break;
    }
    case pack:
    case unpack:
      to.op = node.code == pack ? "Pack" : "Unpack";
      whole("axis", option<std::int32_t>(node, 1, 0));
      break;
    case 40:  // MEAN
    case 74:  // SUM
      whole("keep_dims", option<std::uint8_t>(node, 0, 0));
      break;
    case 45: {  // STRIDED_SLICE
      int field = 0;
      for (const char* name :
           {"begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"})
        whole(name, option<std::int32_t>(node, field++, 0));
      if (option<std::uint8_t>(node, field, 0))
        return tensorflow_.refused(to, "ends that count from the begins");
      break;
    }
    case 20:   // RELU_N1_TO_1
    case 152:  // RELU_0_TO_1
      to.attributes["min"] = real_attribute(node.code == 20 ? -1 : 0);
      to.attributes["max"] = real_attribute(1);
      break;
    case leaky_relu:
      to.op = "LeakyRelu";
      to.attributes["alpha"] = real_attribute(option(node, 0, 0.0f));
      break;
    case gelu:
      to.op = "Gelu";
      whole("approximate", option<std::uint8_t>(node, 0, 0));
      break;
    case batch_matmul:
      to.op = "BatchMatMul";
      whole("adj_x", option<std::uint8_t>(node, 0, 0));
      whole("adj_y", option<std::uint8_t>(node, 1, 0));
      break;
    case while_code:
    case if_code: {
      OpAttribute first, second;
      first.graph = node.graphs.at(0), second.graph = node.graphs.at(1);
      const bool loop = node.code == while_code;
      return tensorflow_.own(
          to, loop ? "While" : "If", to.inputs, to.outputs,
          {{loop ? "cond" : "then_branch", first}, {loop ? "body" : "else_branch", second}});
    }
    case var_handle:
    case read_variable:
      return tensorflow_.refused(
          to,
          "a variable, whose numbers are not in the file; freeze the model when it is converted");
    case custom_code:
      // TensorFlow's own operations.
      if (!node.custom.starts_with("Flex"))
        return tensorflow_.refused(to, "is not one of the operations that are read");
      to.op = node.custom.substr(4);
      break;
    default:
      break;
  }
  tensorflow_.add(to);
}

void TfliteNodes::fully_connected(const TfliteNode& node, OpNode to) {
  if (to.inputs.size() < 2 || to.outputs.empty())
    return tensorflow_.refused(to, "its inputs do not fit");
  if (option<std::int8_t>(node, 1, 0) != 0)
    return tensorflow_.refused(to, "weights in an order of their own");
  const bool keeps = option<std::uint8_t>(node, 2, 0) != 0;
  const std::vector<std::int64_t>&from = node.input_shapes[0], &weights = node.input_shapes[1];
  std::vector<std::string> inputs = {to.inputs[0], to.inputs[1]};
  // All numbers before the weights' columns are rows.
  if (!weights.empty() && !from.empty() && from.back() != weights.back()) {
    inputs[0] = tensorflow_.fresh(to);
    tensorflow_.own(to, "Reshape", {to.inputs[0]}, {inputs[0]},
                    {{"shape", wholes_attribute({-1, weights.back()})}});
  }
  if (to.inputs.size() > 2 && !to.inputs[2].empty()) inputs.push_back(to.inputs[2]);
  const bool flat = !keeps && from.size() > 2 && inputs[0] == to.inputs[0];
  const std::string made = flat ? tensorflow_.fresh(to) : to.outputs[0];
  tensorflow_.own(to, "Gemm", inputs, {made}, {{"transB", whole_attribute(1)}});
  if (flat)
    tensorflow_.own(to, "Reshape", {made}, {to.outputs[0]},
                    {{"shape", wholes_attribute({-1, weights.empty() ? 1 : weights[0]})}});
}

/// A convolution whose kernel is one number is a product with its channels.
void TfliteNodes::convolution(const TfliteNode& node, OpNode to) {
  const Constant* const kernel = to.inputs.size() > 1 ? constant(to.inputs[1]) : nullptr;
  if (!kernel || kernel->shape.size() != 4 || kernel->is_whole || to.outputs.empty())
    return tensorflow_.refused(to, "weights that are not constant");
  if (kernel->shape[1] != 1 || kernel->shape[2] != 1)
    return tensorflow_.refused(to, fmt::format("a convolution with a kernel of {} x {}",
                                               kernel->shape[1], kernel->shape[2]));
  if (option<std::int32_t>(node, 1, 1) != 1 || option<std::int32_t>(node, 2, 1) != 1)
    return tensorflow_.refused(to, "a convolution with strides");
  Constant matrix = *kernel;
  matrix.shape = {kernel->shape[0], kernel->shape[3]};
  std::vector<std::string> inputs = {to.inputs[0], put(std::move(matrix), to)};
  if (to.inputs.size() > 2 && !to.inputs[2].empty()) inputs.push_back(to.inputs[2]);
  tensorflow_.own(to, "Gemm", inputs, to.outputs, {{"transB", whole_attribute(1)}});
}

/// The places of a cell's inputs among those of its node; 0: the kind of cell has none.
struct TfliteNodes::Cell {
  std::size_t gates, input, state, peephole, bias, projection;
};

/// Returns false for a node whose inputs do not fit.
bool TfliteNodes::recurrent(const TfliteNode& node, OpNode to) {
  const std::int32_t code = node.code;
  const bool is_lstm = code == lstm_code || code == sequence_lstm || code == both_lstm,
             both = code == both_lstm || code == both_rnn,
             one_step = code == lstm_code || code == rnn_code;
  // Fields of the options: of each kind of node in its own order.
  const int time_field = code == sequence_lstm ? 3 : code == both_lstm ? 4 : one_step ? -1 : 0;
  const int fused_at = is_lstm || code == rnn_code ? 0 : 1;
  const bool time_major = time_field >= 0 && option<std::uint8_t>(node, time_field, 0) != 0;
  const bool merged = both && option<std::uint8_t>(node, code == both_lstm ? 3 : 2, 0) != 0;
  std::vector<Cell> cells;
  if (is_lstm)
    cells = {{4, 1, 5, 9, 12, 16}, {4, 18, 22, 26, 29, 33}};
  else
    cells = {{1, 1, 2, 0, 3, 0}, {1, 5, 6, 0, 7, 0}};
  if (!both) cells.pop_back();
  const auto refused = [&](const std::string& reason) {
    tensorflow_.refused(to, reason);
    return true;
  };
  const auto given = [&](std::size_t i) { return i < to.inputs.size() && !to.inputs[i].empty(); };
  if (code == lstm_code && option<std::int8_t>(node, 3, 0) != 0)
    return refused("the basic kernel, whose state is an input of the graph");
  if (is_lstm && !both)
    for (std::size_t i = 20; i < 24; ++i)
      if (given(i)) return refused("a layer normalization inside the cell");
  if (both)
    for (std::size_t i = is_lstm ? 39 : 9; i < to.inputs.size(); ++i)
      if (given(i)) return refused("a second input");
  Constant w, r, b, p;
  std::int64_t units = 0, width = 0;
  const std::array<std::size_t, 4> order = {0, 3, 1, 2};  // ONNX has i, o, f, c; TFLite i, f, c, o
  for (const Cell& cell : cells) {
    if (cell.projection && (given(cell.projection) || given(cell.projection + 1)))
      return refused("a projection of the state");
    if (is_lstm && (!given(cell.input) || !given(cell.state)))
      return refused("an input gate that is tied to the forget gate");
    for (const bool over_state : {false, true})
      for (std::size_t g = 0; g < cell.gates; ++g) {
        const std::size_t at =
            (over_state ? cell.state : cell.input) + (cell.gates == 4 ? order[g] : 0);
        const Constant* const from = given(at) ? constant(to.inputs[at]) : nullptr;
        if (!from || from->is_whole) return refused("weights that are not constant");
        if (from->shape.size() != 2) return false;
        std::int64_t& cols = over_state ? units : width;
        if (units == 0) units = from->shape[0];
        if (cols == 0) cols = from->shape[1];
        if (units < 1 || from->shape[0] != units || from->shape[1] != cols ||
            from->floats.size() != std::size_t(units * cols))
          return false;
        Constant& into = over_state ? r : w;
        into.floats.insert(into.floats.end(), from->floats.begin(), from->floats.end());
      }
    for (std::size_t g = 0; g < cell.gates; ++g) {
      const std::size_t at = cell.bias + (cell.gates == 4 ? order[g] : 0);
      const Constant* const from = given(at) ? constant(to.inputs[at]) : nullptr;
      if (given(at) && (!from || from->floats.size() != std::size_t(units))) return false;
      if (from)
        b.floats.insert(b.floats.end(), from->floats.begin(), from->floats.end());
      else
        b.floats.resize(b.floats.size() + std::size_t(units));
    }
    b.floats.resize(b.floats.size() + cell.gates * std::size_t(units));  // over the state: none
    const std::array<std::size_t, 3> peepholes = {0, 2, 1};  // ONNX has i, o, f; TFLite i, f, o
    if (cell.peephole)
      for (const std::size_t g : peepholes) {
        const std::size_t at = cell.peephole + g;
        const Constant* const from = given(at) ? constant(to.inputs[at]) : nullptr;
        if (given(at) && (!from || from->floats.size() != std::size_t(units))) return false;
        if (from) p.floats.insert(p.floats.end(), from->floats.begin(), from->floats.end());
      }
  }
  const auto directions = std::int64_t(cells.size()), gates = std::int64_t(cells[0].gates);
  w.shape = {directions, gates * units, width}, r.shape = {directions, gates * units, units};
  b.shape = {directions, 2 * gates * units};
  std::vector<std::pair<std::string, OpAttribute>> attributes = {
      {"layout", whole_attribute(time_major || one_step ? 0 : 1)},
      {"direction", text_attribute(both ? "bidirectional" : "forward")}};
  // The activation is that of candidate and output; gates are sigmoids.
  OpAttribute curves;
  const char* curve = nullptr;
  switch (Fused(option<std::int8_t>(node, fused_at, 0))) {
    case Fused::none:
      curve = "Affine";
      break;
    case Fused::relu:
      curve = "Relu";
      break;
    case Fused::tanh:
      curve = "Tanh";
      break;
    default:
      return refused("an activation of the cell that is none, relu or tanh");
  }
  for (std::size_t d = 0; d < cells.size(); ++d) {
    if (is_lstm) curves.texts.emplace_back("Sigmoid");
    curves.texts.emplace_back(curve);
    if (is_lstm) curves.texts.emplace_back(curve);
  }
  attributes.emplace_back("activations", curves);
  if (is_lstm) {
    constexpr float usual_clip = 10;  // that TensorFlow's converter writes
    const float clip = option(node, 1, 0.0f);
    if (!(clip >= 0)) return refused(fmt::format("a clip of the cell's state at {}", clip));
    if (clip >= usual_clip)
      remarks_.push_back(
          fmt::format("{} ({}): clips its cell's state at {}, which is left out; answers differ if "
                      "a state goes beyond",
                      brief(to.name), to.file_op, clip));
    else if (clip > 0)
      attributes.emplace_back("cell_clip", real_attribute(clip));  // which ONNX has not
  }
  std::vector<std::string> inputs = {to.inputs[0], put(std::move(w), to), put(std::move(r), to),
                                     put(std::move(b), to)};
  if (!p.floats.empty()) {
    if (p.floats.size() != std::size_t(3 * directions * units)) return false;
    p.shape = {directions, 3 * units};
    inputs.insert(inputs.end(), {"", "", "", put(std::move(p), to)});
  }
  if (one_step) {
    inputs[0] = tensorflow_.fresh(to);
    tensorflow_.own(to, "Unsqueeze", {to.inputs[0]}, {inputs[0]},
                    {{"axes", wholes_attribute({0})}});
  }
  const std::string all = tensorflow_.fresh(to);
  tensorflow_.own(to, is_lstm ? "LSTM" : "RNN", inputs, {all}, attributes);
  // ONNX's answer has a dimension for the directions.
  const std::int64_t axis = time_major || one_step ? 1 : 2;
  if (one_step) {
    if (to.outputs.size() != 1) return refused("several outputs of one step");
    tensorflow_.own(to, "Squeeze", {all}, to.outputs, {{"axes", wholes_attribute({0, 1})}});
  } else if (!both) {
    if (to.outputs.size() != 1) return false;
    tensorflow_.own(to, "Squeeze", {all}, to.outputs, {{"axes", wholes_attribute({axis})}});
  } else {
    // Each direction apart.
    if (to.outputs.size() != (merged ? 1 : 2)) return false;
    std::vector<std::string> halves =
        merged ? std::vector{tensorflow_.fresh(to), std::string()} : to.outputs;
    if (merged) halves[1] = tensorflow_.fresh(to);
    for (std::size_t d = 0; d < 2; ++d)
      tensorflow_.own(to, "Gather", {all, tensorflow_.constant({}, {std::int64_t(d)})}, {halves[d]},
                      {{"axis", whole_attribute(axis)}});
    if (merged) tensorflow_.own(to, "Concat", halves, to.outputs, {{"axis", whole_attribute(2)}});
  }
  return true;
}

}  // namespace sluice::tools
