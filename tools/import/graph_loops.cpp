// Branches whose condition is known, and loops over the steps of a sequence: the values that a loop
// carries from step to step are states, and its body is one step.
#include "graph_follower.h"

namespace sluice::tools::graph {

/// A value that a loop carries.
struct Follower::Carried {
  Value value;            ///< as the body reads it
  bool is_state = false;  ///< a state of the network, and not a counter
};

void Follower::branch(const OpNode& node, const Values& outer, std::vector<Value>& out) {
  const Value& condition = outer.at(node.inputs.at(0));
  if (!condition.is_constant() || condition.constant->count() != 1 ||
      (condition.constant->is_whole && !is_known(condition.constant->whole[0])))
    stuck("a branch that depends on the data, or on a size that is not in the file");
  const OpAttribute* const taken =
      node.find(condition.constant->number(0) != 0 ? "then_branch" : "else_branch");
  if (!taken || !taken->graph || taken->graph->outputs.size() < out.size())
    stuck("a branch without its graph");
  Values values = outer;
  std::set<std::string> wanted;
  for (const OpValue& output : taken->graph->outputs) wanted.insert(output.name);
  follow(*taken->graph, values, wanted);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto found = values.find(taken->graph->outputs[i].name);
    if (found == values.end()) stuck("a part of it cannot be expressed");
    out[i] = found->second;
  }
}

Follower::Carried Follower::carry(const Value& start, const std::string& name) {
  Carried carried;
  if (start.is_flow()) {
    for (const Product& product : formulas_.sum(start.formula).products)
      for (const AtomPart& part : product.parts) {
        const Atom& atom = formulas_.atom(part.atom);
        if (atom.kind != Atom::Kind::input || !inputs_[std::size_t(atom.number)].is_state)
          stuck("{}: an initial state that is computed", brief(name));
      }
    carried.value = start, carried.is_state = true;
    return carried;
  }
  const Constant& constant = *start.constant;
  if (constant.is_whole) {
    // A counter, which begins at 0 and counts steps, or anything else that does not depend on data.
    const bool counts = constant.count() == 1 && constant.whole[0] == 0;
    carried.value =
        constant_value(constant.shape,
                       std::vector<std::int64_t>(constant.count(), counts ? step_number : unknown));
    return carried;
  }
  GraphInput state;
  state.name = name, state.width = 1, state.is_state = true;
  const bool any = std::any_of(constant.floats.begin(), constant.floats.end(),
                               [](float number) { return number != 0; });
  if (any) state.start = constant.floats;
  std::vector<Axis> axes;
  for (const std::int64_t size : constant.shape) {
    axes.push_back({size != 1, size});
    state.width *= std::size_t(size);
  }
  inputs_.push_back(state);
  carried.value =
      flow(formulas_.input(int(inputs_.size()) - 1, state.width), std::move(axes), false);
  carried.is_state = true;
  return carried;
}

/// Follows one step of a loop.
/// @param values  of the graph around it, and the inputs of the body
/// @param axes    the dimension of each output over which its steps run
void Follower::body(const OpGraph& graph, Values& values, const std::vector<Carried>& carried,
                    std::size_t first_output, std::vector<Value>& out, std::size_t scans,
                    const std::vector<std::int64_t>& axes) {
  if (graph.outputs.size() != first_output + carried.size() + scans ||
      out.size() > carried.size() + scans)
    stuck("a body of {} outputs for {} states and {} values", graph.outputs.size(), carried.size(),
          scans);
  std::set<std::string> wanted;
  for (std::size_t o = first_output; o < graph.outputs.size(); ++o)
    wanted.insert(graph.outputs[o].name);
  follow(graph, values, wanted);
  for (std::size_t i = 0; i < carried.size() + scans; ++i) {
    const auto found = values.find(graph.outputs[first_output + i].name);
    if (found == values.end() || found->second.what == Value::What::none)
      stuck("a part of its step cannot be expressed");
    Value made = found->second;
    if (i < carried.size()) {
      if (!carried[i].is_state) {
        made = constant_value({}, {unknown});
      } else {
        if (!made.is_flow()) stuck("a state that does not change");
        lowering().expect(carried[i].value.formula, made.formula);
        made.last = true;
      }
    } else if (made.is_flow()) {
      const std::size_t at =
          axes.empty() ? 0 : axis_of(axes.at(i - carried.size()), made.axes.size() + 1);
      made.axes.insert(made.axes.begin() + std::ptrdiff_t(at), Axis{false, unknown});
    } else {
      made = Value{};  // numbers that do not depend on the frame
    }
    if (i < out.size()) out[i] = std::move(made);
  }
}

