// Training: makes a blob and a log from a recipe and data. Results do not depend on a clock, a
// thread count or an instruction set.
#pragma once
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "../common/ranks.h"
#include "../convert/budget.h"
#include "../data/data.h"
#include "../evaluate/evaluate.h"
#include "../model/model_file.h"
#include "../model/network.h"
#include "../recipe/recipe.h"
#include "prune.h"
#include "run_folder.h"
#include "sluice_train.h"

namespace sluice::tools {

/// Returns the recipe's network for this data: standardization by the statistics of the training
/// sequences (if the recipe has it), then the recipe's layers with initial weights. A last linear
/// Dense that answers values starts at their mean. Refuses layers that do not fit the data.
Network make_network(const Recipe& recipe, const DataSet& data, const Split& split);

/// Refuses (exit code 2) a network over the recipe's [device] budget, with the excess and a size
/// that would fit.
void check_device(const Recipe& recipe, const Network& network);

/// Refuses (exit code 2) a contradictory [device], whatever the network.
void check_device_keys(const Recipe& recipe);

/// Returns the cost of a network on the recipe's core, from its shape.
DeviceCost cost_on_device(const Recipe& recipe, const Network& network);

/// Return the limits of a recipe's [device], and the number format of its model.
Budget budget_of(const Recipe& recipe);
sluice_format device_format(const Recipe& recipe);

/// Returns the cost of a network on the recipe's device: "cortex-m4, int8: flash 6,768 of 7,168
/// bytes; instructions 11,745". Empty without a device.
std::string device_verdict(const Recipe& recipe, const Network& network);

/// Refuses (exit code 2) a network without an integer form if the recipe trains for fixed point.
/// @param split  of `data`; its training part has the ranges of the features
void check_aware(const Recipe& recipe, const Network& network, const DataSet& data,
                 const Split& split);

/// How weights are initialized, from the keys model.init.*.
struct Initializers {
  Initializer input = {}, recurrent = {}, output = {}, bias = {};
  double forget_bias = 0, update_bias = 0;  ///< added to the biases of these gates
};

/// Draws initial weights as PyTorch does: recurrent layers U(-1/sqrt(units), 1/sqrt(units)), Dense
/// U(-1/sqrt(inputs), 1/sqrt(inputs)), biases alike, embeddings N(0, 1), normalizations 1 and 0.
/// Biases of gates that share a chain are 1, and of their two numbers zeta is 1 and nu -4. Each
/// number depends only on the seed and on its place in the network.
void initialize(Network& network, std::uint64_t seed, const Initializers& how = {});

/// How a head fares on the held out sequences.
struct HeadScore {
  std::string name;
  double loss = 0, measure = 0;
  bool share = false;  ///< the measure is an accuracy, else a root mean squared error
};

/// The measures of the held out sequences.
struct HeldOut {
  double loss = 0, accuracy = 0;
  double watched = 0;                 ///< the measure of train.monitor
  std::vector<HeadScore> heads = {};  ///< of an answer in several parts
};

/// One epoch, as a line of log.jsonl.
struct Epoch {
  int number = 0;  ///< from 1
  double loss = 0,
         accuracy = 0;  ///< over the training sequences, with dropout; accuracy of classes only
  double gradient_norm = 0;          ///< mean over the steps, before clipping
  double gradient_norm_clipped = 0;  ///< mean over the steps, after clipping
  double learning_rate = 0;          ///< of the last step
  /// At the end; negative if the network has no such weights.
  double weight_norms[weight_group_count] = {};
  /// If the recipe prunes: the share of zero blocks of each recurrent layer.
  std::vector<double> zero_blocks;
  std::optional<HeldOut> held_out;  ///< if the epoch was validated
};

struct Trained {
  OwnedModel model;  ///< the weights to keep
  /// In training for fixed point: the float weights that `model` was made of; else empty.
  OwnedModel real;
  std::vector<std::string> warnings;  ///< of quantization
  std::vector<Epoch> epochs;          ///< complete ones
  int kept = 0;                       ///< the epoch of `model`; 0: see interrupted, diverged
  /// Whether SIGINT ended it: `model` is then the best validated one so far, else the latest.
  bool interrupted = false;
  /// Description of a divergence; `model` is then the best one so far, or the start.
  std::string diverged;
};

struct TrainState;  // checkpoint.h

/// Where a training saves its checkpoints.
struct RunStorage {
  const RunFolder& folder;
  std::string recipe;  ///< the text for the folder of a new run
  /// of the folder's checkpoint, to continue from; null: a new training
  const TrainState* state = nullptr;
};

/// A part of a training, for a search that pauses trainings and continues them later. It shows no
/// progress.
struct TrainingSegment {
  std::int64_t until = 0;  ///< the last epoch of this part; 0: the recipe's last
  /// in: to continue from; empty: a new training. out: where it stopped
  std::string checkpoint = {};
  bool complete = false;  ///< out: whether the whole training is complete
};

/// Trains a network on the split's sequences. Shows progress on standard error.
/// @param keeping   null: in memory only
/// @param state     to continue from if `keeping` is null; null: a new training
/// @param together  ranks(): all ranks train this one network, and all must call this; otherwise
/// this process trains alone
/// @param segment     null: from begin to end
Trained train(const Recipe& recipe, const DataSet& data, const Split& split, const Network& start,
              const RunStorage* storage = nullptr, const TrainState* state = nullptr,
              const Ranks& together = {}, TrainingSegment* segment = nullptr);

/// The options of the trainer: the recipe, with epochs as steps, and the sizes of the data. Can be
/// moved; the options point into it.
struct TrainPlan {
  sluice_train_options options = {};
  std::vector<float> class_weights;
  std::vector<sluice_answer_options> answers;  ///< of heads
  std::vector<sluice_layer_options> layers;
  std::vector<sluice_penalty> penalties;
  PrunePlan prune;
};
TrainPlan train_plan(const Recipe& recipe, const DataSet& data, const Split& split,
                     const Network& network);

/// Returns a warning if the last batch of an epoch gives a batch normalization one value of each
/// unit; else an empty text.
std::string batch_norm_warning(const Recipe& recipe, const DataSet& data, const Split& split,
                               const Network& network);

/// Refuses (exit code 2) a network whose answers cannot be converted to the data's own units, if
/// the recipe requires that.
void check_foldable(const Recipe& recipe, const Network& network);

/// Returns a model that answers in the values' own units, from one that answers standardized
/// values: its last layer's weights and biases times the deviations, plus the means.
OwnedModel in_own_units(const OwnedModel& model, const Units& units);

/// Returns a model whose last layer adds the values of the last frame, from a model of differences.
/// @param targets  the answered columns, repeated for every row of the horizon
OwnedModel adding_input(const OwnedModel& model, const std::vector<std::string>& targets);

/// Returns a line of the log: one JSON object.
/// @param monitor  as in train.monitor
std::string log_line(const Epoch& epoch, bool classes, Monitor monitor = Monitor::loss);

/// Stores the square root of each group's sum of squares in Epoch::weight_norms.
void measure_weights(const Network& network, Epoch& epoch);

/// Describes the fault of a batch's gradient: the first layer, counted as in the recipe, and its
/// array that are not finite; if all are finite, those of the largest norm.
std::string gradient_fault(const std::vector<LayerSpec>& layers, const OwnedModel& start,
                           const float* gradient);

}  // namespace sluice::tools
