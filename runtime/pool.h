// Pooling: the input is cut into equal parts, each of which holds rows of as many numbers as a part
// of the output has. Each number of the output is the largest one, the mean, or the root of the sum
// of squares of a column of these rows.
#ifndef SLUICE_POOL_H
#define SLUICE_POOL_H

#include "join.h"

namespace sluice {

/// Calls f(x, y) for each number y of the output, with x the first number of its column, and
/// returns the distance from row to row.
struct PoolShape {
  int parts, rows, columns;
  explicit PoolShape(const LayerRecord& layer)
      : parts(layer.parts), rows(int(layer.in / layer.out)), columns(int(layer.out) / parts) {}

  template <class Number, class F>
  void each(const Number* x, F f) const {
    for (int part = 0; part < parts; ++part, x += ptrdiff_t(rows) * columns)
      for (int i = 0; i < columns; ++i) f(x + i, part * columns + i);
  }
};

template <uint8_t own_kind>
struct FloatPool {
  static void step(const StepCall& call) {
    const PoolShape shape(call.layer);
    auto* const y = static_cast<float*>(call.y);
    shape.each(static_cast<const float*>(call.x),
               [&](const float* x, int i) { y[i] = pooled(x, shape.rows, shape.columns); });
  }
  static size_t scratch(const LayerRecord&) { return 0; }

  /// Adds in the order of the rows.
  static float pooled(const float* x, int rows, int stride) {
    float result = own_kind == SLUICE_NORM_POOL ? x[0] * x[0] : x[0];
    for (int row = 1; row < rows; ++row) {
      const float v = x[ptrdiff_t(row) * stride];
      if (own_kind == SLUICE_MAX_POOL)
        result = result < v ? v : result;
      else
        result += own_kind == SLUICE_NORM_POOL ? v * v : v;
    }
    if (own_kind == SLUICE_NORM_POOL) return __builtin_sqrtf(result);
    return own_kind == SLUICE_MEAN_POOL ? result / float(rows) : result;
  }

  static constexpr LayerKind kind =
      make_kind<own_kind, SLUICE_F32>(no_state, step, nullptr, scratch);
};

/// Returns the largest integer whose square is not greater.
inline uint32_t root_of(uint64_t square) {
  uint64_t root = 0;
  for (uint64_t bit = uint64_t(1) << 31; bit; bit >>= 1)
    if ((root + bit) * (root + bit) <= square) root += bit;
  return uint32_t(root);
}

/// In fixed point. kernels/README.md has the formulas.
template <uint8_t own_kind, uint8_t format>
struct FixedPool {
  static void step(const StepCall& call) {
    const PoolShape shape(call.layer);
    const uint8_t shift = call.layer.shift_ih;
    auto* const y = static_cast<int16_t*>(call.y);
    if (call.layer.source == 0 && call.model.x_bytes == 1)
      shape.each(static_cast<const int8_t*>(call.x), [&](const int8_t* x, int i) {
        y[i] = pooled(x, shape, shift, [](int8_t v) { return int32_t(widened(v)); });
      });
    else
      shape.each(static_cast<const int16_t*>(call.x), [&](const int16_t* x, int i) {
        y[i] = pooled(x, shape, shift, [](int16_t v) { return int32_t(v); });
      });
  }
  static size_t scratch(const LayerRecord&) { return 0; }

  template <class Number, class Wide>
  static int16_t pooled(const Number* x, const PoolShape& shape, uint8_t shift, Wide wide) {
    int32_t most = wide(x[0]);
    int64_t sum = 0;
    for (int row = 0; row < shape.rows; ++row) {
      const int32_t v = wide(x[ptrdiff_t(row) * shape.columns]);
      most = most < v ? v : most;
      sum += own_kind == SLUICE_NORM_POOL ? int64_t(v) * v : int64_t(v);
    }
    if (own_kind == SLUICE_MAX_POOL) return int16_t(most);
    if (own_kind == SLUICE_NORM_POOL) {
      const uint32_t root = root_of(uint64_t(sum) >> (2 * shift));
      return int16_t(root > 32767 ? 32767 : root);
    }
    // The nearest integer to the mean, halves upwards.
    const int64_t twice = 2 * sum + shape.rows, by = 2 * int64_t(shape.rows);
    return int16_t(twice >= 0 ? twice / by : -((by - 1 - twice) / by));
  }

  static constexpr LayerKind kind = make_kind<own_kind, format>(no_state, step, nullptr, scratch);
};

}  // namespace sluice

#endif