void Follower::loop(const OpNode& node, const Values& outer, std::vector<Value>& out) {
  const OpAttribute* const inside = node.find("body");
  if (!inside || !inside->graph || node.inputs.size() < 2) stuck("a loop without its body");
  const OpGraph& graph = *inside->graph;
  const std::size_t states = node.inputs.size() - 2;
  if (graph.inputs.size() != states + 2 || graph.outputs.size() < states + 1)
    stuck("a body of {} inputs for {} states", graph.inputs.size(), states);
  Values values = outer;
  values[graph.inputs[0].name] = constant_value({}, {step_number});
  values[graph.inputs[1].name] = constant_value({}, {1});
  std::vector<Carried> carried;
  for (std::size_t i = 0; i < states; ++i) {
    const auto start = outer.find(node.inputs[i + 2]);
    if (start == outer.end()) stuck("a state without its begin");
    carried.push_back(carry(start->second, graph.inputs[i + 2].name));
    values[graph.inputs[i + 2].name] = carried.back().value;
  }
  body(graph, values, carried, 1, out, graph.outputs.size() - states - 1, {});
}

void Follower::scan(const OpNode& node, const Values& outer, std::vector<Value>& out) {
  constexpr std::int64_t first_opset = 9;  // before it a Scan had batches of its own
  const OpAttribute* const inside = node.find("body");
  const auto scans = std::size_t(std::max<std::int64_t>(node.whole("num_scan_inputs", 0), 0));
  if (!inside || !inside->graph || node.inputs.size() < scans || graph_.opset < first_opset)
    stuck("a scan without its body, or of opset 8");
  const OpGraph& graph = *inside->graph;
  const std::size_t states = node.inputs.size() - scans;
  if (graph.inputs.size() != node.inputs.size() || graph.outputs.size() < states)
    stuck("a body of {} inputs for {} values", graph.inputs.size(), node.inputs.size());
  for (const char* directions : {"scan_input_directions", "scan_output_directions"})
    if (const OpAttribute* const said = node.find(directions))
      for (const std::int64_t direction : said->wholes)
        if (direction != 0) stuck("steps from the last to the first");
  Values values = outer;
  std::vector<Carried> carried;
  const OpAttribute* const axes = node.find("scan_input_axes");
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const auto given = outer.find(node.inputs[i]);
    if (given == outer.end()) stuck("a value without its begin");
    if (i < states) {
      carried.push_back(carry(given->second, graph.inputs[i].name));
      values[graph.inputs[i].name] = carried.back().value;
      continue;
    }
    Value frame = given->second;
    if (!frame.is_flow()) stuck("steps of a constant");
    const std::size_t axis = axis_of(axes ? axes->wholes.at(i - states) : 0, frame.axes.size());
    if (frame.axes[axis].feature) stuck("steps over the numbers of a frame");
    frame.axes.erase(frame.axes.begin() + std::ptrdiff_t(axis));
    values[graph.inputs[i].name] = frame;
  }
  const OpAttribute* const output_axes = node.find("scan_output_axes");
  body(graph, values, carried, 0, out, graph.outputs.size() - states,
       output_axes ? output_axes->wholes : std::vector<std::int64_t>{});
}

}  // namespace sluice::tools::graph
