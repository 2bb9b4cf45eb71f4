// Creates the network before training.
#include <fmt/ranges.h>

#include <cmath>
#include <cstdint>

#include "../../kernels/kernels.h"
#include "../../kernels/random.h"
#include "../common/error.h"
#include "../data/files.h"
#include "../model/graph.h"
#include "../model/pack.h"
#include "../model/vocabulary.h"
#include "../recipe/heads.h"
#include "../recipe/made.h"
#include "../recipe/network.h"
#include "init_from.h"
#include "runtime/blob.h"
#include "train.h"

namespace sluice::tools {
namespace {

constexpr double most_weights = (1u << 30) - 1e6;  // a blob has less than 4 GiB

/// Returns how many numbers the arrays of a recipe's layer have in a blob, where rows are padded:
/// those of all its copies, of which tied ones share their arrays.
double weights_of(const LayerSpec& spec, std::int64_t in) {
  double weights = 0;
  for (std::int64_t copy = 0; copy < (spec.tied ? 1 : spec.repeat); ++copy) {
    Weights arrays[most_arrays];
    const int count = arrays_of(layer_of(spec, int(copy == 0 ? in : spec.out(in))), arrays);
    for (int i = 0; i < count; ++i) weights += double(elements(arrays[i]));
  }
  return weights;
}

/// Returns the width of the first layer's input: features, or an embedding's ids.
std::int64_t entering(const DataSet& data) {
  return std::int64_t(data.is_text() ? data.tokens.ids() : data.features());
}

void check_shapes(const Recipe& recipe, const DataSet& data) {
  const std::string place = where(recipe, "model.layers");
  const char* what = data.classes ? "classes" : "targets";
  if (data.features() > widest)
    refuse("{}: {} features; a network takes at most {}", shown_files(recipe.train_file),
           data.features(), widest);
  const bool reads_ids = recipe.layers.front().kind == SLUICE_EMBEDDING;
  if (data.is_text() != reads_ids)
    refuse(
        "{}: {}", place,
        data.is_text()
            ? "text is read through an embedding; begin with one, such as { embedding = 32 }"
            : "an embedding reads text; give data.format = \"text\" or \"tsv\", or leave it out");
  std::vector<std::int64_t> widths = {entering(data)};
  double weights = 0;
  for (std::size_t l = 0; l < recipe.layers.size(); ++l) {
    const LayerSpec& spec = recipe.layers[l];
    const std::int64_t in = width_of_sources(recipe.layers, l, widths, place);
    if (!spec.joins()) weights += weights_of(spec, in);
    if (spec.joins() && in > std::int64_t(widest))
      refuse("{}: layer {} joins {} numbers; a layer has at most {}", place, l + 1, in, widest);
    if (spec.tied && in != spec.out(in))
      refuse(
          "{}: tied layers have as many inputs as outputs, but {} numbers enter a layer with {} "
          "outputs",
          place, in, spec.out(in));
    widths.push_back(spec.out(in));
  }
  const std::int64_t in = widths.back();
  const bool one_of_two = recipe.loss == LossKind::binary && data.classes;
  if (one_of_two && data.labels.size() != 2)
    refuse("{}: binary is for two classes, but {} has {}; give cross_entropy",
           where(recipe, "train.loss"), shown_files(recipe.train_file), data.labels.size());
  if (data.classes && data.labels.size() == 1)
    refuse("{}: one class, \"{}\"; nothing can be learned from it", shown_files(recipe.train_file),
           data.labels[0]);
  if (recipe.loss == LossKind::binary && !data.classes)
    for (std::size_t i = 0; i < (data.per_row ? data.first.back() : data.sequences()); ++i)
      for (std::size_t k = 0; k < data.outputs(); ++k)
        if (const float value = data.value_at(i, k); value < 0 || value > 1)
          refuse("{}: binary is for values of 0 to 1, but {} has {}; give another loss",
                 where(recipe, "train.loss"), shown_files(recipe.train_file), value);
  const std::size_t outputs = one_of_two ? 1 : data.labels.size();
  if (heads_of(recipe).empty() && std::size_t(in) != outputs)
    refuse("{}: the last layer has {} units, but {} has {} {}; give it {}", place, in,
           shown_files(recipe.train_file), data.labels.size(), what, outputs);
  if (weights > most_weights)
    refuse("{}: {:.0f} weights; a blob holds at most {:.0f}", place, weights, most_weights);
}

/// The source of an array's random numbers: each depends on the counter of its place.
struct Source {
  std::uint64_t seed;
  std::uint32_t layer, array;

