// Batch and layer normalization, forward and backward.
#include <string.h>

#include "train.h"

namespace sluice {
namespace {

/// Returns whether a row is not behind its sequence's end.
bool runs_on(const Shard& shard, int row) {
  return shard.length[row % shard.sequences] > row / shard.sequences;
}

// Batch normalization (Ioffe, Szegedy 2015). The moments are over all rows of the batch that are
// not behind a sequence's end, in two passes: first the sums of x, then those of (x - mean)^2, both
// with the shards added in order. With r = 1 / sqrt(var + epsilon), the phases are
//   forward 0    sums of x
//   forward 1    sums of squares around the mean
//   forward 2    u = (x - mean) * r, y = fma(u, weight, bias)
//   backward 0   sums of dy and of dy * u
//   backward 1   dx = weight * r * (dy - mean of dy - u * mean of dy * u)
// The sums over the batch are, U being the padded units: forward [0, U) of x, [U, 2 U) of squares;
// backward [0, U) of dy, [U, 2 U) of dy * u; and 2 U the number of rows.

int batch_norm_sums(const LayerRecord& layer) { return 2 * padded(int(layer.out)) + panel_rows; }

struct BatchKept {
  float *u, *y, *r;
  BatchKept(const TrainCall& call, Arena& arena) {
    const uint64_t units = uint64_t(padded(int(call.layer.out))),
                   floats = uint64_t(call.rows_out) * units;
    u = arena.take<float>(floats);
    y = arena.take<float>(floats);
    r = arena.take<float>(units);
  }
};

/// Computes a shard's part of the sums. The second phase keeps the sums of the first one, so that
/// the second total has both.
void add_moments(const TrainCall& call, int phase) {
  const int units = padded(int(call.layer.out)), n = int(call.layer.out);
  float* const sums = call.partial;
  float* const squares = sums + units;
  float& count = sums[2 * units];
  if (phase == 0) memset(sums, 0, size_t(batch_norm_sums(call.layer)) * sizeof(float));
  for (int row = 0; row < call.rows_in; ++row) {
    if (!runs_on(call.shard, row)) continue;
    const float* const x = call.x + ptrdiff_t(row) * call.x_stride;
    for (int i = 0; phase == 0 && i < n; ++i) sums[i] += x[i];
    for (int i = 0; phase == 1 && i < n; ++i) {
      const float d = x[i] - call.total[i] / call.total[2 * units];
      squares[i] += d * d;
    }
    if (phase == 0) count += 1.0f;
  }
}

float* batch_forward(const TrainCall& call, int phase, Arena& arena) {
  const BatchKept kept(call, arena);
  if (arena.measures()) return kept.y;
  if (phase < 2) return add_moments(call, phase), kept.y;
  const int n = int(call.layer.out), units = padded(n);
  const auto* const weight = reinterpret_cast<const float*>(call.parameters.base + call.layer.w_ih);
  const auto* const bias = reinterpret_cast<const float*>(call.parameters.base + call.layer.b_ih);
  memset(kept.u, 0, size_t(call.rows_out) * size_t(units) * sizeof(float));
  memset(kept.y, 0, size_t(call.rows_out) * size_t(units) * sizeof(float));
  memset(kept.r, 0, size_t(units) * sizeof(float));
  const float valid = call.total[2 * units];
  for (int i = 0; i < n; ++i)
    kept.r[i] = 1.0f / __builtin_sqrtf(call.total[units + i] / valid + call.layer.parameter);
  for (int row = 0; row < call.rows_out; ++row) {
    if (!runs_on(call.shard, row)) continue;
    const float* const x = call.x + ptrdiff_t(row) * call.x_stride;
    float* const u = kept.u + ptrdiff_t(row) * units;
    for (int i = 0; i < n; ++i) u[i] = (x[i] - call.total[i] / valid) * kept.r[i];
    call.kernels.normalize_f32(u, call.zeros, weight, bias, kept.y + ptrdiff_t(row) * units, n);
  }
  return kept.y;
}

void batch_backward(const TrainCall& call, int phase, Arena& arena) {
  const BatchKept kept(call, arena);
  if (arena.measures()) return;
  const int units = padded(int(call.layer.out));
  const auto* const weight = reinterpret_cast<const float*>(call.parameters.base + call.layer.w_ih);
  if (phase == 0) {
    memset(call.partial, 0, size_t(batch_norm_sums(call.layer)) * sizeof(float));
    for (int row = 0; row < call.rows_out; ++row)
      for (int i = 0; i < units; ++i) {
        const float dy = call.dy[ptrdiff_t(row) * units + i];
        call.partial[i] += dy;
        call.partial[units + i] += dy * kept.u[ptrdiff_t(row) * units + i];
      }
    for (int row = 0; row < call.rows_out; ++row)
      call.partial[2 * units] += runs_on(call.shard, row) ? 1.0f : 0.0f;
    const Parameters& p = call.parameters;
    memcpy(p.gradient_at(call.layer.b_ih), call.partial, size_t(units) * sizeof(float));
    memcpy(p.gradient_at(call.layer.w_ih), call.partial + units, size_t(units) * sizeof(float));
    return;
  }
  if (!call.dx) return;
  const float valid = call.total[2 * units];
  for (int row = 0; row < call.rows_in; ++row) {
    const bool runs = runs_on(call.shard, row);
    for (int i = 0; i < units; ++i) {
      const ptrdiff_t at = ptrdiff_t(row) * units + i;
      const float centered =
          call.dy[at] - call.total[i] / valid - kept.u[at] * (call.total[units + i] / valid);
      call.dx[at] = runs ? weight[i] * kept.r[i] * centered : 0.0f;
    }
  }
}

// Layer normalization (Ba, Kiros, Hinton 2016).

struct LayerKept {
  float *u, *y, *r;
  LayerKept(const TrainCall& call, Arena& arena) {
    const uint64_t floats = uint64_t(call.rows_out) * uint64_t(padded(int(call.layer.out)));
    u = arena.take<float>(floats);
    y = arena.take<float>(floats);
    r = arena.take<float>(uint64_t(call.rows_out));
  }
};

float* layer_forward(const TrainCall& call, int, Arena& arena) {
  const LayerKept kept(call, arena);
  if (arena.measures()) return kept.y;
  const int n = int(call.layer.out), units = padded(n);
  const auto* const weight = reinterpret_cast<const float*>(call.parameters.base + call.layer.w_ih);
  const auto* const bias = reinterpret_cast<const float*>(call.parameters.base + call.layer.b_ih);
  const size_t bytes = size_t(call.rows_out) * size_t(units) * sizeof(float);
  memset(kept.u, 0, bytes);
  memset(kept.y, 0, bytes);
  for (int row = 0; row < call.rows_out; ++row)
    if (runs_on(call.shard, row))
      kept.r[row] = call.kernels.layer_norm_f32(
          call.x + ptrdiff_t(row) * call.x_stride, call.layer.parameter, weight, bias,
          kept.u + ptrdiff_t(row) * units, kept.y + ptrdiff_t(row) * units, n);
  return kept.y;
}

/// Computes dx = r * (v - mean of v - u * mean of v * u), with v = dy * weight.
void layer_backward(const TrainCall& call, int, Arena& arena) {
  const LayerKept kept(call, arena);
  if (arena.measures()) return;
  const int n = int(call.layer.out), units = padded(n);
  const auto* const weight = reinterpret_cast<const float*>(call.parameters.base + call.layer.w_ih);
  float* const dweight = call.parameters.gradient_at(call.layer.w_ih);
  float* const dbias = call.parameters.gradient_at(call.layer.b_ih);
  if (!call.adds) {
    memset(dweight, 0, size_t(units) * sizeof(float));
    memset(dbias, 0, size_t(units) * sizeof(float));
  }
  for (int row = 0; row < call.rows_out; ++row) {
    const float* const dy = call.dy + ptrdiff_t(row) * units;
    const float* const u = kept.u + ptrdiff_t(row) * units;
    float* const dx = call.dx ? call.dx + ptrdiff_t(row) * units : nullptr;
    if (dx) memset(dx, 0, size_t(units) * sizeof(float));
    if (!runs_on(call.shard, row)) continue;
    float sum = 0.0f, dot = 0.0f;
    for (int i = 0; i < n; ++i) {
      dweight[i] += dy[i] * u[i];
      dbias[i] += dy[i];
      const float v = dy[i] * weight[i];
      sum += v;
      dot += v * u[i];
    }
    for (int i = 0; dx && i < n; ++i)
      dx[i] = kept.r[row] * (dy[i] * weight[i] - sum / float(n) - u[i] * (dot / float(n)));
  }
}

}  // namespace

void run_moments(const LayerRecord& layer, const sluice_train_options& options, const float* totals,
                 uint8_t* weights) {
  const int n = int(layer.out), units = padded(n);
  auto* const mean = reinterpret_cast<float*>(weights + layer.w_hh);
  auto* const var = reinterpret_cast<float*>(weights + layer.b_hh);
  const float valid = totals[2 * units], momentum = options.batch_norm_momentum;
  const float unbiased = valid > 1.0f ? valid - 1.0f : 1.0f;
  for (int i = 0; i < n; ++i) {
    mean[i] = (1.0f - momentum) * mean[i] + momentum * (totals[i] / valid);
    var[i] = (1.0f - momentum) * var[i] +
             momentum * (totals[units + i] / (options.batch_norm_biased ? valid : unbiased));
  }
}

constexpr TrainKind train_batch_norm{SLUICE_BATCH_NORM, {3, 2},        batch_norm_sums,
                                     no_preparation,    batch_forward, batch_backward};
constexpr TrainKind train_layer_norm{SLUICE_LAYER_NORM, {1, 1},        nullptr,
                                     no_preparation,    layer_forward, layer_backward};

}  // namespace sluice
