#include "quantize.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "../common/error.h"

namespace sluice::tools {
namespace {

constexpr double gate_unit = 1.0 / 4096;          // of what enters sigmoid and tanh
constexpr double state_unit = 1.0 / 32768;        // of what leaves them
constexpr double accumulator_limit = 1073741824;  // 2^30: half of what int32 holds, before the shift of R
constexpr double headroom = 2;                    // of the answers, over what calibration saw: int16 has resolution to spare
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
  int coarsened = 0;         ///< rows
  std::vector<double> unit;  ///< [rows] of its weights, where these are scaled to numbers
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

/// What enters a product, in its numbers; empty moments: unknown.
struct Entering {
  double largest;  ///< magnitude
  Moments moments;
};

/// Moves weights by single steps while that lowers the variance of the row's error, sum (q - w) v, over what enters; zeros stay. (Rounding
/// each weight by itself ignores that errors of inputs which move together add up or cancel; Nagel et al. 2020 call it adaptive
/// rounding.)
void lower_error(const double* w, double unit, const Moments& moments, std::vector<std::int32_t>& q) {
  const std::size_t n = q.size();
  const double* const h = moments.covariance.data();
  std::vector<double> slope(n);  // half the derivative of the variance by each weight
  for (std::size_t k = 0; k < n; ++k) {
    const double error = double(q[k]) - w[k] / unit;
    for (std::size_t j = 0; j < n; ++j) slope[j] += h[k * n + j] * error;
  }
  constexpr int passes = 20;
  for (int pass = 0; pass < passes; ++pass) {
    bool moved = false;
    for (std::size_t k = 0; k < n; ++k) {
      if (w[k] == 0) continue;  // pruned
      const int step = slope[k] > 0 ? -1 : 1;
      const double change = 2 * step * slope[k] + h[k * n + k];
      if (!(change < -1e-9 * h[k * n + k]) || std::abs(q[k] + step) > 127) continue;
      q[k] += step, moved = true;
      for (std::size_t j = 0; j < n; ++j) slope[j] += step * h[k * n + j];
    }
    if (!moved) return;
  }
}

Row round_row(const double* w, int cols, double bias, double unit, const Entering& entering) {
  Row row{unit, {}, 0, 0};
  for (int k = 0; k < cols; ++k) row.w.push_back(std::int32_t(std::clamp(rounded(w[k] / unit), -127.0, 127.0)));
  double shift = 0;  // of the mean: the bias takes it back
  if (!entering.moments.mean.empty()) {
    lower_error(w, unit, entering.moments, row.w);
    for (int k = 0; k < cols; ++k)
      shift += (double(row.w[std::size_t(k)]) - w[k] / unit) * entering.moments.mean[std::size_t(k)];
  }
  row.bias = rounded(bias / unit - shift);
  row.worst = std::fabs(row.bias);
  for (const std::int32_t q : row.w) row.worst += std::fabs(double(q)) * entering.largest;
  return row;
}

/// The finest unit in which neither a weight nor the accumulator is too large. `coarsened` where the weights alone would be
/// finer.
/// @param bias_unit  fine enough for a bias: a row without weights takes no finer one, which would leave no room for a shift
Row fixed_row(const double* w, int cols, double bias, double bias_unit, const Entering& entering, int* coarsened) {
  double most = 0;
  for (int k = 0; k < cols; ++k) most = std::max(most, std::fabs(w[k]));
  const double finest = most > 0 ? most / 127 : bias_unit, for_bias = std::fabs(bias) / (accumulator_limit / 2);
  double unit = std::max({finest, for_bias, 1e-30});
  Row row = round_row(w, cols, bias, unit, entering);
  if (row.worst < accumulator_limit) return row;
  ++*coarsened;
  while (row.worst >= accumulator_limit) row = round_row(w, cols, bias, unit *= 1.01, entering);
  return row;
}

/// Nothing that training could have done: one feature's steps are so coarse that its column alone is too large.
[[noreturn]] void refuse_range(const Affine& a, const Network& real, const Ranges& ranges, const std::string& name) {
  std::size_t widest = 0;
  const auto columns = std::size_t(a.cols);
  for (std::size_t i = 0; i < a.w.size(); ++i)
    if (std::fabs(a.w[i]) > std::fabs(a.w[widest])) widest = i;
  const std::size_t k = widest % columns;
  refuse(
      "{}: an accumulator could overflow, for {} goes from {} to {} in the calibration data; look there for an outlier, or "
      "choose ranges by percentile",
      name, k < real.inputs.size() ? real.inputs[k] : fmt::format("x{}", k), ranges.low[k], ranges.high[k]);
}

/// @param target  the unit that R brings accumulators to
/// @return nothing where a row's scale leaves no room for its shift
std::optional<Fixed> fixed_matrix(const Affine& a, double side_unit, const Entering& entering, double target) {
  Fixed fixed;
  std::vector<double> scale;
  double most_scale = 0, most_worst = 0;
  for (std::size_t r = 0; r < a.count(); ++r) {
    std::vector<double> w(a.w.begin() + std::ptrdiff_t(r) * a.cols, a.w.begin() + std::ptrdiff_t(r + 1) * a.cols);
    for (double& value : w) value *= side_unit;
    const Row row = fixed_row(w.data(), a.cols, a.bias[r], target / 256, entering, &fixed.coarsened);
    fixed.w.insert(fixed.w.end(), row.w.begin(), row.w.end());
    fixed.bias.push_back(std::int32_t(row.bias));
    fixed.unit.push_back(row.unit);
    scale.push_back(row.unit / target);
    most_scale = std::max(most_scale, scale.back());
    most_worst = std::max(most_worst, row.worst);
  }
  // R(a, s, m) = a * 2^s * m / 2^32, and m < 2^31: the least shift that leaves room for the largest scale.
  const auto multiplier = [&](double s) { return rounded(s * 4294967296.0 / double(1u << fixed.shift)); };
  while (multiplier(most_scale) > most_multiplier) {
    ++fixed.shift;
    if (fixed.shift > 30 || most_worst * double(1u << fixed.shift) >= 2 * accumulator_limit) return {};
  }
  for (const double s : scale) fixed.bias.push_back(std::int32_t(multiplier(s)));
  return fixed;
}

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
  Side side{};  ///< what enters the next layer
  Quantized result{};

