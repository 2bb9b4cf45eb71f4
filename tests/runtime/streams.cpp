// Tests the handling of state: steps, sequences, many streams at once, saving and restoring,
// threads.
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "../support/models.h"
#include "../support/tables.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

std::vector<float> frames(const Opened& m, size_t steps, uint64_t seed) {
  return random_frames(m.info(), steps, seed);
}

}  // namespace

TEST_CASE("N calls of one step equal one call of N steps") {
  for (const Kernels* table : every_table())
    for (const Named& named : every_network()) {
      const Opened m(named.network, table->name);
      const std::vector<float> x = frames(m, 25, 60), steps = run_stepwise(m, x),
                               whole = run_whole(m, x);
      CAPTURE(name_of(*table));
      CAPTURE(named.name);
      REQUIRE_EQ(first_difference(whole.data(), steps.data() + (steps.size() - whole.size()),
                                  whole.size()),
                 whole.size());
    }
}

TEST_CASE(
    "a sequence may come in pieces of any length, and scratch for fewer frames changes nothing") {
  for (const Named& named : every_network()) {
    const Opened m(named.network);
    const sluice_info info = m.info();
    const size_t steps = 23;
    const std::vector<float> x = frames(m, steps, 61), whole = run_whole(m, x);
    CAPTURE(named.name);
    for (const uint32_t use : {1u, 2u, 7u, 22u, 23u, 64u})
      for (const size_t piece : {size_t(1), size_t(5), size_t(23)}) {
        if (sparse() && (use == 2 || use == 22 || piece == 1)) continue;
        Streaming s(m.model, {use, 1});
        std::vector<float> y(whole.size());
        size_t answers = 0;
        for (size_t t = 0; t < steps; t += piece)
          answers += sluice_run(&s.stream, &x[t * info.inputs],
                                y.data() + (info.every_step ? answers * info.outputs : 0),
                                std::min(piece, steps - t));
        if (info.every_step) REQUIRE_EQ(answers * info.outputs, whole.size());
        CAPTURE(use);
        CAPTURE(piece);
        REQUIRE(same_bits(y, whole));
      }
  }
}

TEST_CASE("a model of whole sequences takes every call as a sequence of its own") {
  for (const Kernels* table : every_table())
    for (const Named& named : every_whole_network()) {
      const Opened m(named.network, table->name);
      const sluice_info info = m.info();
      CAPTURE(name_of(*table));
      CAPTURE(named.name);
      CHECK_EQ(info.whole_sequences, 1u);
      const std::vector<float> x = frames(m, 12, 73), whole = run_whole(m, x);
      const auto sixth = x.begin() + 5 * std::ptrdiff_t(info.inputs);
      std::vector<float> first(x.begin(), sixth);
      std::vector<float> second(first.size());
      std::copy_n(sixth, second.size(), second.begin());
      std::vector<float> y(whole.size()), expected = run_whole(m, first),
                                          again = run_whole(m, second);
      Streaming s(m.model, {5, 1});  // twelve frames are sequences of five, five and two
      sluice_run(&s.stream, x.data(), y.data(), 10);
      if (info.every_step) {
        REQUIRE(same_bits(y.data(), expected.data(), expected.size()));
        REQUIRE(same_bits(y.data() + expected.size(), again.data(), again.size()));
      } else {
        REQUIRE(same_bits(y, again));
      }
      // A step is a sequence of one frame, and so is a step of each of many streams.
      std::vector<std::unique_ptr<Streaming>> streams;
      std::vector<sluice_stream*> handles;
      for (int i = 0; i < 3; ++i) {
        streams.push_back(std::make_unique<Streaming>(m.model, sluice_use{1, 3}));
        handles.push_back(&streams.back()->stream);
      }
      std::vector<float> together(3 * info.outputs), one(info.outputs);
      for (int round = 0; round < 2; ++round)
        sluice_step_many(handles.data(), 3, x.data(), together.data(), nullptr);
      for (size_t i = 0; i < 3; ++i) {
        sluice_step(&s.stream, &x[i * info.inputs], one.data());
        REQUIRE(same_bits(one.data(), &together[i * info.outputs], one.size()));
        const std::vector<float> frame(&x[i * info.inputs], &x[(i + 1) * info.inputs - 1] + 1);
        REQUIRE(same_bits(one, run_whole(m, frame)));
      }
    }
}

