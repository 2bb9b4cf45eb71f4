// In fixed point: windows, pooling, also over steps, and Dense over equal parts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../model/graph.h"
#include "quantize.h"
#include "quantize_state.h"

namespace sluice::tools {
namespace {

/// Returns whether a number of a source is always 0, such as padding: it fits every unit.
bool is_zero(const SourceScale& side, std::size_t k) {
  return side.unit_of(k) == 0 && side.zero_of(k) == 0;
}

/// Returns the scale that the numbers k, k + step, k + 2 step, ... of a source share; nothing if
/// they do not share one. Numbers that are always 0 fit every scale without a zero point.
std::optional<SourceScale> shared_scale(const SourceScale& side, std::size_t first,
                                        std::size_t step, std::size_t count) {
  std::size_t known = first;
  bool zeros = false, any = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t k = first + i * step;
    if (is_zero(side, k)) {
      zeros = true;
      continue;
    }
    if (!any) known = k, any = true;
    if (side.unit[k] != side.unit[known] || side.shift[k] != side.shift[known] ||
        side.scale[k] != side.scale[known])
      return std::nullopt;
  }
  if (zeros && side.zero_of(known) != 0) return std::nullopt;
  return SourceScale{{side.unit[known]}, {side.shift[known]}, {side.scale[known]}, side.frame};
}

/// Returns the scale of each number of a part, if all parts share it.
std::optional<SourceScale> scale_of_part(const SourceScale& side, std::size_t parts) {
  const std::size_t n = side.unit.size() / parts;
  SourceScale part{{}, {}, {}, side.frame};
  for (std::size_t k = 0; k < n; ++k) {
    const std::optional<SourceScale> one = shared_scale(side, k, n, parts);
    if (!one) return std::nullopt;
    part.unit.push_back(one->unit[0]), part.shift.push_back(one->shift[0]);
    part.scale.push_back(one->scale[0]);
  }
  return part;
}

/// Returns the matrix of a Dense with the steps of its inputs in it: of one part, or, if `whole`,
/// of all parts side by side.
Affine affine_of(const Layer& real, const SourceScale& side, const std::vector<double>& zero,
                 bool whole) {
  const Array &w = real.array(Role::input_weight), &b = real.array(Role::input_bias);
  const auto rows = std::size_t(w.rows), cols = std::size_t(w.cols),
             parts = std::size_t(whole ? real.parts : 1);
  Affine affine{rows * parts, cols * parts, std::vector<double>(rows * cols * parts * parts), {}};
  for (std::size_t part = 0; part < parts; ++part)
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t at = part * rows + row;
      double bias = double(b.values[row]) - zero[at];
      for (std::size_t col = 0; col < cols; ++col) {
        const std::size_t k = part * cols + col;
        const double weight = double(w.values[row * cols + col]) * side.scale[k];
        bias += weight * side.shift[k];
        affine.w[at * affine.cols + k] = weight * side.unit[k];
      }
      affine.bias.push_back(bias);
    }
  return affine;
}

/// Stores the weights that the rounded ones of the first part stand for.
void note_rounded(QuantizeState& work, const Layer& real, const Fixed& fixed,
                  const SourceScale& side) {
  const auto cols = std::size_t(real.array(Role::input_weight).cols);
  Layer& rounded_layer = work.result.rounded.layers[work.index_of(real)];
  std::vector<float>& values = rounded_layer.array(Role::input_weight).values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double column = side.unit_of(i % cols);
    const std::size_t row = i / cols;
    if (column != 0)
      values[i] = float(fixed.w[row * fixed.cols + i % cols] * fixed.unit[row] / column);
  }
}

}  // namespace

void add_dense_of_parts(QuantizeState& work, const Layer& real) {
  const SourceScale& side = work.side_of(real);
  const std::optional<SourceScale> shared = scale_of_part(side, std::size_t(real.parts));
  const bool whole = !shared;
  const std::optional<SaturatingForm> form = saturating_form(real);
  const bool answer = is_answer(work.real, work.index_of(real));
  const bool logits =
      answer && (real.activation == SLUICE_SIGMOID || real.activation == SLUICE_SOFTMAX);
  const bool curved =
      !logits && (real.activation == SLUICE_TANH || real.activation == SLUICE_SIGMOID);
  Layer layer;
  layer.in = real.in, layer.out = real.out, layer.format = work.format;
  layer.activation = form ? form->activation : real.activation;
  // Numbers whose parts have scales of their own have weights of their own too.
  layer.parts = whole ? 0 : real.parts;
  layer = with_arrays(std::move(layer));
  const auto rows = std::size_t(layer.array(Role::input_weight).rows);
  const double unit = form ? form->unit : curved ? state_unit : unit_by_peak(work, real);
  const std::vector<double> zero(rows, form ? -form->offset / form->factor : 0);
  const SourceScale& scale = whole ? side : *shared;
  Fixed fixed = round_matrix(affine_of(real, scale, zero, whole), {work.largest(), {}});
  note_rounded(work, real, fixed, scale);
  if (fixed.coarsened)
    work.result.warnings.push_back(
        fmt::format("{}: {} of {} rows of its weights made coarser, so that no accumulator can "
                    "overflow",
                    layer_name(work.real, real), fixed.coarsened, rows));
  scale_sums(work, real, fixed,
             std::vector<double>(rows, form     ? unit / form->factor
                                       : curved ? gate_unit
                                                : unit),
             side.frame);
  layer.shift_ih = fixed.shift;
  layer.array(Role::input_weight).integers = std::move(fixed.w);
  layer.array(Role::input_bias).integers = std::move(fixed.bias);
  work.add(real, std::move(layer), unit);
}

