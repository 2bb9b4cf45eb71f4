// Operations of a graph that give values other dimensions, or choose among their numbers.
#include <numeric>

#include "../model/graph.h"
#include "graph_follower.h"

namespace sluice::tools::graph {
Value Follower::transpose(const Value& in, const std::vector<std::int64_t>& order) {
  const std::size_t rank = in.axes.size();
  check_order(order, rank);
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
  Value out = in;
  out.formula = formulas_.choose(in.formula, which), out.axes = std::move(axes);
  return out;
}

Value Follower::flattened(const Value& in, std::int64_t steps, const OpNode& node) {
  bool feature = false;
  int over = 0;  // dimensions over which frames run
  for (const Axis& axis : in.axes) {
    const bool runs = !axis.feature && axis.size != 1;
    if (runs && feature) stuck("steps behind features in one row (Flatten)");
    over += runs && is_known(axis.size);
    feature = feature || axis.feature;
  }
  if (steps < 2 || over != 1)
    stuck("all steps of a sequence at once, of which the number is not known (Flatten)");
  if (in.last || in.step >= 0) stuck("all steps of a sequence at once (Flatten)");
  for (const std::uint32_t below : lowering().recurrent_below(in.formula)) every_.insert(below);
  StepKernel kernel;
  kernel.taps = steps;
  const Formula made = windows(in.formula, kernel, node);
  for (const std::uint32_t below : lowering().recurrent_below(in.formula)) every_.insert(below);
  result_.remarks.push_back(fmt::format(
      "{} ({}): reads {} steps at once, which the model keeps; its answer is the one "
      "after step {} of a sequence, so reset it before each sequence",
      brief(node.name), brief(node.shown_op()), steps, answered_steps(result_.network).first + 1));
  return flow(made, {{false, 1}, {true, std::int64_t(formulas_.width(made))}}, false);
}

/// Gives a value another shape. Groups of features and single dimensions over which frames run stay
/// in their order.
Value Follower::reshape(const Value& in, std::vector<std::int64_t> target, const OpNode& node) {
  std::vector<Axis> from;
  std::int64_t steps = 1, features = 1;
  for (const Axis& axis : in.axes) {
    if (axis.feature || axis.size != 1) from.push_back(axis);
    if (axis.size > 1) {
      std::int64_t& of = axis.feature ? features : steps;
      of = product_of({of, axis.size});
    }
  }
  const std::int64_t all = product_of({steps, features});
  // A size that the others tell.
  const auto open = std::find(target.begin(), target.end(), -1);
  const bool all_known =
      std::all_of(from.begin(), from.end(), [](const Axis& axis) { return axis.size > 0; });
  if (open != target.end() && all_known) {
    std::int64_t others = 1;
    for (const std::int64_t size : target)
      others = size == -1 ? others : size > 0 ? product_of({others, size}) : 0;
    if (others > 0 && all % others == 0) *open = all / others;
  }
  if (steps > 1 && features > 1 && std::count(target.begin(), target.end(), all)) {
    const Value row = flattened(in, steps, node);
    for (const std::int64_t size : target)
      if (size > 1 && size != all) stuck("a shape {} that does not fit", shape_text(target));
    Value value = row;
    value.axes.clear();
    for (const std::int64_t size : target)
      value.axes.push_back(size == all ? row.axes.back() : Axis{false, 1});
    return value;
  }
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
    if (size < 0) {  // a batch of one, if the sizes behind it take all features
      std::int64_t features = 1;
      for (std::size_t i = next; i < from.size(); ++i)
        features = from[i].feature ? features * from[i].size : -1;
      if (d + 1 < target.size() &&
          product_of({target.begin() + std::ptrdiff_t(d) + 1, target.end()}) == features) {
        axes.push_back({false, 1});
        continue;
      }
    }
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
  Value out = in;
  out.axes = std::move(axes);
  return out;
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
    Value out = in;
    out.formula = formulas_.choose(in.formula, which);
    out.axes[axis].size = std::int64_t(range.size());
    return out;
  }
  if (along.size == 1 ||
      (begin == 0 && step == 1 && (end >= 1 << 30 || (along.size > 0 && end >= along.size))))
    return in;
  if (along.size > 0 && step == -1 &&
      range_of(begin, end, step, along.size).size() == std::size_t(along.size))
    return reverse(in, std::int64_t(axis));
  const bool is_last = step == 1 && (begin == -1 || (along.size > 0 && begin == along.size - 1)) &&
                       (end == 0 || end >= 1 << 30 || (along.size > 0 && end >= along.size));
  if (!is_last && along.size > 0) {
    const std::vector<std::int64_t> range = range_of(begin, end, step, along.size);
    if (range.size() == 1) return one_step(in, axis, range[0]);
  }
  if (!is_last) stuck("some steps of a sequence, which are not the last one");
  return one_step(in, axis, along.size > 0 ? along.size - 1 : -1);
}

