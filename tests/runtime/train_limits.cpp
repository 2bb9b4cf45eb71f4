// The size of the trainer's memory is exact, and the trainer refuses what it cannot do before it
// changes anything.
#include <doctest/doctest.h>

#include "../support/tables.h"
#include "../support/training.h"
#include "model/pack.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

Network classifier() {
  return random_network(3, {standardize(), gru(9, every_step), gru(5), dense(2, SLUICE_SOFTMAX)});
}

/// Makes a full batch: as many and as long sequences as announced.
std::vector<Example> full_batch(const Network& network, const sluice_train_options& o) {
  std::vector<Example> batch;
  Noise noise(140);
  for (uint32_t i = 0; i < o.max_sequences; ++i) {
    Example e;
    e.steps = int(o.max_steps);
    e.x = noise.uniform(o.max_steps * size_t(tools::frame_width(network)));
    e.classes.assign(o.max_steps, 1);
    e.values.assign(o.max_steps * size_t(network.layers.back().out), 0.5f);
    e.number = i;
    batch.push_back(e);
  }
  return batch;
}

}  // namespace

TEST_CASE("the arena is used up to its last announced panel and never beyond") {
  const uint8_t fill = 0xB7;
  const size_t border = 4096;
  for (const std::vector<Spec>& specs :
       {std::vector<Spec>{standardize(), gru(9), dense(2, SLUICE_SOFTMAX)},
        {gru(9, every_step), dense(9, SLUICE_TANH), gru(9), dense(9, SLUICE_SOFTMAX)},
        {gru(5, every_step), gru(33), dense(3)}})
    for (const uint32_t sequences : {8u, 24u})
      for (const uint32_t shards : {1u, 2u, 8u})
        for (const bool drops : {false, true}) {
          const Network network = random_network(4, specs);
          sluice_train_options options = test_options(specs.back().activation == SLUICE_SOFTMAX);
          options.max_sequences = sequences;
          options.max_steps = 7;
          options.shards = shards;
          options.dropout_input = options.dropout_output = drops ? 0.5f : 0;
          const Opened m(network);
          const size_t bytes = size_t(sluice_train_needs(&m.model, &options));
          REQUIRE(bytes > 0);
          Memory arena(bytes + 2 * border, fill);
          uint8_t* const begin = arena.data() + border;
          sluice_trainer trainer;
          REQUIRE_EQ(sluice_train_start(&trainer, &m.model, &options, begin, bytes), SLUICE_OK);
          const std::vector<Example> batch = full_batch(network, options);
          const auto all = sequences_of(batch);
          sluice_train_result result;
          REQUIRE_EQ(sluice_train_step(&trainer, all.data(), sequences, nullptr, &result),
                     SLUICE_OK);
          REQUIRE(std::isfinite(result.gradient_norm));
          for (size_t i = 0; i < border; ++i)
            REQUIRE((arena.data()[i] == fill && begin[bytes + i] == fill));
          size_t touched = bytes;
          while (touched > 0 && begin[touched - 1] == fill) --touched;
          CAPTURE(specs.size());
          CAPTURE(sequences);
          CAPTURE(shards);
          CHECK(touched + panel_rows * sizeof(float) > bytes);
        }
}

TEST_CASE("the arena's size does not depend on the instruction set, and threads do not change it") {
  for (const uint32_t shards : {1u, 8u}) {
    sluice_train_options options = test_options();
    options.shards = shards;
    const Opened scalar(classifier(), "scalar");
    const uint64_t expected = sluice_train_needs(&scalar.model, &options);
    for (const Kernels* table : every_table()) {
      const Opened m(classifier(), table->name);
      CHECK_EQ(sluice_train_needs(&m.model, &options), expected);
    }
  }
}

