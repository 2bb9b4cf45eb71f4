// Requantization, sigmoid, tanh and the gates in fixed point: the formulas of kernels/README.md over an integer lane type.
#ifndef SLUICE_FIXED_GATES_H
#define SLUICE_FIXED_GATES_H

#include "../kernels.h"
#include "../sweep.h"

namespace sluice {
namespace {

/// R(a, s, m).
template <class V>
inline V requantize(V a, int shift, V m) { return high_product(shift_left(a, shift), m); }

/// 3 |u|, which makes pieces of 2/3 of units of 2^-12; where it is large, enough for what follows.
template <class V>
inline V thirds(V u) {
  const V m = magnitude<17>(u);
  return m + shift_left(m, 1);
}

template <class V>
inline V sigmoid_fixed(V u) {
  const V above_half = shift_right<5>(curve_at(at_most<17>(thirds(u))) + Make<V>::set(16));
  return Make<V>::set(16384) + with_sign_of(above_half, u);
}

template <class V>
inline V tanh_fixed(V u) {
  return with_sign_of(shift_right<4>(curve_at(at_most<17>(shift_left(thirds(u), 1))) + Make<V>::set(8)), u);
}

/// (a * b + 2^14) >> 15.
template <class V>
inline V product_q15(V a, V b) { return shift_right<15>(a * b + Make<V>::set(1 << 14)); }

/// The accumulators of the units [first, first + n), gates r, z, n, each `stride` apart.
struct GateSums {
  int32_t* x;  ///< overwritten
  const int32_t* h;
  int stride;
  int first;
  size_t n;
};

/// On hosts in four walks: the units' chains from accumulator to state are long, and a CPU overlaps only what fits its reorder buffer.
/// A core in order has nothing to overlap, and keeps everything in registers.
template <class Set>
inline void fixed_gates(const FixedGru& s, const GateSums& sums) {
  const int32_t *const m_x = s.ih.m + sums.first, *const m_h = s.hh.m + sums.first;
  int16_t* const h = s.h + sums.first;
  const int shift_x = s.ih.shift, shift_h = s.hh.shift, units = s.units, stride = sums.stride;
  int32_t* const x_sums = sums.x;
  const int32_t* const h_sums = sums.h;
  const auto over_x = [=](auto make, size_t i, int gate) SLUICE_INLINE {
    return requantize(make.load(x_sums + gate * stride + i), shift_x, make.load(m_x + gate * units + i));
  };
  const auto over_both = [=](auto make, size_t i, int gate) SLUICE_INLINE {
    return add_high_product(over_x(make, i, gate), shift_left(make.load(h_sums + gate * stride + i), shift_h), make.load(m_h + gate * units + i));
  };
  const auto gate = [=](auto make, size_t i, int which) SLUICE_INLINE { return sigmoid_fixed(over_both(make, i, which)); };
  const auto candidate = [=](auto make, size_t i, auto r) SLUICE_INLINE {
    const auto g = requantize(make.load(h_sums + 2 * stride + i), shift_h, make.load(m_h + 2 * units + i));
    return over_x(make, i, 2) + product_q15(r, saturated<17>(g));
  };
  const auto update = [=](auto make, size_t i, auto z, auto before) SLUICE_INLINE {
    const auto n = tanh_fixed(before);
    store(h + i, n + product_q15(z, make.load(h + i) - n));
  };
  if constexpr (Set::overlaps) {
    sweep_ints<Set>(sums.n, [=](auto make, size_t i) SLUICE_INLINE {
      store(x_sums + i, over_both(make, i, 0));
      store(x_sums + stride + i, over_both(make, i, 1));
    });
    sweep_ints<Set>(sums.n, [=](auto make, size_t i) SLUICE_INLINE {
      store(x_sums + i, sigmoid_fixed(make.load(x_sums + i)));
      store(x_sums + stride + i, sigmoid_fixed(make.load(x_sums + stride + i)));
    });
    sweep_ints<Set>(sums.n, [=](auto make, size_t i) SLUICE_INLINE {
      store(x_sums + 2 * stride + i, candidate(make, i, make.load(x_sums + i)));
    });
    sweep_ints<Set>(sums.n, [=](auto make, size_t i) SLUICE_INLINE {
      update(make, i, make.load(x_sums + stride + i), make.load(x_sums + 2 * stride + i));
    });
  } else {
    sweep_ints<Set>(sums.n, [=](auto make, size_t i) SLUICE_INLINE {
      update(make, i, gate(make, i, 1), candidate(make, i, gate(make, i, 0)));
    });
  }
}

template <class V>
inline V activation_fixed(Activation f, V u) {
  switch (f) {
    case Activation::tanh: return tanh_fixed(u);
    case Activation::sigmoid: return sigmoid_fixed(u);
    case Activation::relu: return larger(saturated<16>(u), Make<V>::set(0));
    default: return saturated<16>(u);
  }
}

/// y = f(R(a)), [count].
template <class Set>
inline void fixed_activation(Activation f, const int32_t* a, const int32_t* m, int shift, int16_t* y, int count) {
  sweep_ints<Set>(size_t(count), [=](auto make, size_t i) SLUICE_INLINE {
    store(y + i, activation_fixed(f, requantize(make.load(a + i), shift, make.load(m + i))));
  });
}

}  // namespace
}  // namespace sluice

#endif
