// Single kernels: a matrix times a vector, and the activations.
#include "bench.h"

namespace sluice::bench {
namespace {

void matvec(benchmark::State& state) {
  const size_t rows = size_t(state.range(0)), cols = size_t(state.range(1)), weights = rows * cols;
  Floats w(weights), bias(rows), x(cols), y(rows);
  fill(w.data(), weights), fill(x.data(), cols);
  const Matrix matrix{w.data(), int(rows), int(cols), 0};
  const Product product{{bias.data(), 0}, {x.data(), 0}, 1, {y.data(), 0}, 1};
  for (auto _ : state) {
    setting().kernels->product_f32(matrix, product);
    benchmark::ClobberMemory();
  }
  report(state, {double(weights), weights * sizeof(float), double(weights * sizeof(float))});
}

/// `macs` is the number of multiplications and fused multiply-adds per value in kernels/f32/math.h.
void activation(benchmark::State& state, Activation kind, int macs) {
  constexpr int n = 1024;
  Floats x(n);
  fill(x.data(), n, 4.0f);
  for (auto _ : state) {
    // Works in place: tanh of tanh of ... stays in range, and no branch depends on the value.
    setting().kernels->activate_f32(kind, x.data(), 1, n, n);
    benchmark::ClobberMemory();
  }
  report(state, {double(n) * macs, n * sizeof(float), 0}, n);
}

}  // namespace

void register_kernels() {
  auto* products = add_figure("matvec/f32", matvec)->ArgNames({"rows", "cols"});
  products->Args({48, 24})
      ->Args({96, 48})
      ->Args({192, 104})
      ->Args({384, 192})
      ->Args({768, 384})
      ->Args({3072, 1024});
  add_figure("activation/tanh", activation, Activation::tanh, 13);
  add_figure("activation/sigmoid", activation, Activation::sigmoid, 11);
}

}  // namespace sluice::bench
