// Convolutions, pooling and padding, over the numbers of one frame and over steps. Patches of a
// frame are selected, then one Dense reads each of them; a window holds the steps before.
#include <numeric>

#include "graph_follower.h"
#include "step_window.h"

namespace sluice::tools::graph {
namespace {

/// A dimension over which a kernel moves.
struct Moves {
  std::int64_t size, kernel, stride, dilation, front, back, out;
};

/// The dimensions over which a kernel moves. At most one of them is the steps.
struct Geometry {
  std::vector<Moves> dims;
  int steps = -1;     ///< the dimension that is the steps; -1: none
  StepKernel kernel;  ///< over the steps

  std::int64_t positions() const { return product_of(sizes(&Moves::out)); }
  std::int64_t taps() const { return product_of(sizes(&Moves::kernel)); }
  std::vector<std::int64_t> sizes(std::int64_t Moves::* field) const {
    std::vector<std::int64_t> all;
    for (const Moves& d : dims) all.push_back(d.*field);
    return all;
  }
};

std::int64_t number_at(const std::optional<std::vector<std::int64_t>>& list, std::size_t i,
                       std::int64_t otherwise) {
  if (!list || list->empty()) return otherwise;
  if (i >= list->size()) stuck("a list of {} numbers for {} dimensions", list->size(), i + 1);
  return (*list)[i];
}

/// Returns the kernel over the steps of a value, and makes a single position of the dimension.
/// @param same  pads by this way in place of the numbers
StepKernel over_steps(Moves& d, const Value& a, std::int64_t steps, const std::string& same) {
  StepKernel kernel;
  kernel.taps = d.kernel, kernel.dilation = d.dilation, kernel.stride = d.stride;
  kernel.steps = is_known(steps) && steps > 0 ? steps : 0;
  kernel.front = d.front, kernel.back = d.back;
  if (same.starts_with("SAME") && !pad_same(kernel, same == "SAME_LOWER"))
    stuck("padding of a stride of {} by the number of steps, which is not known", d.stride);
  kernel.front += a.steps_in_front, kernel.back += a.steps_behind;
  if (a.reversed && (d.kernel > 1 || d.stride > 1)) stuck("steps from the last one to the first");
  if (a.step >= 0 || a.last) stuck("a kernel over steps of which one alone is known");
  if (kernel.steps > 0 && kernel.outputs() < 1) stuck("a kernel that is longer than the sequence");
  d.size = d.out = 1;
  return kernel;
}

Geometry geometry_of(const OpNode& node, const Value& a, const std::vector<std::int64_t>& kernel) {
  if (a.axes.size() != kernel.size() + 2)
    stuck("{} dimensions enter a kernel of {}", a.axes.size(), kernel.size());
  const auto strides = wholes(node, "strides", {}, 0), dilations = wholes(node, "dilations", {}, 0),
             pads = wholes(node, "pads", {}, 0);
  const OpAttribute* const automatic = node.find("auto_pad");
  const std::string way = automatic ? automatic->text : "NOTSET";
  if (node.whole("ceil_mode", 0)) stuck("sizes that are rounded upwards");
  Geometry geometry;
  constexpr std::int64_t most = 1 << 20;
  for (std::size_t i = 0; i < kernel.size(); ++i) {
    const Axis& axis = a.axes[i + 2];
    Moves d{axis.feature ? axis.size : 1,
            kernel[i],
            number_at(strides, i, 1),
            number_at(dilations, i, 1),
            number_at(pads, i, 0),
            number_at(pads, i + kernel.size(), 0),
            1};
    if (d.kernel < 1 || d.stride < 1 || d.dilation < 1 || d.front < 0 || d.back < 0 ||
        std::max({d.kernel, d.stride, d.dilation, d.front, d.back}) > most)
      stuck("a kernel, stride or padding that makes no sense");
    const std::int64_t reach = (d.kernel - 1) * d.dilation;
    if (way == "SAME_UPPER" || way == "SAME_LOWER") {
      const std::int64_t wanted = (d.size + d.stride - 1) / d.stride,
                         all = std::max<std::int64_t>((wanted - 1) * d.stride + reach + 1 - d.size,
                                                      0);
      d.front = way == "SAME_LOWER" ? all - all / 2 : all / 2, d.back = all - d.front;
    }
    if (!axis.feature && axis.size != 1) {
      if (geometry.steps >= 0) stuck("a kernel over two dimensions of steps");
      geometry.steps = int(i);
      geometry.kernel = over_steps(d, a, axis.size, way);
    } else {
      const std::int64_t room = d.size + d.front + d.back - reach - 1;
      if (room < 0) stuck("a kernel that is wider than the frame");
      d.out = room / d.stride + 1;
    }
    geometry.dims.push_back(d);
  }
  if (geometry.steps < 0 && (a.steps_in_front || a.steps_behind))
    stuck("padding of steps that no kernel reads");
  return geometry;
}

/// Calls f(position, channel, tap, number of the input; -1 outside of it).
template <class F>
void for_each_tap(const Geometry& g, std::int64_t channels, F f) {
  const std::vector<std::int64_t> outs = g.sizes(&Moves::out), kernels = g.sizes(&Moves::kernel),
                                  sizes = g.sizes(&Moves::size);
  const std::int64_t per_channel = product_of(sizes), per_step = channels * per_channel;
  std::int64_t position = 0;
  for_each_index(outs, [&](const std::vector<std::int64_t>& at) {
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      std::int64_t tap = 0;
      for_each_index(kernels, [&](const std::vector<std::int64_t>& k) {
        std::int64_t number = 0, step = 0;
        for (std::size_t d = 0; d < g.dims.size(); ++d) {
          const Moves& moves = g.dims[d];
          if (int(d) == g.steps) {
            step = k[d];
            continue;
          }
          const std::int64_t i = at[d] * moves.stride + k[d] * moves.dilation - moves.front;
          if (i < 0 || i >= moves.size) number = -1;
          if (number >= 0) number = number * moves.size + i;
        }
        f(position, channel, tap++,
          number < 0 ? -1 : step * per_step + channel * per_channel + number);
      });
    }
    ++position;
  });
}

/// Returns, for each channel and position, the place of that number if the numbers of a position
/// are side by side.
std::vector<std::int64_t> by_channel(const Geometry& g, std::int64_t channels) {
  std::vector<std::int64_t> order;
  for (std::int64_t channel = 0; channel < channels; ++channel)
    for (std::int64_t position = 0; position < g.positions(); ++position)
      order.push_back(position * channels + channel);
  return order;
}

/// Returns the dimensions behind a kernel that moved over these.
std::vector<Axis> axes_behind(const Geometry& g, std::vector<Axis> axes, std::int64_t channels) {
  axes[1] = {channels > 1, channels};
  for (std::size_t d = 0; d < g.dims.size(); ++d)
    if (int(d) != g.steps)
      axes[d + 2] = {g.dims[d].out > 1, g.dims[d].out};
    else
      axes[d + 2] = {false, g.kernel.steps > 0 ? g.kernel.outputs() : axes[d + 2].size, true};
  return axes;
}

}  // namespace

