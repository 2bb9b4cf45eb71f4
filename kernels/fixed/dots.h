// How an instruction set adds up a block of 8 rows x 4 columns of int8 weights. A Dot supplies:
//   Sum                    the running sums of 8 rows; zero(), join(a, b)
//   blocks                 how many consecutive blocks one add takes; add_one for a single one where that is not 1
//   add(sum, w, x, side)   those blocks at w times the numbers at x; where wants_magnitudes, their |x| is at x + side
//   store(sum, bias, y)    y[8] = bias[8] + sums
//   sums                   how many run side by side over k
// Sums are exact modulo 2^32, so their order is free. dots_x86.h and dots_neon.h have those of the SIMD sets.
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

}  // namespace
}  // namespace sluice

#endif