  std::uint32_t word(std::size_t i, std::uint32_t purpose = 0) const {
    return Philox::at(seed, std::uint32_t(i / 4), array, layer,
                      std::uint32_t(Purpose::initialize) | purpose << 16)
        .word[i % 4];
  }
  /// U(-1, 1).
  float uniform(std::size_t i) const { return 2.0f * unit_float(word(i)) - 1.0f; }
  /// N(0, 1) by Box, Muller 1958. Uses no libm, so that the bits are the same on every machine.
  double normal(std::size_t i) const {
    float log_u = 1.0f - unit_float(word(i));  // in (0, 1]
    pick_kernels("scalar")->log_f32(&log_u, &log_u, 1);
    const double turn = 2.0 * double(unit_float(word(i, 1)));
    return std::sqrt(-2.0 * double(log_u)) * cos_pi(turn <= 1.0 ? turn : 2.0 - turn);
  }
};

/// Makes rows or columns, whichever are fewer, orthonormal by Gram, Schmidt; twice, for accuracy.
void make_orthogonal(std::vector<double>& w, std::size_t rows, std::size_t cols) {
  const bool by_row = rows <= cols;
  const std::size_t vectors = by_row ? rows : cols, length = by_row ? cols : rows;
  const auto at = [&](std::size_t v, std::size_t i) -> double& {
    return by_row ? w[v * cols + i] : w[i * cols + v];
  };
  for (std::size_t v = 0; v < vectors; ++v) {
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t u = 0; u < v; ++u) {
        double dot = 0;
        for (std::size_t i = 0; i < length; ++i) dot += at(v, i) * at(u, i);
        for (std::size_t i = 0; i < length; ++i) at(v, i) -= dot * at(u, i);
      }
    double square = 0;
    for (std::size_t i = 0; i < length; ++i) square += at(v, i) * at(v, i);
    const double scale = 1.0 / std::sqrt(square);
    for (std::size_t i = 0; i < length; ++i) at(v, i) *= scale;
  }
}

/// Draws one array; the matrix of each gate by itself.
/// @param bound  of PyTorch's uniform distribution
void draw(Array& array, Initializer how, double bound, const Source& source) {
  const double fan_in = array.cols, fan_out = array.rows;
  const bool xavier = how == Initializer::xavier_uniform || how == Initializer::xavier_normal,
             normal = how == Initializer::xavier_normal || how == Initializer::kaiming_normal;
  const double fans = xavier ? (fan_in + fan_out) / 2 : fan_in / 2;  // kaiming has ReLU's gain, 2
  const float factor =
      float(how == Initializer::pytorch ? bound : std::sqrt((normal ? 1.0 : 3.0) / fans));
  if (how == Initializer::orthogonal) {
    const std::size_t size = std::size_t(array.rows) * std::size_t(array.cols);
    for (int gate = 0; gate < array.gates; ++gate) {
      std::vector<double> w(size);
      for (std::size_t i = 0; i < size; ++i) w[i] = source.normal(std::size_t(gate) * size + i);
      make_orthogonal(w, std::size_t(array.rows), std::size_t(array.cols));
      for (std::size_t i = 0; i < size; ++i)
        array.values[std::size_t(gate) * size + i] = float(w[i]);
    }
    return;
  }
  for (std::size_t i = 0; i < array.values.size(); ++i)
    array.values[i] = how == Initializer::zeros ? 0.0f
                      : normal                  ? float(source.normal(i) * double(factor))
                                                : source.uniform(i) * factor;
}

/// Adds to the input bias of one gate.
void add_to_gate(Layer& layer, int gate, double value) {
  for (Array& array : layer.arrays)
    if (array.role == Role::input_bias)
      for (int i = 0; i < array.rows; ++i)
        array.values[std::size_t(gate) * std::size_t(array.rows) + std::size_t(i)] += float(value);
}

void initialize_layer(Layer& layer, const Initializers& how, std::uint64_t seed,
                      std::uint32_t index) {
  const bool state = recurrent(layer);
  const double bound = 1.0 / std::sqrt(double(state ? layer.gate_rows() : layer.in));
  // Low rank: W1 and W2 are drawn so that W1 W2 has the variance of a whole W.
  const double factor_bound =
      layer.rank > 0 ? std::sqrt(3 * std::sqrt(bound * bound / (3 * double(layer.rank)))) : 0;
  for (std::size_t a = 0; a < layer.arrays.size(); ++a) {
    Array& array = layer.arrays[a];
    const bool low_rank =
        layer.rank > 0 && array.is_matrix() &&
        (array.role != Role::input_weight || layer.find(Role::input_factor, array.backward));
    const WeightGroup group = layer.group_of(array);
    const Initializer way = group == WeightGroup::biases      ? how.bias
                            : group == WeightGroup::recurrent ? how.recurrent
                            : group == WeightGroup::input     ? how.input
                                                              : how.output;
    const Source source{seed, index, std::uint32_t(a)};
    if (of_initial_state(array.role)) continue;  // zero
    if (array.role == Role::slope) {
      array.values.assign(array.values.size(), 0.25f);  // as in PyTorch
      continue;
    }
    const bool own_bias = array.role == Role::gate_bias || array.role == Role::candidate_bias;
    if (array.role == Role::zeta || array.role == Role::nu ||
        (own_bias && way == Initializer::pytorch)) {
      array.values.assign(array.values.size(),
                          array.role == Role::nu ? -4.0f : 1.0f);  // as in EdgeML
      continue;
    }
    if (group != WeightGroup::embedding) {
      draw(array, way, low_rank ? factor_bound : bound, source);
    } else {
      for (std::size_t i = 0; i < array.values.size(); ++i)
        array.values[i] = float(source.normal(i));
    }
  }
  const int remembers = layer.anatomy().remembers;
  const double bias = layer.anatomy().states == 2 ? how.forget_bias : how.update_bias;
  if (remembers >= 0 && bias != 0) add_to_gate(layer, remembers, bias);
}

}  // namespace

