// Tests optimizer steps against PyTorch and formulas: Adam, AdamW, penalties, clipping, schedules
// and dropout, with the same bits on every instruction set.
#include <doctest/doctest.h>

#include <set>
#include <thread>

#include "../support/golden_network.h"
#include "../support/tables.h"
#include "../support/training.h"
#include "model/pack.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

bool is_matrix(const std::string& name) { return name.find("weight") != std::string::npos; }

/// Makes y = W x + b. W is the identity and all inputs are one, so that the gradient of b shows by
/// which factor dropout multiplied each input.
Network identity(int n) {
  Network network;
  network.layers.push_back(tools::make_layer(SLUICE_DENSE, n, n));
  for (int i = 0; i < n; ++i) array(network.layers[0], "weight")[size_t(i) * size_t(n + 1)] = 1;
  return network;
}

/// Returns the factors by which dropout multiplied `n` ones that passed through the identity.
std::vector<float> dropped(Training& training, const std::vector<uint64_t>& numbers, int steps,
                           int n) {
  std::vector<float> factors;
  for (const uint64_t number : numbers)
    for (int t = 0; t < steps; ++t) {
      Example e;
      e.steps = steps;
      e.number = number;
      e.x.assign(size_t(steps) * size_t(n), 1.0f);
      e.values.assign(size_t(steps) * size_t(n), std::numeric_limits<float>::quiet_NaN());
      for (int i = 0; i < n; ++i) e.values[size_t(t) * size_t(n) + size_t(i)] = 0;
      const Plain g = training.gradient({e});  // 2 (y - 0) / n, from step t alone
      for (const float v : g[0].at("bias")) factors.push_back(v * float(n) / 2);
    }
  return factors;
}

}  // namespace

TEST_CASE("twenty steps of every optimizer agree with PyTorch 2.13 to 1e-4") {
  const Golden golden("optimizers.txt");
  const Network start = golden_network(golden, "start.", false, SLUICE_SOFTMAX);
  const std::vector<Example> all = golden_batch(golden, "data.", false, true);
  const std::vector<Example> first(all.begin(), all.begin() + 8), last(all.end() - 9, all.end());
  for (const Kernels* table : every_table())
    for (const std::string name :
         {"adam", "adam_l2", "adamw", "adamw_clip_cosine", "sgd", "sgd_momentum",
          "sgd_nesterov_value_steps", "rmsprop", "rmsprop_l1_cycle"}) {
      sluice_train_options options = test_options();
      options.learning_rate = 1e-2f;
      const auto has = [&](const char* word) { return name.find(word) != name.npos; };
      if (has("sgd"))
        options.optimizer = SLUICE_SGD, options.learning_rate = 0.1f,
        options.momentum = name == "sgd" ? 0.0f : 0.9f;
      options.nesterov = has("nesterov");
      if (has("value")) options.clip_value = 0.01f;
      if (has("steps"))
        options.schedule = SLUICE_STEPS, options.schedule_every = 6, options.schedule_factor = 0.5f;
      if (has("rmsprop")) options.optimizer = SLUICE_RMSPROP, options.alpha = 0.9f;
      if (has("l1")) options.l1 = 0.01f;
      if (has("cycle")) options.schedule = SLUICE_ONE_CYCLE, options.total_steps = 20;
      if (name == "adam_l2") options.l2 = 0.01f;
      if (has("adamw")) {
        options.optimizer = SLUICE_ADAMW;
        options.weight_decay = 0.1f;
      }
      if (name == "adamw_clip_cosine") {
        options.clip_norm = 0.2f;
        options.schedule = SLUICE_COSINE;
        options.total_steps = 20;
      }
      Training training(start, options, table->name);
      for (int step = 0; step < 20; ++step) training.step(step % 2 == 0 ? first : last);
      const Plain weights = training.weights();
      CAPTURE(name_of(*table));
      CAPTURE(name);
      for (size_t l = 0; l < start.layers.size(); ++l)
        for (const auto& named : weights[l]) {
          const std::string& array = named.first;
          const std::vector<float>& got = named.second;
          CAPTURE(array);
          CHECK(largest_difference(got, golden[golden_name(name + ".", start, l, array)].values) <=
                1e-4);
        }
    }
}

