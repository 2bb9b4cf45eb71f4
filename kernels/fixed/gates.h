// Requantization, sigmoid, tanh and the gates in fixed point: the formulas of kernels/README.md
// over an integer lane type.
#ifndef SLUICE_FIXED_GATES_H
#define SLUICE_FIXED_GATES_H

#include "../kernels.h"
#include "../sweep.h"

namespace sluice {
namespace {

/// Returns R(a, shift, m).
template <class V>
inline V requantize(V a, int shift, V m) {
  return high_product(shift_left(a, shift), m);
}

/// Returns 3 |u|. With u in units of 2^-12, each 2^13 of it is one piece of 2/3. A large u may give
/// a smaller number that is still beyond the last piece.
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
  return with_sign_of(
      shift_right<4>(curve_at(at_most<17>(shift_left(thirds(u), 1))) + Make<V>::set(8)), u);
}

/// Returns (a * b + 2^14) >> 15.
template <class V>
inline V product_q15(V a, V b) {
  return shift_right<15>(a * b + Make<V>::set(1 << 14));
}

/// The curves of a plain cell.
struct PlainCurves {
  template <class V>
  static SLUICE_INLINE V gate(V u) {
    return sigmoid_fixed(u);
  }
  template <class V>
  static SLUICE_INLINE V candidate(V u) {
    return tanh_fixed(u);
  }
  static constexpr bool squashes() { return true; }
  /// Returns the state of an LSTM, o * y.
  template <class V>
  static SLUICE_INLINE V output(V o, V y) {
    return product_q15(o, y);
  }
};

/// The accumulators of the units [first, first + n), over the input and over the state; gates are
/// `stride` apart.
struct Chunk {
  int32_t* x;  ///< overwritten
  const int32_t* h;
  int stride, first;
  size_t n;
};

/// The same with the multipliers and shifts that bring them to units of 2^-12. Copied by value into
/// each loop, so that the compiler can assume that the loop's stores do not alias its members.
struct GateSums {
  int32_t* x;  ///< overwritten
  const int32_t* h;
  const int32_t *m_x, *m_h;  ///< gates `units` apart
  int shift_x, shift_h;
  int stride, units;

  template <class M>
  SLUICE_INLINE auto over_x(M make, size_t i, int gate) const {
    return requantize(make.load(x + gate * stride + i), shift_x, make.load(m_x + gate * units + i));
  }
  template <class M>
  SLUICE_INLINE auto over_h(M make, size_t i, int gate) const {
    return requantize(make.load(h + gate * stride + i), shift_h, make.load(m_h + gate * units + i));
  }
  template <class M>
  SLUICE_INLINE auto over_both(M make, size_t i, int gate) const {
    return add_high_product(over_x(make, i, gate),
                            shift_left(make.load(h + gate * stride + i), shift_h),
                            make.load(m_h + gate * units + i));
  }
  template <class M, class Curves>
  SLUICE_INLINE auto gate(M make, size_t i, int which, Curves f) const {
    return f.gate(over_both(make, i, which));
  }
};

inline GateSums gate_sums(const FixedMatrix& ih, const FixedMatrix& hh, int units,
                          const Chunk& chunk) {
  GateSums sums;
  sums.x = chunk.x, sums.h = chunk.h;
  sums.m_x = ih.m + chunk.first, sums.m_h = hh.m + chunk.first;
  sums.shift_x = ih.shift, sums.shift_h = hh.shift;
  sums.stride = chunk.stride, sums.units = units;
  return sums;
}

// The gates, from accumulators to the state. Hosts use several loops, because one unit's chain of
// operations is long, and a CPU overlaps only as many units as its reorder buffer holds. A core
// that executes in order has nothing to overlap, and keeps everything in registers in one loop.

/// Replaces x by the scaled sums of gates [0, gates), then by the gates.
template <class Set, class Curves>
inline void store_gates(const GateSums& sums, size_t n, int gates, Curves f) {
  const GateSums a = sums;
  sweep_ints<Set>(n, [=](auto make, size_t i) SLUICE_INLINE {
    for (int gate = 0; gate < gates; ++gate)
      store(a.x + gate * a.stride + i, a.over_both(make, i, gate));
  });
  sweep_ints<Set>(n, [=](auto make, size_t i) SLUICE_INLINE {
    for (int gate = 0; gate < gates; ++gate)
      store(a.x + gate * a.stride + i, f.gate(make.load(a.x + gate * a.stride + i)));
  });
}

template <class Set, class Curves>
SLUICE_INLINE inline void gates_with(const FixedGru& s, const Chunk& chunk, Curves f) {
  const GateSums a = gate_sums(s.ih, s.hh, s.units, chunk);
  int16_t* const h = s.h + chunk.first;
  const auto candidate = [=](auto make, size_t i, auto r) SLUICE_INLINE {
    return a.over_x(make, i, 2) + product_q15(r, saturated<17>(a.over_h(make, i, 2)));
  };
  const auto update = [=](auto make, size_t i, auto z, auto before) SLUICE_INLINE {
    const auto n = f.candidate(before);
    store(h + i, n + product_q15(z, make.load(h + i) - n));
  };
  if constexpr (Set::overlaps) {
    store_gates<Set>(a, chunk.n, 2, f);
    sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
      store(a.x + 2 * a.stride + i, candidate(make, i, make.load(a.x + i)));
    });
    sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
      update(make, i, make.load(a.x + a.stride + i), make.load(a.x + 2 * a.stride + i));
    });
  } else {
    sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
      update(make, i, a.gate(make, i, 1, f), candidate(make, i, a.gate(make, i, 0, f)));
    });
  }
}

