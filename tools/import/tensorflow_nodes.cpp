#include "tensorflow_nodes.h"

#include <array>
#include <map>
#include <memory>

namespace sluice::tools {

OpAttribute whole_attribute(std::int64_t number) {
  OpAttribute made;
  made.whole = number;
  return made;
}
OpAttribute wholes_attribute(std::vector<std::int64_t> numbers) {
  OpAttribute made;
  made.wholes = std::move(numbers);
  return made;
}
OpAttribute real_attribute(float number) {
  OpAttribute made;
  made.real = number;
  return made;
}
OpAttribute text_attribute(std::string text) {
  OpAttribute made;
  made.text = std::move(text);
  return made;
}

void TensorFlowNodes::own(const OpNode& from, const std::string& op,
                          std::vector<std::string> inputs, std::vector<std::string> outputs,
                          std::vector<std::pair<std::string, OpAttribute>> attributes) {
  OpNode made;
  made.op = op, made.name = from.name;
  made.file_op = from.file_op.empty() ? from.op : from.file_op;
  made.inputs = std::move(inputs), made.outputs = std::move(outputs);
  for (auto& [name, value] : attributes) made.attributes.emplace(name, std::move(value));
  graph_.nodes.push_back(std::move(made));
}

void TensorFlowNodes::refused(const OpNode& from, const std::string& reason) {
  own(from, "Refused", from.inputs, from.outputs, {{"reason", text_attribute(reason)}});
}

std::string TensorFlowNodes::fresh(const OpNode& of) {
  return fmt::format("{}/part {}", of.outputs.empty() ? of.name : of.outputs[0], made_++);
}

std::string TensorFlowNodes::constant(std::vector<std::int64_t> shape,
                                      std::vector<std::int64_t> numbers) {
  auto made = std::make_shared<Constant>();
  made->shape = std::move(shape), made->whole = std::move(numbers), made->is_whole = true;
  const std::string name = fmt::format("a constant of the reader {}", made_++);
  graph_.constants[name] = std::move(made);
  return name;
}

std::string TensorFlowNodes::constant(float number) {
  auto made = std::make_shared<Constant>();
  made->floats = {number};
  const std::string name = fmt::format("a constant of the reader {}", made_++);
  graph_.constants[name] = std::move(made);
  return name;
}

const std::vector<std::int64_t>* TensorFlowNodes::whole(const std::string& value) const {
  const auto found = graph_.constants.find(value);
  if (found == graph_.constants.end() || !found->second->is_whole) return nullptr;
  return &found->second->whole;
}

bool TensorFlowNodes::add_arithmetic(const OpNode& node) {
  // Operations with the follower's meaning, by TensorFlow's name and the follower's.
  static const std::map<std::string, std::string> same = {{"Add", "Add"},
                                                          {"AddV2", "Add"},
                                                          {"BiasAdd", "Add"},
                                                          {"Sub", "Sub"},
                                                          {"Mul", "Mul"},
                                                          {"Div", "Div"},
                                                          {"RealDiv", "Div"},
                                                          {"FloorDiv", "Div"},
                                                          {"Pow", "Pow"},
                                                          {"Maximum", "Max"},
                                                          {"Minimum", "Min"},
                                                          {"Sigmoid", "Sigmoid"},
                                                          {"Tanh", "Tanh"},
                                                          {"Relu", "Relu"},
                                                          {"Elu", "Elu"},
                                                          {"Selu", "Selu"},
                                                          {"Softplus", "Softplus"},
                                                          {"Softsign", "Softsign"},
                                                          {"HardSwish", "HardSwish"},
                                                          {"Exp", "Exp"},
                                                          {"Neg", "Neg"},
                                                          {"Sqrt", "Sqrt"},
                                                          {"Reciprocal", "Reciprocal"},
                                                          {"Prelu", "PRelu"},
                                                          {"Identity", "Identity"},
                                                          {"StopGradient", "Identity"},
                                                          {"PreventGradient", "Identity"},
                                                          {"Snapshot", "Identity"},
                                                          {"Less", "Less"},
                                                          {"LessEqual", "LessOrEqual"},
                                                          {"Greater", "Greater"},
                                                          {"GreaterEqual", "GreaterOrEqual"},
                                                          {"Equal", "Equal"},
                                                          {"Switch", "Switch"},
                                                          {"Merge", "Merge"},
                                                          {"LogicalAnd", "And"},
                                                          {"LogicalOr", "Or"},
                                                          {"LogicalNot", "Not"}};
  const std::string& op = node.op;
  const auto input = [&](std::size_t i) { return i < node.inputs.size() ? node.inputs[i] : ""; };
  if (const auto found = same.find(op); found != same.end()) {
    own(node, found->second, node.inputs, node.outputs);
  } else if (op == "LeakyRelu") {
    own(node, "LeakyRelu", node.inputs, node.outputs,
        {{"alpha", real_attribute(node.real("alpha", 0.2f))}});
  } else if (op == "Relu6") {
    own(node, "Clip", node.inputs, node.outputs,
        {{"min", real_attribute(0)}, {"max", real_attribute(6)}});
  } else if (op == "Clip") {
    own(node, "Clip", node.inputs, node.outputs,
        {{"min", real_attribute(node.real("min", 0))},
         {"max", real_attribute(node.real("max", 0))}});
  } else if (op == "Gelu") {
    own(node, "Gelu", node.inputs, node.outputs,
        {{"approximate", text_attribute(node.whole("approximate", 0) ? "tanh" : "none")}});
  } else if (op == "Softmax") {
    std::vector<std::string> from = {input(0)};
    if (const float beta = node.real("beta", 1); beta != 1) {
      const std::string scaled = fresh(node);
      own(node, "Mul", {input(0), constant(beta)}, {scaled});
      from = {scaled};
    }
    own(node, "Softmax", from, node.outputs, {{"axis", whole_attribute(-1)}});
  } else if (op == "MatMul" || op == "BatchMatMul" || op == "BatchMatMulV2") {
    const bool plain = op == "MatMul";
    own(node, "Gemm", {input(0), input(1)}, node.outputs,
        {{"transA", whole_attribute(node.whole(plain ? "transpose_a" : "adj_x", 0))},
         {"transB", whole_attribute(node.whole(plain ? "transpose_b" : "adj_y", 0))}});
  } else if (op == "Cast") {
    own(node, "Cast", {input(0)}, node.outputs, {{"to", whole_attribute(node.whole("to", 1))}});
  } else if (op == "Square") {
    own(node, "Mul", {input(0), input(0)}, node.outputs);
  } else if (op == "SquaredDifference") {
    const std::string difference = fresh(node);
    own(node, "Sub", {input(0), input(1)}, {difference});
    own(node, "Mul", {difference, difference}, node.outputs);
  } else if (op == "Rsqrt") {
    const std::string root = fresh(node);
    own(node, "Sqrt", {input(0)}, {root});
    own(node, "Reciprocal", {root}, node.outputs);
  } else if (op == "ZerosLike") {
    own(node, "Sub", {input(0), input(0)}, node.outputs);
  } else if (op == "Mean" || op == "Sum" || op == "Prod") {
    own(node,
        op == "Mean"  ? "ReduceMean"
        : op == "Sum" ? "ReduceSum"
                      : "ReduceProd",
        node.inputs, node.outputs, {{"keepdims", whole_attribute(node.whole("keep_dims", 0))}});
  } else {
    return false;
  }
  return true;
}

bool TensorFlowNodes::add_shapes(const OpNode& node) {
  const std::string& op = node.op;
  const auto input = [&](std::size_t i) { return i < node.inputs.size() ? node.inputs[i] : ""; };
  // The axis that an input says; a node without a constant one is refused.
  const auto axis_in = [&](std::size_t i) -> std::optional<OpAttribute> {
    const std::vector<std::int64_t>* const numbers = whole(input(i));
    if (numbers && numbers->size() == 1) return whole_attribute((*numbers)[0]);
    refused(node, "an axis that is not a constant");
    return std::nullopt;
  };
  const std::vector<std::string> first = {input(0)};
  if (op == "Reshape" || op == "Transpose" || op == "Shape" || op == "Rank" || op == "Range") {
    auto attributes = std::vector<std::pair<std::string, OpAttribute>>{};
    if (const OpAttribute* const shape = node.find("shape"))
      attributes.emplace_back("shape", *shape);
    own(node, op, node.inputs, node.outputs, attributes);
  } else if (op == "ExpandDims") {
    own(node, "Unsqueeze", node.inputs, node.outputs);
  } else if (op == "Squeeze") {
    const OpAttribute* const dims = node.find("squeeze_dims");
    if (dims && !dims->wholes.empty())
      own(node, "Squeeze", first, node.outputs, {{"axes", *dims}});
    else
      own(node, "Squeeze", first, node.outputs);
  } else if (op == "Fill") {
    own(node, "Expand", {input(1), input(0)}, node.outputs);
  } else if (op == "BroadcastTo") {
    own(node, "Expand", node.inputs, node.outputs);
  } else if (op == "Slice") {
    own(node, "SliceSized", node.inputs, node.outputs);
  } else if (op == "StridedSlice") {
    std::vector<std::pair<std::string, OpAttribute>> masks;
    for (const char* name :
         {"begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"})
      masks.emplace_back(name, whole_attribute(node.whole(name, 0)));
    own(node, "StridedSlice", node.inputs, node.outputs, masks);
  } else if (op == "ReverseV2") {
    own(node, "Reverse", node.inputs, node.outputs);
  } else if (op == "Gather") {
    own(node, "Gather", {input(0), input(1)}, node.outputs,
        {{"axis", whole_attribute(node.whole("axis", 0))}});
  } else if (op == "GatherV2") {
    if (const auto axis = axis_in(2))
      own(node, "Gather", {input(0), input(1)}, node.outputs, {{"axis", *axis}});
  } else if (op == "Split") {
    if (const auto axis = axis_in(0))
      own(node, "Split", {input(1)}, node.outputs, {{"axis", *axis}});
  } else if (op == "SplitV") {
    if (const auto axis = axis_in(2))
      own(node, "Split", {input(0), input(1)}, node.outputs, {{"axis", *axis}});
  } else if (op == "Concat" || op == "ConcatV2") {
    const std::size_t at = op == "Concat" || node.inputs.empty() ? 0 : node.inputs.size() - 1;
    std::vector<std::string> parts = node.inputs;
    if (at < parts.size()) parts.erase(parts.begin() + std::ptrdiff_t(at));
    if (const auto axis = axis_in(at)) own(node, "Concat", parts, node.outputs, {{"axis", *axis}});
  } else if (op == "Pack") {
    const std::int64_t axis = node.whole("axis", 0);
    std::vector<std::string> parts;
    for (const std::string& one : node.inputs) {
      parts.push_back(fresh(node));
      own(node, "Unsqueeze", {one}, {parts.back()}, {{"axes", wholes_attribute({axis})}});
    }
    own(node, "Concat", parts, node.outputs, {{"axis", whole_attribute(axis)}});
  } else if (op == "Unpack") {
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      own(node, "Gather", {input(0), constant({}, {std::int64_t(i)})}, {node.outputs[i]},
          {{"axis", whole_attribute(node.whole("axis", 0))}});
  } else {
    return false;
  }
  return true;
}

/// Lists of values, one for each step of a loop: TensorFlow 2's, and TensorFlow 1's TensorArray,
/// which passes the list on as its "flow".
bool TensorFlowNodes::add_lists(const OpNode& node) {
  const std::string& op = node.op;
  const auto input = [&](std::size_t i) { return i < node.inputs.size() ? node.inputs[i] : ""; };
  if (op == "TensorListReserve") {
    own(node, "ListReserve", {}, node.outputs);
  } else if (op == "TensorListFromTensor" || op == "TensorListStack") {
    own(node, "ListOf", {input(0)}, node.outputs);
  } else if (op == "TensorListGetItem") {
    own(node, "Gather", {input(0), input(1)}, node.outputs, {{"axis", whole_attribute(0)}});
  } else if (op == "TensorListSetItem") {
    own(node, "ListSet", {input(0), input(1), input(2)}, node.outputs);
  } else if (op == "TensorArrayV3") {
    for (const std::string& output : node.outputs) own(node, "ListReserve", {}, {output});
  } else if (op == "TensorArrayScatterV3" || op == "TensorArrayGatherV3") {
    own(node, "ListOf", {input(2)}, node.outputs);
  } else if (op == "TensorArrayReadV3") {
    own(node, "Gather", {input(2), input(1)}, node.outputs, {{"axis", whole_attribute(0)}});
  } else if (op == "TensorArrayWriteV3") {
    own(node, "ListSet", {input(3), input(1), input(2)}, node.outputs);
  } else if (op == "TensorArraySizeV3") {
    own(node, "ListSize", {input(1)}, node.outputs);
  } else {
    return false;
  }
  return true;
}

void TensorFlowNodes::add(const OpNode& node) {
  if (!add_arithmetic(node) && !add_shapes(node) && !add_lists(node))
    refused(node, "is not one of the operations that are read");
}

}  // namespace sluice::tools
