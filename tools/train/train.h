// Training: a recipe and data in, a blob and a log out. Nothing here depends on a clock, a thread
// count or an instruction set.
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

/// The recipe's network for this data: standardization by the statistics of the sequences trained
/// on (where the recipe wants it), then the recipe's layers with initial weights; a last linear
/// Dense that answers values begins at their mean. Refused where the layers do not fit the data.
Network make_network(const Recipe& recipe, const DataSet& data, const Split& split);

/// Refuses (exit code 2) a network that is over the recipe's [device] budget, saying by how much
/// and what would fit.
void check_device(const Recipe& recipe, const Network& network);

/// Refuses (exit code 2) a [device] that contradicts itself, whatever the network.
void check_device_keys(const Recipe& recipe);

/// What it costs there, from its shape; the recipe names a core.
DeviceCost cost_on_device(const Recipe& recipe, const Network& network);

/// The limits of a recipe's [device], and the number format that will run there.
Budget budget_of(const Recipe& recipe);
sluice_format device_format(const Recipe& recipe);

/// "cortex-m4, int8: flash 6,768 of 7,168 bytes; instructions 11,745": what a network costs on the
/// recipe's device; empty without one.
std::string device_verdict(const Recipe& recipe, const Network& network);

/// Refuses (exit code 2) a network without integer form, where the recipe trains for fixed point.
void check_aware(const Recipe& recipe, const Network& network);

/// How weights begin, as the keys model.init.* say it.
struct Initializers {
  Initializer input = {}, recurrent = {}, output = {}, bias = {};
  double forget_bias = 0, update_bias = 0;  ///< added
};

/// Initial weights; as PyTorch draws them: recurrent layers U(-1/sqrt(units), 1/sqrt(units)), Dense
/// U(-1/sqrt(inputs), 1/sqrt(inputs)), biases too, embeddings N(0, 1), normalizations 1 and 0;
/// biases of gates that share a chain 1, and of their two numbers zeta 1 and nu -4. A number
/// depends on the seed and on its place in the network alone.
void initialize(Network& network, std::uint64_t seed, const Initializers& how = {});

/// How a head fares on the held out sequences.
struct HeadScore {
  std::string name;
  double loss = 0, measure = 0;
  bool share = false;  ///< the measure is an accuracy, else a root mean squared error
};

/// How the held out sequences fare.
struct HeldOut {
  double loss = 0, accuracy = 0;
  double watched = 0;                 ///< what train.monitor says
  std::vector<HeadScore> heads = {};  ///< of an answer in several parts
};

/// One epoch, as a line of log.jsonl has it.
struct Epoch {
  int number = 0;  ///< from 1
  double loss = 0,
         accuracy = 0;  ///< over the training sequences, with dropout; accuracy of classes only
  double gradient_norm = 0;          ///< mean over the steps, before clipping
  double gradient_norm_clipped = 0;  ///< the same after it
  double learning_rate = 0;          ///< of the last step
  double weight_norms[weight_group_count] =
      {};  ///< at the end; negative where the network has no such weights
  std::vector<double>
      zero_blocks;  ///< where it prunes: of each recurrent layer's blocks the share that is zero
  std::optional<HeldOut> held_out;  ///< where it was validated
};

struct Trained {
  OwnedModel model;  ///< the weights to keep
  OwnedModel real;   ///< of a training for fixed point: the float weights that `model` was made of;
                     ///< else empty
  std::vector<std::string> warnings;  ///< of quantization
  std::vector<Epoch> epochs;          ///< complete ones
  int kept = 0;  ///< the epoch whose weights `model` has; 0: see interrupted, diverged
  bool interrupted =
      false;  ///< by SIGINT: `model` is the best validated so far, without one the latest
  std::string diverged;  ///< what was seen where the training had to stop; `model` is the best so
                         ///< far, or the start
};

struct TrainState;  // checkpoint.h

/// Where a training keeps what it needs to go on.
struct Keeping {
  const RunFolder& folder;
  std::string recipe;                 ///< the text of a run that begins
  const TrainState* state = nullptr;  ///< of the folder's checkpoint, to go on from; null: begins
};

/// A part of a training, for a search that puts trainings aside and takes them up again. It shows
/// no progress.
struct Stint {
  std::int64_t until = 0;       ///< the epoch to end with; 0: the recipe's last
  std::string checkpoint = {};  ///< to go on from, empty: begins; then where it was left
  bool complete = false;        ///< then: nothing is left to do
};

/// Trains a network on the split's sequences. Shows progress on standard error.
/// @param keeping   null: in memory alone
/// @param state     what to go on from without `keeping`; null: begins
/// @param together  ranks(): all ranks train this one network, and must all call this; otherwise
/// this process alone does
/// @param stint     null: from beginning to end
Trained train(const Recipe& recipe, const DataSet& data, const Split& split, const Network& start,
              const Keeping* keeping = nullptr, const TrainState* state = nullptr,
              const Ranks& together = {}, Stint* stint = nullptr);

/// What the trainer is told: the recipe, with epochs as steps and the sizes of the data. May be
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

/// Refuses (exit code 2) a network whose answers cannot be folded into the data's own units, where
/// the recipe wants that.
void check_foldable(const Recipe& recipe, const Network& network);

/// A model that answers standardized values, as one that answers them in their own units: its last
/// layer's weights and biases times the deviations, and plus the means.
OwnedModel in_own_units(const OwnedModel& model, const Units& units);

/// A model of differences from the last frame, as one whose last layer adds that frame's values.
/// @param targets  columns that are answered, over and over for every row of the horizon
OwnedModel adding_input(const OwnedModel& model, const std::vector<std::string>& targets);

/// A line of the log: one JSON object.
/// @param monitor  as train.monitor has it
std::string log_line(const Epoch& epoch, bool classes, Monitor monitor = Monitor::loss);

/// The square root of each group's sum of squares, into Epoch::weight_norms.
void measure_weights(const Network& network, Epoch& epoch);

/// Of a batch's gradient, as text: the first layer, counted as the recipe does, and its array that
/// are not finite; where all are, those of the largest norm.
std::string blame(const std::vector<LayerSpec>& layers, const OwnedModel& start,
                  const float* gradient);

}  // namespace sluice::tools