  double largest() const { return format == SLUICE_INT8 ? 128 : 32768; }
  /// How int16 in this unit enters a product.
  Side handed_on(double unit) const { return {format == SLUICE_INT8 ? 256 * unit : unit, largest()}; }
};

std::string layer_name(const Network& network, const Layer& layer) {
  return fmt::format("layer {} ({})", &layer - network.layers.data() + 1, sluice_layer_name(layer.kind));
}

/// What enters a layer: the model's input, quantized, or what the layer before hands on.
Entering entering_of(const Work& work, const Layer& layer, Side side) {
  if (work.moments.empty()) return {side.largest, {}};
  const bool from_input = side.unit == 0;
  // The model's input is moments' first, whatever standardization stands before the layer.
  const Moments& moments = work.moments[from_input ? 0 : std::size_t(&layer - work.real.layers.data())].input;
  std::vector<double> factor(moments.mean.size(), from_input ? 0 : 1 / side.unit), offset(moments.mean.size());
  for (std::size_t i = 0; i < factor.size() && from_input; ++i) {
    factor[i] = double(work.result.network.scales.inverse[i]);
    offset[i] = double(work.result.network.scales.offset[i]);
  }
  return {side.largest, in_numbers(moments, factor, offset)};
}

Entering entering_state(const Work& work, const Layer& layer, Side side) {
  if (work.moments.empty()) return {side.largest, {}};
  const Moments& moments = work.moments[std::size_t(&layer - work.real.layers.data())].state;
  return {side.largest, in_numbers(moments, std::vector<double>(moments.mean.size(), 1 / side.unit),
                                   std::vector<double>(moments.mean.size()))};
}

/// What the integers for a matrix stand for. A weight of a feature that never changed is not used, and stays.
void note_seen(Work& work, const Layer& layer, const Array& w, Side side, const Fixed& fixed) {
  const std::size_t cols = std::size_t(w.cols), at = std::size_t(&layer - work.real.layers.data());
  std::vector<double> unit(cols, side.unit);  // of what enters
  for (std::size_t k = 0; k < cols && side.unit == 0; ++k) {
    const double inverse = double(work.result.network.scales.inverse[k]);
    unit[k] = inverse == 0 ? 0 : 1 / inverse * (work.standardization ? double(work.standardization->arrays[0].values[k]) : 1);
  }
  std::vector<float>& seen = work.result.seen.layers[at].arrays[std::size_t(&w - layer.arrays.data())].values;
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (unit[i % cols] != 0) seen[i] = float(fixed.w[i] * fixed.unit[i / cols] / unit[i % cols]);
}

Fixed make_fixed(Work& work, const Layer& layer, const Array& w, const Array& bias, Side side, const Entering& entering,
                 double target) {
  Affine affine = affine_of(w, bias);
  const bool from_input = side.unit == 0;
  if (from_input) fold_inputs(affine, work.result.network.scales, work.ranges, work.standardization);
  const std::string name = layer_name(work.real, layer);
  std::optional<Fixed> made = fixed_matrix(affine, from_input ? 1 : side.unit, entering, target);
  if (!made && from_input) refuse_range(affine, work.real, work.ranges, name);
  if (!made)
    refuse("{}: its weights are so large that an accumulator could overflow; train with a penalty on them (train.l2)", name);
  Fixed& fixed = *made;
  note_seen(work, layer, w, side, fixed);
  if (fixed.coarsened)
    work.result.warnings.push_back(fmt::format("{}: {} of {} rows of {} made coarser, so that no accumulator can overflow",
                                               name, fixed.coarsened, affine.count(), w.name));
  return std::move(fixed);
}

void add_gru(Work& work, const Layer& real) {
  Layer layer = make_layer(SLUICE_GRU, real.in, real.out, SLUICE_LINEAR, real.every_step, work.format);
  Fixed ih = make_fixed(work, real, real.arrays[0], real.arrays[2], work.side, entering_of(work, real, work.side), gate_unit);
  const Side state = work.handed_on(state_unit);
  Fixed hh = make_fixed(work, real, real.arrays[1], real.arrays[3], state, entering_state(work, real, state), gate_unit);
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
  Fixed fixed = make_fixed(work, real, real.arrays[0], real.arrays[1], work.side, entering_of(work, real, work.side),
                           curved ? gate_unit : unit);
  layer.shift_ih = fixed.shift;
  layer.arrays[0].integers = std::move(fixed.w), layer.arrays[1].integers = std::move(fixed.bias);
  work.result.network.layers.push_back(std::move(layer));
  work.side = work.handed_on(curved ? state_unit : unit);
  work.result.network.scales.output = static_cast<float>(curved ? state_unit : unit);
  work.result.units.push_back(curved ? state_unit : unit);
}

/// What stands in the way of a layer's integer form; empty where nothing does.
std::string obstacle(const Layer& layer, bool first) {
  switch (layer.kind) {
    case SLUICE_STANDARDIZE:
      return first ? "" : "has an integer form only as the first layer, where it becomes part of the inputs' scales";
    case SLUICE_DENSE:
      return layer.activation == SLUICE_HARD_SIGMOID ? "a hard sigmoid has no fixed-point kernel" : "";
    case SLUICE_GRU:
      if (layer.activation == SLUICE_TANH) return "with tanh as a gate its state may leave -1 to 1, so it has no integer form";
      if (layer.activation != SLUICE_LINEAR) return "gates of a hard sigmoid have no fixed-point kernel";
      if (layer.both) return "both directions have no fixed-point kernel";
      return layer.mean ? "the mean over steps has no fixed-point kernel" : "";
    case SLUICE_BATCH_NORM:
      return "no recurrent or dense layer follows that could take it over, so it has no integer form";
    case SLUICE_DIFFERENCE:
      return "of inputs in 8 or 16 bits little would be left of a difference, so it has no integer form";
    case SLUICE_LAYER_NORM:
      return "a normalization by each frame's own moments has no integer form";
    default:
      return "has no fixed-point kernel";
  }
}

}  // namespace

