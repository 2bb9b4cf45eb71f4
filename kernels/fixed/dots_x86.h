// Adds up blocks of int8 weights on x86-64 (dots.h defines a Dot).
#ifndef SLUICE_FIXED_DOTS_X86_H
#define SLUICE_FIXED_DOTS_X86_H

#include <immintrin.h>

#include "dots.h"

namespace sluice {
namespace {

inline __m256i load_256(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline void store_256(int32_t* y, __m256i sum) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), sum);
}
inline __m256i four_times_8(const int8_t* x) { return _mm256_set1_epi32(from_bytes<int32_t>(x)); }

struct SumAvx2 {
  using Sum = __m256i;
  static constexpr int blocks = 1;
  static Sum zero() { return _mm256_setzero_si256(); }
  static void store(Sum sum, int32_t missing, const int32_t* bias, int32_t* y) {
    const __m256i all = _mm256_add_epi32(load_256(bias), _mm256_set1_epi32(missing));
    store_256(y, _mm256_add_epi32(sum, all));
  }
};

/// Prepares the right side of a product of int8: |x|, and for negative x a mask that inverts the
/// weight. w ^ mask is then -w - 1 instead of -w, so |x| is missing once from every row; it is
/// added at the end. (There is an instruction that applies a sign, but it runs on fewer ports.)
/// Everything is stored in the width in which it is loaded again, because a load that spans two
/// stores would wait for both.
struct SideAvx2 {
  static constexpr bool splits_signs = true;
  static constexpr bool shares_sides = true;

  struct Split {
    int8_t *mask, *magnitude;
    __m128i missing = _mm_setzero_si128();

    void add(int i, __m128i x) {
      const __m128i negative = _mm_cmpgt_epi8(_mm_setzero_si128(), x), m = _mm_abs_epi8(x);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(mask + i), negative);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(magnitude + i), m);
      missing =
          _mm_add_epi64(missing, _mm_sad_epu8(_mm_and_si128(m, negative), _mm_setzero_si128()));
    }
    int32_t sum() const { return _mm_cvtsi128_si32(missing) + _mm_extract_epi32(missing, 2); }
  };
  static __m128i load_128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

  /// Returns the first n of sixteen bytes, 0 < n < 16, without reading behind them.
  static __m128i first_bytes(const int8_t* x, int n) {
    uint64_t half[2] = {0, 0};
    if (n >= 8) half[0] = from_bytes<uint64_t>(x);
    const int8_t* const rest = n >= 8 ? x + 8 : x;
    for (int i = n & 7; i-- > 0;) half[n >> 3] = half[n >> 3] << 8 | uint8_t(rest[i]);
    return _mm_set_epi64x(int64_t(half[1]), int64_t(half[0]));
  }
  static int32_t take(const int8_t* x, int n, int8_t* to, int length) {
    Split split{to, to + length};
    int i = 0;
    for (; i + 16 <= n; i += 16) split.add(i, load_128(x + i));
    if (i < n) split.add(i, first_bytes(x + i, n - i));
    return split.sum();
  }

  /// Returns eight int16 rounded to their upper bytes. The sum saturates, so these are at most 127.
  static __m128i upper(const int16_t* h) {
    return _mm_srai_epi16(_mm_adds_epi16(load_128(h), _mm_set1_epi16(128)), 8);
  }
  static int32_t narrow(const int16_t* h, int n, int8_t* to, int length) {
    static constexpr int8_t ones_then_zeros[32] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                                   -1, -1, -1, -1, -1, -1, -1, -1};
    Split split{to, to + length};
    int i = 0;
    for (; i + 16 <= n; i += 16) split.add(i, _mm_packs_epi16(upper(h + i), upper(h + i + 8)));
    if (i < n) {
      const __m128i high = n - i > 8 ? upper(h + i + 8) : _mm_setzero_si128();
      split.add(i, _mm_and_si128(_mm_packs_epi16(upper(h + i), high),
                                 load_128(ones_then_zeros + 16 - (n - i))));
    }
    return split.sum();
  }
};

/// Adds pairs of products. Two products of |x| and a weight, inverted or not, are in -2 * 128 * 128
/// to 2 * 128 * 127, so nothing saturates.
inline __m256i add_pairs(__m256i sum, __m256i magnitude, __m256i w) {
  return _mm256_add_epi32(
      sum, _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, w), _mm256_set1_epi16(1)));
}

/// For sparse matrices the number that is missing would depend on the stored blocks. So the weight
/// gets its exact negative: -w - 1, and then 1 more.
struct SparseAvx2 : SideAvx2 {
  static constexpr bool unrolls = true;
  using Sum = __m256i;
  static Sum start(const int32_t* bias) { return load_256(bias); }
  static Sum add_one(Sum sum, const int8_t* w, const int8_t* x, int side) {
    const __m256i mask = four_times_8(x);
    return add_pairs(sum, four_times_8(x + side),
                     _mm256_sub_epi8(_mm256_xor_si256(load_256(w), mask), mask));
  }
  static void finish(Sum sum, int32_t* y) { store_256(y, sum); }
};