void add_window(QuantizeState& work, const Layer& real) {
  const Units16 from = numbers16_of(work, real);
  Layer layer = real;
  layer.format = work.format, layer.sources.clear();
  layer = with_arrays(std::move(layer));
  Units16 all;
  for (int step = 0; step < real.parts; ++step) {
    all.unit.insert(all.unit.end(), from.unit.begin(), from.unit.end());
    all.zero.insert(all.zero.end(), from.zero.begin(), from.zero.end());
  }
  for (std::size_t k = 0; k < from.unit.size(); ++k)
    layer.array(Role::start).integers[k] =
        from.unit[k] == 0 ? 0
                          : std::int32_t(std::clamp(rounded(-from.zero[k] / from.unit[k]),
                                                    lowest_output, highest_output));
  work.add(real, std::move(layer), all.unit, all.zero);
}

void add_over_steps(QuantizeState& work, const Layer& real) {
  const Units16 from = numbers16_of(work, real);
  Layer layer = real;
  layer.format = work.format, layer.sources.clear();
  work.add(real, with_arrays(std::move(layer)), from.unit, from.zero);
}

void add_pool(QuantizeState& work, const Layer& real) {
  const Units16 from = numbers16_of(work, real);
  const SourceScale side{from.unit, from.zero, std::vector<double>(from.unit.size(), 1)};
  Layer layer = real;
  layer.format = work.format, layer.sources.clear();
  layer = with_arrays(std::move(layer));
  const auto rows = std::size_t(real.in / real.out), columns = std::size_t(real.out / real.parts);
  const bool norm = real.kind == SLUICE_NORM_POOL;
  // The root of a sum of squares is at most that of their number times the largest number.
  const int shift = norm ? int(std::ceil(std::log2(double(rows)) / 2)) : 0;
  layer.shift_ih = shift;
  Units16 units;
  for (int i = 0; i < real.out; ++i) {
    const std::size_t first = std::size_t(i) / columns * rows * columns + std::size_t(i) % columns;
    const std::optional<SourceScale> one = shared_scale(side, first, columns, rows);
    if (!one || (norm && one->zero_of(0) != 0))
      refuse(
          "{}: the numbers that it pools have scales of their own; put a dense layer in front of "
          "it, or leave out data.standardize",
          layer_name(work.real, real));
    units.unit.push_back(one->unit_of(0) * std::ldexp(1, shift));
    units.zero.push_back(one->zero_of(0));
  }
  work.add(real, std::move(layer), units.unit, units.zero);
}

std::vector<bool> shared_columns(const Network& real) {
  // For each source the column of the frame that each number is; -1: none.
  std::vector<std::vector<int>> carries(1, std::vector<int>(std::size_t(frame_width(real))));
  for (std::size_t k = 0; k < carries[0].size(); ++k) carries[0][k] = int(k);
  std::vector<bool> shared(carries[0].size());
  for (std::size_t l = 0; l < real.layers.size(); ++l) {
    const Layer& layer = real.layers[l];
    std::vector<int> own(std::size_t(layer.out), -1);
    const std::vector<std::uint32_t> sources = sources_of(real, l);
    const std::vector<int>& from = carries[sources[0]];
    if (layer.kind == SLUICE_SELECT) {
      const std::vector<std::int32_t>& columns = layer.array(Role::columns).integers;
      for (std::size_t i = 0; i < own.size(); ++i)
        if (columns[i] >= 0) own[i] = from[std::size_t(columns[i])];
    } else if (layer.kind == SLUICE_WINDOW) {
      for (std::size_t i = 0; i < own.size(); ++i) own[i] = from[i % from.size()];
    } else if (layer.kind == SLUICE_CONCAT) {
      own.clear();
      for (const std::uint32_t source : sources)
        own.insert(own.end(), carries[source].begin(), carries[source].end());
    } else if (layer.anatomy().once && !layer.anatomy().joins) {
      own = from;
    } else if (layer.parts > 0) {
      for (const int column : from)
        if (column >= 0) shared[std::size_t(column)] = true;
    }
    carries.push_back(std::move(own));
  }
  return shared;
}

Network without_curve_layers(Network network) {
  for (Layer& layer : network.layers) {
    if (layer.kind != SLUICE_CURVE) continue;
    Layer dense = layer;
    dense.kind = SLUICE_DENSE;
    dense = with_arrays(std::move(dense));
    std::vector<float>& weights = dense.array(Role::input_weight).values;
    for (int i = 0; i < layer.in; ++i) weights[std::size_t(i) * std::size_t(layer.in + 1)] = 1;
    if (layer.find(Role::slope)) dense.array(Role::slope).values = layer.array(Role::slope).values;
    layer = std::move(dense);
  }
  return network;
}

}  // namespace sluice::tools
