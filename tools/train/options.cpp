// Converts a recipe to the trainer's options, in which epochs are steps.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <set>

#include "../common/error.h"
#include "../convert/quantize.h"
#include "../data/files.h"
#include "../data/parse_number.h"
#include "../model/graph.h"
#include "../recipe/heads.h"
#include "batches.h"
#include "runtime/anatomy.h"
#include "train.h"

namespace sluice::tools {
namespace {

constexpr std::uint32_t shard = 8;  // sequences in a task of the trainer
// in memory at the same time; does not affect the bits
constexpr std::uint32_t shards_of_group = 8;

sluice_optimizer optimizer_of(Optimizer optimizer) {
  if (optimizer == Optimizer::sgd) return SLUICE_SGD;
  if (optimizer == Optimizer::rmsprop) return SLUICE_RMSPROP;
  return optimizer == Optimizer::adamw ? SLUICE_ADAMW : SLUICE_ADAM;
}

sluice_schedule schedule_of(Schedule schedule) {
  if (schedule == Schedule::step || schedule == Schedule::exponential) return SLUICE_STEPS;
  if (schedule == Schedule::one_cycle) return SLUICE_ONE_CYCLE;
  return schedule == Schedule::cosine ? SLUICE_COSINE : SLUICE_CONSTANT;
}

/// Returns epochs as steps of the trainer.
std::uint32_t steps_of(const Recipe& recipe, const Split& split, std::uint64_t epochs,
                       const char* key) {
  const std::uint64_t steps = epochs * batches_of(recipe, split);
  if (steps > std::numeric_limits<std::uint32_t>::max())
    refuse("{}: {} steps; train for fewer epochs or with larger batches", where(recipe, key),
           steps);
  return std::uint32_t(steps);
}

sluice_loss loss_of(LossKind loss) {
  if (loss == LossKind::binary) return SLUICE_BINARY;
  if (loss == LossKind::huber) return SLUICE_HUBER;
  return loss == LossKind::mse || loss == LossKind::mse_sum ? SLUICE_MSE : SLUICE_CROSS_ENTROPY;
}

/// Returns targets / (classes * targets of the class); 1 for a class without targets.
std::vector<float> balanced_weights(const DataSet& data, const Split& split) {
  std::vector<double> count(data.labels.size());
  double all = 0;
  for (const std::size_t s : split.train)
    for (std::size_t i = data.target_begin(s); i < data.target_begin(s) + data.targets(s); ++i)
      if (data.target[i] >= 0) count[std::size_t(data.target[i])] += 1, all += 1;
  std::vector<float> weights;
  for (const double n : count)
    weights.push_back(n > 0 ? float(all / (double(count.size()) * n)) : 1.0f);
  return weights;
}

std::vector<float> class_weights(const Recipe& recipe, const DataSet& data, const Split& split) {
  if (recipe.class_weights.kind == ClassWeighting::none) return {};
  if (recipe.class_weights.kind == ClassWeighting::balanced) return balanced_weights(data, split);
  const std::string place = where(recipe, "train.class_weights");
  std::vector<float> weights;
  std::string_view rest = recipe.class_weights.numbers;
  while (!rest.empty()) {
    std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    const std::optional<float> weight = parse_float(word);
    if (!weight || !(*weight >= 0) || *weight > 1e6f)
      refuse(
          "{}: \"{}\" is not a weight; give none, balanced, or numbers of 0 or more, such as \"1, "
          "2.5\"",
          place, word);
    weights.push_back(*weight);
  }
  if (std::all_of(weights.begin(), weights.end(), [](float w) { return w == 0; }))
    refuse("{}: every class has weight 0; then nothing is learned", place);
  if (weights.size() != data.labels.size())
    refuse("{}: {} weights, but {} has {} classes; give each its weight, in the order of labels",
           place, weights.size(), shown_files(recipe.train_file), data.labels.size());
  return weights;
}

std::vector<sluice_penalty> penalties(const Recipe& recipe) {
  std::vector<sluice_penalty> all;
  for (int g = 0; g < weight_group_count; ++g) {
    const double elastic = g == SLUICE_BIASES ? 0 : recipe.elastic;
    all.push_back({float(recipe.l1.of[g] + elastic * recipe.l1_ratio),
                   float(recipe.l2.of[g] + elastic * (1 - recipe.l1_ratio)),
                   float(recipe.weight_decay.of[g]), float(recipe.max_norm.of[g])});
  }
  return all;
}

/// Returns whether a layer of this kind has an array that training changes.
bool learns(sluice_layer_kind kind) {
  const Anatomy& anatomy = anatomy_of(std::uint32_t(kind));
  return std::any_of(anatomy.array, anatomy.array + anatomy.arrays,
                     [](const ArrayAnatomy& array) { return array.trained; });
}

/// [layers of the recipe] Returns which layers are frozen.
std::vector<bool> frozen_layers(const Recipe& recipe) {
  std::vector<bool> frozen(recipe.layers.size());
  for (const std::string& text : recipe.freeze) {
    const std::optional<long long> number = parse_integer(text);
    if (!number || *number < 1 || std::size_t(*number) > frozen.size())
      refuse("{}: \"{}\" is not a layer; give 1 to {}", where(recipe, "model.freeze"), text,
             frozen.size());
    const sluice_layer_kind kind = recipe.layers[std::size_t(*number - 1)].kind;
    if (!learns(kind))
      refuse("{}: layer {} is of kind {}, which has nothing to learn; leave it out",
             where(recipe, "model.freeze"), *number, sluice_layer_name(std::uint32_t(kind)));
    frozen[std::size_t(*number - 1)] = true;
  }
  bool any_learns = false;
  for (std::size_t l = 0; l < frozen.size(); ++l)
    any_learns = any_learns || (!frozen[l] && learns(recipe.layers[l].kind));
  if (!any_learns)
    refuse("{}: every layer; then nothing is left to learn", where(recipe, "model.freeze"));
  return frozen;
}

/// Returns the sources of the last layer; if the answer has several parts, the sources of its
/// heads, each once.
std::vector<std::uint32_t> sources_of_answer(const Recipe& recipe, const Network& network) {
  if (heads_of(recipe).empty()) return sources_of(network, network.layers.size() - 1);
  std::set<std::uint32_t> all;
  for (const std::uint32_t head : answers_of(network))
    for (const std::uint32_t source : sources_of(network, head - 1)) all.insert(source);
  return {all.begin(), all.end()};
}

/// Returns the dropout rates of each layer of the network, and whether it is frozen.
std::vector<sluice_layer_options> layer_options(const Recipe& recipe, const Network& network) {
  std::vector<sluice_layer_options> all(network.layers.size());
  std::size_t at = 0;
  while (only_prepares(network.layers[at])) ++at;
  const auto drop = [&](std::uint32_t source, double rate) {
    if (source == 0) return;
    float& there = all[source - 1].dropout;
    // of two rates: the share that neither drops
    there = float(1 - (1 - double(there)) * (1 - rate));
  };
  const std::size_t first = at;
  if (network.layers[at].kind == SLUICE_EMBEDDING) drop(1, recipe.dropout_input);
  const std::vector<bool> frozen = frozen_layers(recipe);
  for (const LayerSpec& spec : recipe.layers)
    for (std::int64_t i = 0; i < spec.repeat; ++i, ++at) {
      all[at].frozen = frozen[std::size_t(&spec - recipe.layers.data())];
      const double state =
          spec.recurrent_dropout >= 0 ? spec.recurrent_dropout : recipe.dropout_recurrent;
      if (spec.recurrent())
        all[at].recurrent_dropout = float(state), all[at].gate_dropout = float(spec.gate_dropout);
      drop(std::uint32_t(at) + 1, spec.dropout);
    }
  for (const std::uint32_t source : sources_of_answer(recipe, network))
    if (source > first) drop(source, recipe.dropout_output);
  return all;
}

/// A loss and a weight for each head, in the answer's order.
std::vector<sluice_answer_options> answer_options(const Recipe& recipe) {
  std::vector<sluice_answer_options> all;
  for (const Head& head : heads_of(recipe))
    all.push_back({std::uint32_t(head.loss), float(head.weight)});
  return all;
}

/// Returns the first batch normalization that gets one value of each unit from a batch of one
/// sequence; nothing if there is none. Its variance is then 0, and it answers its shift, whatever
/// enters.
std::string single_value_norm(const DataSet& data, const Split& split, const Network& network) {
  const bool one_step = std::any_of(split.train.begin(), split.train.end(),
                                    [&](std::size_t s) { return data.steps(s) == 1; });
  const std::vector<bool> once = one_row_per_sequence(network);
  for (std::size_t l = 0; l < once.size(); ++l)
    if (network.layers[l].kind == SLUICE_BATCH_NORM && (once[l] || one_step))
      return layer_name(network, network.layers[l]);
  return "";
}

void check_batch_norm(const Recipe& recipe, const DataSet& data, const Split& split,
                      const Network& network) {
  if (batch_size(recipe, split) > 1) return;
  if (const std::string name = single_value_norm(data, split, network); !name.empty())
    refuse(
        "{}: a batch has one sequence, and {} then has one value of each unit, from which no "
        "variance can be taken; give 2 or more, or leave batch_norm out",
        where(recipe, "train.batch"), name);
}

}  // namespace

std::string batch_norm_warning(const Recipe& recipe, const DataSet& data, const Split& split,
                               const Network& network) {
  const std::size_t size = batch_size(recipe, split), n = split.train.size();
  if (recipe.carries() || n % size != 1) return "";
  const std::string name = single_value_norm(data, split, network);
  return name.empty() ? ""
                      : fmt::format(
                            "{} sequences in batches of {} leave a last batch of one, of which {} "
                            "has one value of each unit and can take no variance; another "
                            "train.batch avoids it",
                            n, size, name);
}

TrainPlan train_plan(const Recipe& recipe, const DataSet& data, const Split& split,
                     const Network& network) {
  check_batch_norm(recipe, data, split, network);
  TrainPlan plan;
  sluice_train_options& options = plan.options;
  options = sluice_train_defaults();
  options.loss = loss_of(recipe.loss);
  options.sum_over_steps = recipe.loss == LossKind::mse_sum;
  options.huber_delta = float(recipe.huber_delta);
  options.label_smoothing = float(recipe.label_smoothing);
  plan.class_weights = class_weights(recipe, data, split);
  if (!plan.class_weights.empty()) options.class_weights = plan.class_weights.data();
  plan.answers = answer_options(recipe);
  if (!plan.answers.empty()) options.answers = plan.answers.data();
  plan.layers = layer_options(recipe, network);
  if (!data.is_text()) options.dropout_input = float(recipe.dropout_input);
  options.layers = plan.layers.data();
  if (recipe.batch_norm == BatchNorm::keras)
    options.batch_norm_momentum = 0.01f, options.batch_norm_biased = 1;
  options.optimizer = optimizer_of(recipe.optimizer);
  options.schedule = schedule_of(recipe.schedule);
  options.total_steps = steps_of(recipe, split, std::uint64_t(recipe.epochs), "train.epochs");
  options.learning_rate = float(recipe.learning_rate);
  options.beta1 = float(recipe.beta1);
  options.beta2 = float(recipe.beta2);
  options.epsilon = float(recipe.epsilon);
  plan.penalties = penalties(recipe);
  options.penalties = plan.penalties.data();
  options.embedding_rows = recipe.embedding_rows == EmbeddingRows::seen;
  options.momentum = float(recipe.momentum);
  options.nesterov = recipe.nesterov;
  options.alpha = float(recipe.alpha);
  const std::uint64_t every =
      recipe.schedule == Schedule::exponential ? 1 : std::uint64_t(recipe.schedule_every);
  options.schedule_every = steps_of(recipe, split, every, "train.schedule_every");
  options.schedule_factor = float(recipe.schedule_factor);
  options.warmup_steps = steps_of(recipe, split, std::uint64_t(recipe.warmup), "train.warmup");
  plan.prune = prune_plan(recipe, split);
  const auto learns = [&](const Layer& l) {
    return recurrent(l) && l.rank == 0 &&
           !plan.layers[std::size_t(&l - network.layers.data())].frozen;
  };
  if (recipe.prune > 0 && std::none_of(network.layers.begin(), network.layers.end(), learns))
    refuse(
        "{}: no recurrent layer of whole matrices learns, and no other one is pruned; leave it out",
        where(recipe, "train.prune"));
  options.proximal = recipe.l1_step == L1Step::proximal;
  options.clip_value = float(recipe.clip_value);
  options.clip_norm = float(recipe.clip_norm);
  options.seed = std::uint64_t(recipe.seed);
  options.max_sequences = std::uint32_t(std::min(batch_size(recipe, split), split.train.size()));
  options.max_steps = 1;
  for (std::size_t s : split.train)
    options.max_steps = std::max(options.max_steps, std::uint32_t(data.steps(s)));
  options.shards = std::min(shards_of_group, (options.max_sequences + shard - 1) / shard);
  return plan;
}

}  // namespace sluice::tools
