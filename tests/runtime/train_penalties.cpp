// Tests penalties by group, limits of norms, masks, frozen layers and the rows of an embedding,
// each against its formula.
#include <doctest/doctest.h>

#include "../support/tables.h"
#include "../support/training.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

Network every_group() {
  return random_network(
      12, {embedding(9), cell(SLUICE_LSTM, 7, every_step), gru(5), dense(3, SLUICE_SOFTMAX)}, 140);
}

/// The groups of sluice_weight_group in words.
int group_of(const Network& network, size_t layer, const std::string& name) {
  if (network.layers[layer].kind == SLUICE_EMBEDDING) return SLUICE_EMBEDDING_WEIGHTS;
  if (name.starts_with("bias")) return SLUICE_BIASES;
  if (name == "weight") return SLUICE_OUTPUT_WEIGHTS;
  return name.starts_with("weight_ih") ? SLUICE_INPUT_WEIGHTS : SLUICE_RECURRENT_WEIGHTS;
}

sluice_train_options plain_sgd(float rate = 0.5f) {
  sluice_train_options options = test_options();
  options.optimizer = SLUICE_SGD;
  options.learning_rate = rate;
  return options;
}

/// Calls f(layer, name, before, gradient, after) for every array, before and after one step with
/// these options.
template <class F>
void one_step(const Network& network, const sluice_train_options& options, F f) {
  const std::vector<Example> batch = random_examples(network, 9, 6, true, 141);
  Training free(network, plain_sgd()), training(network, options);
  const Plain before = free.weights(), gradient = free.gradient(batch);
  training.step(batch);
  const Plain after = training.weights();
  for (size_t l = 0; l < network.layers.size(); ++l)
    for (const auto& [name, w] : before[l]) f(l, name, w, gradient[l].at(name), after[l].at(name));
}

}  // namespace

TEST_CASE(
    "L1, L2 and decoupled decay of a group move the weights of that group alone, by their "
    "formulas") {
  const Network network = every_group();
  for (int group = 0; group < SLUICE_GROUP_COUNT; ++group) {
    sluice_penalty penalties[SLUICE_GROUP_COUNT] = {};
    penalties[group] = {0.01f, 0.02f, 0.1f, 0};
    sluice_train_options options = plain_sgd();
    options.penalties = penalties;
    one_step(
        network, options,
        [&](size_t l, const std::string& name, const auto& w, const auto& g, const auto& after) {
          const bool own = group_of(network, l, name) == group;
          CAPTURE(l);
          CAPTURE(name);
          for (size_t i = 0; i < w.size(); ++i) {
            const double sign = w[i] > 0 ? 1 : w[i] < 0 ? -1 : 0;
            const double gradient = double(g[i]) + (own ? 0.04 * double(w[i]) + 0.01 * sign : 0);
            const double decayed = double(w[i]) * (own ? 1 - 0.5 * 0.1 : 1);
            REQUIRE(std::fabs(double(after[i]) - (decayed - 0.5 * gradient)) <= 1e-6);
          }
        });
  }
}

TEST_CASE("without penalties by group, l1, l2 and decay apply to matrices and not to biases") {
  const Network network = every_group();
  sluice_train_options options = plain_sgd();
  options.l2 = 0.02f, options.weight_decay = 0.1f;
  one_step(network, options,
           [&](size_t l, const std::string& name, const auto& w, const auto& g, const auto& after) {
             const bool penalized = group_of(network, l, name) != SLUICE_BIASES;
             for (size_t i = 0; i < w.size(); ++i) {
               const double gradient = double(g[i]) + (penalized ? 0.04 * double(w[i]) : 0);
               REQUIRE(std::fabs(double(after[i]) -
                                 (double(w[i]) * (penalized ? 0.95 : 1) - 0.5 * gradient)) <= 1e-6);
             }
           });
}

