// The curves that a plain cell and a plain Dense do not have, from exactly rounded operations
// alone, and the gates of cells whose candidate has one of them. A curve is chosen register by
// register: the choice costs little beside most of them, and every loop exists once.
#ifndef SLUICE_F32_CURVES_H
#define SLUICE_F32_CURVES_H

#include "gates.h"

namespace sluice {
namespace {

/// Returns e^x - 1 for x <= 0; for other x the result is undefined.
template <class V>
inline V exp_less_one(V x) {
  using M = Make<V>;
  V t;
  const V p = exp_reduced(x, 1.0f, &t), power = power_of_two(t);
  return select(x < M::set(-20.0f), M::set(-1.0f), fma(p, power, power - M::set(1.0f)));
}

/// Returns x * s(v), with s the sigmoid and v of the sign of x; x >= -100 or NaN.
template <class V>
inline V gated(V x, V v) {
  using M = Make<V>;
  const V one = M::set(1.0f), e = exp_negative(abs(v), -1.0f);
  return x * select(v < M::set(0.0f), e, one) / (one + e);
}

/// Returns the larger one of x and `lowest`; NaN stays NaN.
template <class V>
inline V at_least(V x, float lowest) {
  return select(x < Make<V>::set(lowest), Make<V>::set(lowest), x);
}

/// Returns log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|, where log(1 + e) is
/// 2 artanh(s), s = e / (2 + e).
template <class V>
inline V softplus(V x) {
  using M = Make<V>;
  const V e = exp_negative(abs(x), -1.0f);
  const V twice = e / fma(e, M::set(0.5f), M::set(1.0f)), t = twice * twice * M::set(0.25f);
  const V p = polynomial(t, M::set(1.1616782099e-1f), 1.0852266103e-1f, 1.4296250045e-1f,
                         1.9999851286e-1f, 3.3333334327e-1f);
  const V log = fma(twice * t, p, twice);
  return select(M::set(0.0f) < x, x + log, select(x < M::set(0.0f), log, log + x));
}

constexpr float root_half = 0.707106781f;
constexpr float normal_ends = 14.0f;  ///< beyond it, P(-a) and the density are less than any float

/// Returns e^(-a * a / 2), where the rounding error of the square is taken back; 0 <= a <= 14.
template <class V>
inline V bell(V a) {
  using M = Make<V>;
  const V square = a * a, rest = fma(a, a, M::set(0.0f) - square);
  const V e = exp_negative(square, -0.5f);
  return fma(e * M::set(-0.5f), rest, e);
}

/// Returns P(-a) / bell(a), with P the normal distribution: erfc(z) e^(z * z) / 2 with z = a / sqrt
/// 2, where (1 + 2 z) erfc(z) e^(z * z) is a polynomial in (z - 2) / (z + 2).
template <class V>
inline V tail_by_bell(V a) {
  using M = Make<V>;
  const V z = a * M::set(root_half), two = M::set(2.0f), q = (z - two) / (z + two);
  const V p = polynomial(q, M::set(-4.0868693031e-4f), -1.2439524289e-3f, 1.3145867269e-3f,
                         8.6427936330e-3f, -8.0577749759e-3f, -5.4207105190e-2f, 1.6405478120e-1f,
                         -1.6603119671e-1f, -9.2763952911e-2f, 1.2769783735f);
  return p / fma(z, M::set(4.0f), two);
}

template <class V>
inline V gelu(V x) {
  using M = Make<V>;
  const V most = M::set(normal_ends), size = abs(x), a = select(most < size, most, size);
  // In this order no product is subnormal, unless the result is.
  const V t = M::set(0.0f) - (a * bell(a)) * tail_by_bell(a);
  return select(x < M::set(0.0f), t, x + t);
}

/// Returns P(x) + x p(x), with p the density of the normal distribution.
template <class V>
inline V gelu_slope(V x) {
  using M = Make<V>;
  const V most = M::set(normal_ends), size = abs(x), a = select(most < size, most, size);
  const V e = bell(a), tail = e * tail_by_bell(a), density = e * M::set(0.398942280f);
  const auto negative = x < M::set(0.0f);
  const V distribution = select(negative, tail, M::set(1.0f) - tail);
  return fma(select(negative, M::set(0.0f) - a, a), density, distribution);
}

constexpr float gelu_cubic = 0.0713548162726f;  ///< 2 sqrt(2 / pi) * 0.044715
constexpr float gelu_linear = 1.59576912161f;   ///< 2 sqrt(2 / pi)
template <class V>
inline V gelu_tanh(V x) {
  using M = Make<V>;
  const V inside = at_least(x, -100.0f);
  return gated(inside, inside * fma(inside * inside, M::set(gelu_cubic), M::set(gelu_linear)));
}

/// Returns s + x s (1 - s) v', with s the sigmoid of v(x) and dv = v'; -100 <= x <= 100 or NaN.
template <class V>
inline V gated_slope(V x, V v, V dv) {
  using M = Make<V>;
  const V one = M::set(1.0f), e = exp_negative(abs(v), -1.0f), sum = one + e;
  return fma(x * dv, e / (sum * sum), select(v < M::set(0.0f), e, one) / sum);
}
/// Returns the nearest number in -100 to 100; beyond these, the sigmoids here are 0 or 1.
template <class V>
inline V within_100(V x) {
  using M = Make<V>;
  const V most = M::set(100.0f), low = at_least(x, -100.0f);
  return select(most < low, most, low);
}
template <class V>
inline V gelu_tanh_slope(V x) {
  using M = Make<V>;
  const V inside = within_100(x), square = inside * inside;
  return gated_slope(inside, inside * fma(square, M::set(gelu_cubic), M::set(gelu_linear)),
                     fma(square, M::set(3 * gelu_cubic), M::set(gelu_linear)));
}
template <class V>
inline V silu_slope(V x) {
  const V inside = within_100(x);
  return gated_slope(inside, inside, Make<V>::set(1.0f));
}

template <class V>
inline V softsign(V x) {
  using M = Make<V>;
  const V one = M::set(1.0f), a = abs(x);
  return with_sign_of(select(M::set(3e38f) < a, one, a / (one + a)), x);
}

constexpr float selu_scale = 1.05070098736f, selu_alpha = 1.75809934085f;

/// Returns f(x). A prelu has its slope in `slope`.
template <class V>
__attribute__((noinline)) V curve_of(const OtherCurve& f, V x, V slope) {
  using M = Make<V>;
  const V zero = M::set(0.0f);
  switch (f.kind) {
    case Activation::tanh:
      return tanh(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::relu:
      return select(x < zero, zero, x);
    case Activation::hard_sigmoid:
      return hard_sigmoid(x, f.first);
    case Activation::elu:
      return select(zero < x, x, M::set(f.second) * exp_less_one(x));
    case Activation::selu:
      return select(zero < x, M::set(selu_scale) * x, M::set(selu_alpha) * exp_less_one(x));
    case Activation::leaky_relu:
      return select(x < zero, x * M::set(f.second), x);
    case Activation::prelu:
      return select(x < zero, x * slope, x);
    case Activation::silu: {
      const V inside = at_least(x, -100.0f);
      return gated(inside, inside);
    }
    case Activation::hard_silu:
      return at_least(x, -3e38f) * hard_sigmoid(x, f.first);
    case Activation::gelu:
      return gelu(x);
    case Activation::gelu_tanh:
      return gelu_tanh(x);
    case Activation::softplus:
      return softplus(x);
    case Activation::clip:
      return select(x < M::set(f.first), M::set(f.first),
                    select(M::set(f.second) < x, M::set(f.second), x));
    case Activation::softsign:
      return softsign(x);
    case Activation::exponential:
      return exp(x);
    case Activation::sqrt:
      return sqrt(at_least(x, 0.0f));
    case Activation::log:
      return log(at_least(x, smallest_normal));
    default:
      return x;
  }
}

/// Returns f'(x); v is x if the curve derives_from_argument, else f(x).
template <class V>
__attribute__((noinline)) V slope_of(const OtherCurve& f, V v, V slope) {
  using M = Make<V>;
  const V zero = M::set(0.0f), one = M::set(1.0f);
  switch (f.kind) {
    case Activation::tanh:
      return one - v * v;
    case Activation::sigmoid:
      return v * (one - v);
    case Activation::relu:
      return select(zero < v, one, zero);
    case Activation::hard_sigmoid:
      return select(zero < v, select(v < one, M::set(f.first), zero), zero);
    case Activation::elu:
      return select(zero < v, one, v + M::set(f.second));
    case Activation::selu:
      return select(zero < v, M::set(selu_scale), v + M::set(selu_alpha));
    case Activation::leaky_relu:
      return select(v < zero, M::set(f.second), one);
    case Activation::prelu:
      return select(v < zero, slope, one);
    case Activation::silu:
      return silu_slope(v);
    case Activation::hard_silu: {
      const V s = hard_sigmoid(v, f.first);
      const V inner = select(zero < s, select(s < one, M::set(f.first), zero), zero);
      return fma(v, inner, s);
    }
    case Activation::gelu:
      return gelu_slope(v);
    case Activation::gelu_tanh:
      return gelu_tanh_slope(v);
    case Activation::softplus:
      return M::set(0.0f) - exp_less_one(zero - v);
    case Activation::clip:
      return select(M::set(f.first) < v, select(v < M::set(f.second), one, zero), zero);
    case Activation::softsign: {
      const V rest = one - abs(v);
      return rest * rest;
    }
    case Activation::exponential:
      return v;
    case Activation::sqrt:
      return select(zero < v, M::set(0.5f) / v, zero);
    case Activation::log:
      return select(v < M::set(smallest_normal), zero, one / v);
    default:
      return one;
  }
}

template <class Set>
void curve_f32(const OtherCurve& curve, float* x, int rows, int n, int stride) {
  const OtherCurve f = curve;
  for (int row = 0; row < rows; ++row, x += stride)
    sweep<Set>(size_t(n), [=](auto make, size_t i) {
      const auto slope = make.load((f.kind == Activation::prelu ? f.slopes : x) + i);
      store(x + i, curve_of(f, make.load(x + i), slope));
    });
}

template <class Set>
void curve_back_f32(const OtherCurve& curve, const float* v, float* dy, int rows, int n,
                    int stride) {
  const OtherCurve f = curve;
  for (int row = 0; row < rows; ++row, v += stride, dy += stride)
    sweep<Set>(size_t(n), [=](auto make, size_t i) {
      const auto slope = make.load((f.kind == Activation::prelu ? f.slopes : v) + i);
      store(dy + i, make.load(dy + i) * slope_of(f, make.load(v + i), slope));
    });
}

template <class Set>
void gru_curve_f32(const Gates& gates, const OtherCurve& curve) {
  const Gates s = gates;
  const OtherCurve f = curve;
  for (int c = 0; c < s.count; ++c) {
    float* const a = s.a + ptrdiff_t(c) * s.a_stride;
    float* const g = s.g + ptrdiff_t(c) * s.g_stride;
    const float* const h = s.h + ptrdiff_t(c) * s.h_stride;
    float* const h_next = s.h_next + ptrdiff_t(c) * s.h_next_stride;
    const int hidden = s.hidden;
    activate<Set>(s.gate, a, 2 * size_t(hidden));
    sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
      const auto chain = fma(make.load(a + i), make.load(a + 2 * hidden + i), make.load(g + i));
      const auto n = curve_of(f, chain, chain);
      store(g + i, n);
      store(h_next + i, fma(make.load(a + hidden + i), make.load(h + i) - n, n));
    });
  }
}

template <class Set>
void gru_curve_back_f32(const GatesBack& gates, const OtherCurve& curve) {
  const GatesBack s = gates;
  const OtherCurve f = curve;
  for (int c = 0; c < s.count; ++c) {
    float* const a = s.a + ptrdiff_t(c) * s.a_stride;
    float* const g = s.g + ptrdiff_t(c) * s.g_stride;
    const float* const h = s.h + ptrdiff_t(c) * s.h_stride;
    float* const dh = s.dh + ptrdiff_t(c) * s.dh_stride;
    const int hidden = s.hidden;
    with_derivative(s.gate, [=](auto slope) {
      sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
        const auto r = make.load(a + i), z = make.load(a + hidden + i),
                   gh = make.load(a + 2 * hidden + i);
        const auto n = make.load(g + i), d = make.load(dh + i);
        const auto dg_x = d * (make.set(1.0f) - z) * slope_of(f, n, n);
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
void lstm_curve_f32(const LstmGates& gates, const OtherCurve& curve) {
  const LstmGates s = gates;
  const OtherCurve f = curve;
  for (int n = 0; n < s.count; ++n) {
    float* const a = s.a + ptrdiff_t(n) * s.a_stride;
    float* const t = s.t + ptrdiff_t(n) * s.t_stride;
    const float* const c = s.c + ptrdiff_t(n) * s.c_stride;
    float* const c_next = s.c_next + ptrdiff_t(n) * s.c_next_stride;
    float* const h_next = s.h_next + ptrdiff_t(n) * s.h_next_stride;
    const int hidden = s.hidden;
    activate<Set>(s.gate, a, 2 * size_t(hidden));
    activate<Set>(s.gate, a + 3 * hidden, size_t(hidden));
    sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
      const auto chain = make.load(a + 2 * hidden + i), g = curve_of(f, chain, chain);
      store(a + 2 * hidden + i, g);
      const auto next = fma(make.load(a + hidden + i), make.load(c + i), make.load(a + i) * g);
      const auto squashed = curve_of(f, next, next);
      store(c_next + i, next);
      store(t + i, squashed);
      store(h_next + i, make.load(a + 3 * hidden + i) * squashed);
    });
  }
}

template <class Set>
void lstm_curve_back_f32(const LstmBack& gates, const OtherCurve& curve) {
  const LstmBack s = gates;
  const OtherCurve f = curve;
  for (int n = 0; n < s.count; ++n) {
    float* const a = s.a + ptrdiff_t(n) * s.a_stride;
    const float* const t = s.t + ptrdiff_t(n) * s.t_stride;
    const float* const c = s.c + ptrdiff_t(n) * s.c_stride;
    const float* const dh = s.dh + ptrdiff_t(n) * s.dh_stride;
    float* const dc = s.dc + ptrdiff_t(n) * s.dc_stride;
    const int hidden = s.hidden;
    with_derivative(s.gate, [=](auto slope) {
      sweep<Set>(size_t(hidden), [=](auto make, size_t k) {
        const auto i = make.load(a + k), forget = make.load(a + hidden + k),
                   g = make.load(a + 2 * hidden + k), o = make.load(a + 3 * hidden + k),
                   squashed = make.load(t + k), dy = make.load(dh + k);
        const auto d = fma(dy * o, slope_of(f, squashed, squashed), make.load(dc + k));
        store(a + k, d * g * slope(make, i));
        store(a + hidden + k, d * make.load(c + k) * slope(make, forget));
        store(a + 2 * hidden + k, d * i * slope_of(f, g, g));
        store(a + 3 * hidden + k, dy * squashed * slope(make, o));
        store(dc + k, d * forget);
      });
    });
  }
}

/// Returns the nearest number in -most to most, or x if most is 0; NaN stays NaN.
template <class V>
inline V clipped(V x, float most) {
  using M = Make<V>;
  if (most == 0.0f) return x;
  return select(M::set(most) < x, M::set(most), select(x < M::set(-most), M::set(-most), x));
}

template <class Set>
void lstm_options_f32(const LstmGates& gates, const OtherCurve& curve, const LstmOptions& options) {
  const LstmGates s = gates;
  const OtherCurve f = curve;
  const float* const p = options.peepholes;
  const float clip = options.clip;
  for (int n = 0; n < s.count; ++n) {
    float* const a = s.a + ptrdiff_t(n) * s.a_stride;
    float* const t = s.t + ptrdiff_t(n) * s.t_stride;
    const float* const c = s.c + ptrdiff_t(n) * s.c_stride;
    float* const c_next = s.c_next + ptrdiff_t(n) * s.c_next_stride;
    float* const h_next = s.h_next + ptrdiff_t(n) * s.h_next_stride;
    const int hidden = s.hidden;
    for (int gate = 0; p && gate < 2; ++gate) {
      float* const chain = a + gate * hidden;
      const float* const w = p + gate * hidden;
      sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
        store(chain + i, fma(make.load(w + i), make.load(c + i), make.load(chain + i)));
      });
    }
    activate<Set>(s.gate, a, 2 * size_t(hidden));
    sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
      const auto chain = make.load(a + 2 * hidden + i), g = curve_of(f, chain, chain);
      store(a + 2 * hidden + i, g);
      const auto next =
          clipped(fma(make.load(a + hidden + i), make.load(c + i), make.load(a + i) * g), clip);
      store(c_next + i, next);
      store(t + i, curve_of(f, next, next));
      if (p)
        store(a + 3 * hidden + i,
              fma(make.load(p + 2 * hidden + i), next, make.load(a + 3 * hidden + i)));
    });
    activate<Set>(s.gate, a + 3 * hidden, size_t(hidden));
    sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
      store(h_next + i, make.load(a + 3 * hidden + i) * make.load(t + i));
    });
  }
}