TEST_CASE(
    "training gives the same bytes for any shards of a group, order of tasks and instruction set") {
  const Network network =
      random_network(5, {standardize(), gru(17, every_step), gru(9), dense(4, SLUICE_SOFTMAX)});
  const std::vector<Example> batch = random_examples(network, 21, 13, true, 130);
  const auto train = [&](uint32_t optimizer, uint32_t shards, const sluice_host& host,
                         const char* isa) {
    sluice_train_options options = test_options();
    options.optimizer = optimizer;
    options.schedule = optimizer == SLUICE_SGD ? SLUICE_ONE_CYCLE : SLUICE_COSINE;
    options.total_steps = 10;
    options.warmup_steps = 3;
    options.momentum = 0.9f;
    options.l1 = 1e-4f;
    options.proximal = optimizer == SLUICE_RMSPROP;
    options.clip_value = 0.2f;
    options.weight_decay = 0.01f;
    options.l2 = 1e-3f;
    options.clip_norm = 0.5f;
    options.dropout_input = 0.2f;
    options.dropout_output = 0.3f;
    options.learning_rate = 1e-2f;
    options.shards = shards;
    Training training(network, options, isa);
    for (int step = 0; step < (sparse() ? 3 : 10); ++step) training.step(batch, &host);
    return training.stored();
  };
  sluice_host serial{}, backwards{}, threads{};
  backwards.parallel_for = [](void*, uint32_t n, void (*task)(void*, uint32_t), void* argument) {
    while (n-- > 0) task(argument, n);
  };
  threads.parallel_for = [](void*, uint32_t n, void (*task)(void*, uint32_t), void* argument) {
    std::vector<std::thread> running;
    for (uint32_t i = 0; i < n; ++i) running.emplace_back(task, argument, i);
    for (std::thread& t : running) t.join();
  };
  for (const uint32_t optimizer : {SLUICE_ADAMW, SLUICE_SGD, SLUICE_RMSPROP}) {
    const std::string expected = train(optimizer, 1, serial, "scalar");
    CHECK(expected != tools::write_blob(network));
    for (const Kernels* table : every_table())
      for (const sluice_host& host : {serial, backwards, threads})
        for (const uint32_t shards : {1u, 2u, 8u}) {
          if (optimizer != SLUICE_ADAMW && shards == 2) continue;
          CAPTURE(name_of(*table));
          CHECK(train(optimizer, shards, host, table->name) == expected);
        }
  }
}

TEST_CASE("L2 adds 2 lambda w to the gradient of weight matrices alone") {
  const Network network = random_network(3, {standardize(), gru(5, every_step), dense(2)});
  const std::vector<Example> batch = random_examples(network, 9, 5, false, 131);
  sluice_train_options options = test_options(false);
  Training plain(network, options);
  options.l2 = 0.25f;
  Training penalized(network, options);
  sluice_train_result a, b;
  const Plain without = plain.gradient(batch, &a), with = penalized.gradient(batch, &b);
  CHECK_EQ(a.loss_sum, b.loss_sum);  // reported without penalties
  double square = 0;
  for (size_t l = 0; l < network.layers.size(); ++l)
    for (const tools::Array& w : network.layers[l].arrays) {
      std::vector<double> expected;
      for (size_t i = 0; i < w.values.size(); ++i) {
        expected.push_back(double(without[l].at(w.name)[i]) +
                           (is_matrix(w.name) ? 0.5 * double(w.values[i]) : 0));
        square += expected.back() * expected.back();
      }
      CAPTURE(w.name);
      CHECK(largest_difference(with[l].at(w.name), expected) <= 1e-7);
    }
  CHECK(std::fabs(b.gradient_norm - std::sqrt(square)) <= 1e-6 * std::sqrt(square));
}

TEST_CASE("clipping shortens the whole gradient to its norm, and only a longer one") {
  const Network network = random_network(3, {gru(5), dense(3, SLUICE_SOFTMAX)});
  const std::vector<Example> batch = random_examples(network, 9, 5, true, 132);
  for (const double share : {0.01, 0.5, 2.0}) {
    sluice_train_options options = test_options();
    options.epsilon = 1;  // far above |g|, so that the step is nearly proportional to g
    options.learning_rate = 1;
    Training plain(network, options);
    sluice_train_result result;
    const Plain g = plain.gradient(batch, &result);
    options.clip_norm = float(share * result.gradient_norm);
    Training clipped(network, options);
    CHECK_EQ(clipped.step(batch).gradient_norm, result.gradient_norm);  // the norm before clipping
    const Plain after = clipped.weights();
    const double factor = std::fmin(1, double(options.clip_norm) / result.gradient_norm);
    for (size_t l = 0; l < network.layers.size(); ++l)
      for (const tools::Array& w : network.layers[l].arrays) {
        // In Adam's first step m = g and v = g^2 after the bias correction.
        std::vector<double> expected;
        for (size_t i = 0; i < w.values.size(); ++i) {
          const double gi = factor * double(g[l].at(w.name)[i]);
          expected.push_back(double(w.values[i]) - gi / (std::fabs(gi) + 1));
        }
        CAPTURE(share);
        CHECK(largest_difference(after[l].at(w.name), expected) <= 3e-7);
      }
  }
}