Formula Follower::put_layer(Layer layer, Formula reads, const OpNode& node) {
  const auto out = std::size_t(layer.out);
  const std::string place = fmt::format("{} ({})", brief(node.name), brief(node.op));
  return formulas_.layer(int(lowering().put(std::move(layer), reads, place)), out);
}

Formula Follower::taken(Formula from, std::vector<std::int64_t> columns, const OpNode& node) {
  AtomPart part;
  while (formulas_.is_part(from, part)) {
    const Atom& atom = formulas_.atom(part.atom);
    const bool whole = part.first == 0 && part.step == 1 && formulas_.width(from) == atom.width;
    if (atom.kind == Atom::Kind::chosen) {
      for (std::int64_t& column : columns)
        if (column >= 0) column = atom.chosen[std::size_t(part.first + column * part.step)];
      from = atom.of;
    } else if (!whole && (atom.kind == Atom::Kind::layer || atom.kind == Atom::Kind::input)) {
      for (std::int64_t& column : columns)
        if (column >= 0) column = part.first + column * part.step;
      from = formulas_.of_part({part.atom, 0, 1}, atom.width);
    } else {
      break;
    }
  }
  std::vector<std::int64_t> same(formulas_.width(from));
  std::iota(same.begin(), same.end(), std::int64_t(0));
  if (columns == same) return from;
  if (columns.size() > widest)
    stuck("patches of {} numbers in all; at most {} are possible", columns.size(), widest);
  Layer select = make_layer(SLUICE_SELECT, int(formulas_.width(from)), int(columns.size()));
  select.array(Role::columns).integers.assign(columns.begin(), columns.end());
  return put_layer(std::move(select), from, node);
}

Formula Follower::windows(Formula from, const StepKernel& kernel, const OpNode& node) {
  Layer window;
  if (const std::string reason = window_of(kernel, formulas_.width(from), window); !reason.empty())
    stuck("{}", reason);
  if (kernel.taps == 1 && !window.thins()) return from;
  return put_layer(with_arrays(std::move(window)), from, node);
}

