#include "quantize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "../common/error.h"
#include "../model/graph.h"
#include "fixed_matrix.h"
#include "kernels/kernels.h"
#include "numbers.h"

namespace sluice::tools {
namespace {

/// The unit of a feature of an embedding, relative to that feature's largest magnitude.
constexpr double id_unit = 1 / (most_weight * narrowing_of(SLUICE_INT8));
// Ratio of the range of answers, and of a state whose unit is in the record, to calibration's;
// int16 has room for it.
constexpr double headroom = 2;

constexpr double factor_headroom = 1.25;  // of a factor's product; int8 has no more to spare

/// Returns how frames become integers. A constant feature has inverse 0, its value as offset, and
/// no weight.
Scales input_scales(const Network& real, sluice_format format, const Ranges& ranges,
                    std::vector<std::string>& warnings) {
  const double lowest = lowest_input(format), highest = highest_input(format);
  Scales scales;
  for (std::size_t i = 0; i < ranges.low.size(); ++i) {
    // 16 bits have resolution to spare: the range is extended by half at either end, so that new
    // data rarely saturates.
    const double margin =
        format == SLUICE_INT8 ? 0 : (double(ranges.high[i]) - double(ranges.low[i])) / 2;
    const double low = double(ranges.low[i]) - margin, high = double(ranges.high[i]) + margin;
    const bool changes = low < high && (highest - lowest) / (high - low) < 1e30;
    const auto inverse = static_cast<float>(changes ? (highest - lowest) / (high - low) : 0);
    scales.inverse.push_back(inverse);
    scales.offset.push_back(changes ? static_cast<float>(lowest - low * double(inverse))
                                    : ranges.low[i]);
    if (!changes)
      warnings.push_back(fmt::format(
          "{}: is {} in all calibration data, and will be taken for that whatever it is",
          i < real.inputs.size() ? real.inputs[i] : fmt::format("x{}", i), ranges.low[i]));
  }
  return scales;
}

/// Returns moments of values as moments of integers: number = value * factor + offset.
Moments in_numbers(Moments m, const std::vector<double>& factor,
                   const std::vector<double>& offset) {
  const std::size_t n = m.mean.size();
  for (std::size_t i = 0; i < n; ++i) {
    m.mean[i] = m.mean[i] * factor[i] + offset[i];
    for (std::size_t j = 0; j < n; ++j) m.covariance[i * n + j] *= factor[i] * factor[j];
  }
  return m;
}

/// How the integers of a source enter a product: value = (unit * v + shift) * scale, with v a
/// frame's number, or an output's after narrowing. The scale and a part of the shift come from a
/// folded standardization.
struct SourceScale {
  std::vector<double> unit, shift, scale;
  bool frame = false;  ///< the model's input, standardized or not

  double unit_of(std::size_t k) const { return unit[k] * scale[k]; }
  double zero_of(std::size_t k) const { return shift[k] * scale[k]; }
};

/// A quantization in progress, layer by layer.
struct QuantizeState {
  const Network& real;
  sluice_format format;
  const Ranges& ranges;
  const std::vector<LayerMoments>& moments;
  std::vector<SourceScale> sides{};  ///< of the frame, then of each layer of `real`
  /// The source in the fixed-point network: 0 for the frame, else a layer counted from 1.
  std::vector<std::uint32_t> fixed_of{};
  Quantized result{};

  /// Return the largest magnitude of a product's inputs, and the ratio of an int16 number to its
  /// value as an input.
  double largest() const { return -lowest_input(format); }
  double narrowing() const { return narrowing_of(format); }

  const SourceScale& side_of(const Layer& layer) const;

