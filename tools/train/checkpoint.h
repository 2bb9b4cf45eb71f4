// The state of a training between batches, and the checkpoint that stores it: everything needed to
// continue to the same bytes.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "../convert/calibrate.h"
#include "../evaluate/monitor.h"
#include "train.h"

namespace sluice::tools {

/// The running sums of the current epoch.
struct Sums {
  std::uint64_t batches = 0;
  double loss = 0, weight = 0;  ///< weight: divisor of the mean loss
  double norms = 0, clipped_norms = 0;
  std::uint64_t targets = 0, correct = 0;
  double learning_rate = 0;  ///< of the last step
};

/// The weights to keep: those of the best validated epoch, or of the last one if nothing is held
/// out.
struct Best {
  int epoch = 0;            ///< 0: none yet
  double value = worst;     ///< as in monitor.h
  std::string model, real;  ///< blobs, as in Trained
  std::vector<std::string> warnings;
};

struct TrainState {
  std::vector<Epoch> epochs;  ///< complete epochs
  Sums sums;
  Best best;
  Patience patience;
  Plateau plateau;
  std::string trainer;         ///< state of the trainer, from sluice_train_save
  std::vector<float> carried;  ///< states between the pieces of a stream (train.carry)
  std::vector<float> mask;     ///< of pruned weights (train.prune)
  std::vector<float> unit;     ///< for training in fixed point: the units by which passes round
  OutputRanges outputs;        ///< the ranges that these units were computed from
};

/// Returns the bytes of a checkpoint in this machine's byte order: a header of 64 bytes (magic,
/// version, CRC-32, length), the record of recipe, data and version, and the state.
/// @param made  that record, from made_json()
std::string checkpoint_bytes(const TrainState& state, const std::string& made);

/// Reads a checkpoint. Refuses (exit code 2) one that is damaged or has another record than `made`.
/// @param file  name for messages
TrainState read_checkpoint(const std::string& bytes, const std::string& made,
                           const std::string& file);

}  // namespace sluice::tools
