// The gates of each cell, forward and backward. kernels.h has the formulas.
#ifndef SLUICE_F32_GATES_H
#define SLUICE_F32_GATES_H

#include "math.h"

namespace sluice {
namespace {

/// Computes the gates of one stream: rz [2][hidden] in place; n may be g_x or g_h.
/// It uses two loops, because one unit's chain of operations from sigmoid to state is long, and a
/// CPU overlaps only as many units as its reorder buffer holds.
template <class Set>
inline void run_gates(Curve gate, float* rz, const float* g_x, const float* g_h, float* n,
                      const float* h, float* h_next, int hidden) {
  activate<Set>(gate, rz, 2 * size_t(hidden));
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
    run_gates<Set>(s.gate, a, g, a + 2 * s.hidden, g, s.h + ptrdiff_t(c) * s.h_stride,
                   s.h_next + ptrdiff_t(c) * s.h_next_stride, s.hidden);
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
    with_derivative(s.gate, [=](auto slope) {
      sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
        const auto one = make.set(1.0f);
        const auto r = make.load(a + i), z = make.load(a + hidden + i),
                   gh = make.load(a + 2 * hidden + i);
        const auto n = make.load(g + i), d = make.load(dh + i);
        const auto dg_x = d * (one - z) * (one - n * n);
        store(a + i, dg_x * gh * slope(make, r));
        store(a + hidden + i, d * (make.load(h + i) - n) * slope(make, z));
        store(a + 2 * hidden + i, dg_x * r);
        store(g + i, dg_x);
        store(dh + i, d * z);
      });
    });
  }
}

template <class Set>
void lstm_f32(const LstmGates& gates) {
  const LstmGates s = gates;
  for (int n = 0; n < s.count; ++n) {
    float* const a = s.a + ptrdiff_t(n) * s.a_stride;
    float* const t = s.t + ptrdiff_t(n) * s.t_stride;
    const float* const c = s.c + ptrdiff_t(n) * s.c_stride;
    float* const c_next = s.c_next + ptrdiff_t(n) * s.c_next_stride;
    float* const h_next = s.h_next + ptrdiff_t(n) * s.h_next_stride;
    const int hidden = s.hidden;
    activate<Set>(s.gate, a, 2 * size_t(hidden));
    activate<Set>(Activation::tanh, a + 2 * hidden, size_t(hidden));
    activate<Set>(s.gate, a + 3 * hidden, size_t(hidden));
    sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
      const auto next = fma(make.load(a + hidden + i), make.load(c + i),
                            make.load(a + i) * make.load(a + 2 * hidden + i));
      const auto squashed = tanh(next);
      store(c_next + i, next);
      store(t + i, squashed);
      store(h_next + i, make.load(a + 3 * hidden + i) * squashed);
    });
  }
}

template <class Set>
void lstm_back_f32(const LstmBack& gates) {
  const LstmBack s = gates;
  for (int n = 0; n < s.count; ++n) {
    float* const a = s.a + ptrdiff_t(n) * s.a_stride;
    const float* const t = s.t + ptrdiff_t(n) * s.t_stride;
    const float* const c = s.c + ptrdiff_t(n) * s.c_stride;
    const float* const dh = s.dh + ptrdiff_t(n) * s.dh_stride;
    float* const dc = s.dc + ptrdiff_t(n) * s.dc_stride;
    const int hidden = s.hidden;
    with_derivative(s.gate, [=](auto slope) {
      sweep<Set>(size_t(hidden), [=](auto make, size_t k) {
        const auto one = make.set(1.0f);
        const auto i = make.load(a + k), f = make.load(a + hidden + k),
                   g = make.load(a + 2 * hidden + k);
        const auto o = make.load(a + 3 * hidden + k), squashed = make.load(t + k),
                   dy = make.load(dh + k);
        const auto d = fma(dy * o, one - squashed * squashed, make.load(dc + k));
        store(a + k, d * g * slope(make, i));
        store(a + hidden + k, d * make.load(c + k) * slope(make, f));
        store(a + 2 * hidden + k, d * i * (one - g * g));
        store(a + 3 * hidden + k, dy * squashed * slope(make, o));
        store(dc + k, d * f);
      });
    });
  }
}

/// The rows of one stream in a ResetBefore.
struct ResetRows {
  float *a, *s;
  const float* h;
  float* h_next;
  ResetRows(const ResetBefore& all, int n)
      : a(all.a + ptrdiff_t(n) * all.a_stride),
        s(all.s + ptrdiff_t(n) * all.s_stride),
        h(all.h + ptrdiff_t(n) * all.h_stride),
        h_next(all.h_next + ptrdiff_t(n) * all.h_next_stride) {}
};

template <class Set>
void gru_reset_f32(const ResetBefore& all) {
  for (int n = 0; n < all.count; ++n) {
    const ResetRows row(all, n);
    activate<Set>(all.gate, row.a, 2 * size_t(all.hidden));
    sweep<Set>(size_t(all.hidden), [=](auto make, size_t i) {
      store(row.s + i, make.load(row.a + i) * make.load(row.h + i));
    });
  }
}

