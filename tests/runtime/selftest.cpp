// Tests the self-test of a blob, and traces.
#include <doctest/doctest.h>

#include "../support/fixed_models.h"
#include "../support/forge.h"
#include "../support/tables.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

template <class T>
void append(std::string& bytes, const T& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Returns a network whose section of tests holds one sequence of 3 frames and the answers of the
/// reference. `error` is added to the last one.
Network with_test(int error) {
  Network network =
      random_fixed_network(3, {gru(5, every_step), dense(2)}, SLUICE_INT8, Numbers::trained, 21);
  FixedReference reference(network);
  append(network.self_test, uint32_t(1));
  append(network.self_test, uint32_t(3));
  std::string answers;
  for (int t = 0; t < 3; ++t) {
    const std::vector<int32_t> frame = {10 * t, -7, 100 - t};
    for (const int32_t v : frame) network.self_test.push_back(char(v));
    for (const int16_t y : reference.step(frame))
      append(answers, int16_t(y + (t == 2 ? error : 0)));
  }
  network.self_test.resize((network.self_test.size() + 3) / 4 * 4);
  network.self_test += answers;
  return network;
}

struct Traced {
  std::vector<std::string> lines;
  const sluice_model* model;
  uint32_t step = 0, layers;
  static void take(void* context, uint32_t layer, const void* values, uint32_t n) {
    Traced& t = *static_cast<Traced*>(context);
    char line[72];
    for (uint32_t unit = 0; unit < n; ++unit) {
      const size_t length = sluice_trace_line(t.model, t.step, layer, unit, values, line);
      CHECK_EQ(length, std::strlen(line));
      t.lines.push_back(line);
    }
    t.step += layer == t.layers;
  }
};

}  // namespace

TEST_CASE("a blob's self-test runs on every instruction set, and reports the step that differs") {
  for (const Kernels* table : every_table())
    for (const int error : {0, 1, -3}) {
      const Opened m(with_test(error), table->name);
      Streaming s(m.model, {1, 1});
      const std::vector<int8_t> x = {1, 2, 3};
      std::vector<int16_t> first(2), y(2);
      sluice_step(&s.stream, x.data(), first.data());
      uint32_t step = 99;
      CHECK_EQ(sluice_selftest(&s.stream, &step), error ? SLUICE_SELF_TEST : SLUICE_OK);
      CHECK_EQ(step, error ? 2u : 99u);
      CHECK_EQ(sluice_selftest(&s.stream, nullptr), error ? SLUICE_SELF_TEST : SLUICE_OK);
      sluice_step(&s.stream, x.data(), y.data());  // reset afterwards
      CHECK_EQ(y, first);
    }
}

TEST_CASE("the self-test of a model that answers some frames has as many answers") {
  // The frames 2 and 4 of five have one.
  const auto with_answers = [](uint32_t said, int error) {
    Network network = random_network(2, {strided(window(2, 3), 2, true), dense(3)}, 22);
    const std::vector<float> x = {1, 2, 3, -1, 0.5f, 0, 2, 2, -3, 1};
    std::vector<float> answers = run_whole(Opened(network), x);
    REQUIRE_EQ(answers.size(), 2u * 3);
    answers.back() += float(error);
    answers.resize(size_t(said) * 3);
    append(network.self_test, uint32_t(1));
    append(network.self_test, uint32_t(5));
    append(network.self_test, said);
    for (const float v : x) append(network.self_test, v);
    for (const float v : answers) append(network.self_test, v);
    return network;
  };
  const auto status_of = [&](uint32_t said, int error, uint32_t* step) {
    const Opened m(with_answers(said, error));
    Streaming s(m.model, {1, 1});
    return sluice_selftest(&s.stream, step);
  };
  uint32_t step = 99;
  CHECK_EQ(status_of(2, 0, &step), SLUICE_OK);
  CHECK_EQ(step, 99u);
  CHECK_EQ(status_of(2, 1, &step), SLUICE_SELF_TEST);
  CHECK_EQ(step, 4u);
  CHECK_EQ(status_of(1, 0, &step), SLUICE_SELF_TEST);  // more than the test has
  CHECK_EQ(step, 4u);
  CHECK_EQ(status_of(3, 0, &step), SLUICE_SELF_TEST);  // fewer
  CHECK_EQ(step, 4u);
}

TEST_CASE("a self-test that is missing or cut short has its status") {
  const Opened without(random_fixed_network(3, {gru(5)}, SLUICE_INT8, Numbers::trained, 1));
  Streaming s(without.model, {1, 1});
  CHECK_EQ(sluice_selftest(&s.stream, nullptr), SLUICE_NO_SELF_TEST);
  CHECK_EQ(sluice_selftest(nullptr, nullptr), SLUICE_NULL);
  const Network good = with_test(0);
  for (size_t n = 1; n < good.self_test.size(); ++n) {
    Network cut = good;
    cut.self_test.resize(n);
    const Opened m(cut);
    Streaming t(m.model, {1, 1});
    REQUIRE_EQ(sluice_selftest(&t.stream, nullptr), SLUICE_STRUCTURE);
  }
  for (const uint32_t wrong : {2u, 0x40000000u, 0xFFFFFFFFu})
    for (const size_t at : {size_t(0), size_t(4)}) {
      Network forged = good;
      std::memcpy(forged.self_test.data() + at, &wrong, sizeof wrong);
      const Opened m(forged);
      Streaming t(m.model, {1, 1});
      CHECK_NE(sluice_selftest(&t.stream, nullptr), SLUICE_OK);
    }
}

TEST_CASE("a trace has every layer's values in order, both for single steps and for sequences") {
  const Network network = with_test(0);
  const Opened m(network);
  const std::vector<int8_t> x = {1, 2, 3, -128, 127, 0, 5, 6, 7};
  std::vector<std::string> lines[2];
  for (const bool sequence : {false, true}) {
    Streaming s(m.model, {8, 1});
    Traced traced{{}, &m.model, 0, m.info().layers};
    sluice_trace(&s.stream, Traced::take, &traced);
    std::vector<int16_t> y(6);
    if (sequence) sluice_run(&s.stream, x.data(), y.data(), 3);
    for (int t = 0; t < 3 && !sequence; ++t)
      sluice_step(&s.stream, x.data() + 3 * t, &y[2 * size_t(t)]);
    lines[sequence] = traced.lines;
    CHECK_EQ(traced.lines.size(), size_t{3 * (3 + 5 + 2)});
    CHECK_EQ(traced.lines[0], "step 0 layer 0 unit 0: 1\n");
    CHECK_EQ(traced.lines[10], "step 1 layer 0 unit 0: -128\n");
    CHECK_EQ(traced.lines[29], "step 2 layer 2 unit 1: " + std::to_string(y[5]) + "\n");
    sluice_trace(&s.stream, nullptr, nullptr);
    sluice_step(&s.stream, x.data(), y.data());
    CHECK_EQ(traced.lines.size(), size_t(30));
  }
  CHECK_EQ(lines[0], lines[1]);
  const Opened real(random_network(2, {dense(1)}));
  const float values[] = {1.0f, -0.0f};
  char line[72];
  sluice_trace_line(&real.model, 4294967295u, 4294967295u, 1, values, line);
  CHECK_EQ(std::string(line), "step 4294967295 layer 4294967295 unit 1: 80000000\n");
}