template <class Set>
void lstm_options_back_f32(const LstmBack& gates, const OtherCurve& curve,
                           const LstmOptions& options, const float* all_next, float* sums) {
  const LstmBack s = gates;
  const OtherCurve f = curve;
  const float* const p = options.peepholes;
  const float clip = options.clip;
  for (int n = 0; n < s.count; ++n) {
    float* const a = s.a + ptrdiff_t(n) * s.a_stride;
    const float* const t = s.t + ptrdiff_t(n) * s.t_stride;
    const float* const c = s.c + ptrdiff_t(n) * s.c_stride;
    const float* const c_next = all_next + ptrdiff_t(n) * s.c_stride;
    const float* const dh = s.dh + ptrdiff_t(n) * s.dh_stride;
    float* const dc = s.dc + ptrdiff_t(n) * s.dc_stride;
    const int hidden = s.hidden;
    with_derivative(s.gate, [=](auto slope) {
      sweep<Set>(size_t(hidden), [=](auto make, size_t k) {
        const auto i = make.load(a + k), forget = make.load(a + hidden + k),
                   g = make.load(a + 2 * hidden + k), o = make.load(a + 3 * hidden + k),
                   squashed = make.load(t + k), dy = make.load(dh + k), before = make.load(c + k),
                   after = make.load(c_next + k);
        const auto da_o = dy * squashed * slope(make, o);
        auto d = fma(dy * o, slope_of(f, squashed, squashed), make.load(dc + k));
        if (p) d = fma(da_o, make.load(p + 2 * hidden + k), d);
        const auto zero = make.set(0.0f);
        if (clip > 0.0f) d = select(abs(after) < make.set(clip), d, zero);
        const auto da_i = d * g * slope(make, i), da_f = d * before * slope(make, forget);
        store(a + k, da_i);
        store(a + hidden + k, da_f);
        store(a + 2 * hidden + k, d * i * slope_of(f, g, g));
        store(a + 3 * hidden + k, da_o);
        auto back = d * forget;
        if (p) {
          back = fma(da_f, make.load(p + hidden + k), fma(da_i, make.load(p + k), back));
          float *const sum_i = sums, *const sum_f = sums + hidden, *const sum_o = sum_f + hidden;
          store(sum_i + k, fma(da_i, before, make.load(sum_i + k)));
          store(sum_f + k, fma(da_f, before, make.load(sum_f + k)));
          store(sum_o + k, fma(da_o, after, make.load(sum_o + k)));
        }
        store(dc + k, back);
      });
    });
  }
}

