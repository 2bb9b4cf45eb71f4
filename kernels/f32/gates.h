// GRU gates (reset-after), forward and backward; formulas in kernels.h.
#ifndef SLUICE_F32_GATES_H
#define SLUICE_F32_GATES_H

#include "math.h"

namespace sluice {
namespace {

/// One stream's gates: rz [2][hidden] in place; n may be g_x or g_h.
/// Two walks, not one: the units' chains from sigmoid to state are long, and a CPU overlaps only what fits its reorder buffer.
template <class Set>
inline void run_gates(float* rz, const float* g_x, const float* g_h, float* n, const float* h, float* h_next, int hidden) {
  map<Set>(rz, rz, 2 * size_t(hidden), [](auto v) { return sigmoid(v); });
  sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
    const auto candidate = tanh(fma(make.load(rz + i), make.load(g_h + i), make.load(g_x + i)));
    store(n + i, candidate);
    store(h_next + i, fma(make.load(rz + hidden + i), make.load(h + i) - candidate, candidate));
  });
}

template <class Set>
void gru_f32(const Gates& s) {
  for (int c = 0; c < s.count; ++c) {
    float* const a = s.a + ptrdiff_t(c) * s.a_stride;
    float* const g = s.g + ptrdiff_t(c) * s.g_stride;
    run_gates<Set>(a, g, a + 2 * s.hidden, g, s.h + ptrdiff_t(c) * s.h_stride, s.h_next + ptrdiff_t(c) * s.h_next_stride, s.hidden);
  }
}

template <class Set>
void gru_back_f32(const GatesBack& gates) {
  const GatesBack s = gates;
  for (int c = 0; c < s.count; ++c) {
    float* const a = s.a + ptrdiff_t(c) * s.a_stride;
    float* const g = s.g + ptrdiff_t(c) * s.g_stride;
    const float* const h = s.h + ptrdiff_t(c) * s.h_stride;
    float* const dh = s.dh + ptrdiff_t(c) * s.dh_stride;
    const int hidden = s.hidden;
    sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
      const auto one = make.set(1.0f);
      const auto r = make.load(a + i), z = make.load(a + hidden + i), gh = make.load(a + 2 * hidden + i);
      const auto n = make.load(g + i), d = make.load(dh + i);
      const auto dg_x = d * (one - z) * (one - n * n);
      store(a + i, dg_x * gh * (r * (one - r)));
      store(a + hidden + i, d * (make.load(h + i) - n) * (z * (one - z)));
      store(a + 2 * hidden + i, dg_x * r);
      store(g + i, dg_x);
      store(dh + i, d * z);
    });
  }
}

}  // namespace
}  // namespace sluice

#endif
