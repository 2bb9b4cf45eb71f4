// Computes the nodes of a graph whose inputs are all known.
#include <numeric>

#include "graph_follower.h"

namespace sluice::tools::graph {
namespace {

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
         : op == "Max" ? std::max(a, b)
         : op == "Min" ? std::min(a, b)
                       : std::pow(a, b);
}

/// Returns a number without its fraction; an unknown one if it has no room for it.
std::int64_t whole_of(double number) {
  constexpr double greatest = 9e18;
  return std::fabs(number) < greatest ? std::int64_t(number) : unknown;
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

}  // namespace

Value part_of_constant(const Constant& from, std::size_t axis, std::int64_t begin, std::int64_t end,
                       std::int64_t step) {
  return chosen(from, axis, range_of(begin, end, step, from.shape[axis]));
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
  const bool two = in.size() > 1 && in[1].is_constant();  // inputs may be left out
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
      for (const float v : a.floats) made->whole.push_back(whole_of(double(v)));
      made->floats.clear(), made->is_whole = true;
    }
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Shape") {
    out[0] = constant_value({std::int64_t(rank)}, a.shape);
    return true;
  }
  if (op == "Size") {
    out[0] = constant_value({}, {std::int64_t(a.count())});
    return true;
  }
  if (op == "ConstantOfShape") {
    // Sizes that are not known are those of frames; such a constant fits every size.
    auto made = std::make_shared<Constant>();
    float value = 0;
    std::int64_t whole = 0;
    if (const OpAttribute* const given = node.find("value"))
      if (given->tensor && given->tensor->count() > 0) {
        made->is_whole = given->tensor->is_whole;
        value = float(given->tensor->number(0));
        if (made->is_whole) whole = given->tensor->whole[0];
      }
    for (const std::int64_t size : a.whole)
      made->shape.push_back(is_known(size) && size > 0 ? size : 1);
    if (product_of(made->shape) > std::int64_t(room_)) take_room(room_ + 1);
    const auto count = std::size_t(product_of(made->shape));
    if (made->is_whole)
      made->whole.assign(count, whole);
    else
      made->floats.assign(count, value);
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Expand") {
    out[0] = in[0];  // its dimensions of one fit every size
    const auto target = wholes(node, "shape", in, 1);
    const bool equal = !a.is_whole && std::all_of(a.floats.begin(), a.floats.end(),
                                                  [&](float f) { return f == a.floats[0]; });
    if (!target || !equal || a.floats.empty()) return true;
    auto made = std::make_shared<Constant>();
    made->shape.assign(std::max(target->size(), rank), 1);
    for (std::size_t d = 0; d < made->shape.size(); ++d) {
      std::int64_t& size = made->shape[made->shape.size() - 1 - d];
      if (d < rank) size = a.shape[rank - 1 - d];
      if (d < target->size() && is_known((*target)[target->size() - 1 - d]))
        size = std::max(size, (*target)[target->size() - 1 - d]);
    }
    if (product_of(made->shape) > std::int64_t(room_)) take_room(room_ + 1);
    made->floats.assign(std::size_t(product_of(made->shape)), a.floats[0]);
    out[0] = of(std::move(made));
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
      if (!axes) stuck("no axes");
      const std::size_t all = rank + axes->size();
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
      if (target[d] > std::int64_t(a.count())) stuck("shapes that do not fit");
      if (target[d] > 0) known = product_of({known, target[d]});
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
        wholes(node, "perm", in, 1).value_or(std::vector<std::int64_t>{});
    if (order.empty())
      for (std::size_t d = rank; d-- > 0;) order.push_back(std::int64_t(d));
    check_order(order, rank);
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
    if (!two) return false;
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
    fill_rest(*sizes, a.shape[axis]);
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i >= sizes->size() || (*sizes)[i] < 0 || (*sizes)[i] > a.shape[axis] - begin)
        stuck("parts that do not fit");
      out[i] = chosen(a, axis, range_of(begin, begin + (*sizes)[i], 1, a.shape[axis]));
      begin += (*sizes)[i];
    }
    return true;
  }
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Pow" || op == "Max" ||
      op == "Min") {
    if (!two || in.size() != 2) return false;
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
      made->whole.push_back(op == "Mul" && (p == 0 || q == 0) ? 0
                            : !is_known(p) || !is_known(q)    ? unknown
                            : op == "Div"                     ? p / q
                                          : whole_of(computed(op, double(p), double(q))));
    }
    out[0] = of(std::move(made));
    return true;
  }
  const std::pair<const char*, bool (*)(double, double)> comparisons[] = {
      {"Equal", [](double p, double q) { return p == q; }},
      {"Less", [](double p, double q) { return p < q; }},
      {"LessOrEqual", [](double p, double q) { return p <= q; }},
      {"Greater", [](double p, double q) { return p > q; }},
      {"GreaterOrEqual", [](double p, double q) { return p >= q; }},
      {"And", [](double p, double q) { return p != 0 && q != 0; }},
      {"Or", [](double p, double q) { return p != 0 || q != 0; }}};
  for (const auto& [name, compares] : comparisons) {
    if (op != name || !two) continue;
    const Constant& b = *in[1].constant;
    const std::vector<std::int64_t> shape = common_shape(a, b);
    if (product_of(shape) > std::int64_t(room_)) take_room(room_ + 1);
    const Constant x = *spread(a, shape).constant, y = *spread(b, shape).constant;
    std::vector<std::int64_t> results;
    for (std::size_t i = 0; i < x.count(); ++i) {
      const bool known =
          !(x.is_whole && !is_known(x.whole[i])) && !(y.is_whole && !is_known(y.whole[i]));
      results.push_back(known ? compares(x.number(i), y.number(i)) : unknown);
    }
    out[0] = constant_value(shape, results);
    return true;
  }
  if (op == "Not") {
    std::vector<std::int64_t> results;
    for (const std::int64_t value : a.whole)
      results.push_back(is_known(value) ? value == 0 : unknown);
    out[0] = constant_value(a.shape, results);
    return true;
  }
  if (op == "StridedSlice" || op == "SliceSized" || op == "Reverse") {
    tensorflow(node, in, out);
    return true;
  }
  if (op == "ReduceProd" && a.is_whole && rank == 1) {
    std::int64_t product = 1;
    for (const std::int64_t size : a.whole)
      product = !is_known(size) || product == unknown ? unknown : product_of({product, size});
    out[0] = constant_value({}, {product});
    return true;
  }
  if (op == "Rank") {
    out[0] = constant_value({}, {std::int64_t(rank)});
    return true;
  }
  if (op == "Range") {
    if (!two || in.size() < 3 || !in[2].is_constant() || !a.is_whole || a.count() != 1 ||
        in[1].constant->count() != 1 || in[2].constant->count() != 1)
      return false;
    const std::int64_t begin = a.whole[0], end = whole_of(in[1].constant->number(0)),
                       step = whole_of(in[2].constant->number(0));
    if (!is_known(begin) || !is_known(end) || !is_known(step)) {
      out[0] = constant_value({1}, {unknown});
      return true;
    }
    if (step <= 0 || end - begin > std::int64_t(room_)) stuck("a range without an end");
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = begin; i < end; i += step) numbers.push_back(i);
    const auto count = std::int64_t(numbers.size());
    out[0] = constant_value({count}, std::move(numbers));
    return true;
  }
  if (op == "Gemm" || op == "MatMul") {
    if (!two || rank != 2 || in[1].constant->shape.size() != 2) return false;
    return product_of_constants(node, in, out);
  }
  if (op == "Sigmoid" || op == "Tanh") {
    if (a.is_whole) return false;
    auto made = std::make_shared<Constant>(a);
    for (float& v : made->floats)
      v = float(op == "Tanh" ? std::tanh(double(v)) : 1 / (1 + std::exp(-double(v))));
    out[0] = of(std::move(made));
    return true;
  }
  if (op == "Neg" || op == "Sqrt" || op == "Reciprocal") {
    auto made = std::make_shared<Constant>(a);
    for (float& v : made->floats) v = op == "Neg" ? -v : op == "Sqrt" ? std::sqrt(v) : 1 / v;
    for (std::int64_t& v : made->whole) v = is_known(v) ? -v : v;
    out[0] = of(std::move(made));
    return true;
  }
  return false;
}

