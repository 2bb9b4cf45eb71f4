// How an instruction set adds up a block of 8 rows x 4 columns of int8 weights. A Dot supplies:
//   Sum                    the running sums of 8 rows; zero()
//   blocks                 how many consecutive blocks one add takes; add_one for a single one where that is not 1
//   add(sum, w, x, side)   those blocks at w times the numbers at x; where wants_magnitudes, their |x| is at x + side
//   store(sum, bias, y)    y[8] = bias[8] + sums
// for int8 also
//   narrow(h, x, n)        n int16, a multiple of 8, as they enter a product of int8; magnitudes(x, m, n): |x|, n a multiple of 16
// Sums are exact modulo 2^32, so their order is free. dots_x86.h and dots_neon.h have those of the SIMD sets.
#ifndef SLUICE_FIXED_DOTS_H
#define SLUICE_FIXED_DOTS_H

#include "side.h"

namespace sluice {
namespace {

/// Plain code, for int8 and int16 x.
struct PlainDot {
  static void narrow(const int16_t* h, int8_t* x, int n) {
    for (int i = 0; i < n; ++i) x[i] = int8_t(narrowed(h[i]));
  }
  struct Sum {
    uint32_t row[8];
  };
  static constexpr int blocks = 1;
  static constexpr bool wants_magnitudes = false;
  static Sum zero() { return {}; }
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
