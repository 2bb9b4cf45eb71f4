// Products in fixed point, for weights in the canonical order. An instruction set supplies its Dot
// (dots.h), which adds up a block of 8 rows x 4 columns.
#ifndef SLUICE_FIXED_PRODUCT_H
#define SLUICE_FIXED_PRODUCT_H

#include <string.h>

#include "../kernels.h"
#include "../lanes/one.h"
#include "side.h"

namespace sluice {
namespace {

/// Computes the accumulators of `Panels` panels, `apart` panels from one another, over all columns:
/// y[p * stride + row].
template <class Format, int Panels>
inline void panel_products(const FixedMatrix& m, int panel, int apart, const void* side, int32_t* y,
                           int stride) {
  using Dot = typename Format::Dot;
  if constexpr (Panels > 1 && !Dot::shares_sides) {
    for (int p = 0; p < Panels; ++p)
      panel_products<Format, 1>(m, panel + p * apart, 0, side, y + p * stride, stride);
    return;
  }
  const int blocks = blocked(m.cols) / block_cols, length = side_length(m.cols);
  const auto* const x = static_cast<const typename Format::Number*>(side);
  const int8_t* w[Panels];
  typename Dot::Sum sum[Panels];
  SLUICE_UNROLL
  for (int p = 0; p < Panels; ++p) {
    w[p] =
        static_cast<const int8_t*>(m.w) + size_t(panel + p * apart) * size_t(blocks) * block_bytes;
    sum[p] = Dot::zero();
  }
  const auto add = [&](int b) SLUICE_INLINE {
    SLUICE_UNROLL
    for (int p = 0; p < Panels; ++p)
      sum[p] = Dot::add(sum[p], w[p] + b * block_bytes, x + b * block_cols, length);
  };
  int b = 0;
  for (; b + 2 * Dot::blocks <= blocks; b += 2 * Dot::blocks) add(b), add(b + Dot::blocks);
  if (b + Dot::blocks <= blocks) add(b), b += Dot::blocks;
  if constexpr (Dot::blocks > 1) {
    SLUICE_UNROLL
    for (int p = 0; p < Panels && b < blocks; ++p)
      sum[p] = Dot::add_one(sum[p], w[p] + b * block_bytes, x + b * block_cols, length);
  }
  int32_t missing = 0;
  if constexpr (Dot::splits_signs) memcpy(&missing, x + 2 * length, sizeof missing);
  SLUICE_UNROLL
  for (int p = 0; p < Panels; ++p)
    Dot::store(sum[p], missing, m.bias + (panel + p * apart) * panel_rows, y + p * stride);
}

/// The format int8 on hosts, by the Dot of an instruction set.
template <class D>
struct HostQ8 {
  using Dot = D;
  using Sparse = typename D::Sparse;
  using Number = int8_t;
  static void frame(const void* x, int n, void* to, bool sparse) {
    const auto* const from = static_cast<const int8_t*>(x);
    if (sparse) return void(Sparse::take(from, n, static_cast<int8_t*>(to), side_length(n)));
    finish(Dot::take(from, n, static_cast<int8_t*>(to), side_length(n)), n, to);
  }
  static void state(const int16_t* h, int n, void* to, bool sparse) {
    if (sparse) return void(Sparse::narrow(h, n, static_cast<int8_t*>(to), side_length(n)));
    finish(Dot::narrow(h, n, static_cast<int8_t*>(to), side_length(n)), n, to);
  }
  /// Stores the number that is missing from every row behind the numbers.
  static void finish(int32_t missing, int n, void* side) {
    if constexpr (Dot::splits_signs)
      memcpy(static_cast<int8_t*>(side) + 2 * side_length(n), &missing, sizeof missing);
  }
  template <int Panels>
  static void products(const FixedMatrix& m, int panel, int apart, const void* side, int32_t* y,
                       int stride) {
    panel_products<HostQ8, Panels>(m, panel, apart, side, y, stride);
  }
};

/// The format w8a16 on hosts, by the Dot of an instruction set.
template <class D>
struct HostQ16 {
  using Dot = D;
  using Sparse = OneByOne<D>;
  using Number = int16_t;
  static void frame(const void* x, int n, void* to, bool) {
    memcpy(to, x, size_t(n) * sizeof(int16_t));
    pad(static_cast<int16_t*>(to), n, side_length(n));
  }
  static void state(const int16_t* h, int n, void* to, bool) {
    int16_t* const x = static_cast<int16_t*>(to);
    for (int i = 0; i < n; i += panel_rows)  // in the width in which h was stored
      memcpy(x + i, h + i, panel_rows * sizeof(int16_t));
    pad(x, n, side_length(n));
  }
  template <int Panels>
  static void products(const FixedMatrix& m, int panel, int apart, const void* side, int32_t* y,
                       int stride) {
    panel_products<HostQ16, Panels>(m, panel, apart, side, y, stride);
  }
};

}  // namespace
}  // namespace sluice

#endif
