// Sums, products, functions and matrices of a graph, as formulas.
#include <cfloat>
#include <numeric>

#include "graph_follower.h"

namespace sluice::tools::graph {
/// Returns a constant's numbers as those of every frame of a value with these axes.
std::vector<float> Follower::over_features(const Constant& constant,
                                           const std::vector<Axis>& axes) {
  if (constant.is_whole) stuck("whole numbers beside floats");
  const std::vector<std::int64_t> sizes = feature_sizes(axes);
  // Equal numbers fit every shape.
  if (!constant.floats.empty() &&
      std::all_of(constant.floats.begin(), constant.floats.end(),
                  [&](float number) { return number == constant.floats[0]; }))
    return std::vector<float>(std::size_t(product_of(sizes)), constant.floats[0]);
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

namespace {

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

}  // namespace

void check_join(const Value& a, const Value& b) {
  if (!a.is_flow() || !b.is_flow() || a.last == b.last) return;
  const Value &last = a.last ? a : b, &every = a.last ? b : a;
  if (running(every.axes) > running(last.axes))
    stuck("joins every step with the last one, or with a number over all of them");
}

bool is_steps(const std::vector<Axis>& axes, std::size_t axis) {
  if (!axes[axis].runs()) return false;
  const bool known =
      std::any_of(axes.begin(), axes.end(), [](const Axis& one) { return one.time && one.runs(); });
  if (known ? !axes[axis].time : running(axes) > 1 && axis == 0)
    stuck("goes over dimension {}, which is not that of the steps", axis);
  return true;
}

Value Follower::binary(const std::string& op, const Value& first, const Value& second) {
  check_join(first, second);
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
  for (const Value& value : in)
    if (!value.is_flow() && !value.is_constant()) stuck("an input that is missing, or a list");
  if (!in[0].is_flow() && !in[1].is_flow()) stuck("its inputs do not come from the frame");
  if (node.op == "Max" || node.op == "Min") {
    const Value &value = in[0].is_flow() ? in[0] : in[1], &bound = in[0].is_flow() ? in[1] : in[0];
    if (!bound.is_constant() || bound.constant->count() == 0) stuck("the greater of two values");
    const std::vector<float> bounds = over_features(*bound.constant, value.axes);
    for (const float one : bounds)
      if (one != bounds[0]) stuck("a bound for each number");
    const float low = node.op == "Max" ? bounds[0] : -INFINITY,
                high = node.op == "Min" ? bounds[0] : INFINITY;
    out[0] = clipped(value, low, high);
    return;
  }
  out[0] = binary(node.op, in[0], in[1]);
  // clip(a, 0, 6) / 6 is a hard sigmoid.
  const Sum& sum = formulas_.sum(out[0].formula);
  if (sum.products.size() != 1 || !sum.constant.empty() || sum.products[0].parts.size() != 1 ||
      sum.products[0].factor.size() != 1)
    return;
  const AtomPart part = sum.products[0].parts[0];
  const Atom atom = formulas_.atom(part.atom);
  const float factor = sum.products[0].factor[0];
  constexpr float near = 1e-6f;
  if (atom.kind == Atom::Kind::unary && atom.function.name == Unary(SLUICE_CLIP) &&
      atom.function.parameter == 0 && atom.function.second != 1 &&
      std::fabs(factor * atom.function.second - 1) < near && part.first == 0 && part.step == 1 &&
      atom.width == sum.width)
    out[0] = hard_sigmoid(flow(atom.of, out[0].axes, out[0].last), atom.function.second);
}

/// Returns the numbers of a value inside bounds. Bounds one after another become one pair.
Value Follower::clipped(const Value& a, float low, float high) {
  AtomPart part;
  if (formulas_.is_part(a.formula, part)) {
    const Atom inner = formulas_.atom(part.atom);
    const bool relu = inner.kind == Atom::Kind::unary && inner.function.name == Unary::relu;
    if (inner.kind == Atom::Kind::unary && part.first == 0 && part.step == 1 &&
        formulas_.width(a.formula) == inner.width &&
        (relu || inner.function.name == Unary(SLUICE_CLIP))) {
      const float inner_low = relu ? 0 : inner.function.parameter,
                  inner_high = relu ? INFINITY : inner.function.second;
      return clipped(flow(inner.of, a.axes, a.last), std::clamp(inner_low, low, high),
                     std::clamp(inner_high, low, high));
    }
  }
  if (!(low < high)) stuck("bounds that leave no number");
  if (low == 0 && std::isinf(high))
    return flow(formulas_.apply(Unary::relu, a.formula), a.axes, a.last);
  if (low == 0 && high == 1) return hard_sigmoid(a, 1);
  return flow(formulas_.apply(Function{Unary(SLUICE_CLIP), low, high, {}}, a.formula), a.axes,
              a.last);
}

/// Returns clip(a / high, 0, 1): a hard sigmoid, if all terms of a have one factor s; of the slope
/// s / high, since clip(s x + 1/2, 0, 1) is one of slope s.
Value Follower::hard_sigmoid(const Value& a, float high) {
  const Formula scaled = formulas_.scaled(a.formula, {1 / high});
  const Sum sum = formulas_.sum(scaled);
  const auto clip = [&] {
    return flow(formulas_.apply(Function{Unary(SLUICE_CLIP), 0, 1, {}}, scaled), a.axes, a.last);
  };
  if (sum.products.empty()) return clip();
  for (const Product& product : sum.products)
    if (product.factor != sum.products[0].factor || product.factor.size() != 1 ||
        !(product.factor[0] > 0))
      return clip();
  const float slope = sum.products[0].factor[0];
  const Formula half = formulas_.constant(std::vector<float>(sum.width, -0.5f));
  const Formula inner = formulas_.scaled(formulas_.add(scaled, half), {1 / slope});
  return flow(formulas_.apply(Function{Unary(SLUICE_HARD_SIGMOID), slope, 0, {}}, inner), a.axes,
              a.last);
}

void Follower::unary(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out) {
  const Value& a = in.at(0);
  const std::string& op = node.op;
  if (op == "Identity" && a.what == Value::What::list) {
    out[0] = a;
    return;
  }
  if (!a.is_flow()) stuck("its input does not come from the frame");
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
  if (op == "Relu") {
    out[0] = clipped(a, 0, INFINITY);
    return;
  }
  if (op == "Sqrt") function = {Unary::square_root};
  if (op == "Reciprocal") function = {Unary::reciprocal};
  if (op == "Log") function = {Unary::logarithm};
  if (op == "Abs") function = {Unary::absolute};
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
    out[0] = clipped(a, low, high);
    return;
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
      stuck("a softmax over another axis than the last, which is not the steps");
  }
  out[0] = flow(formulas_.apply(function, a.formula), a.axes, a.last);
}

namespace {

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

}  // namespace

Value Follower::for_each_row(const OpNode& node, const Weights2& weights, const Value& a,
                             const std::vector<Value>& in) {
  const auto width = std::int64_t(formulas_.width(a.formula)), cols = std::int64_t(weights.cols);
  if (node.op == "Gemm") stuck("a product with several dimensions of features");
  if (a.axes.back().size != cols)
    stuck("{} numbers enter a matrix for {}", a.axes.back().size, cols);
  const std::int64_t out = product_of({width / cols, std::int64_t(weights.rows)});
  if (in.size() != 2 || std::max(out, width) > std::int64_t(widest))
    stuck("{} numbers of a product", std::max(out, width));
  Layer dense;
  dense.in = int(width), dense.out = int(out), dense.parts = int(width / cols);
  dense = with_arrays(std::move(dense));
  dense.array(Role::input_weight).values = weights.values;
  Value value = a;
  value.formula = put_layer(std::move(dense), a.formula, node);
  value.axes.back() = {true, std::int64_t(weights.rows)};
  return value;
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
  if (axes.back().feature && feature_sizes(axes).size() > 1) {
    // The matrix reads each row of the features.
    out[0] = for_each_row(node, weights, a, in);
    return;
  }
  if (!axes.back().feature) {
    // Dimensions of one beside the features.
    if (axes.back().size != 1 || !feature_sizes(axes).empty()) stuck("a product along steps");
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
    out[0] = flow(made, axes, a.last);
    if (in.size() > 2 && in[2].is_flow()) {
      Value added = in[2];
      added.formula = formulas_.scaled(added.formula, {beta});
      out[0] = binary("Add", out[0], added);
    }
    return;
  }
  out[0] = flow(formulas_.product(weights, from), axes, a.last);
}

/// Reduces dimensions of features that are side by side, but not all of them.
Value Follower::pooled(const OpNode& node, const Value& in, const std::vector<bool>& goes,
                       bool keeps) {
  std::int64_t parts = 1, rows = 1, columns = 1;
  Value value = in;
  value.axes.clear();
  for (std::size_t d = 0; d < in.axes.size(); ++d) {
    const Axis& axis = in.axes[d];
    if (!goes[d]) value.axes.push_back(axis);
    if (goes[d] && keeps) value.axes.push_back({false, 1});
    if (!axis.feature) continue;
    if (goes[d] && columns > 1) stuck("dimensions of a frame that are not side by side");
    (goes[d] ? rows : rows == 1 ? parts : columns) *= axis.size;
  }
  if (formulas_.width(in.formula) > widest) stuck("{} numbers", formulas_.width(in.formula));
  Layer pool;
  pool.kind = node.op == "ReduceMax"  ? SLUICE_MAX_POOL
              : node.op == "ReduceL2" ? SLUICE_NORM_POOL
                                      : SLUICE_MEAN_POOL;
  pool.in = int(parts * rows * columns), pool.out = int(parts * columns), pool.parts = int(parts);
  value.formula = put_layer(with_arrays(pool), in.formula, node);
  if (node.op == "ReduceSum") value.formula = formulas_.scaled(value.formula, {float(rows)});
  return value;
}

Value Follower::attended(const OpNode& node, Formula scores, Formula x, std::vector<Axis> axes) {
  for (const Formula formula : {scores, x})
    for (const std::uint32_t below : lowering().recurrent_below(formula)) every_.insert(below);
  const std::string place = fmt::format("{} ({})", brief(node.name), brief(node.shown_op()));
  const std::uint32_t layer = lowering().attention(scores, x, place);
  return flow(formulas_.layer(int(layer), formulas_.width(x)), std::move(axes), true);
}

/// Follows a softmax over steps, and the operations that it may enter: it weights the steps of a
/// value, of which the sum is attention. Returns false if there is none.
bool Follower::attends(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out) {
  if (node.op == "Softmax" && in.at(0).is_flow() && graph_.opset >= 13) {
    const Value& a = in[0];
    const std::size_t axis = axis_of(node.whole("axis", -1), a.axes.size());
    if (!is_steps(a.axes, axis)) return false;
    if (formulas_.width(a.formula) != 1) stuck("a softmax over steps of several numbers");
    if (a.last || a.step >= 0 || a.scores >= 0) stuck("a softmax over steps");
    out[0] = flow(formulas_.constant({1}), a.axes, false);
    out[0].scores = a.formula;
    return true;
  }
  std::size_t weighted = 0;
  Formula scores = -1;
  for (const Value& value : in)
    if (value.scores >= 0) ++weighted, scores = value.scores;
  if (weighted == 0) return false;
  if (weighted > 1) stuck("two softmaxes over steps");
  if (node.op == "ReduceSum") {
    const Value& a = in[0];
    const std::optional<std::vector<std::int64_t>> axes = wholes(node, "axes", in, 1);
    if (!axes || axes->size() != 1) stuck("a sum over several dimensions of a softmax over steps");
    const std::size_t axis = axis_of((*axes)[0], a.axes.size());
    if (!is_steps(a.axes, axis)) stuck("a sum over another dimension than that of a softmax");
    std::vector<Axis> left = a.axes;
    if (node.whole("keepdims", 1))
      left[axis] = {false, 1};
    else
      left.erase(left.begin() + std::ptrdiff_t(axis));
    out[0] = attended(node, scores, a.formula, std::move(left));
    return true;
  }
  if (node.op == "MatMul" && in.size() == 2 && in[0].scores >= 0 && in[1].is_flow()) {
    const Value &weights = in[0], &x = in[1];
    std::vector<float> ones;
    const std::size_t rank = x.axes.size();
    if (rank < 2 || weights.axes.size() != rank || !is_steps(weights.axes, rank - 1) ||
        !is_steps(x.axes, rank - 2) || !formulas_.is_constant(weights.formula, ones) ||
        ones.size() != 1)
      stuck("a product of a softmax over steps along other dimensions");
    std::vector<Axis> axes = x.axes;
    axes[rank - 2] = {false, 1};
    out[0] = attended(node, scores, formulas_.scaled(x.formula, ones), std::move(axes));
    return true;
  }
  for (const char* const op :
       {"Mul", "Transpose", "Unsqueeze", "Squeeze", "Reshape", "Identity", "Expand", "Cast"}) {
    if (node.op != op) continue;
    if (node.op == "Mul")
      elementwise(node, in, out);
    else if (node.op == "Identity" || node.op == "Cast")
      unary(node, in, out);
    else
      shape(node, in, out);
    if (out[0].last) stuck("one step of a softmax over steps");
    out[0].scores = scores;
    return true;
  }
  stuck("reads a softmax over steps, which a sum over them alone may");
}

Value Follower::over_all_steps(const OpNode& node, const Value& in, const std::vector<bool>& goes,
                               bool keeps, bool largest) {
  int over = 0;
  for (std::size_t d = 0; d < goes.size(); ++d) over += goes[d] && is_steps(in.axes, d);
  if (over != 1) stuck("a number over several dimensions of steps");
  if (in.last || in.step >= 0) stuck("a number over all steps, of which one alone is known");
  if (in.steps_in_front || in.steps_behind) stuck("a number over steps of padding");
  for (const std::uint32_t below : lowering().recurrent_below(in.formula)) every_.insert(below);
  const auto width = int(formulas_.width(in.formula));
  const Formula made =
      put_layer(make_layer(largest ? SLUICE_MAX_OVER_STEPS : SLUICE_MEAN_OVER_STEPS, width, width),
                in.formula, node);
  std::vector<Axis> axes;
  for (std::size_t d = 0; d < goes.size(); ++d) {
    if (!goes[d]) axes.push_back(in.axes[d]);
    if (goes[d] && keeps) axes.push_back({false, 1});
  }
  return flow(made, axes, true);
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
  bool steps = false;
  std::vector<bool> goes(rank);
  for (const std::int64_t axis : *axes) {
    const std::size_t d = axis_of(axis, rank);
    over += in.axes[d].feature;
    steps = steps || (!in.axes[d].feature && in.axes[d].size != 1);
    goes[d] = true;
  }
  if (steps && over > 0) stuck("steps and numbers of a frame at once");
  if (steps && !mean && node.op != "ReduceMax") stuck("a sum over steps");
  if (steps) return over_all_steps(node, in, goes, keeps, node.op == "ReduceMax");
  if (over > 0 && over != feature_sizes(in.axes).size()) return pooled(node, in, goes, keeps);
  out.axes.clear();
  for (std::size_t d = 0; d < rank; ++d) {
    if (!goes[d]) out.axes.push_back(in.axes[d]);
    if (goes[d] && keeps) out.axes.push_back({true, 1});
  }
  if (over == 0 && !feature_sizes(in.axes).empty()) {  // each number alone
    if (node.op == "ReduceL2") out.formula = formulas_.apply(Unary::absolute, in.formula);
    return out;
  }
  if (node.op == "ReduceMax") stuck("the largest of all numbers of a frame");
  const bool norm = node.op == "ReduceL2";
  out.formula = formulas_.mean(norm ? formulas_.multiply(in.formula, in.formula) : in.formula);
  if (!mean) out.formula = formulas_.scaled(out.formula, {float(formulas_.width(in.formula))});
  if (norm) out.formula = formulas_.apply(Unary::square_root, out.formula);
  return out;
}

void Follower::normalization(const OpNode& node, const std::vector<Value>& in,
                             std::vector<Value>& out) {
  const Value& a = in.at(0);
  if (!a.is_flow()) stuck("its input does not come from the frame");
  if (node.op.starts_with("Reduce")) {
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

}  // namespace sluice::tools::graph
