// Tests pruning: the schedule, the choice of blocks, that pruned blocks stay zero, and the
// quantization of a pruned network.
#include "train/prune.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "../support/models.h"
#include "../support/refusal.h"
#include "convert/quantize.h"
#include "model/pack.h"
#include "recipe/read.h"
#include "train/train.h"

using namespace sluice;
using namespace sluice::tests;
using namespace sluice::tools;

namespace {

/// Makes sequences of three frames. The class says whether the sum of the last frame is above 0.
DataSet signs(int sequences) {
  DataSet data;
  Noise noise(5);
  data.feature_names = {"a", "b", "c", "d", "e"};
  data.labels = {"low", "high"};
  data.classes = true;
  data.first.push_back(0);
  for (int s = 0; s < sequences; ++s) {
    float sum = 0;
    for (int i = 0; i < 15; ++i) data.x.push_back(noise.number(-1, 1));
    for (int i = 1; i <= 5; ++i) sum += data.x.end()[-i];
    data.target.push_back(sum > 0);
    data.names.push_back(std::to_string(s));
    data.first.push_back(data.x.size() / 5);
  }
  return data;
}

Recipe recipe_of(const std::string& layers, const std::vector<std::string>& overrides) {
  std::vector<Override> parsed;
  for (const std::string& text : overrides) parsed.push_back(parse_override(text));
  return parse_recipe("[data]\ntrain = \"-\"\ntarget_type = \"class\"\n[model]\nlayers = [ " +
                          layers +
                          ", { dense = 2, activation = \"softmax\" } ]\n[train]\nbatch = "
                          "4\nthreads = 1\nepochs = 4\n",
                      "recipe.toml", parsed);
}

struct Run {
  Recipe recipe;
  DataSet data = signs(40);  // ten batches per epoch
  Split parts;
  Trained trained;

  Run(const std::string& layers, const std::vector<std::string>& overrides)
      : recipe(recipe_of(layers, overrides)),
        parts(recipe.validation > 0 ? split(data, recipe.validation, 1)
                                    : Split{all_sequences(data), {}}),
        trained(train(recipe, data, parts, make_network(recipe, data, parts))) {}
  Network network() const { return read_network(trained.model.model); }
};

std::string refusal(const std::string& layers, const std::vector<std::string>& overrides) {
  return refusal_of([&] {
    const Recipe recipe = recipe_of(layers, overrides);
    const DataSet data = signs(40);
    prune_plan(recipe, {all_sequences(data), {}});
  });
}

}  // namespace

TEST_CASE("the share of zeros grows by the cubic schedule, as computed by hand") {
  const DataSet data = signs(40);
  const Recipe recipe = recipe_of("{ gru = 9 }", {"train.prune=0.8", "train.prune_begin=0.25",
                                                  "train.prune_end=0.8", "train.prune_every=5"});
  // Of 40 batches, pruning takes the 10th to the 32nd.
  const PrunePlan plan = prune_plan(recipe, {all_sequences(data), {}});
  CHECK_EQ(plan.begin, 10u);
  CHECK_EQ(plan.count, 4u);
  CHECK_EQ(plan.last(), 30u);
  // 0.8 * (1 - (3/4)^3, (2/4)^3, (1/4)^3, 0)
  CHECK(plan.share_before(15) == doctest::Approx(0.4625).epsilon(1e-12));
  CHECK(plan.share_before(20) == doctest::Approx(0.7).epsilon(1e-12));
  CHECK(plan.share_before(25) == doctest::Approx(0.7875).epsilon(1e-12));
  CHECK_EQ(plan.share_before(30), 0.8);
  for (const uint64_t step : {0, 5, 9, 10, 11, 16, 31, 35, 39})
    CHECK_EQ(plan.share_before(step), 0.0);
}

