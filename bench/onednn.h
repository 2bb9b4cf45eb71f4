// oneDNN's LBR-GRU (the same cell: reset-after, two biases) and LSTM at the same shapes, as calls
// to time. One thread.
#pragma once
#include <functional>
#include <string>

namespace sluice::bench {

/// "2.6.3", or "" where this build has no oneDNN; then the calls below are empty.
std::string onednn_version();

/// Inference of one stream: each call runs `steps` frames and goes on from the state that the call
/// before left.
std::function<void()> onednn_run(int in, int hidden, int steps);

/// Training forward and backward of a batch; weights lie as each pass likes them best, and are not
/// moved in between.
std::function<void()> onednn_training(bool lstm, int in, int hidden, int steps, int batch);

}  // namespace sluice::bench