void check_quantizable(const Network& real) {
  for (const Layer& layer : real.layers) {
    if (layer.format != SLUICE_F32) refuse("{}: is in fixed point already; give the float model", layer_name(real, layer));
    const std::string what = obstacle(layer, &layer == real.layers.data());
    if (!what.empty()) refuse("{}: {}; it can be run in f32 only", layer_name(real, layer), what);
  }
}

Quantized quantize(const Network& real, sluice_format format, const Ranges& ranges, const std::vector<LayerMoments>& moments) {
  check_quantizable(real);
  Work work{real, format, ranges, moments};
  work.result.seen = real;
  Network& network = work.result.network;
  network.inputs = real.inputs, network.labels = real.labels, network.made = real.made;
  network.vocabulary = real.vocabulary;
  network.scales = input_scales(real, format, ranges, work.result.warnings);
  network.scales.output = static_cast<float>(state_unit);
  work.side = {0, work.largest()};
  for (const Layer& layer : real.layers) {
    if (layer.kind == SLUICE_STANDARDIZE)
      work.standardization = &layer;
    else if (layer.kind == SLUICE_GRU)
      add_gru(work, layer);
    else
      add_dense(work, layer);
  }
  for (Layer& layer : network.layers) choose_sparse(layer);
  if (network.layers.empty()) refuse("a network of standardization alone has nothing to quantize");
  return std::move(work.result);
}

void prove_no_overflow(const Network& fixed, const std::string& name) {
  constexpr double most = 2147483647;
  for (const Layer& layer : fixed.layers) {
    const std::size_t matrices = layer.kind == SLUICE_GRU ? 2 : 1;
    for (std::size_t m = 0; m < matrices; ++m) {
      const Array &w = layer.arrays[m], &bias = layer.arrays[m + matrices];
      const auto columns = std::size_t(w.cols);
      const double largest = layer.format == SLUICE_INT8 ? 128 : 32768,
                   shift = std::ldexp(1, m == 0 ? layer.shift_ih : layer.shift_hh);
      for (std::size_t row = 0; row < w.integers.size() / columns; ++row) {
        double worst = std::fabs(double(bias.integers[row]));
        for (std::size_t k = 0; k < columns; ++k) worst += std::fabs(double(w.integers[row * columns + k])) * largest;
        if (worst * shift > most)
          refuse("{}: {}: the accumulator of row {} of {} can overflow; make the model anew with sluice quantize", name,
                 layer_name(fixed, layer), row, w.name);
      }
    }
  }
}

}  // namespace sluice::tools