template <class Set, class Curves>
SLUICE_INLINE inline void gates_with(const FixedRnn& s, const Chunk& chunk, Curves f) {
  const GateSums a = gate_sums(s.ih, s.hh, s.units, chunk);
  int16_t* const h = s.h + chunk.first;
  sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
    store(h + i, f.candidate(a.over_both(make, i, 0)));
  });
}

template <class Set>
inline void fixed_gates(const FixedFastGrnn& s, const Chunk& chunk) {
  const GateSums a = gate_sums(s.ih, s.hh, s.units, chunk);
  int16_t* const h = s.h + chunk.first;
  const int32_t* const gate_bias = s.gate_bias + chunk.first;
  const int32_t* const update_bias = s.update_bias + chunk.first;
  const int32_t zeta = s.zeta, nu = s.nu;
  const int e = s.shift_c;
  sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
    const auto u = a.over_both(make, i, 0);
    const auto z = sigmoid_fixed(u + make.load(gate_bias + i)),
               n = tanh_fixed(u + make.load(update_bias + i));
    const auto share = shift_right<16>(make.set(zeta) * (make.set(32768) - z) +
                                       shift_left(make.set(nu), 15) + make.set(1 << 15));
    const auto sum =
        shift_right<1>(z * make.load(h + i)) + shift_right(share * n, e) + make.set(1 << 13);
    store(h + i, saturated<16>(shift_right<14>(sum)));
  });
}

template <class Set, class Curves>
SLUICE_INLINE inline void gates_with(const FixedLstm& s, const Chunk& chunk, Curves curves) {
  const GateSums a = gate_sums(s.ih, s.hh, s.units, chunk);
  int16_t *const h = s.h + chunk.first, *const c = s.c + chunk.first;
  const int e = s.shift_c;
  // A candidate that is not tanh has the unit of c.
  const int down = curves.squashes() ? e : 0;
  const auto forget = [=](auto make, size_t i, auto in, auto f, auto g) SLUICE_INLINE {
    const auto sum = f * make.load(c + i) + shift_right(in * g, down) + make.set(1 << 14);
    const auto next = saturated<16>(shift_right<15>(sum));
    store(c + i, next);
    return next;
  };
  const auto squashed = [=](auto make, auto next) SLUICE_INLINE {
    return curves.squashes() ? tanh_fixed(shift_right<3>(shift_left(next, e) + make.set(4)))
                             : curves.candidate(next);
  };
  if constexpr (Set::overlaps) {
    const int stride = a.stride;
    store_gates<Set>(a, chunk.n, 2, curves);
    sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
      store(a.x + 2 * stride + i, curves.candidate(a.over_both(make, i, 2)));
      store(a.x + 3 * stride + i, a.gate(make, i, 3, curves));
    });
    sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
      forget(make, i, make.load(a.x + i), make.load(a.x + stride + i),
             make.load(a.x + 2 * stride + i));
    });
    sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
      store(h + i,
            curves.output(make.load(a.x + 3 * stride + i), squashed(make, make.load(c + i))));
    });
  } else {
    sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
      const auto in = a.gate(make, i, 0, curves), f = a.gate(make, i, 1, curves),
                 g = curves.candidate(a.over_both(make, i, 2));
      const auto t = squashed(make, forget(make, i, in, f, g));
      store(h + i, curves.output(a.gate(make, i, 3, curves), t));
    });
  }
}

