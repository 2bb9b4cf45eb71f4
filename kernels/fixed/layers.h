// A step of each cell and of a Dense in fixed point. It computes as many units at a time as have
// room for their accumulators on the stack.
#ifndef SLUICE_FIXED_LAYERS_H
#define SLUICE_FIXED_LAYERS_H

#include "gates.h"
#include "sparse.h"

namespace sluice {
namespace {

/// Prepares the right side of a product with the matrix.
template <class Format>
inline void fill_side(const FixedMatrix& m, const void* x, bool frame, void* to) {
  if (frame) return Format::frame(x, m.cols, to, is_sparse(m));
  Format::state(static_cast<const int16_t*>(x), m.cols, to, is_sparse(m));
}

/// Computes the accumulators of `count` panels from `panel` on, for each of `Gates` gates, which
/// are `apart` panels from one another: y[gate * stride + row].
template <class Format, int Gates>
inline void products(const FixedMatrix& m, int panel, int count, int apart, const void* side,
                     int32_t* y, int stride) {
  if (is_sparse(m)) return sparse_products<Format>(m, panel, count, Gates, apart, side, y, stride);
  for (int p = 0; p < count; ++p)
    Format::template products<Gates>(m, panel + p, apart, side, y + p * panel_rows, stride);
}

/// Returns how many units a chunk that begins at `first` has.
template <class Set>
inline int chunk_of(int units, int first) {
  constexpr int chunk = Set::units_at_once;
  return chunk == panel_rows || units - first > chunk ? chunk : units - first;
}

/// Computes a step of a cell whose products all read the state before the step.
template <class Set, class Format, class Cell>
void cell_fixed(const Cell& step) {
  const Cell s = step;
  constexpr int chunk = Set::units_at_once, gates = Cell::gates;
  void* const x = s.scratch;
  void* const h = static_cast<char*>(s.scratch) + side_bytes(s.ih.cols);
  fill_side<Format>(s.ih, s.x, s.frame, x);
  Format::state(s.product_state, s.hh.cols, h, is_sparse(s.hh));
  const int gate_panels = s.units / panel_rows;
  for (int first = 0; first < s.units; first += chunk) {
    const int n = chunk_of<Set>(s.units, first);
    int32_t x_sums[gates * chunk], h_sums[gates * chunk];
    products<Format, gates>(s.ih, first / panel_rows, n / panel_rows, gate_panels, x, x_sums,
                            chunk);
    products<Format, gates>(s.hh, first / panel_rows, n / panel_rows, gate_panels, h, h_sums,
                            chunk);
    fixed_gates<Set>(s, {x_sums, h_sums, chunk, first, size_t(n)});
  }
}

/// Computes a Dense for one frame.
template <class Set, class Format>
void dense_fixed(const FixedDense& call) {
  const FixedDense s = call;
  fill_side<Format>(s.matrix, s.x, s.frame, s.scratch);
  for (int row = 0; row < s.matrix.rows; row += panel_rows) {
    int32_t sums[panel_rows];
    products<Format, 1>(s.matrix, row / panel_rows, 1, 0, s.scratch, sums, 0);
    fixed_activation<Set>(s.activation, sums, s.matrix.m + row, s.matrix.shift, s.y + row,
                          panel_rows);
  }
}

/// Computes a step of a GRU that resets before: r and z of all units, then the candidate's product,
/// which reads r * h instead of the state.
template <class Set, class Format, class Step>
void gru_before_fixed(const Step& step) {
  const Step s = step;
  constexpr int chunk = Set::units_at_once;
  void* const x = s.scratch;
  char* const side = static_cast<char*>(s.scratch) + side_bytes(s.ih.cols);
  int16_t* const reset = reinterpret_cast<int16_t*>(side + side_bytes(s.hh.cols));
  int16_t* const z = reset + s.units;
  fill_side<Format>(s.ih, s.x, s.frame, x);
  fill_side<Format>(s.hh, s.product_state, false, side);
  const int gate_panels = s.units / panel_rows;
  int32_t x_sums[2 * chunk], h_sums[2 * chunk];
  for (int first = 0; first < s.units; first += chunk) {
    const int n = chunk_of<Set>(s.units, first);
    products<Format, 2>(s.ih, first / panel_rows, n / panel_rows, gate_panels, x, x_sums, chunk);
    products<Format, 2>(s.hh, first / panel_rows, n / panel_rows, gate_panels, side, h_sums, chunk);
    fixed_reset<Set>(s, {x_sums, h_sums, chunk, first, size_t(n)}, reset + first, z + first);
  }
  const int16_t* product = reset;
  if (s.factor.rows) {
    int16_t* const y = z + s.units;
    dense_fixed<Set, Format>({s.factor, reset, false, Activation::linear, y, y + s.factor.rows});
    product = y;
  }
  fill_side<Format>(s.hn, product, false, side);
  FixedMatrix in = s.ih;  // the candidate's rows
  in.m += 2 * s.units;
  for (int first = 0; first < s.units; first += chunk) {
    const int n = chunk_of<Set>(s.units, first);
    products<Format, 1>(s.ih, first / panel_rows + 2 * gate_panels, n / panel_rows, 0, x, x_sums,
                        chunk);
    products<Format, 1>(s.hn, first / panel_rows, n / panel_rows, 0, side, h_sums, chunk);
    fixed_update<Set>(s, in, {x_sums, h_sums, chunk, first, size_t(n)}, z + first);
  }
}

template <class Set>
void gru_q8(const FixedGru& s) {
  cell_fixed<Set, typename Set::Q8>(s);
}
template <class Set>
void gru_q16(const FixedGru& s) {
  cell_fixed<Set, typename Set::Q16>(s);
}
template <class Set>
void gru_before_q8(const FixedGruBefore& s) {
  gru_before_fixed<Set, typename Set::Q8>(s);
}
template <class Set>
void gru_before_q16(const FixedGruBefore& s) {
  gru_before_fixed<Set, typename Set::Q16>(s);
}
template <class Set>
void lstm_q8(const FixedLstm& s) {
  cell_fixed<Set, typename Set::Q8>(s);
}
template <class Set>
void lstm_q16(const FixedLstm& s) {
  cell_fixed<Set, typename Set::Q16>(s);
}
template <class Set>
void rnn_q8(const FixedRnn& s) {
  cell_fixed<Set, typename Set::Q8>(s);
}
template <class Set>
void rnn_q16(const FixedRnn& s) {
  cell_fixed<Set, typename Set::Q16>(s);
}
template <class Set>
void fastgrnn_q8(const FixedFastGrnn& s) {
  cell_fixed<Set, typename Set::Q8>(s);
}
template <class Set>
void fastgrnn_q16(const FixedFastGrnn& s) {
  cell_fixed<Set, typename Set::Q16>(s);
}
template <class Set>
void dense_q8(const FixedDense& s) {
  dense_fixed<Set, typename Set::Q8>(s);
}
template <class Set>
void dense_q16(const FixedDense& s) {
  dense_fixed<Set, typename Set::Q16>(s);
}

}  // namespace
}  // namespace sluice

#endif
