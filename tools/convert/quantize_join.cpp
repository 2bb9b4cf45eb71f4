// Layers without weights in fixed point: difference, select, concat, add and multiply.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../model/graph.h"
#include "quantize_state.h"

namespace sluice::tools {
namespace {

/// Returns the units of a source's int16 numbers: value = unit * number + zero.
Units16 in_numbers16(const QuantizeState& work, std::uint32_t source) {
  const SourceScale& side = work.sides[source];
  Units16 units;
  for (std::size_t k = 0; k < side.unit.size(); ++k)
    units.unit.push_back(side.unit_of(k) / work.narrowing()), units.zero.push_back(side.zero_of(k));
  return units;
}

}  // namespace

Units16 numbers16_of(const QuantizeState& work, const Layer& layer) {
  return in_numbers16(work, sources_of(work.real, work.index_of(layer))[0]);
}

namespace {

std::vector<Units16> units_of_sources(const QuantizeState& work, const Layer& layer) {
  std::vector<Units16> units;
  for (const std::uint32_t source : sources_of(work.real, work.index_of(layer)))
    units.push_back(in_numbers16(work, source));
  return units;
}

/// Returns a layer that joins or selects, in fixed point; QuantizeState::add sets its sources.
Layer fixed_join(const QuantizeState& work, const Layer& real) {
  Layer layer = real;
  layer.format = work.format;
  // determines the number of multipliers
  layer.sources = sources_of(work.real, work.index_of(real));
  return with_arrays(layer);
}

std::int32_t multiplier_of(double ratio) {
  return std::int32_t(std::clamp(rounded(ratio), -2147483647.0, 2147483647.0));
}
// of R(x - x', 14, m), R(x, 15, m) and R(x * x, 0, m) to m
constexpr double difference_ratio = 262144, sum_ratio = 131072, product_ratio = 4294967296.0;

/// Returns the units of a layer that adds or multiplies: of an answer and of a term each number's
/// own (own_units), else one for all; not finer than each number's `least`.
Units16 units_of_join(const QuantizeState& work, const Layer& real,
                      const std::vector<double>& least) {
  if (std::optional<Units16> own = own_units(work, real)) {
    for (std::size_t k = 0; k < least.size(); ++k)
      own->unit[k] = static_cast<float>(std::max(own->unit[k], least[k]));
    return *own;
  }
  double unit = unit_by_peak(work, real);
  for (const double one : least) unit = std::max(unit, one);
  return one_unit(unit, least.size());
}

/// Returns the start of a sum: the values of the sources at 0, less the zero point, in its unit.
std::int32_t start_of(double value, const Units16& units, std::size_t k) {
  return std::int32_t(std::clamp(rounded((value - units.zero[k]) / units.unit[k]), -1e9, 1e9));
}

/// Returns the unit of a feature's difference by its calibrated range. Its step may be at most 2^13
/// of the frame's, the largest ratio that a multiplier expresses.
double unit_of_difference(const QuantizeState& work, std::size_t k, double unit_of_frame) {
  const double room = work.format == SLUICE_INT8 ? 1 : headroom;  // 8 bits have none to spare
  return std::max(room * work.ranges.difference[k] / highest_output, unit_of_frame / 8192);
}

}  // namespace

/// Adds a difference of the frame. A feature that does not change from step to step in the
/// calibration data has unit 0, and so no weight.
void add_difference(QuantizeState& work, const Layer& real) {
  const Units16 frame = units_of_sources(work, real)[0];
  Layer layer = fixed_join(work, real);
  layer.sources.clear();
  std::vector<double> unit;
  for (std::size_t k = 0; k < frame.unit.size(); ++k) {
    const bool changes = frame.unit[k] > 0 && work.ranges.difference[k] > 0;
    unit.push_back(changes ? unit_of_difference(work, k, frame.unit[k]) : 0);
    layer.array(Role::part_multiplier).integers[k] =
        changes ? multiplier_of(frame.unit[k] / unit[k] * difference_ratio) : 0;
    if (!changes && frame.unit[k] > 0)
      work.result.warnings.push_back(
          fmt::format("{}: does not change from step to step in the calibration data, so its "
                      "differences will be taken for 0",
                      input_name(work.real, k)));
  }
  work.add(real, std::move(layer), unit, std::vector<double>(unit.size()));
}

/// Adds a concat; numbers keep their units.
void add_concat(QuantizeState& work, const Layer& real) {
  Units16 all;
  for (const Units16& units : units_of_sources(work, real)) {
    all.unit.insert(all.unit.end(), units.unit.begin(), units.unit.end());
    all.zero.insert(all.zero.end(), units.zero.begin(), units.zero.end());
  }
  work.add(real, fixed_join(work, real), all.unit, all.zero);
}

void add_select(QuantizeState& work, const Layer& real) {
  const Units16 from = units_of_sources(work, real)[0];
  Layer layer = fixed_join(work, real);
  layer.sources.clear();
  layer.arrays = real.arrays;
  Units16 all;
  for (const std::int32_t column : real.array(Role::columns).integers)
    all.unit.push_back(column < 0 ? 0 : from.unit[std::size_t(column)]),
        all.zero.push_back(column < 0 ? 0 : from.zero[std::size_t(column)]);
  work.add(real, std::move(layer), all.unit, all.zero);
}

/// Adds a sum. With the coarsest unit that it needs, the step of a source is at most 2^13 of its
/// own, which leaves room for the multipliers.
void add_sum(QuantizeState& work, const Layer& real) {
  const std::vector<Units16> sources = units_of_sources(work, real);
  const auto n = std::size_t(real.out);
  std::vector<double> least(n);
  for (const Units16& source : sources)
    for (std::size_t k = 0; k < n; ++k) least[k] = std::max(least[k], source.unit[k] / 8192);
  const Units16 units = units_of_join(work, real, least);
  Layer layer = fixed_join(work, real);
  std::vector<double> zero(n);
  for (std::size_t p = 0; p < sources.size(); ++p)
    for (std::size_t k = 0; k < n; ++k) {
      layer.array(Role::part_multiplier).integers[p * n + k] =
          multiplier_of(sources[p].unit[k] / units.unit[k] * sum_ratio);
      zero[k] += sources[p].zero[k];
    }
  for (std::size_t k = 0; k < n; ++k)
    layer.array(Role::part_bias).integers[k] = start_of(zero[k], units, k);
  work.add(real, std::move(layer), units.unit, units.zero);
}

void add_product(QuantizeState& work, const Layer& real) {
  const std::vector<Units16> sources = units_of_sources(work, real);
  const auto n = std::size_t(real.out);
  const Units16 &a = sources[0], &b = sources[1];
  std::vector<double> least(n);
  for (std::size_t k = 0; k < n; ++k)
    least[k] = std::max({2.1 * a.unit[k] * b.unit[k], std::fabs(a.unit[k] * b.zero[k]) / 8192,
                         std::fabs(b.unit[k] * a.zero[k]) / 8192});
  const Units16 units = units_of_join(work, real, least);
  Layer layer = fixed_join(work, real);
  std::vector<std::int32_t>& m = layer.array(Role::part_multiplier).integers;
  for (std::size_t k = 0; k < n; ++k) {
    const double unit = units.unit[k];
    m[k] = multiplier_of(a.unit[k] * b.unit[k] / unit * product_ratio);
    m[n + k] = multiplier_of(a.unit[k] * b.zero[k] / unit * sum_ratio);
    m[2 * n + k] = multiplier_of(b.unit[k] * a.zero[k] / unit * sum_ratio);
    layer.array(Role::part_bias).integers[k] = start_of(a.zero[k] * b.zero[k], units, k);
  }
  work.add(real, std::move(layer), units.unit, units.zero);
}

}  // namespace sluice::tools