/// Computes a matrix times another one, and a bias, as the first step of a loop has them whose
/// state is zeros.
bool Follower::product_of_constants(const OpNode& node, const std::vector<Value>& in,
                                    std::vector<Value>& out) {
  const Constant &a = *in[0].constant, &b = *in[1].constant;
  if (a.is_whole || b.is_whole || node.whole("transA", 0)) return false;
  const bool transposed = node.op == "Gemm" && node.whole("transB", 0) != 0;
  const std::size_t rows = std::size_t(a.shape[0]), inner = std::size_t(a.shape[1]),
                    cols = std::size_t(b.shape[transposed ? 0 : 1]);
  if (std::size_t(b.shape[transposed ? 1 : 0]) != inner) stuck("shapes that do not fit");
  if (product_of({a.shape[0], std::int64_t(cols)}) > std::int64_t(room_)) take_room(room_ + 1);
  auto made = std::make_shared<Constant>();
  made->shape = {a.shape[0], std::int64_t(cols)};
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t col = 0; col < cols; ++col) {
      double sum = 0;
      for (std::size_t i = 0; i < inner; ++i)
        sum += double(a.floats[row * inner + i]) *
               double(b.floats[transposed ? col * inner + i : i * cols + col]);
      made->floats.push_back(float(sum));
    }
  out[0] = of(made);
  if (in.size() < 3 || !in[2].is_constant()) return true;
  OpNode add;
  add.op = "Add";
  return on_constants(add, {out[0], in[2]}, out);
}

}  // namespace sluice::tools::graph
