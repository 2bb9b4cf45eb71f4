// Lane types of one lane: the operations of lanes/xsimd.h on a single float, and of
// lanes/xsimd_ints.h on a single integer, for scalar tables, Cortex-M, and the ends of arrays.
// Everything here has internal linkage, because it is compiled again for each instruction set, with
// other flags.
#ifndef SLUICE_LANES_ONE_H
#define SLUICE_LANES_ONE_H

#include <stdint.h>
#include <string.h>

#include "../fixed/curve.h"
#if defined(__ARM_FEATURE_SAT)
#include <arm_acle.h>
#endif

/// Goes before a loop over an array of lanes. It unrolls the loop early, so that GCC keeps the
/// array in registers instead of memory. It is off under AddressSanitizer, which would check each
/// access and take minutes to compile, and if the code is optimized for size.
#if defined(SLUICE_SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__OPTIMIZE_SIZE__)
#define SLUICE_UNROLL
#else
#define SLUICE_UNROLL _Pragma("GCC unroll 32")
#endif

/// Goes on a lambda: its body is inlined into the loop that calls it, whatever the size.
#define SLUICE_INLINE __attribute__((always_inline))

namespace sluice {
namespace {

struct One {
  static constexpr int width = 1;
#if defined(__OPTIMIZE_SIZE__)
  static constexpr int accumulators = 2;
#else
  static constexpr int accumulators = 8;  ///< how many chains of a product are kept in registers
#endif
  float v;
};

template <class To, class From>
inline To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

template <class V>
struct Make;  // load and set, by lane type

template <>
struct Make<One> {
  static One load(const float* p) { return {*p}; }
  static One set(float x) { return {x}; }
};

inline void store(float* p, One a) { *p = a.v; }
inline One fma(One a, One b, One c) { return {__builtin_fmaf(a.v, b.v, c.v)}; }
inline One operator+(One a, One b) { return {a.v + b.v}; }
inline One operator-(One a, One b) { return {a.v - b.v}; }
inline One operator*(One a, One b) { return {a.v * b.v}; }
inline One operator/(One a, One b) { return {a.v / b.v}; }
inline One sqrt(One a) { return {__builtin_sqrtf(a.v)}; }
inline bool operator<(One a, One b) { return a.v < b.v; }
inline One select(bool yes, One a, One b) { return yes ? a : b; }
inline One abs(One a) { return {bits_as<float>(bits_as<uint32_t>(a.v) & 0x7FFFFFFFu)}; }
inline One with_sign_of(One a, One sign) {
  return {bits_as<float>(bits_as<uint32_t>(a.v) | (bits_as<uint32_t>(sign.v) & 0x80000000u))};
}
/// Returns 2^n for the float t = 1.5 * 2^23 + n, whose low bits hold n; -126 <= n <= 127.
inline One power_of_two(One t) {
  return {bits_as<float>((bits_as<uint32_t>(t.v) << 23) + 0x3F800000u)};
}
/// Return e and m of a positive normal number m * 2^e, 1 <= m < 2.
inline One exponent(One a) { return {float(int32_t(bits_as<uint32_t>(a.v) >> 23) - 127)}; }
inline One mantissa(One a) {
  return {bits_as<float>((bits_as<uint32_t>(a.v) & 0x007FFFFFu) | 0x3F800000u)};
}

// The operations of fixed point on a single integer. Sums and products wrap.

struct OneInt {
  static constexpr int width = 1;
  int32_t v;
};

template <>
struct Make<OneInt> {
  static OneInt load(const int32_t* p) { return {*p}; }
  static OneInt load(const int16_t* p) { return {*p}; }
  static OneInt set(int32_t x) { return {x}; }
};

inline void store(int16_t* p, OneInt a) { *p = int16_t(a.v); }
inline void store(int32_t* p, OneInt a) { *p = a.v; }
inline OneInt operator+(OneInt a, OneInt b) { return {int32_t(uint32_t(a.v) + uint32_t(b.v))}; }
inline OneInt operator-(OneInt a, OneInt b) { return {int32_t(uint32_t(a.v) - uint32_t(b.v))}; }
inline OneInt operator*(OneInt a, OneInt b) { return {int32_t(uint32_t(a.v) * uint32_t(b.v))}; }
inline OneInt operator&(OneInt a, OneInt b) { return {a.v & b.v}; }
/// Returns a if sign is 0 or more, else -a. a must be 0 if sign is 0.
inline OneInt with_sign_of(OneInt a, OneInt sign) {
#if __ARM_ARCH_ISA_THUMB == 2  // two instructions; the compiler would compare and negate
  OneInt flipped;
  asm("eor %0, %1, %2, asr #31\n sub %0, %0, %2, asr #31"
      : "=&r"(flipped.v)
      : "r"(a.v), "r"(sign.v));
  return flipped;
#else
  const uint32_t s = uint32_t(sign.v >> 31);
  return {int32_t((uint32_t(a.v) ^ s) - s)};
#endif
}
/// Returns a clamped to -2^(bits - 1) to 2^(bits - 1) - 1.
template <int bits>
inline OneInt saturated(OneInt a) {
#if defined(__ARM_FEATURE_SAT)
  return {__ssat(a.v, bits)};
#else
  constexpr int32_t highest = (1 << (bits - 1)) - 1;
  return {a.v < -highest - 1 ? -highest - 1 : a.v > highest ? highest : a.v};
#endif
}
/// Returns |a| if that is less than 2^bits, else 2^bits - 1 or 2^bits.
template <int bits>
inline OneInt magnitude(OneInt a) {
  const OneInt v = saturated<bits + 1>(a);
  return with_sign_of(v, v);
}
/// Returns the smaller one of a and 2^bits - 1; a >= 0.
template <int bits>
inline OneInt at_most(OneInt a) {
#if defined(__ARM_FEATURE_SAT)
  return {int32_t(__usat(a.v, bits))};
#else
  return {a.v < 1 << bits ? a.v : (1 << bits) - 1};
#endif
}
inline OneInt larger(OneInt a, OneInt b) { return a.v > b.v ? a : b; }
// No sum that is shifted is left uninitialized: rows are multiples of 8.
// NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult)
inline OneInt shift_left(OneInt a, int n) { return {int32_t(uint32_t(a.v) << n)}; }
template <int n>
inline OneInt shift_right(OneInt a) {
  return {a.v >> n};
}
inline OneInt shift_right(OneInt a, int n) { return {a.v >> n}; }
/// Returns (a * m + 2^31) >> 32, with the product in 64 bits.
inline OneInt high_product(OneInt a, OneInt m) {
#if defined(__ARM_FEATURE_DSP)
  int32_t result;
  asm("smmulr %0, %1, %2" : "=r"(result) : "r"(a.v), "r"(m.v));
  return {result};
#else
  const int64_t product = int64_t(a.v) * m.v;
  return {int32_t(product >> 32) + int32_t(uint32_t(product) >> 31)};
#endif
}
/// Returns c + high_product(a, m).
inline OneInt add_high_product(OneInt c, OneInt a, OneInt m) {
#if defined(__ARM_FEATURE_DSP)
  int32_t result;
  asm("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a.v), "r"(m.v), "r"(c.v));
  return {result};
#else
  return c + high_product(a, m);
#endif
}
inline Cubic<OneInt> piece(OneInt i) {
  const int32_t* const c = curve[i.v].c;
  return {{c[0]}, {c[1]}, {c[2]}, {c[3]}};
}

/// Returns L(p) - 2^19, the sigmoid minus 1/2 in units of 2^-20; 0 <= p < 2^17.
template <class V>
inline V curve_at(V p) {
  const Cubic<V> c = piece(shift_right<13>(p));
  const V f = p & Make<V>::set(8191);
  return c.c0 +
         shift_right<13>((c.c1 + shift_right<13>((c.c2 + shift_right<13>(c.c3 * f)) * f)) * f);
}

}  // namespace
}  // namespace sluice

#endif
