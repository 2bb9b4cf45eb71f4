// The forward and the backward pass of a group of shards. The passes of different shards are
// independent tasks. They wait for one another only in a layer that needs sums over the whole batch
// between two of its phases (batch normalization).
#ifndef SLUICE_TRAIN_PASS_H
#define SLUICE_TRAIN_PASS_H

#include "layout.h"

namespace sluice {

/// The input of a layer from one source, after rounding and dropout; x and mask are in bytes from
/// the start of the shard's memory.
struct LayerInput {
  uint64_t x, mask;  ///< mask 0: nothing was dropped
  int32_t x_stride, rows, width;
};

/// The arrays of a layer in a pass, in bytes from the start of the shard's memory.
struct LayerArrays {
  LayerInput in;      ///< not used by a layer that joins
  uint64_t parts;     ///< of a layer that joins: LayerInput [parts]
  uint64_t kept;      ///< the arrays that the layer keeps for its backward pass
  uint64_t y;         ///< its output [rows][padded(out)]
  uint64_t gradient;  ///< the gradient of its output, in the backward pass
  int32_t rows;
};

/// A batch in training.
struct Batch {
  const OpenModel& model;
  const sluice_train_options& options;
  const Layout& layout;
  uint8_t* arena = nullptr;
  const sluice_sequence* sequences = nullptr;
  uint32_t count = 0;
  uint64_t step = 0;
  const float* scales = nullptr;  ///< [goals] the factor of a target's gradient
  uint32_t first = 0;             ///< the first shard of the present group
};

/// Returns the shard of sequences begin to end - 1 of a batch, in the order of falling length.
Shard make_shard(const sluice_sequence* sequences, uint32_t begin, uint32_t end);

/// Returns the bytes that a shard of this shape needs.
uint64_t shard_needs(const Batch& nothing, const Shard& worst);

/// Returns the floats of the largest sums over the batch that a layer needs; 0 if none needs any.
uint32_t most_batch_sums(const OpenModel&);

/// Returns the slice of the gradient that a rank adds up.
Slice slice_of(const Layout&, uint32_t rank, uint32_t ranks);

/// Computes the forward and backward passes of the group of shards that begins at batch.first:
/// their losses, and this rank's slice of their gradients. Returns false if the ranks' gather
/// failed.
bool run_group(Batch&, const sluice_host*, uint32_t group_shards);

/// Brings every rank's slice of the summed gradient to all ranks. Returns false if the gather
/// failed.
bool gather_gradient(const Layout&, const sluice_host*);

}  // namespace sluice

#endif
