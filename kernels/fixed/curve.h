// The curve from which sigmoid and tanh are computed in fixed point: the sigmoid in 16 pieces, each
// a cubic (kernels/README.md).
#ifndef SLUICE_FIXED_CURVE_H
#define SLUICE_FIXED_CURVE_H

#include <stdint.h>

namespace sluice {
namespace {

/// A cubic that interpolates the sigmoid minus 1/2, which both functions need, at both ends of its
/// piece and at 0.31 and 0.69 of it; in units of 2^-20.
struct Piece {
  int32_t c[4];
};
constexpr int pieces = 16;
constexpr Piece curve[pieces] = {
    {{0, 174877, -594, -5718}},       {{168566, 156927, -18101, -1846}},
    {{305547, 115523, -23109, 1334}}, {{399296, 73400, -18670, 2138}},
    {{456164, 42433, -12130, 1704}},  {{488171, 23218, -7038, 1078}},
    {{505429, 12327, -3849, 614}},    {{514521, 6440, -2042, 332}},
    {{519251, 3336, -1066, 175}},     {{521696, 1721, -552, 91}},
    {{522956, 886, -285, 47}},        {{523604, 455, -146, 24}},
    {{523937, 234, -75, 13}},         {{524108, 120, -39, 6}},
    {{524196, 62, -20, 3}},           {{524242, 32, -10, 2}},
};

/// One coefficient of all pieces, for instructions that look up numbers in a register.
struct Column {
  int32_t at[pieces];
};
constexpr Column column(int k) {
  Column result{};
  for (int i = 0; i < pieces; ++i) result.at[i] = curve[i].c[k];
  return result;
}

/// Returns c3 in the low half and c2 in the high half of each number. Both fit 16 bits.
constexpr Column upper_columns() {
  Column result{};
  for (int i = 0; i < pieces; ++i)
    result.at[i] = int32_t(uint32_t(curve[i].c[2]) << 16 | (uint32_t(curve[i].c[3]) & 0xFFFF));
  return result;
}

/// The coefficients of the piece of each lane.
template <class V>
struct Cubic {
  V c0, c1, c2, c3;
};

}  // namespace
}  // namespace sluice

#endif
