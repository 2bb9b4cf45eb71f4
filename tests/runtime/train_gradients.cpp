// Tests gradients against finite differences in double and against PyTorch, and that the division
// of the work does not change their bits.
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "../support/golden_network.h"
#include "../support/tables.h"
#include "../support/training.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

struct Case {
  std::string name;
  Network network;
  bool cross_entropy;
};

std::vector<Case> every_case() {
  std::vector<Case> v;
  const auto add = [&](const std::string& name, int inputs, const std::vector<Spec>& specs) {
    const bool probabilities =
        specs.back().kind == SLUICE_DENSE && specs.back().activation == SLUICE_SOFTMAX;
    const Network network = random_network(inputs, specs, v.size() + 1);
    v.push_back({name + ", mse", network, false});
    if (probabilities) v.push_back({name + ", cross entropy", network, true});
  };
  for (const sluice_activation f : every_activation)
    add(std::string("dense ") + sluice_activation_name(f), 3, {dense(4, f)});
  add("dense softmax", 3, {dense(4, SLUICE_SOFTMAX)});
  // Between other layers, of more than a panel, and for rows behind a sequence's end.
  for (const sluice_activation f : {SLUICE_PRELU, SLUICE_GELU, SLUICE_SOFTPLUS})
    add(std::string("gru, dense ") + sluice_activation_name(f) + ", gru", 3,
        {gru(5, every_step), dense(11, f), gru(4), dense(2, SLUICE_SOFTMAX)});
  add("gru last", 3, {gru(5)});
  add("gru every", 3, {gru(5, every_step)});
  add("one unit", 1, {gru(1, every_step), dense(1)});
  add("gru last, softmax", 2, {gru(9), dense(3, SLUICE_SOFTMAX)});
  add("gru every, softmax", 2, {gru(8, every_step), dense(3, SLUICE_SOFTMAX)});
  add("differences", 3,
      {difference(), standardize(), gru(7, every_step), dense(2, SLUICE_SOFTMAX)});
  add("standardized", 3, {standardize(), gru(7), dense(2, SLUICE_SOFTMAX)});
  add("stacked", 2,
      {standardize(), gru(4, every_step), gru(9, every_step), gru(3), dense(2, SLUICE_SIGMOID)});
  add("dense between", 3,
      {dense(5, SLUICE_TANH), gru(4, every_step), dense(6, SLUICE_RELU), gru(3),
       dense(4, SLUICE_TANH), dense(2, SLUICE_SOFTMAX)});
  add("standardized in between", 2,
      {gru(3, every_step), standardize(), gru(2, every_step), standardize()});
  add("more than a strip", 2, {gru(40, every_step), dense(100, SLUICE_TANH), dense(2)});
  for (const sluice_layer_kind kind : every_cell) {
    const std::string name = sluice_layer_name(kind);
    add(name + " every", 3, {cell(kind, 5, every_step)});
    // Of 32 units, so that the rows of the gates are not adjacent.
    add(name + " of 32", 3, {cell(kind, 32, every_step), both(cell(kind, 32)), dense(2)});
    add(name + " last", 3, {cell(kind, 9), dense(3, SLUICE_SOFTMAX)});
    add(name + " mean", 3, {mean(cell(kind, 9)), dense(3, SLUICE_SOFTMAX)});
    add(name + " stacked", 3, {cell(kind, 9, every_step), cell(kind, 4, every_step), dense(2)});
    add(name + " tied", 3,
        {cell(kind, 9, every_step), cell(kind, 9, every_step), tied(cell(kind, 9, every_step), 1),
         tied(cell(kind, 9), 1), dense(2)});
    add(name + " both, every", 3,
        {both(cell(kind, 5, every_step)), both(cell(kind, 9, every_step)), dense(2)});
    add(name + " both, last", 3, {both(cell(kind, 9)), dense(2, SLUICE_SOFTMAX)});
    add(name + " both, mean", 3, {mean(both(cell(kind, 5))), dense(2)});
    add(name + " with an initial state", 3,
        {initial_state(cell(kind, 9, every_step)), initial_state(both(cell(kind, 5, every_step))),
         initial_state(mean(cell(kind, 4))), dense(2)});
    add(name + " with an initial state, tied", 3,
        {cell(kind, 9, every_step), initial_state(low_rank(cell(kind, 9, every_step), 3)),
         tied(initial_state(low_rank(cell(kind, 9), 3)), 1), dense(2)});
    add(name + " of rank 3", 5, {low_rank(cell(kind, 9, every_step), 3)});
    add(name + " of rank 9, stacked", 3,
        {low_rank(cell(kind, 17, every_step), 9), low_rank(both(cell(kind, 12)), 9), dense(2)});
    add(name + " of rank 4, tied", 5,
        {low_rank(cell(kind, 5, every_step), 4), tied(low_rank(cell(kind, 5), 4), 0), dense(2)});
    for (const sluice_activation f : other_candidates) {
      if (kind == SLUICE_FASTGRNN) continue;
      add(name + " with " + sluice_activation_name(f), 3,
          {candidate(cell(kind, 9, every_step), f), candidate(both(cell(kind, 5)), f), dense(2)});
      add(name + " of rank 3 with " + sluice_activation_name(f), 5,
          {low_rank(candidate(cell(kind, 9, every_step), f), 3)});
    }
    if (kind == SLUICE_RNN) continue;
    if (kind != SLUICE_FASTGRNN)
      add(name + " with relu and hard gates", 3,
          {gates(candidate(cell(kind, 5, every_step), SLUICE_RELU), SLUICE_HARD_SIGMOID, 0.2f)});
    add(name + " tanh gates", 3, {gates(cell(kind, 5, every_step), SLUICE_TANH)});
    add(name + " hard gates", 3, {gates(cell(kind, 5, every_step), SLUICE_HARD_SIGMOID, 1.0f / 6)});
    add(name + " ONNX's hard gates", 3,
        {gates(cell(kind, 5), SLUICE_HARD_SIGMOID, 0.2f), dense(2)});
  }
  for (const float clip : {0.0f, 0.35f}) {
    const auto own = [&](const Spec& s) { return peepholes(clipped_cells(s, clip)); };
    const std::string with = clip > 0 ? ", clipped" : "";
    add("lstm with peepholes" + with, 3,
        {own(cell(SLUICE_LSTM, 9, every_step)), own(both(cell(SLUICE_LSTM, 5, every_step))),
         own(mean(initial_state(cell(SLUICE_LSTM, 4)))), dense(2)});
    add("lstm with peepholes, tied" + with, 3,
        {cell(SLUICE_LSTM, 9, every_step), own(low_rank(cell(SLUICE_LSTM, 9, every_step), 3)),
         tied(own(low_rank(cell(SLUICE_LSTM, 9), 3)), 1), dense(2)});
    add("lstm with peepholes, softsign and hard gates" + with, 3,
        {own(candidate(gates(cell(SLUICE_LSTM, 9, every_step), SLUICE_HARD_SIGMOID, 0.2f),
                       SLUICE_SOFTSIGN))});
  }
  add("lstm projected", 3,
      {projected(cell(SLUICE_LSTM, 12, every_step), 5),
       projected(both(cell(SLUICE_LSTM, 9, every_step)), 17),
       mean(projected(cell(SLUICE_LSTM, 9), 3)), dense(2)});
  add("lstm projected, with everything", 3,
      {projected(initial_state(peepholes(low_rank(cell(SLUICE_LSTM, 12, every_step), 2))), 9),
       projected(
           clipped_cells(peepholes(initial_state(both(cell(SLUICE_LSTM, 9, every_step)))), 0.5f),
           3),
       dense(2)});
  add("lstm projected, tied", 9,
      {projected(peepholes(cell(SLUICE_LSTM, 12, every_step)), 9),
       tied(projected(peepholes(cell(SLUICE_LSTM, 12)), 9), 0), dense(2)});
  add("lstm, clipped", 3, {clipped_cells(cell(SLUICE_LSTM, 9, every_step), 0.3f), dense(2)});
  add("hard sigmoid", 3, {gru(5, every_step), dense(2, SLUICE_HARD_SIGMOID)});
  add("embedding", 11, {embedding(5), gru(4, every_step), dense(3, SLUICE_SOFTMAX)});
  add("wide embedding", 40, {embedding(100), cell(SLUICE_LSTM, 3), dense(3, SLUICE_SOFTMAX)});
  for (const sluice_layer_kind kind : {SLUICE_BATCH_NORM, SLUICE_LAYER_NORM}) {
    const std::string name = sluice_layer_name(kind);
    add(name, 3, {gru(5, every_step), norm(kind), gru(9), norm(kind), dense(3, SLUICE_SOFTMAX)});
    add(name + " of every step", 3, {norm(kind), gru(5, every_step), norm(kind), dense(2)});
  }
  for (const auto& [name, specs] : every_graph()) add(name, 5, specs);
  for (const auto& [name, specs] : every_convolution()) add(name, 5, specs);
  add("differences of a layer", 3,
      {gru(5, every_step), difference(), dense(5), tests::add({2, 3})});
  add("normalized beside itself", 3,
      {gru(5, every_step), norm(SLUICE_BATCH_NORM), tests::add({1, 2}), norm(SLUICE_LAYER_NORM),
       tests::add({1, 4}), gru(3), dense(2, SLUICE_SOFTMAX)});
  return v;
}

