// Dense, y = f(W x + b), and standardization, y = (x - mean) * scale with mean and scale of the
// training data; in float.
#ifndef SLUICE_DENSE_H
#define SLUICE_DENSE_H

#include <string.h>

#include "layer.h"

namespace sluice {

struct Dense {
  static void run(const Call& call, Arena& scratch) {
    if (has_parts(call.layer)) return run_parts(call, scratch);
    if (scratch.measures()) return;
    const int units = padded(int(call.layer.out));
    const Matrix w{call.model.blob + call.layer.w_ih, units, int(call.layer.in), 0};
    const Kernels& kernels = *call.model.kernels;
    float* const y = static_cast<float*>(call.y);
    kernels.product_f32(w, {{call.weights(call.layer.b_ih), 0},
                            {static_cast<const float*>(call.x), call.x_stride},
                            1,
                            {y, units},
                            call.rows()});
    activate(kernels, call.layer, call.model.blob, y, call.rows(), units);
  }

  /// Applies one matrix to each of the parts of a row. It is a function of its own, so that a plain
  /// Dense has its registers for itself.
  __attribute__((noinline)) static void run_parts(const Call& call, Arena& scratch) {
    const LayerRecord one = part_record(call.layer);
    const int parts = call.layer.parts, out = int(one.out), units = padded(out);
    // The rows of the parts are put side by side if they have padding.
    float* const rows =
        out == units ? nullptr : scratch.take<float>(uint64_t(parts) * uint64_t(units));
    if (scratch.measures()) return;
    const Matrix w{call.model.blob + one.w_ih, units, int(one.in), 0};
    const ptrdiff_t y_stride = padded(int(call.layer.out));
    for (int row = 0; row < call.rows(); ++row) {
      const float* const x = static_cast<const float*>(call.x) + ptrdiff_t(row) * call.x_stride;
      float* const y = static_cast<float*>(call.y) + row * y_stride;
      float* const to = rows ? rows : y;
      call.model.kernels->product_f32(
          w, {{call.weights(one.b_ih), 0}, {x, int(one.in)}, 1, {to, units}, parts});
      activate(*call.model.kernels, one, call.model.blob, to, parts, units);
      for (int part = 0; rows && part < parts; ++part)
        memcpy(y + ptrdiff_t(part) * out, rows + ptrdiff_t(part) * units,
               size_t(out) * sizeof(float));
    }
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_DENSE, SLUICE_F32>(no_state, single_row<Dense>, run, nullptr);
};

/// f(x), number by number; a softmax over all numbers.
struct CurveLayer {
  static void step(const StepCall& call) {
    const int n = int(call.layer.out), units = padded(n);
    float* const y = static_cast<float*>(call.y);
    memcpy(y, call.x, size_t(n) * sizeof(float));
    memset(y + n, 0, size_t(units - n) * sizeof(float));
    activate(*call.model.kernels, call.layer, call.model.blob, y, 1, units);
  }
  static size_t scratch(const LayerRecord&) { return 0; }

  static constexpr LayerKind kind =
      make_kind<SLUICE_CURVE, SLUICE_F32>(no_state, step, nullptr, scratch);
};

struct Standardize {
  static void run(const Call& call, Arena& scratch) {
    if (scratch.measures()) return;
    const int n = int(call.layer.in), units = padded(n);
    for (int row = 0; row < call.rows(); ++row)
      call.model.kernels->standardize_f32(
          static_cast<const float*>(call.x) + ptrdiff_t(row) * call.x_stride,
          call.weights(call.layer.b_ih), call.weights(call.layer.w_ih),
          static_cast<float*>(call.y) + ptrdiff_t(row) * units, n);
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_STANDARDIZE, SLUICE_F32>(no_state, single_row<Standardize>, run, nullptr);
};

}  // namespace sluice

#endif