template <class Set>
void gru_update_f32(const ResetBefore& all) {
  const int hidden = all.hidden;
  for (int n = 0; n < all.count; ++n) {
    const ResetRows row(all, n);
    sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
      const auto candidate = tanh(make.load(row.a + 2 * hidden + i));
      store(row.a + 2 * hidden + i, candidate);
      store(row.h_next + i,
            fma(make.load(row.a + hidden + i), make.load(row.h + i) - candidate, candidate));
    });
  }
}

template <class Set>
void gru_update_back_f32(const ResetBefore& all) {
  const int hidden = all.hidden;
  for (int row_index = 0; row_index < all.count; ++row_index) {
    const ResetRows row(all, row_index);
    with_derivative(all.gate, [=](auto slope) {
      sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
        const auto one = make.set(1.0f);
        const auto z = make.load(row.a + hidden + i), n = make.load(row.a + 2 * hidden + i),
                   d = make.load(row.h_next + i);
        store(row.a + 2 * hidden + i, d * (one - z) * (one - n * n));
        store(row.a + hidden + i, d * (make.load(row.h + i) - n) * slope(make, z));
        store(row.h_next + i, d * z);
      });
    });
  }
}

template <class Set>
void gru_reset_back_f32(const ResetBefore& all) {
  for (int n = 0; n < all.count; ++n) {
    const ResetRows row(all, n);
    with_derivative(all.gate, [=](auto slope) {
      sweep<Set>(size_t(all.hidden), [=](auto make, size_t i) {
        const auto r = make.load(row.a + i), d = make.load(row.s + i);
        store(row.a + i, d * make.load(row.h + i) * slope(make, r));
        store(row.h_next + i, fma(d, r, make.load(row.h_next + i)));
      });
    });
  }
}

/// The sigmoids of the two numbers zeta and nu of a FastGRNN.
struct Blend {
  float zeta, nu;
};
template <class Set>
inline Blend blend_of(float zeta, float nu) {
  float both[] = {zeta, nu};
  activate<Set>(Activation::sigmoid, both, 2);
  return {both[0], both[1]};
}

template <class Set>
void fastgrnn_f32(const FastGrnnGates& gates) {
  const FastGrnnGates s = gates;
  const Blend blend = blend_of<Set>(s.zeta, s.nu);
  for (int c = 0; c < s.count; ++c) {
    float* const a = s.a + ptrdiff_t(c) * s.a_stride;
    float* const n = s.n + ptrdiff_t(c) * s.n_stride;
    const float* const h = s.h + ptrdiff_t(c) * s.h_stride;
    float* const h_next = s.h_next + ptrdiff_t(c) * s.h_next_stride;
    sweep<Set>(size_t(s.hidden), [=](auto make, size_t i) {
      const auto u = make.load(a + i);
      store(n + i, tanh(u + make.load(s.update_bias + i)));
      store(a + i, u + make.load(s.gate_bias + i));
    });
    activate<Set>(s.gate, a, size_t(s.hidden));
    sweep<Set>(size_t(s.hidden), [=](auto make, size_t i) {
      const auto z = make.load(a + i);
      const auto share = fma(make.set(blend.zeta), make.set(1.0f) - z, make.set(blend.nu));
      store(h_next + i, fma(z, make.load(h + i), share * make.load(n + i)));
    });
  }
}

template <class Set>
void fastgrnn_back_f32(const FastGrnnBack& gates) {
  const FastGrnnBack s = gates;
  const Blend blend = blend_of<Set>(s.zeta, s.nu);
  for (int c = 0; c < s.count; ++c) {
    float* const a = s.a + ptrdiff_t(c) * s.a_stride;
    const float* const candidate = s.n + ptrdiff_t(c) * s.n_stride;
    const float* const h = s.h + ptrdiff_t(c) * s.h_stride;
    float* const dh = s.dh + ptrdiff_t(c) * s.dh_stride;
    float *const sum_z = s.sums, *const sum_n = sum_z + s.hidden,
                 *const sum_zeta = sum_n + s.hidden, *const sum_nu = sum_zeta + s.hidden;
    with_derivative(s.gate, [=](auto slope) {
      sweep<Set>(size_t(s.hidden), [=](auto make, size_t i) {
        const auto one = make.set(1.0f), zeta = make.set(blend.zeta);
        const auto z = make.load(a + i), n = make.load(candidate + i), d = make.load(dh + i);
        const auto closed = one - z, t = d * n;
        const auto da_n = d * fma(zeta, closed, make.set(blend.nu)) * (one - n * n);
        const auto da_z = d * (make.load(h + i) - zeta * n) * slope(make, z);
        store(a + i, da_z + da_n);
        store(dh + i, d * z);
        store(sum_z + i, make.load(sum_z + i) + da_z);
        store(sum_n + i, make.load(sum_n + i) + da_n);
        store(sum_zeta + i, fma(t, closed, make.load(sum_zeta + i)));
        store(sum_nu + i, make.load(sum_nu + i) + t);
      });
    });
  }
}

}  // namespace
}  // namespace sluice

#endif
