// Training: a recipe and data in, a blob and a log out. Nothing here depends on a clock, a thread count or an instruction set.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../common/model_file.h"
#include "../convert/network.h"
#include "../data/data.h"
#include "../recipe.h"
#include "evaluate.h"

namespace sluice::tools {

/// The recipe's network for this data: standardization by the statistics of the sequences trained on (where the recipe wants
/// it), then the recipe's layers with initial weights; a last linear Dense that answers values begins at their mean. Refused
/// where the layers do not fit the data.
Network make_network(const Recipe& recipe, const DataSet& data, const Split& split);

/// Refuses (exit code 2) a network that is over the recipe's [device] budget, saying by how much and what would fit.
void check_device(const Recipe& recipe, const Network& network);

/// "cortex-m4, int8: flash 6,768 of 7,168 bytes; instructions 11,745": what a network costs on the recipe's device; empty
/// without one.
std::string device_verdict(const Recipe& recipe, const Network& network);

/// Refuses (exit code 2) a network without integer form, where the recipe trains for fixed point.
void check_aware(const Recipe& recipe, const Network& network);

/// Initial weights as PyTorch draws them: GRU U(-1/sqrt(units), 1/sqrt(units)), Dense U(-1/sqrt(inputs), 1/sqrt(inputs)),
/// biases too. A number depends on the seed and on its place in the network alone.
void initialize(Network& network, std::uint64_t seed);

/// How the held out sequences fare.
struct HeldOut {
  double loss = 0, accuracy = 0;
};

/// One epoch, as a line of log.jsonl has it.
struct Epoch {
  int number = 0;                   ///< from 1
  double loss = 0, accuracy = 0;    ///< over the training sequences, with dropout; accuracy of classes only
  double gradient_norm = 0;         ///< mean over the steps, before clipping
  double learning_rate = 0;         ///< of the last step
  std::optional<HeldOut> held_out;  ///< where sequences are held out
};

struct Trained {
  OwnedModel model;                   ///< the weights to keep
  OwnedModel real;                    ///< of a training for fixed point: the float weights that `model` was made of; else empty
  std::vector<std::string> warnings;  ///< of quantization
  std::vector<Epoch> epochs;          ///< complete ones
  int kept = 0;                       ///< the epoch whose weights `model` has; 0: the weights where it was interrupted
  bool interrupted = false;           ///< by SIGINT: `model` is the best so far by validation loss, without one the latest
};

/// Trains a network on the split's sequences. Shows progress on standard error.
Trained train(const Recipe& recipe, const DataSet& data, const Split& split, const Network& start);

/// One JSON object an epoch.
std::string log_lines(const std::vector<Epoch>& epochs, bool classes);

/// Refuses a folder that is not one, or that holds a run when not `force`; fails where it cannot be made or written. Leaves
/// nothing behind.
void check_run_folder(const std::string& folder, bool force);

struct RunFile {
  std::string name, bytes;
};

/// Writes a run's files into the folder: all of them to disk first, then renamed one by one.
void write_run(const std::string& folder, const std::vector<RunFile>& files);

}  // namespace sluice::tools