TEST_CASE("a run of no steps does nothing") {
  const Opened m(random_network(3, {gru(9), dense(2)}));
  const std::vector<float> x = frames(m, 4, 62);
  Streaming s(m.model, {4, 1}), t(m.model, {4, 1});
  std::vector<float> y = {7, 7}, expected(2);
  sluice_run(&s.stream, nullptr, y.data(), 0);
  CHECK_EQ(y, std::vector<float>{7, 7});
  sluice_run(&s.stream, x.data(), y.data(), 4);
  sluice_run(&t.stream, x.data(), expected.data(), 4);
  CHECK(same_bits(y, expected));
}

TEST_CASE("many streams stepped together equal each one alone") {
  for (const Kernels* table : every_table())
    for (const Named& named : every_network())
      for (const size_t n : {size_t(1), size_t(2), size_t(3), size_t(8), size_t(17)})
        for (const uint32_t use : {1u, 4u, 17u}) {
          if (sparse() && (n != 17 || use == 1)) continue;
          const Opened m(named.network, table->name);
          const sluice_info info = m.info();
          std::vector<std::unique_ptr<Streaming>> together, alone;
          std::vector<sluice_stream*> handles;
          for (size_t i = 0; i < n; ++i) {
            together.push_back(std::make_unique<Streaming>(m.model, sluice_use{1, use}));
            alone.push_back(std::make_unique<Streaming>(m.model, sluice_use{1, 1}));
            handles.push_back(&together[i]->stream);
          }
          std::vector<float> y(n * info.outputs), expected(y.size());
          // The streams are at different steps.
          const std::vector<float> before = frames(m, 3, 62);
          std::vector<float> room(3 * info.outputs);
          for (size_t i = 0; i < n; ++i)
            for (sluice_stream* const s : {&together[i]->stream, &alone[i]->stream})
              sluice_run(s, before.data(), room.data(), i % 3);
          for (uint64_t t = 0; t < 3; ++t) {
            const std::vector<float> x = frames(m, n, 63 + t);
            std::vector<uint8_t> answered(n), has_answer(n);
            const size_t answers =
                sluice_step_many(handles.data(), n, x.data(), y.data(), answered.data());
            for (size_t i = 0; i < n; ++i)
              has_answer[i] = uint8_t(
                  sluice_step(&alone[i]->stream, &x[i * info.inputs], &expected[i * info.outputs]));
            REQUIRE_EQ(answered, has_answer);
            REQUIRE_EQ(answers, size_t(std::count(answered.begin(), answered.end(), 1)));
            CAPTURE(name_of(*table));
            CAPTURE(named.name);
            CAPTURE(n);
            CAPTURE(use);
            REQUIRE(same_bits(y, expected));
          }
        }
}

TEST_CASE("a thousand streams are stepped together with one scratch for all") {
  const Opened m(
      random_network(5, {standardize(), gru(9, every_step), gru(6), dense(3, SLUICE_SOFTMAX)}));
  const sluice_info info = m.info();
  for (const uint32_t use : {1000u, 64u, 7u}) {
    const size_t n = 1000;
    const sluice_need need = sluice_needs(&m.model, {1, use});
    Memory scratch(need.scratch), states(n * need.state);
    std::vector<sluice_stream> streams(n);
    std::vector<sluice_stream*> handles;
    for (size_t i = 0; i < n; ++i) {
      REQUIRE_EQ(sluice_start(&streams[i], &m.model, {1, use}, states.data() + i * need.state,
                              need.state, scratch.data(), need.scratch),
                 SLUICE_OK);
      handles.push_back(&streams[i]);
    }
    const std::vector<float> x = frames(m, n * 2, 64);
    std::vector<float> y(n * info.outputs);
    sluice_step_many(handles.data(), n, x.data(), y.data(), nullptr);
    sluice_step_many(handles.data(), n, &x[n * info.inputs], y.data(), nullptr);
    for (size_t i = 0; i < n; ++i) {
      std::vector<float> own(&x[i * info.inputs], &x[(i + 1) * info.inputs]);
      own.insert(own.end(), &x[(n + i) * info.inputs], &x[(n + i) * info.inputs] + info.inputs);
      const std::vector<float> expected = run_stepwise(m, own);
      REQUIRE(same_bits(&y[i * info.outputs], &expected[info.outputs], info.outputs));
    }
  }
}

