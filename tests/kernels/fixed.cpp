// Tests the integer functions over every argument: their accuracy is the one that kernels/README.md
// states. runtime/fixed.cpp tests that the tables of all instruction sets agree with the
// definition, whole layers included.
#include <doctest/doctest.h>

#include <cmath>

#include "../support/numbers.h"
#include "../support/reference_fixed.h"
#include "../support/tables.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

/// Computes f(u) for n arguments by a Dense without inputs. R(u, 0, m) with m = 2^31 - 1 halves u;
/// a shift of 1 compensates.
std::vector<int16_t> activate(const Kernels& table, Activation f, const std::vector<int32_t>& u) {
  std::vector<int32_t> m(u.size(), INT32_MAX);
  std::vector<int16_t> y(u.size());
  alignas(16) uint8_t scratch[64], nothing[16] = {};
  table.dense_q8(
      {{nothing, u.data(), m.data(), 1, int(u.size()), 0}, nothing, true, f, y.data(), scratch});
  return y;
}

std::vector<int32_t> arguments() {
  std::vector<int32_t> u;
  for (int32_t i = -70000; i < 70000; ++i) u.push_back(i);
  for (const int32_t far : {INT32_MIN / 2, INT32_MAX / 2, -1000000, 1000000})
    for (int32_t i = 0; i < 8; ++i) u.push_back(far);
  return u;
}

}  // namespace

TEST_CASE(
    "sigmoid and tanh in fixed point are as accurate as documented, and equal the written "
    "definition, on every instruction set") {
  const std::vector<int32_t> u = arguments();
  for (const Kernels* table : every_table()) {
    const std::string isa = name_of(*table);
    CAPTURE(isa);
    const std::vector<int16_t> s = activate(*table, Activation::sigmoid, u),
                               t = activate(*table, Activation::tanh, u);
    double worst_s = 0, worst_t = 0;
    for (size_t i = 0; i < u.size(); ++i) {
      const int32_t r = fixed::requantize(u[i], 1, INT32_MAX);
      REQUIRE_EQ(int(s[i]), fixed::sigmoid(r));
      REQUIRE_EQ(int(t[i]), fixed::tanh(r));
      const double x = r / 4096.0;
      worst_s = std::max(worst_s, std::fabs(s[i] - 32768 / (1 + std::exp(-x))));
      worst_t = std::max(worst_t, std::fabs(t[i] - 32768 * std::tanh(x)));
    }
    CHECK(worst_s <= 1.0);
    CHECK(worst_t <= 1.3);
  }
}

TEST_CASE("linear and ReLU saturate, and never wrap") {
  const std::vector<int32_t> u = arguments();
  for (const Kernels* table : every_table()) {
    const std::vector<int16_t> y = activate(*table, Activation::linear, u),
                               relu = activate(*table, Activation::relu, u);
    for (size_t i = 0; i < u.size(); ++i) {
      const int32_t r = fixed::requantize(u[i], 1, INT32_MAX);
      REQUIRE_EQ(int(y[i]), std::clamp(r, -32768, 32767));
      REQUIRE_EQ(int(relu[i]), std::clamp(r, 0, 32767));
    }
  }
}

TEST_CASE(
    "an LSTM's cell state equals the written definition in every unit that it can have, and "
    "saturates") {
  constexpr int units = 64, rows = 4 * units;
  Noise noise(21);
  for (int e = 0; e <= 15; ++e) {
    // Without inputs and without weights on the state, the gates' sums are R of the biases. Some
    // are far beyond the curve's ends.
    std::vector<int32_t> bias(rows), none(rows), m(rows, INT32_MAX);
    for (int32_t& b : bias)
      b = noise.below(4) ? noise.below(80001) - 40000 : noise.below(2) ? -300000 : 300000;
    std::vector<int8_t> w(size_t(rows) * units);
    std::vector<int16_t> h(units), c(units);
    for (int16_t& v : c)
      v = int16_t(noise.below(3) ? noise.below(65536) - 32768 : noise.below(2) ? -32768 : 32767);
    const std::vector<int16_t> c_before = c;
    fixed::Cell cell{fixed::Cell::lstm, fixed::int8, 0, units, {}, w, bias, none, m, m, 1, 1, e};
    std::vector<int16_t> h_as_written = h, c_as_written = c;
    fixed::step(cell, {}, h_as_written, c_as_written);
    for (const Kernels* table : every_table()) {
      CAPTURE(name_of(*table));
      CAPTURE(e);
      for (const bool narrow : {true, false}) {
        std::fill(h.begin(), h.end(), int16_t(0));
        c = c_before;
        alignas(64) uint8_t scratch[side_bytes(0) + side_bytes(units)], nothing[64] = {};
        FixedLstm step{{{nothing, bias.data(), m.data(), 1, rows, 0},
                        {w.data(), none.data(), m.data(), 1, rows, units},
                        nothing,
                        true,
                        h.data(),
                        h.data(),
                        units,
                        scratch},
                       c.data(),
                       e};
        (narrow ? table->lstm_q8 : table->lstm_q16)(step);
        REQUIRE_EQ(h, h_as_written);
        REQUIRE_EQ(c, c_as_written);
      }
    }
    int ends = 0;
    for (const int16_t v : c_as_written) ends += v == 32767 || v == -32768;
    if (e == 0) CHECK(ends > 0);
  }
}
