// The lane type of hosts: some twenty operations over xsimd (8.1 to the newest), with repairs. No
// other file names xsimd, except xsimd_ints.h and isa/sets.h.
//
// Each repair was measured: fma of xsimd 8.1 on AVX-512 multiplies, then adds; its division and
// square root on NEON are estimates with Newton steps, wrong in the last bit for a third of all
// operands. There we call the native operation. Its casts on NEON use tables of functions, which
// stay in the object file as weak symbols; there we call the native cast.
#ifndef SLUICE_LANES_XSIMD_H
#define SLUICE_LANES_XSIMD_H

#include <xsimd/xsimd.hpp>

#include "one.h"

namespace sluice {
namespace {

template <class Arch, int Accumulators>
struct Lanes {
  using Batch = xsimd::batch<float, Arch>;
  using Integers = xsimd::batch<int32_t, Arch>;
  static constexpr int width = int(Batch::size);
  static constexpr int accumulators = Accumulators;
  Batch v;
};

template <class Arch, int N>
struct Make<Lanes<Arch, N>> {
  using V = Lanes<Arch, N>;
  static V load(const float* p) { return {V::Batch::load_unaligned(p)}; }
  static V set(float x) { return {typename V::Batch(x)}; }
};

#define SLUICE_LANES template <class A, int N>

SLUICE_LANES inline typename Lanes<A, N>::Integers as_integers(Lanes<A, N> a) {
#if defined(__ARM_NEON)
  return typename Lanes<A, N>::Integers(vreinterpretq_s32_f32(a.v));
#elif XSIMD_VERSION_MAJOR < 10
  return xsimd::bitwise_cast<typename Lanes<A, N>::Integers>(a.v);
#else
  return xsimd::bitwise_cast<int32_t>(a.v);
#endif
}

template <class V>
inline V as_floats(typename V::Integers i) {
#if defined(__ARM_NEON)
  return {typename V::Batch(vreinterpretq_f32_s32(i))};
#elif XSIMD_VERSION_MAJOR < 10
  return {xsimd::bitwise_cast<typename V::Batch>(i)};
#else
  return {xsimd::bitwise_cast<float>(i)};
#endif
}

SLUICE_LANES inline void store(float* p, Lanes<A, N> a) { a.v.store_unaligned(p); }
SLUICE_LANES inline Lanes<A, N> operator+(Lanes<A, N> a, Lanes<A, N> b) { return {a.v + b.v}; }
SLUICE_LANES inline Lanes<A, N> operator-(Lanes<A, N> a, Lanes<A, N> b) { return {a.v - b.v}; }
SLUICE_LANES inline Lanes<A, N> operator*(Lanes<A, N> a, Lanes<A, N> b) { return {a.v * b.v}; }
SLUICE_LANES inline auto operator<(Lanes<A, N> a, Lanes<A, N> b) { return a.v < b.v; }
template <class Mask, class A, int N>
inline Lanes<A, N> select(Mask yes, Lanes<A, N> a, Lanes<A, N> b) {
  return {xsimd::select(yes, a.v, b.v)};
}

#if defined(__AVX512F__)
inline __m512 native_fma(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
#endif
#if defined(__FMA__)
inline __m256 native_fma(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
#endif
#if defined(__ARM_NEON)
inline float32x4_t native_fma(float32x4_t a, float32x4_t b, float32x4_t c) {
  return vfmaq_f32(c, a, b);
}
#endif

#if defined(__aarch64__)
inline float32x4_t native_divide(float32x4_t a, float32x4_t b) { return vdivq_f32(a, b); }
inline float32x4_t native_sqrt(float32x4_t a) { return vsqrtq_f32(a); }
#elif defined(__ARM_NEON)
// NEON of ARMv7 has neither operation. VFP has both, lane by lane.
inline float32x4_t native_divide(float32x4_t a, float32x4_t b) {
  float x[4], y[4];
  vst1q_f32(x, a), vst1q_f32(y, b);
  for (int i = 0; i < 4; ++i) x[i] = x[i] / y[i];
  return vld1q_f32(x);
}
inline float32x4_t native_sqrt(float32x4_t a) {
  float x[4];
  vst1q_f32(x, a);
  for (int i = 0; i < 4; ++i) x[i] = __builtin_sqrtf(x[i]);
  return vld1q_f32(x);
}
#endif

SLUICE_LANES inline Lanes<A, N> fma(Lanes<A, N> a, Lanes<A, N> b, Lanes<A, N> c) {
  return {typename Lanes<A, N>::Batch(native_fma(a.v, b.v, c.v))};
}
#if defined(__ARM_NEON)
SLUICE_LANES inline Lanes<A, N> operator/(Lanes<A, N> a, Lanes<A, N> b) {
  return {typename Lanes<A, N>::Batch(native_divide(a.v, b.v))};
}
SLUICE_LANES inline Lanes<A, N> sqrt(Lanes<A, N> a) {
  return {typename Lanes<A, N>::Batch(native_sqrt(a.v))};
}
#else
SLUICE_LANES inline Lanes<A, N> operator/(Lanes<A, N> a, Lanes<A, N> b) { return {a.v / b.v}; }
SLUICE_LANES inline Lanes<A, N> sqrt(Lanes<A, N> a) { return {xsimd::sqrt(a.v)}; }
#endif

SLUICE_LANES inline Lanes<A, N> abs(Lanes<A, N> a) {
  using V = Lanes<A, N>;
  return as_floats<V>(as_integers(a) & typename V::Integers(0x7FFFFFFF));
}
SLUICE_LANES inline Lanes<A, N> with_sign_of(Lanes<A, N> a, Lanes<A, N> sign) {
  using V = Lanes<A, N>;
  return as_floats<V>(as_integers(a) | (as_integers(sign) & typename V::Integers(INT32_MIN)));
}
SLUICE_LANES inline Lanes<A, N> power_of_two(Lanes<A, N> t) {
  using V = Lanes<A, N>;
  return as_floats<V>((as_integers(t) << 23) + typename V::Integers(0x3F800000));
}
SLUICE_LANES inline Lanes<A, N> exponent(Lanes<A, N> a) {
  using V = Lanes<A, N>;
  return {xsimd::to_float((as_integers(a) >> 23) - typename V::Integers(127))};
}
SLUICE_LANES inline Lanes<A, N> mantissa(Lanes<A, N> a) {
  using V = Lanes<A, N>;
  return as_floats<V>((as_integers(a) & typename V::Integers(0x007FFFFF)) |
                      typename V::Integers(0x3F800000));
}

#undef SLUICE_LANES

}  // namespace
}  // namespace sluice

#endif