TEST_CASE("options out of their range are refused") {
  const Opened m(classifier());
  Memory arena(1 << 20);
  sluice_trainer trainer;
  const auto refused = [&](auto change) {
    sluice_train_options o = test_options();
    REQUIRE(sluice_train_needs(&m.model, &o) > 0);
    change(o);
    CHECK_EQ(sluice_train_needs(&m.model, &o), 0u);
    CHECK_EQ(sluice_train_start(&trainer, &m.model, &o, arena.data(), arena.size), SLUICE_OPTIONS);
  };
  using O = sluice_train_options;
  refused([](O& o) { o.loss = 4; });
  refused([](O& o) { o.huber_delta = 0; });
  refused([](O& o) { o.label_smoothing = 1; });
  refused([](O& o) { o.sum_over_steps = 2; });
  refused([](O& o) { o.batch_norm_momentum = 1.5f; });
  refused([](O& o) { o.optimizer = 4; });
  refused([](O& o) { o.schedule = 4; });
  refused([](O& o) { o.nesterov = 2; });
  refused([](O& o) { o.proximal = 2; });
  for (const uint32_t schedule : {SLUICE_COSINE, SLUICE_ONE_CYCLE})
    refused([=](O& o) { o.schedule = schedule, o.total_steps = 0; });
  refused([](O& o) { o.schedule = SLUICE_STEPS, o.schedule_every = 0; });
  for (const float bad : {0.0f, -1.0f, 1.5f, not_a_number})
    refused([=](O& o) { o.schedule = SLUICE_STEPS, o.schedule_factor = bad; });
  for (const float bad : {0.0f, -1.0f, not_a_number, infinity}) {
    refused([=](O& o) { o.learning_rate = bad; });
    refused([=](O& o) { o.epsilon = bad; });
  }
  for (const float bad : {-0.1f, 1.0f, 2.0f, not_a_number}) {
    refused([=](O& o) { o.beta1 = bad; });
    refused([=](O& o) { o.beta2 = bad; });
    refused([=](O& o) { o.momentum = bad; });
    refused([=](O& o) { o.alpha = bad; });
    refused([=](O& o) { o.dropout_input = bad; });
    refused([=](O& o) { o.dropout_output = bad; });
  }
  for (const float bad : {-1.0f, not_a_number, infinity}) {
    refused([=](O& o) { o.weight_decay = bad; });
    refused([=](O& o) { o.l1 = bad; });
    refused([=](O& o) { o.l2 = bad; });
    refused([=](O& o) { o.clip_value = bad; });
    refused([=](O& o) { o.clip_norm = bad; });
  }
  refused([](O& o) { o.max_sequences = 0; });
  refused([](O& o) { o.max_steps = 0; });
  refused([](O& o) { o.shards = 0; });
}

TEST_CASE("a network that does not fit its loss or has no weights to train is not trainable") {
  Memory arena(1 << 20);
  sluice_trainer trainer;
  const auto start = [&](const std::vector<Spec>& specs, bool cross_entropy) {
    const Opened m(random_network(3, specs));
    const sluice_train_options o = test_options(cross_entropy);
    const sluice_status status =
        sluice_train_start(&trainer, &m.model, &o, arena.data(), arena.size);
    CHECK_EQ(sluice_train_needs(&m.model, &o) == 0, status == SLUICE_NOT_TRAINABLE);
    return status;
  };
  CHECK_EQ(start({gru(4)}, true), SLUICE_NOT_TRAINABLE);
  CHECK_EQ(start({gru(4), dense(2)}, true), SLUICE_NOT_TRAINABLE);
  CHECK_EQ(start({gru(4), dense(2, SLUICE_SIGMOID)}, true), SLUICE_NOT_TRAINABLE);
  CHECK_EQ(start({standardize()}, false), SLUICE_NOT_TRAINABLE);
  CHECK_EQ(start({gru(4), dense(2, SLUICE_SOFTMAX)}, true), SLUICE_OK);
  CHECK_EQ(start({gru(4)}, false), SLUICE_OK);
}

TEST_CASE("start refuses null pointers and an arena that is small or misaligned") {
  const Opened m(classifier());
  const sluice_train_options o = test_options();
  const size_t bytes = size_t(sluice_train_needs(&m.model, &o));
  Memory arena(bytes + 16);
  sluice_trainer trainer;
  CHECK_EQ(sluice_train_start(nullptr, &m.model, &o, arena.data(), bytes), SLUICE_NULL);
  CHECK_EQ(sluice_train_start(&trainer, nullptr, &o, arena.data(), bytes), SLUICE_NULL);
  CHECK_EQ(sluice_train_start(&trainer, &m.model, nullptr, arena.data(), bytes), SLUICE_NULL);
  CHECK_EQ(sluice_train_start(&trainer, &m.model, &o, nullptr, bytes), SLUICE_NULL);
  CHECK_EQ(sluice_train_start(&trainer, &m.model, &o, arena.data() + 4, bytes), SLUICE_MISALIGNED);
  CHECK_EQ(sluice_train_start(&trainer, &m.model, &o, arena.data(), bytes - 1), SLUICE_ARENA_SMALL);
  CHECK_EQ(sluice_train_start(&trainer, &m.model, &o, arena.data(), 0), SLUICE_ARENA_SMALL);
  CHECK_EQ(sluice_train_start(&trainer, &m.model, &o, arena.data() + 16, bytes), SLUICE_OK);
  CHECK_EQ(sluice_train_needs(nullptr, &o), 0u);
  CHECK_EQ(sluice_train_needs(&m.model, nullptr), 0u);
}

