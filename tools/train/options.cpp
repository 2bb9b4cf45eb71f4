// A recipe as the trainer's options: epochs become steps.
#include <algorithm>
#include <limits>

#include "../common/error.h"
#include "train.h"

namespace sluice::tools {
namespace {

constexpr std::uint32_t shard = 8;             // sequences that the trainer takes as one piece of work
constexpr std::uint32_t shards_in_flight = 8;  // memory, not bits

sluice_optimizer optimizer_of(const std::string& name) {
  if (name == "sgd") return SLUICE_SGD;
  if (name == "rmsprop") return SLUICE_RMSPROP;
  return name == "adamw" ? SLUICE_ADAMW : SLUICE_ADAM;
}

sluice_schedule schedule_of(const std::string& name) {
  if (name == "step" || name == "exponential") return SLUICE_STEPS;
  if (name == "one-cycle") return SLUICE_ONE_CYCLE;
  return name == "cosine" ? SLUICE_COSINE : SLUICE_CONSTANT;
}

/// Epochs in the trainer's steps.
std::uint32_t steps_of(const Recipe& recipe, const Split& split, std::uint64_t epochs, const char* key) {
  const std::uint64_t steps = epochs * batches_of(recipe, split);
  if (steps > std::numeric_limits<std::uint32_t>::max())
    refuse("{}: {} steps; train for fewer epochs or with larger batches", where(recipe, key), steps);
  return std::uint32_t(steps);
}

}  // namespace

std::size_t batch_size(const Recipe& recipe, const Split& split) {
  return recipe.batch == all_at_once ? split.train.size() : std::size_t(recipe.batch);
}

std::uint64_t batches_of(const Recipe& recipe, const Split& split) {
  const std::size_t size = batch_size(recipe, split);
  return (split.train.size() + size - 1) / size;
}

sluice_train_options train_options(const Recipe& recipe, const DataSet& data, const Split& split) {
  sluice_train_options options = sluice_train_defaults();
  options.loss = recipe.loss == "mse" ? SLUICE_MSE : SLUICE_CROSS_ENTROPY;
  options.optimizer = optimizer_of(recipe.optimizer);
  options.schedule = schedule_of(recipe.schedule);
  options.total_steps = steps_of(recipe, split, std::uint64_t(recipe.epochs), "train.epochs");
  options.learning_rate = float(recipe.learning_rate);
  options.beta1 = float(recipe.beta1);
  options.beta2 = float(recipe.beta2);
  options.epsilon = float(recipe.epsilon);
  options.weight_decay = float(recipe.weight_decay);
  options.momentum = float(recipe.momentum);
  options.nesterov = recipe.nesterov;
  options.alpha = float(recipe.alpha);
  const std::uint64_t every = recipe.schedule == "exponential" ? 1 : std::uint64_t(recipe.schedule_every);
  options.schedule_every = steps_of(recipe, split, every, "train.schedule_every");
  options.schedule_factor = float(recipe.schedule_factor);
  options.warmup_steps = steps_of(recipe, split, std::uint64_t(recipe.warmup), "train.warmup");
  options.l1 = float(recipe.l1);
  options.proximal = recipe.l1_step == "proximal";
  options.l2 = float(recipe.l2);
  options.clip_value = float(recipe.clip_value);
  options.clip_norm = float(recipe.clip_norm);
  options.dropout_input = float(recipe.dropout_input);
  options.dropout_output = float(recipe.dropout_output);
  options.seed = std::uint64_t(recipe.seed);
  options.max_sequences = std::uint32_t(std::min(batch_size(recipe, split), split.train.size()));
  options.max_steps = 1;
  for (std::size_t s : split.train) options.max_steps = std::max(options.max_steps, std::uint32_t(data.steps(s)));
  options.shards = std::min(shards_in_flight, (options.max_sequences + shard - 1) / shard);
  return options;
}

}  // namespace sluice::tools