Value Follower::gather(const Value& in, const Constant& index, std::int64_t given) {
  const std::size_t axis = axis_of(given, in.axes.size());
  const Axis along = in.axes[axis];
  if (!index.is_whole) stuck("an index that is no whole number");
  Value out = in;
  if (!along.feature) {
    if (index.count() != 1) stuck("several steps of a sequence");
    const std::int64_t at = index.whole[0];
    if (at == step_number) {
      // The frame of this step of a loop.
      if (along.size > 0 && is_known(limit_) && limit_ != along.size)
        stuck("a loop over {} of {} steps", limit_, along.size);
    } else if (along.size != 1) {
      if (along.size > 0 && at >= -along.size && at < along.size)
        out = one_step(in, axis, at < 0 ? at + along.size : at);
      else if (at == -1)
        out = one_step(in, axis, -1);
      else
        stuck("one step of a sequence, which is not the last one");
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
  for (const Value& value : in) {
    if (!value.is_flow() && !value.is_constant()) stuck("an input that is missing, or a list");
    if (value.is_flow()) rank = value.axes.size();
  }
  const std::size_t axis = axis_of(node.whole("axis", 0), rank);
  if (joins_steps(node, in)) return joined_steps(in, axis);
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
    for (const Value& other : in) check_join(part, other);
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
        wholes(node, "perm", in, 1).value_or(std::vector<std::int64_t>{});
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
      if (!is_known(size)) size = -1;
    out[0] = reshape(a, sizes, node);
  } else if (op == "Flatten") {
    for (std::size_t d = 0; d < rank; ++d)
      if (!a.axes[d].feature && a.axes[d].size != 1 &&
          d >= std::size_t(std::max<std::int64_t>(node.whole("axis", 1), 0))) {
        out[0] = flattened(a, a.axes[d].size, node);
        return;
      }
    out[0] = reshape(a, {-1, std::int64_t(formulas_.width(a.formula))}, node);
  } else if (op == "Slice") {
    const auto begins = wholes(node, "starts", in, 1), ends = wholes(node, "ends", in, 2),
               axes = wholes(node, "axes", in, 3), steps = wholes(node, "steps", in, 4);
    if (!begins || !ends || begins->size() != ends->size()) stuck("a slice without its ends");
    Value value = a;
    for (std::size_t i = 0; i < begins->size(); ++i)
      value = slice(value, axes ? axes->at(i) : std::int64_t(i), (*begins)[i],
                    !is_known((*ends)[i]) ? std::numeric_limits<std::int64_t>::max() : (*ends)[i],
                    steps ? steps->at(i) : 1);
    out[0] = value;
  } else if (op == "Gather") {
    if (in.size() < 2 || !in[1].is_constant()) stuck("an index that depends on the data");
    out[0] = gather(a, *in[1].constant, node.whole("axis", 0));
  } else if (op == "Split") {
    const std::size_t axis = axis_of(node.whole("axis", 0), rank);
    auto sizes = wholes(node, "split", in, 1);
    const std::int64_t all = a.axes[axis].size;
    if (!a.axes[axis].feature && all != 1 && std::int64_t(out.size()) != all)
      stuck("parts of a sequence");
    if (!sizes)
      sizes = std::vector<std::int64_t>(
          out.size(), (all + std::int64_t(out.size()) - 1) / std::int64_t(out.size()));
    fill_rest(*sizes, all);
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i >= sizes->size() || (*sizes)[i] < 0 || (*sizes)[i] > all - begin)
        stuck("parts that do not fit");
      if ((*sizes)[i] == 0) continue;  // a part that nothing reads
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
  }
}

}  // namespace sluice::tools::graph
