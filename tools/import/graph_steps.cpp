// Steps of a sequence that an exporter wrote one by one. The frame of each step has the same
// formula. A value of one step that the next one reads is a state: after the first step it is what
// the others make of it if their state is zeros, so that a state is known by this formula.
#include "graph_follower.h"

namespace sluice::tools::graph {
namespace {

/// Returns whether a value has a dimension over which steps run.
bool is_sequence(const Value& value) {
  return value.is_flow() && value.step < 0 &&
         std::any_of(
             value.axes.begin(), value.axes.end(),
             [](const Axis& axis) { return !axis.feature && axis.size > 1; });
}

/// Operations that may read a sequence in reversed order.
bool may_reverse(const std::string& op) {
  static const std::set<std::string> operations = {
      "Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity",     "LSTM",
      "GRU",       "RNN",     "Reverse",   "Slice",   "StridedSlice", "SliceSized",
      "Gather",    "Cast",    "Shape",     "While",   "ListOf"};
  return operations.count(op) != 0;
}

}  // namespace

/// Returns one step of a sequence.
/// @param step  -1: the last one of a sequence of unknown length
Value Follower::one_step(const Value& in, std::size_t axis, std::int64_t step) {
  const std::int64_t size = in.axes[axis].size;
  Value out = in;
  out.axes[axis].size = 1;
  if (step < 0 || step == size - 1) {
    bool forward = false, backward = false;
    for (const std::uint32_t layer : lowering().recurrent_below(in.formula)) {
      const bool both = result_.network.layers[layer - 1].both;
      forward = forward || !both || !lowering().is_backward(layer);
      backward = backward || both;
    }
    // In reversed order the last step is that of the first frame, where a layer that goes backward
    // has seen all of them.
    if (in.reversed && (forward || !backward)) stuck("the first step of a sequence");
    if (!in.reversed && backward) {
      out.last = false;
      const std::string remark =
          "the last step of a layer that goes backward has read one frame alone; the model answers "
          "every step, and its last answer is that of the file";
      if (!std::count(result_.remarks.begin(), result_.remarks.end(), remark))
        result_.remarks.push_back(remark);
      return out;
    }
    out = last_of(out);
    out.reversed = false;
  } else if (in.reversed) {
    stuck("one step of a sequence in reversed order");
  }
  if (step < 0 || in.last || size < 1) return out;
  if (steps_ >= 0 && steps_ != size) stuck("one step of {}, beside sequences of {}", size, steps_);
  steps_ = size;
  out.step = step;
  return out;
}

/// Returns whether a node puts all steps one behind another.
bool Follower::joins_steps(const OpNode& node, const std::vector<Value>& in) const {
  if (node.op != "Concat" || in.size() < 2 || std::int64_t(in.size()) != steps_) return false;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!in[i].is_flow() || in[i].step != std::int64_t(i)) return false;
    const std::int64_t rank = std::int64_t(in[i].axes.size()), said = node.whole("axis", 0),
                       axis = said < 0 ? said + rank : said;
    if (axis < 0 || axis >= rank || in[i].axes[std::size_t(axis)].size != 1) return false;
  }
  return true;
}

Value Follower::joined_steps(const std::vector<Value>& in, std::size_t axis) {
  Value out = in.back();
  for (std::size_t i = 0; i < in.size(); ++i) {
    const Formula step = in[i].formula;
    if (i == 0 ? formulas_.with_zeros(step, step_atoms_) !=
                     formulas_.with_zeros(out.formula, step_atoms_)
               : step != out.formula)
      stuck("steps that differ");
  }
  out.looped = formulas_.with_zeros(out.formula, step_atoms_) != out.formula;
  out.step = -1, out.last = false;
  out.axes[axis] = {false, steps_, true};
  return out;
}

/// Makes the inputs of a node those of one step, and returns it; -1 if it is of no step.
std::int64_t Follower::common_step(const OpNode& node, std::vector<Value>& in) {
  std::int64_t step = -1;
  for (Value& value : in) {
    // A formula of a loop's states is a layer's answer outside the loop.
    if (value.looped) {
      const std::string place = fmt::format("{} ({})", brief(node.name), brief(node.shown_op()));
      const std::uint32_t layer = lowering().source_of(value.formula, place);
      value.formula = formulas_.layer(int(layer), formulas_.width(value.formula));
      value.looped = false;
    }
    if (value.reversed && !may_reverse(node.op))
      stuck("a sequence in reversed order, which only a recurrent layer may read");
    step = std::max(step, value.step);
  }
  if (step < 0 || joins_steps(node, in)) return -1;
  for (Value& value : in) {
    if (is_sequence(value)) stuck("one step of a sequence beside all of its steps");
    if (value.step >= 0 && value.step < step) value = carried_step(value, step);
  }
  return step;
}

/// Returns a value of one step as the next one reads it.
Value Follower::carried_step(const Value& value, std::int64_t step) {
  if (value.step != step - 1) stuck("step {} reads a value of step {}", step, value.step);
  return flow(carried_formula(value.formula, step), value.axes, false);
}

/// Returns a formula of one step as the next one reads it: as a state, or products of states with
/// matrices, since a graph may compute those before the next step begins.
Formula Follower::carried_formula(Formula formula, std::int64_t step) {
  const Sum sum = formulas_.sum(formula);
  const bool products =
      !sum.products.empty() &&
      std::all_of(sum.products.begin(), sum.products.end(), [&](const Product& product) {
        return product.parts.size() == 1 &&
               formulas_.atom(product.parts[0].atom).kind == Atom::Kind::matrix;
      });
  if (products) {
    Formula result =
        formulas_.constant(sum.constant.empty() ? std::vector<float>(sum.width) : sum.constant);
    for (const Product& product : sum.products) {
      const AtomPart part = product.parts[0];
      const Atom atom = formulas_.atom(part.atom);
      std::vector<std::int64_t> rows;
      for (std::size_t i = 0; i < sum.width; ++i)
        rows.push_back(part.first + std::int64_t(i) * part.step);
      const Weights2 matrix = formulas_.matrix(atom.number);
      const Formula term =
          formulas_.choose(formulas_.product(matrix, carried_formula(atom.of, step)), rows);
      result = formulas_.add(result, formulas_.scaled(term, product.factor));
    }
    return result;
  }
  const Formula key = formulas_.with_zeros(formula, step_atoms_);
  auto found = step_states_.find(key);
  if (step == 1 && found == step_states_.end()) {
    GraphInput state;
    state.name = fmt::format("state {}", step_states_.size() + 1);
    state.width = sum.width, state.is_state = true;
    inputs_.push_back(state);
    StepState made;
    made.state = formulas_.input(int(inputs_.size()) - 1, state.width);
    found = step_states_.emplace(key, made).first;
    step_atoms_.insert(formulas_.sum(made.state).products[0].parts[0].atom);
  }
  if (found == step_states_.end())
    stuck("its steps differ, or its first one does not begin with a state of zeros");
  StepState& state = found->second;
  if (step > 1) {
    if (state.next >= 0 && state.next != formula) stuck("its steps differ");
    state.next = formula;
    lowering().expect(state.state, formula);
  }
  return state.state;
}

}  // namespace sluice::tools::graph
