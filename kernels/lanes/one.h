// One lane: the operations of lanes/xsimd.h on a single float, for scalar tables, Cortex-M, and the ends of arrays.
// Everything here has internal linkage: it is compiled anew, with other flags, for each instruction set.
#ifndef SLUICE_LANES_ONE_H
#define SLUICE_LANES_ONE_H

#include <stdint.h>
#include <string.h>

/// Before a loop over an array of lanes: unrolled early, the array lives in registers, where GCC would otherwise keep it in memory.
/// Not under AddressSanitizer, which would check each of them, for minutes of compiling.
#if defined(__SANITIZE_ADDRESS__)
#define SLUICE_UNROLL
#else
#define SLUICE_UNROLL _Pragma("GCC unroll 32")
#endif

namespace sluice {
namespace {

struct One {
  static constexpr int width = 1;
  static constexpr int accumulators = 8;  ///< how many chains of a product are kept in registers
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
/// 2^n, where n is what the low bits of the float t = 1.5 * 2^23 + n hold; -126 <= n <= 127.
inline One power_of_two(One t) { return {bits_as<float>((bits_as<uint32_t>(t.v) << 23) + 0x3F800000u)}; }
/// e and m of a positive normal number m * 2^e, 1 <= m < 2.
inline One exponent(One a) { return {float(int32_t(bits_as<uint32_t>(a.v) >> 23) - 127)}; }
inline One mantissa(One a) { return {bits_as<float>((bits_as<uint32_t>(a.v) & 0x007FFFFFu) | 0x3F800000u)}; }

}  // namespace
}  // namespace sluice

#endif