/// Returns the derivative of the mean loss by one weight.
double central_difference(Reference& reference, double& weight, const std::vector<Example>& batch,
                          bool cross_entropy) {
  const double step = 1e-5, at = weight;
  weight = at + step;
  const double above = reference.loss(batch, cross_entropy);
  weight = at - step;
  const double below = reference.loss(batch, cross_entropy);
  weight = at;
  return (above - below) / (2 * step);
}

/// Hosts that run tasks in order, in reverse, or each in a thread of its own.
void backwards(void*, uint32_t n, void (*task)(void*, uint32_t), void* argument) {
  while (n-- > 0) task(argument, n);
}
void in_threads(void*, uint32_t n, void (*task)(void*, uint32_t), void* argument) {
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < n; ++i) threads.emplace_back(task, argument, i);
  for (std::thread& t : threads) t.join();
}

}  // namespace

TEST_CASE("every layer's gradient is that of finite differences in double") {
  for (const Case& c : every_case()) {
    const std::vector<Example> batch = random_examples(c.network, 11, 6, c.cross_entropy, 120);
    Training training(c.network, test_options(c.cross_entropy));
    sluice_train_result result;
    const Plain gradient = training.gradient(batch, &result);
    Reference reference(c.network);
    CAPTURE(c.name);
    double sum = 0;
    uint64_t count = 0;
    reference.loss(batch, c.cross_entropy, &sum, &count);
    CHECK_EQ(result.targets, count);
    CHECK(std::fabs(result.loss_sum - sum) <= 1e-5 * (1 + std::fabs(sum)));
    double square = 0;
    for (size_t l = 0; l < c.network.layers.size(); ++l)
      for (auto& named : reference.layers[l].arrays) {
        const std::string& name = named.first;
        std::vector<double>& weights = named.second;
        const std::vector<float>& got = gradient[l].at(name);
        const bool learns =
            c.network.layers[l].kind != SLUICE_STANDARDIZE && !name.starts_with("running");
        if (c.network.layers[l].tied >= 0) continue;  // shares the numbers of another layer
        CAPTURE(l);
        CAPTURE(name);
        if (weights.empty()) continue;  // holds only integers
        REQUIRE_EQ(got.size(), weights.size());
        // Tests every 7th or 97th weight of a large array. These are primes, so that the test
        // includes every gate, and many rows and columns.
        const size_t stride = (weights.size() > 2000  ? 97
                               : weights.size() > 100 ? 7
                                                      : 1) *
                              (sparse() ? 11 : 1);
        std::vector<double> expected, checked;
        for (size_t i = 0; i < weights.size(); i += stride) {
          expected.push_back(
              learns ? central_difference(reference, weights[i], batch, c.cross_entropy) : 0);
          checked.push_back(got[i]);
        }
        for (const float g : got) square += double(g) * double(g);
        CHECK(largest_difference(checked, expected) <= 2e-5 * largest(got) + 1e-7);
      }
    CHECK(std::fabs(result.gradient_norm - std::sqrt(square)) <= 1e-6 * std::sqrt(square));
  }
}