void Follower::convolution(const OpNode& node, const std::vector<Value>& in,
                           std::vector<Value>& out) {
  if (in.size() < 2 || !in[0].is_flow() || !in[1].is_constant() || in[1].constant->is_whole)
    stuck("weights that are not constant");
  const Value& a = in[0];
  const Constant& w = *in[1].constant;
  if (w.shape.size() < 3) stuck("weights of the shape {}", shape_text(w.shape));
  if (a.axes.size() < 3) stuck("a convolution of {} dimensions", a.axes.size());
  if (a.axes[0].feature) stuck("a batch of several frames");
  if (!a.axes[1].feature && a.axes[1].size != 1) stuck("channels that are not the features");
  const Geometry g = geometry_of(node, a, {w.shape.begin() + 2, w.shape.end()});
  const std::int64_t channels = a.axes[1].size, group = node.whole("group", 1);
  if (group < 1 || group > channels || w.shape[0] < 1 || channels != w.shape[1] * group ||
      w.shape[0] % group)
    stuck("{} channels in {} groups enter weights for {}", channels, group, w.shape[1]);
  const std::int64_t taps = g.taps(), positions = g.positions(), rows = w.shape[0];
  if (product_of({positions, channels, taps}) > std::int64_t(widest) ||
      product_of({positions, rows}) > std::int64_t(widest))
    stuck("{} patches of {} numbers; at most {} in all are possible", positions, channels * taps,
          widest);

  std::vector<std::int64_t> columns(std::size_t(positions * channels * taps));
  for_each_tap(g, channels,
               [&](std::int64_t position, std::int64_t channel, std::int64_t tap, std::int64_t i) {
                 columns[std::size_t((position * channels + channel) * taps + tap)] = i;
               });
  const Formula reads = taken(windows(a.formula, g.kernel, node), columns, node);

  Weights2 weights{std::size_t(rows), std::size_t(channels * taps), {}};
  take_room(weights.rows * weights.cols);
  weights.values.resize(weights.rows * weights.cols);
  const std::int64_t own = w.shape[1] * taps;  // of a row, in its group
  for (std::int64_t row = 0; row < rows; ++row)
    std::copy_n(w.floats.begin() + row * own, own,
                weights.values.begin() + row * channels * taps + row / (rows / group) * own);
  std::vector<float> bias;
  if (in.size() > 2) {
    if (!in[2].is_constant() || in[2].constant->is_whole ||
        std::int64_t(in[2].constant->floats.size()) != rows)
      stuck("biases that are not constant, or of another number");
    bias = in[2].constant->floats;
  }
  if (positions == 1) {
    Formula made = formulas_.product(weights, reads);
    if (!bias.empty()) made = formulas_.add(made, formulas_.constant(bias));
    out[0] = flow(made, axes_behind(g, a.axes, rows), a.last);
    return;
  }
  Layer dense;
  dense.in = int(positions * channels * taps), dense.out = int(positions * rows);
  dense.parts = int(positions);
  dense = with_arrays(std::move(dense));
  dense.array(Role::input_weight).values = std::move(weights.values);
  if (!bias.empty()) dense.array(Role::input_bias).values = std::move(bias);
  const Formula made = put_layer(std::move(dense), reads, node);
  out[0] = flow(formulas_.choose(made, by_channel(g, rows)), axes_behind(g, a.axes, rows), a.last);
}

