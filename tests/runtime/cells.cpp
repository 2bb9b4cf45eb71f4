// Tests every cell, normalization and loss against PyTorch 2.13 and Keras 3
// (tests/golden/generate.py), and the other convention of a GRU against its formula.
#include <doctest/doctest.h>

#include "../support/golden.h"
#include "../support/tables.h"
#include "../support/training.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

constexpr int steps = 9, units = 7;

/// Returns a layer with a golden case's weights.
Network network_of(const Golden& golden, const std::string& name, const Spec& spec) {
  Network network = random_network(golden[name + ".x"].cols, {spec});
  for (tools::Array& a : network.layers[0].arrays) {
    const std::string key = name + "." + a.name;
    if (golden.has(key)) REQUIRE_EQ(golden[key].values.size(), a.values.size());
    if (golden.has(key)) a.values = golden[key].floats();
    if (!golden.has(key) || a.name.starts_with("running"))
      a.values.assign(a.values.size(), a.name == "running_var" ? 1.0f : 0.0f);
  }
  return network;
}

/// Returns the case's frames and targets, in sequences of `length`.
std::vector<Example> batch_of(const Golden& golden, const std::string& name, int length) {
  const GoldenArray &x = golden[name + ".x"], &target = golden[name + ".target"];
  const int answers = target.rows * length / x.rows;  // per sequence
  std::vector<Example> batch;
  for (int s = 0; s * length < x.rows; ++s) {
    Example e;
    e.steps = length;
    e.number = uint64_t(s);
    const auto piece = [&](const GoldenArray& a, int rows) {
      const std::vector<float> all = a.floats();
      const auto begin = all.begin() + std::ptrdiff_t(s) * rows * a.cols;
      return std::vector<float>(begin, begin + std::ptrdiff_t(rows) * a.cols);
    };
    e.x = piece(x, length);
    e.values = piece(target, answers);
    batch.push_back(e);
  }
  return batch;
}

/// Checks answers and gradients on every instruction set.
void check_case(const Golden& golden, const std::string& name, const Spec& spec, int length) {
  const Network network = network_of(golden, name, spec);
  const std::vector<Example> batch = batch_of(golden, name, length);
  const bool trained_moments = spec.kind == SLUICE_BATCH_NORM;
  CAPTURE(name);
  for (const Kernels* table : every_table()) {
    CAPTURE(name_of(*table));
    std::vector<float> y;
    for (const Example& e : batch) {
      const std::vector<float> own = run_whole(Opened(network, table->name), e.x);
      y.insert(y.end(), own.begin(), own.end());
    }
    if (!trained_moments)
      CHECK(largest_difference(y, golden[name + ".y"].values) <=
            2e-6 * largest(golden[name + ".y"].values));
    sluice_train_options options = test_options(false);
    options.max_sequences = 64;
    Training training(network, options, table->name);
    const Plain gradient = training.gradient(batch);
    for (const auto& named : gradient[0]) {
      const std::string& array = named.first;
      const std::vector<float>& got = named.second;
      if (!golden.has(name + "." + array + ".grad")) continue;
      CAPTURE(array);
      const std::vector<double>& expected = golden[name + "." + array + ".grad"].values;
      CHECK(largest_difference(got, expected) <= 1e-5 * largest(expected));
    }
  }
}

}  // namespace

TEST_CASE(
    "LSTM, RNN and GRU agree with PyTorch 2.13: every step, last, mean, both directions; answers "
    "and gradients") {
  const Golden golden("cells.txt");
  const std::pair<const char*, sluice_layer_kind> kinds[] = {
      {"lstm", SLUICE_LSTM}, {"rnn", SLUICE_RNN}, {"gru", SLUICE_GRU}};
  for (const auto& [name, kind] : kinds) {
    const std::string of = name;
    check_case(golden, of + "_every", cell(kind, units, every_step), steps);
    check_case(golden, of + "_last", cell(kind, units), steps);
    check_case(golden, of + "_mean", mean(cell(kind, units)), steps);
    check_case(golden, of + "_both_every", both(cell(kind, units, every_step)), steps);
    check_case(golden, of + "_both_last", both(cell(kind, units)), steps);
  }
}

