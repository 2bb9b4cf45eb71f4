// Tests training for fixed point: its passes compute the same as the fixed-point blob, and it keeps
// that blob.
#include "train/aware.h"

#include <doctest/doctest.h>

#include <cmath>

#include "../support/models.h"
#include "common/error.h"
#include "convert/calibrate.h"
#include "model/pack.h"
#include "recipe/read.h"
#include "train/train.h"

using namespace sluice;
using namespace sluice::tests;
using namespace sluice::tools;

namespace {

/// Makes sequences from which a network can learn: the class is the one of three features with the
/// largest mean. The last feature never changes.
DataSet three_classes(int sequences, int steps) {
  DataSet data;
  Noise noise(77);
  data.feature_names = {"a", "b", "c", "still"};
  data.labels = {"a", "b", "c"};
  for (int s = 0; s <= sequences; ++s) data.first.push_back(size_t(s * steps));
  for (int s = 0; s < sequences; ++s) {
    data.names.push_back(std::to_string(s));
    data.target.push_back(s % 3);
    for (int t = 0; t < steps; ++t)
      for (int k = 0; k < 4; ++k)
        data.x.push_back(k == 3 ? 2.5f : noise.number(-3, 3) + (k == s % 3 ? 1.0f : 0.0f));
  }
  return data;
}

Recipe recipe_of(const std::string& layers, const std::string& type) {
  return parse_recipe("[data]\ntrain = \"-\"\nvalidation = 0.25\n[model]\nlayers = [" + layers +
                          "]\n[train]\nepochs = 6\nbatch = 8\nlearning_rate = 1e-2\nthreads = "
                          "1\n[quantize]\naware = true\ntype = \"" +
                          type + "\"\n",
                      "recipe.toml", {});
}

/// Returns the mean loss of the trainer's own forward pass over the split's training part.
double seen_loss(const OwnedModel& start, const DataSet& frames, const Split& split,
                 const sluice_rounding* rounding) {
  sluice_train_options options = sluice_train_defaults();
  options.max_sequences = uint32_t(split.train.size());
  options.max_steps = uint32_t(frames.steps(0));
  options.rounding = rounding;
  AlignedBytes arena(size_t(sluice_train_needs(&start.model, &options)));
  sluice_trainer trainer;
  REQUIRE_EQ(sluice_train_start(&trainer, &start.model, &options, arena.data.get(), arena.size),
             SLUICE_OK);
  std::vector<sluice_sequence> batch;
  for (const size_t s : split.train)
    batch.push_back({frames.frames(s), uint32_t(frames.steps(s)), s, &frames.target[s], nullptr,
                     nullptr, nullptr, 0});
  sluice_train_result result;
  REQUIRE(sluice_train_gradient(&trainer, batch.data(), uint32_t(batch.size()), nullptr, &result,
                                nullptr) != nullptr);
  return result.loss_sum / double(result.targets);
}

constexpr const char* layer_lists[] = {
    R"({ gru = 12 }, { dense = 3, activation = "softmax" })",
    R"({ gru = 9, steps = "every" }, { dense = 8, activation = "relu" }, { gru = 7 }, { dense = 3, activation = "softmax" })",
    R"({ lstm = 9, steps = "every" }, { rnn = 7 }, { dense = 3, activation = "softmax" })",
    R"({ fastgrnn = 9, steps = "every" }, { fastgrnn = 7 }, { dense = 3, activation = "softmax" })"};

}  // namespace

