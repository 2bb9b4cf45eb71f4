// Adds up blocks of int8 weights on NEON (dots.h defines a Dot).
#ifndef SLUICE_FIXED_DOTS_NEON_H
#define SLUICE_FIXED_DOTS_NEON_H

#include <arm_neon.h>

#include "dots.h"

namespace sluice {
namespace {

inline int32x4_t pairs(int32x4_t a, int32x4_t b) {
#if defined(__aarch64__)
  return vpaddq_s32(a, b);
#else
  return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)),
                      vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
#endif
}

/// Prepares the right side of a product of int8. The sum h + 128 saturates, so its upper byte is at
/// most 127.
struct SideNeon {
  static constexpr bool splits_signs = false;
  static constexpr bool shares_sides = true;
  static int32_t take(const int8_t* x, int n, int8_t* to, int length) {
    return take_plain(x, n, to, length);
  }
  static int32_t narrow(const int16_t* h, int n, int8_t* to, int length) {
    for (int i = 0; i < n; i += 8)
      vst1_s8(to + i, vshrn_n_s16(vqaddq_s16(vld1q_s16(h + i), vdupq_n_s16(128)), 8));
    pad(to, n, length);
    return 0;
  }
};

/// For CPUs without the dot product instruction: products of bytes in int16 are added in pairs into
/// int32, two lanes a row. 127 * 128 fits int16.
struct DotNeon : SideNeon {
  using Sparse = OneByOne<DotNeon>;
  struct Sum {
    int32x4_t rows[4];  ///< two rows each
  };
  static constexpr int blocks = 1;
  static Sum zero() { return {{vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}}; }
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int) {
    const int8x8_t four = vreinterpret_s8_s32(vdup_n_s32(from_bytes<int32_t>(x)));
    SLUICE_UNROLL
    for (int i = 0; i < 4; ++i)
      sum.rows[i] = vpadalq_s16(sum.rows[i], vmull_s8(vld1_s8(w + 8 * i), four));
    return sum;
  }
  static void store(const Sum& sum, int32_t, const int32_t* bias, int32_t* y) {
    vst1q_s32(y, vaddq_s32(pairs(sum.rows[0], sum.rows[1]), vld1q_s32(bias)));
    vst1q_s32(y + 4, vaddq_s32(pairs(sum.rows[2], sum.rows[3]), vld1q_s32(bias + 4)));
  }
};

#if defined(__ARM_FEATURE_DOTPROD)
struct DotNeonDot : SideNeon {
  using Sparse = OneByOne<DotNeonDot>;
  struct Sum {
    int32x4_t low, high;
  };
  static constexpr int blocks = 1;
  static Sum zero() { return {vdupq_n_s32(0), vdupq_n_s32(0)}; }
  static Sum add(Sum sum, const int8_t* w, const int8_t* x, int) {
    const int8x16_t four = vreinterpretq_s8_s32(vdupq_n_s32(from_bytes<int32_t>(x)));
    return {vdotq_s32(sum.low, vld1q_s8(w), four), vdotq_s32(sum.high, vld1q_s8(w + 16), four)};
  }
  static void store(Sum sum, int32_t, const int32_t* bias, int32_t* y) {
    vst1q_s32(y, vaddq_s32(sum.low, vld1q_s32(bias)));
    vst1q_s32(y + 4, vaddq_s32(sum.high, vld1q_s32(bias + 4)));
  }
};
#endif

/// For int16 x: four products a row, one in each lane. The lanes are added at the end.
struct DotNeonWide {
  struct Sum {
    int32x4_t row[8];
  };
  static constexpr bool splits_signs = false;
  static constexpr bool shares_sides = true;
  static constexpr int blocks = 1;
  static Sum zero() {
    Sum sum;
    for (int32x4_t& row : sum.row) row = vdupq_n_s32(0);
    return sum;
  }
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
  static void store(const Sum& sum, int32_t, const int32_t* bias, int32_t* y) {
    for (int i = 0; i < 8; i += 4) {
      const int32x4_t four_rows =
          pairs(pairs(sum.row[i], sum.row[i + 1]), pairs(sum.row[i + 2], sum.row[i + 3]));
      vst1q_s32(y + i, vaddq_s32(four_rows, vld1q_s32(bias + i)));
    }
  }
};

}  // namespace
}  // namespace sluice

#endif
