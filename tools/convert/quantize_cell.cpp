// Cells in fixed point: the products over input and state, each whole or of low rank, and the
// numbers that are in no product.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "kernels/kernels.h"
#include "quantize.h"
#include "quantize_state.h"

namespace sluice::tools {
namespace {

constexpr double factor_headroom = 1.25;  // of a factor's product; int8 has no more to spare

/// Returns the moments of the inputs of a layer's product; null: unknown.
const Moments* values_entering(const QuantizeState& work, const Layer& layer) {
  return work.moments.empty() ? nullptr : &work.moments[work.index_of(layer)].input;
}

/// The least e for which units of 2^(e - 15) hold `largest`.
int shift_for(double largest) {
  int e = 0;
  while (e < 15 && largest > double(1 << e)) ++e;
  return e;
}

/// Returns the exponent of the unit of a state whose record has it; 0 for others.
int state_shift(const QuantizeState& work, const Layer& layer) {
  const bool other = layer.candidate != SLUICE_TANH;
  if (!layer.anatomy().shifted_state && !other) return 0;
  // A state that enters products in 8 bits has none to spare.
  const bool narrow = work.format == SLUICE_INT8 && layer.anatomy().states == 1;
  return shift_for((narrow ? 1 : headroom) * work.ranges.outputs.peak[work.index_of(layer)]);
}

/// Returns how many bits the unit of an LSTM's h is finer than that of its c, if the record has it;
/// 0 for others.
int lift_of_state(const QuantizeState& work, const Layer& layer) {
  if (layer.anatomy().states == 1 || layer.candidate == SLUICE_TANH) return 0;
  const std::vector<NumberRanges>& each = work.ranges.outputs.each;
  const std::size_t index = work.index_of(layer);
  if (index >= each.size() || each[index].low.empty()) return 0;
  const double peak = (work.format == SLUICE_INT8 ? 1 : headroom) * each[index].peak();
  return std::clamp(state_shift(work, layer) - shift_for(peak), 0, most_state_shift);
}

/// Return the unit of a cell's output, and of the inputs of its recurrent products.
double unit_of_state(const QuantizeState& work, const Layer& layer) {
  const bool squashed = layer.anatomy().states == 2 && layer.candidate == SLUICE_TANH;
  return squashed ? state_unit
                  : std::ldexp(state_unit, state_shift(work, layer) - lift_of_state(work, layer));
}

/// Returns the unit of a candidate that is not tanh: a GRU's h, an LSTM's c.
double unit_of_candidate(const QuantizeState& work, const Layer& layer) {
  return std::ldexp(state_unit, state_shift(work, layer));
}

/// Returns the units to which the multipliers of a cell's rows scale their sums: of a gate of a
/// hard sigmoid, its slope is a part of them; of a candidate that is not tanh, the state's unit.
std::vector<double> units_of_sums(const QuantizeState& work, const Layer& layer) {
  const Anatomy& anatomy = layer.anatomy();
  const int candidate = anatomy.gates == 1 ? 0 : anatomy.candidate;
  const double gate = layer.activation == SLUICE_HARD_SIGMOID ? state_unit / double(layer.parameter)
                                                              : gate_unit,
               own = layer.candidate == SLUICE_TANH ? gate_unit : unit_of_candidate(work, layer);
  std::vector<double> units;
  for (int i = 0; i < anatomy.gates; ++i)
    units.insert(units.end(), std::size_t(layer.out), i == candidate ? own : gate);
  return units;
}

/// Returns the inputs of a recurrent product: a state, or r * h.
Entering entering_state(const QuantizeState& work, const Layer& layer,
                        Moments LayerMoments::* which) {
  if (work.moments.empty()) return {work.largest(), {}};
  const Moments& moments = work.moments[work.index_of(layer)].*which;
  const std::size_t n = moments.mean.size();
  const double factor = 1 / (unit_of_state(work, layer) * work.narrowing());
  return {work.largest(),
          in_numbers(moments, std::vector<double>(n, factor), std::vector<double>(n))};
}

Fixed over_state(QuantizeState& work, const Layer& layer, const Array& w, std::vector<float> bias,
                 Moments LayerMoments::* which) {
  return over_numbers(
      work, layer, w, std::move(bias), entering_state(work, layer, which),
      std::vector<double>(std::size_t(w.cols), unit_of_state(work, layer) * work.narrowing()));
}

/// Returns mean and covariance of W v.
Moments through(const Array& w, const Moments& v) {
  const auto rows = std::size_t(w.rows), cols = std::size_t(w.cols);
  Moments m{std::vector<double>(rows), std::vector<double>(rows * rows)};
  std::vector<double> half(rows * cols);  // W C
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < cols; ++k) {
      const auto weight = double(w.values[i * cols + k]);
      m.mean[i] += weight * v.mean[k];
      for (std::size_t j = 0; j < cols; ++j)
        half[i * cols + j] += weight * v.covariance[k * cols + j];
    }
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < rows; ++j)
      for (std::size_t k = 0; k < cols; ++k)
        m.covariance[i * rows + j] += half[i * cols + k] * double(w.values[j * cols + k]);
  return m;
}

