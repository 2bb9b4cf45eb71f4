// Quantizes a network layer by layer, and the layers whose scales go into the columns of the next
// product: a standardization of the frame, and an embedding.
#include "quantize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../model/graph.h"
#include "quantize_state.h"

namespace sluice::tools {

const SourceScale& QuantizeState::side_of(const Layer& layer) const {
  return sides[sources_of(real, index_of(layer))[0]];
}

void QuantizeState::add(const Layer& of, Layer layer, const std::vector<double>& unit,
                        const std::vector<double>& zero) {
  layer.name = of.name;
  const std::vector<std::uint32_t> sources = sources_of(real, index_of(of));
  std::vector<std::uint32_t> fixed;
  for (const std::uint32_t source : sources) fixed.push_back(fixed_of[source]);
  const auto before = std::uint32_t(result.network.layers.size());
  if (fixed != std::vector<std::uint32_t>{before}) layer.sources = fixed;
  result.network.layers.push_back(std::move(layer));
  result.units.push_back({unit, zero});
  result.real_of.push_back(index_of(of));
  SourceScale side{unit, zero, std::vector<double>(unit.size(), 1)};
  for (double& u : side.unit) u *= narrowing();
  sides.push_back(std::move(side));
  fixed_of.push_back(before + 1);
}

namespace {

/// The unit of a feature of an embedding, relative to that feature's largest magnitude.
constexpr double id_unit = 1 / (most_weight * narrowing_of(SLUICE_INT8));

/// Returns how frames become integers. A constant feature has inverse 0, its value as offset, and
/// no weight.
Scales input_scales(const Network& real, sluice_format format, const Ranges& ranges,
                    std::vector<std::string>& warnings) {
  const double lowest = lowest_input(format), highest = highest_input(format);
  Scales scales;
  const std::vector<bool> shared = shared_columns(real);
  double largest = 0;  // of the numbers that share a unit
  for (std::size_t i = 0; i < shared.size(); ++i)
    if (shared[i])
      largest =
          std::max({largest, std::fabs(double(ranges.low[i])), std::fabs(double(ranges.high[i]))});
  largest = largest > 0 ? largest * (format == SLUICE_INT8 ? 1 : 1.5) : 1;
  for (std::size_t i = 0; i < ranges.low.size(); ++i) {
    // 16 bits have resolution to spare: the range is extended by half at either end, so that new
    // data rarely saturates.
    const double margin =
        format == SLUICE_INT8 ? 0 : (double(ranges.high[i]) - double(ranges.low[i])) / 2;
    const double low = double(ranges.low[i]) - margin, high = double(ranges.high[i]) + margin;
    if (shared[i]) {
      scales.inverse.push_back(static_cast<float>(highest / largest)), scales.offset.push_back(0);
      continue;
    }
    const bool changes = low < high && (highest - lowest) / (high - low) < 1e30;
    const auto inverse = static_cast<float>(changes ? (highest - lowest) / (high - low) : 0);
    scales.inverse.push_back(inverse);
    scales.offset.push_back(changes ? static_cast<float>(lowest - low * double(inverse))
                                    : ranges.low[i]);
    if (!changes)
      warnings.push_back(fmt::format(
          "{}: is {} in all calibration data, and will be taken for that whatever it is",
          input_name(real, i), ranges.low[i]));
  }
  return scales;
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
  work.fixed_of.push_back(work.fixed_of[sources_of(work.real, work.index_of(layer))[0]]);
  work.sides.push_back(std::move(side));
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
    work.result.rounded.layers[work.index_of(real)].array(Role::vectors).values[i] =
        float(weight / most_weight * p);
  }
  std::vector<double> unit;
  for (const double p : peak) unit.push_back(id_unit * p);
  work.add(real, std::move(layer), unit, std::vector<double>(unit.size()));
}

void add_layer(QuantizeState& work, const Layer& layer) {
  if (layer.kind == SLUICE_STANDARDIZE) return fold_standardization(work, layer);
  if (layer.kind == SLUICE_EMBEDDING) return add_embedding(work, layer);
  if (layer.kind == SLUICE_DIFFERENCE) return add_difference(work, layer);
  if (layer.kind == SLUICE_CONCAT) return add_concat(work, layer);
  if (layer.kind == SLUICE_SELECT) return add_select(work, layer);
  if (layer.kind == SLUICE_ADD) return add_sum(work, layer);
  if (layer.kind == SLUICE_MULTIPLY) return add_product(work, layer);
  if (layer.kind == SLUICE_WINDOW) return add_window(work, layer);
  if (layer.anatomy().once) return add_over_steps(work, layer);
  if (layer.kind == SLUICE_DENSE && layer.parts > 0) return add_dense_of_parts(work, layer);
  if (layer.anatomy().parted && layer.parts > 0) return add_pool(work, layer);
  return recurrent(layer) ? add_cell(work, layer) : add_dense(work, layer);
}

}  // namespace

Network with_integer_form(const Network& real, sluice_format format) {
  const Network dense = without_curve_layers(real);
  const bool copies = format == SLUICE_INT8 && needs_wide_frame(dense) && !reads_wide_frame(dense);
  return copies ? with_frame_copy(dense) : dense;
}

Quantized quantize(const Network& real, sluice_format format, const Ranges& ranges,
                   const std::vector<LayerMoments>& moments) {
  check_quantizable(real);
  QuantizeState work{real, format, ranges, moments};
  work.result.rounded = real;
  Network& network = work.result.network;
  network.inputs = real.inputs, network.labels = real.labels, network.made = real.made;
  network.vocabulary = real.vocabulary;
  network.width = frame_width(real);
  network.wide_frame = format == SLUICE_INT8 &&
                       (copies_frame(real) || (needs_wide_frame(real) && reads_wide_frame(real)));
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
