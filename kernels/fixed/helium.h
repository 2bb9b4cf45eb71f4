// Products in fixed point on Helium, for weights row by row. Four rows are computed at a time, with
// their sums in core registers. Every 16 (w8a16: 8) columns take one load of x and four of weights;
// the hardware loop predicates the last, shorter part. Loads that widen need their pointers in the
// low registers.
#ifndef SLUICE_FIXED_HELIUM_H
#define SLUICE_FIXED_HELIUM_H

#include <string.h>

#include <type_traits>

#include "../kernels.h"
#include "../lanes/helium_ints.h"
#include "dots.h"

namespace sluice {
namespace {

#define SLUICE_ROW(load, type, w, a) \
  load " %q[v], [%[" w "]], %[step]\n vmladava." type " %[" a "], %q[x], %q[v]\n"
#define SLUICE_ROWS(loop_start, load_x, load_w, type)                                            \
  asm volatile(                                                                                  \
      loop_start                                                                                 \
      " lr, %[columns]\n"                                                                        \
      "1:\n" load_x " %q[x], [%[at]], #16\n" SLUICE_ROW(load_w, type, "w0", "a0")                \
          SLUICE_ROW(load_w, type, "w1", "a1") SLUICE_ROW(load_w, type, "w2", "a2")              \
              SLUICE_ROW(load_w, type, "w3", "a3") "letp lr, 1b\n"                               \
      : [a0] "+Te"(a0), [a1] "+Te"(a1), [a2] "+Te"(a2), [a3] "+Te"(a3), [at] "+r"(x),            \
        [w0] "+l"(w0), [w1] "+l"(w1), [w2] "+l"(w2), [w3] "+l"(w3), [x] "=&w"(vx), [v] "=&w"(vw) \
      : [columns] "r"(columns), [step] "i"(step)                                                 \
      : "lr", "memory")

/// Computes y = bias + W x for four rows.
template <bool Narrow>
inline void four_rows(const int8_t* w0, int stride, const void* x, int columns, const int32_t* bias,
                      int32_t* y) {
  constexpr int step = Narrow ? 16 : 8;
  const int8_t *w1 = w0 + stride, *w2 = w1 + stride, *w3 = w2 + stride;
  int32_t a0 = bias[0], a1 = bias[1], a2 = bias[2], a3 = bias[3];
  int8x16_t vx, vw;
  if (Narrow)
    SLUICE_ROWS("dlstp.8", "vldrb.u8", "vldrb.u8", "s8");
  else
    SLUICE_ROWS("dlstp.16", "vldrh.u16", "vldrb.s16", "s16");
  y[0] = a0, y[1] = a1, y[2] = a2, y[3] = a3;
}

template <bool Narrow>
struct HeliumFormat {
  using Sparse = OneByOne<PlainDot, false>;
  using Number = std::conditional_t<Narrow, int8_t, int16_t>;
  /// Pads x if the matrix is sparse: its last block may be wider than x.
  static void finish(void* to, int n, bool sparse) {
    if (sparse) pad(static_cast<Number*>(to), n, blocked(n));
  }
  static void frame(const void* x, int n, void* to, bool sparse) {
    memcpy(to, x, size_t(n) * sizeof(Number));
    finish(to, n, sparse);
  }
  static void state(const int16_t* h, int n, void* to, bool sparse) {
    if (!Narrow) return frame(h, n, to, sparse);
    int8_t* x = static_cast<int8_t*>(to);
    for (int i = 0; i < n; i += 8) {  // the sum saturates, so its upper byte is at most 127
      const mve_pred16_t some = vctp16q(uint32_t(n - i));
      vstrbq_p_s16(x + i, vshrq_n_s16(vqaddq_n_s16(vldrhq_z_s16(h + i, some), 128), 8), some);
    }
    finish(to, n, sparse);
  }
  template <int Panels>
  static void products(const FixedMatrix& m, int panel, int apart, const void* side, int32_t* y,
                       int stride) {
    const int columns = blocked(m.cols), half = panel_rows / 2;
    for (int p = 0; p < Panels; ++p, panel += apart, y += stride) {
      const size_t row = size_t(panel) * panel_rows;
      const int8_t* const w = static_cast<const int8_t*>(m.w) + row * size_t(columns);
      four_rows<Narrow>(w, columns, side, m.cols, m.bias + row, y);
      four_rows<Narrow>(w + half * columns, columns, side, m.cols, m.bias + row + half, y + half);
    }
  }
};

}  // namespace
}  // namespace sluice

#endif
