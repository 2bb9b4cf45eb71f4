// Blocks of int8 weights on x86-64 (dots.h says what a Dot supplies).
#ifndef SLUICE_FIXED_DOTS_X86_H
#define SLUICE_FIXED_DOTS_X86_H

#include <immintrin.h>

#include "dots.h"

namespace sluice {
namespace {

inline __m256i load_256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline __m256i four_times_8(const int8_t* x) { return _mm256_set1_epi32(from_bytes<int32_t>(x)); }

struct SumAvx2 {
  using Sum = __m256i;
  static constexpr int blocks = 1;
  static Sum zero() { return _mm256_setzero_si256(); }
  static void store(Sum sum, const int32_t* bias, int32_t* y) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm256_add_epi32(sum, load_256(bias)));
  }
};

/// What enters a product of int8 here. The sum saturates, so its upper byte is 127 at most.
struct SideAvx2 {
  static constexpr bool wants_magnitudes = true;
  static void narrow(const int16_t* h, int8_t* x, int n) {
    for (int i = 0; i < n; i += 8) {
      const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(h + i));
      const __m128i upper = _mm_srai_epi16(_mm_adds_epi16(eight, _mm_set1_epi16(128)), 8);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(x + i), _mm_packs_epi16(upper, upper));
    }
  }
  static void magnitudes(const int8_t* x, int8_t* m, int n) {
    for (int i = 0; i < n; i += 16)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(m + i), _mm_abs_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i))));
  }
};

/// |x| times the weight with x's sign. Two such products are at most 2 * 128 * 127, which int16 holds: nothing saturates.
struct DotAvx2 : SumAvx2, SideAvx2 {
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int side) {
    const __m256i pairs = _mm256_maddubs_epi16(four_times_8(x + side), _mm256_sign_epi8(load_256(w), four_times_8(x)));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

#if defined(__AVXVNNI__)
/// The dot product of four bytes, in its encoding of 256 bits.
struct DotAvxVnni : SumAvx2, SideAvx2 {
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int side) {
    return _mm256_dpbusd_avx_epi32(sum, four_times_8(x + side), _mm256_sign_epi8(load_256(w), four_times_8(x)));
  }
};
#endif

#if defined(__AVX512VNNI__)
/// Two blocks in one register. There is no sign instruction: weights are negated under a mask.
struct DotAvx512Vnni : SideAvx2 {
  using Sum = __m512i;
  static constexpr int blocks = 2;
  static Sum zero() { return _mm512_setzero_si512(); }
  static __m512i times_8(const int8_t* x) {
    return _mm512_mask_set1_epi32(_mm512_set1_epi32(from_bytes<int32_t>(x)), 0xFF00, from_bytes<int32_t>(x + 4));
  }
  static Sum add_blocks(Sum sum, __m512i w, const int8_t* x, int side) {
    const __m512i with_sign = _mm512_mask_sub_epi8(w, _mm512_movepi8_mask(times_8(x)), _mm512_setzero_si512(), w);
    return _mm512_dpbusd_epi32(sum, times_8(x + side), with_sign);
  }
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int side) { return add_blocks(sum, _mm512_loadu_si512(w), x, side); }
  static Sum add_one(Sum sum, const int8_t* w, const int8_t* x, int side) {
    return add_blocks(sum, _mm512_maskz_loadu_epi32(0x00FF, w), x, side);
  }
  static void store(Sum sum, const int32_t* bias, int32_t* y) {
    SumAvx2::store(_mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1)), bias, y);
  }
};
#endif

/// int16 x: weights widened, two products a lane; the two lanes of a row are added at the end.
struct DotAvx2Wide {
  struct Sum {
    __m256i low, high;  ///< rows 0 to 3, 4 to 7
  };
  static constexpr int blocks = 1;
  static Sum zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static __m256i widened(const int8_t* w) { return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w))); }
  static Sum add(Sum sum, const int8_t* w, const int16_t* x, int) {
    const __m256i four = _mm256_set1_epi64x(from_bytes<int64_t>(x));
    return {_mm256_add_epi32(sum.low, _mm256_madd_epi16(widened(w), four)),
            _mm256_add_epi32(sum.high, _mm256_madd_epi16(widened(w + 16), four))};
  }
  static void store(Sum sum, const int32_t* bias, int32_t* y) {
    SumAvx2::store(_mm256_permute4x64_epi64(_mm256_hadd_epi32(sum.low, sum.high), 0xD8), bias, y);
  }
};

}  // namespace
}  // namespace sluice

#endif
