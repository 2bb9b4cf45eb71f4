// Embedding: returns the column of weights of an id. It is a model's first layer, whose frames are
// one int32 each in every number format.
#ifndef SLUICE_EMBEDDING_H
#define SLUICE_EMBEDDING_H

#include <string.h>

#include "dense.h"

namespace sluice {

/// Returns the id itself, or the unknown one if the vocabulary does not have it.
inline int known_id(int32_t id, uint32_t vocabulary) {
  return id >= 0 && uint32_t(id) < vocabulary ? int(id) : vocabulary > 1 ? SLUICE_UNKNOWN_ID : 0;
}

struct Embedding {
  static void run(const Call& call, Arena& scratch) {
    if (scratch.measures()) return;
    for (int row = 0; row < call.rows(); ++row)
      look_up(call.weights(call.layer.w_ih), call.layer,
              static_cast<const int32_t*>(call.x)[ptrdiff_t(row) * call.x_stride],
              static_cast<float*>(call.y) + ptrdiff_t(row) * padded(int(call.layer.out)));
  }

  /// Copies the column of an id into y [padded(out)], panel by panel.
  static void look_up(const float* weights, const LayerRecord& layer, int32_t id, float* y) {
    const int units = padded(int(layer.out)), ids = int(layer.in), column = known_id(id, layer.in);
    for (int row = 0; row < units; row += panel_rows)
      memcpy(y + row, weights + packed_index(units, ids, row, column), panel_rows * sizeof(float));
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_EMBEDDING, SLUICE_F32>(no_state, single_row<Embedding>, run, nullptr);
};

}  // namespace sluice

#endif
