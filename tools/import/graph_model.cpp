// Follows a graph of operations: constants are computed, and every other value becomes a formula of
// the inputs (expression.h), of which layers are made (lower.h).
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>

#include "../common/print.h"
#include "../model/graph.h"
#include "lower.h"
#include "op_graph.h"
#include "weights.h"

namespace sluice::tools {
namespace {

/// A size that is not known.
constexpr std::int64_t unknown = std::numeric_limits<std::int64_t>::min();

/// A dimension of a value: one over which frames run (time, batch), or one of a frame's numbers.
struct Axis {
  bool feature = false;
  std::int64_t size = unknown;  ///< of a feature it is known
};

/// A value while the graph is followed.
struct Value {
  enum class What { none, constant, flow };
  What what = What::none;
  ConstantPtr constant;
  Formula formula = -1;  ///< its numbers in one frame, in the order of its feature axes
  std::vector<Axis> axes;
  bool last = false;  ///< its frame is the last one of a sequence
  bool is_flow() const { return what == What::flow; }
  bool is_constant() const { return what == What::constant; }
};

std::int64_t product_of(const std::vector<std::int64_t>& sizes) {
  std::int64_t product = 1;
  for (const std::int64_t size : sizes) product *= size;
  return product;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text;
  for (const std::int64_t size : shape)
    text += size == unknown || size < 0 ? "[?]" : fmt::format("[{}]", size);
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
  Follower(const OpGraph& graph, const std::string& file, ResetChoice reset)
      : graph_(graph), file_(file), reset_(reset), obstacles_(file) {
    result_.format = "ONNX";
  }

  Imported run();

 private:
  using Values = std::map<std::string, Value>;

  void find_inputs();
  void follow(const OpGraph& graph, Values& values);
  void follow_node(const OpNode& node, Values& values);
  void finish(const Values& values);

  // One function for each group of operations.
  bool on_constants(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void elementwise(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void unary(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void matrix(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void convolution(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void shape(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void normalization(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  void recurrent(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out);
  Value reduced(const OpNode& node, const Value& in, const std::vector<Value>& all, bool mean);

  // Parts of them.
  Value concat(const OpNode& node, const std::vector<Value>& in);
  Value slice(const Value& in, std::int64_t axis, std::int64_t begin, std::int64_t end,
              std::int64_t step);
  Value gather(const Value& in, const Constant& index, std::int64_t axis);
  Value transpose(const Value& in, const std::vector<std::int64_t>& order);
  Value reshape(const Value& in, const std::vector<std::int64_t>& target);
  Value binary(const std::string& op, const Value& a, const Value& b);
  std::vector<float> over_features(const Constant& constant, const std::vector<Axis>& axes);
  Value as_flow(const Value& constant, const std::vector<Axis>& axes);
  Value last_of(const Value& in);

  Value constant_value(std::vector<std::int64_t> shape, std::vector<std::int64_t> whole) const {
    auto made = std::make_shared<Constant>();
    made->shape = std::move(shape), made->whole = std::move(whole), made->is_whole = true;
    return of(std::move(made));
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
  ResetChoice reset_;
  Obstacles obstacles_;
  Formulas formulas_;
  Imported result_;
  std::vector<GraphInput> inputs_;
  std::optional<Lowering> lowering_;
  std::set<std::uint32_t> last_, every_;  ///< layers of which the last step, or every step, is read
  std::size_t room_ = 0;                  ///< numbers that computed constants may still have
};

/// Returns an axis that counts from the end as one from the begin.
std::size_t axis_of(std::int64_t axis, std::size_t rank) {
  if (axis < 0) axis += std::int64_t(rank);
  if (axis < 0 || axis >= std::int64_t(rank)) stuck("axis {} of {} dimensions", axis, rank);
  return std::size_t(axis);
}

/// Returns the whole numbers of an attribute or, in newer opsets, of an input.
std::optional<std::vector<std::int64_t>> wholes(const OpNode& node, const char* attribute,
                                                const std::vector<Value>& in, std::size_t input) {
  if (const OpAttribute* const found = node.find(attribute)) return found->wholes;
  if (input < in.size() && in[input].is_constant() && in[input].constant->is_whole)
    return in[input].constant->whole;
  if (input < in.size() && in[input].is_flow()) stuck("{} that depends on the data", attribute);
  return std::nullopt;
}

/// Which inputs are states: those whose shape an output beside the first has too.
void Follower::find_inputs() {
  std::vector<bool> taken(graph_.outputs.size());
  const auto same_shape = [](const OpValue& a, const OpValue& b) {
    if (a.shape.size() != b.shape.size()) return false;
    for (std::size_t d = 0; d < a.shape.size(); ++d)
      if (a.shape[d] != b.shape[d] && a.shape[d] > 0 && b.shape[d] > 0) return false;
    return true;
  };
  std::size_t column = 0;
  bool first = true;
  for (const OpValue& value : graph_.inputs) {
    GraphInput input;
    input.name = value.name;
    input.width = 1;
    for (const std::int64_t size : value.shape)
      if (size > 0) input.width *= std::size_t(size);
    if (!first && !value.is_whole)
      for (std::size_t o = 1; o < graph_.outputs.size() && !input.is_state; ++o)
        if (!taken[o] && same_shape(value, graph_.outputs[o])) taken[o] = input.is_state = true;
    if (!input.is_state && !value.is_whole) {
      if (value.shape.empty() || value.shape.back() < 1)
        refuse("{}: {}: the number of its features is not in the file; export it with a fixed size",
               file_, brief(value.name));
      input.width = std::size_t(value.shape.back());
      input.column = column;
      column += input.width;
      first = false;
    }
    inputs_.push_back(input);
  }
  if (column == 0) refuse("{}: has no input of floats", file_);
  if (column > widest)
    refuse("{}: a frame of {} numbers; at most {} are read", file_, column, widest);
  result_.network.width = int(column);
}

void Follower::follow(const OpGraph& graph, Values& values) {
  for (const auto& [name, constant] : graph.constants) values[name] = of(constant);
  for (const OpNode& node : graph.nodes) follow_node(node, values);
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
  const std::string place = fmt::format("{} ({})", brief(node.name), brief(node.op));
  try {
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
                 {"Pad", &Follower::shape},
                 {"ReduceMean", &Follower::normalization},
                 {"ReduceSum", &Follower::normalization},
                 {"BatchNormalization", &Follower::normalization},
                 {"LayerNormalization", &Follower::normalization},
                 {"GRU", &Follower::recurrent},
                 {"LSTM", &Follower::recurrent},
                 {"RNN", &Follower::recurrent}};
    const bool constants =
        std::none_of(in.begin(), in.end(), [](const Value& v) { return v.is_flow(); });
    if (!(constants && on_constants(node, in, out))) {
      const auto function = known.find(node.op);
      if (function == known.end()) stuck("is not one of the operations that are read");
      (this->*function->second)(node, in, out);
    }
  } catch (const Stuck& reason) {
    obstacles_.add("{}: {}", place, reason.reason);
    return;
  } catch (const FormulaTooLarge& large) {
    obstacles_.add("{}: {}", place, large.reason);
    return;
  } catch (const std::out_of_range&) {
    obstacles_.add("{}: its lists of numbers have different lengths", place);
    return;
  }
  for (const Value& value : out)
    if (value.is_constant()) take_room(value.constant->count());
  for (std::size_t i = 0; i < out.size(); ++i) {
    // A dimension of one is no dimension of features, whatever it was.
    for (Axis& axis : out[i].axes)
      if (axis.size == 1) axis.feature = false;
    if (!node.outputs[i].empty()) values[node.outputs[i]] = std::move(out[i]);
  }
}

// --- constants

template <class T>
std::vector<T> picked(const std::vector<T>& from, const std::vector<std::size_t>& index) {
  std::vector<T> to;
  if (from.empty()) return to;
  to.reserve(index.size());
  for (const std::size_t i : index) to.push_back(from[i]);
  return to;
}

/// Returns a constant with another shape whose numbers are those at `index`.
Value picked_value(const Constant& from, std::vector<std::int64_t> shape,
                   const std::vector<std::size_t>& index) {
  auto to = std::make_shared<Constant>();
  to->is_whole = from.is_whole;
  to->shape = std::move(shape);
  to->floats = picked(from.floats, index), to->whole = picked(from.whole, index);
  Value value;
  value.what = Value::What::constant;
  value.constant = std::move(to);
  return value;
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

std::size_t place_of(const std::vector<std::int64_t>& index,
                     const std::vector<std::int64_t>& shape) {
  std::size_t place = 0;
  for (std::size_t d = 0; d < shape.size(); ++d)
    place = place * std::size_t(shape[d]) + std::size_t(index[d]);
  return place;
}

/// A range of one axis, as Slice gives it.
std::vector<std::int64_t> range_of(std::int64_t begin, std::int64_t end, std::int64_t step,
                                   std::int64_t size) {
  if (step == 0) stuck("a step of 0");
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

/// Returns the elements of a constant at these indices of an axis.
Value chosen(const Constant& from, std::size_t axis, const std::vector<std::int64_t>& which) {
  std::vector<std::int64_t> shape = from.shape;
  shape[axis] = std::int64_t(which.size());
  std::vector<std::size_t> index;
  for_each_index(shape, [&](std::vector<std::int64_t> at) {
    at[axis] = which[std::size_t(at[axis])];
    index.push_back(place_of(at, from.shape));
  });
  return picked_value(from, std::move(shape), index);
}

double computed(const std::string& op, double a, double b) {
  return op == "Add"   ? a + b
         : op == "Sub" ? a - b
         : op == "Mul" ? a * b
         : op == "Div" ? a / b
                       : std::pow(a, b);
}

/// Returns a constant with its dimensions of one spread to a shape, as arithmetic does.
Value spread(const Constant& from, const std::vector<std::int64_t>& shape) {
  std::vector<std::size_t> index;
  const std::size_t extra = shape.size() - from.shape.size();
  for_each_index(shape, [&](const std::vector<std::int64_t>& at) {
    std::size_t place = 0;
    for (std::size_t d = 0; d < from.shape.size(); ++d)
      place =
          place * std::size_t(from.shape[d]) + std::size_t(from.shape[d] == 1 ? 0 : at[d + extra]);
    index.push_back(place);
  });
  return picked_value(from, shape, index);
}

std::vector<std::int64_t> common_shape(const Constant& a, const Constant& b) {
  std::vector<std::int64_t> shape(std::max(a.shape.size(), b.shape.size()), 1);
  for (const Constant* one : {&a, &b})
    for (std::size_t d = 0; d < one->shape.size(); ++d) {
      std::int64_t& size = shape[shape.size() - one->shape.size() + d];
      if (one->shape[d] == 1) continue;
      if (size != 1 && size != one->shape[d]) stuck("shapes that do not fit");
      size = one->shape[d];
    }
  return shape;
}

/// Computes a node whose inputs are all known. Returns false for an operation that this does not
/// compute.
bool Follower::on_constants(const OpNode& node, const std::vector<Value>& in,
                            std::vector<Value>& out) {
  const std::string& op = node.op;
  if (op == "Constant") {
    if (const OpAttribute* const tensor = node.find("value")) {
      if (!tensor->tensor) stuck("a constant without numbers");
      out[0] = of(tensor->tensor);
      return true;
    }
    auto made = std::make_shared<Constant>();
    if (const OpAttribute* const value = node.find("value_float"))
      made->floats = {value->real};
    else if (const OpAttribute* const list = node.find("value_floats"))
      made->floats = list->reals, made->shape = {std::int64_t(list->reals.size())};
    else if (const OpAttribute* const whole = node.find("value_int"))
      made->whole = {whole->whole}, made->is_whole = true;
    else if (const OpAttribute* const ints = node.find("value_ints"))
      made->whole = ints->wholes, made->is_whole = true,
      made->shape = {std::int64_t(ints->wholes.size())};
    else
      stuck("a constant of texts");
    out[0] = of(std::move(made));
    return true;
  }
  if (in.empty() || !in[0].is_constant()) return false;
  for (const Value& value : in)
    if (!value.is_constant() && value.what != Value::What::none) return false;
  const Constant& a = *in[0].constant;
  const auto rank = a.shape.size();
  if (op == "Identity" || op == "Dropout") {
    out[0] = in[0];
    return true;
  }
  if (op == "Cast") {
    constexpr std::int64_t type_float = 1, type_half = 10, type_double = 11;
    const std::int64_t to = node.whole("to", type_float);
    auto made = std::make_shared<Constant>(a);
    if (to == type_float || to == type_half || to == type_double) {
      for (const std::int64_t v : a.whole) made->floats.push_back(float(v));
      made->whole.clear(), made->is_whole = false;
    } else {
      for (const float v : a.floats) made->whole.push_back(std::int64_t(v));
      made->floats.clear(), made->is_whole = true;
    }
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Shape") {
    out[0] = constant_value({std::int64_t(rank)}, a.shape);
    return true;
  }
  if (op == "ConstantOfShape") {
    // Sizes that are not known are those of frames; such a constant fits every size.
    auto made = std::make_shared<Constant>();
    float value = 0;
    if (const OpAttribute* const given = node.find("value"))
      if (given->tensor && given->tensor->count() > 0) value = float(given->tensor->number(0));
    made->shape.assign(a.whole.size(), 1);
    made->floats = {value};
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Expand") {
    out[0] = in[0];  // its dimensions of one fit every size
    return true;
  }
  if (op == "Unsqueeze" || op == "Squeeze") {
    auto made = std::make_shared<Constant>(a);
    const auto axes = wholes(node, "axes", in, 1);
    if (op == "Squeeze") {
      std::vector<std::int64_t> shape;
      for (std::size_t d = 0; d < rank; ++d) {
        bool goes = !axes && a.shape[d] == 1;
        for (const std::int64_t axis : axes.value_or(std::vector<std::int64_t>{}))
          goes = goes || axis_of(axis, rank) == d;
        if (!goes) shape.push_back(a.shape[d]);
      }
      made->shape = shape;
    } else {
      const std::size_t all = rank + axes.value_or(std::vector<std::int64_t>{}).size();
      std::vector<std::int64_t> shape(all, 0);
      for (const std::int64_t axis : *axes) shape[axis_of(axis, all)] = 1;
      std::size_t next = 0;
      for (std::int64_t& size : shape)
        if (size == 0) size = a.shape[next++];
      made->shape = shape;
    }
    if (product_of(made->shape) != std::int64_t(a.count())) stuck("shapes that do not fit");
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Reshape" || op == "Flatten") {
    auto made = std::make_shared<Constant>(a);
    std::vector<std::int64_t> target;
    if (op == "Reshape")
      target = wholes(node, "shape", in, 1).value_or(std::vector<std::int64_t>{});
    if (op == "Flatten") {
      const std::size_t axis =
          std::size_t(std::clamp<std::int64_t>(node.whole("axis", 1), 0, std::int64_t(rank)));
      target = {product_of({a.shape.begin(), a.shape.begin() + std::ptrdiff_t(axis)}), -1};
    }
    std::int64_t known = 1;
    for (std::size_t d = 0; d < target.size(); ++d) {
      if (target[d] == 0 && d < rank) target[d] = a.shape[d];
      if (target[d] > 0) known *= target[d];
    }
    for (std::int64_t& size : target)
      if (size < 0) size = known > 0 ? std::int64_t(a.count()) / known : 0;
    if (product_of(target) != std::int64_t(a.count())) stuck("shapes that do not fit");
    made->shape = target;
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Transpose") {
    std::vector<std::int64_t> order =
        wholes(node, "perm", {}, 0).value_or(std::vector<std::int64_t>{});
    if (order.empty())
      for (std::size_t d = rank; d-- > 0;) order.push_back(std::int64_t(d));
    if (order.size() != rank) stuck("an order of {} of {} dimensions", order.size(), rank);
    std::vector<std::int64_t> shape;
    for (const std::int64_t axis : order) shape.push_back(a.shape[axis_of(axis, rank)]);
    std::vector<std::size_t> index;
    for_each_index(shape, [&](const std::vector<std::int64_t>& at) {
      std::vector<std::int64_t> from(rank);
      for (std::size_t d = 0; d < rank; ++d) from[std::size_t(order[d])] = at[d];
      index.push_back(place_of(from, a.shape));
    });
    out[0] = picked_value(a, std::move(shape), index);
    return true;
  }
  if (op == "Slice") {
    const auto begins = wholes(node, "starts", in, 1), ends = wholes(node, "ends", in, 2),
               axes = wholes(node, "axes", in, 3), steps = wholes(node, "steps", in, 4);
    if (!begins || !ends) stuck("a slice without its ends");
    Value value = in[0];
    for (std::size_t i = 0; i < begins->size(); ++i) {
      const Constant now = *value.constant;
      const std::size_t axis = axis_of(axes ? axes->at(i) : std::int64_t(i), now.shape.size());
      value =
          chosen(now, axis,
                 range_of((*begins)[i], ends->at(i), steps ? steps->at(i) : 1, now.shape[axis]));
    }
    out[0] = value;
    return true;
  }
  if (op == "Gather") {
    if (in.size() < 2) return false;
    const Constant& index = *in[1].constant;
    const std::size_t axis = axis_of(node.whole("axis", 0), rank);
    std::vector<std::int64_t> which = index.whole;
    for (std::int64_t& i : which) {
      if (i < 0) i += a.shape[axis];
      if (i < 0 || i >= a.shape[axis]) stuck("an index outside its axis");
    }
    if (std::int64_t(which.size()) *
            (std::int64_t(a.count()) / std::max<std::int64_t>(a.shape[axis], 1)) >
        std::int64_t(room_))
      take_room(room_ + 1);
    const Value picked_ones = chosen(a, axis, which);
    auto made = std::make_shared<Constant>(*picked_ones.constant);
    made->shape.erase(made->shape.begin() + std::ptrdiff_t(axis));
    made->shape.insert(made->shape.begin() + std::ptrdiff_t(axis), index.shape.begin(),
                       index.shape.end());
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Concat") {
    const std::size_t axis = axis_of(node.whole("axis", 0), rank);
    auto made = std::make_shared<Constant>();
    made->is_whole = a.is_whole, made->shape = a.shape;
    made->shape[axis] = 0;
    for (const Value& value : in) {
      if (!value.is_constant() || value.constant->shape.size() != rank)
        stuck("shapes that do not fit");
      made->shape[axis] += value.constant->shape[axis];
      if (product_of(made->shape) > std::int64_t(room_)) take_room(room_ + 1);
    }
    std::int64_t outer = 1, inner = 1;
    for (std::size_t d = 0; d < axis; ++d) outer *= a.shape[d];
    for (std::size_t d = axis + 1; d < rank; ++d) inner *= a.shape[d];
    for (std::int64_t o = 0; o < outer; ++o)
      for (const Value& value : in) {
        const Constant& from = *value.constant;
        const std::int64_t run = from.shape[axis] * inner;
        if (run * (o + 1) > std::int64_t(from.count()) || from.is_whole != a.is_whole)
          stuck("shapes that do not fit");
        for (std::int64_t i = o * run; i < (o + 1) * run; ++i)
          if (a.is_whole)
            made->whole.push_back(from.whole[std::size_t(i)]);
          else
            made->floats.push_back(from.floats[std::size_t(i)]);
      }
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Split") {
    const std::size_t axis = axis_of(node.whole("axis", 0), rank);
    auto sizes = wholes(node, "split", in, 1);
    if (!sizes)
      sizes = std::vector<std::int64_t>(out.size(), a.shape[axis] / std::int64_t(out.size()));
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i >= sizes->size() || (*sizes)[i] < 0 || begin + (*sizes)[i] > a.shape[axis])
        stuck("parts that do not fit");
      out[i] = chosen(a, axis, range_of(begin, begin + (*sizes)[i], 1, a.shape[axis]));
      begin += (*sizes)[i];
    }
    return true;
  }
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Pow") {
    if (in.size() < 2) return false;
    const Constant& b = *in[1].constant;
    const std::vector<std::int64_t> shape = common_shape(a, b);
    if (product_of(shape) > std::int64_t(room_)) take_room(room_ + 1);
    const Constant x = *spread(a, shape).constant, y = *spread(b, shape).constant;
    auto made = std::make_shared<Constant>();
    made->shape = shape, made->is_whole = a.is_whole && b.is_whole;
    for (std::size_t i = 0; i < x.count(); ++i) {
      if (!made->is_whole) {
        made->floats.push_back(float(computed(op, x.number(i), y.number(i))));
        continue;
      }
      const std::int64_t p = x.whole[i], q = y.whole[i];
      if (op == "Div" && q == 0) stuck("a division by 0");
      made->whole.push_back(p == unknown || q == unknown ? unknown
                            : op == "Div"                ? p / q
                                          : std::int64_t(computed(op, double(p), double(q))));
    }
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Neg" || op == "Sqrt" || op == "Reciprocal") {
    auto made = std::make_shared<Constant>(a);
    for (float& v : made->floats) v = op == "Neg" ? -v : op == "Sqrt" ? std::sqrt(v) : 1 / v;
    for (std::int64_t& v : made->whole) v = -v;
    out[0] = of(std::move(made));
    return true;
  }
  return false;
}

// --- flows

std::vector<std::int64_t> feature_sizes(const std::vector<Axis>& axes) {
  std::vector<std::int64_t> sizes;
  for (const Axis& axis : axes)
    if (axis.feature) sizes.push_back(axis.size);
  return sizes;
}

std::size_t features_before(const std::vector<Axis>& axes, std::size_t axis) {
  std::size_t count = 0;
  for (std::size_t d = 0; d < axis; ++d) count += axes[d].feature;
  return count;
}

/// Returns a constant's numbers as those of every frame of a value with these axes.
std::vector<float> Follower::over_features(const Constant& constant,
                                           const std::vector<Axis>& axes) {
  if (constant.is_whole) stuck("whole numbers beside floats");
  const std::vector<std::int64_t> sizes = feature_sizes(axes);
  const std::size_t rank = axes.size(), own = constant.shape.size();
  for (std::size_t d = 0; d + rank < own; ++d)
    if (constant.shape[d] != 1) stuck("a constant of the shape {}", shape_text(constant.shape));
  std::vector<float> numbers;
  for_each_index(sizes, [&](const std::vector<std::int64_t>& at) {
    std::size_t place = 0, feature = 0;
    for (std::size_t d = 0; d < rank; ++d) {
      const std::int64_t index = axes[d].feature ? at[feature++] : 0;
      if (d + own < rank) continue;
      const std::int64_t size = constant.shape[d + own - rank];
      if (size != 1 && (!axes[d].feature || size != axes[d].size))
        stuck("a constant of the shape {} that differs from step to step or does not fit",
              shape_text(constant.shape));
      place = place * std::size_t(size) + std::size_t(size == 1 ? 0 : index);
    }
    numbers.push_back(constant.floats[place]);
  });
  return numbers;
}

Value Follower::as_flow(const Value& constant, const std::vector<Axis>& axes) {
  return flow(formulas_.constant(over_features(*constant.constant, axes)), axes, false);
}

/// Returns the axes of a result of two values, whose dimensions of one spread.
std::vector<Axis> common_axes(const std::vector<Axis>& a, const std::vector<Axis>& b) {
  std::vector<Axis> axes = a.size() >= b.size() ? a : b;
  const std::vector<Axis>& shorter = a.size() >= b.size() ? b : a;
  const std::size_t extra = axes.size() - shorter.size();
  for (std::size_t d = 0; d < shorter.size(); ++d) {
    Axis& to = axes[d + extra];
    const Axis& other = shorter[d];
    if (to.feature && other.feature) {
      if (to.size != other.size && to.size != 1 && other.size != 1)
        stuck("{} numbers beside {}", to.size, other.size);
      to.size = std::max(to.size, other.size);
    } else if (other.feature) {
      if (to.size != 1 && to.size != unknown && to.size > 0 && other.size != 1)
        stuck("numbers of a frame along its steps");
      if (other.size != 1) to = other;
    } else if (to.feature && other.size != 1 && other.size > 1) {
      stuck("numbers of a frame along its steps");
    }
  }
  return axes;
}

/// Returns the formula of a value spread to axes.
Formula spread_formula(Formulas& formulas, const Value& value, const std::vector<Axis>& axes) {
  const std::vector<std::int64_t> to = feature_sizes(axes);
  std::vector<std::int64_t> which;
  const std::size_t extra = axes.size() - value.axes.size();
  for_each_index(to, [&](const std::vector<std::int64_t>& at) {
    std::int64_t place = 0;
    std::size_t feature = 0;
    for (std::size_t d = 0; d < axes.size(); ++d) {
      const std::int64_t index = axes[d].feature ? at[feature++] : 0;
      if (d < extra || !value.axes[d - extra].feature) continue;
      const std::int64_t size = value.axes[d - extra].size;
      place = place * size + (size == 1 ? 0 : index);
    }
    which.push_back(place);
  });
  return formulas.choose(value.formula, which);
}

Value Follower::binary(const std::string& op, const Value& first, const Value& second) {
  Value a = first, b = second;
  if (op == "Pow") {
    if (!b.is_constant() || b.constant->count() != 1 || b.constant->number(0) != 2)
      stuck("a power other than 2");
    return flow(formulas_.multiply(a.formula, a.formula), a.axes, a.last);
  }
  // A constant may have more dimensions than the value, such as [1][1][8] beside [8].
  const auto widen = [&](Value& value, const Value& constant) {
    for (std::size_t d = value.axes.size(); d < constant.constant->shape.size(); ++d)
      value.axes.insert(value.axes.begin(), Axis{false, 1});
    // And its numbers may spread a dimension of one.
    const std::vector<std::int64_t>& shape = constant.constant->shape;
    std::vector<Axis> axes = value.axes;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      Axis& axis = axes[axes.size() - shape.size() + d];
      if (shape[d] > 1 && axis.size == 1) axis = {true, shape[d]};
    }
    value.formula = spread_formula(formulas_, value, axes);
    value.axes = axes;
  };
  if (a.is_constant()) widen(b, a), a = as_flow(a, b.axes);
  if (b.is_constant()) widen(a, b), b = as_flow(b, a.axes);
  const std::vector<Axis> axes = common_axes(a.axes, b.axes);
  const Formula x = spread_formula(formulas_, a, axes), y = spread_formula(formulas_, b, axes);
  const bool last = a.last || b.last;
  if (op == "Add") return flow(formulas_.add(x, y), axes, last);
  if (op == "Sub") return flow(formulas_.add(x, formulas_.scaled(y, {-1})), axes, last);
  if (op == "Mul") return flow(formulas_.multiply(x, y), axes, last);
  std::vector<float> divisor;
  if (formulas_.is_constant(y, divisor)) {
    for (float& value : divisor) value = 1 / value;
    return flow(formulas_.scaled(x, divisor), axes, last);
  }
  return flow(formulas_.multiply(x, formulas_.apply(Unary::reciprocal, y)), axes, last);
}

void Follower::elementwise(const OpNode& node, const std::vector<Value>& in,
                           std::vector<Value>& out) {
  if (in.size() != 2) stuck("{} inputs in place of two", in.size());
  out[0] = binary(node.op, in[0], in[1]);
}

void Follower::unary(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out) {
  const Value& a = in.at(0);
  if (!a.is_flow()) stuck("its input does not come from the frame");
  const std::string& op = node.op;
  if (op == "Identity" || op == "Dropout" || op == "Cast") {
    out[0] = a;
    return;
  }
  if (op == "Neg") {
    out[0] = flow(formulas_.scaled(a.formula, {-1}), a.axes, a.last);
    return;
  }
  if (op == "HardSigmoid" && node.real("beta", 0.5f) != 0.5f)
    stuck("a hard sigmoid with beta {}", node.real("beta", 0.5f));
  const auto activation = [](sluice_activation name, float parameter = 0, float second = 0) {
    return Function{Unary(name), parameter, second};
  };
  Function function{Unary::sigmoid};
  if (op == "Tanh") function = {Unary::tanh};
  if (op == "Relu") function = {Unary::relu};
  if (op == "Sqrt") function = {Unary::square_root};
  if (op == "Reciprocal") function = {Unary::reciprocal};
  if (op == "HardSigmoid") function = activation(SLUICE_HARD_SIGMOID, node.real("alpha", 0.2f));
  if (op == "Elu") function = activation(SLUICE_ELU, 0, node.real("alpha", 1));
  if (op == "LeakyRelu") function = activation(SLUICE_LEAKY_RELU, 0, node.real("alpha", 0.01f));
  if (op == "Selu") function = activation(SLUICE_SELU);
  if (op == "Softplus") function = activation(SLUICE_SOFTPLUS);
  if (op == "Softsign") function = activation(SLUICE_SOFTSIGN);
  if (op == "Exp") function = activation(SLUICE_EXPONENTIAL);
  if (op == "HardSwish") function = activation(SLUICE_HARD_SILU, 1.0f / 6);
  if (op == "Swish") function = activation(SLUICE_SILU);
  if (op == "Gelu") {
    const OpAttribute* const way = node.find("approximate");
    function = activation(way && way->text == "tanh" ? SLUICE_GELU_TANH : SLUICE_GELU);
  }
  if (op == "Clip") {
    const auto bound = [&](std::size_t input, const char* attribute, float otherwise) {
      if (const OpAttribute* const found = node.find(attribute)) return found->real;
      if (input < in.size() && in[input].is_constant() && in[input].constant->count() == 1)
        return float(in[input].constant->number(0));
      if (input < in.size() && in[input].is_flow()) stuck("bounds that depend on the data");
      return otherwise;
    };
    const float low = bound(1, "min", -INFINITY), high = bound(2, "max", INFINITY);
    if (low == 0 && std::isinf(high))
      function = {Unary::relu};
    else if (std::isinf(low) || std::isinf(high))
      stuck("a bound on one side alone");
    else
      function = activation(SLUICE_CLIP, low, high);
    // clip(a x + 1/2, 0, 1) is a hard sigmoid.
    const Sum& sum = formulas_.sum(a.formula);
    if (low == 0 && high == 1 && !sum.constant.empty() &&
        std::all_of(sum.constant.begin(), sum.constant.end(), [](float c) { return c == 0.5f; })) {
      const Formula rest =
          formulas_.add(a.formula, formulas_.constant(std::vector<float>(sum.width, -0.5f)));
      const Sum plain = formulas_.sum(rest);
      if (plain.products.size() == 1 && plain.products[0].factor.size() == 1 &&
          plain.products[0].factor[0] > 0) {
        const float slope = plain.products[0].factor[0];
        out[0] = flow(formulas_.apply(activation(SLUICE_HARD_SIGMOID, slope),
                                      formulas_.scaled(rest, {1 / slope})),
                      a.axes, a.last);
        return;
      }
    }
  }
  if (op == "PRelu") {
    if (in.size() < 2 || !in[1].is_constant()) stuck("slopes that are not constant");
    function = activation(SLUICE_PRELU);
    function.slopes = over_features(*in[1].constant, a.axes);
  }
  if (op == "Softmax") {
    function = {Unary::softmax};
    const std::size_t axis =
        axis_of(node.whole("axis", graph_.opset >= 13 ? -1 : 1), a.axes.size());
    std::size_t behind = 0;
    for (std::size_t d = axis; d < a.axes.size(); ++d) behind += a.axes[d].feature;
    if (behind != feature_sizes(a.axes).size()) stuck("a softmax over a part of a frame");
    if (graph_.opset >= 13 && axis + 1 != a.axes.size())
      stuck("a softmax over another axis than the last");
  }
  out[0] = flow(formulas_.apply(function, a.formula), a.axes, a.last);
}

/// Returns a constant matrix [rows][cols] as weights, transposed if asked.
Weights2 weights_of(const Constant& from, bool transposed) {
  std::vector<std::int64_t> shape = from.shape;
  while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
  if (shape.size() == 1) shape.push_back(1);
  if (shape.size() != 2 || from.is_whole) stuck("a matrix of the shape {}", shape_text(from.shape));
  const View view = matrix_of(from.floats, std::size_t(shape[0]), std::size_t(shape[1]));
  const View used = transposed ? view.transposed() : view;
  Weights2 weights{used.rows, used.cols, {}};
  weights.values.reserve(used.rows * used.cols);
  for (std::size_t row = 0; row < used.rows; ++row)
    for (std::size_t col = 0; col < used.cols; ++col) weights.values.push_back(used.at(row, col));
  return weights;
}

void Follower::matrix(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out) {
  if (in.size() < 2 || !in[0].is_flow() || !in[1].is_constant())
    stuck("a product of two values that both depend on the frame, or with the matrix on the left");
  const Value& a = in[0];
  const bool gemm = node.op == "Gemm";
  if (gemm && node.whole("transA", 0)) stuck("transA");
  // Columns of the weights read the last dimension; the product has one row for each output.
  Weights2 weights = weights_of(*in[1].constant, !(gemm && node.whole("transB", 0)));
  if (a.axes.empty()) stuck("a product with a single number");
  std::vector<Axis> axes = a.axes;
  Formula from = a.formula;
  if (!axes.back().feature || feature_sizes(axes).size() != 1) {
    // Dimensions of one beside the features.
    if (axes.back().size != 1 || feature_sizes(axes).size() > 1)
      stuck("a product along steps, or with several dimensions of features");
    axes.back() = {true, 1};
    from = a.formula;
  }
  if (axes.back().size != std::int64_t(weights.cols))
    stuck("{} numbers enter a matrix for {}", axes.back().size, weights.cols);
  axes.back().size = std::int64_t(weights.rows);
  if (gemm) {
    const float alpha = node.real("alpha", 1), beta = node.real("beta", 1);
    for (float& value : weights.values) value *= alpha;
    Formula made = formulas_.product(weights, from);
    if (in.size() > 2 && in[2].is_constant())
      made = formulas_.add(
          made, formulas_.scaled(formulas_.constant(over_features(*in[2].constant, axes)), {beta}));
    else if (in.size() > 2 && in[2].is_flow())
      made = formulas_.add(made, formulas_.scaled(in[2].formula, {beta}));
    out[0] = flow(made, axes, a.last);
    return;
  }
  out[0] = flow(formulas_.product(weights, from), axes, a.last);
}

void Follower::convolution(const OpNode& node, const std::vector<Value>& in,
                           std::vector<Value>& out) {
  if (in.size() < 2 || !in[0].is_flow() || !in[1].is_constant())
    stuck("weights that are not constant");
  const Constant& w = *in[1].constant;
  for (std::size_t d = 2; d < w.shape.size(); ++d)
    if (w.shape[d] != 1) stuck("a convolution with a kernel of {}", w.shape[d]);
  for (const std::int64_t pad : wholes(node, "pads", {}, 0).value_or(std::vector<std::int64_t>{}))
    if (pad != 0) stuck("a convolution with padding");
  if (node.whole("group", 1) != 1) stuck("a convolution in groups");
  Value a = in[0];
  if (a.axes.size() < 2) stuck("a convolution of {} dimensions", a.axes.size());
  Axis& channel = a.axes[1];
  if (!channel.feature && channel.size == 1 && feature_sizes(a.axes).empty()) channel = {true, 1};
  if (!channel.feature || feature_sizes(a.axes).size() != 1)
    stuck("channels that are not the features");
  Constant matrix = w;
  matrix.shape = {w.shape[0], w.shape[1]};
  const Weights2 weights = weights_of(matrix, false);
  if (channel.size != std::int64_t(weights.cols))
    stuck("{} channels enter weights for {}", channel.size, weights.cols);
  Formula made = formulas_.product(weights, a.formula);
  channel.size = std::int64_t(weights.rows);
  if (in.size() > 2 && in[2].is_constant())
    made = formulas_.add(made, formulas_.constant(in[2].constant->floats));
  out[0] = flow(made, a.axes, a.last);
}

Value Follower::transpose(const Value& in, const std::vector<std::int64_t>& order) {
  const std::size_t rank = in.axes.size();
  if (order.size() != rank) stuck("an order of {} of {} dimensions", order.size(), rank);
  std::vector<Axis> axes;
  std::vector<std::size_t> features;  // the old feature axes in their new order
  for (const std::int64_t axis : order) {
    const std::size_t from = axis_of(axis, rank);
    axes.push_back(in.axes[from]);
    if (in.axes[from].feature) features.push_back(features_before(in.axes, from));
  }
  const std::vector<std::int64_t> old_sizes = feature_sizes(in.axes), sizes = feature_sizes(axes);
  std::vector<std::int64_t> which;
  for_each_index(sizes, [&](const std::vector<std::int64_t>& at) {
    std::vector<std::int64_t> old(at.size());
    for (std::size_t f = 0; f < at.size(); ++f) old[features[f]] = at[f];
    which.push_back(std::int64_t(place_of(old, old_sizes)));
  });
  return flow(formulas_.choose(in.formula, which), axes, in.last);
}

/// Gives a value another shape. Groups of features and single dimensions over which frames run stay
/// in their order.
Value Follower::reshape(const Value& in, const std::vector<std::int64_t>& target) {
  std::vector<Axis> from;
  for (const Axis& axis : in.axes)
    if (axis.feature || axis.size != 1) from.push_back(axis);
  std::vector<Axis> axes;
  std::size_t next = 0;
  for (std::size_t d = 0; d < target.size(); ++d) {
    std::int64_t size = target[d];
    if (size == 0 && d < in.axes.size())
      size = in.axes[d].feature || in.axes[d].size > 0 ? in.axes[d].size : -1;
    if (size == 1) {
      axes.push_back({false, 1});
      continue;
    }
    if (next < from.size() && !from[next].feature) {
      // Frames run over it: an unknown size, or the same one.
      if (size > 0 && from[next].size > 0 && size != from[next].size)
        stuck("a shape {} that mixes steps and features", shape_text(target));
      axes.push_back(from[next++]);
      continue;
    }
    if (next >= from.size()) {
      if (size > 1) stuck("a shape {} with more numbers than there are", shape_text(target));
      axes.push_back({false, 1});
      continue;
    }
    // Features: one axis may become several, and several one.
    std::int64_t left = from[next].size;
    if (size < 0) {  // all features that are left
      while (next + 1 < from.size() && from[next + 1].feature) left *= from[++next].size;
      ++next;
      axes.push_back({true, left});
      continue;
    }
    while (left < size && next + 1 < from.size() && from[next + 1].feature)
      left *= from[++next].size;
    if (left % size != 0) stuck("a shape {} that does not fit the features", shape_text(target));
    axes.push_back({true, size});
    if (left == size)
      ++next;
    else
      from[next].size = left / size;
  }
  if (next != from.size()) {
    for (; next < from.size(); ++next)
      if (from[next].feature || from[next].size > 1)
        stuck("a shape {} that does not fit", shape_text(target));
  }
  return flow(in.formula, axes, in.last);
}

Value Follower::last_of(const Value& in) {
  Value last = in;
  if (last.last) return last;
  last.last = true;
  return last;
}

Value Follower::slice(const Value& in, std::int64_t given, std::int64_t begin, std::int64_t end,
                      std::int64_t step) {
  const std::size_t axis = axis_of(given, in.axes.size());
  const Axis& along = in.axes[axis];
  if (along.feature) {
    const std::vector<std::int64_t> range = range_of(begin, end, step, along.size);
    std::vector<std::int64_t> sizes = feature_sizes(in.axes), which;
    const std::vector<std::int64_t> old = sizes;
    const std::size_t feature = features_before(in.axes, axis);
    sizes[feature] = std::int64_t(range.size());
    for_each_index(sizes, [&](std::vector<std::int64_t> at) {
      at[feature] = range[std::size_t(at[feature])];
      which.push_back(std::int64_t(place_of(at, old)));
    });
    Value out = flow(formulas_.choose(in.formula, which), in.axes, in.last);
    out.axes[axis].size = std::int64_t(range.size());
    return out;
  }
  if (along.size == 1 ||
      (begin == 0 && step == 1 && (end >= 1 << 30 || (along.size > 0 && end >= along.size))))
    return in;
  const bool is_last = step == 1 && (begin == -1 || (along.size > 0 && begin == along.size - 1)) &&
                       (end == 0 || end >= 1 << 30 || (along.size > 0 && end >= along.size));
  if (!is_last) stuck("some steps of a sequence, which are not the last one");
  Value out = last_of(in);
  out.axes[axis].size = 1;
  return out;
}

Value Follower::gather(const Value& in, const Constant& index, std::int64_t given) {
  const std::size_t axis = axis_of(given, in.axes.size());
  const Axis along = in.axes[axis];
  if (!index.is_whole) stuck("an index that is no whole number");
  Value out = in;
  if (!along.feature) {
    if (index.count() != 1) stuck("several steps of a sequence");
    const std::int64_t at = index.whole[0];
    if (along.size != 1) {
      if (at != -1 && !(along.size > 0 && at == along.size - 1))
        stuck("one step of a sequence, which is not the last one");
      out = last_of(in);
    }
    out.axes.erase(out.axes.begin() + std::ptrdiff_t(axis));
    for (std::size_t d = 0; d < index.shape.size(); ++d)
      out.axes.insert(out.axes.begin() + std::ptrdiff_t(axis), Axis{false, 1});
    return out;
  }
  std::vector<std::int64_t> range = index.whole;
  for (std::int64_t& i : range) {
    if (i < 0) i += along.size;
    if (i < 0 || i >= along.size) stuck("an index outside its axis");
  }
  std::vector<std::int64_t> sizes = feature_sizes(in.axes), which;
  const std::vector<std::int64_t> old = sizes;
  const std::size_t feature = features_before(in.axes, axis);
  sizes[feature] = std::int64_t(range.size());
  for_each_index(sizes, [&](std::vector<std::int64_t> at) {
    at[feature] = range[std::size_t(at[feature])];
    which.push_back(std::int64_t(place_of(at, old)));
  });
  out.formula = formulas_.choose(in.formula, which);
  out.axes[axis].size = std::int64_t(range.size());
  if (index.shape.empty())
    out.axes.erase(out.axes.begin() + std::ptrdiff_t(axis));
  else if (index.shape.size() > 1)
    stuck("an index of several dimensions");
  return out;
}

/// Joins values along an axis, whose sizes become numbers of a frame if they are not yet.
Value Follower::concat(const OpNode& node, const std::vector<Value>& in) {
  std::size_t rank = 0;
  for (const Value& value : in)
    if (value.is_flow()) rank = value.axes.size();
  const std::size_t axis = axis_of(node.whole("axis", 0), rank);
  std::vector<Value> parts;
  bool last = false;
  std::vector<Axis> other;
  for (const Value& value : in)
    if (value.is_flow() && other.empty()) other = value.axes;
  for (const Value& value : in) {
    Value part = value;
    if (part.is_constant()) {
      std::vector<Axis> axes = other;
      if (part.constant->shape.size() != rank) stuck("shapes that do not fit");
      axes[axis] = {true, part.constant->shape[axis]};
      part = as_flow(part, axes);
    }
    if (part.axes.size() != rank) stuck("shapes that do not fit");
    Axis& along = part.axes[axis];
    if (!along.feature && along.size != 1) stuck("steps of sequences one behind another");
    if (!along.feature) along = {true, 1};
    last = last || part.last;
    parts.push_back(std::move(part));
  }
  std::vector<Axis> axes = parts[0].axes;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    for (std::size_t d = 0; d < rank; ++d)
      if (d != axis && (parts[i].axes[d].feature != axes[d].feature ||
                        (axes[d].feature && parts[i].axes[d].size != axes[d].size)))
        stuck("shapes that do not fit");
    axes[axis].size += parts[i].axes[axis].size;
  }
  std::vector<Formula> list;
  std::vector<std::int64_t> begins;  // of each part among all numbers, and along the axis
  std::int64_t begin = 0;
  for (const Value& part : parts) {
    list.push_back(part.formula);
    begins.push_back(begin);
    begin += std::int64_t(formulas_.width(part.formula));
  }
  const Formula joined = formulas_.concat(list);
  const std::size_t feature = features_before(axes, axis);
  std::vector<std::int64_t> which;
  for_each_index(feature_sizes(axes), [&](std::vector<std::int64_t> at) {
    std::size_t part = 0;
    while (at[feature] >= parts[part].axes[axis].size) at[feature] -= parts[part++].axes[axis].size;
    which.push_back(begins[part] + std::int64_t(place_of(at, feature_sizes(parts[part].axes))));
  });
  return flow(formulas_.choose(joined, which), axes, last);
}

void Follower::shape(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out) {
  const std::string& op = node.op;
  if (op == "Concat") {
    out[0] = concat(node, in);
    return;
  }
  const Value& a = in.at(0);
  if (!a.is_flow()) stuck("its input does not come from the frame");
  const std::size_t rank = a.axes.size();
  if (op == "Shape") {
    std::vector<std::int64_t> sizes;
    for (const Axis& axis : a.axes) sizes.push_back(axis.size > 0 ? axis.size : unknown);
    out[0] = constant_value({std::int64_t(rank)}, sizes);
  } else if (op == "Transpose") {
    std::vector<std::int64_t> order =
        wholes(node, "perm", {}, 0).value_or(std::vector<std::int64_t>{});
    if (order.empty())
      for (std::size_t d = rank; d-- > 0;) order.push_back(std::int64_t(d));
    out[0] = transpose(a, order);
  } else if (op == "Unsqueeze") {
    const auto axes = wholes(node, "axes", in, 1);
    if (!axes) stuck("no axes");
    Value value = a;
    std::vector<std::size_t> at;
    for (const std::int64_t axis : *axes) at.push_back(axis_of(axis, rank + axes->size()));
    std::sort(at.begin(), at.end());
    for (const std::size_t axis : at) {
      if (axis > value.axes.size()) stuck("axis {} of {} dimensions", axis, value.axes.size());
      value.axes.insert(value.axes.begin() + std::ptrdiff_t(axis), Axis{false, 1});
    }
    out[0] = value;
  } else if (op == "Squeeze") {
    const auto axes = wholes(node, "axes", in, 1);
    Value value = a;
    value.axes.clear();
    for (std::size_t d = 0; d < rank; ++d) {
      bool goes = !axes && a.axes[d].size == 1;
      for (const std::int64_t axis : axes.value_or(std::vector<std::int64_t>{}))
        goes = goes || axis_of(axis, rank) == d;
      if (goes && a.axes[d].feature && a.axes[d].size != 1) stuck("shapes that do not fit");
      if (!goes) value.axes.push_back(a.axes[d]);
    }
    out[0] = value;
  } else if (op == "Reshape") {
    const auto target = wholes(node, "shape", in, 1);
    if (!target) stuck("no shape");
    std::vector<std::int64_t> sizes = *target;
    for (std::int64_t& size : sizes)
      if (size == unknown) size = -1;
    out[0] = reshape(a, sizes);
  } else if (op == "Flatten") {
    for (std::size_t d = 0; d < rank; ++d)
      if (!a.axes[d].feature && a.axes[d].size != 1 &&
          d >= std::size_t(std::max<std::int64_t>(node.whole("axis", 1), 0)))
        stuck("all steps of a sequence at once");
    out[0] = reshape(a, {-1, std::int64_t(formulas_.width(a.formula))});
  } else if (op == "Slice") {
    const auto begins = wholes(node, "starts", in, 1), ends = wholes(node, "ends", in, 2),
               axes = wholes(node, "axes", in, 3), steps = wholes(node, "steps", in, 4);
    if (!begins || !ends || begins->size() != ends->size()) stuck("a slice without its ends");
    Value value = a;
    for (std::size_t i = 0; i < begins->size(); ++i)
      value = slice(value, axes ? axes->at(i) : std::int64_t(i), (*begins)[i],
                    (*ends)[i] == unknown ? std::numeric_limits<std::int64_t>::max() : (*ends)[i],
                    steps ? steps->at(i) : 1);
    out[0] = value;
  } else if (op == "Gather") {
    if (in.size() < 2 || !in[1].is_constant()) stuck("an index that depends on the data");
    out[0] = gather(a, *in[1].constant, node.whole("axis", 0));
  } else if (op == "Split") {
    const std::size_t axis = axis_of(node.whole("axis", 0), rank);
    auto sizes = wholes(node, "split", in, 1);
    const std::int64_t all = a.axes[axis].size;
    if (!a.axes[axis].feature && all != 1) stuck("parts of a sequence");
    if (!sizes)
      sizes = std::vector<std::int64_t>(
          out.size(), (all + std::int64_t(out.size()) - 1) / std::int64_t(out.size()));
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i >= sizes->size() || (*sizes)[i] < 1) stuck("parts that do not fit");
      out[i] = slice(a, std::int64_t(axis), begin, begin + (*sizes)[i], 1);
      begin += (*sizes)[i];
    }
  } else if (op == "Expand") {
    out[0] = a;
    const auto target = wholes(node, "shape", in, 1);
    for (std::size_t d = 0; target && d < target->size() && d < rank; ++d)
      if (const std::int64_t size = (*target)[target->size() - 1 - d];
          size > 1 && a.axes[rank - 1 - d].feature && a.axes[rank - 1 - d].size != size)
        stuck("numbers of a frame that are repeated");
  } else {  // Pad
    const auto pads = wholes(node, "pads", in, 1);
    if (!pads) stuck("no pads");
    for (const std::int64_t pad : *pads)
      if (pad != 0) stuck("padding");
    out[0] = a;
  }
}

Value Follower::reduced(const OpNode& node, const Value& in, const std::vector<Value>& all,
                        bool mean) {
  auto axes = wholes(node, "axes", all, 1);
  const std::size_t rank = in.axes.size();
  if (!axes) {
    axes.emplace();
    for (std::size_t d = 0; d < rank; ++d) axes->push_back(std::int64_t(d));
  }
  const bool keeps = node.whole("keepdims", 1) != 0;
  Value out = in;
  std::size_t over = 0;
  std::vector<bool> goes(rank);
  for (const std::int64_t axis : *axes) {
    const std::size_t d = axis_of(axis, rank);
    if (!in.axes[d].feature && in.axes[d].size != 1) stuck("a sum or mean over steps");
    over += in.axes[d].feature;
    goes[d] = true;
  }
  if (over != feature_sizes(in.axes).size()) {
    if (over == 0) return in;
    stuck("a sum or mean over a part of a frame");
  }
  out.axes.clear();
  for (std::size_t d = 0; d < rank; ++d) {
    if (!goes[d]) out.axes.push_back(in.axes[d]);
    if (goes[d] && keeps) out.axes.push_back({true, 1});
  }
  out.formula = formulas_.mean(in.formula);
  if (!mean) out.formula = formulas_.scaled(out.formula, {float(formulas_.width(in.formula))});
  return out;
}

void Follower::normalization(const OpNode& node, const std::vector<Value>& in,
                             std::vector<Value>& out) {
  const Value& a = in.at(0);
  if (!a.is_flow()) stuck("its input does not come from the frame");
  if (node.op == "ReduceMean" || node.op == "ReduceSum") {
    out[0] = reduced(node, a, in, node.op == "ReduceMean");
    return;
  }
  const auto numbers = [&](std::size_t i) -> const std::vector<float>& {
    if (i >= in.size() || !in[i].is_constant() || in[i].constant->is_whole)
      stuck("gains that are not constant floats");
    return in[i].constant->floats;
  };
  const std::size_t width = formulas_.width(a.formula);
  if (node.op == "BatchNormalization") {
    const float epsilon = node.real("epsilon", 1e-5f);
    if (a.axes.size() < 2 || !a.axes[1].feature || feature_sizes(a.axes).size() != 1)
      stuck("channels that are not the features");
    std::vector<float> factor, shift;
    for (std::size_t i = 0; i < width; ++i) {
      if (i >= numbers(1).size() || i >= numbers(2).size() || i >= numbers(3).size() ||
          i >= numbers(4).size())
        stuck("shapes that do not fit");
      const double gain =
          double(numbers(1)[i]) / std::sqrt(double(numbers(4)[i]) + double(epsilon));
      factor.push_back(float(gain));
      shift.push_back(float(double(numbers(2)[i]) - double(numbers(3)[i]) * gain));
    }
    out[0] = flow(formulas_.add(formulas_.scaled(a.formula, factor), formulas_.constant(shift)),
                  a.axes, a.last);
    return;
  }
  const std::size_t axis = axis_of(node.whole("axis", -1), a.axes.size());
  for (std::size_t d = 0; d < a.axes.size(); ++d)
    if (a.axes[d].feature != (d >= axis) && a.axes[d].size != 1)
      stuck("a normalization over steps");
  const Formula centered = formulas_.add(
      a.formula, formulas_.scaled(formulas_.repeated(formulas_.mean(a.formula), width), {-1}));
  const Formula variance =
      formulas_.repeated(formulas_.mean(formulas_.multiply(centered, centered)), width);
  const Formula root = formulas_.apply(
      Unary::square_root, formulas_.add(variance, formulas_.constant(std::vector<float>(
                                                      width, node.real("epsilon", 1e-5f)))));
  Formula made = formulas_.multiply(centered, formulas_.apply(Unary::reciprocal, root));
  if (numbers(1).size() != width) stuck("shapes that do not fit");
  made = formulas_.scaled(made, numbers(1));
  if (in.size() > 2) made = formulas_.add(made, formulas_.constant(numbers(2)));
  out[0] = flow(made, a.axes, a.last);
}

// --- recurrent operations

/// Returns whether a constant has numbers other than 0.
bool has_numbers(const Value& value) {
  if (!value.is_constant()) return false;
  for (const float number : value.constant->floats)
    if (number != 0) return true;
  return false;
}

void Follower::recurrent(const OpNode& node, const std::vector<Value>& in,
                         std::vector<Value>& out) {
  const bool is_lstm = node.op == "LSTM", is_gru = node.op == "GRU";
  const auto input = [&](std::size_t i) { return i < in.size() ? in[i] : Value{}; };
  const Value &x = input(0), &w = input(1), &r = input(2);
  if (!x.is_flow() || !w.is_constant() || !r.is_constant()) stuck("weights that are not constant");
  const bool batch_first = node.whole("layout", 0) != 0;
  if (x.axes.size() != 3) stuck("frames of {} dimensions", x.axes.size());
  const Axis time = x.axes[batch_first ? 1 : 0], batch = x.axes[batch_first ? 0 : 1];
  if (time.feature || batch.feature || (batch.size > 1 && time.size != 1 && time.size > 1))
    if (time.feature || batch.feature) stuck("features in the place of steps");
  std::string direction = "forward";
  if (const OpAttribute* const said = node.find("direction")) direction = said->text;
  const std::size_t directions = direction == "bidirectional" ? 2 : 1;
  const std::size_t gates = is_lstm ? 4 : is_gru ? 3 : 1;
  const std::size_t features = formulas_.width(x.formula);
  const std::vector<std::int64_t>&ws = w.constant->shape, &rs = r.constant->shape;
  if (ws.size() != 3 || rs.size() != 3 || std::size_t(ws[0]) != directions ||
      std::size_t(ws[1]) % gates != 0 || std::size_t(ws[2]) != features)
    stuck("weights of the shape {} for {} numbers", shape_text(ws), features);
  const std::size_t rows = std::size_t(ws[1]), units = rows / gates;
  if (units == 0 || rs != std::vector<std::int64_t>{std::int64_t(directions), std::int64_t(rows),
                                                    std::int64_t(units)})
    stuck("weights over the state of the shape {}", shape_text(rs));
  const Value &bias = input(3), &lengths = input(4), &h0 = input(5), &c0 = input(6),
              &peep = input(7);
  if (bias.is_flow() || (bias.is_constant() && bias.constant->count() != directions * 2 * rows))
    stuck("a bias that does not fit");
  if (lengths.is_flow()) stuck("lengths of sequences that depend on the data");
  if (lengths.is_constant())
    for (const std::int64_t length : lengths.constant->whole)
      if (time.size < 1 || length != time.size) stuck("sequences that end early (sequence_lens)");
  if (has_numbers(peep)) stuck("peepholes");
  if (has_numbers(h0) || has_numbers(c0)) stuck("an initial state that is not zero");
  for (const Value* start : {&h0, &c0}) {
    if (!start->is_flow()) continue;
    Part part;
    const Sum& sum = formulas_.sum(start->formula);
    for (const Product& product : sum.products)
      for (const Part& one : product.parts) {
        const Atom& atom = formulas_.atom(one.atom);
        if (atom.kind != Atom::Kind::input || !inputs_[std::size_t(atom.number)].is_state)
          stuck("an initial state that is computed");
      }
  }
  if (node.find("clip")) stuck("clip");
  if (node.whole("input_forget", 0)) stuck("input_forget");
  // The functions of gates and candidate.
  sluice_activation gate = SLUICE_SIGMOID;
  float slope = 0, candidate_alpha = 0;
  sluice_activation candidate = SLUICE_TANH;
  bool any_candidate = false;
  if (const OpAttribute* const said = node.find("activations")) {
    const OpAttribute* const alphas = node.find("activation_alpha");
    const OpAttribute* const betas = node.find("activation_beta");
    const std::size_t each = is_lstm ? 3 : is_gru ? 2 : 1;
    if (said->texts.size() != each * directions) stuck("{} activations", said->texts.size());
    std::size_t alpha = 0, beta = 0;
    for (std::size_t i = 0; i < said->texts.size(); ++i) {
      std::string name = said->texts[i];
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return char(std::tolower(c)); });
      const bool is_first = each > 1 && i % each == 0;  // of the gates
      const auto next_alpha = [&](float otherwise) {
        return alphas && alpha < alphas->reals.size() ? alphas->reals[alpha++] : otherwise;
      };
      const auto next_beta = [&](float otherwise) {
        return betas && beta < betas->reals.size() ? betas->reals[beta++] : otherwise;
      };
      if (is_first) {
        sluice_activation named = SLUICE_SIGMOID;
        float named_slope = 0;
        if (name == "hardsigmoid") {
          named = SLUICE_HARD_SIGMOID, named_slope = next_alpha(0.2f);
          if (const float b = next_beta(0.5f); b != 0.5f) stuck("a hard sigmoid with beta {}", b);
        } else if (name != "sigmoid") {
          stuck("the activation {} of gates", brief(said->texts[i]));
        }
        if (i > 0 && (named != gate || named_slope != slope))
          stuck("gates of different activations in both directions");
        gate = named, slope = named_slope;
        continue;
      }
      sluice_activation named = SLUICE_TANH;
      float named_alpha = 0;
      if (name == "relu")
        named = SLUICE_RELU;
      else if (name == "elu")
        named = SLUICE_ELU, named_alpha = next_alpha(1);
      else if (name == "leakyrelu")
        named = SLUICE_LEAKY_RELU, named_alpha = next_alpha(0.01f);
      else if (name == "softsign")
        named = SLUICE_SOFTSIGN;
      else if (name == "affine") {
        named = SLUICE_LINEAR;
        if (next_alpha(1) != 1 || next_beta(0) != 0)
          stuck("an affine activation that is not linear");
      } else if (name != "tanh") {
        stuck("the activation {}", brief(said->texts[i]));
      }
      if (any_candidate && (named != candidate || named_alpha != candidate_alpha))
        stuck("candidate and output of different activations");
      candidate = named, candidate_alpha = named_alpha, any_candidate = true;
    }
  }
  bool before = false;
  if (is_gru && node.whole("linear_before_reset", 0) == 0) {
    before = true;
    const bool torch = graph_.producer == "pytorch";
    if (torch && reset_ == ResetChoice::open)
      stuck(
          "a GRU of PyTorch without linear_before_reset, which an exporter's bug leaves out, since "
          "PyTorch has no other GRU; say --reset after (PyTorch's), or --reset before if the "
          "network was built so");
    if (torch && reset_ == ResetChoice::after) before = false;
  }
  const sluice_layer_kind kind = is_lstm  ? SLUICE_LSTM
                                 : before ? SLUICE_GRU_BEFORE
                                 : is_gru ? SLUICE_GRU
                                          : SLUICE_RNN;
  const bool backward_alone = direction == "reverse", both = directions == 2 || backward_alone;
  Layer layer = recurrent_layer(kind, features, units, both, true);
  for (std::size_t d = 0; d < directions; ++d) {
    CellWeights cell;
    cell.input = View{w.constant->floats.data() + d * rows * features, rows, features,
                      std::ptrdiff_t(features), 1};
    cell.state =
        View{r.constant->floats.data() + d * rows * units, rows, units, std::ptrdiff_t(units), 1};
    if (w.constant->floats.empty() || r.constant->floats.empty())
      stuck("weights that are no floats");
    if (bias.is_constant()) {
      const View all = column_of(bias.constant->floats).part(d * 2 * rows, 2 * rows);
      cell.bias = all.part(0, rows), cell.second_bias = all.part(rows, rows);
    }
    cell.order = is_lstm ? onnx_lstm_order : is_gru ? keras_gru_order : torch_order;
    put_cell(layer, d == 1 || backward_alone, cell);
  }
  if (gate == SLUICE_HARD_SIGMOID) layer.activation = gate, layer.parameter = slope;
  layer.candidate = candidate, layer.second = candidate_alpha;
  const std::string place = fmt::format("{} ({})", brief(node.name), node.op);
  for (const std::uint32_t below : lowering_->recurrent_below(x.formula)) every_.insert(below);
  if (x.last) stuck("a recurrent layer over the last step of another one");
  const std::uint32_t number = lowering_->put(std::move(layer), x.formula, place);
  for (const std::uint32_t below : lowering_->recurrent_below(x.formula)) every_.insert(below);
  if (backward_alone)
    result_.remarks.push_back(fmt::format(
        "{}: goes backward alone; it is the backward half of a layer of both directions", place));
  Formula made = formulas_.layer(int(number), units * (both ? 2 : 1));
  if (backward_alone) {
    std::vector<std::int64_t> half(units);
    std::iota(half.begin(), half.end(), std::int64_t(units));
    made = formulas_.choose(made, half);
  }
  const Axis dir{directions > 1, std::int64_t(directions)}, unit{true, std::int64_t(units)};
  if (!out.empty())
    out[0] = batch_first ? flow(made, {batch, time, dir, unit}, false)
                         : flow(made, {time, dir, batch, unit}, false);
  const Value state = flow(
      made, batch_first ? std::vector<Axis>{batch, dir, unit} : std::vector<Axis>{dir, batch, unit},
      true);
  if (out.size() > 1) out[1] = state;
  if (out.size() > 2) out[2] = state;  // c, which only the next call reads
}

void Follower::finish(const Values& values) {
  std::vector<Formula> answers;
  std::vector<std::string> names;
  bool last = false, every = false;
  for (std::size_t o = 0; o < graph_.outputs.size(); ++o) {
    const OpValue& output = graph_.outputs[o];
    const auto found = values.find(output.name);
    // Outputs behind the first that belong to a state input are that state.
    bool is_state = false;
    if (o > 0)
      for (std::size_t i = 0; i < inputs_.size(); ++i) is_state = is_state || inputs_[i].is_state;
    if (is_state && o > 0) continue;
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
    answers.push_back(found->second.formula);
    names.push_back(output.name);
    (found->second.last ? last : every) = true;
  }
  obstacles_.refuse_any();
  if (last && every) {
    last = false;
    answers.resize(1);
    result_.remarks.push_back(
        "the model answers with its first output alone; the others are of the last step");
  }
  const Formula answer = formulas_.concat(answers);
  Network& network = result_.network;
  std::uint32_t source = 0;
  try {
    source = lowering_->source_of(answer, "the answer");
  } catch (const FormulaTooLarge& large) {
    refuse("{}: the answer: {}", file_, large.reason);
  }
  obstacles_.refuse_any();
  if (source == 0 || network.layers.empty()) refuse("{}: its answer is the frame itself", file_);
  if (source != network.layers.size()) {
    std::vector<std::int32_t> columns(std::size_t(network.layers[source - 1].out));
    std::iota(columns.begin(), columns.end(), 0);
    append_select(network, source, columns);
  }
  if (!last) return;
  for (const std::uint32_t layer : lowering_->recurrent_below(answer)) {
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
  lowering_.emplace(formulas_, inputs_, result_, obstacles_);
  Values values;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const OpValue& from = graph_.inputs[i];
    if (from.is_whole) continue;
    std::vector<Axis> axes;
    for (std::size_t d = 0; d < from.shape.size(); ++d) {
      const bool feature = inputs_[i].is_state || d + 1 == from.shape.size();
      const std::int64_t size = from.shape[d] > 0 ? from.shape[d] : feature ? 1 : unknown;
      axes.push_back({feature && size != 1, size});
    }
    values[from.name] = flow(formulas_.input(int(i), inputs_[i].width), axes, false);
  }
  follow(graph_, values);
  finish(values);
  return std::move(result_);
}

}  // namespace

Imported model_of_graph(const OpGraph& graph, const std::string& file, ResetChoice reset) {
  return Follower(graph, file, reset).run();
}

}  // namespace sluice::tools