/// The gates of plain cells. The code of each is that of its curves alone, as if there were no
/// others.
template <class Set>
inline void fixed_gates(const FixedGru& s, const Chunk& chunk) {
  gates_with<Set>(s, chunk, PlainCurves{});
}
template <class Set>
inline void fixed_gates(const FixedRnn& s, const Chunk& chunk) {
  gates_with<Set>(s, chunk, PlainCurves{});
}
template <class Set>
inline void fixed_gates(const FixedLstm& s, const Chunk& chunk) {
  gates_with<Set>(s, chunk, PlainCurves{});
}

/// The step of a GRU that resets before, up to the candidate's product: its input s = r * h, and z.
template <class Set, class Curves>
SLUICE_INLINE inline void reset_with(const FixedGruBefore& step, const Chunk& chunk, int16_t* s,
                                     int16_t* z, Curves f) {
  const GateSums a = gate_sums(step.ih, step.hh, step.units, chunk);
  const int16_t* const h = step.h + chunk.first;
  sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
    store(s + i, product_q15(a.gate(make, i, 0, f), make.load(h + i)));
    store(z + i, a.gate(make, i, 1, f));
  });
}

/// Computes the rest of the step of a GRU that resets before, after the candidate's product.
/// @param in  the candidate's rows over the inputs
template <class Set, class Curves>
SLUICE_INLINE inline void update_with(const FixedGruBefore& step, const FixedMatrix& in,
                                      const Chunk& chunk, const int16_t* z, Curves f) {
  const GateSums a = gate_sums(in, step.hn, step.units, chunk);
  int16_t* const h = step.h + chunk.first;
  sweep_ints<Set>(chunk.n, [=](auto make, size_t i) SLUICE_INLINE {
    const auto candidate = f.candidate(a.over_both(make, i, 0));
    store(h + i, candidate + product_q15(make.load(z + i), make.load(h + i) - candidate));
  });
}

template <class Set>
inline void fixed_reset(const FixedGruBefore& step, const Chunk& chunk, int16_t* s, int16_t* z) {
  reset_with<Set>(step, chunk, s, z, PlainCurves{});
}
template <class Set>
inline void fixed_update(const FixedGruBefore& step, const FixedMatrix& in, const Chunk& chunk,
                         const int16_t* z) {
  update_with<Set>(step, in, chunk, z, PlainCurves{});
}

template <class V>
inline V activation_fixed(Activation f, V u) {
  switch (f) {
    case Activation::tanh:
      return tanh_fixed(u);
    case Activation::sigmoid:
      return sigmoid_fixed(u);
    case Activation::relu:
      return larger(saturated<16>(u), Make<V>::set(0));
    default:
      return saturated<16>(u);
  }
}

/// Computes y = f(R(a)), [count].
template <class Set>
inline void fixed_activation(Activation f, const int32_t* a, const int32_t* m, int shift,
                             int16_t* y, int count) {
  sweep_ints<Set>(size_t(count), [=](auto make, size_t i) SLUICE_INLINE {
    store(y + i, activation_fixed(f, requantize(make.load(a + i), shift, make.load(m + i))));
  });
}

template <class Set>
void add_fixed(const FixedAdd& add) {
  const FixedAdd s = add;
  sweep_ints<Set>(size_t(s.units), [=](auto make, size_t i) SLUICE_INLINE {
    auto sum = make.load(s.bias + i);
    for (int p = 0; p < s.parts; ++p)
      sum = add_high_product(sum, shift_left(make.load(s.x[p] + i), 15),
                             make.load(s.m + ptrdiff_t(p) * s.units + i));
    store(s.y + i, saturated<16>(sum));
  });
}

template <class Set>
void multiply_fixed(const FixedMultiply& multiply) {
  const FixedMultiply s = multiply;
  sweep_ints<Set>(size_t(s.units), [=](auto make, size_t i) SLUICE_INLINE {
    const auto a = make.load(s.a + i), b = make.load(s.b + i);
    auto sum = add_high_product(make.load(s.bias + i), a * b, make.load(s.m + i));
    sum = add_high_product(sum, shift_left(a, 15), make.load(s.m + s.units + i));
    sum = add_high_product(sum, shift_left(b, 15), make.load(s.m + 2 * ptrdiff_t(s.units) + i));
    store(s.y + i, saturated<16>(sum));
  });
}

}  // namespace
}  // namespace sluice

#endif
