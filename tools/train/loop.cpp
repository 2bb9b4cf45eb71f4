// The training loop: epochs, batches, validation by the blob, early stopping.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "../common/crew.h"
#include "../common/error.h"
#include "../common/progress.h"
#include "../common/shuffle.h"
#include "aware.h"
#include "sluice_train.h"
#include "train.h"

namespace sluice::tools {
namespace {

constexpr std::uint32_t shard = 8;             // sequences that the trainer takes as one piece of work
constexpr std::uint32_t shards_in_flight = 8;  // memory, not bits
constexpr int plain_lines = 20;                // of progress, where there is no terminal

volatile std::sig_atomic_t interrupt_seen = 0;

/// Notes SIGINT while it lives; a second one ends the process at once.
struct InterruptGuard {
  struct sigaction before {};
  InterruptGuard() {
    interrupt_seen = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { interrupt_seen = 1; };
    action.sa_flags = SA_RESETHAND;
    sigaction(SIGINT, &action, &before);
  }
  ~InterruptGuard() { sigaction(SIGINT, &before, nullptr); }
};

sluice_sequence sequence_of(const DataSet& data, std::size_t s) {
  sluice_sequence sequence{};
  sequence.x = data.frames(s);
  sequence.steps = std::uint32_t(data.steps(s));
  sequence.number = s;
  if (data.classes) sequence.classes = data.target.data() + data.target_begin(s);
  if (!data.classes) sequence.values = data.value.data() + data.target_begin(s) * data.outputs();
  return sequence;
}

std::uint64_t batches_of(const Recipe& recipe, const Split& split) {
  return (split.train.size() + std::uint64_t(recipe.batch) - 1) / std::uint64_t(recipe.batch);
}

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

sluice_train_options options_of(const Recipe& recipe, const DataSet& data, const Split& split) {
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
  options.max_sequences = std::uint32_t(std::min<std::size_t>(std::size_t(recipe.batch), split.train.size()));
  options.max_steps = 1;
  for (std::size_t s : split.train) options.max_steps = std::max(options.max_steps, std::uint32_t(data.steps(s)));
  options.shards = std::min(shards_in_flight, (options.max_sequences + shard - 1) / shard);
  return options;
}

/// Everything that one training holds.
struct Loop {
  const Recipe& recipe;
  const DataSet& data;
  const Split& split;
  Crew crew;
  OwnedModel start;                        ///< the trainer works on a copy of its weights
  std::unique_ptr<Aware> aware = nullptr;  ///< where the recipe wants it
  AlignedBytes arena = AlignedBytes();
  sluice_trainer trainer = {};
  Progress progress = {};
};

void need(sluice_status status) {
  if (status != SLUICE_OK) fail("training: {}: {}", sluice_status_name(status), sluice_status_text(status));
}

/// The weights so far, as a blob that is open.
OwnedModel weights_so_far(const Loop& loop) {
  AlignedBytes blob(loop.start.blob.size);
  std::memcpy(blob.data.get(), loop.start.blob.data.get(), blob.size);
  need(sluice_train_store(&loop.trainer, blob.data.get(), blob.size));
  OwnedModel model;
  model.blob = std::move(blob);
  need(sluice_open(&model.model, model.blob.data.get(), model.blob.size, wanted_isa()));
  return model;
}

/// The model so far: what a device would run.
struct Snapshot {
  OwnedModel model, real;             ///< real: what training moves, where `model` is in fixed point
  std::vector<std::string> warnings;  ///< of quantization
};

Snapshot snapshot(const Loop& loop) {
  Snapshot result;
  result.model = weights_so_far(loop);
  if (!loop.aware) return result;
  Quantized quantized = loop.aware->make(result.model.model);
  quantized.network.made =
      made_quantized(quantized.network.made, loop.recipe.quantize_type, loop.recipe.quantize_ranges, data_hash(loop.data));
  result.real = std::move(result.model);
  result.model = open_model(write_blob(quantized.network), "the quantized network");
  result.warnings = std::move(quantized.warnings);
  return result;
}

std::string training_text(const Recipe& recipe, const Epoch& epoch) {
  const std::string text = fmt::format("epoch {:{}}/{}  loss {:#.4g}", epoch.number, fmt::formatted_size("{}", recipe.epochs),
                                       recipe.epochs, epoch.loss);
  return recipe.loss == "cross_entropy" ? text + ", accuracy " + percent(epoch.accuracy) : text;
}

std::string validation_text(const Recipe& recipe, const std::optional<HeldOut>& held_out) {
  if (!held_out) return "";
  const std::string text = fmt::format("; validation {:#.4g}", held_out->loss);
  return recipe.loss == "cross_entropy" ? text + ", " + percent(held_out->accuracy) : text;
}

/// One pass over the training sequences; false when it was interrupted.
bool run_epoch(Loop& loop, Epoch& epoch, const std::optional<HeldOut>& held_out_before) {
  const sluice_host host{&loop.crew, crew_for};
  std::vector<std::size_t> order = loop.split.train;
  shuffle(order, std::uint64_t(loop.recipe.seed), std::uint32_t(epoch.number), Purpose::shuffle);
  const std::uint64_t batches = batches_of(loop.recipe, loop.split);
  double loss = 0, norms = 0;
  std::uint64_t targets = 0, correct = 0;
  for (std::uint64_t b = 0; b < batches; ++b) {
    std::vector<sluice_sequence> batch;
    for (std::size_t i = b * std::size_t(loop.recipe.batch); i < order.size() && batch.size() < std::size_t(loop.recipe.batch);
         ++i)
      batch.push_back(sequence_of(loop.aware ? loop.aware->rounded : loop.data, order[i]));
    sluice_train_result result{};
    need(sluice_train_step(&loop.trainer, batch.data(), std::uint32_t(batch.size()), &host, &result));
    if (loop.aware && loop.aware->refused) std::rethrow_exception(loop.aware->refused);
    loss += result.loss_sum, targets += result.targets, correct += result.correct;
    norms += result.gradient_norm;
    epoch.loss = targets ? loss / double(targets) : 0;
    epoch.accuracy = targets ? double(correct) / double(targets) : 0;
    epoch.gradient_norm = norms / double(b + 1);
    epoch.learning_rate = result.learning_rate;
    if (interrupt_seen) return false;
    show_progress(loop.progress, std::uint64_t(epoch.number - 1) * batches + b + 1, training_text(loop.recipe, epoch),
                  validation_text(loop.recipe, held_out_before));
  }
  if (!std::isfinite(epoch.loss) || !std::isfinite(epoch.gradient_norm)) {
    end_progress(loop.progress);
    fail("training diverged in epoch {}: the loss is {}; lower train.learning_rate, or set train.clip_norm", epoch.number,
         epoch.loss);
  }
  return true;
}

bool worth_a_line(const Recipe& recipe, int epoch) {
  const int every = std::max(1, int(recipe.epochs) / plain_lines);
  return epoch == 1 || epoch % every == 0 || epoch == int(recipe.epochs);
}

/// What has been kept so far: the best model by validation loss.
struct Best {
  Snapshot snapshot;
  double loss = std::numeric_limits<double>::infinity();
  int epoch = 0;
};

void run_epochs(Loop& loop, Trained& result, Best& best) {
  std::optional<HeldOut> held_out;
  for (int number = 1; number <= int(loop.recipe.epochs); ++number) {
    Epoch epoch;
    epoch.number = number;
    result.interrupted = !run_epoch(loop, epoch, held_out);
    if (result.interrupted) return;
    if (!loop.split.held_out.empty()) {
      Snapshot now = snapshot(loop);
      const Evaluation evaluation = evaluate(now.model.model, loop.data, loop.split.held_out, loop.crew);
      held_out = epoch.held_out = HeldOut{evaluation.loss, evaluation.accuracy()};
      if (held_out->loss < best.loss) best = {std::move(now), held_out->loss, number};
    } else if (loop.aware) {
      snapshot(loop);  // measures the peaks that the next epoch's roundings use
    }
    result.epochs.push_back(epoch);
    if (worth_a_line(loop.recipe, number))
      progress_line(loop.progress, training_text(loop.recipe, epoch) + validation_text(loop.recipe, held_out));
    result.interrupted = interrupt_seen;
    if (result.interrupted) return;
    if (loop.recipe.patience > 0 && number - best.epoch >= loop.recipe.patience) {
      progress_line(loop.progress, fmt::format("stopped: no lower validation loss in {} epochs", loop.recipe.patience));
      return;
    }
  }
}

/// @param loop  must stay where it is: the trainer points into it
void start_trainer(Loop& loop) {
  sluice_train_options options = options_of(loop.recipe, loop.data, loop.split);
  if (loop.recipe.quantize_aware) {
    loop.aware = std::make_unique<Aware>(loop.recipe, loop.data, loop.split, loop.start);
    options.rounding = &loop.aware->rounding;
  }
  loop.arena = AlignedBytes(std::size_t(sluice_train_needs(&loop.start.model, &options)));
  const sluice_status status =
      sluice_train_start(&loop.trainer, &loop.start.model, &options, loop.arena.data.get(), loop.arena.size);
  if (status != SLUICE_OK) refuse("{}: {}", loop.recipe.file, sluice_status_text(status));
  loop.progress = start_progress(options.total_steps);
}

}  // namespace

Trained train(const Recipe& recipe, const DataSet& data, const Split& split, const Network& start) {
  Loop loop{recipe, data, split, Crew(int(recipe.threads)), open_model(write_blob(start), "the network before training")};
  start_trainer(loop);
  InterruptGuard guard;
  Trained result;
  Best best;
  with_crew(loop.crew, [&] { run_epochs(loop, result, best); });
  end_progress(loop.progress);
  const bool keep_best = best.epoch > 0 && (recipe.patience > 0 || result.interrupted);
  result.kept = keep_best ? best.epoch : result.interrupted ? 0 : int(result.epochs.size());
  Snapshot kept = keep_best ? std::move(best.snapshot) : snapshot(loop);
  result.model = std::move(kept.model), result.real = std::move(kept.real), result.warnings = std::move(kept.warnings);
  return result;
}

std::string log_lines(const std::vector<Epoch>& epochs, bool classes) {
  std::string lines;
  for (const Epoch& epoch : epochs) {
    nlohmann::ordered_json json = {{"epoch", epoch.number}, {"loss", epoch.loss}};
    if (classes) json["accuracy"] = epoch.accuracy;
    json["gradient_norm"] = epoch.gradient_norm;
    json["learning_rate"] = epoch.learning_rate;
    if (epoch.held_out) json["validation_loss"] = epoch.held_out->loss;
    if (epoch.held_out && classes) json["validation_accuracy"] = epoch.held_out->accuracy;
    lines += json.dump() + "\n";
  }
  return lines;
}

}  // namespace sluice::tools
