// One frame of one stream of a GRU (reset-after): both products of a tile of rows in one go, then the gates. What a step of a small
// layer costs is mostly the way from kernel to kernel.
#ifndef SLUICE_F32_STEP_H
#define SLUICE_F32_STEP_H

#include "gates.h"
#include "product.h"

namespace sluice {
namespace {

/// Rows of all three gates; every pointer at the tile's first row, but `g`, which is right for rows of the candidate.
struct StepTile {
  const float *w_ih, *w_hh;
  ptrdiff_t w_step;          ///< from k to k + 1, of both
  const float *b_ih, *b_hh;
  float *a, *g;
  int candidate;             ///< vectors before the first one of the candidate
};

/// Adding it changes nothing, not even the sign of a zero.
alignas(64) constexpr struct NegativeZeros {
  float row[strip_rows];
  constexpr NegativeZeros() : row() {
    for (float& v : row) v = -0.0f;
  }
} negative_zeros;

template <class V, int R>
inline void run_chains(V (&sum)[R], const float* w, ptrdiff_t w_step, const float* x, int cols) {
  for (int k = 0; k < cols; ++k, w += w_step) {
    const V column = Make<V>::set(x[k]);
    for (int r = 0; r < R; ++r) sum[r] = fma(Make<V>::load(w + r * V::width), column, sum[r]);
  }
}

/// Rows of the candidate leave g_x in a and g_h in g. Where the two parts meet, pointers are chosen, not values: sums stay in registers.
template <class V, int R>
void run_step_tile(const StepTile& tile, const GruStep& s) {
  using M = Make<V>;
  const StepTile t = tile;
  V sum[R];
  if (s.x) {
    for (int r = 0; r < R; ++r)
      sum[r] = M::load(t.b_ih + r * V::width) + M::load((r < t.candidate ? t.b_hh : negative_zeros.row) + r * V::width);
    run_chains(sum, t.w_ih, t.w_step, s.x, s.w_ih.cols);
    for (int r = 0; r < R; ++r) store(t.a + r * V::width, sum[r]);
  }
  for (int r = 0; r < R; ++r) sum[r] = M::load((r < t.candidate ? t.a : t.b_hh) + r * V::width);
  run_chains(sum, t.w_hh, t.w_step, s.h, s.w_hh.cols);
  for (int r = 0; r < R; ++r) store((r < t.candidate ? t.a : t.g) + r * V::width, sum[r]);
}

using RunStepTile = void (*)(const StepTile&, const GruStep&);

/// run_step_tile<V, r> at [r - 1].
template <class V>
struct StepTiles {
  RunStepTile run[V::accumulators] = {};
  constexpr StepTiles() { fill<1>(); }

 private:
  template <int R>
  constexpr void fill() {
    run[R - 1] = run_step_tile<V, R>;
    if constexpr (R < V::accumulators) fill<R + 1>();
  }
};

template <class V>
constexpr StepTiles<V> step_tiles;

/// The strip that begins at row `strip`.
template <class V>
inline void run_step_strip(const GruStep& s, int strip, int rows) {
  int vectors = rows / V::width;
  for (int row = strip; vectors > 0;) {
    const int r = even_part(vectors, V::accumulators);
    const StepTile tile{static_cast<const float*>(s.w_ih.w) + ptrdiff_t(strip) * s.w_ih.cols + (row - strip),
                        static_cast<const float*>(s.w_hh.w) + ptrdiff_t(strip) * s.w_hh.cols + (row - strip),
                        rows,
                        s.b_ih + row, s.b_hh + row,
                        s.a + row, s.g + (row - 2 * s.hidden),
                        (2 * s.hidden - row) / V::width};
    step_tiles<V>.run[r - 1](tile, s);
    vectors -= r;
    row += r * V::width;
  }
}

template <class Set>
void gru_step_f32(const GruStep& s) {
  using Wide = typename Set::Wide;
  using Half = typename Set::Half;
  const int gates = 3 * s.hidden;
  for (int strip = 0; strip < gates; strip += strip_rows) {
    const int rows = gates - strip < strip_rows ? gates - strip : strip_rows;
    // A register of two panels must not hold the end of one gate and the beginning of the next.
    if (Wide::width > panel_rows && (rows % Wide::width || s.hidden % Wide::width)) {
      run_step_strip<Half>(s, strip, rows);
    } else {
      run_step_strip<Wide>(s, strip, rows);
    }
  }
  run_gates<Set>(s.a, s.a + 2 * s.hidden, s.g, s.a + 2 * s.hidden, s.h, s.h_next, s.hidden);
}

}  // namespace
}  // namespace sluice

#endif
