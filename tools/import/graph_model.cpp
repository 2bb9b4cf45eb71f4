// Follows a whole graph: its inputs, its nodes in order, its answers.
#include <numeric>
#include <stdexcept>

#include "../model/graph.h"
#include "graph_follower.h"
#include "simplify.h"

namespace sluice::tools {
namespace graph {

namespace {

bool same_shape(const OpValue& a, const OpValue& b) {
  if (a.shape.size() != b.shape.size()) return false;
  for (std::size_t d = 0; d < a.shape.size(); ++d)
    if (a.shape[d] != b.shape[d] && a.shape[d] > 0 && b.shape[d] > 0) return false;
  return true;
}

}  // namespace

/// Which inputs are states: those whose shape an output beside the first has too.
void Follower::find_inputs() {
  constexpr std::size_t most_state = std::size_t(1) << 22;
  std::size_t column = 0;
  for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
    const OpValue& value = graph_.inputs[i];
    GraphInput input;
    input.name = value.name;
    input.width = 1;
    for (const std::int64_t size : value.shape)
      if (size > 0)
        input.width = std::uint64_t(size) > most_state
                          ? most_state + 1
                          : std::min(input.width * std::size_t(size), most_state + 1);
    // The answer has the place of the frame among the inputs, or any if that is not the first.
    if (i != frame_ && !value.is_whole)
      for (std::size_t o = frame_ == 0 ? 1 : 0; o < graph_.outputs.size() && !input.is_state; ++o)
        if (!state_outputs_.count(o) && same_shape(value, graph_.outputs[o]))
          state_outputs_.insert(o), input.is_state = true;
    if (input.is_state && input.width > most_state)
      refuse("{}: {}: a state of more than {} numbers", file_, brief(value.name), most_state);
    if (!input.is_state && !value.is_whole) {
      const bool said = !value.shape.empty() && value.shape.back() < 1 && choices_.frame > 0;
      if (value.shape.empty() || (value.shape.back() < 1 && !said))
        refuse("{}: {}: the number of its features is not in the file; give it by --frame", file_,
               brief(value.name));
      input.width = std::size_t(said ? choices_.frame : value.shape.back());
      input.column = column;
      column += input.width;
    }
    inputs_.push_back(input);
  }
  if (column == 0) refuse("{}: has no input of floats", file_);
  if (column > widest)
    refuse("{}: a frame of {} numbers; at most {} are read", file_, column, widest);
  result_.network.width = int(column);
}

void Follower::follow(const OpGraph& graph, Values& values, const std::set<std::string>& wanted) {
  for (const auto& [name, constant] : graph.constants) values[name] = of(constant);
  std::set<std::string> needed = wanted;
  std::vector<const OpNode*> nodes;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::none_of(node->outputs.begin(), node->outputs.end(),
                     [&](const std::string& name) { return needed.count(name) != 0; }))
      continue;
    nodes.push_back(&*node);
    needed.insert(node->inputs.begin(), node->inputs.end());
    // The graphs inside a node read values of this one by their names.
    std::vector<const OpGraph*> inside;
    const auto add_graphs = [&](const OpNode& of_node) {
      for (const auto& [name, attribute] : of_node.attributes)
        if (attribute.graph) inside.push_back(attribute.graph.get());
    };
    add_graphs(*node);
    while (!inside.empty()) {
      const OpGraph& one = *inside.back();
      inside.pop_back();
      for (const OpNode& deeper : one.nodes) {
        needed.insert(deeper.inputs.begin(), deeper.inputs.end());
        add_graphs(deeper);
      }
      for (const OpValue& output : one.outputs) needed.insert(output.name);
    }
  }
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) follow_node(**node, values);
}

