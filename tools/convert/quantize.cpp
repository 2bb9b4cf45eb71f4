#include "quantize.h"

#include <algorithm>
#include <cmath>

#include "../common/error.h"

namespace sluice::tools {
namespace {

constexpr double gate_unit = 1.0 / 4096;    // of what enters sigmoid and tanh
constexpr double state_unit = 1.0 / 32768;  // of what leaves them
constexpr double accumulator_limit = 1073741824;  // 2^30: half of what int32 holds, before the shift of R
constexpr double headroom = 2;  // of the answers, over what calibration saw: int16 has resolution to spare
constexpr double most_multiplier = 2147483647;

/// How numbers enter a product: value = unit * number; the largest magnitude a number can have.
struct Side {
  double unit, largest;
};

/// A float matrix [gates][rows][cols] whose input columns are scaled to numbers, and its bias.
struct Affine {
  int gates, rows, cols;
  std::vector<double> w, bias;
  std::size_t count() const { return std::size_t(gates) * std::size_t(rows); }
};

/// The same in integers, plain order. bias: biases, then multipliers.
struct Fixed {
  std::vector<std::int32_t> w, bias;
  int shift = 0;
  int coarsened = 0;  ///< rows
};

double rounded(double v) { return std::floor(v + 0.5); }

Affine affine_of(const Array& w, const Array& bias) {
  return {w.gates, w.rows, w.cols, {w.values.begin(), w.values.end()}, {bias.values.begin(), bias.values.end()}};
}

/// One row in integers: its unit, weights, bias, and the largest magnitude that its accumulator can reach.
struct Row {
  double unit = 0;
  std::vector<std::int32_t> w;
  double bias = 0, worst = 0;
};

Row round_row(const double* w, int cols, double bias, double unit, double largest) {
  Row row{unit, {}, rounded(bias / unit), 0};
  row.worst = std::fabs(row.bias);
  for (int k = 0; k < cols; ++k) {
    const double q = std::clamp(rounded(w[k] / unit), -127.0, 127.0);
    row.w.push_back(std::int32_t(q));
    row.worst += std::fabs(q) * largest;
  }
  return row;
}

/// The finest unit in which neither a weight nor the accumulator is too large. `coarsened` where the weights alone would be finer.
Row fixed_row(const double* w, int cols, double bias, double largest, int* coarsened) {
  double most = 0;
  for (int k = 0; k < cols; ++k) most = std::max(most, std::fabs(w[k]));
  const double finest = most / 127, for_bias = std::fabs(bias) / (accumulator_limit / 2);
  double unit = std::max({finest, for_bias, 1e-30});
  Row row = round_row(w, cols, bias, unit, largest);
  if (row.worst < accumulator_limit) return row;
  ++*coarsened;
  while (row.worst >= accumulator_limit) row = round_row(w, cols, bias, unit *= 1.01, largest);
  return row;
}

/// @param target  the unit that R brings accumulators to
Fixed fixed_matrix(const Affine& a, double side_unit, double largest, double target, const std::string& name) {
  Fixed fixed;
  std::vector<double> scale;
  double most_scale = 0, most_worst = 0;
  for (std::size_t r = 0; r < a.count(); ++r) {
    std::vector<double> w(a.w.begin() + std::ptrdiff_t(r) * a.cols, a.w.begin() + std::ptrdiff_t(r + 1) * a.cols);
    for (double& value : w) value *= side_unit;
    const Row row = fixed_row(w.data(), a.cols, a.bias[r], largest, &fixed.coarsened);
    fixed.w.insert(fixed.w.end(), row.w.begin(), row.w.end());
    fixed.bias.push_back(std::int32_t(row.bias));
    scale.push_back(row.unit / target);
    most_scale = std::max(most_scale, scale.back());
    most_worst = std::max(most_worst, row.worst);
  }
  // R(a, s, m) = a * 2^s * m / 2^32, and m < 2^31: the least shift that leaves room for the largest scale.
  const auto multiplier = [&](double s) { return rounded(s * 4294967296.0 / double(1u << fixed.shift)); };
  while (multiplier(most_scale) > most_multiplier) {
    ++fixed.shift;
    if (fixed.shift > 30 || most_worst * double(1u << fixed.shift) >= 2 * accumulator_limit)
      refuse("{}: its weights are so large that an accumulator could overflow; train with a penalty on them (train.l2)", name);
  }
  for (const double s : scale) fixed.bias.push_back(std::int32_t(multiplier(s)));
  return fixed;
}

/// How frames become numbers. A feature that never changed has inverse 0: any value becomes the number 0.
Scales input_scales(const Network& real, sluice_format format, const Ranges& ranges, std::vector<std::string>& warnings) {
  const double lowest = format == SLUICE_INT8 ? -128 : -32768, highest = format == SLUICE_INT8 ? 127 : 32767;
  Scales scales;
  for (std::size_t i = 0; i < ranges.low.size(); ++i) {
    // 16 bits have resolution to spare: half the range more at either end, so that new data seldom saturates.
    const double margin = format == SLUICE_INT8 ? 0 : (double(ranges.high[i]) - double(ranges.low[i])) / 2;
    const double low = double(ranges.low[i]) - margin, high = double(ranges.high[i]) + margin;
    const bool changes = low < high && (highest - lowest) / (high - low) < 1e30;
    const auto inverse = static_cast<float>(changes ? (highest - lowest) / (high - low) : 0);
    scales.inverse.push_back(inverse);
    scales.offset.push_back(static_cast<float>(changes ? lowest - low * double(inverse) : 0));
    if (!changes)
      warnings.push_back(fmt::format("{}: is {} in all calibration data, and will be taken for that whatever it is",
                                     i < real.inputs.size() ? real.inputs[i] : fmt::format("x{}", i), ranges.low[i]));
  }
  return scales;
}

/// x = (number - offset) / inverse, standardized: goes into columns and bias.
void fold_inputs(Affine& a, const Scales& scales, const Ranges& ranges, const Layer* standardization) {
  for (std::size_t r = 0; r < a.count(); ++r) {
    for (std::size_t k = 0; k < std::size_t(a.cols); ++k) {
      double& w = a.w[r * std::size_t(a.cols) + k];
      const double inverse = double(scales.inverse[k]), unit = inverse == 0 ? 0 : 1 / inverse;
      const double at_zero = inverse == 0 ? double(ranges.low[k]) : -double(scales.offset[k]) * unit;
      if (standardization) w *= double(standardization->arrays[0].values[k]);
      a.bias[r] += w * (at_zero - (standardization ? double(standardization->arrays[1].values[k]) : 0));
      w *= unit;
    }
  }
}

/// A quantization under way, layer by layer.
struct Work {
  const Network& real;
  sluice_format format;
  const Ranges& ranges;
  const Layer* standardization = nullptr;
  Side side{};  ///< what enters the next layer
  Quantized result{};