  /// Adds a layer whose outputs have these units.
  void add(const Layer& of, Layer layer, const std::vector<double>& unit,
           const std::vector<double>& zero);
  void add(const Layer& of, Layer layer, double unit) {
    const auto n = std::size_t(layer.out);
    add(of, std::move(layer), std::vector<double>(n, unit), std::vector<double>(n));
  }
};

std::size_t index_of(const QuantizeState& work, const Layer& layer) {
  return std::size_t(&layer - work.real.layers.data());
}

const SourceScale& QuantizeState::side_of(const Layer& layer) const {
  return sides[sources_of(real, index_of(*this, layer))[0]];
}

void QuantizeState::add(const Layer& of, Layer layer, const std::vector<double>& unit,
                        const std::vector<double>& zero) {
  layer.name = of.name;
  const std::vector<std::uint32_t> sources = sources_of(real, index_of(*this, of));
  std::vector<std::uint32_t> fixed;
  for (const std::uint32_t source : sources) fixed.push_back(fixed_of[source]);
  const auto before = std::uint32_t(result.network.layers.size());
  if (fixed != std::vector<std::uint32_t>{before}) layer.sources = fixed;
  result.network.layers.push_back(std::move(layer));
  result.units.push_back({unit, zero});
  result.real_of.push_back(index_of(*this, of));
  SourceScale side{unit, zero, std::vector<double>(unit.size(), 1)};
  for (double& u : side.unit) u *= narrowing();
  sides.push_back(std::move(side));
  fixed_of.push_back(before + 1);
}

/// Returns one unit for n numbers, without a zero point.
Units16 one_unit(double unit, std::size_t n) {
  return {std::vector<double>(n, unit), std::vector<double>(n)};
}

/// Returns the integers of the frame. A constant feature has unit 0.
SourceScale frame_side(const Scales& scales, const Ranges& ranges) {
  SourceScale side{{}, {}, std::vector<double>(scales.inverse.size(), 1), true};
  for (std::size_t k = 0; k < scales.inverse.size(); ++k) {
    const double inverse = double(scales.inverse[k]), unit = inverse == 0 ? 0 : 1 / inverse;
    side.unit.push_back(unit);
    side.shift.push_back(inverse == 0 ? double(ranges.low[k]) : -double(scales.offset[k]) * unit);
  }
  return side;
}

/// Makes a standardization of the frame a part of its integers' scales.
void fold_standardization(QuantizeState& work, const Layer& layer) {
  SourceScale side = work.side_of(layer);
  for (std::size_t k = 0; k < side.unit.size(); ++k) {
    side.shift[k] -= double(layer.array(Role::mean).values[k]);
    side.scale[k] = double(layer.array(Role::scale).values[k]);
  }
  work.fixed_of.push_back(work.fixed_of[sources_of(work.real, index_of(work, layer))[0]]);
  work.sides.push_back(std::move(side));
}

/// Returns the inputs of a layer's product.
Entering entering_of(const QuantizeState& work, const Layer& layer) {
  if (work.moments.empty()) return {work.largest(), {}};
  const SourceScale& side = work.side_of(layer);
  if (side.frame) {  // the frame's moments are those before a standardization
    const Scales& scales = work.result.network.scales;
    return {work.largest(),
            in_numbers(work.moments[0].input, {scales.inverse.begin(), scales.inverse.end()},
                       {scales.offset.begin(), scales.offset.end()})};
  }
  std::vector<double> factor(side.unit.size()), offset(side.unit.size());
  for (std::size_t k = 0; k < factor.size(); ++k) {
    factor[k] = side.unit_of(k) == 0 ? 0 : 1 / side.unit_of(k);
    offset[k] = -side.zero_of(k) * factor[k];
  }
  return {work.largest(), in_numbers(work.moments[index_of(work, layer)].input, factor, offset)};
}

/// Returns the moments of the inputs of a layer's product; null: unknown.
const Moments* values_entering(const QuantizeState& work, const Layer& layer) {
  return work.moments.empty() ? nullptr : &work.moments[index_of(work, layer)].input;
}

/// The least e for which units of 2^(e - 15) hold `largest`.
int shift_for(double largest) {
  int e = 0;
  while (e < 15 && largest > double(1 << e)) ++e;
  return e;
}

/// Returns the exponent of the unit of a state whose record has it; 0 for others.
int state_shift(const QuantizeState& work, const Layer& layer) {
  if (!layer.anatomy().shifted_state) return 0;
  // A state that enters products in 8 bits has none to spare.
  const bool narrow = work.format == SLUICE_INT8 && layer.anatomy().states == 1;
  return shift_for((narrow ? 1 : headroom) * work.ranges.outputs.peak[index_of(work, layer)]);
}

/// Return the unit of a cell's output, and of the inputs of its recurrent products.
double unit_of_state(const QuantizeState& work, const Layer& layer) {
  return layer.anatomy().states == 1 ? std::ldexp(state_unit, state_shift(work, layer))
                                     : state_unit;
}

/// Returns the inputs of a recurrent product: a state, or r * h.
Entering entering_state(const QuantizeState& work, const Layer& layer,
                        Moments LayerMoments::* which) {
  if (work.moments.empty()) return {work.largest(), {}};
  const Moments& moments = work.moments[index_of(work, layer)].*which;
  const std::size_t n = moments.mean.size();
  const double factor = 1 / (unit_of_state(work, layer) * work.narrowing());
  return {work.largest(),
          in_numbers(moments, std::vector<double>(n, factor), std::vector<double>(n))};
}

/// Returns a layer's matrix in integers, and stores the weights that these stand for. The weight of
/// a constant feature is not used and stays.
/// @param unit  [cols] value of one step of each column's feature
Fixed round_weights(QuantizeState& work, const Layer& layer, const Array& w, const Affine& affine,
                    const Entering& entering, const std::vector<double>& unit) {
  Fixed fixed = round_matrix(affine, entering);
  Layer& seen_layer = work.result.seen.layers[index_of(work, layer)];
  std::vector<float>& seen = seen_layer.arrays[std::size_t(&w - layer.arrays.data())].values;
  if (affine.cols == 0) return fixed;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const double column = unit[i % affine.cols];
    if (column != 0) seen[i] = float(fixed.w[i] * fixed.unit[i / affine.cols] / column);
  }
  if (fixed.coarsened)
    work.result.warnings.push_back(
        fmt::format("{}: {} of {} rows of {} made coarser, so that no accumulator can overflow",
                    layer_name(work.real, layer), fixed.coarsened, affine.rows, w.name));
  return fixed;
}

Affine affine_of(const Array& w, const std::vector<float>& bias) {
  return {std::size_t(w.gates) * std::size_t(w.rows),
          std::size_t(w.cols),
          {w.values.begin(), w.values.end()},
          {bias.begin(), bias.end()}};
}

/// Rounds the columns in steps of the inputs; the inputs' value at 0 goes into the bias.
/// @param bias  null: zeros
/// @param zero  [rows] zero points of the outputs, which the bias leaves out; empty: 0
Fixed over_input(QuantizeState& work, const Layer& layer, const Array& w, const Array* bias,
                 const std::vector<double>& zero = {}) {
  const SourceScale& side = work.side_of(layer);
  Affine a = affine_of(
      w, bias ? bias->values : std::vector<float>(std::size_t(w.gates) * std::size_t(w.rows)));
  for (std::size_t r = 0; r < zero.size(); ++r) a.bias[r] -= zero[r];
  for (std::size_t r = 0; r < a.rows; ++r)
    for (std::size_t k = 0; k < a.cols; ++k) {
      double& weight = a.w[r * a.cols + k];
      weight *= side.scale[k];
      a.bias[r] += weight * side.shift[k];
      weight *= side.unit[k];
    }
  std::vector<double> unit(a.cols);
  for (std::size_t k = 0; k < a.cols; ++k) unit[k] = side.unit_of(k);
  return round_weights(work, layer, w, a, entering_of(work, layer), unit);
}

/// Rounds a matrix over numbers without an offset.
/// @param bias  empty: zeros
/// @param unit  [cols] value of one step of each number in the product
Fixed over_numbers(QuantizeState& work, const Layer& layer, const Array& w, std::vector<float> bias,
                   const Entering& entering, const std::vector<double>& unit) {
  bias.resize(std::size_t(w.gates) * std::size_t(w.rows));
  Affine a = affine_of(w, bias);
  for (std::size_t i = 0; i < a.w.size(); ++i) a.w[i] *= unit[i % a.cols];
  return round_weights(work, layer, w, a, entering, unit);
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

/// Refuses a network that no training can produce: one feature's steps are so coarse that its
/// column alone is too large.
[[noreturn]] void refuse_range(const QuantizeState& work, const Fixed& fixed,
                               const std::string& name) {
  std::size_t widest = 0;
  const auto value = [&](std::size_t i) {
    return std::abs(fixed.w[i]) * fixed.unit[i / fixed.cols];
  };
  for (std::size_t i = 0; i < fixed.w.size(); ++i)
    if (value(i) > value(widest)) widest = i;
  const std::size_t k = widest % fixed.cols;
  refuse(
      "{}: an accumulator could overflow, for {} goes from {} to {} in the calibration data; look "
      "there for an outlier, or "
      "choose ranges by percentile",
      name, k < work.real.inputs.size() ? work.real.inputs[k] : fmt::format("x{}", k),
      work.ranges.low[k], work.ranges.high[k]);
}

void finish(const QuantizeState& work, const Layer& layer, Fixed& fixed,
            const std::vector<double>& target, bool from_input) {
  if (add_multipliers(fixed, target)) return;
  const std::string name = layer_name(work.real, layer);
  if (from_input) refuse_range(work, fixed, name);
  refuse(
      "{}: its weights are so large that an accumulator could overflow; train with a penalty on "
      "them (train.l2)",
      name);
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

std::vector<float> values_of(const Array* array) {
  return array ? array->values : std::vector<float>();
}

const FactorPeaks& factor_peaks_of(const QuantizeState& work, const Layer& layer) {
  static const FactorPeaks none;
  return work.ranges.factors.empty() ? none : work.ranges.factors[index_of(work, layer)];
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
      work.moments.empty() ? nullptr : &work.moments[index_of(work, real)];
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

void add_cell(QuantizeState& work, const Layer& real) {
  Layer layer =
      make_layer(real.kind, real.in, real.out, SLUICE_LINEAR, real.every_step, work.format);
  layer.rank = real.rank;
  layer = with_arrays(std::move(layer));
  const bool from_input = work.side_of(real).frame;
  Fixed ih = input_product(work, real, layer), hh = state_product(work, real, layer);
  finish(work, real, ih, std::vector<double>(ih.rows(), gate_unit),
         from_input && !real.find(Role::input_factor));
  finish(work, real, hh, std::vector<double>(hh.rows(), gate_unit), false);
  const Array* const candidate = real.find(Role::candidate_weight);
  layer.shift_ih = ih.shift, layer.shift_hh = hh.shift;
  layer.shift_c = state_shift(work, real);
  add_gate_numbers(real, layer);
  layer.array(Role::input_weight).integers = std::move(ih.w);
  std::vector<std::int32_t>& state_weight = layer.array(Role::state_weight).integers;
  const auto rest = hh.w.begin() + std::ptrdiff_t(state_weight.size());
  state_weight.assign(hh.w.begin(), rest);
  if (candidate) layer.array(Role::candidate_weight).integers.assign(rest, hh.w.end());
  layer.array(Role::input_bias).integers = std::move(ih.bias),
  layer.array(Role::state_bias).integers = std::move(hh.bias);
  work.add(real, std::move(layer), unit_of_state(work, real));
}

/// Returns whether the output of a layer is a part of the answer.
bool is_answer(const QuantizeState& work, const Layer& layer) {
  const std::vector<std::uint32_t> answers = answers_of(work.real);
  return &layer == &work.real.layers.back() ||
         std::count(answers.begin(), answers.end(), index_of(work, layer) + 1) > 0;
}

/// Returns the units of the answer's numbers that a layer computes, as float. Each number gets its
/// own unit and zero point, by its calibrated range with headroom, so that targets far from 0, and
/// of very different magnitudes, keep their precision. Returns nothing if the layer's numbers must
/// share a unit without a zero point: classes are compared with one another, ReLU's zero is the
/// number 0, and another layer may read the numbers.
std::optional<Units16> answer_units(const QuantizeState& work, const Layer& layer) {
  const std::vector<std::uint32_t> answers = answers_of(work.real);
  const std::size_t index = index_of(work, layer);
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

/// Returns the unit of a layer by its calibrated peak, as float; an answer has headroom. If all
/// outputs were 0 in the calibration data, 1 stands for the peak: units of next to nothing would
/// leave no multiplier for the sums.
double unit_by_peak(const QuantizeState& work, const Layer& layer) {
  const double known = work.ranges.outputs.peak[index_of(work, layer)],
               peak = known > 0 ? known : 1;
  return static_cast<float>((is_answer(work, layer) ? headroom : 1) * peak / highest_output);
}

void add_dense(QuantizeState& work, const Layer& real) {
  const bool answer = is_answer(work, real);
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
  finish(work, real, fixed, curved ? std::vector<double>(outputs, gate_unit) : units.unit,
         from_input);
  layer.shift_ih = fixed.shift;
  layer.array(Role::input_weight).integers = std::move(fixed.w);
  layer.array(Role::input_bias).integers = std::move(fixed.bias);
  if (curved)
    work.add(real, std::move(layer), state_unit);
  else
    work.add(real, std::move(layer), units.unit, units.zero);
}

/// Quantizes each feature in units of its own largest magnitude, which go into the next layer's
/// columns; if the embedding is the network's answer, in one unit.
void add_embedding(QuantizeState& work, const Layer& real) {
  Layer layer = make_layer(SLUICE_EMBEDDING, real.in, real.out, SLUICE_LINEAR, false, work.format);
  const std::vector<float>& w = real.array(Role::vectors).values;
  const auto ids = std::size_t(real.in);
  std::vector<double> peak(std::size_t(real.out));
  for (std::size_t i = 0; i < w.size(); ++i)
    peak[i / ids] = std::max(peak[i / ids], std::fabs(double(w[i])));
  if (&real == &work.real.layers.back())
    peak.assign(peak.size(), *std::max_element(peak.begin(), peak.end()));
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double p = peak[i / ids];
    const double weight = p == 0 ? 0
                                 : std::clamp(rounded(double(w[i]) / p * most_weight),
                                              -double(most_weight), double(most_weight));
    layer.array(Role::vectors).integers[i] = std::int32_t(weight);
    work.result.seen.layers[index_of(work, real)].array(Role::vectors).values[i] =
        float(weight / most_weight * p);
  }
  std::vector<double> unit;
  for (const double p : peak) unit.push_back(id_unit * p);
  work.add(real, std::move(layer), unit, std::vector<double>(unit.size()));
}

/// Returns the units of a source's int16 numbers: value = unit * number + zero.
Units16 in_numbers16(const QuantizeState& work, std::uint32_t source) {
  const SourceScale& side = work.sides[source];
  Units16 units;
  for (std::size_t k = 0; k < side.unit.size(); ++k)
    units.unit.push_back(side.unit_of(k) / work.narrowing()), units.zero.push_back(side.zero_of(k));
  return units;
}

std::vector<Units16> units_of_sources(const QuantizeState& work, const Layer& layer) {
  std::vector<Units16> units;
  for (const std::uint32_t source : sources_of(work.real, index_of(work, layer)))
    units.push_back(in_numbers16(work, source));
  return units;
}

/// Returns a layer that joins or selects, in fixed point; Work::add sets its sources.
Layer fixed_join(const QuantizeState& work, const Layer& real) {
  Layer layer = real;
  layer.format = work.format;
  // determines the number of multipliers
  layer.sources = sources_of(work.real, index_of(work, real));
  return with_arrays(layer);
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
    all.unit.push_back(from.unit[std::size_t(column)]),
        all.zero.push_back(from.zero[std::size_t(column)]);
  work.add(real, std::move(layer), all.unit, all.zero);
}

std::int32_t multiplier_of(double ratio) {
  return std::int32_t(std::clamp(rounded(ratio), -2147483647.0, 2147483647.0));
}
constexpr double sum_ratio = 131072,
                 product_ratio = 4294967296.0;  // of R(x, 15, m) and R(x * x, 0, m) to m

/// Returns the units of a layer that adds or multiplies: of an answer each number's own, else one,
/// which is not finer than each number's `least`.
Units16 units_of_join(const QuantizeState& work, const Layer& real,
                      const std::vector<double>& least) {
  if (std::optional<Units16> own = answer_units(work, real)) {
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

void add_layer(QuantizeState& work, const Layer& layer) {
  if (layer.kind == SLUICE_STANDARDIZE) return fold_standardization(work, layer);
  if (layer.kind == SLUICE_EMBEDDING) return add_embedding(work, layer);
  if (layer.kind == SLUICE_CONCAT) return add_concat(work, layer);
  if (layer.kind == SLUICE_SELECT) return add_select(work, layer);
  if (layer.kind == SLUICE_ADD) return add_sum(work, layer);
  if (layer.kind == SLUICE_MULTIPLY) return add_product(work, layer);
  return recurrent(layer) ? add_cell(work, layer) : add_dense(work, layer);
}

}  // namespace

double Units16::common() const {
  const bool alike =
      std::all_of(unit.begin(), unit.end(), [&](double u) { return u == unit[0]; }) &&
      std::all_of(zero.begin(), zero.end(), [](double z) { return z == 0; });
  return alike && !unit.empty() ? unit[0] : 0;
}

Network with_integer_form(const Network& real, sluice_format format) {
  return format == SLUICE_INT8 && frame_enters_answer(real) ? with_frame_copy(real) : real;
}

Quantized quantize(const Network& real, sluice_format format, const Ranges& ranges,
                   const std::vector<LayerMoments>& moments) {
  check_quantizable(real);
  QuantizeState work{real, format, ranges, moments};
  work.result.seen = real;
  Network& network = work.result.network;
  network.inputs = real.inputs, network.labels = real.labels, network.made = real.made;
  network.vocabulary = real.vocabulary;
  network.width = frame_width(real);
  network.wide_frame = format == SLUICE_INT8 && copies_frame(real);
  const bool reads = real.layers.front().kind == SLUICE_EMBEDDING;
  network.scales = reads ? Scales{{1}, {0}, {}, {}}
                         : input_scales(real, network.wide_frame ? SLUICE_W8A16 : format, ranges,
                                        work.result.warnings);
  work.sides.push_back(reads ? SourceScale{} : frame_side(network.scales, ranges));
  if (network.wide_frame)  // like a layer's outputs, its numbers are narrowed for a product
    for (double& unit : work.sides[0].unit) unit *= work.narrowing();
  work.fixed_of.push_back(0);
  for (const Layer& layer : real.layers) add_layer(work, layer);
  for (Layer& layer : network.layers) choose_sparse(layer);
  if (network.layers.empty()) refuse("a network of standardization alone has nothing to quantize");
  const Units16& answers = work.result.units.back();
  network.scales.unit.assign(answers.unit.begin(), answers.unit.end());
  network.scales.zero.assign(answers.zero.begin(), answers.zero.end());
  return std::move(work.result);
}

}  // namespace sluice::tools
