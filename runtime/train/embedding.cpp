// Embedding backwards: a shard adds up the gradient of the ids it has seen, one row each; the batch adds these up, shard by shard.
#include "../embedding.h"

#include "train.h"

namespace sluice {
namespace {

float* forward(const TrainCall& call, int, Arena& arena) {
  const int units = padded(int(call.layer.out));
  float* const y = arena.take<float>(uint64_t(call.rows_out) * uint64_t(units));
  if (arena.measures()) return y;
  const auto* const weights = reinterpret_cast<const float*>(call.parameters.base + call.layer.w_ih);
  const Shard& shard = call.shard;
  for (int row = 0; row < call.rows_out; ++row) {
    float* const to = y + ptrdiff_t(row) * units;
    int32_t id;
    memcpy(&id, call.x + ptrdiff_t(row) * call.x_stride, sizeof id);
    if (shard.length[row % shard.sequences] > row / shard.sequences)
      Embedding::look_up(weights, call.layer, id, to);
    else
      memset(to, 0, size_t(units) * sizeof(float));  // rows behind a sequence's end stay zero
  }
  return y;
}

/// dW[.][id] = sum of dy over the rows of that id, in order.
void backward(const TrainCall& call, int, Arena& arena) {
  const int units = padded(int(call.layer.out)), ids = int(call.layer.in);
  arena.take<float>(uint64_t(call.rows_out) * uint64_t(units));
  if (arena.measures()) return;
  float* const gradient = call.parameters.gradient_at(call.layer.w_ih);
  if (!call.adds) memset(gradient, 0, size_t(units) * size_t(ids) * sizeof(float));
  const Shard& shard = call.shard;
  for (int row = 0; row < call.rows_out; ++row) {
    if (shard.length[row % shard.sequences] <= row / shard.sequences) continue;
    int32_t id;
    memcpy(&id, call.x + ptrdiff_t(row) * call.x_stride, sizeof id);
    const int column = known_id(id, call.layer.in);
    for (int i = 0; i < units; i += panel_rows)
      for (int j = 0; j < panel_rows; ++j)
        gradient[packed_index(units, ids, i, column) + size_t(j)] += call.dy[ptrdiff_t(row) * units + i + j];
  }
}

}  // namespace

constexpr TrainKind train_embedding{SLUICE_EMBEDDING, {1, 1}, nullptr, no_preparation, forward, backward};

}  // namespace sluice
