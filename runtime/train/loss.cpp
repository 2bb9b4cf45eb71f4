// Losses: softmax cross entropy and mean squared error, with masked targets.
#include <string.h>

#include "train.h"

namespace sluice {
namespace {

bool is_nan(float v) { return v != v; }

/// -log p of the class, and dy = (p - [i == class]) * scale.
void cross_entropy_row(const Kernels& kernels, int32_t target, int outputs, int units, float scale, float* y, float* dy,
                       ShardLoss& loss) {
  kernels.activate_f32(Activation::softmax, y, 1, outputs, units);
  float log_p;
  kernels.log_f32(y + target, &log_p, 1);
  loss.sum -= double(log_p);
  loss.targets += 1;
  loss.correct += sluice_argmax(y, size_t(outputs)) == size_t(target);
  for (int i = 0; i < outputs; ++i) dy[i] = (i == target ? y[i] - 1.0f : y[i]) * scale;
}

void squared_error_row(const float* values, int outputs, float scale, const float* y, float* dy, ShardLoss& loss) {
  for (int i = 0; i < outputs; ++i) {
    if (is_nan(values[i])) continue;
    const float error = y[i] - values[i];
    loss.sum += double(error) * double(error);
    loss.targets += 1;
    dy[i] = 2.0f * error * scale;
  }
}

}  // namespace

uint64_t valid_targets(const sluice_sequence& sequence, uint32_t loss, int answers, int outputs) {
  uint64_t n = 0;
  if (loss == SLUICE_CROSS_ENTROPY) {
    for (int i = 0; i < answers; ++i) n += sequence.classes[i] >= 0;
  } else {
    for (int64_t i = 0; i < int64_t(answers) * outputs; ++i) n += !is_nan(sequence.values[i]);
  }
  return n;
}

ShardLoss shard_loss(const Kernels& kernels, uint32_t loss, const Shard& shard, const sluice_sequence* batch, bool every_step,
                     int outputs, float scale, float* y, float* dy) {
  const int units = padded(outputs), n = shard.sequences;
  const int rows = every_step ? shard.steps * n : n;
  memset(dy, 0, size_t(rows) * size_t(units) * sizeof(float));
  ShardLoss sum{0.0, 0, 0};
  for (int row = 0; row < rows; ++row) {
    const int s = row % n, t = row / n;
    if (t >= shard.length[s]) continue;
    const sluice_sequence& sequence = batch[shard.index[s]];
    float* const row_y = y + ptrdiff_t(row) * units;
    float* const row_dy = dy + ptrdiff_t(row) * units;
    if (loss == SLUICE_MSE) {
      squared_error_row(sequence.values + ptrdiff_t(t) * outputs, outputs, scale, row_y, row_dy, sum);
    } else if (sequence.classes[t] >= 0) {
      cross_entropy_row(kernels, sequence.classes[t], outputs, units, scale, row_y, row_dy, sum);
    }
  }
  return sum;
}

}  // namespace sluice
