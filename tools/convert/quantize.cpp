#include "quantize.h"

#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "fixed_matrix.h"

namespace sluice::tools {
namespace {

constexpr double gate_unit = 1.0 / 4096;         // of what enters sigmoid and tanh
constexpr double state_unit = 1.0 / 32768;       // of what leaves them
constexpr double id_unit = 1.0 / (127 * 256.0);  // of a feature of an embedding, in that feature's largest magnitude
constexpr double headroom = 2;  // of the answers and of a cell state, over what calibration saw: int16 has resolution to spare

/// How numbers enter a product: value = unit * number; the largest magnitude a number can have. unit 0: the model's input, whose
/// features have each their own.
struct Side {
  double unit, largest;
};

/// How frames become numbers. A feature that never changed has inverse 0, its value as offset, and no weight.
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
    scales.offset.push_back(changes ? static_cast<float>(lowest - low * double(inverse)) : ranges.low[i]);
    if (!changes)
      warnings.push_back(fmt::format("{}: is {} in all calibration data, and will be taken for that whatever it is",
                                     i < real.inputs.size() ? real.inputs[i] : fmt::format("x{}", i), ranges.low[i]));
  }
  return scales;
}

/// x = (number - offset) / inverse, standardized: goes into columns and bias.
void fold_inputs(Affine& a, const Scales& scales, const Ranges& ranges, const Layer* standardization) {
  for (std::size_t r = 0; r < a.rows; ++r) {
    for (std::size_t k = 0; k < a.cols; ++k) {
      double& w = a.w[r * a.cols + k];
      const double inverse = double(scales.inverse[k]), unit = inverse == 0 ? 0 : 1 / inverse;
      const double at_zero = inverse == 0 ? double(ranges.low[k]) : -double(scales.offset[k]) * unit;
      if (standardization) w *= double(standardization->arrays[0].values[k]);
      a.bias[r] += w * (at_zero - (standardization ? double(standardization->arrays[1].values[k]) : 0));
      w *= unit;
    }
  }
}

/// Moments of values as those of numbers: number = value * factor + offset.
Moments in_numbers(Moments m, const std::vector<double>& factor, const std::vector<double>& offset) {
  const std::size_t n = m.mean.size();
  for (std::size_t i = 0; i < n; ++i) {
    m.mean[i] = m.mean[i] * factor[i] + offset[i];
    for (std::size_t j = 0; j < n; ++j) m.covariance[i * n + j] *= factor[i] * factor[j];
  }
  return m;
}

/// A quantization under way, layer by layer.
struct Work {
  const Network& real;
  sluice_format format;
  const Ranges& ranges;
  const std::vector<LayerMoments>& moments;
  const Layer* standardization = nullptr;
  Side side{};                       ///< what enters the next layer
  std::vector<double> by_feature{};  ///< [out] factors of side.unit, behind an embedding; else empty
  Quantized result{};

  double largest() const { return format == SLUICE_INT8 ? 128 : 32768; }
  /// How int16 in this unit enters a product.
  Side handed_on(double unit) const { return {format == SLUICE_INT8 ? 256 * unit : unit, largest()}; }

  void add(Layer layer, double unit) {
    result.network.layers.push_back(std::move(layer));
    result.network.scales.output = static_cast<float>(unit);
    result.units.push_back(unit);
    side = handed_on(unit);
    by_feature.clear();
  }
};

std::size_t index_of(const Work& work, const Layer& layer) { return std::size_t(&layer - work.real.layers.data()); }

/// What one step of each feature that enters a layer stands for. 0: it never changes.
std::vector<double> units_of_features(const Work& work, std::size_t features) {
  std::vector<double> unit(features, work.side.unit);
  for (std::size_t k = 0; k < features; ++k) {
    if (!work.by_feature.empty()) unit[k] *= work.by_feature[k];
    if (work.side.unit != 0) continue;
    const double inverse = double(work.result.network.scales.inverse[k]);
    unit[k] = inverse == 0 ? 0 : 1 / inverse * (work.standardization ? double(work.standardization->arrays[0].values[k]) : 1);
  }
  return unit;
}

Moments in_units(const Moments& moments, const std::vector<double>& unit) {
  std::vector<double> factor(moments.mean.size());
  for (std::size_t i = 0; i < factor.size(); ++i) factor[i] = unit[i] == 0 ? 0 : 1 / unit[i];
  return in_numbers(moments, factor, std::vector<double>(factor.size()));
}

/// What enters a layer: the model's input, quantized, or what the layer before hands on.
Entering entering_of(const Work& work, const Layer& layer) {
  if (work.moments.empty()) return {work.side.largest, {}};
  if (work.side.unit != 0) {
    const Moments& moments = work.moments[index_of(work, layer)].input;
    return {work.side.largest, in_units(moments, units_of_features(work, moments.mean.size()))};
  }
  // The model's input is moments' first, whatever standardization stands before the layer.
  const Scales& scales = work.result.network.scales;
  return {work.side.largest, in_numbers(work.moments[0].input, {scales.inverse.begin(), scales.inverse.end()},
                                        {scales.offset.begin(), scales.offset.end()})};
}