void Follower::follow_node(const OpNode& node, Values& values) {
  std::vector<Value> in;
  for (const std::string& name : node.inputs) {
    const auto found = values.find(name);
    in.push_back(found == values.end() ? Value{} : found->second);
    // A node that reads what an obstacle hid is passed over.
    if (!name.empty() && in.back().what == Value::What::none) return;
  }
  std::vector<Value> out(node.outputs.size());
  const std::string place = fmt::format("{} ({})", brief(node.name), brief(node.shown_op()));
  std::int64_t step = -1;
  try {
    step = common_step(node, in);
    if (!node.domain.empty() && node.domain != "ai.onnx")
      stuck("of the domain {}, which is not read", brief(node.domain));
    static const std::map<std::string, void (Follower::*)(const OpNode&, const std::vector<Value>&,
                                                          std::vector<Value>&)>
        known = {{"Add", &Follower::elementwise},
                 {"Sub", &Follower::elementwise},
                 {"Mul", &Follower::elementwise},
                 {"Div", &Follower::elementwise},
                 {"Pow", &Follower::elementwise},
                 {"Sigmoid", &Follower::unary},
                 {"Tanh", &Follower::unary},
                 {"Relu", &Follower::unary},
                 {"HardSigmoid", &Follower::unary},
                 {"Softmax", &Follower::unary},
                 {"Identity", &Follower::unary},
                 {"Dropout", &Follower::unary},
                 {"Cast", &Follower::unary},
                 {"Neg", &Follower::unary},
                 {"Elu", &Follower::unary},
                 {"LeakyRelu", &Follower::unary},
                 {"Selu", &Follower::unary},
                 {"Softplus", &Follower::unary},
                 {"Softsign", &Follower::unary},
                 {"Exp", &Follower::unary},
                 {"HardSwish", &Follower::unary},
                 {"Swish", &Follower::unary},
                 {"Gelu", &Follower::unary},
                 {"Clip", &Follower::unary},
                 {"PRelu", &Follower::unary},
                 {"Sqrt", &Follower::unary},
                 {"Reciprocal", &Follower::unary},
                 {"MatMul", &Follower::matrix},
                 {"Gemm", &Follower::matrix},
                 {"Conv", &Follower::convolution},
                 {"Transpose", &Follower::shape},
                 {"Squeeze", &Follower::shape},
                 {"Unsqueeze", &Follower::shape},
                 {"Reshape", &Follower::shape},
                 {"Flatten", &Follower::shape},
                 {"Slice", &Follower::shape},
                 {"Gather", &Follower::shape},
                 {"Split", &Follower::shape},
                 {"Concat", &Follower::shape},
                 {"Shape", &Follower::shape},
                 {"Expand", &Follower::shape},
                 {"Pad", &Follower::padding},
                 {"MaxPool", &Follower::pooling},
                 {"AveragePool", &Follower::pooling},
                 {"GlobalMaxPool", &Follower::pooling},
                 {"GlobalAveragePool", &Follower::pooling},
                 {"Log", &Follower::unary},
                 {"Abs", &Follower::unary},
                 {"ReduceL2", &Follower::normalization},
                 {"ReduceMax", &Follower::normalization},
                 {"ReduceMean", &Follower::normalization},
                 {"ReduceSum", &Follower::normalization},
                 {"BatchNormalization", &Follower::normalization},
                 {"LayerNormalization", &Follower::normalization},
                 {"GRU", &Follower::recurrent},
                 {"LSTM", &Follower::recurrent},
                 {"RNN", &Follower::recurrent},
                 {"Max", &Follower::elementwise},
                 {"Min", &Follower::elementwise},
                 {"Refused", &Follower::tensorflow},
                 {"StridedSlice", &Follower::tensorflow},
                 {"SliceSized", &Follower::tensorflow},
                 {"Reverse", &Follower::tensorflow},
                 {"Rank", &Follower::tensorflow},
                 {"ListReserve", &Follower::tensorflow},
                 {"ListOf", &Follower::tensorflow},
                 {"ListSet", &Follower::tensorflow},
                 {"ListSize", &Follower::tensorflow}};
    if (node.op == "If") {
      branch(node, values, out);
    } else if (node.op == "Loop") {
      loop(node, values, out);
    } else if (node.op == "Scan") {
      scan(node, values, out);
    } else if (node.op == "While") {
      if (step >= 0) stuck("a loop inside one step of another one");
      for (std::size_t i = 0; i < in.size(); ++i) values[node.inputs[i]] = in[i];
      while_loop(node, values, out);
    } else {
      for (const Value& value : in)
        if ((value.steps_in_front || value.steps_behind) && node.op != "Conv" &&
            node.op != "AveragePool" && node.op != "Transpose" && node.op != "Unsqueeze" &&
            node.op != "Squeeze" && node.op != "Identity")
          stuck("reads steps of zeros that are padded in front; only a convolution may");
      const bool constants =
          std::none_of(in.begin(), in.end(), [](const Value& value) { return value.is_flow(); });
      if (!(constants && on_constants(node, in, out))) {
        const auto function = known.find(node.op);
        if (function == known.end()) stuck("is not one of the operations that are read");
        if (!attends(node, in, out)) (this->*function->second)(node, in, out);
      }
    }
  } catch (const Stuck& reason) {
    obstacles_.add("{}: {}", place, reason.reason);
    return;
  } catch (const BadFormula& bad) {
    obstacles_.add("{}: {}", place, bad.reason);
    return;
  } catch (const std::out_of_range&) {
    obstacles_.add("{}: its lists of numbers have different lengths", place);
    return;
  }
  for (const Value& value : out)
    if (value.is_constant()) take_room(value.constant->count());
  for (std::size_t i = 0; i < out.size(); ++i) {
    // A dimension of one is no dimension of features, whatever it was.
    if (out[i].is_flow()) lowering().name(out[i].formula, place);
    if (out[i].is_flow() && step >= 0) out[i].step = step, out[i].last = step == steps_ - 1;
    for (Axis& axis : out[i].axes)
      if (axis.size == 1) axis.feature = false;
    if (!node.outputs[i].empty()) values[node.outputs[i]] = std::move(out[i]);
  }
}

