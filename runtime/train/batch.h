// A batch: its checks, its gradient, and the arena in which it is computed.
#ifndef SLUICE_TRAIN_BATCH_H
#define SLUICE_TRAIN_BATCH_H

#include "pass.h"

namespace sluice {

/// Takes all arrays of a trainer from the arena. With an arena that measures, it also measures the
/// largest possible shard.
Layout lay_out(const OpenModel&, const sluice_train_options&, Arena&);

/// Returns how many zeros a layout holds. They serve as the state before the first step, and as the
/// start of the chains of a strip or a row.
int zeros_needed(const OpenModel&);

/// Returns whether the batch is within the announced limits and has its targets; adds up the valid
/// targets of each goal.
bool good_batch(const OpenModel&, const sluice_train_options&, const sluice_sequence* sequences,
                uint32_t n, TargetSum targets[most_sources]);

/// Computes the gradient of a batch, one group of shards after another. The gradients of shards are
/// added in the order of the shards. Returns false if the ranks' gather failed.
bool batch_gradient(Batch&, const sluice_host*, sluice_train_result&);

}  // namespace sluice

#endif