template <class Set>
void gru_update_curve_f32(const ResetBefore& all, const OtherCurve& curve) {
  const int hidden = all.hidden;
  const OtherCurve f = curve;
  for (int n = 0; n < all.count; ++n) {
    const ResetRows row(all, n);
    sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
      const auto chain = make.load(row.a + 2 * hidden + i), candidate = curve_of(f, chain, chain);
      store(row.a + 2 * hidden + i, candidate);
      store(row.h_next + i,
            fma(make.load(row.a + hidden + i), make.load(row.h + i) - candidate, candidate));
    });
  }
}

template <class Set>
void gru_update_curve_back_f32(const ResetBefore& all, const OtherCurve& curve) {
  const int hidden = all.hidden;
  const OtherCurve f = curve;
  for (int row_index = 0; row_index < all.count; ++row_index) {
    const ResetRows row(all, row_index);
    with_derivative(all.gate, [=](auto slope) {
      sweep<Set>(size_t(hidden), [=](auto make, size_t i) {
        const auto z = make.load(row.a + hidden + i), n = make.load(row.a + 2 * hidden + i),
                   d = make.load(row.h_next + i);
        store(row.a + 2 * hidden + i, d * (make.set(1.0f) - z) * slope_of(f, n, n));
        store(row.a + hidden + i, d * (make.load(row.h + i) - n) * slope(make, z));
        store(row.h_next + i, d * z);
      });
    });
  }
}

}  // namespace
}  // namespace sluice

#endif
