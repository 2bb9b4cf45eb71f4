// The arrays in a trainer's arena.
#ifndef SLUICE_TRAIN_LAYOUT_H
#define SLUICE_TRAIN_LAYOUT_H

#include "train.h"

namespace sluice {

/// The state of a shard's pass while it waits for the other shards.
struct ShardState {
  Shard shard;
  uint64_t used;  ///< bytes taken of the shard's memory
  /// The sequences' frames [steps][sequences][inputs], in bytes from the start of the shard's
  /// memory.
  uint64_t frames;
  uint64_t spare;  ///< room for a gradient that will be added to an existing one
  IdGradients id_gradients;
  ShardLoss loss;
};

/// The arena. Every call lays it out again, by the code that measured it. A group is the shards
/// that are in memory at the same time.
struct Layout {
  uint8_t* weights;  ///< the blob up to the end of its weight section, so that its offsets hold
  uint8_t* pass_weights;  ///< the weights that the passes read: rounded ones, or `weights`
  float *gradient, *first, *second;  ///< [section floats]
  float* zeros;
  /// [layers] Each layer's transposed weights, in bytes from the start of the arena.
  uint64_t* prepared;
  float* shard_gradients;  ///< [shards][shard_floats]
  uint8_t* batch_ids;      ///< [ids of an embedding] 1: occurs in this batch
  ShardState* states;      ///< [shards]
  float* partials;         ///< [shards][batch_sums] each shard's part of the sums over the batch
  float* totals;           ///< [layers][batch_sums] the last sums over the batch of a forward pass
  float* total;            ///< [batch_sums] the last sums over the batch of a backward pass
  uint8_t* shard_memory;   ///< [shards][shard_bytes]
  uint64_t shard_bytes;
  uint32_t section_begin, section_floats, weights_end;
  uint32_t shards;      ///< the most shards of a group
  uint32_t batch_sums;  ///< floats of the largest sums over the batch
  /// The part of the weight section that shards' gradients cover. It leaves out an embedding that
  /// comes first.
  uint32_t shard_begin, shard_floats;

  /// Returns the sum of the shards' gradients.
  float* added() const { return gradient + (shard_begin - section_begin) / sizeof(float); }
};

/// The floats of the shards' gradients that one rank adds up.
struct Slice {
  uint32_t begin, end;
};

}  // namespace sluice

#endif