void Follower::pooling(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out) {
  const Value& a = in.at(0);
  if (!a.is_flow()) stuck("its input does not come from the frame");
  if (a.axes.size() < 3) stuck("pooling of {} dimensions", a.axes.size());
  if (a.axes[0].feature || (!a.axes[1].feature && a.axes[1].size != 1))
    stuck("channels that are not the features");
  const bool global = node.op.starts_with("Global"), largest = node.op.ends_with("MaxPool");
  std::vector<std::int64_t> kernel;
  if (global) {
    for (std::size_t d = 2; d < a.axes.size(); ++d) {
      if (!a.axes[d].feature && a.axes[d].size != 1) {
        std::vector<bool> goes(a.axes.size());
        for (std::size_t i = 2; i < goes.size(); ++i) {
          if (a.axes[i].feature) stuck("pooling over all steps and over numbers of a frame");
          goes[i] = true;
        }
        out[0] = over_all_steps(node, a, goes, true, largest);
        return;
      }
      kernel.push_back(a.axes[d].size);
    }
  } else {
    kernel = wholes(node, "kernel_shape", {}, 0).value_or(std::vector<std::int64_t>{});
  }
  const Geometry g = geometry_of(node, a, kernel);
  const std::int64_t channels = a.axes[1].size, taps = g.taps(), positions = g.positions();
  if (product_of({positions, channels, taps}) > std::int64_t(widest))
    stuck("{} patches of {} numbers; at most {} in all are possible", positions, channels * taps,
          widest);
  const bool counts = node.whole("count_include_pad", 0) != 0;
  if (reads_zeros(g.kernel) && (largest || !counts))
    stuck("pooling that leaves out the padding of the first or last steps");
  std::vector<std::int64_t> columns(std::size_t(positions * channels * taps));
  bool outside = false;
  for_each_tap(g, channels,
               [&](std::int64_t position, std::int64_t channel, std::int64_t tap, std::int64_t i) {
                 columns[std::size_t((position * taps + tap) * channels + channel)] = i;
                 outside = outside || i < 0;
               });
  if (outside && !largest && !counts) stuck("a mean without the padding that it reads");
  // A number more of the same patch changes no largest one.
  for (std::int64_t position = 0; outside && largest && position < positions; ++position)
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      std::int64_t inside = -1;
      const auto at = [&](std::int64_t tap) -> std::int64_t& {
        return columns[std::size_t((position * taps + tap) * channels + channel)];
      };
      for (std::int64_t tap = 0; tap < taps; ++tap) inside = std::max(inside, at(tap));
      for (std::int64_t tap = 0; tap < taps; ++tap)
        if (at(tap) < 0) at(tap) = inside;
    }
  const Formula reads = taken(windows(a.formula, g.kernel, node), columns, node);
  Layer pool;
  pool.kind = largest ? SLUICE_MAX_POOL : SLUICE_MEAN_POOL;
  pool.in = int(columns.size()), pool.out = int(positions * channels), pool.parts = int(positions);
  const Formula made = taps == 1 ? reads : put_layer(with_arrays(pool), reads, node);
  out[0] = flow(formulas_.choose(made, by_channel(g, channels)), axes_behind(g, a.axes, channels),
                a.last);
}

void Follower::padding(const OpNode& node, const std::vector<Value>& in, std::vector<Value>& out) {
  const Value& a = in.at(0);
  if (!a.is_flow()) stuck("its input does not come from the frame");
  const auto pads = wholes(node, "pads", in, 1);
  const std::size_t rank = a.axes.size();
  if (!pads || pads->size() != 2 * rank) stuck("no pads for its {} dimensions", rank);
  const OpAttribute* const mode = node.find("mode");
  const std::string way = mode ? mode->text : "constant";
  if (way == "constant" && in.size() > 2 &&
      !(in[2].is_constant() && in[2].constant->count() == 1 && in[2].constant->number(0) == 0) &&
      in[2].what != Value::What::none)
    stuck("padding by another number than 0");
  if (way != "constant" && way != "reflect" && way != "edge")
    stuck("padding by \"{}\"", brief(way));
  Value value = a;
  std::vector<std::int64_t> from, to;
  std::vector<std::int64_t> front;
  constexpr std::int64_t most = 1 << 20;
  for (std::size_t d = 0; d < rank; ++d) {
    const std::int64_t begin = (*pads)[d], end = (*pads)[d + rank];
    if (std::min(begin, end) < 0 || std::max(begin, end) > most)
      stuck("padding of {} and {}", begin, end);
    Axis& axis = value.axes[d];
    const bool steps = !axis.feature && axis.size != 1;
    if (steps && begin + end > 0) {
      if (way != "constant") stuck("steps that are padded by themselves");
      value.steps_in_front += begin, value.steps_behind += end;
    }
    if (steps) continue;
    from.push_back(axis.size), to.push_back(axis.size + begin + end), front.push_back(begin);
    axis = {to.back() > 1, to.back()};
  }
  if (product_of(to) > std::int64_t(widest)) stuck("padding to {}", shape_text(to));
  std::vector<std::int64_t> columns;
  for_each_index(to, [&](const std::vector<std::int64_t>& at) {
    std::int64_t number = 0;
    for (std::size_t d = 0; d < to.size(); ++d) {
      std::int64_t i = at[d] - front[d];
      const std::int64_t last = from[d] - 1;
      if (way == "reflect" && (i < -last || i > 2 * last)) stuck("a reflection beyond the frame");
      if (way == "reflect") i = i < 0 ? -i : i > last ? 2 * last - i : i;
      if (way == "edge") i = std::clamp<std::int64_t>(i, 0, last);
      if (i < 0 || i > last) number = -1;
      if (number >= 0) number = number * from[d] + i;
    }
    columns.push_back(number);
  });
  value.formula = taken(a.formula, columns, node);
  out[0] = value;
}

}  // namespace sluice::tools::graph
