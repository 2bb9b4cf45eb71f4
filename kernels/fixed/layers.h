// A step of a GRU and of a Dense in fixed point: so many units at a time that their accumulators fit on the stack.
#ifndef SLUICE_FIXED_LAYERS_H
#define SLUICE_FIXED_LAYERS_H

#include "gates.h"

namespace sluice {
namespace {

template <class Format>
inline void fill_side(const void* x, bool frame, int n, void* to) {
  if (frame) return Format::frame(x, n, to);
  Format::state(static_cast<const int16_t*>(x), n, to);
}

template <class Set, class Format>
void gru_fixed(const FixedGru& step) {
  const FixedGru s = step;
  constexpr int chunk = Set::units_at_once;
  void* const x = s.scratch;
  void* const h = static_cast<char*>(s.scratch) + side_bytes(s.ih.cols);
  fill_side<Format>(s.x, s.frame, s.ih.cols, x);
  Format::state(s.h, s.hh.cols, h);
  const int gate_panels = s.units / panel_rows;
  for (int first = 0; first < s.units; first += chunk) {
    const int n = chunk == panel_rows || s.units - first > chunk ? chunk : s.units - first;
    int32_t x_sums[3 * chunk], h_sums[3 * chunk];
    for (int i = 0; i < n; i += panel_rows) {
      const int panel = (first + i) / panel_rows;
      Format::template products<3>(s.ih, panel, gate_panels, x, x_sums + i, chunk);
      Format::template products<3>(s.hh, panel, gate_panels, h, h_sums + i, chunk);
    }
    fixed_gates<Set>(s, {x_sums, h_sums, chunk, first, size_t(n)});
  }
}

template <class Set, class Format>
void dense_fixed(const FixedDense& call) {
  const FixedDense s = call;
  fill_side<Format>(s.x, s.frame, s.matrix.cols, s.scratch);
  for (int row = 0; row < s.matrix.rows; row += panel_rows) {
    int32_t sums[panel_rows];
    Format::template products<1>(s.matrix, row / panel_rows, 0, s.scratch, sums, 0);
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