/// Returns the units of the int16 numbers of a factor's product, by calibration or by the bound
/// that the weights give.
/// @param most  [cols] largest magnitudes of the factor's inputs
std::vector<double> units_of_factor(const Array& factor, const std::vector<double>& peaks,
                                    const std::vector<double>& most) {
  std::vector<double> unit;
  double least = 1;  // above 0
  for (std::size_t row = 0; row < std::size_t(factor.rows); ++row) {
    double bound = 0;
    for (std::size_t k = 0; k < most.size(); ++k)
      bound += std::fabs(double(factor.values[row * most.size() + k])) * most[k];
    const bool known = !peaks.empty() && peaks[row] > 0;
    unit.push_back((known ? std::min(bound, factor_headroom * peaks[row]) : bound) /
                   highest_output);
    if (unit.back() > 0) least = std::min(least, unit.back());
  }
  // A product that is always 0 takes a unit of the others: another one would make the column of W1,
  // or the shift of R, coarse for all.
  for (double& u : unit) u = u > 0 ? u : least;
  return unit;
}

/// Returns the inputs of W1: the numbers of the factor's product, narrowed.
Entering entering_product(const QuantizeState& work, const Array& factor, const Moments* v,
                          const std::vector<double>& unit) {
  if (!v || v->mean.empty()) return {work.largest(), {}};
  std::vector<double> per_value;
  for (const double u : unit) per_value.push_back(1 / (u * work.narrowing()));
  return {work.largest(),
          in_numbers(through(factor, *v), per_value, std::vector<double>(unit.size()))};
}

std::vector<double> narrowed_units(const QuantizeState& work, std::vector<double> unit) {
  for (double& u : unit) u *= work.narrowing();
  return unit;
}

/// Returns a gate's bias in units of 2^-12. A gate saturates long before the number leaves its
/// range.
std::int32_t gate_bias(float bias) {
  constexpr double most = 1 << 27;
  return std::int32_t(std::clamp(rounded(double(bias) / gate_unit), -most, most));
}

/// Returns the sigmoid of a trained number, in units of 2^-15.
std::int32_t share_of(float number) {
  pick_kernels("scalar")->activate_f32(Activation::sigmoid, &number, 1, 1, 1);
  return std::int32_t(std::min(rounded(double(number) / state_unit), highest_output));
}

/// Copies the numbers of a cell that are not in its products.
void add_gate_numbers(const Layer& real, Layer& layer) {
  for (const Role role : {Role::gate_bias, Role::candidate_bias, Role::zeta, Role::nu}) {
    const Array* const from = real.find(role);
    if (!from) continue;
    const bool bias = role == Role::gate_bias || role == Role::candidate_bias;
    std::vector<std::int32_t>& to = layer.array(role).integers;
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = bias ? gate_bias(from->values[i]) : share_of(from->values[i]);
  }
}

/// Rounds the initial state: h in the unit of the cell's output, an LSTM's c in its own.
void add_initial_state(const QuantizeState& work, const Layer& real, Layer& layer) {
  for (const Role role : {Role::initial_h, Role::initial_c}) {
    const Array* const from = real.find(role);
    if (!from) continue;
    const double unit = role == Role::initial_h ? unit_of_state(work, real)
                                                : std::ldexp(state_unit, state_shift(work, real));
    std::vector<std::int32_t>& to = layer.array(role).integers;
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = std::int32_t(
          std::clamp(rounded(double(from->values[i]) / unit), lowest_output, highest_output));
  }
}

std::vector<float> values_of(const Array* array) {
  return array ? array->values : std::vector<float>();
}

const FactorPeaks& factor_peaks_of(const QuantizeState& work, const Layer& layer) {
  static const FactorPeaks none;
  return work.ranges.factors.empty() ? none : work.ranges.factors[work.index_of(layer)];
}

/// Stores a factor's integers; its rows scale their sums to `unit`. Returns the shift of R.
int store_factor(QuantizeState& work, const Layer& real, Layer& layer, Fixed fixed, Role weight,
                 Role bias, const std::vector<double>& unit) {
  if (!add_multipliers(fixed, unit))
    refuse(
        "{}: the weights of its factors of low rank are so large that an accumulator could "
        "overflow; train with a penalty on them (train.l2)",
        layer_name(work.real, real));
  layer.array(weight).integers = std::move(fixed.w);
  layer.array(bias).integers = std::move(fixed.bias);
  return fixed.shift;
}