/// What enters a recurrent product: a state, or r * h.
Entering entering_state(const Work& work, const Layer& layer, Moments LayerMoments::*which) {
  const Side side = work.handed_on(state_unit);
  if (work.moments.empty()) return {side.largest, {}};
  const Moments& moments = work.moments[index_of(work, layer)].*which;
  return {side.largest, in_units(moments, std::vector<double>(moments.mean.size(), side.unit))};
}

/// A layer's matrix in integers, and the weights that these stand for. A weight of a feature that never changed is not used, and
/// stays.
/// @param unit  [cols] what one step of each column's feature stands for
Fixed round_weights(Work& work, const Layer& layer, const Array& w, const Affine& affine, const Entering& entering,
                    const std::vector<double>& unit) {
  Fixed fixed = round_matrix(affine, entering);
  Layer& seen_layer = work.result.seen.layers[index_of(work, layer)];
  std::vector<float>& seen = seen_layer.arrays[std::size_t(&w - layer.arrays.data())].values;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const double column = unit[i % affine.cols];
    if (column != 0) seen[i] = float(fixed.w[i] * fixed.unit[i / affine.cols] / column);
  }
  if (fixed.coarsened)
    work.result.warnings.push_back(fmt::format("{}: {} of {} rows of {} made coarser, so that no accumulator can overflow",
                                               layer_name(work.real, layer), fixed.coarsened, affine.rows, w.name));
  return fixed;
}

/// Columns in steps of what enters.
Affine affine_of(const Array& w, const std::vector<float>& bias, const std::vector<double>& unit) {
  Affine a{std::size_t(w.gates) * std::size_t(w.rows),
           std::size_t(w.cols),
           {w.values.begin(), w.values.end()},
           {bias.begin(), bias.end()}};
  for (std::size_t i = 0; i < a.w.size(); ++i) a.w[i] *= unit[i % a.cols];
  return a;
}

Fixed over_input(Work& work, const Layer& layer, const Array& w, const Array& bias) {
  const std::vector<double> unit = units_of_features(work, std::size_t(w.cols));
  const bool from_input = work.side.unit == 0;
  Affine affine = affine_of(w, bias.values, from_input ? std::vector<double>(unit.size(), 1) : unit);
  if (from_input) fold_inputs(affine, work.result.network.scales, work.ranges, work.standardization);
  return round_weights(work, layer, w, affine, entering_of(work, layer), unit);
}

/// @param bias  empty: zeros
Fixed over_state(Work& work, const Layer& layer, const Array& w, std::vector<float> bias, Moments LayerMoments::*which) {
  bias.resize(std::size_t(w.gates) * std::size_t(w.rows));
  const std::vector<double> unit(std::size_t(w.cols), work.handed_on(state_unit).unit);
  return round_weights(work, layer, w, affine_of(w, bias, unit), entering_state(work, layer, which), unit);
}

/// Nothing that training could have done: one feature's steps are so coarse that its column alone is too large.
[[noreturn]] void refuse_range(const Work& work, const Fixed& fixed, const std::string& name) {
  std::size_t widest = 0;
  const auto value = [&](std::size_t i) { return std::abs(fixed.w[i]) * fixed.unit[i / fixed.cols]; };
  for (std::size_t i = 0; i < fixed.w.size(); ++i)
    if (value(i) > value(widest)) widest = i;
  const std::size_t k = widest % fixed.cols;
  refuse(
      "{}: an accumulator could overflow, for {} goes from {} to {} in the calibration data; look there for an outlier, or "
      "choose ranges by percentile",
      name, k < work.real.inputs.size() ? work.real.inputs[k] : fmt::format("x{}", k), work.ranges.low[k], work.ranges.high[k]);
}

void finish(const Work& work, const Layer& layer, Fixed& fixed, double target, bool from_input) {
  if (add_multipliers(fixed, target)) return;
  const std::string name = layer_name(work.real, layer);
  if (from_input) refuse_range(work, fixed, name);
  refuse("{}: its weights are so large that an accumulator could overflow; train with a penalty on them (train.l2)", name);
}

/// The least unit of a cell state, 2^(e - 15), that holds what calibration saw, with headroom.
int cell_shift(double peak) {
  int e = 0;
  while (e < 15 && headroom * peak > double(1 << e)) ++e;
  return e;
}