TEST_CASE("no state is carried through a window or a difference") {
  for (const bool windows : {true, false}) {
    const Spec first = windows ? window(3, 2) : difference();
    const Network network = random_network(3, {first, gru(4, every_step)}, 9);
    const std::vector<Example> batch = random_examples(network, 2, 5, false, 10);
    Training training(network, test_options(false));
    std::vector<float> state(sluice_needs(&training.model.model, {1, 1}).state / sizeof(float));
    std::vector<sluice_sequence> sequences = sequences_of(batch);
    sluice_status status = SLUICE_OK;
    const auto run = [&] {
      sluice_train_gradient(&training.trainer, sequences.data(), uint32_t(sequences.size()),
                            nullptr, nullptr, &status);
      return status;
    };
    CHECK_EQ(run(), SLUICE_OK);
    sequences[0].state = state.data();
    CHECK_EQ(run(), SLUICE_BATCH);
  }
}

TEST_CASE(
    "several answers have a loss and a weight each: the gradient is that of finite differences in "
    "double") {
  const Network network =
      random_network(3,
                     {gru(7, every_step), dense(1, SLUICE_SIGMOID), from(gru(5, every_step), 1),
                      dense(4, SLUICE_SOFTMAX), from(dense(2), 1), add({5, 5}), concat({2, 4, 6})},
                     131);
  std::vector<Example> batch = random_examples(network, 11, 6, false, 132);
  const LossOf::Answer answers[] = {
      {SLUICE_BINARY, 0.5, 1}, {SLUICE_CROSS_ENTROPY, 2, 4}, {SLUICE_HUBER, 0.25, 2}};
  Noise noise(133);
  for (Example& e : batch) {  // the targets are one number, one class, two numbers
    e.values.clear();
    for (int t = 0; t < e.steps; ++t)
      for (int k = 0; k < 4; ++k) {
        const float value = k == 0   ? noise.number(0, 1)
                            : k == 1 ? float(noise.below(4))
                                     : noise.number(-1, 1);
        e.values.push_back((t + k) % 5 == 4 ? std::numeric_limits<float>::quiet_NaN() : value);
      }
  }
  sluice_answer_options own[3];
  LossOf of;
  for (int i = 0; i < 3; ++i) {
    own[i] = {uint32_t(answers[i].kind), float(answers[i].weight)};
    of.answers.push_back(answers[i]);
  }
  sluice_train_options options = test_options();
  options.answers = own;
  std::vector<float> first;
  for (const Kernels* table : every_table()) {
    Training training(network, options, table->name);
    sluice_train_result result;
    const std::vector<float> raw = training.raw_gradient(batch, &result);
    if (first.empty()) first = raw;
    CHECK(same_bits(raw, first));
    const Plain gradient = training.by_name(raw.data());
    Reference reference(network);
    CHECK(std::fabs(result.loss_sum / result.weight - reference.loss(batch, of)) <= 1e-5);
    for (size_t l = 0; l < network.layers.size() && table == every_table().front(); ++l)
      for (auto& named : reference.layers[l].arrays) {
        const std::string& name = named.first;  // clang before 16 captures no structured binding
        std::vector<double>& weights = named.second;
        std::vector<double> expected;
        for (double& w : weights) {
          const double at = w;
          w = at + 1e-5;
          const double above = reference.loss(batch, of);
          w = at - 1e-5;
          expected.push_back((above - reference.loss(batch, of)) / 2e-5);
          w = at;
        }
        CAPTURE(l);
        CAPTURE(name);
        CHECK(largest_difference(gradient[l].at(name), expected) <=
              2e-5 * largest(expected) + 1e-7);
      }
  }
  own[1].loss = SLUICE_BINARY;  // not for a softmax
  const Opened model(network);
  CHECK_EQ(sluice_train_needs(&model.model, &options), 0u);
}

