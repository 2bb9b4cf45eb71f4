// The units of an answer's numbers, and Dense in fixed point.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../model/graph.h"
#include "quantize_state.h"

namespace sluice::tools {

Units16 one_unit(double unit, std::size_t n) {
  return {std::vector<double>(n, unit), std::vector<double>(n)};
}

std::optional<Units16> answer_units(const QuantizeState& work, const Layer& layer) {
  const std::vector<std::uint32_t> answers = answers_of(work.real);
  const std::size_t index = work.index_of(layer);
  const auto at = std::find(answers.begin(), answers.end(), index + 1);
  if (at == answers.end() || work.ranges.outputs.low.empty()) return std::nullopt;
  const std::vector<std::uint32_t> readers = readers_of(work.real, std::uint32_t(index) + 1);
  const bool read = std::any_of(readers.begin(), readers.end(), [&](std::uint32_t reader) {
    return reader != work.real.layers.size();
  });
  const bool relu = layer.activation == SLUICE_RELU;
  if (read || (layer.activation != SLUICE_LINEAR && !relu)) return std::nullopt;
  std::size_t first = 0;
  for (auto before = answers.begin(); before != at; ++before)
    first += std::size_t(width_of(work.real, *before));
  Units16 units;
  for (std::size_t i = first; i < first + std::size_t(layer.out); ++i) {
    const double low = work.ranges.outputs.low[i], high = work.ranges.outputs.high[i];
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

void add_dense(QuantizeState& work, const Layer& real) {
  const bool answer = is_answer(work.real, work.index_of(real));
  const bool logits =
      answer && (real.activation == SLUICE_SIGMOID || real.activation == SLUICE_SOFTMAX);
  const bool curved =
      !logits && (real.activation == SLUICE_TANH || real.activation == SLUICE_SIGMOID);
  Layer layer = make_layer(SLUICE_DENSE, real.in, real.out, real.activation, false, work.format);
  const auto outputs = std::size_t(real.out);
  const std::optional<Units16> own = answer_units(work, real);
  const Units16 units = own ? *own : one_unit(unit_by_peak(work, real), outputs);
  const bool from_input = work.side_of(real).frame;
  Fixed fixed = over_input(work, real, real.array(Role::input_weight), real.find(Role::input_bias),
                           units.zero);
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