void Follower::finish(const Values& values) {
  std::vector<Formula> answers;
  std::vector<std::string> names;
  bool last = false, every = false;
  for (std::size_t o = 0; o < graph_.outputs.size(); ++o) {
    const OpValue& output = graph_.outputs[o];
    const auto found = values.find(output.name);
    if (state_outputs_.count(o)) continue;
    if (found == values.end() || !found->second.is_flow()) {
      obstacles_.refuse_any();
      if (found == values.end() || o == 0)
        refuse("{}: its output {} is not computed from the frame", file_, brief(output.name));
      continue;
    }
    // The last state beside all steps says nothing new.
    if (o > 0 && found->second.last != last &&
        std::count(answers.begin(), answers.end(), found->second.formula))
      continue;
    if (found->second.scores >= 0)
      refuse("{}: its output {} is a softmax over steps", file_, brief(output.name));
    if (found->second.steps_in_front || found->second.steps_behind)
      refuse("{}: its output {} has steps of padding", file_, brief(output.name));
    if (found->second.step >= 0 && !found->second.last)
      refuse("{}: its output {} is one step of a sequence, which is not the last one", file_,
             brief(output.name));
    if (found->second.reversed)
      refuse("{}: its output {} is a sequence from the last step to the first", file_,
             brief(output.name));
    answers.push_back(found->second.formula);
    names.push_back(output.name);
    (found->second.last ? last : every) = true;
  }
  if (std::any_of(step_states_.begin(), step_states_.end(),
                  [](const auto& state) { return state.second.next < 0; }))
    obstacles_.add("its two steps are written one by one, and two do not tell the loop");
  obstacles_.refuse_any();
  if (last && every) {
    last = false;
    answers.resize(1);
    result_.remarks.push_back(
        "the model answers with its first output alone; the others are of the last step");
  }
  const Formula answer = formulas_.concat(answers);
  Network& network = result_.network;
  const std::uint32_t source = lowering().source_of(answer, "the answer");
  obstacles_.refuse_any();
  if (source == 0 || network.layers.empty()) refuse("{}: its answer is the frame itself", file_);
  if (source != network.layers.size()) {
    std::vector<std::int32_t> columns(std::size_t(network.layers[source - 1].out));
    std::iota(columns.begin(), columns.end(), 0);
    append_select(network, source, columns);
  }
  if (!last) return;
  // A layer that another recurrent one reads must give every step.
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    if (!tools::recurrent(network.layers[l])) continue;
    for (const std::uint32_t below : sources_of(network, l)) {
      if (below == 0) continue;
      const Formula read = formulas_.layer(int(below), std::size_t(network.layers[below - 1].out));
      for (const std::uint32_t layer : lowering().recurrent_below(read)) every_.insert(layer);
    }
  }
  for (const std::uint32_t layer : lowering().recurrent_below(answer)) {
    if (every_.count(layer))
      refuse("{}: layer {}: both all of its steps and its last one are read", file_, layer);
    network.layers[layer - 1].every_step = false;
  }
}

