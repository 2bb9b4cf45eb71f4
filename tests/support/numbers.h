// Random numbers for tests, the same on every machine, and comparisons of numbers.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace sluice::tests {

/// A small generator of its own (SplitMix64: Steele, Lea, Flood 2014), so that no test shares
/// arithmetic with the code under test.
struct Noise {
  uint64_t state;
  explicit Noise(uint64_t seed) : state(seed) {}
  uint32_t word() {
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return uint32_t((z ^ (z >> 31)) >> 32);
  }
  int below(int bound) { return int((uint64_t(word()) * uint64_t(bound)) >> 32); }
  float number(float low, float high) {
    return low + (high - low) * (float(word() >> 8) / 16777216.0f);
  }
  std::vector<float> uniform(size_t n, float low = -1, float high = 1) {
    std::vector<float> v(n);
    for (float& f : v) f = number(low, high);
    return v;
  }
};

inline uint32_t raw_bits(float f) {
  uint32_t u;
  std::memcpy(&u, &f, sizeof u);
  return u;
}

inline float from_bits(uint32_t u) {
  float f;
  std::memcpy(&f, &u, sizeof f);
  return f;
}

/// Returns the bits of a number, with one pattern for all NaNs. Tests of "the same bits" compare
/// these.
inline uint32_t bits(float f) { return std::isnan(f) ? 0x7fc00000u : raw_bits(f); }

/// Returns the first index at which the bits of two arrays differ, or n.
inline size_t first_difference(const float* a, const float* b, size_t n) {
  for (size_t i = 0; i < n; ++i)
    if (bits(a[i]) != bits(b[i])) return i;
  return n;
}

inline bool same_bits(const float* a, const float* b, size_t n) {
  return first_difference(a, b, n) == n;
}
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && same_bits(a.data(), b.data(), a.size());
}

inline bool subnormal(float f) { return std::fpclassify(f) == FP_SUBNORMAL; }

/// Returns |got - truth| in units in the last place of truth, a normal number of float's range.
inline double ulps(float got, double truth) {
  const int exponent = std::ilogb(truth);
  return std::fabs(double(got) - truth) / std::ldexp(1.0, exponent - 23);
}

/// Returns numbers with special rules: zeros, infinities, NaN, neighbors of powers of two, and
/// subnormal numbers if the unit has them.
inline std::vector<float> special_numbers() {
  const float inf = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> v = {0.0f,
                          -0.0f,
                          1.0f,
                          -1.0f,
                          0.5f,
                          -0.5f,
                          2.0f,
                          inf,
                          -inf,
                          nan,
                          -nan,
                          88.72f,
                          88.73f,
                          -87.33f,
                          -87.34f,
                          104.0f,
                          1e-30f,
                          1.2e-38f,
                          3.4e38f,
                          -3.4e38f,
                          1e-4f,
                          9.01f,
                          std::numeric_limits<float>::min(),
                          -std::numeric_limits<float>::min(),
                          std::numeric_limits<float>::max(),
                          std::nextafter(1.0f, 0.0f),
                          std::nextafter(1.0f, 2.0f)};
// ARMv7's NEON flushes them, and no bits are promised there.
#if !(defined(__arm__) && defined(__ARM_NEON))
  for (const float f : {1e-40f, -1e-40f, std::numeric_limits<float>::denorm_min(),
                        std::nextafter(1.17549435e-38f, 0.0f)})
    v.push_back(f);
#endif
  return v;
}

/// Returns the number itself; on ARMv7, whose NEON flushes subnormal numbers, a number whose
/// products and sigmoids stay normal.
inline float tame(float f) {
#if defined(__arm__)
  if (std::fabs(f) < 1e-18f) return 0;
  if (std::isfinite(f) && std::fabs(f) > 40) return std::copysign(40.0f, f);
#endif
  return f;
}

}  // namespace sluice::tests
