// Folds batch normalization, which after training is a scale and a shift, into the layer that
// follows.
#pragma once
#include "../model/network.h"

namespace sluice::tools {

/// Returns the network with every batch normalization folded into the input weights and the bias of
/// the recurrent or Dense layer after it. One that is last or is followed by another kind of layer
/// stays.
Network folded(Network network);

/// Returns whether there is anything to fold.
bool has_batch_norm(const Network& network);

}  // namespace sluice::tools