TEST_CASE("steps of many streams use only the first stream's scratch") {
  const Opened m(random_network(4, {gru(9), dense(3)}));
  const sluice_need need = sluice_needs(&m.model, {1, 2});
  std::vector<std::unique_ptr<Streaming>> streams;
  std::vector<sluice_stream*> handles;
  for (int i = 0; i < 5; ++i) {
    streams.push_back(std::make_unique<Streaming>(m.model, sluice_use{1, 2}));
    handles.push_back(&streams.back()->stream);
    std::memset(streams.back()->scratch.data(), 0x5A, need.scratch);
  }
  const std::vector<float> x = frames(m, 5, 65);
  std::vector<float> y(5 * 3);
  sluice_step_many(handles.data(), 5, x.data(), y.data(), nullptr);
  for (size_t i = 1; i < 5; ++i)
    for (size_t b = 0; b < need.scratch; ++b) REQUIRE_EQ(int(streams[i]->scratch.data()[b]), 0x5A);
}

TEST_CASE("streams never touch each other") {
  const Opened m(random_network(3, {gru(9, every_step), gru(4), dense(2, SLUICE_TANH)}));
  const std::vector<float> a = frames(m, 30, 66), b = frames(m, 30, 67);
  const std::vector<float> alone_a = run_stepwise(m, a), alone_b = run_stepwise(m, b);
  const sluice_need need = sluice_needs(&m.model, {8, 1});
  Memory scratch(need.scratch), state_a(need.state), state_b(need.state);
  sluice_stream sa, sb;
  REQUIRE_EQ(
      sluice_start(&sa, &m.model, {8, 1}, state_a.data(), need.state, scratch.data(), need.scratch),
      SLUICE_OK);
  REQUIRE_EQ(
      sluice_start(&sb, &m.model, {8, 1}, state_b.data(), need.state, scratch.data(), need.scratch),
      SLUICE_OK);
  std::vector<float> y(2);
  for (size_t t = 0; t < 30; ++t) {
    sluice_step(&sa, &a[t * 3], y.data());
    REQUIRE(same_bits(y.data(), &alone_a[t * 2], 2));
    // Scratch holds nothing between calls.
    if (t % 3 == 0) std::memset(scratch.data(), 0xFF, need.scratch);
    sluice_step(&sb, &b[t * 3], y.data());
    REQUIRE(same_bits(y.data(), &alone_b[t * 2], 2));
    if (t == 15) {
      sluice_reset(&sa);
      sluice_run(&sa, a.data(), y.data(), 16);
      REQUIRE(same_bits(y.data(), &alone_a[15 * 2], 2));
    }
  }
}

TEST_CASE("a stream with a restored state continues to the bit") {
  for (const Named& named : every_network()) {
    const Opened m(named.network);
    const sluice_info info = m.info();
    const std::vector<float> x = frames(m, 20, 68), expected = run_stepwise(m, x);
    Streaming s(m.model, {1, 1});
    std::vector<float> y(info.outputs);
    size_t answers = 0;
    for (size_t t = 0; t < 10; ++t)
      answers += size_t(sluice_step(&s.stream, &x[t * info.inputs], y.data()));
    size_t bytes = 99;
    const void* state = sluice_state(&s.stream, &bytes);
    CAPTURE(named.name);
    CHECK_EQ(bytes, size_t(sluice_needs(&m.model, {1, 1}).state));
    const std::string saved(static_cast<const char*>(state), bytes);
    for (const Kernels* table :
         every_table()) {  // on another stream of a model that was opened again
      const Opened other(named.network, table->name);
      Streaming t(other.model, {3, 2});
      if (bytes) std::memcpy(sluice_state(&t.stream, nullptr), saved.data(), saved.size());
      size_t at = answers * info.outputs;
      for (size_t step = 10; step < 20; ++step) {
        if (!sluice_step(&t.stream, &x[step * info.inputs], y.data())) continue;
        REQUIRE(at < expected.size());
        REQUIRE(same_bits(y.data(), &expected[at], info.outputs));
        at += info.outputs;
      }
      REQUIRE_EQ(at, expected.size());
    }
  }
}