/// Rounds the matrix over the inputs. For low rank this is W1, and its factor is stored in `layer`.
Fixed input_product(QuantizeState& work, const Layer& real, Layer& layer) {
  const Array& w = real.array(Role::input_weight);
  const Array* const factor = real.find(Role::input_factor);
  if (!factor) return over_input(work, real, w, real.find(Role::input_bias));
  const SourceScale& side = work.side_of(real);
  std::vector<double> most;
  for (std::size_t k = 0; k < side.unit.size(); ++k)
    most.push_back(std::fabs(side.unit_of(k)) * work.largest() + std::fabs(side.zero_of(k)));
  const std::vector<double> unit =
      units_of_factor(*factor, factor_peaks_of(work, real).input, most);
  layer.factor_shift_ih = store_factor(work, real, layer, over_input(work, real, *factor, nullptr),
                                       Role::input_factor, Role::input_factor_bias, unit);
  return over_numbers(work, real, w, values_of(real.find(Role::input_bias)),
                      entering_product(work, *factor, values_entering(work, real), unit),
                      narrowed_units(work, unit));
}

/// Does the same over the state, and over r * h, which shares the factor.
Fixed state_product(QuantizeState& work, const Layer& real, Layer& layer) {
  const Array& w = real.array(Role::state_weight);
  const Array* const candidate = real.find(Role::candidate_weight);
  const Array* const factor = real.find(Role::state_factor);
  const std::vector<float> bias = values_of(real.find(Role::state_bias));
  if (!factor) {
    Fixed hh = over_state(work, real, w, bias, &LayerMoments::state);
    if (!candidate) return hh;
    return joined(std::move(hh), over_state(work, real, *candidate, {}, &LayerMoments::reset));
  }
  const std::vector<double> most(std::size_t(factor->cols),
                                 unit_of_state(work, real) * -lowest_output),
      unit = units_of_factor(*factor, factor_peaks_of(work, real).state, most);
  layer.factor_shift_hh =
      store_factor(work, real, layer, over_state(work, real, *factor, {}, &LayerMoments::state),
                   Role::state_factor, Role::state_factor_bias, unit);
  const LayerMoments* const moments =
      work.moments.empty() ? nullptr : &work.moments[work.index_of(real)];
  Fixed hh =
      over_numbers(work, real, w, bias,
                   entering_product(work, *factor, moments ? &moments->state : nullptr, unit),
                   narrowed_units(work, unit));
  if (!candidate) return hh;
  return joined(
      std::move(hh),
      over_numbers(work, real, *candidate, {},
                   entering_product(work, *factor, moments ? &moments->reset : nullptr, unit),
                   narrowed_units(work, unit)));
}

}  // namespace

void add_cell(QuantizeState& work, const Layer& real) {
  Layer layer =
      make_layer(real.kind, real.in, real.out, SLUICE_LINEAR, real.every_step, work.format);
  layer.rank = real.rank;
  layer.activation = real.activation, layer.parameter = real.parameter;
  layer.candidate = real.candidate;
  layer.initial_state = real.initial_state;
  layer = with_arrays(std::move(layer));
  const std::vector<double> units = units_of_sums(work, real);
  const bool from_input = work.side_of(real).frame;
  Fixed ih = input_product(work, real, layer), hh = state_product(work, real, layer);
  scale_sums(work, real, ih, units, from_input && !real.find(Role::input_factor));
  scale_sums(work, real, hh, units, false);
  const Array* const candidate = real.find(Role::candidate_weight);
  layer.shift_ih = ih.shift, layer.shift_hh = hh.shift;
  layer.shift_c = state_shift(work, real), layer.shift_h = lift_of_state(work, real);
  add_gate_numbers(real, layer);
  add_initial_state(work, real, layer);
  layer.array(Role::input_weight).integers = std::move(ih.w);
  std::vector<std::int32_t>& state_weight = layer.array(Role::state_weight).integers;
  const auto rest = hh.w.begin() + std::ptrdiff_t(state_weight.size());
  state_weight.assign(hh.w.begin(), rest);
  if (candidate) layer.array(Role::candidate_weight).integers.assign(rest, hh.w.end());
  layer.array(Role::input_bias).integers = std::move(ih.bias),
  layer.array(Role::state_bias).integers = std::move(hh.bias);
  work.add(real, std::move(layer), unit_of_state(work, real));
}

}  // namespace sluice::tools