TEST_CASE(
    "LSTM and both layouts of GRU agree with Keras 3, with each gate activation; answers and "
    "gradients") {
  const Golden golden("cells.txt");
  const std::pair<const char*, sluice_layer_kind> kinds[] = {
      {"gru", SLUICE_GRU}, {"gru_before", SLUICE_GRU_BEFORE}, {"lstm", SLUICE_LSTM}};
  for (const auto& [name, kind] : kinds) {
    const std::string of = std::string("keras_") + name;
    check_case(golden, of + "_sigmoid", cell(kind, units, every_step), steps);
    check_case(golden, of + "_hard_sigmoid",
               gates(cell(kind, units, every_step), SLUICE_HARD_SIGMOID, 1.0f / 6), steps);
    if (golden.has(of + "_tanh.x"))
      check_case(golden, of + "_tanh", gates(cell(kind, units, every_step), SLUICE_TANH), steps);
  }
}

TEST_CASE(
    "activations of Dense, and cells with other candidates, agree with PyTorch 2.13 and Keras 3: "
    "answers and gradients") {
  const Golden golden("curves.txt");
  for (const sluice_activation f : every_activation) {
    const std::string name = std::string("dense_") + sluice_activation_name(f);
    if (golden.has(name + ".x")) check_case(golden, name, dense(units, f), 1);
  }
  const Spec rnn = candidate(cell(SLUICE_RNN, units, every_step), SLUICE_RELU);
  check_case(golden, "rnn_relu_every", rnn, steps);
  check_case(golden, "rnn_relu_both_every", both(rnn), steps);
  const std::pair<const char*, sluice_layer_kind> kinds[] = {
      {"gru", SLUICE_GRU}, {"gru_before", SLUICE_GRU_BEFORE}, {"lstm", SLUICE_LSTM}};
  for (const auto& [name, kind] : kinds) {
    const std::string of = std::string("keras_") + name;
    const Spec plain = cell(kind, units, every_step);
    for (const sluice_activation f : {SLUICE_RELU, SLUICE_LINEAR, SLUICE_SELU, SLUICE_SOFTSIGN})
      check_case(golden, of + "_" + sluice_activation_name(f) + "_sigmoid", candidate(plain, f),
                 steps);
    check_case(golden, of + "_relu_hard_sigmoid",
               gates(candidate(plain, SLUICE_RELU), SLUICE_HARD_SIGMOID, 1.0f / 6), steps);
  }
}

TEST_CASE(
    "a FastGRNN agrees with its formula in PyTorch 2.13: every step, last, mean; answers and "
    "gradients") {
  const Golden golden("fastgrnn.txt");
  check_case(golden, "fastgrnn_every", cell(SLUICE_FASTGRNN, units, every_step), steps);
  check_case(golden, "fastgrnn_last", cell(SLUICE_FASTGRNN, units), steps);
  check_case(golden, "fastgrnn_mean", mean(cell(SLUICE_FASTGRNN, units)), steps);
}

TEST_CASE("cells of low rank agree with their products in PyTorch 2.13: answers and gradients") {
  const Golden golden("low_rank.txt");
  constexpr int rank = 2;
  for (const sluice_layer_kind kind : every_cell) {
    const std::string name = sluice_layer_name(kind);
    check_case(golden, name + "_every", low_rank(cell(kind, units, every_step), rank), steps);
    check_case(golden, name + "_last", low_rank(cell(kind, units), rank), steps);
  }
}

TEST_CASE(
    "cells with an initial state agree with PyTorch 2.13, whose initial state is a parameter: "
    "every "
    "step, last, both directions; answers and gradients") {
  const Golden golden("cell_options.txt");
  for (const sluice_layer_kind kind : {SLUICE_GRU, SLUICE_LSTM, SLUICE_RNN}) {
    const std::string name = std::string(sluice_layer_name(kind)) + "_initial";
    check_case(golden, name + "_every", initial_state(cell(kind, units, every_step)), steps);
    check_case(golden, name + "_last", initial_state(cell(kind, units)), steps);
    check_case(golden, name + "_both_every", initial_state(both(cell(kind, units, every_step))),
               steps);
  }
}

TEST_CASE(
    "an LSTM with peepholes, and one whose cell state is clipped, agree with their formulas in "
    "PyTorch "
    "2.13: answers and gradients") {
  const Golden golden("cell_options.txt");
  const Spec every = cell(SLUICE_LSTM, units, every_step), last = cell(SLUICE_LSTM, units);
  check_case(golden, "peephole_every", peepholes(every), steps);
  check_case(golden, "peephole_last", peepholes(last), steps);
  check_case(golden, "clipped_every", clipped_cells(every, 0.5f), steps);
  check_case(golden, "both_every", clipped_cells(peepholes(every), 0.5f), steps);
}