TEST_CASE("a reset stream equals a fresh one") {
  for (const Named& named : every_network()) {
    const Opened m(named.network);
    const std::vector<float> x = frames(m, 6, 69), expected = run_whole(m, x);
    Streaming s(m.model, {6, 1});
    std::vector<float> y(expected.size());
    const std::vector<float> other = frames(m, 6, 70);
    sluice_run(&s.stream, other.data(), y.data(), 6);
    sluice_reset(&s.stream);
    sluice_run(&s.stream, x.data(), y.data(), 6);
    CAPTURE(named.name);
    REQUIRE(same_bits(y, expected));
  }
}

TEST_CASE("any bytes are a valid state") {
  Noise noise(71);
  for (const std::vector<Spec>& specs :
       {std::vector<Spec>{strided(window(3, 2), 2, true), dense(3), strided(window(3, 2, 2), 3),
                          dense(2)},
        {over_steps(SLUICE_MEAN_OVER_STEPS), from(over_steps(SLUICE_MAX_OVER_STEPS), 0),
         from(dense(1), 0), attention(3, 0), add({1, 2, 4}), dense(2)},
        {gru(9, every_step), gru(4), dense(2, SLUICE_SOFTMAX)}}) {
    const Opened m(random_network(3, specs));
    Streaming s(m.model, {2, 1});
    const std::vector<float> x = frames(m, 2, 72);
    std::vector<float> y(4);
    for (int round = 0; round < 200; ++round) {
      size_t bytes = 0;
      auto* state = static_cast<uint8_t*>(sluice_state(&s.stream, &bytes));
      for (size_t i = 0; i < bytes; ++i) state[i] = uint8_t(noise.word());
      sluice_run(&s.stream, x.data(), y.data(), 2);
    }
    sluice_reset(&s.stream);
    y.resize(sluice_run(&s.stream, x.data(), y.data(), 2) * 2);
    CHECK(same_bits(y, run_whole(m, x)));
  }
}

TEST_CASE("one model serves many threads' streams") {
  const Opened m(random_network(
      5, {standardize(), gru(17, every_step), gru(9, every_step), dense(3, SLUICE_SOFTMAX)}));
  const size_t count = 8;
  std::vector<std::vector<float>> x, expected, got(count);
  for (size_t i = 0; i < count; ++i) {
    x.push_back(frames(m, 200, 80 + i));
    expected.push_back(run_stepwise(m, x[i]));
  }
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i)
    threads.emplace_back([&, i] { got[i] = run_stepwise(m, x[i]); });
  for (std::thread& t : threads) t.join();
  for (size_t i = 0; i < count; ++i) REQUIRE(same_bits(got[i], expected[i]));
}

TEST_CASE("argmax is the first of the largest, and never a NaN") {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              inf = std::numeric_limits<float>::infinity();
  const auto argmax = [](const std::vector<float>& v) { return sluice_argmax(v.data(), v.size()); };
  CHECK_EQ(argmax({3}), 0u);
  CHECK_EQ(argmax({1, 2, 2, 1}), 1u);
  CHECK_EQ(argmax({nan, -3, nan, -2}), 3u);
  CHECK_EQ(argmax({-2, nan, -3}), 0u);
  CHECK_EQ(argmax({nan, -inf}), 1u);
  CHECK_EQ(argmax({-inf, -inf}), 0u);
  CHECK(argmax({nan, nan}) < 2);
}