void initialize(Network& network, std::uint64_t seed, const Initializers& how) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    Layer& layer = network.layers[l];
    const bool norm = layer.find(Role::shift);
    for (Array& array : layer.arrays)
      if (norm)
        array.values.assign(
            array.values.size(),
            array.role == Role::scale || array.role == Role::variance ? 1.0f : 0.0f);
    if (layer.tied >= 0)
      layer.arrays = network.layers[std::size_t(layer.tied)].arrays;
    else if (!norm && !only_prepares(layer))
      initialize_layer(layer, how, seed, std::uint32_t(l));
  }
}

namespace {

/// Returns the mean of each value over the valid targets of these sequences; 0 if there are none.
std::vector<double> target_means(const DataSet& data, const std::vector<std::size_t>& sequences) {
  std::vector<double> sum(data.outputs());
  std::vector<std::uint64_t> count(data.outputs());
  for (const std::size_t s : sequences)
    for (std::size_t t = 0; t < data.targets(s); ++t)
      for (std::size_t i = 0; i < data.outputs(); ++i) {
        const float value = data.value_at(data.target_begin(s) + t, i);
        if (std::isnan(value)) continue;
        sum[i] += value, ++count[i];
      }
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = count[i] ? sum[i] / double(count[i]) : 0;
  return sum;
}

/// A linear output begins at the targets' mean: a rate of 1e-3 would take long to get there.
/// @param means  of as many targets as the layer has outputs, or more
void start_at_means(Layer& last, const double* means) {
  if (last.kind != SLUICE_DENSE || last.activation != SLUICE_LINEAR) return;
  for (float& bias : last.array(Role::input_bias).values) bias = float(*means++);
}

/// The layers that answer values begin at these.
void start_at_means(Network& network, const DataSet& data, const Split& split) {
  if (data.classes) return;
  const std::vector<double> means = target_means(data, split.train);
  if (data.heads.empty()) return start_at_means(network.layers.back(), means.data());
  const double* of_head = means.data();
  const std::vector<std::uint32_t> answers = answers_of(network);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    start_at_means(network.layers[answers[i] - 1], of_head);
    of_head += data.heads[i].columns();
  }
}

}  // namespace

Network make_network(const Recipe& recipe, const DataSet& data, const Split& split) {
  check_shapes(recipe, data);
  Network network;
  const int in = int(entering(data));
  if (!data.is_text()) network.width = in;
  if (recipe.differences) network.layers.push_back(make_layer(SLUICE_DIFFERENCE, in, in));
  if (recipe.standardize && !data.is_text()) {
    const Standardization statistics = standardization(data, split.train, recipe.differences);
    Layer layer = make_layer(SLUICE_STANDARDIZE, in, in);
    for (Array& array : layer.arrays)
      array.values = array.role == Role::mean ? statistics.mean : statistics.scale;
    network.layers.push_back(std::move(layer));
  }
  add_layers(recipe.layers, in, where(recipe, "model.layers"), network);
  initialize(network, std::uint64_t(recipe.seed),
             {.input = recipe.init_input,
              .recurrent = recipe.init_recurrent,
              .output = recipe.init_output,
              .bias = recipe.init_bias,
              .forget_bias = recipe.init_forget_bias,
              .update_bias = recipe.init_update_bias});
  start_at_means(network, data, split);
  network.inputs = data.feature_names;
  if (!data.is_text() || !data.per_row)
    network.labels = output_names(data);  // else the vocabulary's
  network.vocabulary = vocabulary_section(data.tokens);
  network.made = made_json(recipe, data_hash(data));
  network.made = made_with_reading(network.made, data);
  if (!data.units.empty()) network.made = made_with_units(network.made, data.units);
  if (!recipe.init_from.empty()) start_from(recipe, data, split, network);
  return network;
}

}  // namespace sluice::tools
