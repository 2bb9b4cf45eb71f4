// Integer lanes of Helium (MVE, Cortex-M55 and M85): the operations of OneInt on four int32.
#ifndef SLUICE_LANES_HELIUM_INTS_H
#define SLUICE_LANES_HELIUM_INTS_H

#include <arm_mve.h>

#include "one.h"

namespace sluice {
namespace {

struct HeliumInt {
  static constexpr int width = 4;
  int32x4_t v;
};

template <>
struct Make<HeliumInt> {
  static HeliumInt load(const int32_t* p) { return {vldrwq_s32(p)}; }
  static HeliumInt load(const int16_t* p) { return {vldrhq_s32(p)}; }
  static HeliumInt set(int32_t x) { return {vdupq_n_s32(x)}; }
};

inline void store(int16_t* p, HeliumInt a) { vstrhq_s32(p, a.v); }
inline HeliumInt operator+(HeliumInt a, HeliumInt b) { return {vaddq_s32(a.v, b.v)}; }
inline HeliumInt operator-(HeliumInt a, HeliumInt b) { return {vsubq_s32(a.v, b.v)}; }
inline HeliumInt operator*(HeliumInt a, HeliumInt b) { return {vmulq_s32(a.v, b.v)}; }
inline HeliumInt operator&(HeliumInt a, HeliumInt b) { return {vandq_s32(a.v, b.v)}; }
template <int bits>
inline HeliumInt saturated(HeliumInt a) {
  constexpr int32_t highest = (1 << (bits - 1)) - 1;
  return {vminq_s32(vmaxq_s32(a.v, vdupq_n_s32(-highest - 1)), vdupq_n_s32(highest))};
}
template <int bits>
inline HeliumInt magnitude(HeliumInt a) {
  return {vreinterpretq_s32_u32(
      vminq_u32(vreinterpretq_u32_s32(vabsq_s32(a.v)), vdupq_n_u32(1u << bits)))};
}
template <int bits>
inline HeliumInt at_most(HeliumInt a) {
  return {vminq_s32(a.v, vdupq_n_s32((1 << bits) - 1))};
}
inline HeliumInt larger(HeliumInt a, HeliumInt b) { return {vmaxq_s32(a.v, b.v)}; }
inline HeliumInt shift_left(HeliumInt a, int n) { return {vshlq_r_s32(a.v, n)}; }
template <int n>
inline HeliumInt shift_right(HeliumInt a) {
  return {vshrq_n_s32(a.v, n)};
}
inline HeliumInt shift_right(HeliumInt a, int n) { return {vshlq_r_s32(a.v, -n)}; }
inline HeliumInt with_sign_of(HeliumInt a, HeliumInt sign) {
  const int32x4_t s = vshrq_n_s32(sign.v, 31);
  return {vsubq_s32(veorq_s32(a.v, s), s)};
}
inline HeliumInt high_product(HeliumInt a, HeliumInt m) { return {vrmulhq_s32(a.v, m.v)}; }
inline HeliumInt add_high_product(HeliumInt c, HeliumInt a, HeliumInt m) {
  return c + high_product(a, m);
}

inline Cubic<HeliumInt> piece(HeliumInt i) {
  const int32_t* const c = curve[0].c;
  const uint32x4_t at = vreinterpretq_u32_s32(vshlq_n_s32(i.v, 2));
  return {{vldrwq_gather_shifted_offset_s32(c, at)},
          {vldrwq_gather_shifted_offset_s32(c + 1, at)},
          {vldrwq_gather_shifted_offset_s32(c + 2, at)},
          {vldrwq_gather_shifted_offset_s32(c + 3, at)}};
}

}  // namespace
}  // namespace sluice

#endif
