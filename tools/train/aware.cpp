#include "aware.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../convert/gate_sums.h"
#include "../convert/numbers.h"
#include "../model/graph.h"
#include "../model/pack.h"
#include "train.h"

namespace sluice::tools {
namespace {

void round_weights(void* context, const float* weights, float* rounded) {
  Aware& aware = *static_cast<Aware*>(context);
  unpack_weights(aware.places, weights, aware.network);
  bool finite = true;  // a diverged training is detected by its loss
  for (const Layer& layer : aware.network.layers)
    for (const Array& array : layer.arrays)
      finite = finite && std::all_of(array.values.begin(), array.values.end(),
                                     [](float v) { return std::isfinite(v); });
  try {  // no exception may pass through the trainer, which is C
    pack_weights(
        aware.places,
        finite ? quantize(aware.network, aware.format, aware.ranges).rounded : aware.network,
        rounded);
  } catch (...) {
    aware.refused = std::current_exception();
    pack_weights(aware.places, aware.network, rounded);
  }
}

/// Rounds frames as the fixed-point network does, in the frames' own units.
void round_frames(const Quantized& quantized, const Ranges& ranges, DataSet& data) {
  if (data.is_text()) return;  // ids are not rounded
  const OwnedModel fixed = open_model(write_blob(quantized.network), "the network before training");
  const std::size_t features = data.features();
  const bool narrow = fixed.info().frame_bytes == 1, narrows = copies_frame(quantized.network);
  const Scales& scales = quantized.network.scales;
  std::vector<std::int16_t> numbers(features);
  for (std::size_t at = 0; at < data.x.size(); at += features) {
    sluice_quantize(&fixed.model, data.x.data() + at, numbers.data(), 1);
    for (std::size_t k = 0; k < features; ++k) {
      const double number = narrow    ? reinterpret_cast<const std::int8_t*>(numbers.data())[k]
                            : narrows ? narrowing_of(SLUICE_INT8) * narrowed(numbers[k])
                                      : numbers[k];
      const double inverse = double(scales.inverse[k]);
      data.x[at + k] =
          inverse == 0 ? ranges.low[k] : float((number - double(scales.offset[k])) / inverse);
    }
  }
}

}  // namespace

Aware::Aware(const Recipe& recipe, const DataSet& all, const Split& parts,
             const OwnedModel& started)
    : start(started),
      data(all),
      split(parts),
      format(recipe.quantize_type),
      copies(recipe.quantize_type == SLUICE_INT8 &&
             !reads_wide_frame(read_network(started.model)) &&
             (all.difference || needs_wide_frame(read_network(started.model)))),
      network(in_form(read_network(started.model))),
      places(weight_places(started.model)),
      ranges(feature_ranges(network, all, parts.train, recipe.quantize_ranges)),
      rounded(all) {
  unit.resize(network.layers.size() - copies);
  rounding = {this, round_weights, unit.data(), float(highest_input(format))};
  round_frames(make(start.model), ranges, rounded);
}

void check_aware(const Recipe& recipe, const Network& network, const DataSet& data,
                 const Split& split) {
  if (!recipe.quantize_aware) return;
  for (const Layer& layer : network.layers) {
    if (layer.kind == SLUICE_BATCH_NORM)
      refuse(
          "{}: {}: the trainer cannot round a batch normalization; train in float, and let sluice "
          "quantize fold it",
          where(recipe, "quantize.aware"), layer_name(network, layer));
    if (layer.kind == SLUICE_GRU_BEFORE)
      refuse(
          "{}: {}: the trainer cannot round r * h, the input of its candidate; train in float and "
          "quantize the model, or set reset = \"after\"",
          where(recipe, "quantize.aware"), layer_name(network, layer));
    if (layer.rank > 0)
      refuse(
          "{}: {}: the trainer cannot round the products of its factors of low rank; train in "
          "float and quantize that, or leave rank out",
          where(recipe, "quantize.aware"), layer_name(network, layer));
  }
  Ranges any = feature_ranges(network, data, split.train, recipe.quantize_ranges);
  any.outputs.peak.assign(network.layers.size(), 1);
  for (const std::uint32_t answer : answers_of(network)) {  // the first answers are near the biases
    const Array* const bias = answer ? network.layers[answer - 1].find(Role::input_bias) : nullptr;
    for (std::size_t i = 0; i < std::size_t(width_of(network, answer)); ++i) {
      const double start = bias && i < bias->values.size() ? double(bias->values[i]) : 0;
      any.outputs.answer.low.push_back(start - 1), any.outputs.answer.high.push_back(start + 1);
    }
  }
  try {
    quantize(network, recipe.quantize_type, any);
  } catch (const Error& error) {
    refuse("{}: {}", where(recipe, "quantize.aware"), error.what());
  }
}

Network Aware::in_form(const Network& trained) const {
  return copies ? with_frame_copy(trained) : trained;
}

Quantized Aware::make(const sluice_model& real) {
  const Network now = in_form(read_network(real));
  ranges.outputs = output_ranges(now, data, split.train);

  Quantized quantized = quantize(now, format, ranges);
  const double narrowing = narrowing_of(format);
  for (std::size_t l = 0; l < quantized.units.size(); ++l) {
    // The next layer reads an embedding's weights, which are rounded already.
    const bool embeds = quantized.network.layers[l].kind == SLUICE_EMBEDDING;
    if (quantized.real_of[l] < copies) continue;
    unit[quantized.real_of[l] - copies] =
        embeds ? 0 : float(narrowing * quantized.units[l].common());
  }
  return quantized;
}

}  // namespace sluice::tools
