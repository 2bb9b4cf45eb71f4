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
  // TFLite's graphs take what they read as inputs.
  const std::vector<OpValue>& inputs = taken->graph->inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    values[inputs[i].name] = outer.at(node.inputs.at(i + 1));
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
  if (start.is_flow() && formulas_.sum(start.formula).products.empty()) {
    // Numbers that were computed of the frame's sizes alone.
    for (const float number : formulas_.sum(start.formula).constant)
      if (number != 0) stuck("{}: an initial state that is not zero", brief(name));
    return new_state(name, start.axes);
  }
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
  if (!start.is_constant()) stuck("{}: a state without its begin", brief(name));
  const Constant& constant = *start.constant;
  if (constant.is_whole) {
    // A counter, which begins at 0 and counts steps, or anything else that does not depend on data.
    const bool counts = constant.count() == 1 && constant.whole[0] == 0;
    carried.value =
        constant_value(constant.shape,
                       std::vector<std::int64_t>(constant.count(), counts ? step_number : unknown));
    return carried;
  }
  const bool any = std::any_of(constant.floats.begin(), constant.floats.end(),
                               [](float number) { return number != 0; });
  std::vector<Axis> axes;
  for (const std::int64_t size : constant.shape) axes.push_back({size != 1, size});
  Carried made = new_state(name, std::move(axes));
  if (any) inputs_.back().start = constant.floats;
  return made;
}