Imported Follower::run() {
  find_inputs();
  room_ = 1u << 20;
  for (const auto& [name, constant] : graph_.constants) room_ += 4 * constant->count();
  for (const OpNode& node : graph_.nodes)
    for (const auto& [name, attribute] : node.attributes)
      if (attribute.tensor) room_ += 4 * attribute.tensor->count();
  formulas_.limit(2 * room_);
  lowering_.emplace(formulas_, inputs_, result_, obstacles_);
  Values values;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const OpValue& from = graph_.inputs[i];
    // A single whole number, such as a sampling rate, is a constant that is not known.
    if (from.is_whole && from.shape.empty()) values[from.name] = constant_value({}, {unknown});
    if (from.is_whole) continue;
    std::vector<Axis> axes;
    for (std::size_t d = 0; d < from.shape.size(); ++d) {
      const bool feature = inputs_[i].is_state || d + 1 == from.shape.size();
      const std::int64_t size = from.shape[d] > 0     ? from.shape[d]
                                : !feature            ? unknown
                                : inputs_[i].is_state ? 1
                                                      : std::int64_t(inputs_[i].width);
      axes.push_back({feature && size != 1, size});
    }
    values[from.name] = flow(formulas_.input(int(i), inputs_[i].width), axes, false);
  }
  std::set<std::string> wanted;
  for (const OpValue& output : graph_.outputs) wanted.insert(output.name);
  try {
    follow(graph_, values, wanted);
    finish(values);
  } catch (const BadFormula& bad) {
    refuse("{}: {}", file_, bad.reason);
  }
  simplify(result_);
  return std::move(result_);
}

}  // namespace graph

Imported model_of_graph(const OpGraph& graph, const std::string& file,
                        const GraphChoices& choices) {
  using sluice::tools::graph::Follower;
  // The frame is the first input, if the program that wrote the file keeps their order. If it does
  // not, an input whose shape no output has is the frame; then any other.
  std::vector<std::size_t> frames = {0};
  constexpr std::size_t most = 4;
  if (graph.outputs.size() > 1)
    for (std::size_t i = 1; i < std::min(graph.inputs.size(), most); ++i) {
      const bool is_state = std::any_of(
          graph.outputs.begin(), graph.outputs.end(),
          [&](const OpValue& output) { return graph::same_shape(graph.inputs[i], output); });
      if (graph.inputs[i].is_whole) continue;
      frames.insert(is_state ? frames.end() : frames.begin() + 1, i);
    }
  std::vector<Error> refusals;
  for (const std::size_t frame : frames) {
    try {
      return Follower(graph, file, choices, frame).run();
    } catch (const Error& error) {
      refusals.push_back(error);
    }
  }
  throw Error(refusals.at(0));
}

}  // namespace sluice::tools
