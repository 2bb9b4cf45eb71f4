// Tests saving and restoring a trainer's state, the factor of its rate, and the access to its last
// gradient.
#include <doctest/doctest.h>

#include "../support/tables.h"
#include "../support/training.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

/// Options with which every part of the state matters: moments, powers, and the step's number by
/// schedule and masks.
sluice_train_options lively(uint32_t optimizer) {
  sluice_train_options options = test_options();
  options.optimizer = optimizer;
  options.schedule = SLUICE_COSINE;
  options.total_steps = 12;
  options.warmup_steps = 3;
  options.momentum = 0.9f;
  options.weight_decay = 0.01f;
  options.clip_norm = 0.5f;
  options.dropout_input = 0.2f;
  options.dropout_output = 0.3f;
  options.learning_rate = 1e-2f;
  return options;
}

std::string saved(const Training& training) {
  std::string state(sluice_train_state_bytes(&training.trainer), '\0');
  REQUIRE_EQ(sluice_train_save(&training.trainer, state.data(), state.size()), SLUICE_OK);
  return state;
}

double norm_of(const std::vector<float>& g) {
  double sum = 0;
  for (const float v : g) sum += double(v) * double(v);
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("a restored trainer continues to the same bytes, on another instruction set too") {
  const Network network =
      random_network(5, {standardize(), gru(17, every_step), gru(9), dense(4, SLUICE_SOFTMAX)});
  const std::vector<Example> batch = random_examples(network, 13, 9, true, 150);
  for (const uint32_t optimizer : {SLUICE_ADAM, SLUICE_ADAMW, SLUICE_SGD, SLUICE_RMSPROP}) {
    Training whole(network, lively(optimizer), "scalar");
    std::string state;
    for (int step = 0; step < 8; ++step) {
      if (step == 4) state = saved(whole);
      if (step == 2) REQUIRE_EQ(sluice_train_set_rate(&whole.trainer, 0.5), SLUICE_OK);
      whole.step(batch);
    }
    for (const Kernels* table : every_table()) {
      CAPTURE(name_of(*table));
      Training again(network, lively(optimizer), table->name);
      again.step(batch);  // the earlier state of this trainer does not matter
      REQUIRE_EQ(sluice_train_restore(&again.trainer, state.data(), state.size()), SLUICE_OK);
      CHECK(saved(again) == state);
      for (int step = 4; step < 8; ++step) again.step(batch);
      CHECK(again.stored() == whole.stored());
      CHECK(saved(again) == saved(whole));
    }
  }
}

TEST_CASE("a state of another size is refused and changes nothing") {
  const Network network = random_network(3, {gru(5), dense(2, SLUICE_SOFTMAX)});
  Training training(network, test_options());
  training.step(random_examples(network, 5, 4, true, 151));
  const std::string before = saved(training);
  for (const size_t bytes : {size_t(0), before.size() - 1, before.size() + 1}) {
    std::string state(before.size() + 1, '\x42');
    CHECK_EQ(sluice_train_restore(&training.trainer, state.data(), bytes), SLUICE_STATE_SMALL);
    CHECK_EQ(sluice_train_save(&training.trainer, state.data(), bytes), SLUICE_STATE_SMALL);
    CHECK(state == std::string(before.size() + 1, '\x42'));
  }
  CHECK(saved(training) == before);
  CHECK_EQ(sluice_train_restore(nullptr, before.data(), before.size()), SLUICE_NULL);
  CHECK_EQ(sluice_train_save(&training.trainer, nullptr, before.size()), SLUICE_NULL);
  CHECK_EQ(sluice_train_state_bytes(nullptr), 0u);
}

TEST_CASE("the factor multiplies the rate of the schedule until another factor is set") {
  const Network network = random_network(2, {dense(1)});
  const std::vector<Example> batch = random_examples(network, 2, 2, false, 152);
  sluice_train_options options = test_options(false);
  options.learning_rate = 0.25f;
  options.schedule = SLUICE_STEPS, options.schedule_every = 2, options.schedule_factor = 0.5f;
  Training training(network, options);
  const double factor[] = {1, 1, 0.5, 0.125, 0, 1},
               expected[] = {0.25, 0.25, 0.0625, 0.015625, 0, 0.0625};
  for (int step = 0; step < 6; ++step) {
    REQUIRE_EQ(sluice_train_set_rate(&training.trainer, factor[step]), SLUICE_OK);
    CHECK_EQ(training.step(batch).learning_rate, expected[step]);
  }
  const double infinite = std::numeric_limits<double>::infinity();
  for (const double bad : {-1.0, infinite, -infinite, std::numeric_limits<double>::quiet_NaN()})
    CHECK_EQ(sluice_train_set_rate(&training.trainer, bad), SLUICE_OPTIONS);
  CHECK_EQ(sluice_train_set_rate(nullptr, 1), SLUICE_NULL);
}

TEST_CASE("the last gradient is that of the last step, and the step returns both of its norms") {
  const Network network = random_network(3, {gru(5), dense(3, SLUICE_SOFTMAX)});
  const std::vector<Example> batch = random_examples(network, 9, 5, true, 153);
  Training plain(network, test_options());
  sluice_train_result told;
  std::vector<float> g = plain.raw_gradient(batch, &told);
  const double whole = norm_of(g);
  const auto near = [](double a, double b) { return std::fabs(a - b) <= 1e-6 * b; };
  CHECK(near(told.gradient_norm, whole));
  CHECK_EQ(told.gradient_norm_clipped, told.gradient_norm);

  sluice_train_options options = test_options();
  options.clip_value = 0.02f;
  Training training(network, options);
  const sluice_train_result by_value = training.step(batch);
  for (float& v : g) v = std::fmin(0.02f, std::fmax(-0.02f, v));
  const float* last = sluice_train_last_gradient(&training.trainer);
  for (size_t i = 0; i < g.size(); ++i) REQUIRE_EQ(last[i], g[i]);
  CHECK(near(by_value.gradient_norm, whole));
  CHECK(near(by_value.gradient_norm_clipped, norm_of(g)));
  REQUIRE(norm_of(g) < whole);

  options.clip_norm = float(norm_of(g) / 2);
  CHECK_EQ(Training(network, options).step(batch).gradient_norm_clipped, double(options.clip_norm));
  options.clip_norm = float(norm_of(g) * 2);
  CHECK_EQ(Training(network, options).step(batch).gradient_norm_clipped,
           by_value.gradient_norm_clipped);
  CHECK_EQ(sluice_train_last_gradient(nullptr), nullptr);
}

TEST_CASE("the clipped norm of a gradient that is not finite is not finite") {
  const Network network = random_network(2, {dense(1)});
  std::vector<Example> batch = random_examples(network, 2, 2, false, 154);
  for (Example& e : batch)
    for (float& v : e.values) v = 3e38f;
  sluice_train_options options = test_options(false);
  options.clip_norm = 1;
  CHECK(!std::isfinite(Training(network, options).step(batch).gradient_norm_clipped));
}
