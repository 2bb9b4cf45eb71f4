// A trainer for a test's network, and access to its numbers by name.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "model/graph.h"
#include "models.h"
#include "reference.h"
#include "sluice_train.h"

namespace sluice::tests {

/// Weights or gradients by name: [layer][array].
using Plain = std::vector<std::map<std::string, std::vector<float>>>;

inline std::vector<sluice_sequence> sequences_of(const std::vector<Example>& examples) {
  std::vector<sluice_sequence> v;
  for (const Example& e : examples)
    v.push_back({e.x.data(), uint32_t(e.steps), e.number,
                 e.classes.empty() ? nullptr : e.classes.data(),
                 e.values.empty() ? nullptr : e.values.data(),
                 e.ids.empty() ? nullptr : e.ids.data(), nullptr, 0});
  return v;
}

/// Makes ragged sequences of 1 to `longest` steps, not counting those before the first answer, with
/// some targets masked.
inline std::vector<Example> random_examples(const Network& network, int count, int longest,
                                            bool cross_entropy, uint64_t seed) {
  Noise noise(seed);
  const int inputs = tools::frame_width(network), outputs = network.layers.back().out;
  const bool ids = network.layers.front().kind == SLUICE_EMBEDDING;
  const bool every = !tools::one_row_per_sequence(network).back();
  std::vector<Example> v;
  for (int i = 0; i < count; ++i) {
    Example e;
    e.steps = int(tools::answered_steps(network).first) + 1 + (i * 5 + 2) % longest;
    e.number = uint64_t(i);
    if (!ids) e.x = noise.uniform(size_t(e.steps) * size_t(inputs));
    for (int t = 0; ids && t < e.steps; ++t) e.ids.push_back(noise.below(inputs + 2) - 1);
    for (int t = 0; t < (every ? e.steps : 1); ++t) {
      e.classes.push_back((i + t) % 5 == 4 ? -1 : noise.below(outputs));
      for (int o = 0; o < outputs; ++o)
        e.values.push_back((i + t + o) % 7 == 6 ? std::numeric_limits<float>::quiet_NaN()
                                                : noise.number(-1, 1));
    }
    (cross_entropy ? e.values.clear() : e.classes.clear());
    v.push_back(e);
  }
  return v;
}

inline sluice_train_options test_options(bool cross_entropy = true) {
  sluice_train_options o = sluice_train_defaults();
  o.loss = cross_entropy ? SLUICE_CROSS_ENTROPY : SLUICE_MSE;
  o.max_sequences = 32;
  o.max_steps = 16;
  return o;
}

struct Training {
  Opened model;
  sluice_train_options options;
  Memory arena;
  sluice_trainer trainer;

  // The arena is filled with 0xFF, which are NaNs, to find numbers that were not written.
  Training(const Network& network, const sluice_train_options& o, const char* isa = nullptr)
      : model(network, isa), options(o), arena(size_t(sluice_train_needs(&model.model, &o)), 0xFF) {
    REQUIRE_EQ(sluice_train_start(&trainer, &model.model, &options, arena.data(), arena.size),
               SLUICE_OK);
  }

  sluice_train_result step(const std::vector<Example>& examples,
                           const sluice_host* host = nullptr) {
    sluice_train_result result;
    const auto sequences = sequences_of(examples);
    REQUIRE_EQ(
        sluice_train_step(&trainer, sequences.data(), uint32_t(sequences.size()), host, &result),
        SLUICE_OK);
    return result;
  }

  /// Returns the whole gradient, in the layout of the blob's weight section.
  std::vector<float> raw_gradient(const std::vector<Example>& examples,
                                  sluice_train_result* result = nullptr,
                                  const sluice_host* host = nullptr) {
    const auto sequences = sequences_of(examples);
    sluice_status status = SLUICE_STATUS_COUNT;
    const float* g = sluice_train_gradient(&trainer, sequences.data(), uint32_t(sequences.size()),
                                           host, result, &status);
    REQUIRE_EQ(status, SLUICE_OK);
    REQUIRE(g != nullptr);
    size_t bytes = 0;
    sluice_section(&model.model, SLUICE_SECTION_WEIGHTS, &bytes);
    return {g, g + bytes / 4};
  }

  Plain gradient(const std::vector<Example>& examples, sluice_train_result* result = nullptr) {
    return by_name(raw_gradient(examples, result).data());
  }

  /// Returns numbers in the layout of the weight section by name.
  Plain by_name(const float* g) const {
    size_t bytes = 0;
    const auto* section =
        static_cast<const uint8_t*>(sluice_section(&model.model, SLUICE_SECTION_WEIGHTS, &bytes));
    return plain(
        [&](uint32_t offset) { return g + (offset - size_t(section - model.blob.data())) / 4; });
  }

  std::string stored() const {
    Memory blob(
        std::string_view(reinterpret_cast<const char*>(model.blob.data()), model.blob.size));
    REQUIRE_EQ(sluice_train_store(&trainer, blob.data(), blob.size), SLUICE_OK);
    return {reinterpret_cast<const char*>(blob.data()), blob.size};
  }

  Plain weights() const {
    const Memory blob(stored());
    return plain(
        [&](uint32_t offset) { return reinterpret_cast<const float*>(blob.data() + offset); });
  }

  /// Returns numbers by layer and name, from the offsets in the blob's records.
  template <class At>
  Plain plain(At at) const {
    Plain all;
    const auto* records = static_cast<const LayerRecord*>(
        sluice_section(&model.model, SLUICE_SECTION_LAYERS, nullptr));
    for (uint32_t l = 0; l < model.info().layers; ++l) {
      Weights arrays[most_arrays];
      const int n = layer_weights(records[l], arrays);
      all.emplace_back();
      for (int i = 0; i < n; ++i) {
        const float* from = at(arrays[i].offset);
        std::vector<float>& to = all.back()[tools::array_name(records[l].kind, arrays[i])];
        for (int gate = 0; gate < arrays[i].gates; ++gate)
          for (int row = 0; row < arrays[i].rows; ++row)
            for (int col = 0; col < arrays[i].cols; ++col)
              to.push_back(from[element(arrays[i], gate, row, col)]);
      }
    }
    return all;
  }
};

template <class A, class B>
double largest_difference(const std::vector<A>& a, const std::vector<B>& b) {
  REQUIRE_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double d = std::fabs(double(a[i]) - double(b[i]));
    if (!(d <= worst)) worst = d;  // true for NaN too
  }
  return worst;
}

template <class A>
double largest(const std::vector<A>& a) {
  double most = 0;
  for (const A v : a) most = std::fmax(most, std::fabs(double(v)));
  return most;
}

}  // namespace sluice::tests
