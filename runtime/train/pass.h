// The forward and the backward pass of a batch. All shards of a group are computed together, layer
// by layer; they wait for one another only where a layer must add something up over the batch in
// its middle (batch normalization). Else a shard's whole pass is one task.
#ifndef SLUICE_TRAIN_PASS_H
#define SLUICE_TRAIN_PASS_H

#include "layout.h"

namespace sluice {

/// What enters a layer from one source, as the layer reads it: bytes from the start of the shard's
/// memory.
struct Entering {
  uint64_t x, mask;  ///< mask 0: nothing was dropped
  int32_t x_stride, rows, width;
};

/// Where a layer's part of a pass lies: bytes from the start of the shard's memory.
struct Place {
  Entering in;        ///< of a layer that joins not used
  uint64_t parts;     ///< of a layer that joins: Entering [parts]
  uint64_t kept;      ///< what the layer keeps for its backward pass
  uint64_t y;         ///< its output [rows][padded(out)]
  uint64_t gradient;  ///< that of its output, once the backward pass has begun
  int32_t rows;
};

/// A batch in training.
struct Batch {
  const OpenModel& model;
  const sluice_train_options& options;
  const Layout& layout;
  uint8_t* arena;
  const sluice_sequence* sequences;
  uint32_t count;
  uint64_t step;
  const float* scales;  ///< [goals] of a target's gradient
  uint32_t first;       ///< shard of the group in flight
};

/// The sequences begin to end - 1 of a batch, in order of falling length.
Shard make_shard(const sluice_sequence* sequences, uint32_t begin, uint32_t end);

/// Bytes that a shard of this shape wants.
uint64_t shard_needs(const Batch& nothing, const Shard& worst);

/// Floats of the largest meeting; 0 where shards never meet.
uint32_t meeting_floats(const OpenModel&);

Slice slice_of(const Layout&, uint32_t rank, uint32_t ranks);

/// Forward and backward of the group of `flying` shards that begins at batch.first: fills their
/// losses, and this rank's slice of their gradients. False where the ranks' gather failed.
bool run_group(Batch&, const sluice_host*, uint32_t flying);

/// Brings every rank's slice of the gradient to all.
bool gather_gradient(const Layout&, const sluice_host*);

}  // namespace sluice

#endif
