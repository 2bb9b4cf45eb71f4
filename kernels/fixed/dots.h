// How an instruction set adds up a block of 8 rows x 4 columns of int8 weights. A Dot supplies:
// - Sum: the running sums of 8 rows; zero() returns empty ones.
// - shares_sides: whether several panels are computed at once. That pays if their sums fit the
//   registers, because they read the same numbers x.
// - blocks: how many consecutive blocks one add takes. If it is not 1, add_one adds a single block.
// - add(sum, w, x, side): adds the blocks at w times the numbers at x.
// - store(sum, missing, bias, y): y[8] = bias[8] + missing + sums.
// For int8 also:
// - take(x, n, to, length): copies n bytes in the form that add reads, with zeros behind them. If
//   splits_signs, it writes masks at `to` and |x| at to + length.
// - narrow(h, n, to, length): does the same for int16, of which it may read up to a multiple of 8.
//   Both return the number that is missing from the sum of every row.
// - Sparse: adds up the blocks of a sparse matrix one by one. It has take and narrow, with nothing
//   missing; a Sum; start(bias); add_one(sum, w, x, side); finish(sum, y); and unrolls, whether
//   four blocks an iteration pay.
// Sums are exact modulo 2^32, so their order is free. dots_x86.h and dots_neon.h have the Dots of
// the SIMD instruction sets.
#ifndef SLUICE_FIXED_DOTS_H
#define SLUICE_FIXED_DOTS_H

#include "side.h"

namespace sluice {
namespace {

/// Writes zeros behind n numbers.
template <class X>
inline void pad(X* x, int n, int length) {
  for (int i = n; i < length; ++i) x[i] = 0;
}

inline int32_t take_plain(const int8_t* x, int n, int8_t* to, int length) {
  memcpy(to, x, size_t(n));
  pad(to, n, length);
  return 0;
}

/// Makes the Sparse of a Dot that adds one block at a time and has nothing missing.
template <class Dot, bool Unrolls = true>
struct OneByOne : Dot {
  static constexpr bool unrolls = Unrolls;
  struct Sum {
    typename Dot::Sum sum;
    const int32_t* bias;
  };
  static Sum start(const int32_t* bias) { return {Dot::zero(), bias}; }
  template <class X>
  static Sum add_one(Sum s, const int8_t* w, const X* x, int side) {
    return {Dot::add(s.sum, w, x, side), s.bias};
  }
  static void finish(const Sum& s, int32_t* y) { Dot::store(s.sum, 0, s.bias, y); }
};

/// A Dot in plain code, for int8 and int16 x.
struct PlainDot {
  using Sparse = OneByOne<PlainDot, false>;
  static int32_t take(const int8_t* x, int n, int8_t* to, int length) {
    return take_plain(x, n, to, length);
  }
  static int32_t narrow(const int16_t* h, int n, int8_t* to, int length) {
    for (int i = 0; i < n; ++i) to[i] = int8_t(narrowed(h[i]));
    pad(to, n, length);
    return 0;
  }
  struct Sum {
    uint32_t row[8];
  };
  static constexpr int blocks = 1;
  static constexpr bool splits_signs = false;
  static constexpr bool shares_sides = false;
  static Sum zero() { return {}; }
  template <class X>
  static Sum add(Sum sum, const int8_t* w, const X* x, int) {
    for (int row = 0; row < 8; ++row) {
      uint32_t one = sum.row[row];
      for (int k = 0; k < 4; ++k) one += uint32_t(w[row * 4 + k] * x[k]);
      sum.row[row] = one;
    }
    return sum;
  }
  static void store(const Sum& sum, int32_t, const int32_t* bias, int32_t* y) {
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