TEST_CASE("an LSTM with a projection agrees with PyTorch 2.13's proj_size: answers and gradients") {
  const Golden golden("cell_options.txt");
  const Spec every = projected(cell(SLUICE_LSTM, units, every_step), 3);
  check_case(golden, "projected_every", every, steps);
  check_case(golden, "projected_last", projected(cell(SLUICE_LSTM, units), 3), steps);
  check_case(golden, "projected_both_every", both(every), steps);
}

TEST_CASE("the first piece of a sequence begins from the initial state, and teaches it alone") {
  for (const sluice_layer_kind kind : every_cell) {
    const Spec spec = initial_state(cell(kind, units, every_step));
    const Network network =
        random_network(3, {kind == SLUICE_LSTM ? projected(spec, 3) : spec, dense(2)}, 31);
    std::vector<Example> whole = random_examples(network, 9, 6, false, 32);
    Training training(network, test_options(false));
    const uint32_t floats = sluice_needs(&training.model.model, {1, 1}).state / 4;
    std::vector<float> states(whole.size() * floats, 7.0f);
    std::vector<sluice_sequence> batch = sequences_of(whole);
    const auto gradient = [&] {
      const float* const g = sluice_train_gradient(
          &training.trainer, batch.data(), uint32_t(batch.size()), nullptr, nullptr, nullptr);
      REQUIRE(g != nullptr);
      return training.by_name(g);
    };
    const Plain expected = gradient();
    for (size_t i = 0; i < batch.size(); ++i)
      batch[i].state = &states[i * floats], batch[i].begins = 1;
    const Plain first = gradient();
    for (const auto& [name, values] : expected[0]) CHECK_EQ(first[0].at(name), values);
    for (size_t i = 0; i < batch.size(); ++i) {  // each has left its last state
      Streaming stream(training.model.model, {16, 1});
      std::vector<float> y(2 * batch[i].steps);
      sluice_run(&stream.stream, batch[i].x, y.data(), batch[i].steps);
      CHECK_EQ(std::memcmp(stream.state.data(), &states[i * floats], floats * 4), 0);
    }
    for (sluice_sequence& s : batch) s.begins = 0;
    const Plain later = gradient();
    for (const float value : later[0].at("initial_h")) CHECK_EQ(value, 0.0f);
  }
}

TEST_CASE("layer and batch normalization agree with PyTorch 2.13") {
  const Golden golden("cells.txt");
  check_case(golden, "layer_norm", norm(SLUICE_LAYER_NORM), 1);
  check_case(golden, "batch_norm", norm(SLUICE_BATCH_NORM), 1);
  // The running moments after one step, and the layer's answers with them.
  Network network = network_of(golden, "batch_norm", norm(SLUICE_BATCH_NORM));
  sluice_train_options options = test_options(false);
  options.max_sequences = 64;
  Training training(network, options);
  training.step(batch_of(golden, "batch_norm", 1));
  const Plain weights = training.weights();
  CHECK(largest_difference(weights[0].at("running_mean"),
                           golden["batch_norm.running_mean"].values) <= 1e-6);
  CHECK(largest_difference(weights[0].at("running_var"), golden["batch_norm.running_var"].values) <=
        1e-6);
  array(network.layers[0], "running_mean") = golden["batch_norm.running_mean"].floats();
  array(network.layers[0], "running_var") = golden["batch_norm.running_var"].floats();
  const std::vector<float> y = run_whole(Opened(network), golden["batch_norm.x"].floats());
  CHECK(largest_difference(y, golden["batch_norm.eval"].values) <=
        2e-6 * largest(golden["batch_norm.eval"].values));
}

