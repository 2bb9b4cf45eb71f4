// How an instruction set adds up a block of 8 rows x 4 columns of int8 weights. A Dot supplies:
//   Sum                    the running sums of 8 rows; zero(), join(a, b)
//   blocks                 how many consecutive blocks one add takes; add_one for a single one where that is not 1
//   add(sum, w, x, side)   those blocks at w times the numbers at x; where wants_magnitudes, their |x| is at x + side
//   store(sum, bias, y)    y[8] = bias[8] + sums
//   sums                   how many run side by side over k
// Sums are exact modulo 2^32, so their order is free. The file of an instruction set has its headers and flags (isa/sets.h).
#ifndef SLUICE_FIXED_DOTS_H
#define SLUICE_FIXED_DOTS_H

#include "../lanes/one.h"

namespace sluice {
namespace {

/// Plain code, for int8 and int16 x.
struct PlainDot {
  struct Sum {
    uint32_t row[8];
  };
  static constexpr int sums = 1, blocks = 1;
  static constexpr bool wants_magnitudes = false;
  static Sum zero() { return {}; }
  static Sum join(Sum a, const Sum&) { return a; }
  template <class X>
  static Sum add(Sum sum, const int8_t* w, const X* x, int) {
    for (int row = 0; row < 8; ++row)
      for (int k = 0; k < 4; ++k) sum.row[row] += uint32_t(w[row * 4 + k] * x[k]);
    return sum;
  }
  static void store(const Sum& sum, const int32_t* bias, int32_t* y) {
    for (int row = 0; row < 8; ++row) y[row] = int32_t(uint32_t(bias[row]) + sum.row[row]);
  }
};

template <class T>
inline T from_bytes(const void* p) {
  T value;
  memcpy(&value, p, sizeof value);
  return value;
}

#if defined(__AVX2__)
inline __m256i load_256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline __m256i four_times_8(const int8_t* x) { return _mm256_set1_epi32(from_bytes<int32_t>(x)); }

struct SumAvx2 {
  using Sum = __m256i;
  static constexpr int sums = 4, blocks = 1;
  static Sum zero() { return _mm256_setzero_si256(); }
  static Sum join(Sum a, Sum b) { return _mm256_add_epi32(a, b); }
  static void store(Sum sum, const int32_t* bias, int32_t* y) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), _mm256_add_epi32(sum, load_256(bias)));
  }
};

/// |x| times the weight with x's sign. Two such products are at most 2 * 128 * 127, which int16 holds: nothing saturates.
struct DotAvx2 : SumAvx2 {
  static constexpr bool wants_magnitudes = true;
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int side) {
    const __m256i pairs = _mm256_maddubs_epi16(four_times_8(x + side), _mm256_sign_epi8(load_256(w), four_times_8(x)));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

#if defined(__AVXVNNI__)
/// The dot product of four bytes, in its encoding of 256 bits.
struct DotAvxVnni : SumAvx2 {
  static constexpr bool wants_magnitudes = true;
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int side) {
    return _mm256_dpbusd_avx_epi32(sum, four_times_8(x + side), _mm256_sign_epi8(load_256(w), four_times_8(x)));
  }
};
#endif

#if defined(__AVX512VNNI__)
/// Two blocks in one register. There is no sign instruction: weights are negated under a mask.
struct DotAvx512Vnni {
  using Sum = __m512i;
  static constexpr int sums = 4, blocks = 2;
  static constexpr bool wants_magnitudes = true;
  static Sum zero() { return _mm512_setzero_si512(); }
  static Sum join(Sum a, Sum b) { return _mm512_add_epi32(a, b); }
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
  static constexpr int sums = 2, blocks = 1;
  static Sum zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static Sum join(Sum a, Sum b) { return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)}; }
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
#endif

#if defined(__ARM_NEON)
inline int32x4_t pairs(int32x4_t a, int32x4_t b) {
#if defined(__aarch64__)
  return vpaddq_s32(a, b);
#else
  return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)), vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
#endif
}

/// Without dot product: products of bytes in int16, pairs of them added into int32; two lanes a row. 127 * 128 fits int16.
struct DotNeon {
  struct Sum {
    int32x4_t rows[4];  ///< two rows each
  };
  static constexpr int sums = 1, blocks = 1;
  static constexpr bool wants_magnitudes = false;
  static Sum zero() { return {{vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}}; }
  static Sum join(Sum a, const Sum&) { return a; }
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int) {
    const int8x8_t four = vreinterpret_s8_s32(vdup_n_s32(from_bytes<int32_t>(x)));
    SLUICE_UNROLL
    for (int i = 0; i < 4; ++i) sum.rows[i] = vpadalq_s16(sum.rows[i], vmull_s8(vld1_s8(w + 8 * i), four));
    return sum;
  }
  static void store(const Sum& sum, const int32_t* bias, int32_t* y) {
    vst1q_s32(y, vaddq_s32(pairs(sum.rows[0], sum.rows[1]), vld1q_s32(bias)));
    vst1q_s32(y + 4, vaddq_s32(pairs(sum.rows[2], sum.rows[3]), vld1q_s32(bias + 4)));
  }
};

#if defined(__ARM_FEATURE_DOTPROD)
struct DotNeonDot {
  struct Sum {
    int32x4_t low, high;
  };
  static constexpr int sums = 4, blocks = 1;
  static constexpr bool wants_magnitudes = false;
  static Sum zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
  static Sum join(Sum a, Sum b) { return {vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)}; }
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int) {
    const int8x16_t four = vreinterpretq_s8_s32(vdupq_n_s32(from_bytes<int32_t>(x)));
    return {vdotq_s32(sum.low, vld1q_s8(w), four), vdotq_s32(sum.high, vld1q_s8(w + 16), four)};
  }
  static void store(Sum sum, const int32_t* bias, int32_t* y) {
    vst1q_s32(y, vaddq_s32(sum.low, vld1q_s32(bias)));
    vst1q_s32(y + 4, vaddq_s32(sum.high, vld1q_s32(bias + 4)));
  }
};
#endif

/// int16 x: four products a row, one in each lane, added at the end.
struct DotNeonWide {
  struct Sum {
    int32x4_t row[8];
  };
  static constexpr int sums = 1, blocks = 1;
  static Sum zero() {
    Sum sum;
    for (int32x4_t& row : sum.row) row = vdupq_n_s32(0);
    return sum;
  }
  static Sum join(const Sum& a, const Sum&) { return a; }
  static Sum add(Sum sum, const int8_t* w, const int16_t* x, int) {
    const int16x4_t four = vld1_s16(x);
    SLUICE_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int16x8_t two_rows = vmovl_s8(vld1_s8(w + 8 * i));
      sum.row[2 * i] = vmlal_s16(sum.row[2 * i], vget_low_s16(two_rows), four);
      sum.row[2 * i + 1] = vmlal_s16(sum.row[2 * i + 1], vget_high_s16(two_rows), four);
    }
    return sum;
  }
  static void store(const Sum& sum, const int32_t* bias, int32_t* y) {
    for (int i = 0; i < 8; i += 4) {
      const int32x4_t four_rows = pairs(pairs(sum.row[i], sum.row[i + 1]), pairs(sum.row[i + 2], sum.row[i + 3]));
      vst1q_s32(y + i, vaddq_s32(four_rows, vld1q_s32(bias + i)));
    }
  }
};
#endif

}  // namespace
}  // namespace sluice

#endif