TEST_CASE("gradients of ragged, masked batches agree with PyTorch 2.13 to 1e-5") {
  const Golden golden("gradients.txt");
  struct Kind {
    const char* name;
    bool every, cross_entropy;
  };
  for (const Kernels* table : every_table())
    for (const Kind k : {Kind{"last_class", false, true},
                         {"every_value", true, false},
                         {"every_class", true, true},
                         {"stacked_class", false, true},
                         {"stacked_value", true, false}}) {
      const std::string prefix = std::string(k.name) + ".";
      const Network network =
          golden_network(golden, prefix, k.every, k.cross_entropy ? SLUICE_SOFTMAX : SLUICE_LINEAR);
      const std::vector<Example> batch = golden_batch(golden, prefix, k.every, k.cross_entropy);
      Training training(network, test_options(k.cross_entropy), table->name);
      sluice_train_result result;
      const Plain gradient = training.gradient(batch, &result);
      CAPTURE(name_of(*table));
      CAPTURE(std::string(k.name));
      CHECK(std::fabs(result.loss_sum / double(result.targets) -
                      golden[prefix + "loss"].values[0]) <= 1e-5);
      for (size_t l = 0; l < network.layers.size(); ++l)
        for (const auto& named : gradient[l]) {
          const std::string& name = named.first;
          const std::vector<float>& got = named.second;
          const std::vector<double>& expected =
              golden[golden_name(prefix, network, l, name) + ".grad"].values;
          CAPTURE(name);
          CHECK(largest_difference(got, expected) <= 1e-5 * largest(expected));
        }
    }
}