TEST_CASE("AdamW's decay is decoupled, and does not apply to biases and statistics") {
  const Network network = random_network(3, {standardize(), gru(5, every_step), dense(2)});
  const std::vector<Example> batch = random_examples(network, 9, 5, false, 133);
  for (const bool adamw : {true, false}) {
    sluice_train_options options = test_options(false);
    options.optimizer = adamw ? SLUICE_ADAMW : SLUICE_ADAM;
    options.learning_rate = 0.5f;
    options.weight_decay = 0.25f;
    options.epsilon = 1e30f;  // no step except the decay
    Training training(network, options);
    training.step(batch);
    const Plain after = training.weights();
    for (size_t l = 0; l < network.layers.size(); ++l)
      for (const tools::Array& w : network.layers[l].arrays)
        for (size_t i = 0; i < w.values.size(); ++i)
          REQUIRE_EQ(after[l].at(w.name)[i],
                     adamw && is_matrix(w.name) ? w.values[i] * 0.875f : w.values[i]);
  }
}

TEST_CASE("a proximal step makes exact zeros, by rate times lambda, in weight matrices alone") {
  const Network network = random_network(3, {gru(5, every_step), dense(2)});
  const std::vector<Example> batch = random_examples(network, 9, 5, false, 140);
  sluice_train_options options = test_options(false);
  options.optimizer = SLUICE_SGD, options.learning_rate = 0.5f;
  Training plain(network, options);
  options.l1 = 0.1f, options.proximal = 1;
  Training proximal(network, options);
  plain.step(batch), proximal.step(batch);
  const Plain without = plain.weights(), with = proximal.weights();
  int zeros = 0;
  for (size_t l = 0; l < network.layers.size(); ++l)
    for (const auto& [name, w] : without[l])
      for (size_t i = 0; i < w.size(); ++i) {
        const double moved = std::fmax(std::fabs(double(w[i])) - 0.05, 0.0);
        const double expected = !is_matrix(name) ? double(w[i]) : w[i] < 0 ? -moved : moved;
        REQUIRE(std::fabs(double(with[l].at(name)[i]) - expected) <= 1e-7);
        zeros += is_matrix(name) && with[l].at(name)[i] == 0.0f;
      }
  CHECK(zeros > 5);
}

TEST_CASE("the rate rises over the warm-up, and then follows the schedule") {
  const Network network = random_network(2, {dense(1)});
  const std::vector<Example> batch = random_examples(network, 2, 2, false, 141);
  sluice_train_options options = test_options(false);
  options.warmup_steps = 4, options.schedule = SLUICE_STEPS, options.schedule_every = 3,
  options.schedule_factor = 0.5f;
  options.learning_rate = 0.25f;
  Training training(network, options);
  const double expected[] = {0.0625, 0.125, 0.1875, 0.125, 0.125, 0.125, 0.0625};
  for (const double rate : expected) CHECK_EQ(training.step(batch).learning_rate, rate);
}

TEST_CASE("the cosine schedule follows the cosine, and ends at zero") {
  const Network network = random_network(2, {dense(1)});
  const std::vector<Example> batch = random_examples(network, 2, 3, false, 134);
  for (const uint32_t total : {1u, 7u, 100u}) {
    sluice_train_options options = test_options(false);
    options.schedule = SLUICE_COSINE;
    options.total_steps = total;
    options.learning_rate = 0.01f;
    Training training(network, options);
    for (uint32_t step = 0; step < total + 2; ++step) {
      const double share = std::fmin(1.0, double(step) / total);
      const double expected = double(0.01f) * (1 + std::cos(3.14159265358979323846 * share)) / 2;
      CHECK(std::fabs(training.step(batch).learning_rate - expected) <= 1e-15);
    }
  }
  Training constant(network, test_options(false));
  for (int step = 0; step < 3; ++step) CHECK_EQ(constant.step(batch).learning_rate, double(1e-3f));
}

TEST_CASE("a batch with no valid target changes nothing but the step number") {
  const Network network = random_network(2, {gru(3), dense(2, SLUICE_SOFTMAX)});
  std::vector<Example> batch = random_examples(network, 5, 4, true, 135), masked = batch;
  for (Example& e : masked) e.classes = {-1};
  sluice_train_options options = test_options();
  options.schedule = SLUICE_COSINE;
  options.total_steps = 10;
  Training training(network, options);
  training.step(batch);
  const std::string before = training.stored();
  const sluice_train_result result = training.step(masked);
  CHECK_EQ(result.targets, 0u);
  CHECK_EQ(result.loss_sum, 0.0);
  CHECK(training.stored() == before);
  CHECK(std::fabs(training.step(batch).learning_rate -
                  double(1e-3f) * (1 + std::cos(3.14159265358979323846 * 0.2)) / 2) <= 1e-15);
  sluice_train_result of_gradient;
  for (const float g : training.raw_gradient(masked, &of_gradient)) REQUIRE_EQ(g, 0.0f);
}

