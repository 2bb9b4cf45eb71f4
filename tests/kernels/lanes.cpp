// Tests against exact references that fma, divide and sqrt of every lane type round exactly as IEEE
// 754 requires.
#include "lanes.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "../support/numbers.h"
#include "../support/tables.h"
#include "isas.h"  // generated; SLUICE_FOR_EACH_ISA(X) is X(scalar) X(avx2) ...

using namespace sluice;
using namespace sluice::tests;

#define SLUICE_LANES_DECLARE(isa)       \
  namespace sluice::tests {             \
  extern const LaneType isa##_lanes[2]; \
  }
SLUICE_FOR_EACH_ISA(SLUICE_LANES_DECLARE)

namespace {

/// Returns every lane type that this CPU runs.
std::vector<LaneType> every_lane_type() {
  std::vector<LaneType> all;
#define SLUICE_LANES_ADD(isa) all.insert(all.end(), isa##_lanes, isa##_lanes + 2);
  SLUICE_FOR_EACH_ISA(SLUICE_LANES_ADD)
  std::vector<LaneType> here;
  for (const LaneType& lanes : all) {
    const Kernels* table = pick_kernels(lanes.isa);
    REQUIRE(table != nullptr);
    if (runs_here(*table)) here.push_back(lanes);
  }
  return here;
}

/// Returns a * b + c, rounded once. The product is exact in double; the sum is rounded to odd
/// there, so that the second rounding gives the right result.
float exact_fma(float a, float b, float c) {
  const double product = double(a) * double(b), addend = c, sum = product + addend;
  // Knuth's two-sum gives the exact error.
  const double back = sum - product, error = (product - (sum - back)) + (addend - back);
  if (error == 0) return float(sum);
  uint64_t u;
  std::memcpy(&u, &sum, sizeof u);
  if ((u & 1) == 0) u = (error > 0) == (sum > 0) ? u + 1 : u - 1;
  double odd;
  std::memcpy(&odd, &u, sizeof odd);
  return float(odd);
}

/// A quotient or root of 24-bit numbers that is rounded first to 53 bits and then to 24 is rounded
/// correctly (Figueroa 1995).
float exact_divide(float a, float b) { return float(double(a) / double(b)); }
float exact_sqrt(float a) { return float(std::sqrt(double(a))); }

/// Returns a normal number with an exponent in a range, and sometimes a mantissa of few bits.
float normal(Noise& noise, int low, int high) {
  uint32_t mantissa = noise.word() >> 9;
  if (noise.below(4) == 0) mantissa &= ~0u << noise.below(24);
  if (noise.below(8) == 0) mantissa = 0x7fffffu - (mantissa >> noise.below(24));
  return from_bits(noise.word() << 31 | uint32_t(127 + low + noise.below(high - low + 1)) << 23 |
                   (mantissa & 0x7fffffu));
}

constexpr size_t chunk = 1024;
int rounds() { return sparse() ? 60 : 4000; }

/// Compares only normal results. Other tests cover subnormal ones, which ARMv7's NEON flushes.
bool comparable(float expected) { return std::isnormal(expected); }

void compare(const LaneType& lanes, const char* operation, const float* a, const float* b,
             const float* c, const float* got, float (*exact)(float, float, float)) {
  for (size_t i = 0; i < chunk; ++i) {
    const float expected = exact(a[i], b[i], c[i]);
    if (!comparable(expected) || raw_bits(got[i]) == raw_bits(expected)) continue;
    FAIL(std::string(lanes.isa), " in ", lanes.width, " lanes: ", operation, " of ", a[i], " ",
         b[i], " ", c[i], " gives ", got[i], " for ", expected);
  }
}

}  // namespace