TEST_CASE(
    "gradients are the same to the bit for any shards of a group, order of tasks and instruction "
    "set") {
  const Network network = random_network(
      5, {standardize(), gru(9, every_step), gru(17, every_step), dense(4, SLUICE_SOFTMAX)});
  for (const int count : {1, 8, 9, 31}) {
    const std::vector<Example> batch = random_examples(network, count, 13, true, 121);
    sluice_train_options options = test_options();
    options.dropout_input = 0.2f;
    options.dropout_output = 0.5f;
    options.l2 = 1e-2f;
    options.shards = 1;
    Training plain(network, options, "scalar");
    sluice_train_result expected_result;
    const std::vector<float> expected = plain.raw_gradient(batch, &expected_result);
    sluice_host hosts[3] = {};
    hosts[1].parallel_for = backwards, hosts[2].parallel_for = in_threads;
    for (const Kernels* table : every_table())
      for (const uint32_t shards : {1u, 2u, 3u, 8u})
        for (const sluice_host& host : hosts) {
          options.shards = shards;
          Training training(network, options, table->name);
          sluice_train_result result;
          CAPTURE(name_of(*table));
          CAPTURE(shards);
          CAPTURE(count);
          REQUIRE(same_bits(training.raw_gradient(batch, &result, &host), expected));
          CHECK_EQ(result.loss_sum, expected_result.loss_sum);
          CHECK_EQ(result.targets, expected_result.targets);
          CHECK_EQ(result.correct, expected_result.correct);
          CHECK_EQ(result.gradient_norm, expected_result.gradient_norm);
        }
  }
}

TEST_CASE(
    "with dropout of state and gates, every cell has the gradient of its own loss, and the same "
    "bits on every instruction set") {
  for (const bool gates : {false, true})
    for (const sluice_layer_kind kind : every_cell) {
      if (gates && anatomy_of(kind).candidate < 0) continue;
      const Network network = random_network(
          3, {cell(kind, 7, every_step), both(cell(kind, 5)), dense(3, SLUICE_SOFTMAX)}, 126);
      const std::vector<Example> batch = random_examples(network, 11, 7, true, 127);
      sluice_layer_options layers[3] = {};
      layers[0].recurrent_dropout = 0.3f, layers[1].recurrent_dropout = 0.5f,
      layers[0].dropout = 0.2f, layers[1].dropout = 0.1f;
      if (gates)
        layers[0].gate_dropout = 0.4f, layers[1].gate_dropout = 0.3f,
        layers[1].recurrent_dropout = 0.0f;
      sluice_train_options options = test_options();
      options.layers = layers;
      options.max_sequences = 11,
      options.max_steps = 7;  // exactly the batch's, so that AddressSanitizer finds accesses beyond
      Training training(network, options, "scalar");
      sluice_train_result result;
      const Plain gradient = training.gradient(batch, &result);
      CAPTURE(gates);
      // The masks depend on seed and step, not on weights. So a difference of losses in float
      // approximates the derivative.
      CAPTURE(std::string(sluice_layer_name(kind)));
      for (size_t l = 0; l < 3; ++l)
        for (const tools::Array& a : network.layers[l].arrays) {
          const size_t i = a.values.size() / 2;
          double loss[2];
          for (int side = 0; side < 2; ++side) {
            Network moved = network;
            float& w = array(moved.layers[l], a.name)[i];
            w += side ? 1e-2f : -1e-2f;
            sluice_train_result at;
            Training(moved, options, "scalar").gradient(batch, &at);
            loss[side] = at.loss_sum / at.weight;
          }
          CAPTURE(l);
          CAPTURE(a.name);
          CHECK(std::fabs((loss[1] - loss[0]) / 2e-2 - double(gradient[l].at(a.name)[i])) <= 2e-4);
        }
      const std::vector<float> expected = training.raw_gradient(batch);
      for (const Kernels* table : every_table()) {
        Training other(network, options, table->name);
        REQUIRE(same_bits(other.raw_gradient(batch), expected));
      }
    }
}

