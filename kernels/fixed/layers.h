// A step of a GRU and of a Dense in fixed point: so many units at a time that their accumulators fit on the stack.
#ifndef SLUICE_FIXED_LAYERS_H
#define SLUICE_FIXED_LAYERS_H

#include "gates.h"
#include "sparse.h"

namespace sluice {
namespace {

/// What enters a product with the matrix, as the product wants it.
template <class Format>
inline void fill_side(const FixedMatrix& m, const void* x, bool frame, void* to) {
  if (frame) return Format::frame(x, m.cols, to, is_sparse(m));
  Format::state(static_cast<const int16_t*>(x), m.cols, to, is_sparse(m));
}

/// The accumulators of `count` panels from `panel` on, for each of `Gates` that lie `apart` panels: y[gate * stride + row].
template <class Format, int Gates>
inline void products(const FixedMatrix& m, int panel, int count, int apart, const void* side, int32_t* y, int stride) {
  if (is_sparse(m)) return sparse_products<Format>(m, panel, count, Gates, apart, side, y, stride);
  for (int p = 0; p < count; ++p) Format::template products<Gates>(m, panel + p, apart, side, y + p * panel_rows, stride);
}

template <class Set, class Format>
void gru_fixed(const FixedGru& step) {
  const FixedGru s = step;
  constexpr int chunk = Set::units_at_once;
  void* const x = s.scratch;
  void* const h = static_cast<char*>(s.scratch) + side_bytes(s.ih.cols);
  fill_side<Format>(s.ih, s.x, s.frame, x);
  Format::state(s.h, s.hh.cols, h, is_sparse(s.hh));
  const int gate_panels = s.units / panel_rows;
  for (int first = 0; first < s.units; first += chunk) {
    const int n = chunk == panel_rows || s.units - first > chunk ? chunk : s.units - first;
    int32_t x_sums[3 * chunk], h_sums[3 * chunk];
    products<Format, 3>(s.ih, first / panel_rows, n / panel_rows, gate_panels, x, x_sums, chunk);
    products<Format, 3>(s.hh, first / panel_rows, n / panel_rows, gate_panels, h, h_sums, chunk);
    fixed_gates<Set>(s, {x_sums, h_sums, chunk, first, size_t(n)});
  }
}

template <class Set, class Format>
void dense_fixed(const FixedDense& call) {
  const FixedDense s = call;
  fill_side<Format>(s.matrix, s.x, s.frame, s.scratch);
  for (int row = 0; row < s.matrix.rows; row += panel_rows) {
    int32_t sums[panel_rows];
    products<Format, 1>(s.matrix, row / panel_rows, 1, 0, s.scratch, sums, 0);
    fixed_activation<Set>(s.activation, sums, s.matrix.m + row, s.matrix.shift, s.y + row, panel_rows);
  }
}

template <class Set>
void gru_q8(const FixedGru& s) { gru_fixed<Set, typename Set::Q8>(s); }
template <class Set>
void gru_q16(const FixedGru& s) { gru_fixed<Set, typename Set::Q16>(s); }
template <class Set>
void dense_q8(const FixedDense& s) { dense_fixed<Set, typename Set::Q8>(s); }
template <class Set>
void dense_q16(const FixedDense& s) { dense_fixed<Set, typename Set::Q16>(s); }

}  // namespace
}  // namespace sluice

#endif
