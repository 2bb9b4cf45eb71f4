// The units of an answer's numbers, and Dense in fixed point.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../model/graph.h"
#include "quantize.h"
#include "quantize_state.h"

namespace sluice::tools {

Units16 one_unit(double unit, std::size_t n) {
  return {std::vector<double>(n, unit), std::vector<double>(n)};
}

namespace {

/// Returns the ranges of a layer's outputs if these are numbers of the answer that nothing else
/// reads; else nothing.
std::optional<NumberRanges> ranges_of_answer(const QuantizeState& work, std::size_t index) {
  const std::vector<std::uint32_t> answers = answers_of(work.real);
  const auto at = std::find(answers.begin(), answers.end(), index + 1);
  const NumberRanges& all = work.ranges.outputs.answer;
  if (at == answers.end() || all.low.empty()) return std::nullopt;
  const std::vector<std::uint32_t> readers = readers_of(work.real, std::uint32_t(index) + 1);
  if (std::any_of(readers.begin(), readers.end(),
                  [&](std::uint32_t reader) { return reader != work.real.layers.size(); }))
    return std::nullopt;
  std::size_t first = 0;
  for (auto before = answers.begin(); before != at; ++before)
    first += std::size_t(width_of(work.real, *before));
  const auto part = [&](const std::vector<double>& numbers) {
    const auto begin = numbers.begin() + std::ptrdiff_t(first);
    return std::vector<double>(begin, begin + work.real.layers[index].out);
  };
  return NumberRanges{part(all.low), part(all.high)};
}

/// Returns the ranges of a layer's outputs if only layers that add or multiply read them: these
/// take each number in a unit of its own. Else returns nothing.
std::optional<NumberRanges> ranges_of_terms(const QuantizeState& work, std::size_t index) {
  const std::vector<NumberRanges>& each = work.ranges.outputs.each;
  if (each.empty() || each[index].low.empty() || is_answer(work.real, index)) return std::nullopt;
  for (const std::uint32_t reader : readers_of(work.real, std::uint32_t(index) + 1)) {
    const sluice_layer_kind kind = work.real.layers[reader - 1].kind;
    if (kind != SLUICE_ADD && kind != SLUICE_MULTIPLY) return std::nullopt;
  }
  return each[index];
}

}  // namespace

std::optional<Units16> own_units(const QuantizeState& work, const Layer& layer) {
  const bool relu = layer.activation == SLUICE_RELU;
  if (layer.activation != SLUICE_LINEAR && !relu) return std::nullopt;
  const std::size_t index = work.index_of(layer);
  std::optional<NumberRanges> ranges = ranges_of_answer(work, index);
  if (!ranges) ranges = ranges_of_terms(work, index);
  if (!ranges) return std::nullopt;
  Units16 units;
  for (std::size_t i = 0; i < ranges->low.size(); ++i) {
    const double low = ranges->low[i], high = ranges->high[i];
    const double middle = relu ? 0 : low / 2 + high / 2;
    // Floats near the middle are no finer than this. A number that never changes has no range.
    const double finest = std::fabs(middle) / 16777216;
    double reach = std::max(relu ? high : high - middle, finest);
    if (reach <= 0) reach = 1;
    units.unit.push_back(static_cast<float>(headroom * reach / highest_output));
    units.zero.push_back(static_cast<float>(middle));
  }
  return units;
}

double unit_by_peak(const QuantizeState& work, const Layer& layer) {
  const double known = work.ranges.outputs.peak[work.index_of(layer)], peak = known > 0 ? known : 1;
  return static_cast<float>((is_answer(work.real, work.index_of(layer)) ? headroom : 1) * peak /
                            highest_output);
}

namespace {

/// A Dense whose curve is the saturation of its int16 numbers.
void add_saturating(QuantizeState& work, const Layer& real, const SaturatingForm& form) {
  Layer layer = make_layer(SLUICE_DENSE, real.in, real.out, form.activation, false, work.format);
  const auto outputs = std::size_t(real.out);
  Fixed fixed = over_input(work, real, real.array(Role::input_weight), real.find(Role::input_bias),
                           std::vector<double>(outputs, -form.offset / form.factor));
  scale_sums(work, real, fixed, std::vector<double>(outputs, form.unit / form.factor),
             work.side_of(real).frame);
  layer.shift_ih = fixed.shift;
  layer.array(Role::input_weight).integers = std::move(fixed.w);
  layer.array(Role::input_bias).integers = std::move(fixed.bias);
  work.add(real, std::move(layer), form.unit);
}

}  // namespace

void add_dense(QuantizeState& work, const Layer& real) {
  if (const std::optional<SaturatingForm> form = saturating_form(real))
    return add_saturating(work, real, *form);
  const bool answer = is_answer(work.real, work.index_of(real));
  const bool logits =
      answer && (real.activation == SLUICE_SIGMOID || real.activation == SLUICE_SOFTMAX);
  const bool curved =
      !logits && (real.activation == SLUICE_TANH || real.activation == SLUICE_SIGMOID);
  Layer layer = make_layer(SLUICE_DENSE, real.in, real.out, real.activation, false, work.format);
  const auto outputs = std::size_t(real.out);
  const std::optional<Units16> own = own_units(work, real);
  Units16 units = own ? *own : one_unit(unit_by_peak(work, real), outputs);
  const bool from_input = work.side_of(real).frame;
  Fixed fixed = over_input(work, real, real.array(Role::input_weight), real.find(Role::input_bias),
                           units.zero);
  // An output that hardly changes in the calibration data may have a range so small beside its
  // weights that no multiplier leads to it. Its unit is coarser then.
  for (std::size_t i = 0; own && i < outputs; ++i)
    units.unit[i] = std::max(
        units.unit[i], double(static_cast<float>(1.000001 * fixed.unit[i] / largest_scale(fixed))));
  scale_sums(work, real, fixed, curved ? std::vector<double>(outputs, gate_unit) : units.unit,
             from_input);
  layer.shift_ih = fixed.shift;
  layer.array(Role::input_weight).integers = std::move(fixed.w);
  layer.array(Role::input_bias).integers = std::move(fixed.bias);
  if (curved)
    work.add(real, std::move(layer), state_unit);
  else
    work.add(real, std::move(layer), units.unit, units.zero);
}

}  // namespace sluice::tools
