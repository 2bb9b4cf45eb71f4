// Integer lanes of hosts, in fixed point: the operations of OneInt on a register of int32. What xsimd lacks is called by its
// instruction: products of 64 bits, neighbors in a table, int16 in and out.
#ifndef SLUICE_LANES_XSIMD_INTS_H
#define SLUICE_LANES_XSIMD_INTS_H

#include <xsimd/xsimd.hpp>

#include "one.h"

namespace sluice {
namespace {

template <class Arch>
struct Ints {
  using Batch = xsimd::batch<int32_t, Arch>;
  static constexpr int width = int(Batch::size);
  Batch v;
};

#if defined(__AVX512F__)
inline __m512i native_load16(const int16_t* p, __m512i) { return _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
inline void native_store16(int16_t* p, __m512i a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(a)); }
inline __m512i native_high_product(__m512i a, __m512i m) {
  const __m512i half = _mm512_set1_epi64(int64_t(1) << 31);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(a, m), half);
  const __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(m, 32)), half);
  return _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
}
inline __m512i native_magnitude(__m512i a, __m512i limit) { return _mm512_min_epu32(_mm512_abs_epi32(a), limit); }
inline __m512i native_gather(const uint16_t* table, __m512i i) { return _mm512_i32gather_epi32(i, table, 2); }
#endif
#if defined(__AVX2__)
inline __m256i native_load16(const int16_t* p, __m256i) { return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
inline void native_store16(int16_t* p, __m256i a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1)));
}
inline __m256i native_high_product(__m256i a, __m256i m) {
  const __m256i half = _mm256_set1_epi64x(int64_t(1) << 31);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a, m), half);
  const __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(m, 32)), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}
inline __m256i native_magnitude(__m256i a, __m256i limit) { return _mm256_min_epu32(_mm256_abs_epi32(a), limit); }
/// Both neighbors in one load: low half and high half of each lane.
inline __m256i native_gather(const uint16_t* table, __m256i i) { return _mm256_i32gather_epi32(reinterpret_cast<const int*>(table), i, 2); }
#endif
#if defined(__ARM_NEON)
inline int32x4_t native_load16(const int16_t* p, int32x4_t) { return vmovl_s16(vld1_s16(p)); }
inline void native_store16(int16_t* p, int32x4_t a) { vst1_s16(p, vmovn_s32(a)); }
inline int32x4_t native_high_product(int32x4_t a, int32x4_t m) {
  return vcombine_s32(vrshrn_n_s64(vmull_s32(vget_low_s32(a), vget_low_s32(m)), 32),
                      vrshrn_n_s64(vmull_s32(vget_high_s32(a), vget_high_s32(m)), 32));
}
inline int32x4_t native_magnitude(int32x4_t a, int32x4_t limit) {
  return vreinterpretq_s32_u32(vminq_u32(vreinterpretq_u32_s32(vabsq_s32(a)), vreinterpretq_u32_s32(limit)));
}
inline int32x4_t native_gather(const uint16_t* table, int32x4_t i) {
  int32_t at[4], pair[4];
  vst1q_s32(at, i);
  for (int j = 0; j < 4; ++j) memcpy(pair + j, table + at[j], sizeof *pair);
  return vld1q_s32(pair);
}
#endif

template <class Arch>
struct Make<Ints<Arch>> {
  using V = Ints<Arch>;
  static V load(const int32_t* p) { return {V::Batch::load_unaligned(p)}; }
  static V load(const int16_t* p) { return {typename V::Batch(native_load16(p, typename V::Batch::register_type{}))}; }
  static V set(int32_t x) { return {typename V::Batch(x)}; }
};

#define SLUICE_INTS template <class A> inline Ints<A>

template <class A>
inline void store(int16_t* p, Ints<A> a) { native_store16(p, a.v); }
SLUICE_INTS operator+(Ints<A> a, Ints<A> b) { return {a.v + b.v}; }
SLUICE_INTS operator-(Ints<A> a, Ints<A> b) { return {a.v - b.v}; }
SLUICE_INTS operator*(Ints<A> a, Ints<A> b) { return {a.v * b.v}; }
SLUICE_INTS operator&(Ints<A> a, Ints<A> b) { return {a.v & b.v}; }
template <int bits, class A>
inline Ints<A> saturated(Ints<A> a) {
  using Batch = typename Ints<A>::Batch;
  constexpr int32_t highest = (1 << (bits - 1)) - 1;
  return {xsimd::min(xsimd::max(a.v, Batch(-highest - 1)), Batch(highest))};
}
template <int bits, class A>
inline Ints<A> magnitude(Ints<A> a) {
  using Batch = typename Ints<A>::Batch;
  return {Batch(native_magnitude(a.v, Batch((1 << bits) - 1)))};
}
SLUICE_INTS larger(Ints<A> a, Ints<A> b) { return {xsimd::max(a.v, b.v)}; }
#if defined(__ARM_NEON)  // where xsimd's shifts assert, and so print
SLUICE_INTS shift_left(Ints<A> a, int n) { return {typename Ints<A>::Batch(vshlq_s32(a.v, vdupq_n_s32(n)))}; }
template <int n, class A>
inline Ints<A> shift_right(Ints<A> a) { return {typename Ints<A>::Batch(vshrq_n_s32(a.v, n))}; }
#else
SLUICE_INTS shift_left(Ints<A> a, int n) { return {a.v << n}; }
template <int n, class A>
inline Ints<A> shift_right(Ints<A> a) { return {a.v >> n}; }
#endif
SLUICE_INTS with_sign_of(Ints<A> a, Ints<A> sign) {
  const auto s = shift_right<31>(sign).v;
  return {(a.v ^ s) - s};
}
SLUICE_INTS high_product(Ints<A> a, Ints<A> m) { return {typename Ints<A>::Batch(native_high_product(a.v, m.v))}; }

template <class A>
struct IntsPair {
  Ints<A> low, high;
};
template <class A>
inline IntsPair<A> neighbors(const uint16_t* table, Ints<A> i) {
  using Batch = typename Ints<A>::Batch;
  const Batch both(native_gather(table, i.v)), mask(0xFFFF);
  return {{both & mask}, {shift_right<16>(Ints<A>{both}).v & mask}};
}

#undef SLUICE_INTS

}  // namespace
}  // namespace sluice

#endif
