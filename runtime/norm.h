// Batch and layer normalization, and division by the norm, in float.
#ifndef SLUICE_NORM_H
#define SLUICE_NORM_H

#include "dense.h"

namespace sluice {

/// Batch normalization (Ioffe, Szegedy 2015) outside training:
/// y = fma(x - mean, weight / sqrt(var + epsilon), bias).
struct BatchNorm {
  static void run(const Call& call, Arena& scratch) {
    const int n = int(call.layer.out), units = padded(n);
    float* const scale = scratch.take<float>(uint64_t(units));
    if (scratch.measures()) return;
    const float* const weight = call.weights(call.layer.w_ih);
    const float* const var = call.weights(call.layer.b_hh);
    for (int i = 0; i < n; ++i)
      scale[i] = weight[i] / __builtin_sqrtf(var[i] + call.layer.parameter);
    for (int row = 0; row < call.rows(); ++row)
      call.model.kernels->normalize_f32(
          static_cast<const float*>(call.x) + ptrdiff_t(row) * call.x_stride,
          call.weights(call.layer.w_hh), scale, call.weights(call.layer.b_ih),
          static_cast<float*>(call.y) + ptrdiff_t(row) * units, n);
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_BATCH_NORM, SLUICE_F32>(no_state, single_row<BatchNorm>, run, nullptr);
};

/// Layer normalization over features (Ba, Kiros, Hinton 2016).
struct LayerNorm {
  static void run(const Call& call, Arena& scratch) {
    if (scratch.measures()) return;
    const int n = int(call.layer.out), units = padded(n);
    for (int row = 0; row < call.rows(); ++row)
      call.model.kernels->layer_norm_f32(
          static_cast<const float*>(call.x) + ptrdiff_t(row) * call.x_stride, call.layer.parameter,
          call.weights(call.layer.w_ih), call.weights(call.layer.b_ih), nullptr,
          static_cast<float*>(call.y) + ptrdiff_t(row) * units, n);
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_LAYER_NORM, SLUICE_F32>(no_state, single_row<LayerNorm>, run, nullptr);
};

/// Returns |x|, the root of the sum of squares in the order of the numbers, but at least `lowest`.
inline float unit_norm(const float* x, int n, float lowest) {
  float sum = 0.0f;
  for (int i = 0; i < n; ++i) sum += x[i] * x[i];
  const float root = __builtin_sqrtf(sum);
  return root > lowest ? root : lowest;
}

/// y = x / |x|, with |x| at least the layer's parameter.
struct UnitNorm {
  static void step(const StepCall& call) {
    const int n = int(call.layer.out);
    const auto* const x = static_cast<const float*>(call.x);
    auto* const y = static_cast<float*>(call.y);
    const float norm = unit_norm(x, n, call.layer.parameter);
    for (int i = 0; i < n; ++i) y[i] = x[i] / norm;
  }
  static size_t scratch(const LayerRecord&) { return 0; }

  static constexpr LayerKind kind =
      make_kind<SLUICE_UNIT_NORM, SLUICE_F32>(no_state, step, nullptr, scratch);
};

}  // namespace sluice

#endif
