// Layers that reduce the steps of a sequence: the largest number, the mean and attention, forward
// and backward.
#include "../over_steps.h"

#include <string.h>

#include "train.h"

namespace sluice {
namespace {

/// Calls f(s, row) for each step of each sequence, in the order of the steps.
template <class F>
void each_step(const Shard& shard, F f) {
  for (int s = 0; s < shard.sequences; ++s)
    for (int t = 0; t < shard.length[s]; ++t) f(s, t * shard.sequences + s, t);
}

template <uint8_t kind>
float* forward_over_steps(const TrainCall& call, int, Arena& arena) {
  float* const y = take_cleared(call, arena);
  if (arena.measures()) return y;
  const int n = int(call.layer.out), units = padded(n);
  each_step(call.shard, [&](int s, int row, int t) {
    const float* const x = call.x + ptrdiff_t(row) * call.x_stride;
    float* const to = y + ptrdiff_t(s) * units;
    for (int i = 0; i < n; ++i)
      to[i] = t == 0                           ? x[i]
              : kind == SLUICE_MEAN_OVER_STEPS ? to[i] + x[i]
              : to[i] < x[i]                   ? x[i]
                                               : to[i];
  });
  if (kind == SLUICE_MEAN_OVER_STEPS)
    for (int s = 0; s < call.shard.sequences; ++s)
      for (int i = 0; i < n; ++i) y[ptrdiff_t(s) * units + i] /= float(call.shard.length[s]);
  return y;
}

/// The gradient of a largest number goes to the first of its equals.
template <uint8_t kind>
void backward_over_steps(const TrainCall& call, int, Arena& arena) {
  const float* const y = take_output(call, arena);
  if (arena.measures() || !call.dx) return;
  const int n = int(call.layer.out), units = padded(n);
  memset(call.dx, 0, size_t(call.rows_in) * size_t(units) * sizeof(float));
  for (int s = 0; s < call.shard.sequences; ++s)
    for (int i = 0; i < n; ++i) {
      const float dy = call.dy[ptrdiff_t(s) * units + i], most = y[ptrdiff_t(s) * units + i];
      for (int t = 0; t < call.shard.length[s]; ++t) {
        const ptrdiff_t row = ptrdiff_t(t) * call.shard.sequences + s;
        float& dx = call.dx[row * units + i];
        if (kind == SLUICE_MEAN_OVER_STEPS) dx = dy / float(call.shard.length[s]);
        if (kind == SLUICE_MAX_OVER_STEPS && call.x[row * call.x_stride + i] == most) {
          dx = dy;
          break;
        }
      }
    }
}

/// The arrays of attention: the output, and the weight of each step.
struct AttentionArrays {
  float *y, *weights;  ///< [sequences][padded(out)], [steps * sequences]

  AttentionArrays(const TrainCall& call, Arena& arena)
      : y(take_output(call, arena)),
        weights(arena.take<float>(uint64_t(call.shard.steps) * uint64_t(call.shard.sequences))) {}
};

float* forward_attention(const TrainCall& call, int, Arena& arena) {
  const AttentionArrays arrays(call, arena);
  float* const sums = arena.take<float>(uint64_t(padded(int(call.layer.out))));
  if (arena.measures()) return arrays.y;
  const int n = int(call.layer.out), units = padded(n);
  memset(arrays.y, 0, size_t(call.rows_out) * size_t(units) * sizeof(float));
  const TrainPart &scores = call.parts[0], &x = call.parts[1];
  StepCount count{};
  const auto score = [&](int row) { return scores.x[ptrdiff_t(row) * scores.x_stride]; };
  each_step(call.shard, [&](int s, int row, int t) {
    if (t == 0) count = {};
    Attention::add(call.kernels, score(row), x.x + ptrdiff_t(row) * x.x_stride, n, sums, count,
                   arrays.y + ptrdiff_t(s) * units);
    if (t + 1 < call.shard.length[s]) return;
    for (int before = s; before <= row; before += call.shard.sequences) {
      float weight = score(before) - count.most;
      call.kernels.exp_f32(&weight, &weight, 1);
      arrays.weights[before] = weight / count.weight;
    }
  });
  return arrays.y;
}

/// Computes dx_t = w_t dy and dscore_t = w_t (dy . x_t - dy . y), with w_t the weight of a step.
void backward_attention(const TrainCall& call, int, Arena& arena) {
  const AttentionArrays arrays(call, arena);
  arena.take<float>(uint64_t(padded(int(call.layer.out))));
  if (arena.measures() || !call.dx) return;
  const int n = int(call.layer.out), units = padded(n);
  const TrainPart& x = call.parts[1];
  const int width = padded(call.parts[call.part].width);
  memset(call.dx, 0,
         size_t(call.shard.steps) * size_t(call.shard.sequences) * size_t(width) * sizeof(float));
  each_step(call.shard, [&](int s, int row, int) {
    const float* const dy = call.dy + ptrdiff_t(s) * units;
    const float* const y = arrays.y + ptrdiff_t(s) * units;
    const float* const from = x.x + ptrdiff_t(row) * x.x_stride;
    float* const dx = call.dx + ptrdiff_t(row) * width;
    float difference = 0.0f;
    for (int i = 0; i < n; ++i) {
      if (call.part == 1) dx[i] = arrays.weights[row] * dy[i];
      difference += dy[i] * (from[i] - y[i]);
    }
    if (call.part == 0) dx[0] = arrays.weights[row] * difference;
  });
}

}  // namespace

constexpr TrainKind train_max_over_steps{SLUICE_MAX_OVER_STEPS,
                                         {1, 1},
                                         nullptr,
                                         no_preparation,
                                         forward_over_steps<SLUICE_MAX_OVER_STEPS>,
                                         backward_over_steps<SLUICE_MAX_OVER_STEPS>};
constexpr TrainKind train_mean_over_steps{SLUICE_MEAN_OVER_STEPS,
                                          {1, 1},
                                          nullptr,
                                          no_preparation,
                                          forward_over_steps<SLUICE_MEAN_OVER_STEPS>,
                                          backward_over_steps<SLUICE_MEAN_OVER_STEPS>};
constexpr TrainKind train_attention{
    SLUICE_ATTENTION, {1, 1}, nullptr, no_preparation, forward_attention, backward_attention};

}  // namespace sluice