TEST_CASE("a batch that is not as announced is refused before anything is changed") {
  for (const bool cross_entropy : {true, false}) {
    const Network network = random_network(3, {gru(9), dense(2, SLUICE_SOFTMAX)});
    sluice_train_options options = test_options(cross_entropy);
    options.max_sequences = 4;
    options.max_steps = 5;
    Training training(network, options);
    const std::vector<Example> examples = random_examples(network, 5, 5, cross_entropy, 141);
    const std::vector<sluice_sequence> good = sequences_of(examples);
    training.step({examples.begin(), examples.begin() + 4});
    const std::string before(reinterpret_cast<char*>(training.arena.data()), training.arena.size);
    const sluice_trainer handle = training.trainer;
    const auto refused = [&](const sluice_sequence* sequences, uint32_t n) {
      sluice_status status = SLUICE_OK;
      CHECK_EQ(sluice_train_step(&training.trainer, sequences, n, nullptr, nullptr), SLUICE_BATCH);
      CHECK(sluice_train_gradient(&training.trainer, sequences, n, nullptr, nullptr, &status) ==
            nullptr);
      CHECK_EQ(status, SLUICE_BATCH);
      CHECK(std::memcmp(training.arena.data(), before.data(), before.size()) == 0);
      CHECK(std::memcmp(&training.trainer, &handle, sizeof handle) == 0);
    };
    refused(good.data(), 0);
    refused(good.data(), 5);
    refused(nullptr, 1);
    const auto refused_with = [&](auto change) {
      std::vector<sluice_sequence> bad(good.begin(), good.begin() + 4);
      change(bad[2]);
      refused(bad.data(), 4);
    };
    refused_with([](sluice_sequence& s) { s.steps = 0; });
    refused_with([](sluice_sequence& s) { s.steps = 6; });
    refused_with([](sluice_sequence& s) { s.x = nullptr; });
    refused_with([](sluice_sequence& s) { s.classes = nullptr, s.values = nullptr; });
    if (!cross_entropy) continue;
    for (const int32_t bad_class : {-2, 2, 1000, INT32_MIN, INT32_MAX})
      refused_with([&](sluice_sequence& s) { s.classes = &bad_class; });
  }
}

TEST_CASE("weights are stored into a copy of their own blob only, and it opens") {
  const Network network = classifier();
  Training training(network, test_options());
  training.step(random_examples(network, 9, 5, true, 142));
  CHECK(training.stored() != tools::write_blob(network));
  CHECK_EQ(Opened(training.stored()).info().outputs, 2u);
  const std::string once = training.stored();
  Memory again(once);  // a copy with older trained weights is accepted too
  CHECK_EQ(sluice_train_store(&training.trainer, again.data(), again.size), SLUICE_OK);
  CHECK(std::memcmp(again.data(), once.data(), once.size()) == 0);

  Memory other(tools::write_blob(random_network(3, {gru(9), dense(2, SLUICE_SOFTMAX)})));
  CHECK_EQ(sluice_train_store(&training.trainer, other.data(), other.size), SLUICE_NOT_TRAINABLE);
  Memory copy(once);
  CHECK_EQ(sluice_train_store(&training.trainer, copy.data(), copy.size - 1), SLUICE_NOT_TRAINABLE);
  CHECK_EQ(sluice_train_store(&training.trainer, copy.data(), 10), SLUICE_NOT_TRAINABLE);
  CHECK_EQ(sluice_train_store(nullptr, copy.data(), copy.size), SLUICE_NULL);
  CHECK_EQ(sluice_train_store(&training.trainer, nullptr, copy.size), SLUICE_NULL);
}

TEST_CASE("the defaults are PyTorch 2.13's") {
  const sluice_train_options o = sluice_train_defaults();
  CHECK_EQ(o.optimizer, uint32_t(SLUICE_ADAM));
  CHECK_EQ(o.learning_rate, 1e-3f);
  CHECK_EQ(o.beta1, 0.9f);
  CHECK_EQ(o.beta2, 0.999f);
  CHECK_EQ(o.epsilon, 1e-8f);
  for (const float off : {o.weight_decay, o.l2, o.clip_norm, o.dropout_input, o.dropout_output})
    CHECK_EQ(off, 0.0f);
  CHECK_EQ(o.max_sequences, 16u);
  CHECK_EQ(o.max_steps, 1000u);
}

TEST_CASE("training does not change the statistics of a model") {
  const Network network = classifier();
  sluice_train_options options = test_options();
  options.l2 = 0.1f;
  options.optimizer = SLUICE_ADAMW;
  options.weight_decay = 0.5f;
  Training training(network, options);
  for (int i = 0; i < 3; ++i) training.step(random_examples(network, 9, 5, true, 143));
  const Plain after = training.weights();
  for (const tools::Array& a : network.layers[0].arrays) CHECK(after[0].at(a.name) == a.values);
}
