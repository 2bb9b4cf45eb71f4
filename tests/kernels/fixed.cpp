// The integer functions, over every argument: their accuracy as kernels/README.md states it. That tables of instruction sets
// agree with the definition, layers and all, is in runtime/fixed.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "../support/numbers.h"
#include "../support/reference_fixed.h"
#include "../support/tables.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

/// f(u) for n arguments by a Dense of no inputs: R(u, 0, m) with m = 2^31 - 1 halves; a shift of 1 puts that right.
std::vector<int16_t> activate(const Kernels& table, Activation f, const std::vector<int32_t>& u) {
  std::vector<int32_t> m(u.size(), INT32_MAX);
  std::vector<int16_t> y(u.size());
  alignas(16) uint8_t scratch[64], nothing[16] = {};
  table.dense_q8({{nothing, u.data(), m.data(), 1, int(u.size()), 0}, nothing, true, f, y.data(), scratch});
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
    "sigmoid and tanh in fixed point are as near to the exact ones as promised, and as written, on every instruction set") {
  const std::vector<int32_t> u = arguments();
  for (const Kernels* table : every_table()) {
    const std::string isa = name_of(*table);
    CAPTURE(isa);
    const std::vector<int16_t> s = activate(*table, Activation::sigmoid, u), t = activate(*table, Activation::tanh, u);
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
    const std::vector<int16_t> y = activate(*table, Activation::linear, u), relu = activate(*table, Activation::relu, u);
    for (size_t i = 0; i < u.size(); ++i) {
      const int32_t r = fixed::requantize(u[i], 1, INT32_MAX);
      REQUIRE_EQ(int(y[i]), std::clamp(r, -32768, 32767));
      REQUIRE_EQ(int(relu[i]), std::clamp(r, 0, 32767));
    }
  }
}