Follower::Carried Follower::new_state(const std::string& name, std::vector<Axis> axes) {
  GraphInput state;
  state.name = name, state.is_state = true;
  state.width = std::size_t(product_of(feature_sizes(axes)));
  inputs_.push_back(state);
  Carried carried;
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
      made.axes.insert(made.axes.begin() + std::ptrdiff_t(at), Axis{false, unknown, true});
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

namespace {

/// The nodes of a graph by the values that they make, and by those that they read.
struct Wiring {
  std::map<std::string, const OpNode*> makers;
  std::map<std::string, std::vector<const OpNode*>> readers;
  explicit Wiring(const OpGraph& graph) {
    for (const OpNode& node : graph.nodes) {
      for (const std::string& output : node.outputs) makers[output] = &node;
      for (const std::string& input : node.inputs) readers[input].push_back(&node);
    }
  }
  /// Returns the node that makes a value, behind those that hand it on; null if there is none.
  const OpNode* maker(std::string value) const {
    constexpr int most = 32;
    for (int i = 0; i < most; ++i) {
      const auto found = makers.find(value);
      if (found == makers.end()) return nullptr;
      if (found->second->op != "Identity") return found->second;
      value = found->second->inputs.at(0);
    }
    return nullptr;
  }
  /// Returns the value that another one is a copy of.
  std::string origin(std::string value) const {
    constexpr int most = 32;
    for (int i = 0; i < most; ++i) {
      const auto found = makers.find(value);
      if (found == makers.end() || found->second->op != "Identity") break;
      value = found->second->inputs.at(0);
    }
    return value;
  }
};

/// Returns the value that a body puts into a list which it keeps as a tensor, as TFLite's converter
/// writes that: the steps before, the value, the steps behind, joined. Returns an empty name if
/// this output of the body is none.
std::string put_into_tensor(const Wiring& wiring, const std::string& output,
                            const std::string& list) {
  const OpNode* const join = wiring.maker(output);
  if (!join || join->op != "Concat" || join->inputs.size() != 3 || join->whole("axis", 0) != 0)
    return "";
  for (const std::size_t i : {0, 2}) {
    const OpNode* const part = wiring.maker(join->inputs[i]);
    if (!part || part->op != "SliceSized" || part->inputs.at(0) != list) return "";
  }
  return join->inputs[1];
}

}  // namespace

/// TensorFlow's loop: its body takes all values that it carries, and gives them back.
void Follower::while_loop(const OpNode& node, const Values& outer, std::vector<Value>& out) {
  const OpAttribute* const inside = node.find("body");
  const OpAttribute* const condition = node.find("cond");
  if (!inside || !inside->graph || !condition || !condition->graph)
    stuck("a loop without its body");
  const OpGraph& graph = *inside->graph;
  const OpGraph& goes_on = *condition->graph;
  const std::size_t count = node.inputs.size();
  if (graph.inputs.size() != count || graph.outputs.size() != count || out.size() > count)
    stuck("a body of {} inputs for {} values", graph.inputs.size(), count);
  const Wiring wiring(graph);
  Values values = outer;
  std::vector<Carried> carried(count);
  enum class Kind { kept, counter, state, list, tensor, other };
  std::vector<Kind> kinds(count, Kind::other);
  std::vector<std::string> items(count);  // values that go into lists
  bool backward = false, forward = false, keeps = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string &name = graph.inputs[i].name, &next = graph.outputs[i].name;
    const auto start = outer.find(node.inputs[i]);
    if (start == outer.end() || start->second.what == Value::What::none)
      stuck("a value without its begin");
    Value begin = start->second;
    (begin.reversed ? backward : forward) |= begin.is_flow() && wiring.readers.count(name);
    begin.reversed = false;  // inside, it is the frame of a step
    items[i] = put_into_tensor(wiring, next, name);
    if (wiring.origin(next) == name) {
      kinds[i] = Kind::kept;
      values[name] = begin;
    } else if (begin.what == Value::What::list) {
      kinds[i] = Kind::list;
      values[name] = begin;
    } else if (begin.is_constant() && begin.constant->is_whole) {
      const OpNode* const add = wiring.maker(next);
      const bool counts = begin.constant->count() == 1 && begin.constant->whole[0] == 0 && add &&
                          add->op == "Add" && add->inputs.size() == 2 &&
                          wiring.origin(add->inputs[0]) == name;
      const auto by = counts ? find_constant(graph, outer, add->inputs[1]) : nullptr;
      const bool by_one = by && by->is_whole && by->whole == std::vector<std::int64_t>{1};
      kinds[i] = Kind::counter;
      values[name] = constant_value(
          begin.constant->shape,
          std::vector<std::int64_t>(begin.constant->count(), by_one ? step_number : unknown));
    } else if (!items[i].empty()) {
      kinds[i] = Kind::tensor;
    } else if (!wiring.readers.count(name)) {
      kinds[i] = Kind::other;  // the last step's value
    } else {
      kinds[i] = Kind::state;
      carried[i] = carry(begin, name);
      // One step at a call goes on where the last call ended.
      keeps = keeps || (begin.is_flow() && carried[i].value.formula == begin.formula);
      values[name] = carried[i].value;
    }
  }
  if (backward && forward) stuck("a sequence beside one in reversed order");
  if (backward)
    for (const Carried& one : carried)
      if (one.is_state) lowering().run_backward(one.value.formula);
  // The number of steps, which must be that of the sequence.
  const std::int64_t limit_outside = limit_;
  limit_ = unknown;
  {
    Values asked = outer;
    for (std::size_t i = 0; i < std::min(count, goes_on.inputs.size()); ++i) {
      const auto given = values.find(graph.inputs[i].name);
      if (given != values.end()) asked[goes_on.inputs[i].name] = given->second;
    }
    for (const auto& [name, constant] : goes_on.constants) asked[name] = of(constant);
    for (const OpNode& compares : goes_on.nodes) {
      if (compares.op == "Identity" && asked.count(compares.inputs.at(0)))
        asked[compares.outputs.at(0)] = asked[compares.inputs[0]];
      if (compares.op != "Less" || compares.inputs.size() != 2) continue;
      const Value &a = asked[compares.inputs[0]], &b = asked[compares.inputs[1]];
      if (!a.is_constant() || !b.is_constant() || a.constant->whole.size() != 1 ||
          b.constant->whole.size() != 1 || a.constant->whole[0] != step_number)
        continue;
      const std::int64_t limit = b.constant->whole[0];
      if (is_known(limit)) limit_ = is_known(limit_) ? std::min(limit_, limit) : limit;
    }
  }
  std::set<std::string> wanted;
  for (std::size_t i = 0; i < count; ++i)
    if (kinds[i] == Kind::tensor)
      wanted.insert(items[i]);
    else if (kinds[i] != Kind::kept && kinds[i] != Kind::counter)
      wanted.insert(graph.outputs[i].name);
  follow(graph, values, wanted);
  const std::int64_t limit = limit_;
  limit_ = limit_outside;
  for (std::size_t i = 0; i < count; ++i) {
    if (kinds[i] == Kind::kept || kinds[i] == Kind::counter) {
      if (i < out.size())
        out[i] =
            kinds[i] == Kind::kept ? values[graph.inputs[i].name] : constant_value({}, {unknown});
      continue;
    }
    const auto found = values.find(kinds[i] == Kind::tensor ? items[i] : graph.outputs[i].name);
    if (found == values.end() || found->second.what == Value::What::none) {
      if (obstacles_.empty()) stuck("a part of its step cannot be expressed");
      continue;  // by a reason that is told
    }
    Value made = found->second;
    if (!made.is_flow()) {
      if (kinds[i] == Kind::state) stuck("a state that does not change");
      continue;
    }
    if (kinds[i] == Kind::state && carried[i].is_state)
      lowering().expect(carried[i].value.formula, made.formula);
    if (kinds[i] == Kind::tensor) {
      if (made.axes.empty()) stuck("a list of single numbers");
      made.axes[0] = {false, is_known(limit) ? limit : unknown, true};
      made.gathered = true;
    }
    made.last = !made.gathered && !(limit == 1 && keeps), made.reversed = made.gathered && backward;
    made.gathered = false, made.looped = true;
    if (i < out.size()) out[i] = std::move(made);
  }
}

/// Returns the constant of a name inside a body; null if it is none.
ConstantPtr Follower::find_constant(const OpGraph& body, const Values& outer,
                                    const std::string& name) {
  const auto inside = body.constants.find(name);
  if (inside != body.constants.end()) return inside->second;
  const auto outside = outer.find(name);
  return outside != outer.end() && outside->second.is_constant() ? outside->second.constant
                                                                 : nullptr;
}

}  // namespace sluice::tools::graph