TEST_CASE(
    "blocks of least L2 norm are pruned first, the earlier of equal ones; pruned blocks stay "
    "pruned") {
  // Two gates of 9 x 5 are two panels of two blocks each. They have the blocks 0 to 7; 2, 3, 6 and
  // 7 have a single row.
  Array w;
  w.name = "weight_ih", w.gates = 2, w.rows = 9, w.cols = 5;
  w.values.resize(90);
  const auto set = [&](int gate, int row, int col, float value) {
    w.values[size_t((gate * 9 + row) * 5 + col)] = value;
  };
  set(0, 0, 0, 3), set(0, 7, 3, -4);                   // block 0: norm 5
  set(0, 1, 4, 4.9f);                                  // block 1
  set(0, 8, 0, 1);                                     // block 2
  set(0, 8, 4, 2);                                     // block 3
  set(1, 0, 0, 1), set(1, 1, 1, -1), set(1, 2, 2, 1);  // block 4: more L1 than block 3, less L2
  set(1, 3, 4, -2);                                    // block 5: as block 3
  set(1, 8, 3, 6);                                     // block 6
  set(1, 8, 4, 0.5f);                                  // block 7
  Array mask = w;
  std::fill(mask.values.begin(), mask.values.end(), 1.0f);
  const auto masked = [&] {
    std::vector<int> blocks;
    const int row[] = {0, 0, 8, 8, 9, 9, 17, 17}, col[] = {0, 4, 0, 4, 0, 4, 0, 4};
    for (int b = 0; b < 8; ++b)
      if (mask.values[size_t(row[b] * 5 + col[b])] == 0) blocks.push_back(b);
    return blocks;
  };
  prune(w, 0.25, mask);
  CHECK_EQ(masked(), std::vector<int>{2, 7});
  // Padding does not count.
  CHECK_EQ(std::count(mask.values.begin(), mask.values.end(), 0.0f), 4 + 1);
  prune(w, 0.5, mask);
  CHECK_EQ(masked(), std::vector<int>{2, 3, 4, 7});
  std::fill(w.values.begin(), w.values.end(), 0.0f);
  set(0, 8, 0, 100);  // block 2, pruned before
  prune(w, 0.5, mask);
  CHECK_EQ(masked(), std::vector<int>{2, 3, 4, 7});
  prune(w, 0.6, mask);  // 4.8 blocks are rounded to 5; of equal ones the first is pruned
  CHECK_EQ(masked(), std::vector<int>{0, 2, 3, 4, 7});
}

TEST_CASE(
    "each matrix of each recurrent layer ends with its share of zero blocks, and no other array is "
    "pruned") {
  for (const char* layers :
       {"{ gru = 20 }", "{ gru = 20, reset = \"before\" }", "{ lstm = 20, directions = \"both\" }",
        "{ rnn = 20 }, { gru = 20, repeat = 2, tied = true }"}) {
    CAPTURE(layers);
    const Run run(layers, {"train.prune=0.7", "train.prune_every=3"});
    for (const Layer& layer : run.network().layers)
      for (const Array& a : layer.arrays) {
        CAPTURE(a.name);
        if (recurrent(layer) && a.name.starts_with("weight")) {
          const BlockShare share = zero_blocks(a);
          CHECK_EQ(share.zero, uint64_t(std::floor(0.7 * double(share.blocks) + 0.5)));
        } else {
          CHECK_EQ(std::count(a.values.begin(), a.values.end(), 0.0f), 0);
        }
      }
    const std::vector<Epoch>& epochs = run.trained.epochs;
    CHECK_EQ(epochs.back().zero_blocks, zero_shares(run.network()));
    for (size_t e = 1; e < epochs.size(); ++e)
      CHECK(epochs[e].zero_blocks[0] >= epochs[e - 1].zero_blocks[0]);
    CHECK(log_line(epochs.back(), true).find("\"zero_blocks\":[0.") != std::string::npos);
  }
}

TEST_CASE("without pruning no zero blocks are reported; frozen layers keep their blocks") {
  const Run run("{ gru = 20 }", {});
  CHECK(log_line(run.trained.epochs.back(), true).find("zero_blocks") == std::string::npos);
  const Run frozen("{ gru = 20 }, { gru = 20 }", {"train.prune=0.7", "model.freeze=[\"1\"]"});
  CHECK_EQ(zero_shares(frozen.network())[0], 0.0);
  CHECK(zero_shares(frozen.network())[1] > 0.5);
}

TEST_CASE("the best epoch is one that ends fully pruned") {
  const Run run("{ gru = 20 }",
                {"train.prune=0.7", "train.prune_begin=0.5", "train.prune_end=0.8",
                 "train.prune_every=1", "train.epochs=10", "data.validation=0.2",
                 "train.patience=1", "train.learning_rate=1e-9", "train.min_improvement=10"});
  // Nothing is learned, so patience alone would end the training in the third epoch. But it begins
  // to count with the first epoch that ends fully pruned.
  CHECK_EQ(run.trained.epochs.size(), 10u);
  CHECK(run.trained.kept >= 8);
  for (const Layer& layer : run.network().layers)
    if (recurrent(layer))
      CHECK(zero_shares(run.network())[0] == doctest::Approx(0.7).epsilon(0.03));
}

