// Products in fixed point on Cortex-M without Helium, for weights in the order of pairs. Once a
// step, the input is widened to int16 and summed: row b of each pair is stored + 128, so 128 * sum
// is subtracted from it at the end.
//
// One pass over the columns computes one panel of 8 rows, with its 8 sums in registers. That leaves
// none of a core's 13 registers free, so the loops are assembly. Fewer instructions were never
// chosen over fewer cycles: LDRD takes as long as two LDR (Cortex-M4 TRM, 3.3.1).
#ifndef SLUICE_FIXED_CORTEX_M_H
#define SLUICE_FIXED_CORTEX_M_H

#include <string.h>
#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#endif

#include "../kernels.h"
#include "../lanes/one.h"
#include "dots.h"

namespace sluice {
namespace {

/// The product of one panel: y = init + W x over [x, end), an even number of columns, at least 4;
/// row b of each pair minus `correction`.
struct PanelProduct {
  const uint8_t* w;
  const int16_t *x, *end;
  const int32_t* init;
  int32_t* y;
  int32_t correction;  ///< 128 * the sum of x
};

#if __ARM_ARCH_ISA_THUMB == 2

// Registers: r0 pointer to the weights, r1 x, r2 end, r3 two x, r4 and r5 weights, r6 to r9 the
// sums of rows a (or of 256 a + b), r10 to lr those of rows b.
#define SLUICE_PANEL(loop, end_a)                                                              \
  register const PanelProduct* call asm("r0") = &product;                                      \
  asm volatile(                                                                                \
      "push {r0}\n"                                                                            \
      "ldm r0, {r0, r1, r2}\n"                                                                 \
      "movs r6, #0\n mov r7, r6\n mov r8, r6\n mov r9, r6\n"                                   \
      "mov r10, r6\n mov r11, r6\n mov r12, r6\n mov lr, r6\n" loop                            \
      "pop {r0}\n"                                                                             \
      "ldr r1, [r0, #12]\n ldr r2, [r0, #16]\n ldr r3, [r0, #20]\n" SLUICE_PANEL_END(          \
          "r6", "r10", end_a) SLUICE_PANEL_END("r7", "r11", end_a)                             \
          SLUICE_PANEL_END("r8", "r12", end_a) SLUICE_PANEL_END("r9", "lr", end_a)             \
      : "+r"(call)                                                                             \
      :                                                                                        \
      : "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", \
        "memory")
#define SLUICE_PANEL_END(a, b, end_a)                         \
  "ldrd r4, r5, [r1], #8\n" end_a(a, b) "add r5, r5, " b      \
                                        "\n sub r5, r5, r3\n" \
                                        "strd r4, r5, [r2], #8\n"

#define SLUICE_PLAIN_END(a, b) "add r4, r4, " a "\n"

#if defined(__ARM_FEATURE_DSP)

// Computes the sum of p * x, with p = 256 a + b as one signed halfword, and the sum of b * x. Their
// difference is exactly 256 * the sum of a * x if that fits 32 bits. It does for 508 columns of any
// contents.
#define SLUICE_PACKED_ROWS(a0, b0, a1, b1)                                   \
  "ldrd r4, r5, [r0], #8\n"                                                  \
  "smlad " a0 ", r4, r3, " a0 "\n uxtb16 r4, r4\n smlad " b0 ", r4, r3, " b0 \
  "\n"                                                                       \
  "smlad " a1 ", r5, r3, " a1 "\n uxtb16 r5, r5\n smlad " b1 ", r5, r3, " b1 "\n"
#define SLUICE_PACKED_COLUMNS                                       \
  "ldr r3, [r1], #4\n" SLUICE_PACKED_ROWS("r6", "r10", "r7", "r11") \
      SLUICE_PACKED_ROWS("r8", "r12", "r9", "lr")
#define SLUICE_PACKED_END(a, b) "sub " a ", " a ", " b "\n add r4, r4, " a ", asr #8\n"

/// For int8 x and at most 508 columns, a multiple of 4.
__attribute__((noinline)) void packed_panel(const PanelProduct& product) {
  SLUICE_PANEL(
      // Bytes of x: 8 for 4 columns. An odd number of fours begins in the middle of the loop.
      "subs r3, r2, r1\n"
      "lsls r3, r3, #28\n"
      "bne 2f\n"
      "1:\n" SLUICE_PACKED_COLUMNS SLUICE_PACKED_COLUMNS
      "2:\n" SLUICE_PACKED_COLUMNS SLUICE_PACKED_COLUMNS
      "cmp r1, r2\n"
      "bne 1b\n",
      SLUICE_PACKED_END);
}
constexpr int packed_columns = 508;

#define SLUICE_WIDE_ROWS(a, b)                                         \
  "ldr r4, [r0], #4\n sxtb16 r5, r4, ror #8\n smlad " a ", r5, r3, " a \
  "\n uxtb16 r4, r4\n smlad " b ", r4, r3, " b "\n"
#define SLUICE_WIDE_COLUMNS                                                        \
  "ldr r3, [r1], #4\n" SLUICE_WIDE_ROWS("r6", "r10") SLUICE_WIDE_ROWS("r7", "r11") \
      SLUICE_WIDE_ROWS("r8", "r12") SLUICE_WIDE_ROWS("r9", "lr")
/// For any x.
__attribute__((noinline)) void wide_panel(const PanelProduct& product) {
  SLUICE_PANEL("1:\n" SLUICE_WIDE_COLUMNS SLUICE_WIDE_COLUMNS
               "cmp r1, r2\n"
               "bne 1b\n",
               SLUICE_PLAIN_END);
}

/// For int8 x and any number of columns.
__attribute__((noinline)) void long_panel(const PanelProduct& product) {
  PanelProduct part = product;
  for (int left = int(product.end - product.x); left > 0; left -= packed_columns) {
    part.end = part.x + (left < packed_columns ? left : packed_columns);
    packed_panel(part);
    part.x = part.end, part.w += packed_columns * panel_rows;
    part.init = part.y, part.correction = 0;
  }
}

using PanelFunction = void (*)(const PanelProduct&);
inline PanelFunction panel_function(int columns, bool narrow) {
  return !narrow ? wide_panel : columns <= packed_columns ? packed_panel : long_panel;
}

#else

// Without DSP instructions there is one multiplication at a time.
#define SLUICE_BYTE_ROWS(at_b, at_a, a, b)                                                   \
  "ldrsb r4, [r0, #" at_a "]\n ldrb r5, [r0, #" at_b "]\n mla " a ", r4, r3, " a "\n mla " b \
  ", r5, r3, " b "\n"
#define SLUICE_BYTE_COLUMN(b0, a0, b1, a1, b2, a2, b3, a3)                        \
  "ldrsh r3, [r1], #2\n" SLUICE_BYTE_ROWS(b0, a0, "r6", "r10")                    \
      SLUICE_BYTE_ROWS(b1, a1, "r7", "r11") SLUICE_BYTE_ROWS(b2, a2, "r8", "r12") \
          SLUICE_BYTE_ROWS(b3, a3, "r9", "lr")

/// For any x.
__attribute__((noinline)) void byte_panel(const PanelProduct& product) {
  SLUICE_PANEL("1:\n"
              SLUICE_BYTE_COLUMN("0", "1", "4", "5", "8", "9", "12", "13")
              SLUICE_BYTE_COLUMN("2", "3", "6", "7", "10", "11", "14", "15")
              SLUICE_BYTE_COLUMN("16", "17", "20", "21", "24", "25", "28", "29")
              SLUICE_BYTE_COLUMN("18", "19", "22", "23", "26", "27", "30", "31")
              "add r0, r0, #32\n"
              "cmp r1, r2\n"
              "bne 1b\n",
              SLUICE_PLAIN_END);
}

using PanelFunction = void (*)(const PanelProduct&);
inline PanelFunction panel_function(int, bool) { return byte_panel; }

#endif
#else

/// For any x. ARMv6-M has eight registers to work with, so it computes a pair of rows at a time.
__attribute__((noinline)) void pair_panel(const PanelProduct& product) {
  for (int p = 0; p < panel_rows / 2; ++p) {
    const uint8_t* w = product.w + 4 * p;
    uint32_t a = 0, b = 0;
    for (const int16_t* x = product.x; x != product.end; x += 2, w += 2 * panel_rows) {
      const uint32_t first = uint32_t(int32_t(x[0])), second = uint32_t(int32_t(x[1]));
      b += w[0] * first;
      a += uint32_t(int32_t(int8_t(w[1]))) * first;
      b += w[2] * second;
      a += uint32_t(int32_t(int8_t(w[3]))) * second;
    }
    product.y[2 * p] = int32_t(uint32_t(product.init[2 * p]) + a);
    product.y[2 * p + 1] =
        int32_t(uint32_t(product.init[2 * p + 1]) + b - uint32_t(product.correction));
  }
}

using PanelFunction = void (*)(const PanelProduct&);
inline PanelFunction panel_function(int, bool) { return pair_panel; }

#endif

/// Writes the right side of a product: int16 [side_length(n)], zeros behind n, then 128 * its sum.
template <class Number>
inline void widen(const void* x, int n, void* to, Number number) {
  int16_t* const v = static_cast<int16_t*>(to);
  const int length = side_length(n);
  uint32_t sum = 0;
  for (int i = 0; i < n; ++i) {
    v[i] = int16_t(number(x, i));
    sum += uint32_t(int32_t(v[i]));
  }
  for (int i = n; i < length; ++i) v[i] = 0;
  const uint32_t correction = sum << 7;
  memcpy(v + length, &correction, sizeof correction);
}

#if defined(__ARM_FEATURE_DSP)
/// Adds a block of a sparse matrix two columns at a time: 0 and 2, then 1 and 3.
struct CortexDot : PlainDot {
  static Sum add(Sum sum, const int8_t* w, const int16_t* x, int) {
    const uint32_t first = from_bytes<uint32_t>(x), second = from_bytes<uint32_t>(x + 2);
    const int16x2_t even = int16x2_t((first & 0xFFFF) | second << 16),
                    odd = int16x2_t(first >> 16 | (second & 0xFFFF0000));
    SLUICE_UNROLL
    for (int row = 0; row < 8; ++row) {
      const uint32_t four = from_bytes<uint32_t>(w + 4 * row);
      const int32_t half = __smlad(__sxtb16(four), even, int32_t(sum.row[row]));
      sum.row[row] = uint32_t(__smlad(__sxtb16(four >> 8 | four << 24), odd, half));
    }
    return sum;
  }
};
#else
using CortexDot = PlainDot;
#endif

template <bool Narrow>
struct CortexFormat {
  using Sparse = OneByOne<CortexDot, false>;
  using Number = int16_t;
  static void frame(const void* x, int n, void* to, bool = false) {
    if (Narrow)
      widen(x, n, to, [](const void* p, int i) { return int(static_cast<const int8_t*>(p)[i]); });
    else
      widen(x, n, to, [](const void* p, int i) { return int(static_cast<const int16_t*>(p)[i]); });
  }
  static void state(const int16_t* h, int n, void* to, bool = false) {
    if (!Narrow) return frame(h, n, to);
    widen(h, n, to,
          [](const void* p, int i) { return narrowed(static_cast<const int16_t*>(p)[i]); });
  }
  template <int Panels>
  static void products(const FixedMatrix& m, int panel, int apart, const void* side, int32_t* y,
                       int stride) {
    const int columns = blocked(m.cols);
    const int16_t* const x = static_cast<const int16_t*>(side);
    const size_t first = size_t(panel) * panel_rows, next = size_t(apart) * panel_rows;
    PanelProduct product{static_cast<const uint8_t*>(m.w) + first * size_t(columns),
                         x,
                         x + columns,
                         m.bias + first,
                         y,
                         0};
    memcpy(&product.correction, x + side_length(m.cols), sizeof product.correction);
    const PanelFunction run = panel_function(columns, Narrow);
    for (int p = 0; p < Panels; ++p) {
      run(product);
      product.w += next * size_t(columns), product.init += next, product.y += stride;
    }
  }
};

using CortexQ8 = CortexFormat<true>;
using CortexQ16 = CortexFormat<false>;

}  // namespace
}  // namespace sluice

#endif
