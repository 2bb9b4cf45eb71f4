// Window, pooling and the unit norm, forward and backward.
#include <string.h>

#include "../norm.h"
#include "../pool.h"
#include "train.h"

namespace sluice {
namespace {

/// Calls f(row, row of x, place in y) for each step of its sequence that each window holds.
template <class F>
void each_step(const TrainCall& call, F f) {
  const Shard& shard = call.shard;
  const Clock clock = own_clock(call.layer);
  for (int row = 0; row < call.rows_out; ++row) {
    const int s = row % shard.sequences, length = shard.length[s];
    const auto step = int(clock.frame(uint64_t(row / shard.sequences)));
    if (step >= length) continue;
    int at = step + call.layer.window.ahead - int(reach_of(call.layer));
    for (uint32_t part = 0; part < call.layer.parts; ++part, at += call.layer.window.dilation)
      if (at >= 0 && at < length)
        f(row, at * shard.sequences + s, ptrdiff_t(part) * ptrdiff_t(call.layer.in));
  }
}

float* forward_window(const TrainCall& call, int, Arena& arena) {
  float* const y = take_cleared(call, arena);
  if (arena.measures()) return y;
  const ptrdiff_t units = padded(int(call.layer.out));
  each_step(call, [&](int row, int from, ptrdiff_t at) {
    memcpy(y + row * units + at, call.x + ptrdiff_t(from) * call.x_stride,
           size_t(call.layer.in) * sizeof(float));
  });
  return y;
}

void backward_window(const TrainCall& call, int, Arena& arena) {
  take_output(call, arena);
  if (arena.measures() || !call.dx) return;
  const ptrdiff_t units = padded(int(call.layer.out)), width = padded(int(call.layer.in));
  memset(call.dx, 0, size_t(call.rows_in) * size_t(width) * sizeof(float));
  each_step(call, [&](int row, int from, ptrdiff_t at) {
    const float* const dy = call.dy + row * units + at;
    float* const dx = call.dx + from * width;
    for (uint32_t i = 0; i < call.layer.in; ++i) dx[i] += dy[i];
  });
}

template <uint8_t kind>
float* forward_pool(const TrainCall& call, int, Arena& arena) {
  float* const y = take_cleared(call, arena);
  if (arena.measures()) return y;
  const PoolShape shape(call.layer);
  const ptrdiff_t units = padded(int(call.layer.out));
  for (int row = 0; row < call.rows_out; ++row)
    shape.each(call.x + ptrdiff_t(row) * call.x_stride, [&](const float* x, int i) {
      y[row * units + i] = FloatPool<kind>::pooled(x, shape.rows, shape.columns);
    });
  return y;
}

/// The gradient of a largest number goes to the first of its equals; that of a root of 0 is 0.
template <uint8_t kind>
void backward_pool(const TrainCall& call, int, Arena& arena) {
  const float* const y = take_output(call, arena);
  if (arena.measures() || !call.dx) return;
  const PoolShape shape(call.layer);
  const ptrdiff_t units = padded(int(call.layer.out)), width = padded(int(call.layer.in));
  memset(call.dx, 0, size_t(call.rows_in) * size_t(width) * sizeof(float));
  for (int row = 0; row < call.rows_in; ++row) {
    const float* const first = call.x + ptrdiff_t(row) * call.x_stride;
    shape.each(first, [&](const float* x, int i) {
      const float dy = call.dy[row * units + i], value = y[row * units + i];
      float* const dx = call.dx + row * width + (x - first);
      for (int r = 0; r < shape.rows; ++r) {
        const ptrdiff_t at = ptrdiff_t(r) * shape.columns;
        if (kind == SLUICE_MEAN_POOL) dx[at] = dy / float(shape.rows);
        if (kind == SLUICE_NORM_POOL) dx[at] = value > 0.0f ? dy * x[at] / value : 0.0f;
        if (kind == SLUICE_MAX_POOL && x[at] == value) {
          dx[at] = dy;
          break;
        }
      }
    });
  }
}

float* forward_unit_norm(const TrainCall& call, int, Arena& arena) {
  float* const y = take_cleared(call, arena);
  float* const norms = arena.take<float>(uint64_t(call.rows_out));
  if (arena.measures()) return y;
  const int n = int(call.layer.out), units = padded(n);
  for (int row = 0; row < call.rows_out; ++row) {
    const float* const x = call.x + ptrdiff_t(row) * call.x_stride;
    norms[row] = unit_norm(x, n, call.layer.parameter);
    for (int i = 0; i < n; ++i) y[ptrdiff_t(row) * units + i] = x[i] / norms[row];
  }
  return y;
}

/// Computes dx = (dy - y * (y . dy)) / |x|; if |x| is the lowest one, dx = dy / |x|.
void backward_unit_norm(const TrainCall& call, int, Arena& arena) {
  const float* const y = take_output(call, arena);
  const float* const norms = arena.take<float>(uint64_t(call.rows_out));
  if (arena.measures() || !call.dx) return;
  const int n = int(call.layer.out), units = padded(n);
  memset(call.dx, 0, size_t(call.rows_in) * size_t(units) * sizeof(float));
  for (int row = 0; row < call.rows_in; ++row) {
    const ptrdiff_t at = ptrdiff_t(row) * units;
    float dot = 0.0f;
    for (int i = 0; i < n; ++i) dot += y[at + i] * call.dy[at + i];
    if (norms[row] <= call.layer.parameter) dot = 0.0f;
    for (int i = 0; i < n; ++i) call.dx[at + i] = (call.dy[at + i] - y[at + i] * dot) / norms[row];
  }
}

}  // namespace

constexpr TrainKind train_window{SLUICE_WINDOW,  {1, 1},         nullptr,
                                 no_preparation, forward_window, backward_window};
constexpr TrainKind train_max_pool{SLUICE_MAX_POOL,
                                   {1, 1},
                                   nullptr,
                                   no_preparation,
                                   forward_pool<SLUICE_MAX_POOL>,
                                   backward_pool<SLUICE_MAX_POOL>};
constexpr TrainKind train_mean_pool{SLUICE_MEAN_POOL,
                                    {1, 1},
                                    nullptr,
                                    no_preparation,
                                    forward_pool<SLUICE_MEAN_POOL>,
                                    backward_pool<SLUICE_MEAN_POOL>};
constexpr TrainKind train_norm_pool{SLUICE_NORM_POOL,
                                    {1, 1},
                                    nullptr,
                                    no_preparation,
                                    forward_pool<SLUICE_NORM_POOL>,
                                    backward_pool<SLUICE_NORM_POOL>};
constexpr TrainKind train_unit_norm{
    SLUICE_UNIT_NORM, {1, 1}, nullptr, no_preparation, forward_unit_norm, backward_unit_norm};

}  // namespace sluice