TEST_CASE("the passes compute the fixed-point network, except for roundings to 16 bits") {
  const DataSet data = three_classes(48, 20);
  const Split parts = split(data, 0.25, 1);
  for (const char* layers : layer_lists)
    for (const char* type : {"int8", "w8a16"}) {
      CAPTURE(layers);
      CAPTURE(type);
      const Recipe recipe = recipe_of(layers, type);
      Network network = make_network(recipe, data, parts);
      for (Layer& layer : network.layers)  // large enough for roundings to matter
        for (Array& array : layer.arrays)
          for (float& v : array.values) v *= layer.kind == SLUICE_STANDARDIZE ? 1 : 3;
      const OwnedModel start = open_model(write_blob(network), "test");
      Aware aware(recipe, data, parts, start);
      const OwnedModel fixed = open_model(write_blob(aware.make(start.model).network), "test");
      const double device = evaluate(fixed.model, data, parts.train, 1).loss;
      const double seen = seen_loss(start, aware.rounded, parts, &aware.rounding),
                   plain = seen_loss(start, data, parts, nullptr);
      CAPTURE(plain);
      // A FastGRNN's biases are rounded, and its unit is coarser.
      const bool fastgrnn = std::string(layers).find("fastgrnn") != std::string::npos;
      CHECK(std::fabs(seen - device) <= (fastgrnn ? 4e-4 : 2e-4) * device);
      // An int8 FastGRNN is so near to the float network that the ratio says nothing.
      if (std::string(type) == "int8" && !fastgrnn)
        CHECK(std::fabs(seen - device) <= 0.2 * std::fabs(plain - device));
      CHECK_EQ(aware.refused, nullptr);
    }
}

TEST_CASE(
    "a GRU that resets before, and low rank, are not trained for fixed point, and are named") {
  const DataSet data = three_classes(12, 5);
  const Recipe recipe = recipe_of(
      "{ gru = 4 }, { gru = 4, reset = \"before\" }, { dense = 3, activation = \"softmax\" }",
      "int8");
  CHECK_THROWS_WITH_AS(
      check_aware(recipe, make_network(recipe, data, split(data, 0.25, 1)), data,
                  split(data, 0.25, 1)),
      doctest::Contains("quantize.aware: layer 3 (gru_before): the trainer cannot round r * h"),
      Error);
  const Recipe low =
      recipe_of("{ gru = 4, rank = 2 }, { dense = 3, activation = \"softmax\" }", "int8");
  CHECK_THROWS_WITH_AS(
      check_aware(low, make_network(low, data, split(data, 0.25, 1)), data, split(data, 0.25, 1)),
      doctest::Contains("layer 2 (gru): the trainer cannot round the products"), Error);
}

TEST_CASE("training for fixed point keeps the blob that its validation ran") {
  const DataSet data = three_classes(48, 12);
  const Split parts = split(data, 0.25, 1);
  for (const char* layers : layer_lists)
    for (const char* type : {"int8", "w8a16"}) {
      Recipe recipe = recipe_of(layers, type);
      recipe.patience = 4;
      const Trained trained = train(recipe, data, parts, make_network(recipe, data, parts));
      CHECK_EQ(trained.model.info().format,
               std::string(type) == "int8" ? SLUICE_INT8 : SLUICE_W8A16);
      CHECK_EQ(trained.real.info().format, SLUICE_F32);
      REQUIRE_EQ(trained.warnings.size(), 1u);
      CHECK(trained.warnings[0].find("still") == 0);
      // A FastGRNN begins with open gates and learns slowly.
      const bool slow = std::string(layers).find("fastgrnn") != std::string::npos;
      CHECK(trained.epochs.back().loss < (slow ? 0.95 : 0.9) * trained.epochs.front().loss);
      const Epoch& kept = trained.epochs[size_t(trained.kept - 1)];
      CHECK_EQ(evaluate(trained.model.model, data, parts.held_out, 1).loss, kept.held_out->loss);
      // The result equals the kept float weights quantized to nearest, by the training part's
      // ranges.
      const Network real = read_network(trained.real.model);
      Ranges ranges = feature_ranges(real, data, parts.train, RangeChoice::min_error);
      ranges.outputs = output_ranges(real, data, parts.train);

      const OwnedModel again = open_model(
          write_blob(quantize(real, sluice_format(trained.model.info().format), ranges).network),
          "test");
      CHECK_EQ(sluice_hash(&again.model), sluice_hash(&trained.model.model));
      CHECK_EQ(evaluate(again.model, data, parts.held_out, 1).loss, kept.held_out->loss);
    }
}