TEST_CASE(
    "if everything is dropped for the gates, they equal those of zero weights; the candidate stays "
    "unchanged") {
  for (const sluice_layer_kind kind : {SLUICE_GRU, SLUICE_GRU_BEFORE, SLUICE_LSTM}) {
    const Network network = random_network(3, {both(cell(kind, 7)), dense(3, SLUICE_SOFTMAX)}, 128);
    Network without = network;
    for (tools::Array& a : without.layers[0].arrays) {
      const bool before_hh =
          kind == SLUICE_GRU_BEFORE &&
          a.name.rfind("weight_hh", 0) == 0;  // of r and z; the candidate has weight_hn
      if (a.name.rfind("weight", 0) != 0 || a.name.rfind("weight_hn", 0) == 0) continue;
      const size_t gate = a.values.size() / (before_hh ? 2 : kind == SLUICE_LSTM ? 4 : 3);
      for (size_t i = 0; i < a.values.size(); ++i)
        if (i / gate != 2) a.values[i] = 0;
    }
    const std::vector<Example> batch = random_examples(network, 11, 7, true, 129);
    sluice_layer_options layers[2] = {};
    layers[0].gate_dropout = 0.99999f;
    sluice_train_options options = test_options();
    sluice_train_result expected, got;
    Training(without, options).gradient(batch, &expected);
    options.layers = layers;
    Training(network, options).gradient(batch, &got);
    CAPTURE(std::string(sluice_layer_name(kind)));
    CHECK_EQ(got.loss_sum, expected.loss_sum);
  }
}

TEST_CASE("a sequence whose targets are masked changes nothing") {
  const Network network = random_network(3, {gru(9, every_step), gru(5), dense(3, SLUICE_SOFTMAX)});
  const std::vector<Example> all = random_examples(network, 8, 9, true, 122);
  std::vector<Example> alone, together = all;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % 3 == 1)
      alone.push_back(all[i]);
    else
      together[i].classes.assign(together[i].classes.size(), -1);
  }
  Training a(network, test_options()), b(network, test_options());
  sluice_train_result ra, rb;
  const std::vector<float> expected = a.raw_gradient(alone, &ra),
                           got = b.raw_gradient(together, &rb);
  for (size_t i = 0; i < expected.size(); ++i) REQUIRE_EQ(got[i], expected[i]);
  CHECK_EQ(ra.loss_sum, rb.loss_sum);
  CHECK_EQ(ra.targets, rb.targets);
  CHECK_EQ(ra.correct, rb.correct);
}

TEST_CASE("a batch's gradient is the mean of its sequences'") {
  const Network network = random_network(3, {gru(9), dense(3, SLUICE_SOFTMAX)});
  std::vector<Example> batch = random_examples(network, 20, 9, true, 123);
  for (Example& e : batch) e.classes[0] = std::max(e.classes[0], 0);
  Training training(network, test_options());
  const std::vector<float> whole = training.raw_gradient(batch);
  std::vector<double> mean(whole.size());
  for (const Example& e : batch) {
    const std::vector<float> one = training.raw_gradient({e});
    for (size_t i = 0; i < one.size(); ++i) mean[i] += double(one[i]) / 20;
  }
  CHECK(largest_difference(whole, mean) <= 1e-6 * largest(mean));
}

TEST_CASE("`correct` counts the targets whose class has the largest output") {
  const Network network = random_network(2, {gru(4, every_step), dense(3, SLUICE_SOFTMAX)});
  const std::vector<Example> batch = random_examples(network, 13, 9, true, 124);
  Training training(network, test_options());
  sluice_train_result result;
  training.raw_gradient(batch, &result);
  uint64_t correct = 0;
  const Reference reference(network);
  for (const Example& e : batch) {
    const Frames y = reference.answers(e.x);
    for (size_t t = 0; t < y.size(); ++t)
      correct +=
          size_t(std::max_element(y[t].begin(), y[t].end()) - y[t].begin()) == size_t(e.classes[t]);
  }
  CHECK_EQ(result.correct, correct);
}

TEST_CASE("the forward pass of training equals the model's own, to the bit") {
  const Network network =
      random_network(3, {standardize(), gru(9, every_step), gru(5), dense(3, SLUICE_SOFTMAX)});
  for (const Kernels* table : every_table()) {
    Training training(network, test_options(), table->name);
    std::vector<Example> batch = random_examples(network, 8, 9, true, 125);
    for (int step = 0; step < 5; ++step) {
      const Opened now(training.stored(), table->name);
      for (const Example& e : batch) {
        if (e.classes[0] < 0) continue;
        float log_p = run_whole(now, e.x)[size_t(e.classes[0])];
        table->log_f32(&log_p, &log_p, 1);
        sluice_train_result result;
        training.raw_gradient({e}, &result);
        REQUIRE_EQ(result.loss_sum, -double(log_p));
      }
      training.step(batch);
    }
  }
}
