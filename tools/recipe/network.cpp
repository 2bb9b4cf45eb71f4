#include "network.h"

#include "../common/error.h"

namespace sluice::tools {

Layer layer_of(const LayerSpec& spec, int in) {
  Layer layer;
  layer.kind = spec.kind;
  layer.in = in;
  layer.out = int(spec.out(in));
  layer.both = spec.directions == Directions::both;
  layer.every_step = spec.steps == StepsOut::every;
  layer.mean = spec.steps == StepsOut::mean;
  layer.initial_state = spec.initial_state;
  layer.peepholes = spec.peepholes, layer.cell_clip = float(spec.cell_clip);
  layer.cells = spec.projection > 0 ? int(spec.units) : 0;
  layer.rank = int(spec.rank);
  const sluice_activation curve = spec.recurrent() ? spec.gates : spec.activation;
  layer.activation = spec.recurrent() && curve == SLUICE_SIGMOID ? SLUICE_LINEAR : curve;
  if (spec.recurrent()) layer.candidate = spec.candidate;
  if (layer.activation == SLUICE_HARD_SIGMOID || layer.activation == SLUICE_HARD_SILU)
    layer.parameter = float(spec.slope);
  if (layer.activation == SLUICE_CLIP)
    layer.parameter = float(spec.low), layer.second = float(spec.high);
  for (const sluice_activation f : {layer.activation, layer.candidate})
    if (f == SLUICE_ELU || f == SLUICE_LEAKY_RELU)
      layer.second = float(spec.alpha != 0 ? spec.alpha : f == SLUICE_ELU ? 1 : 0.01);
  if (spec.epsilon > 0) layer.parameter = float(spec.epsilon);
  return layer;
}

std::int64_t width_of_sources(const std::vector<LayerSpec>& layers, std::size_t index,
                              const std::vector<std::int64_t>& widths, const std::string& place) {
  const LayerSpec& spec = layers[index];
  const std::vector<std::size_t> sources = sources_of(layers, index, place);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::int64_t width = widths[sources[i]];
    sum += width;
    if (spec.kind == SLUICE_CONCAT || width == widths[sources[0]]) continue;
    refuse("{}: layer {}: {} wants equal widths, but \"{}\" has {} numbers and \"{}\" {}", place,
           index + 1, sluice_layer_name(std::uint32_t(spec.kind)), spec.sources[0],
           widths[sources[0]], spec.sources[i], width);
  }
  return spec.kind == SLUICE_CONCAT ? sum : widths[sources[0]];
}

void add_layers(const std::vector<LayerSpec>& layers, int in, const std::string& place,
                Network& network) {
  std::vector<std::uint32_t> outputs = {
      std::uint32_t(network.layers.size())};  // of the frame, then of each layer of the list
  std::vector<std::int64_t> widths = {in};
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerSpec& spec = layers[l];
    const int first = int(network.layers.size());
    std::int64_t width = width_of_sources(layers, l, widths, place);
    std::vector<std::uint32_t> sources;
    for (const std::size_t source : sources_of(layers, l, place))
      sources.push_back(outputs[source]);
    for (std::int64_t i = 0; i < spec.repeat; ++i) {
      Layer layer = layer_of(spec, int(width));
      if (i + 1 < spec.repeat) layer.every_step = true, layer.mean = false;
      if (i > 0 && spec.tied) layer.tied = first;
      if (i + 1 == spec.repeat) layer.name = spec.name;
      if (i == 0 && (spec.joins() || sources[0] != std::uint32_t(first))) layer.sources = sources;
      network.layers.push_back(with_arrays(std::move(layer)));
      width = spec.out(width);
    }
    outputs.push_back(std::uint32_t(network.layers.size()));
    widths.push_back(width);
  }
}

}  // namespace sluice::tools
