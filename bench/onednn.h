// oneDNN's LBR-GRU (the same cell: reset-after, two biases) and LSTM at the same shapes, as calls
// to time. One thread.
#pragma once
#include <functional>
#include <string>

namespace sluice::bench {

/// Returns the version, such as "2.6.3"; "" if this build has no oneDNN. The calls below are then
/// empty.
std::string onednn_version();

/// Returns a call for the inference of one stream. Each call runs `steps` frames and continues from
/// the state of the previous call.
std::function<void()> onednn_run(int in, int hidden, int steps);

/// Returns a call for the forward and backward pass of a batch. Each pass has its weights in the
/// order that it prefers, and they are not reordered in between.
std::function<void()> onednn_training(bool lstm, int in, int hidden, int steps, int batch);

}  // namespace sluice::bench
