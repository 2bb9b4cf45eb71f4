// The one table behind sigmoid and tanh in fixed point, computed by the compiler.
#include "../kernels.h"

namespace sluice {
namespace {

/// e^x for small x, by its Taylor series.
constexpr double small_exp(double x) {
  double sum = 1.0;
  for (int n = 20; n >= 1; --n) sum = 1.0 + sum * x / n;
  return sum;
}

constexpr SigmoidTable make_table() {
  SigmoidTable table{};
  const double step = small_exp(-1.0 / 32.0);
  double e = 1.0;  // e^(-i / 32)
  for (int i = 0; i <= sigmoid_steps; ++i, e *= step) {
    const double value = 65536.0 / (1.0 + e) + 0.5;
    table.at[i] = value < 65534.0 ? uint16_t(value) : uint16_t(65534);
  }
  return table;
}

}  // namespace

constexpr SigmoidTable sigmoid_table = make_table();

}  // namespace sluice
