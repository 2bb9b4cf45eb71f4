// The network before training.
#include <fmt/format.h>

#include <cmath>

#include "../../kernels/random.h"
#include "../common/error.h"
#include "train.h"

namespace sluice::tools {
namespace {

constexpr std::size_t widest = 65536;              // inputs or units of a layer, as the blob has it
constexpr double most_weights = (1u << 30) - 1e6;  // a blob has less than 4 GiB

sluice_activation activation_of(const LayerSpec& spec) {
  for (int a = SLUICE_LINEAR; a <= SLUICE_SOFTMAX; ++a)
    if (spec.activation == sluice_activation_name(std::uint32_t(a))) return sluice_activation(a);
  return SLUICE_LINEAR;
}

double weights_of(const LayerSpec& spec, double in) {
  const double units = double(spec.units);
  return spec.kind == SLUICE_GRU ? 3 * units * (in + units + 2) : units * (in + 1);
}

void check_shapes(const Recipe& recipe, const DataSet& data) {
  const std::string place = where(recipe, "model.layers");
  const char* what = data.classes ? "classes" : "targets";
  if (data.features() > widest)
    refuse("{}: {} features; a network takes at most {}", recipe.train_file, data.features(), widest);
  if (std::size_t(recipe.layers.back().units) != data.outputs())
    refuse("{}: the last layer has {} units, but {} has {} {}; give it {}", place, recipe.layers.back().units,
           recipe.train_file, data.outputs(), what, data.outputs());
  double weights = 0, in = double(data.features());
  for (const LayerSpec& spec : recipe.layers) weights += weights_of(spec, in), in = double(spec.units);
  if (weights > most_weights) refuse("{}: {:.0f} weights; a blob holds at most {:.0f}", place, weights, most_weights);
}

/// One array, each number by the counter of its place.
void draw(Array& array, float bound, std::uint64_t seed, std::uint32_t layer, std::uint32_t index) {
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const Philox random = Philox::at(seed, std::uint32_t(i / 4), index, layer, std::uint32_t(Purpose::initialize));
    array.values[i] = (2.0f * unit_float(random.word[i % 4]) - 1.0f) * bound;
  }
}

}  // namespace

void initialize(Network& network, std::uint64_t seed) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    Layer& layer = network.layers[l];
    if (layer.kind == SLUICE_STANDARDIZE) continue;
    const int fan = layer.kind == SLUICE_GRU ? layer.out : layer.in;
    const float bound = float(1.0 / std::sqrt(double(fan)));
    for (std::size_t a = 0; a < layer.arrays.size(); ++a)
      draw(layer.arrays[a], bound, seed, std::uint32_t(l), std::uint32_t(a));
  }
}

namespace {

/// Mean of each value over the valid targets of these sequences; 0 where there is none.
std::vector<double> target_means(const DataSet& data, const std::vector<std::size_t>& sequences) {
  std::vector<double> sum(data.outputs());
  std::vector<std::uint64_t> count(data.outputs());
  for (const std::size_t s : sequences)
    for (std::size_t t = 0; t < data.targets(s); ++t)
      for (std::size_t i = 0; i < data.outputs(); ++i) {
        const float value = data.value[(data.target_begin(s) + t) * data.outputs() + i];
        if (std::isnan(value)) continue;
        sum[i] += value, ++count[i];
      }
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = count[i] ? sum[i] / double(count[i]) : 0;
  return sum;
}

/// A linear output begins at the targets' mean: a rate of 1e-3 would take long to get there.
void start_at_means(Layer& last, const std::vector<double>& means) {
  for (Array& array : last.arrays)
    if (array.name == "bias")
      for (std::size_t i = 0; i < means.size(); ++i) array.values[i] = float(means[i]);
}

}  // namespace

Network make_network(const Recipe& recipe, const DataSet& data, const Split& split) {
  check_shapes(recipe, data);
  Network network;
  int in = int(data.features());
  if (recipe.standardize && !data.is_text()) {
    const Standardization statistics = standardization(data, split.train);
    Layer layer = make_layer(SLUICE_STANDARDIZE, in, in);
    for (Array& array : layer.arrays) array.values = array.name == "mean" ? statistics.mean : statistics.scale;
    network.layers.push_back(std::move(layer));
  }
  for (const LayerSpec& spec : recipe.layers) {
    network.layers.push_back(make_layer(spec.kind, in, int(spec.units), activation_of(spec), spec.steps == "every"));
    in = int(spec.units);
  }
  initialize(network, std::uint64_t(recipe.seed));
  Layer& last = network.layers.back();
  if (!data.classes && last.kind == SLUICE_DENSE && last.activation == SLUICE_LINEAR)
    start_at_means(last, target_means(data, split.train));
  network.inputs = data.feature_names;
  if (!data.is_text() || !data.per_row) network.labels = data.labels;  // else the vocabulary's
  network.vocabulary = vocabulary_section(data.tokens);
  network.made = made_json(recipe, data_hash(data));
  if (!data.units.empty()) network.made = made_with_units(network.made, data.units);
  return network;
}

}  // namespace sluice::tools
