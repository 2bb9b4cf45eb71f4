// One step of a GRU (reset-after) for one stream: both products of a tile of rows in one function,
// then the gates. For small layers, a step's time is mostly the overhead of calling kernels.
#ifndef SLUICE_F32_STEP_H
#define SLUICE_F32_STEP_H

#include "gates.h"
#include "product.h"

namespace sluice {
namespace {

/// Rows of all three gates. Every pointer is at the tile's first row, except `g`: it is offset so
/// that it is right for rows of the candidate.
struct StepTile {
  const float *w_ih, *w_hh;
  ptrdiff_t w_step;  ///< from k to k + 1, of both
  const float *b_ih, *b_hh;
  float *a, *g;
  int candidate;  ///< vectors before the first one of the candidate
};

/// Negative zeros. Adding one changes no number, not even the sign of a zero.
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
    SLUICE_UNROLL for (int r = 0; r < R; ++r) sum[r] =
        fma(Make<V>::load(w + r * V::width), column, sum[r]);
  }
}

/// Computes a tile. Rows of the candidate leave g_x in a and g_h in g. A tile may have rows of
/// gates and rows of the candidate: then we choose between pointers instead of values, so that the
/// sums stay in registers.
template <class V, int R>
void run_step_tile(const StepTile& tile, const GruStep& s) {
  using M = Make<V>;
  const StepTile t = tile;
  V sum[R];
  if (s.x) {
    SLUICE_UNROLL for (int r = 0; r < R; ++r) sum[r] =
        M::load(t.b_ih + r * V::width) +
        M::load((r < t.candidate ? t.b_hh : negative_zeros.row) + r * V::width);
    run_chains(sum, t.w_ih, t.w_step, s.x, s.in);
    SLUICE_UNROLL for (int r = 0; r < R; ++r) store(t.a + r * V::width, sum[r]);
  }
  SLUICE_UNROLL for (int r = 0; r < R; ++r) sum[r] =
      M::load((r < t.candidate ? t.a : t.b_hh) + r * V::width);
  run_chains(sum, t.w_hh, t.w_step, s.h, s.units);
  SLUICE_UNROLL for (int r = 0; r < R; ++r)
      store((r < t.candidate ? t.a : t.g) + r * V::width, sum[r]);
}

using RunStepTile = void (*)(const StepTile&, const GruStep&);

/// run[r - 1] is run_step_tile<V, r>.
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

/// Computes the strip that begins at row `strip`.
template <class V>
inline void run_step_strip(const GruStep& s, int strip, int rows) {
  int vectors = rows / V::width;
  for (int row = strip; vectors > 0;) {
    const int r = even_part(vectors, V::accumulators);
    StepTile tile;
    tile.w_ih = static_cast<const float*>(s.w_ih) + ptrdiff_t(strip) * s.in + (row - strip);
    tile.w_hh = static_cast<const float*>(s.w_hh) + ptrdiff_t(strip) * s.units + (row - strip);
    tile.w_step = rows;
    tile.b_ih = s.b_ih + row, tile.b_hh = s.b_hh + row;
    tile.a = s.a + row;
    tile.g = s.g + (row - 2 * s.hidden);
    tile.candidate = (2 * s.hidden - row) / V::width;
    step_tiles<V>.run[r - 1](tile, s);
    vectors -= r;
    row += r * V::width;
  }
}

/// Computes a step of a layer whose chains all fit the registers, U vectors a gate. They stay there
/// until the new state is stored.
template <class V, int U>
void run_small_step(const GruStep& step) {
  using M = Make<V>;
  const GruStep s = step;
  constexpr int rows = 3 * U * V::width;
  V sum[3 * U], g_x[U];
  if (s.x) {
    SLUICE_UNROLL for (int r = 0; r < 2 * U; ++r) sum[r] =
        M::load(s.b_ih + r * V::width) + M::load(s.b_hh + r * V::width);
    SLUICE_UNROLL for (int r = 2 * U; r < 3 * U; ++r) sum[r] = M::load(s.b_ih + r * V::width);
    run_chains(sum, static_cast<const float*>(s.w_ih), rows, s.x, s.in);
  } else {
    SLUICE_UNROLL for (int r = 0; r < 3 * U; ++r) sum[r] = M::load(s.a + r * V::width);
  }
  SLUICE_UNROLL for (int u = 0; u < U; ++u) {
    g_x[u] = sum[2 * U + u];
    sum[2 * U + u] = M::load(s.b_hh + (2 * U + u) * V::width);
  }
  run_chains(sum, static_cast<const float*>(s.w_hh), rows, s.h, s.units);
  SLUICE_UNROLL for (int r = 0; r < 2 * U; ++r) sum[r] = sigmoid(sum[r]);
  SLUICE_UNROLL for (int u = 0; u < U; ++u) {
    const V n = tanh(fma(sum[u], sum[2 * U + u], g_x[u]));
    store(s.h_next + u * V::width, fma(sum[U + u], M::load(s.h + u * V::width) - n, n));
  }
}

using RunStep = void (*)(const GruStep&);

/// run[u] is run_small_step<V, u> if u vectors are whole panels and three times as many fit the
/// registers; else it is null.
template <class V>
struct SmallSteps {
  static constexpr int most = V::accumulators / 3;
  RunStep run[most + 1] = {};
  constexpr SmallSteps() { fill<1>(); }

 private:
  template <int U>
  constexpr void fill() {
    if constexpr (U * V::width % panel_rows == 0 && 3 * U * V::width <= strip_rows)
      run[U] = run_small_step<V, U>;
    if constexpr (U < most) fill<U + 1>();
  }
};

template <class V>
constexpr SmallSteps<V> small_steps;

/// Computes the step if the layer is small enough; returns whether it did.
template <class V>
inline bool step_in_registers(const GruStep& s) {
  const int u = s.hidden / V::width;
  if (u > SmallSteps<V>::most || !small_steps<V>.run[u]) return false;
  small_steps<V>.run[u](s);
  return true;
}

template <class Set>
void gru_step_f32(const GruStep& s) {
  using Wide = typename Set::Wide;
  using Half = typename Set::Half;
  const bool sigmoid = s.gate.kind == Activation::sigmoid;
  if (sigmoid &&
      (s.hidden % Wide::width == 0 ? step_in_registers<Wide>(s) : step_in_registers<Half>(s)))
    return;
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
  run_gates<Set>(s.gate, s.a, s.a + 2 * s.hidden, s.g, s.a + 2 * s.hidden, s.h, s.h_next, s.hidden);
}

}  // namespace
}  // namespace sluice

#endif