void add_cell(Work& work, const Layer& real) {
  Layer layer = make_layer(real.kind, real.in, real.out, SLUICE_LINEAR, real.every_step, work.format);
  const bool before = real.kind == SLUICE_GRU_BEFORE;
  const std::vector<Array>& a = real.arrays;
  const bool from_input = work.side.unit == 0;
  Fixed ih = over_input(work, real, a[0], a[before ? 3 : 2]);
  Fixed hh = over_state(work, real, a[1], before ? std::vector<float>() : a[3].values, &LayerMoments::state);
  if (before) hh = joined(std::move(hh), over_state(work, real, a[2], {}, &LayerMoments::reset));
  finish(work, real, ih, gate_unit, from_input), finish(work, real, hh, gate_unit, false);
  layer.shift_ih = ih.shift, layer.shift_hh = hh.shift;
  if (real.kind == SLUICE_LSTM) layer.shift_c = cell_shift(work.ranges.peak[index_of(work, real)]);
  layer.arrays[0].integers = std::move(ih.w);
  const auto rest = hh.w.begin() + std::ptrdiff_t(layer.arrays[1].integers.size());
  layer.arrays[1].integers.assign(hh.w.begin(), rest);
  if (before) layer.arrays[2].integers.assign(rest, hh.w.end());
  layer.arrays[before ? 3 : 2].integers = std::move(ih.bias), layer.arrays[before ? 4 : 3].integers = std::move(hh.bias);
  work.add(std::move(layer), state_unit);
}

void add_dense(Work& work, const Layer& real) {
  const bool last = &real == &work.real.layers.back();
  const bool logits = last && (real.activation == SLUICE_SIGMOID || real.activation == SLUICE_SOFTMAX);
  const bool curved = !logits && (real.activation == SLUICE_TANH || real.activation == SLUICE_SIGMOID);
  if (real.activation == SLUICE_SOFTMAX && !last)
    refuse("{}: softmax in front of another layer has no integer form; leave it out there", layer_name(work.real, real));
  Layer layer = make_layer(SLUICE_DENSE, real.in, real.out, real.activation, false, work.format);
  const double peak = std::max(work.ranges.peak[index_of(work, real)], 1e-30);
  const double unit = static_cast<float>((last ? headroom : 1) * peak / 32767);
  const bool from_input = work.side.unit == 0;
  Fixed fixed = over_input(work, real, real.arrays[0], real.arrays[1]);
  finish(work, real, fixed, curved ? gate_unit : unit, from_input);
  layer.shift_ih = fixed.shift;
  layer.arrays[0].integers = std::move(fixed.w), layer.arrays[1].integers = std::move(fixed.bias);
  work.add(std::move(layer), curved ? state_unit : unit);
}

/// Each feature in units of its own largest magnitude, which the next layer's columns take over; as a network's answers, in one.
void add_embedding(Work& work, const Layer& real) {
  Layer layer = make_layer(SLUICE_EMBEDDING, real.in, real.out, SLUICE_LINEAR, false, work.format);
  const std::vector<float>& w = real.arrays[0].values;
  const auto ids = std::size_t(real.in);
  std::vector<double> peak(std::size_t(real.out));
  for (std::size_t i = 0; i < w.size(); ++i) peak[i / ids] = std::max(peak[i / ids], std::fabs(double(w[i])));
  if (&real == &work.real.layers.back()) peak.assign(peak.size(), *std::max_element(peak.begin(), peak.end()));
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double p = peak[i / ids];
    const double weight = p == 0 ? 0 : std::clamp(rounded(double(w[i]) / p * 127), -127.0, 127.0);
    layer.arrays[0].integers[i] = std::int32_t(weight);
    work.result.seen.layers[index_of(work, real)].arrays[0].values[i] = float(weight / 127 * p);
  }
  work.add(std::move(layer), id_unit);
  if (&real == &work.real.layers.back()) work.result.network.scales.output = static_cast<float>(id_unit * peak[0]);
  work.result.by_feature = work.by_feature = peak;
}

}  // namespace

Quantized quantize(const Network& real, sluice_format format, const Ranges& ranges, const std::vector<LayerMoments>& moments) {
  check_quantizable(real);
  Work work{.real = real, .format = format, .ranges = ranges, .moments = moments};
  work.result.seen = real;
  Network& network = work.result.network;
  network.inputs = real.inputs, network.labels = real.labels, network.made = real.made;
  network.vocabulary = real.vocabulary;
  const bool reads = real.layers.front().kind == SLUICE_EMBEDDING;
  network.scales = reads ? Scales{1, {1}, {0}} : input_scales(real, format, ranges, work.result.warnings);
  network.scales.output = static_cast<float>(state_unit);
  work.side = {0, work.largest()};
  for (const Layer& layer : real.layers) {
    if (layer.kind == SLUICE_STANDARDIZE)
      work.standardization = &layer;
    else if (layer.kind == SLUICE_EMBEDDING)
      add_embedding(work, layer);
    else if (recurrent(layer))
      add_cell(work, layer);
    else
      add_dense(work, layer);
  }
  for (Layer& layer : network.layers) choose_sparse(layer);
  if (network.layers.empty()) refuse("a network of standardization alone has nothing to quantize");
  return std::move(work.result);
}

}  // namespace sluice::tools