TEST_CASE("dropout drops at its rate and divides what it keeps") {
  const int n = 64;
  for (const float rate : {0.1f, 0.5f, 0.9f}) {
    sluice_train_options options = test_options(false);
    options.dropout_input = rate;
    Training training(identity(n), options);
    std::vector<uint64_t> numbers;
    for (uint64_t i = 0; i < 50; ++i) numbers.push_back(i);
    const std::vector<float> factors = dropped(training, numbers, 2, n);
    double kept = 0;
    for (const float f : factors) {
      if (f != 0) REQUIRE(std::fabs(double(f) - 1 / (1 - double(rate))) <= 1e-5);
      kept += f != 0;
    }
    const double share = kept / double(factors.size()),
                 spread = std::sqrt(double(rate) * (1 - double(rate)) / double(factors.size()));
    CAPTURE(rate);
    CHECK(std::fabs(share - (1 - double(rate))) <= 4 * spread);
  }
}

TEST_CASE(
    "dropout depends on the seed, the step, the sequence's number and the frame, and on nothing "
    "else") {
  const int n = 64;
  sluice_train_options options = test_options(false);
  options.dropout_input = 0.5f;
  std::set<std::vector<float>> different;
  for (const uint64_t seed : {0u, 1u, 2u}) {
    options.seed = seed;
    Training training(identity(n), options);
    for (int step = 0; step < 3; ++step) {
      for (const uint64_t number :
           {uint64_t(0), uint64_t(1), uint64_t(1) << 32, uint64_t(7) << 40}) {
        const std::vector<float> both = dropped(training, {number}, 2, n);
        CHECK(both == dropped(training, {number}, 2, n));
        different.insert({both.begin(), both.begin() + n});
        different.insert({both.begin() + n, both.end()});
      }
      training.step(random_examples(identity(n), 1, 1, false, 136));
    }
  }
  CHECK_EQ(different.size(), 3u * 3u * 4u * 2u);
}

TEST_CASE("a sequence's dropout does not depend on its neighbors in the batch") {
  const Network network =
      random_network(3, {standardize(), gru(9, every_step), gru(5), dense(3, SLUICE_SOFTMAX)});
  std::vector<Example> all = random_examples(network, 16, 9, true, 137);
  for (size_t i = 0; i < all.size(); ++i)
    all[i].classes = {i == 11 ? 2 : -1}, all[i].number = 1000 + i;
  sluice_train_options options = test_options();
  options.dropout_input = 0.3f;
  options.dropout_output = 0.4f;
  Training training(network, options);
  const std::vector<float> together = training.raw_gradient(all),
                           alone = training.raw_gradient({all[11]});
  for (size_t i = 0; i < alone.size(); ++i) REQUIRE_EQ(together[i], alone[i]);
}

TEST_CASE("dropout on the output acts on what enters the last layer") {
  Network network = identity(64);
  network.layers.push_back(identity(64).layers[0]);
  sluice_train_options options = test_options(false);
  options.dropout_output = 0.5f;
  Training training(network, options);
  Example e;
  e.steps = 1;
  e.x.assign(64, 1.0f);
  e.values.assign(64, 0.0f);
  const Plain g = training.gradient({e});
  int kept = 0;
  for (size_t i = 0; i < 64; ++i) {
    // 2 y / 64; y is the first layer's 1, doubled or dropped.
    const float y = g[1].at("bias")[i] * 32;
    CHECK((y == 0.0f || y == 2.0f));
    kept += y != 0;
    // The backward pass uses the same mask.
    CHECK_EQ(g[0].at("bias")[i], y == 0.0f ? 0.0f : 2.0f * g[1].at("bias")[i]);
  }
  CHECK(kept > 10);
  CHECK(kept < 54);
}

TEST_CASE("training lowers the loss") {
  const Network network = random_network(2, {gru(8), dense(2, SLUICE_SOFTMAX)});
  std::vector<Example> batch = random_examples(network, 24, 9, true, 138);
  for (Example& e : batch) e.classes = {e.x[0] > 0 ? 1 : 0};  // whether the first frame is positive
  sluice_train_options options = test_options();
  options.learning_rate = 0.02f;
  Training training(network, options);
  const double before = training.step(batch).loss_sum / 24;
  for (int step = 0; step < 200; ++step) training.step(batch);
  const sluice_train_result after = training.step(batch);
  CHECK(after.loss_sum / 24 < 0.1 * before);
  CHECK_EQ(after.correct, 24u);
}
