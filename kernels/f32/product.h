// The product of a matrix and columns. A tile keeps R vectors of rows times C columns in registers
// and loops over k once. A strip is cut into tiles of nearly equal size.
#ifndef SLUICE_F32_PRODUCT_H
#define SLUICE_F32_PRODUCT_H

#include "../kernels.h"
#include "../lanes/one.h"

namespace sluice {
namespace {

/// The operands of a tile: pointers to its first row and column.
struct Tile {
  const float* w;
  ptrdiff_t w_step;  ///< from k to k + 1
  int cols;
  const float* x;
  ptrdiff_t x_stride, x_step;
  const float* init;
  ptrdiff_t init_stride;
  float* y;
  ptrdiff_t y_stride;
};

/// Prefetches a tile's rows 16 steps of k ahead. They are a part of each line of the strip, a
/// pattern that the CPU's own prefetcher does not follow beyond the second level of cache: at 256
/// units this is 1.1 times as fast. A single column is not prefetched, because it is bound by the
/// loads.
template <class V, int R, int C>
inline void prefetch_rows(const float* w, ptrdiff_t w_step) {
  if constexpr (C > 2 && V::width >= 8)
    SLUICE_UNROLL for (int r = 0; r < R * V::width; r += 16)
        __builtin_prefetch(w + 16 * w_step + r);
}

template <class V, int R, int C>
void run_tile(const Tile& tile) {
  using M = Make<V>;
  const Tile t = tile;
  V sum[C][R];
  SLUICE_UNROLL for (int c = 0; c < C; ++c) SLUICE_UNROLL for (int r = 0; r < R; ++r) sum[c][r] =
      M::load(t.init + c * t.init_stride + r * V::width);
  const float* w = t.w;
  const float* x = t.x;
  for (int k = 0; k < t.cols; ++k, w += t.w_step, x += t.x_step) {
    prefetch_rows<V, R, C>(w, t.w_step);
    V rows[R];
    if constexpr (C > 1)
      SLUICE_UNROLL for (int r = 0; r < R; ++r) rows[r] = M::load(w + r * V::width);
    SLUICE_UNROLL for (int c = 0; c < C; ++c) {
      const V column = M::set(x[c * t.x_stride]);
      SLUICE_UNROLL for (int r = 0; r < R; ++r) sum[c][r] =
          fma(C > 1 ? rows[r] : M::load(w + r * V::width), column, sum[c][r]);
    }
  }
  SLUICE_UNROLL for (int c = 0; c < C; ++c) SLUICE_UNROLL for (int r = 0; r < R; ++r)
      store(t.y + c * t.y_stride + r * V::width, sum[c][r]);
}

constexpr int most_columns = 6;

using RunTile = void (*)(const Tile&);

/// The tiles of a lane type: run[r - 1][c - 1] computes r vectors of rows by c columns. It is null
/// if they do not fit the registers together.
template <class V>
struct Tiles {
  RunTile run[V::accumulators][most_columns] = {};
  constexpr Tiles() { fill<1, 1>(); }

 private:
  template <int R, int C>
  constexpr void fill() {
    run[R - 1][C - 1] = run_tile<V, R, C>;
    if constexpr (C < most_columns && R * (C + 1) <= V::accumulators) {
      fill<R, C + 1>();
    } else if constexpr (R < V::accumulators) {
      fill<R + 1, 1>();
    }
  }
};

template <class V>
constexpr Tiles<V> tiles;

/// Divides n evenly into as few parts of at most `most` as possible; returns the size of the first
/// part.
inline int even_part(int n, int most) {
  if (n <= most) return n;
  // `most` is 1 or more: a tile has no more vectors of rows than there are accumulators.
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero)
  const int parts = (n + most - 1) / most;
  return (n + parts - 1) / parts;
}

inline void next_columns(Tile& tile, int c) {
  tile.x += c * tile.x_stride, tile.init += c * tile.init_stride, tile.y += c * tile.y_stride;
}

inline void next_rows(Tile& tile, int rows) { tile.w += rows, tile.init += rows, tile.y += rows; }

/// Computes `vectors` vectors of rows of a strip, for all columns.
template <class V>
inline void run_rows(Tile rows, int vectors, int count) {
  constexpr int budget = V::accumulators;
  constexpr int most_rows[] = {budget, budget / 2, budget / 3, budget / 4};
  const int most = most_rows[(count < 4 ? count : 4) - 1];
  while (vectors > 0) {
    const int r = even_part(vectors, most);
    const auto& run = tiles<V>.run[r - 1];
    if (count == 1) {
      run[0](rows);
    } else {
      const int columns = budget / r < most_columns ? budget / r : most_columns;
      Tile tile = rows;
      for (int left = count; left > 0;) {
        const int c = even_part(left, columns);
        run[c - 1](tile);
        next_columns(tile, c);
        left -= c;
      }
    }
    vectors -= r;
    next_rows(rows, r * V::width);
  }
}

template <class Set>
void product_f32(const Matrix& m, const Product& p) {
  using Wide = typename Set::Wide;
  using Half = typename Set::Half;
  if (p.count < 1) return;
  const float* const w = static_cast<const float*>(m.w);
  for (int row = 0; row < m.rows; row += strip_rows) {
    const int rows = m.rows - row < strip_rows ? m.rows - row : strip_rows;
    Tile tile;
    tile.w = m.stride ? w + row : w + ptrdiff_t(row) * m.cols;
    tile.w_step = m.stride ? m.stride : rows;
    tile.cols = m.cols;
    tile.x = p.x.at, tile.x_stride = p.x.stride, tile.x_step = p.x_step;
    tile.init = p.init.at + row, tile.init_stride = p.init.stride;
    tile.y = p.y.at + row, tile.y_stride = p.y.stride;
    if constexpr (Wide::width <= panel_rows) {
      run_rows<Wide>(tile, rows / Wide::width, p.count);
    } else {
      // A single panel at the end would be one vector, with only one chain to compute at a time. So
      // a single column computes all rows in half vectors.
      const int wide = rows % Wide::width && p.count == 1 ? 0 : rows / Wide::width;
      run_rows<Wide>(tile, wide, p.count);
      const int done = wide * Wide::width;
      next_rows(tile, done);
      run_rows<Half>(tile, (rows - done) / Half::width, p.count);
    }
  }
}

}  // namespace
}  // namespace sluice

#endif
