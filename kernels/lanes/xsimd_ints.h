// The integer lanes of hosts, for fixed point: the operations of OneInt on a register of int32. For
// operations that xsimd lacks we use intrinsics: products of 64 bits, looking up coefficients,
// loads and stores of int16.
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
inline __m512i native_load16(const int16_t* p, __m512i) {
  return _mm512_cvtepi16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void native_store16(int16_t* p, __m512i a) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(a));
}
inline __m512i native_high_product(__m512i a, __m512i m) {
  const __m512i half = _mm512_set1_epi64(int64_t(1) << 31);
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(a, m), half);
  const __m512i odd =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(m, 32)), half);
  return _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_CDAB);
}
inline __m512i native_magnitude(__m512i a, __m512i limit) {
  return _mm512_min_epu32(_mm512_abs_epi32(a), limit);
}
inline __m512i native_look_up(const Column& column, __m512i i) {
  return _mm512_permutexvar_epi32(i, _mm512_loadu_si512(column.at));
}
#endif
#if defined(__AVX2__)
inline __m256i native_load16(const int16_t* p, __m256i) {
  return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline void native_store16(int16_t* p, __m256i a) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                   _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1)));
}
inline __m256i native_high_product(__m256i a, __m256i m) {
  const __m256i half = _mm256_set1_epi64x(int64_t(1) << 31);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a, m), half);
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(m, 32)), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
}
inline __m256i native_magnitude(__m256i a, __m256i limit) {
  return _mm256_min_epu32(_mm256_abs_epi32(a), limit);
}
/// Looks up each i in both halves of the column, eight entries each. Bit 3 of i, moved to the sign
/// bit, chooses the half.
inline __m256i native_look_up(const Column& column, __m256i i) {
  const auto* const halves = reinterpret_cast<const __m256i*>(column.at);
  const __m256i low = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(halves), i);
  const __m256i high = _mm256_permutevar8x32_epi32(_mm256_loadu_si256(halves + 1), i);
  return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high),
                                              _mm256_castsi256_ps(_mm256_slli_epi32(i, 28))));
}
#endif
#if defined(__ARM_NEON)
inline int32x4_t native_load16(const int16_t* p, int32x4_t) { return vmovl_s16(vld1_s16(p)); }
inline void native_store16(int16_t* p, int32x4_t a) { vst1_s16(p, vmovn_s32(a)); }
inline int32x4_t native_high_product(int32x4_t a, int32x4_t m) {
  return vcombine_s32(vrshrn_n_s64(vmull_s32(vget_low_s32(a), vget_low_s32(m)), 32),
                      vrshrn_n_s64(vmull_s32(vget_high_s32(a), vget_high_s32(m)), 32));
}
inline int32x4_t native_magnitude(int32x4_t a, int32x4_t limit) {
  return vreinterpretq_s32_u32(
      vminq_u32(vreinterpretq_u32_s32(vabsq_s32(a)), vreinterpretq_u32_s32(limit)));
}
#if defined(__aarch64__)
inline int32x4_t native_look_up(const Column& column, int32x4_t i) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(column.at);
  const uint8x16x4_t table = {
      {vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32), vld1q_u8(bytes + 48)}};
  const uint32x4_t first = vmulq_u32(vreinterpretq_u32_s32(i), vdupq_n_u32(0x04040404));
  return vreinterpretq_s32_u8(
      vqtbl4q_u8(table, vreinterpretq_u8_u32(vaddq_u32(first, vdupq_n_u32(0x03020100)))));
}
#else
inline int32x4_t native_look_up(const Column& column, int32x4_t i) {
  int32_t at[4];
  vst1q_s32(at, i);
  for (int32_t& one : at) one = column.at[one];
  return vld1q_s32(at);
}
#endif
#endif

template <class Arch>
struct Make<Ints<Arch>> {
  using V = Ints<Arch>;
  static V load(const int32_t* p) { return {V::Batch::load_unaligned(p)}; }
  static V load(const int16_t* p) {
    return {typename V::Batch(native_load16(p, typename V::Batch::register_type{}))};
  }
  static V set(int32_t x) { return {typename V::Batch(x)}; }
};

#define SLUICE_INTS  \
  template <class A> \
  inline Ints<A>

