// Operations of TensorFlow that ONNX does not have.
#include "graph_follower.h"

namespace sluice::tools::graph {
namespace {

/// Returns the whole numbers of an input.
const std::vector<std::int64_t>& numbers(const std::vector<Value>& in, std::size_t i) {
  if (i >= in.size() || !in[i].is_constant() || !in[i].constant->is_whole)
    stuck("places that are not constant whole numbers");
  return in[i].constant->whole;
}

constexpr std::int64_t endless = std::numeric_limits<std::int64_t>::max();

std::size_t rank_of(const Value& value) {
  return value.is_constant() ? value.constant->shape.size() : value.axes.size();
}

/// Gives a value other dimensions, of which the numbers stay in their order.
/// @param kept  for each dimension an old one, or `fresh` for a new one of size 1
constexpr std::size_t fresh = std::numeric_limits<std::size_t>::max();
Value with_dimensions(Value value, const std::vector<std::size_t>& kept) {
  if (value.is_constant()) {
    auto made = std::make_shared<Constant>(*value.constant);
    made->shape.clear();
    for (const std::size_t d : kept)
      made->shape.push_back(d == fresh ? 1 : value.constant->shape[d]);
    value.constant = std::move(made);
    return value;
  }
  std::vector<Axis> axes;
  for (const std::size_t d : kept) axes.push_back(d == fresh ? Axis{false, 1} : value.axes[d]);
  value.axes = std::move(axes);
  return value;
}

}  // namespace

/// Returns a range of one dimension.
Value Follower::cut(const Value& in, std::size_t axis, std::int64_t begin, std::int64_t end,
                    std::int64_t step) {
  if (in.is_constant()) return part_of_constant(*in.constant, axis, begin, end, step);
  return slice(in, std::int64_t(axis), begin, end, step);
}

/// StridedSlice: a range of each dimension, some of which it removes and adds.
Value Follower::strided(const OpNode& node, const std::vector<Value>& in) {
  const std::vector<std::int64_t>&begins = numbers(in, 1), &ends = numbers(in, 2),
        &steps = numbers(in, 3);
  constexpr std::size_t most = 32;
  const std::size_t rank = rank_of(in[0]), said = begins.size();
  if (ends.size() != said || steps.size() != said || said > most) stuck("ranges that do not fit");
  const auto has = [&](const char* mask, std::size_t i) {
    return (node.whole(mask, 0) >> i & 1) != 0;
  };
  std::size_t fixed = 0;  // dimensions that the ranges name
  for (std::size_t i = 0; i < said; ++i)
    fixed += !has("new_axis_mask", i) && !has("ellipsis_mask", i);
  if (fixed > rank) stuck("ranges of more dimensions than there are");
  Value value = in[0];
  std::vector<std::size_t> kept;
  std::size_t d = 0;
  for (std::size_t i = 0; i < said; ++i) {
    if (has("ellipsis_mask", i)) {
      for (std::size_t left = rank - fixed; left > 0; --left) kept.push_back(d++);
      fixed = rank;  // of a second one
      continue;
    }
    if (has("new_axis_mask", i)) {
      kept.push_back(fresh);
      continue;
    }
    if (d >= rank) stuck("ranges of more dimensions than there are");
    if (has("shrink_axis_mask", i)) {
      if (!is_known(begins[i])) {
        if (begins[i] != step_number || !value.is_flow() || value.axes[d].feature)
          stuck("a place that depends on the data");
        value.axes[d].size = 1;  // the frame of this step of a loop
      } else {
        value = cut(value, d, begins[i], begins[i] == -1 ? endless : begins[i] + 1, 1);
        const std::int64_t size =
            value.is_constant() ? value.constant->shape[d] : value.axes[d].size;
        if (size != 1) stuck("a place outside its dimension");
      }
      ++d;
      continue;
    }
    const bool back = steps[i] < 0;
    if (!is_known(steps[i]) || (!is_known(begins[i]) && !has("begin_mask", i)))
      stuck("a range that depends on the data");
    const std::int64_t begin = !has("begin_mask", i) ? begins[i]
                               : back                ? endless
                                                     : 0,
                       end = has("end_mask", i) || !is_known(ends[i]) ? (back ? -endless : endless)
                                                                      : ends[i];
    value = cut(value, d, begin, end, steps[i]);
    kept.push_back(d++);
  }
  while (d < rank) kept.push_back(d++);
  return with_dimensions(std::move(value), kept);
}

/// Returns a value with a dimension from its last element to its first.
Value Follower::reverse(const Value& in, std::int64_t given) {
  if (in.is_constant())
    return part_of_constant(*in.constant, axis_of(given, in.constant->shape.size()), endless,
                            -endless, -1);
  const std::size_t axis = axis_of(given, in.axes.size());
  if (in.axes[axis].feature) return slice(in, given, endless, -endless, -1);
  Value out = in;
  if (in.axes[axis].size != 1) {
    if (in.last || in.step >= 0) stuck("the steps of a sequence reversed, of which there is one");
    out.reversed = !in.reversed;
  }
  return out;
}

void Follower::tensorflow(const OpNode& node, const std::vector<Value>& in,
                          std::vector<Value>& out) {
  const std::string& op = node.op;
  if (op == "Refused") stuck("{}", node.find("reason")->text);
  if (op == "ListReserve") {
    out.at(0).what = Value::What::list;
    return;
  }
  const Value& a = in.at(0);
  if (op == "ListOf") {
    out.at(0) = a;
  } else if (op == "ListSize") {
    out.at(0) = constant_value({}, {unknown});
  } else if (op == "ListSet") {
    if (a.what != Value::What::list) stuck("a list that holds values already");
    const std::vector<std::int64_t>& at = numbers(in, 1);
    Value item = in.at(2);
    if (!item.is_flow() || at.size() != 1) stuck("a value that does not depend on the frame");
    item.axes.insert(item.axes.begin(), Axis{false, 1});
    if (at[0] == step_number) {
      item.gathered = true;
      item.axes[0].size = is_known(limit_) ? limit_ : unknown;
    } else if (at[0] != 0) {
      stuck("a list that is filled in another order");
    }
    out.at(0) = item;
  } else if (op == "Rank") {
    out.at(0) = constant_value({}, {std::int64_t(rank_of(a))});
  } else if (op == "StridedSlice") {
    out.at(0) = strided(node, in);
  } else if (op == "Reverse") {
    Value value = a;
    for (const std::int64_t axis : numbers(in, 1)) value = reverse(value, axis);
    out.at(0) = value;
  } else {  // SliceSized
    const std::vector<std::int64_t>&begins = numbers(in, 1), &sizes = numbers(in, 2);
    if (begins.size() != rank_of(a) || sizes.size() != begins.size())
      stuck("ranges that do not fit");
    Value value = a;
    for (std::size_t d = 0; d < begins.size(); ++d) {
      if (!is_known(begins[d]) || begins[d] < 0) stuck("a range that depends on the data");
      value = cut(value, d, begins[d],
                  !is_known(sizes[d]) || sizes[d] < 0 || sizes[d] > endless - begins[d]
                      ? endless
                      : begins[d] + sizes[d],
                  1);
    }
    out.at(0) = value;
  }
}

}  // namespace sluice::tools::graph
