// Products in fixed point with a sparse matrix, which add up only the stored blocks. The code is
// the same on hosts and on Cortex-M; each has a Dot of its own.
#ifndef SLUICE_FIXED_SPARSE_H
#define SLUICE_FIXED_SPARSE_H

#include "../kernels.h"
#include "side.h"

namespace sluice {
namespace {

/// Computes the accumulators of `count` panels from `panel` on, for each of `gates` gates, which
/// are `apart` panels from one another: y[gate * stride + row]. Panels are computed in the order of
/// their blocks in memory, so that the blocks are read as one stream.
template <class Format>
void sparse_products(const FixedMatrix& m, int panel, int count, int gates, int apart,
                     const void* side, int32_t* y, int stride) {
  using Dot = typename Format::Sparse;
  const auto* const x = static_cast<const typename Format::Number*>(side);
  const int length = side_length(m.cols);
  const SparseMatrix w(m.w, m.rows / panel_rows);
  for (int gate = 0; gate < gates; ++gate, panel += apart, y += stride) {
    const uint16_t* column = w.columns + w.begin(panel);
    const int8_t* at = w.blocks + size_t(w.begin(panel)) * block_bytes;
    for (int p = 0; p < count; ++p) {
      const uint16_t* const end = w.columns + w.ends[panel + p];
      auto sum = Dot::start(m.bias + (panel + p) * panel_rows);
      const auto add = [&](int b) SLUICE_INLINE {
        sum = Dot::add_one(sum, at + b * block_bytes, x + size_t(column[b]) * block_cols, length);
      };
      if constexpr (Dot::unrolls) {
        for (; end - column >= 4; column += 4, at += 4 * block_bytes)
          add(0), add(1), add(2), add(3);
        if (end - column >= 2) add(0), add(1), column += 2, at += 2 * block_bytes;
        if (column < end) add(0), ++column, at += block_bytes;
      } else {
        for (; column < end; ++column, at += block_bytes) add(0);
      }
      Dot::finish(sum, y + p * panel_rows);
    }
  }
}

}  // namespace
}  // namespace sluice

#endif
