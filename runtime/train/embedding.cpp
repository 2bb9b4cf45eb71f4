// Embedding, forward and backward. A shard adds up one row of gradient for each id that occurs in
// it; batch.cpp adds up these rows, shard by shard.
#include "../embedding.h"

#include <string.h>

#include "train.h"

namespace sluice {
namespace {

struct Kept {
  float *y, *rows;
  int32_t *ids, *row_of_id;
  Kept(const TrainCall& call, Arena& arena) {
    const uint64_t n = uint64_t(call.rows_out), units = uint64_t(padded(int(call.layer.out)));
    y = arena.take<float>(n * units);
    rows = arena.take<float>(n * units);
    ids = arena.take<int32_t>(n);
    row_of_id = arena.take<int32_t>(call.layer.in);
  }
};

/// Returns the id of a row; -1 behind a sequence's end.
int32_t id_of(const TrainCall& call, int row) {
  if (call.shard.length[row % call.shard.sequences] <= row / call.shard.sequences) return -1;
  int32_t id;
  memcpy(&id, call.x + ptrdiff_t(row) * call.x_stride, sizeof id);
  return known_id(id, call.layer.in);
}

float* forward(const TrainCall& call, int, Arena& arena) {
  const Kept kept(call, arena);
  if (arena.measures()) return kept.y;
  const int units = padded(int(call.layer.out));
  const auto* const weights =
      reinterpret_cast<const float*>(call.parameters.base + call.layer.w_ih);
  for (int row = 0; row < call.rows_out; ++row) {
    float* const to = kept.y + ptrdiff_t(row) * units;
    const int32_t id = id_of(call, row);
    if (id >= 0)
      Embedding::look_up(weights, call.layer, id, to);
    else
      memset(to, 0, size_t(units) * sizeof(float));
  }
  return kept.y;
}

/// Writes a row for each id, in the order of first occurrence: the sum of dy over the id's frames,
/// in their order.
void backward(const TrainCall& call, int, Arena& arena) {
  const Kept kept(call, arena);
  if (arena.measures()) return;
  const int units = padded(int(call.layer.out));
  memset(kept.row_of_id, 0xFF, size_t(call.layer.in) * sizeof(int32_t));
  uint32_t count = 0;
  for (int row = 0; row < call.rows_out; ++row) {
    const int32_t id = id_of(call, row);
    if (id < 0) continue;
    const float* const dy = call.dy + ptrdiff_t(row) * units;
    if (kept.row_of_id[id] >= 0) {
      call.kernels.add_f32(dy, kept.rows + ptrdiff_t(kept.row_of_id[id]) * units, size_t(units));
      continue;
    }
    memcpy(kept.rows + ptrdiff_t(count) * units, dy, size_t(units) * sizeof(float));
    kept.ids[count] = id;
    kept.row_of_id[id] = int32_t(count++);
  }
  const auto offset = [&](const void* at) {
    return uint64_t(static_cast<const uint8_t*>(at) - arena.base);
  };
  *call.id_gradients = {offset(kept.ids), offset(kept.rows), count};
}

}  // namespace

constexpr TrainKind train_embedding{SLUICE_EMBEDDING, {1, 1},  nullptr,
                                    no_preparation,   forward, backward};

}  // namespace sluice