template <class A>
inline void store(int16_t* p, Ints<A> a) {
  native_store16(p, a.v);
}
template <class A>
inline void store(int32_t* p, Ints<A> a) {
  a.v.store_unaligned(p);
}
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
  return {Batch(native_magnitude(a.v, Batch(1 << bits)))};
}
template <int bits, class A>
inline Ints<A> at_most(Ints<A> a) {
  return {xsimd::min(a.v, typename Ints<A>::Batch((1 << bits) - 1))};
}
SLUICE_INTS larger(Ints<A> a, Ints<A> b) { return {xsimd::max(a.v, b.v)}; }
#if defined(__ARM_NEON)  // xsimd's shifts assert here, and so could print
SLUICE_INTS shift_left(Ints<A> a, int n) {
  return {typename Ints<A>::Batch(vshlq_s32(a.v, vdupq_n_s32(n)))};
}
template <int n, class A>
inline Ints<A> shift_right(Ints<A> a) {
  return {typename Ints<A>::Batch(vshrq_n_s32(a.v, n))};
}
SLUICE_INTS shift_right(Ints<A> a, int n) {
  return {typename Ints<A>::Batch(vshlq_s32(a.v, vdupq_n_s32(-n)))};
}
#else
SLUICE_INTS shift_left(Ints<A> a, int n) { return {a.v << n}; }
template <int n, class A>
inline Ints<A> shift_right(Ints<A> a) {
  return {a.v >> n};
}
SLUICE_INTS shift_right(Ints<A> a, int n) { return {a.v >> n}; }
#endif
SLUICE_INTS with_sign_of(Ints<A> a, Ints<A> sign) {
  const auto s = shift_right<31>(sign).v;
  return {(a.v ^ s) - s};
}
#if defined(__AVX2__)
inline Ints<xsimd::avx2> with_sign_of(Ints<xsimd::avx2> a, Ints<xsimd::avx2> sign) {
  return {Ints<xsimd::avx2>::Batch(_mm256_sign_epi32(a.v, sign.v))};
}
#endif
SLUICE_INTS high_product(Ints<A> a, Ints<A> m) {
  return {typename Ints<A>::Batch(native_high_product(a.v, m.v))};
}
SLUICE_INTS add_high_product(Ints<A> c, Ints<A> a, Ints<A> m) { return c + high_product(a, m); }

template <class A>
inline Cubic<Ints<A>> piece(Ints<A> i) {
  using Batch = typename Ints<A>::Batch;
  static constexpr Column c0 = column(0), c1 = column(1), c2 = column(2), c3 = column(3);
  return {{Batch(native_look_up(c0, i.v))},
          {Batch(native_look_up(c1, i.v))},
          {Batch(native_look_up(c2, i.v))},
          {Batch(native_look_up(c3, i.v))}};
}

#if defined(__AVX2__)
/// The same with two coefficients in one register, and products of 16 bits as long as they suffice:
/// c3 f + 8192 c2 is one instruction.
inline Ints<xsimd::avx2> curve_at(Ints<xsimd::avx2> p) {
  static constexpr Column c0 = column(0), c1 = column(1), c23 = upper_columns();
  const __m256i i = _mm256_srli_epi32(p.v, 13), f = _mm256_and_si256(p.v, _mm256_set1_epi32(8191));
  const __m256i c2_by_one = _mm256_or_si256(f, _mm256_set1_epi32(8192 << 16));
  const __m256i second =
      _mm256_srai_epi32(_mm256_madd_epi16(native_look_up(c23, i), c2_by_one), 13);
  const __m256i first =
      _mm256_add_epi32(native_look_up(c1, i), _mm256_srai_epi32(_mm256_madd_epi16(second, f), 13));
  const __m256i line =
      _mm256_add_epi32(native_look_up(c0, i), _mm256_srai_epi32(_mm256_mullo_epi32(first, f), 13));
  return {Ints<xsimd::avx2>::Batch(line)};
}
#endif

#if defined(__AVX512BW__)
/// The same in 512 bits.
inline Ints<xsimd::avx512f> curve_at(Ints<xsimd::avx512f> p) {
  static constexpr Column c0 = column(0), c1 = column(1), c23 = upper_columns();
  const __m512i i = _mm512_srli_epi32(p.v, 13), f = _mm512_and_si512(p.v, _mm512_set1_epi32(8191));
  const __m512i c2_by_one = _mm512_or_si512(f, _mm512_set1_epi32(8192 << 16));
  const __m512i second =
      _mm512_srai_epi32(_mm512_madd_epi16(native_look_up(c23, i), c2_by_one), 13);
  const __m512i first =
      _mm512_add_epi32(native_look_up(c1, i), _mm512_srai_epi32(_mm512_madd_epi16(second, f), 13));
  const __m512i line =
      _mm512_add_epi32(native_look_up(c0, i), _mm512_srai_epi32(_mm512_mullo_epi32(first, f), 13));
  return {Ints<xsimd::avx512f>::Batch(line)};
}
#endif

#undef SLUICE_INTS

}  // namespace
}  // namespace sluice

#endif
