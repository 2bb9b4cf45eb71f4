// What a training carries from batch to batch, and the checkpoint that holds it: all that is needed
// to go on to the same bytes.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "../evaluate/monitor.h"
#include "train.h"

namespace sluice::tools {

/// The epoch under way.
struct Sums {
  std::uint64_t batches = 0;
  double loss = 0, weight = 0;  ///< weight: what the mean loss divides by
  double norms = 0, clipped_norms = 0;
  std::uint64_t targets = 0, correct = 0;
  double learning_rate = 0;  ///< of the last step
};

/// The weights to fall back on: of the best validated epoch, or of the last one where nothing is
/// held out.
struct Best {
  int epoch = 0;            ///< 0: none yet
  double value = worst;     ///< as monitor.h has it
  std::string model, real;  ///< blobs, as Trained has them
  std::vector<std::string> warnings;
};

struct TrainState {
  std::vector<Epoch> epochs;  ///< complete ones
  Sums sums;
  Best best;
  Patience patience;
  Plateau plateau;
  std::string trainer;         ///< sluice_train_save
  std::vector<float> carried;  ///< states between a stream's pieces (train.carry)
  std::vector<float> mask;     ///< of what is pruned (train.prune)
  std::vector<float> unit;     ///< of a training for fixed point: what its passes round by
  std::vector<double> peaks;   ///< and what that is made of
};

/// A checkpoint's bytes: a header of 64 (magic, version, CRC-32, length), what the training says of
/// its making, the state; in this machine's byte order.
/// @param made  as made_json() gives it: of what recipe, data and version it is
std::string checkpoint_bytes(const TrainState& state, const std::string& made);

/// Refuses (exit code 2) a checkpoint that is damaged, or that is not of what `made` says.
/// @param file  for messages
TrainState read_checkpoint(const std::string& bytes, const std::string& made,
                           const std::string& file);

}  // namespace sluice::tools
