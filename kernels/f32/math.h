// exp, log, tanh and sigmoid from exactly rounded operations alone, and the activations made of
// them. The polynomials are those of Cephes (Moshier, "Methods and Programs for Mathematical
// Functions", 1989), evaluated by fused multiply-adds.
#ifndef SLUICE_F32_MATH_H
#define SLUICE_F32_MATH_H

#include "../kernels.h"
#include "../sweep.h"

namespace sluice {
namespace {

constexpr float smallest_normal = 1.17549435e-38f;
constexpr float exp_underflow = -87.3365402f;  ///< below it, e^x is subnormal
constexpr float exp_overflow = 88.7228394f;    ///< above it, e^x is infinite
constexpr float tanh_is_one = 10.0f;           ///< above it, tanh x rounds to 1
/// 1.5 * 2^23. Adding it rounds a number to an integer, which is then in the low bits.
constexpr float rounding_magic = 12582912.0f;

/// Returns the polynomial at x by Horner's rule; the highest coefficient comes first.
template <class V>
inline V polynomial(V, V p) {
  return p;
}
template <class V, class... Rest>
inline V polynomial(V x, V p, float next, Rest... rest) {
  return polynomial(x, fma(p, x, Make<V>::set(next)), rest...);
}

/// Returns e^r - 1, where e^(scale * a) = e^r * 2^n with an integer n and |r| <= ln 2 / 2, and
/// n in t, in the form that power_of_two reads. The polynomial is evaluated by pairs (Estrin's
/// scheme), because this chain of operations decides how long the gates of a small layer take.
/// @param scale  a power of two, or the negative of one
template <class V>
inline V exp_reduced(V a, float scale, V* t) {
  using M = Make<V>;
  *t = fma(a, M::set(1.44269504f * scale), M::set(rounding_magic));
  const V x = a * M::set(scale), n = *t - M::set(rounding_magic);
  V r = fma(n, M::set(-0.693359375f), x);
  r = fma(n, M::set(2.12194440e-4f), r);
  const V square = r * r;
  const V high = fma(r, M::set(1.9875691500e-4f), M::set(1.3981999507e-3f));
  const V middle = fma(r, M::set(8.3334519073e-3f), M::set(4.1665795894e-2f));
  const V low = fma(r, M::set(1.6666665459e-1f), M::set(5.0000001201e-1f));
  const V p = fma(square, fma(square, high, middle), low);
  return fma(p, square, r);
}

/// Returns e^(scale * a) for exponents that are not positive; 0 if the result is subnormal.
template <class V>
inline V exp_negative(V a, float scale = 1.0f) {
  using M = Make<V>;
  V t;
  const V p = exp_reduced(a, scale, &t) + M::set(1.0f);
  return select(a * M::set(scale) < M::set(exp_underflow), M::set(0.0f), p * power_of_two(t));
}

/// Returns e^x for every x. A factor 2^n above 1 is applied as 2^(n-1) and a doubling, because
/// 2^128 is not a float.
template <class V>
inline V exp(V x) {
  using M = Make<V>;
  const V high = M::set(exp_overflow), low = M::set(exp_underflow);
  const V inside = select(high < x, high, select(x < low, low, x));
  V t;
  const V p = exp_reduced(inside, 1.0f, &t) + M::set(1.0f);
  const auto grows = M::set(rounding_magic) < t;
  const V scaled = p * power_of_two(select(grows, t - M::set(1.0f), t));
  const V y = select(grows, scaled + scaled, scaled);
  return select(x < low, M::set(0.0f), select(high < x, M::set(__builtin_inff()), y));
}

template <class V>
inline V log(V x) {
  using M = Make<V>;
  const V safe = select(x < M::set(smallest_normal), M::set(smallest_normal), x);
  V e = exponent(safe), m = mantissa(safe);
  const auto upper = M::set(1.41421354f) < m;
  m = select(upper, m * M::set(0.5f), m);
  e = select(upper, e + M::set(1.0f), e);
  const V f = m - M::set(1.0f);
  const V p = polynomial(f, M::set(7.0376836292e-2f), -1.1514610310e-1f, 1.1676998740e-1f,
                         -1.2420140846e-1f, 1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f,
                         -2.4999993993e-1f, 3.3333331174e-1f);
  const V square = f * f;
  V y = fma(e, M::set(-2.12194440e-4f), p * (f * square));
  y = fma(M::set(-0.5f), square, y) + f;
  y = fma(e, M::set(0.693359375f), y);
  // Infinity and NaN return themselves, negative numbers NaN.
  y = select(x < M::set(__builtin_inff()), y, x);
  return select(x < M::set(0.0f), M::set(__builtin_nanf("")), y);
}

/// Returns 1 / (1 + e^-x), where e^-x = 2^n (1 + p) enters the sum unrounded. 2^n is added last: at
/// n = 24 it would absorb the 1.
template <class V>
inline V sigmoid(V x) {
  using M = Make<V>;
  const V one = M::set(1.0f);
  V t;
  const V p = exp_reduced(x, -1.0f, &t);
  const V power = power_of_two(t);
  const V y = one / (fma(p, power, one) + power);
  return select(x < M::set(exp_underflow), M::set(0.0f),
                select(M::set(-exp_underflow) < x, one, y));
}

/// Returns (1 - e) / (1 + e) with e = e^(-2 |x|) = 2^n (1 + p), each sum rounded once, and with the
/// sign of x.
template <class V>
inline V tanh(V x) {
  using M = Make<V>;
  const V one = M::set(1.0f);
  const V a = abs(x);
  V t;
  const V p = exp_reduced(a, -2.0f, &t);
  const V power = power_of_two(t);
  const V y = fma(p, M::set(0.0f) - power, one - power) / fma(p, power, one + power);
  return with_sign_of(select(M::set(tanh_is_one) < a, one, y), x);
}

template <class Set, class F>
inline void map(const float* x, float* y, size_t n, F f) {
  sweep<Set>(n, [=](auto make, size_t i) { store(y + i, f(make.load(x + i))); });
}

template <class Set>
void exp_f32(const float* x, float* y, size_t n) {
  map<Set>(x, y, n, [](auto v) { return exp(v); });
}

template <class Set>
void log_f32(const float* x, float* y, size_t n) {
  map<Set>(x, y, n, [](auto v) { return log(v); });
}

template <class Set>
inline void softmax(float* x, int n) {
  float largest = x[0];
  for (int i = 1; i < n; ++i) largest = largest < x[i] ? x[i] : largest;
  sweep<Set>(size_t(n), [=](auto make, size_t i) {
    store(x + i, exp_negative(make.load(x + i) - make.set(largest)));
  });
  float sum = x[0];
  for (int i = 1; i < n; ++i) sum += x[i];
  sweep<Set>(size_t(n),
             [=](auto make, size_t i) { store(x + i, make.load(x + i) / make.set(sum)); });
}

/// Returns a number in 0 to 1; NaN stays NaN.
template <class V>
inline V hard_sigmoid(V x, float slope) {
  using M = Make<V>;
  const V zero = M::set(0.0f), one = M::set(1.0f);
  const V y = fma(M::set(slope), x, M::set(0.5f));
  return select(y < zero, zero, select(one < y, one, y));
}

/// Applies the curve to one row, in place.
template <class Set>
inline void activate(Curve f, float* x, size_t n) {
  switch (f.kind) {
    case Activation::linear:
      return;
    case Activation::tanh:
      return map<Set>(x, x, n, [](auto v) { return tanh(v); });
    case Activation::sigmoid:
      return map<Set>(x, x, n, [](auto v) { return sigmoid(v); });
    case Activation::hard_sigmoid:
      return map<Set>(x, x, n, [=](auto v) { return hard_sigmoid(v, f.slope); });
    case Activation::relu:
      return sweep<Set>(n, [=](auto make, size_t i) {
        const auto v = make.load(x + i);
        store(x + i, select(v < make.set(0.0f), make.set(0.0f), v));
      });
    case Activation::softmax:
      return softmax<Set>(x, int(n));
    default:  // curves of curve_f32
      return;
  }
}

template <class Set>
void activate_f32(Curve f, float* x, int rows, int n, int stride) {
  for (int row = 0; row < rows; ++row, x += stride) activate<Set>(f, x, size_t(n));
}

template <class Set>
inline void softmax_back(const float* y, float* dy, int n) {
  float sum = 0.0f;
  for (int i = 0; i < n; ++i) sum = __builtin_fmaf(dy[i], y[i], sum);
  sweep<Set>(size_t(n), [=](auto make, size_t i) {
    store(dy + i, make.load(y + i) * (make.load(dy + i) - make.set(sum)));
  });
}

/// Calls f with the derivative of a curve, a function of the curve's value y. f is compiled for
/// each curve.
template <class F>
inline void with_derivative(Curve curve, F f) {
  switch (curve.kind) {
    case Activation::tanh:
      return f([](auto make, auto y) { return make.set(1.0f) - y * y; });
    case Activation::hard_sigmoid:
      return f([=](auto make, auto y) {
        const auto zero = make.set(0.0f);
        return select(zero < y, select(y < make.set(1.0f), make.set(curve.slope), zero), zero);
      });
    case Activation::relu:
      return f([](auto make, auto y) {
        return select(make.set(0.0f) < y, make.set(1.0f), make.set(0.0f));
      });
    default:
      return f([](auto make, auto y) { return y * (make.set(1.0f) - y); });
  }
}

template <class Set>
void activate_back_f32(Curve curve, const float* y, float* dy, int rows, int n, int stride) {
  if (curve.kind == Activation::linear) return;
  for (int row = 0; row < rows; ++row, y += stride, dy += stride) {
    if (curve.kind == Activation::softmax) {
      softmax_back<Set>(y, dy, n);
    } else {
      with_derivative(curve, [=](auto derivative) {
        sweep<Set>(size_t(n), [=](auto make, size_t i) {
          store(dy + i, make.load(dy + i) * derivative(make, make.load(y + i)));
        });
      });
    }
  }
}

}  // namespace
}  // namespace sluice

#endif
