// Requantization, sigmoid, tanh and the gates in fixed point: the formulas of kernels/README.md over an integer lane type.
#ifndef SLUICE_FIXED_GATES_H
#define SLUICE_FIXED_GATES_H

#include "../kernels.h"
#include "../sweep.h"

/// On a lambda: its body belongs into the loop that calls it, whatever it costs in size.
#define SLUICE_INLINE __attribute__((always_inline))

namespace sluice {
namespace {

/// R(a, s, m).
template <class V>
inline V requantize(V a, int shift, V m) { return high_product(shift_left(a, shift), m); }

/// L(u), 0 <= u <= 65535.
template <class V>
inline V table_line(V u) {
  const auto near = neighbors(sigmoid_table.at, shift_right<7>(u));
  return shift_left(near.low, 7) + (near.high - near.low) * (u & Make<V>::set(127));
}

template <class V>
inline V sigmoid_fixed(V u) {
  constexpr int32_t half = 16384;  // taken off before the shift, which it passes unchanged
  const V above = shift_right<8>(table_line(magnitude<16>(u)) + Make<V>::set(128 - half * 256));
  return Make<V>::set(half) + with_sign_of(above, u);
}

template <class V>
inline V tanh_fixed(V u) {
  const V line = table_line(shift_left(magnitude<15>(u), 1));
  return with_sign_of(shift_right<7>(line - Make<V>::set((1 << 22) - 64)), u);
}

/// (a * b + 2^14) >> 15.
template <class V>
inline V product_q15(V a, V b) { return shift_right<15>(a * b + Make<V>::set(1 << 14)); }

/// The accumulators of the units [first, first + n), gates r, z, n, each `stride` apart.
struct GateSums {
  const int32_t *x, *h;
  int stride;
  int first;
  size_t n;
};

template <class Set>
inline void fixed_gates(const FixedGru& s, const GateSums& sums) {
  const int32_t *const m_x = s.ih.m + sums.first, *const m_h = s.hh.m + sums.first;
  int16_t* const h = s.h + sums.first;
  const int shift_x = s.ih.shift, shift_h = s.hh.shift, units = s.units, stride = sums.stride;
  const int32_t *const x_sums = sums.x, *const h_sums = sums.h;
  sweep_ints<Set>(sums.n, [=](auto make, size_t i) SLUICE_INLINE {
    const auto over_x = [=](int gate) SLUICE_INLINE { return requantize(make.load(x_sums + gate * stride + i), shift_x, make.load(m_x + gate * units + i)); };
    const auto over_h = [=](int gate) SLUICE_INLINE { return requantize(make.load(h_sums + gate * stride + i), shift_h, make.load(m_h + gate * units + i)); };
    const auto r = sigmoid_fixed(over_x(0) + over_h(0));
    const auto z = sigmoid_fixed(over_x(1) + over_h(1));
    const auto n = tanh_fixed(over_x(2) + product_q15(r, saturated<17>(over_h(2))));
    store(h + i, n + product_q15(z, make.load(h + i) - n));
  });
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
