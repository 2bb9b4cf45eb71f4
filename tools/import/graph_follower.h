// Follows a graph of operations: constants are computed, and every other value becomes a formula of
// the inputs (expression.h), of which layers are made (lower.h). graph_model.cpp begins and ends;
// each group of operations has a file of its own.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../common/print.h"
#include "lower.h"
#include "op_graph.h"
#include "step_window.h"
#include "weights.h"

namespace sluice::tools::graph {

/// A size that is not known; and, in a loop over steps, the number of the step.
constexpr std::int64_t unknown = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t step_number = unknown + 1;
constexpr bool is_known(std::int64_t number) { return number > step_number; }

/// A dimension of a value: one over which frames run (time, batch), or one of a frame's numbers.
struct Axis {
  bool feature = false;
  std::int64_t size = unknown;  ///< of a feature it is known
  bool time = false;            ///< a recurrent layer or a kernel went along it: it is the steps

  /// Returns whether frames run over it: steps, or a batch.
  bool runs() const { return !feature && size != 1; }
};

/// Returns how many dimensions frames run over.
inline std::size_t running(const std::vector<Axis>& axes) {
  return std::size_t(
      std::count_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.runs(); }));
}

/// A value while the graph is followed.
struct Value {
  enum class What { none, constant, flow, list };  // list: one that a loop fills
  What what = What::none;
  ConstantPtr constant;
  Formula formula = -1;  ///< its numbers in one frame, in the order of its feature axes
  std::vector<Axis> axes;
  bool last = false;  ///< its frame is the last one of a sequence
  /// Steps of zeros that were padded in front of the first one, and behind the last.
  std::int64_t steps_in_front = 0, steps_behind = 0;
  /// Its frame is this one of a sequence whose steps an exporter wrote one by one; -1: any.
  std::int64_t step = -1;
  /// It is to be multiplied by the softmax over all steps of this formula; -1: it is not.
  Formula scores = -1;
  bool reversed = false;  ///< its frames are in reversed order
  bool looped = false;    ///< a formula of states of a loop, used outside of it
  bool gathered = false;  ///< in the body of a loop: a list with this step's value put in
  bool is_flow() const { return what == What::flow; }
  bool is_constant() const { return what == What::constant; }
};

/// Returns the product of sizes; the greatest number if it has no room for it, or one of them is
/// not known.
inline std::int64_t product_of(const std::vector<std::int64_t>& sizes) {
  constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) {
    if (size < 0 || (size > 0 && product > greatest / size)) return greatest;
    product *= size;
  }
  return product;
}

/// Refuses to join the last step, or a number over all steps, with every step.
void check_join(const Value& a, const Value& b);
/// Returns whether a dimension is that of the steps. Refuses one that may be the batch's.
bool is_steps(const std::vector<Axis>& axes, std::size_t axis);

inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape) text += size < 0 ? "[?]" : fmt::format("[{}]", size);
  return text.empty() ? "a single number" : text;
}

/// A node that cannot be followed: the reason.
struct Stuck {
  std::string reason;
};
template <class... Args>
[[noreturn]] void stuck(fmt::format_string<Args...> text, Args&&... args) {
  throw Stuck{fmt::format(text, std::forward<Args>(args)...)};
}

class Follower {
 public:
  /// @param frame  the number of the input that is the frame; others may be states
  Follower(const OpGraph& graph, const std::string& file, const GraphChoices& choices,
           std::size_t frame)
      : graph_(graph), file_(file), choices_(choices), frame_(frame), obstacles_(file) {
    result_.format = graph.format, result_.remarks = graph.remarks;
  }

  Imported run();

 private:
  using Values = std::map<std::string, Value>;

  void find_inputs();
  /// Follows the nodes of a graph that these outputs need.
  void follow(const OpGraph& graph, Values& values, const std::set<std::string>& wanted);
  void follow_node(const OpNode& node, Values& values);
  void finish(const Values& values);