TEST_CASE(
    "a sequence in pieces carries its state forward, but no gradient back, as PyTorch 2.13 does "
    "with detached states") {
  const Golden golden("cells.txt");
  const std::pair<std::string, sluice_layer_kind> kinds[] = {{"lstm_carried", SLUICE_LSTM},
                                                             {"gru_carried", SLUICE_GRU}};
  for (const auto& named : kinds) {
    const std::string& name = named.first;
    const sluice_layer_kind kind = named.second;
    const Network network = network_of(golden, name, cell(kind, units, every_step));
    const std::vector<Example> batch = batch_of(golden, name, steps);
    const std::vector<float> before = golden[name + ".before"].floats();
    Training training(network, test_options(false));
    const uint32_t floats = sluice_needs(&training.model.model, {1, 1}).state / 4;
    std::vector<float> states(batch.size() * floats);
    std::vector<sluice_sequence> first = sequences_of(batch), second = first;
    for (size_t i = 0; i < batch.size(); ++i) {
      first[i].x = before.data() + i * size_t(steps) * 3;
      first[i].state = second[i].state = &states[i * floats];
    }
    sluice_status status = SLUICE_STATUS_COUNT;
    sluice_train_gradient(&training.trainer, first.data(), uint32_t(first.size()), nullptr, nullptr,
                          &status);
    REQUIRE_EQ(status, SLUICE_OK);
    std::vector<float> streamed(states.size());  // a stream's state at that frame
    for (size_t i = 0; i < batch.size(); ++i) {
      Streaming s(training.model.model, {uint32_t(steps), 1});
      std::vector<float> y(size_t(steps) * units);
      sluice_run(&s.stream, first[i].x, y.data(), steps);
      std::memcpy(&streamed[i * floats], sluice_state(&s.stream, nullptr), floats * sizeof(float));
    }
    CHECK(same_bits(states, streamed));
    const float* const g = sluice_train_gradient(
        &training.trainer, second.data(), uint32_t(second.size()), nullptr, nullptr, &status);
    REQUIRE_EQ(status, SLUICE_OK);
    const Plain gradient = training.by_name(g);
    CAPTURE(name);
    for (const auto& named : gradient[0]) {
      const std::string& array = named.first;
      const std::vector<float>& got = named.second;
      CAPTURE(array);
      const std::vector<double>& expected = golden[name + "." + array + ".grad"].values;
      CHECK(largest_difference(got, expected) <= 1e-5 * largest(expected));
    }
  }
}

TEST_CASE("losses and their options agree with PyTorch 2.13") {
  const Golden golden("losses.txt");
  struct Case {
    const char* name;
    sluice_loss loss;
    sluice_activation activation;
    float delta, smoothing;
    bool weighted;
  };
  const std::vector<float> weights = golden["weights"].floats();
  for (const Case& c : {Case{"huber", SLUICE_HUBER, SLUICE_LINEAR, 1, 0, false},
                        {"huber_delta", SLUICE_HUBER, SLUICE_LINEAR, 0.5f, 0, false},
                        {"mse", SLUICE_MSE, SLUICE_LINEAR, 1, 0, false},
                        {"binary", SLUICE_BINARY, SLUICE_SIGMOID, 1, 0, false},
                        {"binary_many", SLUICE_BINARY, SLUICE_SIGMOID, 1, 0, false},
                        {"classes_weighted", SLUICE_CROSS_ENTROPY, SLUICE_SOFTMAX, 1, 0, true},
                        {"classes_smooth", SLUICE_CROSS_ENTROPY, SLUICE_SOFTMAX, 1, 0.2f, false},
                        {"classes_both", SLUICE_CROSS_ENTROPY, SLUICE_SOFTMAX, 1, 0.2f, true}})
    for (const bool as_classes : {false, true}) {
      if (as_classes && std::string(c.name) != "binary") continue;
      const std::string name = c.name;
      const GoldenArray &w = golden[name + ".weight"], &target = golden[name + ".target"];
      Network network = random_network(w.cols, {dense(w.rows, c.activation)});
      array(network.layers[0], "weight") = w.floats();
      array(network.layers[0], "bias") = golden[name + ".bias"].floats();
      std::vector<Example> batch;
      for (int row = 0; row < target.rows; ++row) {
        Example e;
        e.steps = 1;
        for (int k = 0; k < w.cols; ++k)
          e.x.push_back(float(golden["x"].values[size_t(row * w.cols + k)]));
        for (int k = 0; k < target.cols; ++k)
          e.values.push_back(float(target.values[size_t(row * target.cols + k)]));
        if (c.loss == SLUICE_CROSS_ENTROPY || as_classes)
          e.classes = {int32_t(e.values[0])}, e.values.clear();
        batch.push_back(e);
      }
      sluice_train_options options = test_options();
      options.loss = c.loss, options.huber_delta = c.delta, options.label_smoothing = c.smoothing;
      options.class_weights = c.weighted ? weights.data() : nullptr;
      for (const Kernels* table : every_table()) {
        Training training(network, options, table->name);
        sluice_train_result result;
        const Plain gradient = training.gradient(batch, &result);
        CAPTURE(name);
        CAPTURE(name_of(*table));
        CHECK(std::fabs(result.loss_sum / result.weight - golden[name + ".loss"].values[0]) <=
              1e-6);
        for (const char* const a : {"weight", "bias"})
          CHECK(largest_difference(gradient[0].at(a), golden[name + "." + a + ".grad"].values) <=
                1e-6 * (1 + largest(golden[name + "." + a + ".grad"].values)));
      }
    }
}