  double largest() const { return format == SLUICE_INT8 ? 128 : 32768; }
  /// How int16 in this unit enters a product.
  Side handed_on(double unit) const { return {format == SLUICE_INT8 ? 256 * unit : unit, largest()}; }
};

std::string layer_name(const Network& network, const Layer& layer) {
  return fmt::format("layer {} ({})", &layer - network.layers.data() + 1, sluice_layer_name(layer.kind));
}

Fixed make_fixed(Work& work, const Layer& layer, const Array& w, const Array& bias, Side side, double target) {
  Affine affine = affine_of(w, bias);
  if (side.unit == 0) {  // the model's input
    fold_inputs(affine, work.result.network.scales, work.ranges, work.standardization);
    side.unit = 1;
  }
  const std::string name = layer_name(work.real, layer);
  Fixed fixed = fixed_matrix(affine, side.unit, side.largest, target, name);
  if (fixed.coarsened)
    work.result.warnings.push_back(fmt::format("{}: {} of {} rows of {} made coarser, so that no accumulator can overflow", name,
                                               fixed.coarsened, affine.count(), w.name));
  return fixed;
}

void add_gru(Work& work, const Layer& real) {
  Layer layer = make_layer(SLUICE_GRU, real.in, real.out, SLUICE_LINEAR, real.every_step, work.format);
  Fixed ih = make_fixed(work, real, real.arrays[0], real.arrays[2], work.side, gate_unit);
  Fixed hh = make_fixed(work, real, real.arrays[1], real.arrays[3], work.handed_on(state_unit), gate_unit);
  layer.shift_ih = ih.shift, layer.shift_hh = hh.shift;
  layer.arrays[0].integers = std::move(ih.w), layer.arrays[1].integers = std::move(hh.w);
  layer.arrays[2].integers = std::move(ih.bias), layer.arrays[3].integers = std::move(hh.bias);
  work.result.network.layers.push_back(std::move(layer));
  work.side = work.handed_on(state_unit);
  work.result.units.push_back(state_unit);
}

void add_dense(Work& work, const Layer& real) {
  const bool last = &real == &work.real.layers.back();
  const bool logits = last && (real.activation == SLUICE_SIGMOID || real.activation == SLUICE_SOFTMAX);
  const bool curved = !logits && (real.activation == SLUICE_TANH || real.activation == SLUICE_SIGMOID);
  if (real.activation == SLUICE_SOFTMAX && !last)
    refuse("{}: softmax in front of another layer has no integer form; leave it out there", layer_name(work.real, real));
  Layer layer = make_layer(SLUICE_DENSE, real.in, real.out, real.activation, false, work.format);
  const double peak = std::max(work.ranges.peak[std::size_t(&real - work.real.layers.data())], 1e-30);
  const double unit = static_cast<float>((last ? headroom : 1) * peak / 32767);
  Fixed fixed = make_fixed(work, real, real.arrays[0], real.arrays[1], work.side, curved ? gate_unit : unit);
  layer.shift_ih = fixed.shift;
  layer.arrays[0].integers = std::move(fixed.w), layer.arrays[1].integers = std::move(fixed.bias);
  work.result.network.layers.push_back(std::move(layer));
  work.side = work.handed_on(curved ? state_unit : unit);
  work.result.network.scales.output = static_cast<float>(curved ? state_unit : unit);
  work.result.units.push_back(curved ? state_unit : unit);
}

}  // namespace

Quantized quantize(const Network& real, sluice_format format, const Ranges& ranges) {
  Work work{real, format, ranges};
  Network& network = work.result.network;
  network.inputs = real.inputs, network.labels = real.labels, network.made = real.made;
  network.scales = input_scales(real, format, ranges, work.result.warnings);
  network.scales.output = static_cast<float>(state_unit);
  work.side = {0, work.largest()};
  for (const Layer& layer : real.layers) {
    const bool first = &layer == real.layers.data();
    if (layer.format != SLUICE_F32) refuse("{}: is in fixed point already; give the float model", layer_name(real, layer));
    if (layer.kind == SLUICE_STANDARDIZE && first)
      work.standardization = &layer;
    else if (layer.kind == SLUICE_GRU)
      add_gru(work, layer);
    else if (layer.kind == SLUICE_DENSE)
      add_dense(work, layer);
    else
      refuse("{}: has no integer form there; only as the first layer it becomes part of the inputs' scales", layer_name(real, layer));
  }
  if (network.layers.empty()) refuse("a network of standardization alone has nothing to quantize");
  return std::move(work.result);
}

}  // namespace sluice::tools