  // One function for each group of operations.
  bool on_constants(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  bool product_of_constants(const OpNode& node, const std::vector<Value>& in,
                            std::vector<Value>& out);
  void elementwise(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void unary(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void matrix(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void convolution(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void pooling(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void padding(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void shape(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void normalization(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void recurrent(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void branch(const OpNode& node, const Values& outer, std::vector<Value>& out);
  void loop(const OpNode& node, const Values& outer, std::vector<Value>& out);
  void scan(const OpNode& node, const Values& outer, std::vector<Value>& out);
  void while_loop(const OpNode& node, const Values& outer, std::vector<Value>& out);
  void tensorflow(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  Value reduced(const OpNode& node, const Value& in, const std::vector<Value>& all, bool mean);

  // Steps that an exporter wrote one by one (graph_steps.cpp).
  std::int64_t common_step(const OpNode& node, std::vector<Value>& in);
  bool joins_steps(const OpNode& node, const std::vector<Value>& in) const;
  Value joined_steps(const std::vector<Value>& in, std::size_t axis);
  Value carried_step(const Value& value, std::int64_t step);
  Formula carried_formula(Formula formula, std::int64_t step);
  Value one_step(const Value& in, std::size_t axis, std::int64_t step);

  // Parts of them.
  Value for_each_row(const OpNode& node, const Weights2& weights, const Value& a,
                     const std::vector<Value>& in);
  Value pooled(const OpNode& node, const Value& in, const std::vector<bool>& goes, bool keeps);
  /// Appends a layer that reads a formula, and returns its output.
  Formula put_layer(Layer layer, Formula reads, const OpNode& node);
  /// Returns numbers of a formula, and zeros for columns of -1, as a layer's output.
  Formula taken(Formula from, std::vector<std::int64_t> columns, const OpNode& node);
  /// Returns a formula's numbers of several steps, the oldest first, as a layer's output.
  Formula windows(Formula from, const StepKernel& kernel, const OpNode& node);
  /// Returns the sum over all steps of a value that is weighted by a softmax over them.
  Value attended(const OpNode& node, Formula scores, Formula x, std::vector<Axis> axes);
  bool attends(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  /// Returns the largest number or the mean over all steps.
  Value over_all_steps(const OpNode& node, const Value& in, const std::vector<bool>& goes,
                       bool keeps, bool largest);
  Value concat(const OpNode& node, const std::vector<Value>& in);
  Value slice(const Value& in, std::int64_t axis, std::int64_t begin, std::int64_t end,
              std::int64_t step);
  Value gather(const Value& in, const Constant& index, std::int64_t axis);
  Value cut(const Value& in, std::size_t axis, std::int64_t begin, std::int64_t end,
            std::int64_t step);
  Value strided(const OpNode& node, const std::vector<Value>& in);
  Value reverse(const Value& in, std::int64_t axis);
  Value clipped(const Value& in, float low, float high);
  Value hard_sigmoid(const Value& in, float high);
  Value transpose(const Value& in, const std::vector<std::int64_t>& order);
  Value reshape(const Value& in, std::vector<std::int64_t> target, const OpNode& node);
  /// Returns all steps of a sequence in one row.
  Value flattened(const Value& in, std::int64_t steps, const OpNode& node);
  Value binary(const std::string& op, const Value& a, const Value& b);
  std::vector<float> over_features(const Constant& constant, const std::vector<Axis>& axes);
  Value as_flow(const Value& constant, const std::vector<Axis>& axes);
  Value last_of(const Value& in);
  struct Carried;
  Carried carry(const Value& start, const std::string& name);
  Carried new_state(const std::string& name, std::vector<Axis> axes);
  static ConstantPtr find_constant(const OpGraph& body, const Values& outer,
                                   const std::string& name);
  void body(const OpGraph& body, Values& values, const std::vector<Carried>& carried,
            std::size_t first_output, std::vector<Value>& out, std::size_t scans,
            const std::vector<std::int64_t>& axes);

  Value constant_value(std::vector<std::int64_t> shape, std::vector<std::int64_t> whole) const {
    auto made = std::make_shared<Constant>();
    made->shape = std::move(shape), made->whole = std::move(whole), made->is_whole = true;
    return of(std::move(made));
  }
  /// Returns the lowering, which run() makes first.
  Lowering& lowering() {
    if (!lowering_) stuck("the graph is not read yet");
    return *lowering_;
  }

  /// Refuses a graph whose constants would take many times the memory of the file.
  void take_room(std::size_t numbers) {
    if (numbers > room_)
      refuse("{}: its constants grow to many times the file; it is hostile", file_);
    room_ -= numbers;
  }

  static Value of(ConstantPtr constant) {
    Value value;
    value.what = Value::What::constant;
    value.constant = std::move(constant);
    return value;
  }
  static Value flow(Formula formula, std::vector<Axis> axes, bool last) {
    Value value;
    value.what = Value::What::flow;
    value.formula = formula, value.axes = std::move(axes), value.last = last;
    return value;
  }

  const OpGraph& graph_;
  const std::string& file_;
  GraphChoices choices_;
  std::size_t frame_;
  std::set<std::size_t> state_outputs_;
  Obstacles obstacles_;
  Formulas formulas_;
  Imported result_;
  std::vector<GraphInput> inputs_;
  std::optional<Lowering> lowering_;
  std::set<std::uint32_t> last_, every_;  ///< layers of which the last step, or every step, is read
  std::size_t room_ = 0;                  ///< numbers that computed constants may still have
  std::int64_t steps_ = -1;               ///< of the sequence whose steps are written one by one
  std::int64_t limit_ = unknown;          ///< the number of steps of the loop that is followed
  /// A state of such steps: its formula, and the one that it has after each step, or -1.
  struct StepState {
    Formula state = -1, next = -1;
  };
  std::map<Formula, StepState> step_states_;  ///< by their formula after the first step
  std::set<std::int64_t> step_atoms_;         ///< the states' own atoms
};

/// Returns an axis that counts from the end as one from the begin.
inline std::size_t axis_of(std::int64_t axis, std::size_t rank) {
  if (axis < 0) axis += std::int64_t(rank);
  if (axis < 0 || axis >= std::int64_t(rank)) stuck("axis {} of {} dimensions", axis, rank);
  return std::size_t(axis);
}

/// Refuses an order of dimensions in which one is missing or there twice.
inline void check_order(std::vector<std::int64_t> order, std::size_t rank) {
  std::sort(order.begin(), order.end());
  for (std::size_t d = 0; d < order.size(); ++d)
    if (order[d] != std::int64_t(d) || order.size() != rank)
      stuck("an order of dimensions in which one is missing");
}

/// Returns the whole numbers of an attribute or, in newer opsets, of an input.
inline std::optional<std::vector<std::int64_t>> wholes(const OpNode& node, const char* attribute,
                                                       const std::vector<Value>& in,
                                                       std::size_t input) {
  if (const OpAttribute* const found = node.find(attribute)) return found->wholes;
  if (input < in.size() && in[input].is_constant() && in[input].constant->is_whole)
    return in[input].constant->whole;
  if (input < in.size() && in[input].is_flow()) stuck("{} that depends on the data", attribute);
  return std::nullopt;
}

/// Calls f(indices) for every element of a shape, the last index fastest.
template <class F>
void for_each_index(const std::vector<std::int64_t>& shape, F f) {
  std::vector<std::int64_t> index(shape.size());
  const std::int64_t count = product_of(shape);
  for (std::int64_t i = 0; i < count; ++i) {
    f(index);
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

inline std::size_t place_of(const std::vector<std::int64_t>& index,
                            const std::vector<std::int64_t>& shape) {
  std::size_t place = 0;
  for (std::size_t d = 0; d < shape.size(); ++d)
    place = place * std::size_t(shape[d]) + std::size_t(index[d]);
  return place;
}

/// Gives a size of -1, as TensorFlow writes it, what the others leave.
inline void fill_rest(std::vector<std::int64_t>& sizes, std::int64_t all) {
  std::int64_t rest = all;
  for (const std::int64_t size : sizes) rest -= size < 0 ? 0 : std::min(size, rest);
  for (std::int64_t& size : sizes)
    if (size == -1) size = rest, rest = 0;
}

/// Returns a range of an axis of a constant.
Value part_of_constant(const Constant& from, std::size_t axis, std::int64_t begin, std::int64_t end,
                       std::int64_t step);

/// A range of one axis, as Slice gives it.
inline std::vector<std::int64_t> range_of(std::int64_t begin, std::int64_t end, std::int64_t step,
                                          std::int64_t size) {
  if (step == 0) stuck("a step of 0");
  step = std::clamp(step, -size - 1, size + 1);  // longer ones end in the same way
  const auto bound = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
    if (at < 0) at += size;
    return std::clamp(at, low, high);
  };
  std::vector<std::int64_t> range;
  if (step > 0)
    for (std::int64_t i = bound(begin, 0, size), e = bound(end, 0, size); i < e; i += step)
      range.push_back(i);
  else
    for (std::int64_t i = bound(begin, 0, size - 1),
                      e = end < -size ? -1 : bound(end, -1, size - 1);
         i > e; i += step)
      range.push_back(i);
  return range;
}

inline std::vector<std::int64_t> feature_sizes(const std::vector<Axis>& axes) {
  std::vector<std::int64_t> sizes;
  for (const Axis& axis : axes)
    if (axis.feature) sizes.push_back(axis.size);
  return sizes;
}

inline std::size_t features_before(const std::vector<Axis>& axes, std::size_t axis) {
  std::size_t count = 0;
  for (std::size_t d = 0; d < axis; ++d) count += axes[d].feature;
  return count;
}

}  // namespace sluice::tools::graph