TEST_CASE(
    "a row with too large a norm is scaled to the limit after the step, and other rows are not "
    "changed") {
  const Network network = every_group();
  sluice_penalty penalties[SLUICE_GROUP_COUNT] = {};
  for (sluice_penalty& p : penalties) p.max_norm = 1.0f;
  sluice_train_options options = plain_sgd();
  options.penalties = penalties;
  one_step(network, options,
           [&](size_t l, const std::string& name, const auto& w, const auto& g, const auto& after) {
             const bool by_id = network.layers[l].kind == SLUICE_EMBEDDING,
                        matrix = name.starts_with("weight");
             const tools::Array& a =
                 *std::find_if(network.layers[l].arrays.begin(), network.layers[l].arrays.end(),
                               [&, of = name](const tools::Array& one) { return one.name == of; });
             const size_t cols = size_t(a.cols), rows = w.size() / cols,
                          vectors = !matrix ? 1
                                    : by_id ? cols
                                            : rows;
             for (size_t v = 0; v < vectors; ++v) {
               double square = 0;
               const auto in = [&](size_t i) {
                 return !matrix || (by_id ? i % cols == v : i / cols == v);
               };
               for (size_t i = 0; i < w.size(); ++i)
                 if (in(i)) square += std::pow(double(w[i]) - 0.5 * double(g[i]), 2);
               const double scale = square > 1 ? 1 / std::sqrt(square) : 1;
               for (size_t i = 0; i < w.size(); ++i)
                 if (in(i))
                   REQUIRE(std::fabs(double(after[i]) -
                                     (double(w[i]) - 0.5 * double(g[i])) * scale) <= 1e-6);
             }
           });
}

TEST_CASE(
    "a mask holds weights at zero, and a frozen layer does not change while the layers below it "
    "learn") {
  const Network network = every_group();
  const std::vector<Example> batch = random_examples(network, 9, 6, true, 142);
  Training plain(network, plain_sgd());
  const size_t floats = plain.raw_gradient(batch).size();
  std::vector<float> mask(floats, 1.0f);
  for (size_t i = 0; i < floats; i += 3) mask[i] = 0;
  sluice_layer_options layers[4] = {};
  layers[1].frozen = 1;
  sluice_train_options options = test_options();
  options.mask = mask.data(), options.layers = layers;
  Training training(network, options);
  const Plain before = training.weights();
  for (int step = 0; step < 3; ++step) training.step(batch);
  const Plain after = training.weights(), held = training.by_name(mask.data());
  for (size_t l = 0; l < 4; ++l)
    for (const auto& [name, w] : after[l])
      for (size_t i = 0; i < w.size(); ++i) {
        if (l == 1)
          REQUIRE_EQ(w[i], before[l].at(name)[i]);
        else if (held[l].at(name)[i] == 0)
          REQUIRE_EQ(w[i], 0.0f);
      }
  CHECK(after[2].at("weight_hh") != before[2].at("weight_hh"));
  // The first layer learns through the frozen one, so its gradient is the same as without freezing.
  sluice_train_options only_frozen = plain_sgd();
  only_frozen.layers = layers;
  Training frozen(network, only_frozen);
  CHECK(frozen.gradient(batch)[0].at("weight") == plain.gradient(batch)[0].at("weight"));
}

TEST_CASE(
    "an embedding that is updated by the rows of a batch does not change other rows and their "
    "moments") {
  const Network network =
      random_network(12, {embedding(100), gru(5), dense(3, SLUICE_SOFTMAX)}, 143);
  const auto with_ids = [&](int low, int high, uint64_t seed) {
    std::vector<Example> batch = random_examples(network, 9, 6, true, seed);
    Noise noise(seed);
    for (Example& e : batch)
      for (int32_t& id : e.ids) id = low + noise.below(high - low);
    return batch;
  };
  for (const Kernels* table : every_table()) {
    sluice_train_options options = test_options();
    options.embedding_rows = 1, options.l2 = 0.01f;
    Training training(network, options, table->name);
    training.step(with_ids(0, 6, 1));
    const Plain first = training.weights();
    for (uint64_t step = 2; step < 5; ++step) training.step(with_ids(6, 12, step));
    const Plain last = training.weights();
    const std::vector<float>&start = network.layers[0].arrays[0].values, &a = first[0].at("weight"),
          &b = last[0].at("weight");
    for (size_t i = 0; i < start.size(); ++i) {
      const bool early = i % 12 < 6;
      REQUIRE_EQ(a[i] != start[i], early);  // l2 alone moves a row that a batch has
      REQUIRE_EQ(b[i] != a[i], !early);
    }
  }
  // If every batch has every id, the result is that of the ordinary update.
  sluice_train_options rows = test_options(), all = test_options();
  rows.embedding_rows = 1;
  Training a(network, rows), b(network, all);
  for (uint64_t step = 1; step < 5; ++step) {
    std::vector<Example> batch = with_ids(0, 12, step);
    batch[0].ids = {0, 1, 2, 3, 4, 5}, batch[1].ids = {6, 7, 8, 9, 10, 11};
    batch[0].steps = batch[1].steps = 6;
    a.step(batch), b.step(batch);
  }
  CHECK(a.stored() == b.stored());
}
