// Batch normalization after training is a scale and a shift, which the layer that follows may take
// over.
#pragma once
#include "../model/network.h"

namespace sluice::tools {

/// The same network with every batch normalization folded into the input weights and the bias of
/// the recurrent or Dense layer after it; one with another layer after it, or none, stays.
Network folded(Network network);

/// Whether there is anything to fold.
bool has_batch_norm(const Network& network);

}  // namespace sluice::tools