TEST_CASE(
    "losses that are summed over a sequence's steps are averaged over sequences, and have the "
    "gradient of that mean") {
  const Network network = random_network(3, {cell(SLUICE_LSTM, 5, every_step), dense(2)}, 132);
  const std::vector<Example> batch = random_examples(network, 9, 6, false, 133);
  sluice_train_options options = test_options(false);
  options.sum_over_steps = 1;
  LossOf of;
  of.kind = SLUICE_MSE, of.sum_over_steps = true;
  Training training(network, options);
  sluice_train_result result;
  const Plain gradient = training.gradient(batch, &result);
  Reference reference(network);
  CHECK(std::fabs(result.loss_sum / result.weight - reference.loss(batch, of)) <= 1e-5);
  for (size_t l = 0; l < network.layers.size(); ++l)
    for (auto& named : reference.layers[l].arrays) {
      const std::string& name = named.first;
      std::vector<double>& weights = named.second;
      std::vector<double> expected;
      for (double& w : weights) {
        const double at = w, step = 1e-5;
        w = at + step;
        const double above = reference.loss(batch, of);
        w = at - step;
        expected.push_back((above - reference.loss(batch, of)) / (2 * step));
        w = at;
      }
      CAPTURE(name);
      CHECK(largest_difference(gradient[l].at(name), expected) <= 2e-5 * largest(expected) + 1e-6);
    }
}

TEST_CASE(
    "the convention h' = (1 - z) h + z n describes the same cell with negated weights and bias of "
    "the update gate") {
  for (const sluice_layer_kind kind : {SLUICE_GRU, SLUICE_GRU_BEFORE}) {
    Network ours = random_network(3, {cell(kind, units, every_step)}, 130);
    const Reference theirs(ours);  // takes its weights to be of the other convention
    for (tools::Array& a : ours.layers[0].arrays) {
      if (a.name == "weight_hn") continue;
      const size_t gate = size_t(units) * size_t(a.cols);
      for (size_t i = gate; i < 2 * gate; ++i) a.values[i] = -a.values[i];
    }
    Noise noise(131);
    const std::vector<float> x = noise.uniform(3 * 40), y = run_whole(Opened(ours), x);
    // h' = (1 - z) h + z n in double.
    const auto& w = theirs.layers[0].arrays;
    const bool before = kind == SLUICE_GRU_BEFORE;
    std::vector<double> h(units);
    for (size_t t = 0; t < 40; ++t) {
      const auto chain = [&](size_t gate, size_t j, const char* side,
                             const std::vector<double>& v) {
        const std::vector<double>& m = w.at(side);
        double sum = 0;
        for (size_t k = 0; k < v.size(); ++k) sum += m[(gate * units + j) * v.size() + k] * v[k];
        return sum;
      };
      const std::vector<double> frame(x.begin() + std::ptrdiff_t(3 * t),
                                      x.begin() + std::ptrdiff_t(3 * t + 3));
      const auto bias = [&](const char* name, size_t gate, size_t j) {
        return w.at(name)[gate * units + j];
      };
      const auto gate = [&](size_t g, size_t j) {
        const double sum = chain(g, j, "weight_ih", frame) + chain(g, j, "weight_hh", h) +
                           bias("bias_ih", g, j) + (before ? 0 : bias("bias_hh", g, j));
        return 1 / (1 + std::exp(-sum));
      };
      std::vector<double> reset(units), next(units);
      for (size_t j = 0; j < units; ++j) reset[j] = gate(0, j) * h[j];
      for (size_t j = 0; j < units; ++j) {
        const double of_x = chain(2, j, "weight_ih", frame) + bias("bias_ih", 2, j);
        const double of_h =
            before ? chain(0, j, "weight_hn", reset)
                   : gate(0, j) * (chain(2, j, "weight_hh", h) + bias("bias_hh", 2, j));
        const double z = gate(1, j);
        next[j] = (1 - z) * h[j] + z * std::tanh(of_x + of_h);
      }
      h = next;
      for (size_t j = 0; j < units; ++j) CHECK(std::fabs(double(y[t * units + j]) - h[j]) <= 5e-6);
    }
  }
}
