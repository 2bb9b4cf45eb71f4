// Where everything lies in a trainer's arena.
#ifndef SLUICE_TRAIN_LAYOUT_H
#define SLUICE_TRAIN_LAYOUT_H

#include "train.h"

namespace sluice {

/// What a shard's pass leaves while it waits for the other shards.
struct ShardState {
  Shard shard;
  uint64_t used;    ///< of the shard's memory
  uint64_t frames;  ///< the sequences' frames [steps][sequences][inputs]: bytes from the start of
                    ///< the shard's memory
  uint64_t spare;   ///< room for a gradient that is added to one that is there already
  SeenRows seen;
  ShardLoss loss;
};

/// The arena, laid out anew at every call by the code that measured it.
struct Layout {
  uint8_t* weights;  ///< the blob up to the end of its weight section: offsets hold
  uint8_t* seen;     ///< the same as the passes see it: weights, but where they are rounded
  float *gradient, *first, *second;  ///< [section floats]
  float* zeros;
  uint64_t* prepared;  ///< [layers] where each layer's transposed weights lie, in bytes from the
                       ///< arena's start
  float* shard_gradients;  ///< [shards in flight][shard floats]
  uint8_t* seen_ids;       ///< [ids of an embedding] 1: in this batch
  ShardState* states;      ///< [shards in flight]
  float* partials;         ///< [shards in flight][meeting floats]
  float* totals;           ///< [layers][meeting floats] of a layer's last meeting forward
  float* total;            ///< [meeting floats] of a meeting on the way back
  uint8_t* shard_memory;   ///< [shards in flight][shard_bytes]
  uint64_t shard_bytes;
  uint32_t section_begin, section_floats, weights_end, shards, meeting;
  uint32_t shard_begin,
      shard_floats;  ///< of shards' gradients: the section without an embedding, which comes first

  /// Where shards' gradients are added up.
  float* added() const { return gradient + (shard_begin - section_begin) / sizeof(float); }
};

/// Floats of the shards' gradients that a rank adds up.
struct Slice {
  uint32_t begin, end;
};

}  // namespace sluice

#endif
