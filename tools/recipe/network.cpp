#include "network.h"

#include "../common/error.h"

namespace sluice::tools {
namespace {

bool is_pool(sluice_layer_kind kind) {
  return kind == SLUICE_MAX_POOL || kind == SLUICE_MEAN_POOL || kind == SLUICE_NORM_POOL;
}

}  // namespace

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
  if (spec.kind == SLUICE_WINDOW)
    layer.parts = int(spec.units), layer.dilation = int(spec.dilation),
    layer.stride = int(spec.stride), layer.ahead = int(spec.ahead), layer.first = int(spec.first);
  if (is_pool(spec.kind)) layer.parts = in / int(spec.units * spec.channels);
  if (spec.part > 0 && in > spec.part) layer.parts = in / int(spec.part);
  return layer;
}

std::vector<std::int32_t> patch_columns(const LayerSpec& patches, std::int64_t in) {
  const std::int64_t n = patches.units, positions = in / patches.channels,
                     front = patches.padding == Padding::none ? 0 : (n - 1) / 2,
                     stride = patches.stride ? patches.stride : n;
  std::vector<std::int32_t> columns;
  for (std::int64_t patch = 0; patch < patch_count(patches, in); ++patch)
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t channel = 0; channel < patches.channels; ++channel) {
        std::int64_t at = patches.skip + patch * stride + i - front;
        const bool outside = at < 0 || at >= positions;
        if (patches.padding == Padding::reflect && at < 0) at = -at;
        if (patches.padding == Padding::reflect && at >= positions) at = 2 * (positions - 1) - at;
        columns.push_back(outside && patches.padding == Padding::zero
                              ? -1
                              : std::int32_t(at * patches.channels + channel));
      }
  return columns;
}

namespace {

/// Refuses a layer of parts or positions that do not fit its input.
void check_width(const LayerSpec& spec, std::int64_t in, const std::string& place) {
  const char* const name =
      spec.kind == SLUICE_SELECT ? "patches" : sluice_layer_name(std::uint32_t(spec.kind));
  const std::int64_t positions = in / spec.channels;
  if (spec.part > 0 && in % spec.part)
    refuse("{}: part: {} does not divide the {} inputs", place, spec.part, in);
  if (spec.part > 0 && in > spec.part && spec.activation == SLUICE_SOFTMAX &&
      spec.loss != HeadLoss::none)
    refuse("{}: softmax over parts cannot be an answer with a loss", place);
  if ((is_pool(spec.kind) || spec.kind == SLUICE_SELECT) && in % spec.channels)
    refuse("{}: channels: {} does not divide the {} inputs", place, spec.channels, in);
  if (is_pool(spec.kind) && positions % spec.units)
    refuse("{}: {}: {} does not divide the {} positions of {} inputs", place, name, spec.units,
           positions, in);
  if (spec.kind == SLUICE_SELECT && patch_count(spec, in) < 1)
    refuse("{}: {}: {} positions are more than the {} of {} inputs{}", place, name, spec.units,
           positions, in, spec.skip > 0 ? fmt::format(" without the first {}", spec.skip) : "");
  if (spec.kind == SLUICE_SELECT && spec.padding == Padding::reflect && spec.units / 2 >= positions)
    refuse("{}: padding: {} positions cannot be reflected at the ends of {}", place, spec.units / 2,
           positions);
  const std::int64_t out = spec.out(in);
  if (out > std::int64_t(widest))
    refuse("{}: {}: gives {} numbers; at most {} are possible", place, name, out, widest);
  if (spec.kind == SLUICE_WINDOW && (spec.units - 1) * spec.dilation * in > (1 << 24))
    refuse("{}: {}: reaches back over {} numbers; at most {} are kept", place, name,
           (spec.units - 1) * spec.dilation * in, 1 << 24);
}

}  // namespace

std::int64_t width_of_sources(const std::vector<LayerSpec>& layers, std::size_t index,
                              const std::vector<std::int64_t>& widths, const std::string& place) {
  const LayerSpec& spec = layers[index];
  const std::vector<std::size_t> sources = sources_of(layers, index, place);
  if (spec.kind == SLUICE_ATTENTION) {
    if (sources.size() != 2 || widths[sources[0]] != 1)
      refuse(
          "{}: layer {}: attention: give two names, of a score of one number and of the numbers "
          "that it weights{}",
          place, index + 1,
          sources.size() != 2
              ? ""
              : fmt::format("; \"{}\" has {} numbers", spec.sources[0], widths[sources[0]]));
    return widths[sources[1]];
  }
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::int64_t width = widths[sources[i]];
    sum += width;
    if (spec.kind == SLUICE_CONCAT || width == widths[sources[0]]) continue;
    refuse("{}: layer {}: {} wants equal widths, but \"{}\" has {} numbers and \"{}\" {}", place,
           index + 1, sluice_layer_name(std::uint32_t(spec.kind)), spec.sources[0],
           widths[sources[0]], spec.sources[i], width);
  }
  check_width(spec, widths[sources[0]], fmt::format("{}: layer {}", place, index + 1));
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
      layer = with_arrays(std::move(layer));
      if (spec.kind == SLUICE_SELECT)
        layer.array(Role::columns).integers = patch_columns(spec, width);
      network.layers.push_back(std::move(layer));
      width = spec.out(width);
    }
    outputs.push_back(std::uint32_t(network.layers.size()));
    widths.push_back(width);
  }
}

}  // namespace sluice::tools