struct DotAvx2 : SumAvx2, SideAvx2 {
  using Sparse = SparseAvx2;
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int side) {
    return add_pairs(sum, four_times_8(x + side), _mm256_xor_si256(load_256(w), four_times_8(x)));
  }
};

#if defined(__AVXVNNI__) || defined(__AVX512VNNI__)
/// Prepares the right side of a product with a sparse matrix: x + 128. The offset adds 128 *
/// sum(weights) to every row. That excess is accumulated by a second dot product and subtracted at
/// the end.
struct BiasedSide {
  static constexpr int8_t bias = int8_t(0x80);
  static void take(const int8_t* x, int n, int8_t* to, int length) {
    for (int i = 0; i < n; ++i) to[i] = int8_t(x[i] ^ bias);
    fill(to, n, length);
  }
  static void narrow(const int16_t* h, int n, int8_t* to, int length) {
    for (int i = 0; i < n; i += 16) {
      const __m128i high = n - i > 8 ? SideAvx2::upper(h + i + 8) : _mm_setzero_si128();
      const __m128i biased =
          _mm_xor_si128(_mm_packs_epi16(SideAvx2::upper(h + i), high), _mm_set1_epi8(bias));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), biased);
    }
    fill(to, n, length);
  }
  static void fill(int8_t* to, int n, int length) {
    for (int i = n; i < length; ++i) to[i] = bias;
  }
};

/// Returns sum + x * w, by the encoding of the instruction that the CPU has.
inline __m256i dot_256(__m256i sum, __m256i x, __m256i w) {
#if defined(__AVXVNNI__)
  return _mm256_dpbusd_avx_epi32(sum, x, w);
#else
  return _mm256_dpbusd_epi32(sum, x, w);
#endif
}

/// Adds one block after the other, in 256 bits. Two blocks in 512 bits are no faster, because they
/// share little.
struct SparseVnni : BiasedSide {
  static constexpr bool unrolls = true;
  struct Sum {
    __m256i sum, excess;
  };
  static Sum start(const int32_t* from) { return {load_256(from), _mm256_setzero_si256()}; }
  static Sum add_one(Sum s, const int8_t* at, const int8_t* x, int) {
    __m256i w = load_256(at);
    // Keeps w in a register. As a memory operand of both instructions it would be loaded twice, and
    // the loads bound the speed here.
    asm("" : "+v"(w));
    return {dot_256(s.sum, four_times_8(x), w), dot_256(s.excess, _mm256_set1_epi8(bias), w)};
  }
  static void finish(Sum s, int32_t* y) { store_256(y, _mm256_sub_epi32(s.sum, s.excess)); }
};
#endif

#if defined(__AVXVNNI__)
struct DotAvxVnni : SumAvx2, SideAvx2 {
  using Sparse = SparseVnni;
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int side) {
    return dot_256(sum, four_times_8(x + side), _mm256_xor_si256(load_256(w), four_times_8(x)));
  }
};
#endif

#if defined(__AVX512VNNI__)
/// Adds two blocks in one register.
struct DotAvx512Vnni : SideAvx2 {
  using Sparse = SparseVnni;
  using Sum = __m512i;
  static constexpr int blocks = 2;
  static Sum zero() { return _mm512_setzero_si512(); }
  static __m512i times_8(const int8_t* x) {
    return _mm512_mask_set1_epi32(_mm512_set1_epi32(from_bytes<int32_t>(x)), 0xFF00,
                                  from_bytes<int32_t>(x + 4));
  }
  static Sum add_blocks(Sum sum, __m512i w, const int8_t* x, int side) {
    return _mm512_dpbusd_epi32(sum, times_8(x + side), _mm512_xor_si512(w, times_8(x)));
  }
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int side) {
    return add_blocks(sum, _mm512_loadu_si512(w), x, side);
  }
  static Sum add_one(Sum sum, const int8_t* w, const int8_t* x, int side) {
    return add_blocks(sum, _mm512_maskz_loadu_epi32(0x00FF, w), x, side);
  }
  static void store(Sum sum, int32_t missing, const int32_t* bias, int32_t* y) {
    SumAvx2::store(_mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1)),
                   missing, bias, y);
  }
};
#endif

/// For int16 x: weights are widened, with two products a lane. The two lanes of a row are added at
/// the end.
struct DotAvx2Wide {
  struct Sum {
    __m256i low, high;  ///< rows 0 to 3, 4 to 7
  };
  static constexpr int blocks = 1;
  static constexpr bool splits_signs = false;
  static constexpr bool shares_sides = true;
  static Sum zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static __m256i widened(const int8_t* w) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w)));
  }
  static Sum add(Sum sum, const int8_t* w, const int16_t* x, int) {
    const __m256i four = _mm256_set1_epi64x(from_bytes<int64_t>(x));
    return {_mm256_add_epi32(sum.low, _mm256_madd_epi16(widened(w), four)),
            _mm256_add_epi32(sum.high, _mm256_madd_epi16(widened(w + 16), four))};
  }
  static void store(Sum sum, int32_t missing, const int32_t* bias, int32_t* y) {
    SumAvx2::store(_mm256_permute4x64_epi64(_mm256_hadd_epi32(sum.low, sum.high), 0xD8), missing,
                   bias, y);
  }
};

}  // namespace
}  // namespace sluice

#endif