TEST_CASE("a pruned network in fixed point is stored sparse, and answers as the dense blob does") {
  for (const char* type : {"int8", "w8a16"}) {
    const Run run("{ gru = 40 }",
                  {"train.prune=0.9", "train.prune_every=2",
                   std::string("quantize.type=\"") + type + "\"", "quantize.aware=true"});
    Network network = run.network();
    REQUIRE(network.layers[0].sparse);
    CHECK(!network.layers.back().sparse);
    CHECK(zero_shares(network)[0] == doctest::Approx(0.9).epsilon(0.01));
    const OwnedModel sparse = open_model(write_blob(network), "sparse");
    network.layers[0].sparse = false;
    const OwnedModel dense = open_model(write_blob(network), "dense");
    CHECK(sluice_describe_layer(&sparse.model, 0).weight_bytes * 2 <
          sluice_describe_layer(&dense.model, 0).weight_bytes);
    CHECK_EQ(sluice_hash(&sparse.model), sluice_hash(&dense.model));
    OwnedStream a(sparse.model, {1, 1}), b(dense.model, {1, 1});
    Noise noise(3);
    for (int t = 0; t < 50; ++t) {
      std::vector<float> x = noise.uniform(5);
      std::vector<int16_t> q(5), ya(2), yb(2);
      sluice_quantize(&sparse.model, x.data(), q.data(), 1);
      sluice_step(&a.stream, q.data(), ya.data());
      sluice_step(&b.stream, q.data(), yb.data());
      REQUIRE_EQ(ya, yb);
    }
  }
}

TEST_CASE("adaptive rounding does not change pruned weights") {
  Network real = random_network(8, {gru(16), dense(2)}, 3);
  for (size_t i = 0; i < real.layers[0].arrays[0].values.size(); ++i)
    if (i % 8 < 4) real.layers[0].arrays[0].values[i] = 0;
  Noise noise(4);
  const Ranges ranges{.low = std::vector<float>(8, -1),
                      .high = std::vector<float>(8, 1),
                      .outputs = {.peak = {1, 1}}};
  std::vector<LayerMoments> moments(2);
  const auto correlated = [&](size_t n) {  // all inputs are correlated, so that the error of one
                                           // weight is compensated by another
    Moments m;
    m.mean.assign(n, 0.1);
    m.covariance.assign(n * n, 0.9);
    for (size_t i = 0; i < n; ++i) m.covariance[i * n + i] = 1;
    return m;
  };
  moments[0].input = correlated(8), moments[0].state = correlated(16),
  moments[1].input = correlated(16);
  const Quantized rounded = quantize(real, SLUICE_INT8, ranges, moments),
                  nearest = quantize(real, SLUICE_INT8, ranges);
  const auto& w = rounded.network.layers[0].arrays[0].integers;
  CHECK(w != nearest.network.layers[0].arrays[0].integers);
  for (size_t i = 0; i < w.size(); ++i)
    if (i % 8 < 4) REQUIRE_EQ(w[i], 0);
}

TEST_CASE("rows without weights keep their bias, although other rows have large weights") {
  Network real = random_network(3, {gru(16), dense(2)}, 3);
  for (int matrix = 0; matrix < 2; ++matrix) {
    Array& w = real.layers[0].arrays[size_t(matrix)];
    for (size_t i = 0; i < w.values.size(); ++i)
      w.values[i] = i < size_t(8 * w.cols) ? 0 : 20 * w.values[i];
    real.layers[0].arrays[size_t(matrix + 2)].values[3] = 1.5f;
  }
  const Ranges ranges{.low = std::vector<float>(3, -1),
                      .high = std::vector<float>(3, 1),
                      .outputs = {.peak = {1, 1}}};
  const Quantized made = quantize(real, SLUICE_INT8, ranges);
  const Layer& layer = made.network.layers[0];
  for (size_t matrix = 0; matrix < 2; ++matrix) {
    const std::vector<int32_t>& b = layer.arrays[matrix + 2].integers;
    const double shift = matrix ? layer.shift_hh : layer.shift_ih;
    // R(b, s, m) in units of 2^-12. The inputs' zero point adds nothing to a row of zeros.
    CHECK(double(b[3]) * std::ldexp(double(b[48 + 3]), int(shift) - 32) ==
          doctest::Approx(1.5 * 4096).epsilon(1e-4));
  }
}

TEST_CASE("contradictory settings are refused") {
  const auto says = [](const std::string& message, const char* part) {
    return message.find(part) != std::string::npos;
  };
  CHECK(says(refusal("{ gru = 4 }", {"train.prune=0.5", "train.prune_begin=0.7"}),
             "is not behind train.prune_begin"));
  CHECK(says(refusal("{ dense = 4 }", {"train.prune=0.5", "data.target_per=\"row\""}),
             "recurrent layers"));
  CHECK(says(refusal("{ gru = 4 }", {"train.prune=0.5", "train.prune_every=21"}),
             "every 21 batches never happens"));
  CHECK(refusal("{ gru = 4 }", {"train.prune=0.5", "train.prune_every=20"}) == "accepted");
  CHECK(refusal("{ gru = 4 }", {"train.prune=1.0"}).find("train.prune") != std::string::npos);
}
