// Dense, y = f(W x + b), and standardization, y = (x - mean) * scale with mean and scale of the
// training data; in float.
#ifndef SLUICE_DENSE_H
#define SLUICE_DENSE_H

#include "layer.h"

namespace sluice {

struct Dense {
  static void run(const Call& call, Arena& scratch) {
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

  static constexpr LayerKind kind =
      make_kind<SLUICE_DENSE, SLUICE_F32>(no_state, single_row<Dense>, run, nullptr);
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
