// A batch: its checks, its gradient, and the arena in which it is computed.
#ifndef SLUICE_TRAIN_BATCH_H
#define SLUICE_TRAIN_BATCH_H

#include "pass.h"

namespace sluice {

/// Takes the whole arena; with one that measures, also the shard's worst case.
Layout lay_out(const OpenModel&, const sluice_train_options&, Arena&);

/// How many zeros a layout holds: a state before the first step, and the start of the chains of a
/// strip or a row.
int zeros_needed(const OpenModel&);

/// Whether the batch is as announced and has its targets; adds up the valid ones of each goal.
bool good_batch(const OpenModel&, const sluice_train_options&, const sluice_sequence* sequences,
                uint32_t n, TargetSum targets[most_sources]);

/// Computes the gradient of a batch: shard sums are added in shard order, one group in flight after
/// another. Returns false if the ranks' gather failed.
bool batch_gradient(Batch&, const sluice_host*, sluice_train_result&);

}  // namespace sluice

#endif