TEST_CASE("the reference for fma is exact for cases that integers can decide") {
  // 2^48 - 2^25 + 2, to 24 bits.
  CHECK_EQ(exact_fma(16777215.0f, 16777215.0f, 1.0f), 281474943156224.0f);
  // (2^23 + 1)^2 = 2^46 + 2^24 + 1.
  CHECK_EQ(exact_fma(8388609.0f, 8388609.0f, -70368760954880.0f), 1.0f);
  // The sum is just above a tie,
  CHECK_EQ(exact_fma(1.0f + 0x1p-12f, 1.0f + 0x1p-12f, 0x1p-80f), from_bits(0x3f801001u));
  // just below it,
  CHECK_EQ(exact_fma(1.0f + 0x1p-12f, 1.0f + 0x1p-12f, -0x1p-80f), from_bits(0x3f801000u));
  // and the tie, which rounds to even.
  CHECK_EQ(exact_fma(1.0f + 0x1p-12f, 1.0f + 0x1p-12f, 0.0f), from_bits(0x3f801000u));
}

TEST_CASE("fma of every lane type rounds only once") {
  for (const LaneType& lanes : every_lane_type()) {
    Noise noise(40);
    std::vector<float> a(chunk), b(chunk), c(chunk), y(chunk);
    for (int round = 0; round < rounds(); ++round) {
      for (size_t i = 0; i < chunk; ++i) {
        a[i] = normal(noise, -40, 40), b[i] = normal(noise, -40, 40);
        switch (round % 4) {
          case 0:
            c[i] = normal(noise, -80, 80);
            break;
          case 1:
            c[i] = -(a[i] * b[i]);  // all except the rounding cancels
            break;
          case 2:
            c[i] = std::ldexp(a[i] * b[i], noise.below(60) - 30);  // they overlap by some bits
            break;
          default:
            a[i] = 1 + std::ldexp(1.0f, -noise.below(24)),
            b[i] = 1 + std::ldexp(1.0f, -noise.below(24)),
            c[i] = normal(noise, -100, -20);  // ties that far lower bits decide
        }
      }
      lanes.fma(a.data(), b.data(), c.data(), y.data(), chunk);
      compare(lanes, "fma", a.data(), b.data(), c.data(), y.data(), exact_fma);
    }
  }
}

TEST_CASE("division of every lane type is rounded to nearest") {
  for (const LaneType& lanes : every_lane_type()) {
    Noise noise(41);
    std::vector<float> a(chunk), b(chunk), y(chunk);
    for (int round = 0; round < rounds(); ++round) {
      for (size_t i = 0; i < chunk; ++i) {
        a[i] = normal(noise, -126, 127), b[i] = normal(noise, -126, 127);
        if (round % 3 == 1) a[i] = normal(noise, -20, 20), b[i] = normal(noise, -20, 20);
        if (round % 3 == 2)
          b[i] = normal(noise, -20, 20),
          a[i] = b[i] * normal(noise, -20, 20);  // near a representable quotient
      }
      lanes.divide(a.data(), b.data(), y.data(), chunk);
      compare(lanes, "divide", a.data(), b.data(), b.data(), y.data(),
              [](float p, float q, float) { return exact_divide(p, q); });
    }
  }
}

TEST_CASE("the square root of every lane type is rounded to nearest") {
  for (const LaneType& lanes : every_lane_type()) {
    Noise noise(42);
    std::vector<float> a(chunk), y(chunk);
    for (int round = 0; round < rounds(); ++round) {
      for (size_t i = 0; i < chunk; ++i) {
        a[i] = std::fabs(normal(noise, -126, 127));
        if (round % 2) {
          const float root = normal(noise, -60, 60);
          // A square and its neighbors.
          a[i] = from_bits(raw_bits(root * root) + uint32_t(noise.below(3)) - 1);
        }
      }
      lanes.sqrt(a.data(), y.data(), chunk);
      compare(lanes, "sqrt", a.data(), a.data(), a.data(), y.data(),
              [](float p, float, float) { return exact_sqrt(p); });
    }
  }
}
