// The training loop: epochs, batches, validation by the blob, early stopping, checkpoints.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "../common/error.h"
#include "../common/progress.h"
#include "../common/thread_pool.h"
#include "../convert/fold.h"
#include "../evaluate/measures.h"
#include "../model/pack.h"
#include "../recipe/made.h"
#include "aware.h"
#include "batches.h"
#include "checkpoint.h"
#include "train.h"

namespace sluice::tools {
namespace {

constexpr int plain_lines = 20;            // lines of progress if there is no terminal
constexpr double least_first_loss = 1e-6;  // lower bound of the loss that divergence is relative to
constexpr double seconds_between_ends = 1;  // least time between checkpoints at ends of epochs

volatile std::sig_atomic_t interrupt_seen = 0;

/// Records SIGINT during its lifetime; a second one ends the process at once.
struct InterruptGuard {
  struct sigaction before{};
  InterruptGuard() {
    interrupt_seen = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { interrupt_seen = 1; };
    action.sa_flags = SA_RESETHAND;
    sigaction(SIGINT, &action, &before);
  }
  ~InterruptGuard() { sigaction(SIGINT, &before, nullptr); }
};

/// @param room  holds the targets if they must be computed, and must outlive the result
sluice_sequence sequence_of(const DataSet& data, std::size_t s, std::vector<float>& room) {
  sluice_sequence sequence{};
  if (data.is_text())
    sequence.ids = data.ids.data() + data.first[s];
  else
    sequence.x = data.frames(s);
  sequence.steps = std::uint32_t(data.steps(s));
  sequence.number = s;
  if (data.classes) sequence.classes = data.target.data() + data.target_begin(s);
  if (data.classes) return sequence;
  sequence.values = data.value.data() + data.value_begin(data.target_begin(s));
  if (!data.difference) return sequence;
  room.resize(data.outputs());
  for (std::size_t k = 0; k < room.size(); ++k) room[k] = data.value_at(s, k);
  sequence.values = room.data();
  return sequence;
}

/// The state of one training.
struct Loop {
  const Recipe& recipe;
  const DataSet& data;
  const Split& split;
  const RunStorage* storage;  ///< null: in memory only
  Ranks ranks;                ///< the ranks that train together
  TrainingSegment* segment;   ///< null: the whole training
  ThreadPool pool;
  OwnedModel start;                        ///< the trainer works on a copy of its weights
  std::unique_ptr<Aware> aware = nullptr;  ///< if the recipe trains for fixed point
  /// [floats of the weight section] Mask of pruned weights; empty: nothing is pruned.
  std::vector<float> mask = {};
  AlignedBytes arena = AlignedBytes();
  TrainPlan plan = TrainPlan();
  sluice_trainer trainer = {};
  TrainState state = TrainState();
  Progress progress = {}, kept = {};  ///< kept: its start is the time of the last checkpoint
  bool told_to_stop = false;          ///< whether one of several ranks was told to stop
  std::exception_ptr lost = nullptr;  ///< exception of the ranks' gather during a batch
};

/// Returns whether the training is to stop. Ranks decide together (gather_for()), so all have the
/// same answer after a batch.
bool is_interrupted(const Loop& loop) {
  return loop.ranks.count == 1 ? interrupt_seen || termination_requested() : loop.told_to_stop;
}

void need(sluice_status status) {
  if (status != SLUICE_OK) fail("training: {}", sluice_status_text(status));
}

/// Returns the current weights as an open blob.
OwnedModel weights_so_far(const Loop& loop) {
  AlignedBytes blob(loop.start.blob.size);
  std::memcpy(blob.data.get(), loop.start.blob.data.get(), blob.size);
  need(sluice_train_store(&loop.trainer, blob.data.get(), blob.size));
  OwnedModel model;
  model.blob = std::move(blob);
  if (sluice_open(&model.model, model.blob.data.get(), model.blob.size, wanted_isa()) != SLUICE_OK)
    fail(
        "training: a weight is no finite number any more; lower train.learning_rate, or set "
        "train.clip_norm");
  return model;
}

/// The current model, as a device would run it.
struct Snapshot {
  OwnedModel model, real;  ///< real: the float weights in training, if `model` is in fixed point
  std::vector<std::string> warnings;  ///< of quantization
};

Snapshot snapshot(const Loop& loop, OwnedModel weights) {
  Snapshot result;
  result.model = std::move(weights);
  if (const Network network = read_network(result.model.model); has_batch_norm(network))
    result.model = open_model(write_blob(folded(network)), "the folded network");
  if (!loop.aware) return result;
  Quantized quantized = loop.aware->make(result.model.model);
  quantized.network.made = made_quantized(quantized.network.made, loop.recipe.quantize_type,
                                          loop.recipe.quantize_ranges, data_hash(loop.data));
  result.real = std::move(result.model);
  result.model = open_model(write_blob(quantized.network), "the quantized network");
  result.warnings = std::move(quantized.warnings);
  return result;
}

Best best_of(const Snapshot& snapshot, int epoch, double value) {
  return {epoch, value, bytes_of(snapshot.model), bytes_of(snapshot.real), snapshot.warnings};
}

Snapshot snapshot_of(const Best& best) {
  Snapshot result;
  result.model = open_model(best.model, "the best model");
  if (!best.real.empty()) result.real = open_model(best.real, "the best model");
  result.warnings = best.warnings;
  return result;
}

// --- checkpoints

std::string checkpoint_of(Loop& loop) {
  TrainState& state = loop.state;
  state.trainer.resize(sluice_train_state_bytes(&loop.trainer));
  need(sluice_train_save(&loop.trainer, state.trainer.data(), state.trainer.size()));
  state.mask = loop.mask;
  if (loop.aware) state.unit = loop.aware->unit, state.outputs = loop.aware->ranges.outputs;
  return checkpoint_bytes(state, loop.start.made());
}

void save(Loop& loop) {
  if (!loop.storage) return;
  save_checkpoint(loop.storage->folder, checkpoint_of(loop));
  loop.kept = start_progress(1);
}

/// Saves a checkpoint if this many seconds have passed since the last one.
void save_after(Loop& loop, double seconds) {
  if (loop.storage && seconds_since_start(loop.kept) >= seconds) save(loop);
}

/// Returns whether a checkpoint's best model has the inputs and outputs of the network, so that it
/// can be run on the data.
bool fits(const Loop& loop, const std::string& blob, const std::string& file) {
  const sluice_info model = open_model(blob, file + ": its best model").info(),
                    start = loop.start.info();
  return model.inputs == start.inputs && model.outputs == start.outputs &&
         model.vocabulary == start.vocabulary && model.every_step == start.every_step &&
         model.whole_sequences == start.whole_sequences;
}

bool same_sizes(const NumberRanges& a, const NumberRanges& b) {
  return a.low.size() == b.low.size() && a.high.size() == b.high.size();
}

bool same_sizes(const OutputRanges& a, const OutputRanges& b) {
  const auto alike = [](const NumberRanges& x, const NumberRanges& y) { return same_sizes(x, y); };
  return a.peak.size() == b.peak.size() && same_sizes(a.answer, b.answer) &&
         std::equal(a.each.begin(), a.each.end(), b.each.begin(), b.each.end(), alike);
}

/// Refuses (exit code 2) a state that no training of this network can have; a checkpoint's checksum
/// may be right and its numbers wrong.
void check_state(const Loop& loop, const TrainState& state, const std::string& file) {
  bool sound = state.epochs.size() <= std::size_t(loop.recipe.last_epoch()) &&
               state.sums.batches <= batches_of(loop.recipe, loop.split);
  for (std::size_t i = 0; i < state.epochs.size(); ++i)
    sound = sound && state.epochs[i].number == int(i) + 1;
  sound = sound && state.carried.size() == loop.state.carried.size() &&
          state.mask.size() == loop.mask.size();
  sound = sound && state.plateau.factor > 0 && state.plateau.factor <= 1;
  if (loop.aware)
    sound = sound && state.unit.size() == loop.aware->unit.size() &&
            same_sizes(state.outputs, loop.aware->ranges.outputs);
  sound = sound && state.best.epoch >= 0 && state.best.epoch <= int(state.epochs.size());
  if (sound && state.best.epoch > 0)
    sound = fits(loop, state.best.model, file) && state.best.real.empty() == !loop.aware &&
            (!loop.aware || fits(loop, state.best.real, file));
  if (!sound) refuse("{}: is of another network, or damaged; train from the start", file);
}

void restore(Loop& loop, const TrainState& state, const std::string& file) {
  check_state(loop, state, file);
  try {
    need(sluice_train_restore(&loop.trainer, state.trainer.data(), state.trainer.size()));
    weights_so_far(loop);  // refuses weights that are not finite
  } catch (const Error&) {
    refuse("{}: is of another network, or damaged; train from the start", file);
  }
  std::copy(state.mask.begin(), state.mask.end(),
            loop.mask.begin());  // in place, since the trainer points to it
  loop.state = state;
  if (!loop.aware) return;
  // in place, since the trainer points to it
  std::copy(state.unit.begin(), state.unit.end(), loop.aware->unit.begin());
  loop.aware->ranges.outputs = state.outputs;
}

/// Creates the files of a new training, or restores those of a previous one.
void begin(Loop& loop, const TrainState* state) {
  std::optional<TrainState> paused;
  if (loop.storage) state = loop.storage->state;
  std::string file = loop.storage ? loop.storage->folder.path(checkpoint_file) : checkpoint_file;
  if (loop.segment && !loop.segment->checkpoint.empty()) {
    file = "the trial's checkpoint";
    state = &paused.emplace(read_checkpoint(loop.segment->checkpoint, loop.start.made(), file));
  }
  if (state) restore(loop, *state, file);
  if (!loop.storage) return;
  const RunFolder& folder = loop.storage->folder;
  loop.kept = start_progress(1);
  if (!state) return begin_run(folder, loop.storage->recipe, checkpoint_of(loop));
  std::string lines;
  for (const Epoch& epoch : loop.state.epochs)
    lines += log_line(epoch, loop.data.classes, loop.recipe.monitor);
  restore_log(folder, lines);
}

// --- progress

std::string training_text(const Recipe& recipe, const Epoch& epoch) {
  const std::string text =
      fmt::format("epoch {:{}}/{}  loss {:#.4g}", epoch.number,
                  fmt::formatted_size("{}", recipe.last_epoch()), recipe.last_epoch(), epoch.loss);
  return recipe.target_type == TargetType::classes ? text + ", accuracy " + percent(epoch.accuracy)
                                                   : text;
}

std::string validation_text(const Recipe& recipe, const std::optional<HeldOut>& held_out) {
  if (!held_out) return "";
  std::string text = fmt::format("; validation {:#.4g}", held_out->loss);
  for (const HeadScore& head : held_out->heads)
    text += fmt::format(", {} {}", head.name,
                        head.share ? percent(head.measure) : fmt::format("{:#.4g}", head.measure));
  return recipe.target_type == TargetType::classes ? text + ", " + percent(held_out->accuracy)
                                                   : text;
}

bool worth_a_line(const Recipe& recipe, int epoch) {
  const int last = int(recipe.last_epoch()), every = std::max(1, last / plain_lines);
  return epoch == 1 || epoch % every == 0 || epoch == last;
}

/// Returns the result of the last validation.
std::optional<HeldOut> last_held_out(const TrainState& state) {
  for (auto epoch = state.epochs.rbegin(); epoch != state.epochs.rend(); ++epoch)
    if (epoch->held_out) return epoch->held_out;
  return std::nullopt;
}

// --- batches

double mean_loss(const Sums& sums) { return sums.weight > 0 ? sums.loss / sums.weight : 0; }

/// Returns the current epoch so far.
Epoch epoch_of(const TrainState& state) {
  const Sums& sums = state.sums;
  Epoch epoch;
  epoch.number = int(state.epochs.size()) + 1;
  epoch.loss = mean_loss(sums);
  epoch.accuracy = sums.targets ? double(sums.correct) / double(sums.targets) : 0;
  epoch.gradient_norm = sums.batches ? sums.norms / double(sums.batches) : 0;
  epoch.gradient_norm_clipped = sums.batches ? sums.clipped_norms / double(sums.batches) : 0;
  epoch.learning_rate = sums.learning_rate;
  return epoch;
}

/// Returns a text about a fault of a batch; empty if there is none.
/// @param result  of that batch, which the sums do not include yet
std::string divergence(const Loop& loop, const sluice_train_result& result) {
  if (result.targets == 0) return "";
  const TrainState& state = loop.state;
  const double loss = result.weight > 0 ? result.loss_sum / result.weight : 0;
  const bool finite = std::isfinite(loss) && std::isfinite(result.gradient_norm_clipped);
  const bool compares =
      loop.recipe.diverged > 0 && (state.sums.weight > 0 || !state.epochs.empty());
  const double first = state.epochs.empty() ? mean_loss(state.sums) : state.epochs[0].loss;
  if (finite && !(compares && loss > loop.recipe.diverged * std::max(first, least_first_loss)))
    return "";
  return fmt::format("epoch {}, batch {}: the loss is {:.4g}{}, the gradient's norm {:.4g}; {}",
                     state.epochs.size() + 1, state.sums.batches + 1, std::fabs(loss),
                     finite ? fmt::format(" (the first epoch's {:.4g})", first) : "",
                     std::fabs(result.gradient_norm),
                     gradient_fault(loop.recipe.layers, loop.start,
                                    sluice_train_last_gradient(&loop.trainer)));  // avoids "-nan"
}

void add(Sums& sums, const sluice_train_result& result) {
  sums.batches += 1;
  sums.loss += result.loss_sum, sums.weight += result.weight;
  sums.targets += result.targets, sums.correct += result.correct;
  sums.norms += result.gradient_norm, sums.clipped_norms += result.gradient_norm_clipped;
  sums.learning_rate = result.learning_rate;
}

/// Returns the number of steps so far.
std::uint64_t steps_done(const Loop& loop) {
  return loop.state.epochs.size() * batches_of(loop.recipe, loop.split) + loop.state.sums.batches;
}

/// Chooses the blocks to prune if they are due before the next step.
void choose_mask(Loop& loop) {
  const double share = loop.plan.prune.share_before(steps_done(loop));
  if (share == 0) return;
  const std::vector<std::uint32_t> places = weight_places(loop.start.model);
  const Network weights = read_network(weights_so_far(loop).model);
  Network masks = weights;
  unpack_weights(places, loop.mask.data(), masks);
  std::vector<bool> frozen;
  for (const sluice_layer_options& layer : loop.plan.layers) frozen.push_back(layer.frozen != 0);
  prune(weights, frozen, share, masks);
  pack_weights(places, masks, loop.mask.data());
}

void pool_of(void* loop, std::uint32_t n, void (*task)(void*, std::uint32_t), void* argument) {
  pool_for(&static_cast<Loop*>(loop)->pool, n, task, argument);
}

/// Gathers pieces between ranks, and with them whether one of the ranks is to stop.
int gather_for(void* context, const sluice_piece* pieces, std::uint32_t n) {
  Loop& loop = *static_cast<Loop*>(context);
  std::vector<std::uint8_t> stops(std::size_t(loop.ranks.count));
  stops[std::size_t(loop.ranks.rank)] = interrupt_seen || termination_requested();
  std::vector<sluice_piece> all(pieces, pieces + n);
  for (std::uint32_t rank = 0; rank < stops.size(); ++rank)
    all.push_back({&stops[rank], 1, rank, SLUICE_EVERY_RANK});
  try {
    exchange(all);
  } catch (...) {
    loop.lost = std::current_exception();  // the trainer is C and must not see an exception
    return 1;
  }
  loop.told_to_stop =
      loop.told_to_stop || std::count(stops.begin(), stops.end(), 0) < loop.ranks.count;
  return 0;
}

sluice_train_result step(Loop& loop, const std::vector<std::size_t>& order, std::uint64_t number) {
  const sluice_host host{&loop, pool_of, std::uint32_t(loop.ranks.rank),
                         std::uint32_t(loop.ranks.count), gather_for};
  const std::size_t size = batch_size(loop.recipe, loop.split), begin = number * size;
  const std::size_t floats = loop.state.carried.size() / size;
  std::vector<sluice_sequence> batch;
  std::vector<std::vector<float>> rooms(size);
  for (std::size_t i = begin; i < std::min(begin + size, order.size()); ++i) {
    batch.push_back(
        sequence_of(loop.aware ? loop.aware->rounded : loop.data, order[i], rooms[i - begin]));
    if (floats == 0) continue;
    batch.back().state = loop.state.carried.data() + (i - begin) * floats;
    batch.back().begins = number == 0 || loop.data.begins(order[i]);
  }
  choose_mask(loop);
  sluice_train_result result{};
  const sluice_status status =
      sluice_train_step(&loop.trainer, batch.data(), std::uint32_t(batch.size()), &host, &result);
  if (loop.lost) std::rethrow_exception(loop.lost);
  need(status);
  if (loop.aware && loop.aware->refused) std::rethrow_exception(loop.aware->refused);
  return result;
}

/// Runs the rest of a pass over the training sequences. Returns false if it was interrupted or
/// diverged.
bool run_epoch(Loop& loop, Trained& result) {
  Sums& sums = loop.state.sums;
  const std::uint64_t batches = batches_of(loop.recipe, loop.split),
                      done = loop.state.epochs.size() * batches;
  const std::string before = validation_text(loop.recipe, last_held_out(loop.state));
  const auto number = std::uint32_t(loop.state.epochs.size() + 1);
  const std::vector<std::size_t> order = epoch_order(loop.recipe, loop.data, loop.split, number);
  while (sums.batches < batches) {
    const sluice_train_result of_batch = step(loop, order, sums.batches);
    result.diverged = divergence(loop, of_batch);
    if (!result.diverged.empty()) return false;
    add(sums, of_batch);
    result.interrupted = is_interrupted(loop) && sums.batches < batches;
    if (result.interrupted) return false;
    save_after(loop, double(loop.recipe.checkpoint_seconds));
    show_progress(loop.progress, done + sums.batches,
                  training_text(loop.recipe, epoch_of(loop.state)), before);
  }
  return true;
}

// --- epochs

bool is_validated(const Loop& loop, int epoch) {
  return !loop.split.held_out.empty() &&
         (epoch % loop.recipe.validate_every == 0 || epoch == int(loop.recipe.last_epoch()));
}

/// Decides early stopping, the plateau schedule and the best epoch after a validation.
void update_best(Loop& loop, const Snapshot& now, const Epoch& epoch) {
  TrainState& state = loop.state;
  const Recipe& recipe = loop.recipe;
  const double watched = epoch.held_out ? epoch.held_out->watched : std::nan("");
  const double value = higher_is_better(recipe.monitor) ? -watched : watched;
  // A network that will be pruned further cannot be the best one.
  if (steps_done(loop) > loop.plan.prune.last()) {
    if (value < state.best.value) state.best = best_of(now, epoch.number, value);
    watch(state.patience, value, recipe.min_improvement);
  }
  if (recipe.schedule != Schedule::plateau) return;
  watch(state.plateau, value, recipe.plateau_patience, recipe.schedule_factor,
        recipe.learning_rate);
  need(sluice_train_set_rate(&loop.trainer, state.plateau.factor));
}

void end_epoch(Loop& loop) {
  Epoch epoch = epoch_of(loop.state);
  OwnedModel weights = weights_so_far(loop);
  const Network network = read_network(weights.model);
  measure_weights(network, epoch);
  if (loop.plan.prune.share > 0) epoch.zero_blocks = zero_shares(network);
  // Measures the peaks too, by which the next epoch rounds.
  const Snapshot now = snapshot(loop, std::move(weights));
  if (is_validated(loop, epoch.number)) {
    const Evaluation evaluation = evaluate(now.model.model, loop.data, loop.split.held_out,
                                           loop.pool, {loop.recipe.loss, loop.recipe.huber_delta});
    epoch.held_out = HeldOut{evaluation.loss, evaluation.accuracy(),
                             watched_measure(evaluation, loop.recipe.monitor)};
    for (const Evaluation& head : evaluation.heads) {
      const Measure measure = short_measure(head);
      epoch.held_out->heads.push_back({head.name, head.loss, measure.value, measure.share});
    }
    update_best(loop, now, epoch);
  }
  if (loop.split.held_out.empty()) loop.state.best = best_of(now, epoch.number, worst);
  loop.state.epochs.push_back(epoch);
  loop.state.sums = {};
  if (loop.storage)
    add_to_log(loop.storage->folder, log_line(epoch, loop.data.classes, loop.recipe.monitor));
  if (worth_a_line(loop.recipe, epoch.number))
    progress_line(loop.progress,
                  training_text(loop.recipe, epoch) + validation_text(loop.recipe, epoch.held_out));
}

/// Returns the last epoch of this part of the training.
int last_epoch(const Loop& loop) {
  const std::int64_t last = loop.recipe.last_epoch();
  return int(loop.segment && loop.segment->until > 0 ? std::min(last, loop.segment->until) : last);
}

bool stops_early(const Loop& loop) {
  return loop.recipe.patience > 0 && loop.state.patience.worse >= loop.recipe.patience;
}

void run_epochs(Loop& loop, Trained& result) {
  while (int(loop.state.epochs.size()) < last_epoch(loop) && !stops_early(loop)) {
    result.interrupted = is_interrupted(loop);
    if (result.interrupted || !run_epoch(loop, result)) return;
    end_epoch(loop);
    save_after(loop, std::min(seconds_between_ends, double(loop.recipe.checkpoint_seconds)));
  }
  if (stops_early(loop))
    progress_line(loop.progress, fmt::format("stopped: no better validation {} in {} validations",
                                             word(loop.recipe.monitor), loop.recipe.patience));
}

/// @param loop  must not move, since the trainer holds pointers into it
void start_trainer(Loop& loop) {
  loop.plan = train_plan(loop.recipe, loop.data, loop.split, read_network(loop.start.model));
  sluice_train_options& options = loop.plan.options;
  options.shards *= std::uint32_t(loop.ranks.count);  // as many shards of a group at each rank
  if (loop.plan.prune.share > 0) {
    std::size_t bytes = 0;
    sluice_section(&loop.start.model, SLUICE_SECTION_WEIGHTS, &bytes);
    loop.mask.assign(bytes / sizeof(float), 1.0f);
    options.mask = loop.mask.data();
  }
  if (loop.recipe.carries())
    loop.state.carried.resize(batch_size(loop.recipe, loop.split) *
                              sluice_needs(&loop.start.model, {1, 1}).state / sizeof(float));
  if (loop.recipe.quantize_aware) {
    loop.aware = std::make_unique<Aware>(loop.recipe, loop.data, loop.split, loop.start);
    options.rounding = &loop.aware->rounding;
  }
  loop.arena = AlignedBytes(std::size_t(sluice_train_needs(&loop.start.model, &options)));
  const sluice_status status = sluice_train_start(&loop.trainer, &loop.start.model, &options,
                                                  loop.arena.data.get(), loop.arena.size);
  if (status != SLUICE_OK) refuse("{}: {}", loop.recipe.file, sluice_status_text(status));
}

void start_clock(Loop& loop) {
  const std::uint64_t batches = batches_of(loop.recipe, loop.split);
  loop.progress = start_progress(batches * std::uint64_t(loop.recipe.last_epoch()));
  loop.progress.before = batches * loop.state.epochs.size() + loop.state.sums.batches;
  loop.progress.silent = loop.segment != nullptr;
}

/// Returns the model to keep: that of the best epoch, with early stopping or if the training did
/// not end; else the current one.
Snapshot kept_of(const Loop& loop, Trained& result) {
  const TrainState& state = loop.state;
  const bool validates = !loop.split.held_out.empty(),
             ends = !result.interrupted && result.diverged.empty();
  const bool falls_back = result.interrupted ? validates : ends ? loop.recipe.patience > 0 : true;
  if (falls_back && state.best.epoch > 0) {
    result.kept = state.best.epoch;
    return snapshot_of(state.best);
  }
  if (!result.diverged.empty())
    return snapshot(loop, open_model(bytes_of(loop.start), "the network before training"));
  if (ends) result.kept = int(state.epochs.size());
  return snapshot(loop, weights_so_far(loop));
}

}  // namespace

Trained train(const Recipe& recipe, const DataSet& data, const Split& split, const Network& start,
              const RunStorage* storage, const TrainState* state, const Ranks& together,
              TrainingSegment* segment) {
  Loop loop{.recipe = recipe,
            .data = data,
            .split = split,
            .storage = storage,
            .ranks = together,
            .segment = segment,
            .pool = ThreadPool(int(recipe.threads)),
            .start = open_model(write_blob(start), "the network before training")};
  start_trainer(loop);
  InterruptGuard guard;
  begin(loop, state);
  start_clock(loop);
  Trained result;
  try {
    with_pool(loop.pool, [&] { run_epochs(loop, result); });
  } catch (...) {
    end_progress(loop.progress);
    throw;
  }
  end_progress(loop.progress);
  if (result.interrupted) save(loop);
  if (segment)
    segment->checkpoint = checkpoint_of(loop),
    segment->complete =
        int(loop.state.epochs.size()) >= int(recipe.last_epoch()) || stops_early(loop);
  Snapshot kept = kept_of(loop, result);
  result.model = std::move(kept.model), result.real = std::move(kept.real),
  result.warnings = std::move(kept.warnings);
  result.epochs = std::move(loop.state.epochs);
  return result;
}

}  // namespace sluice::tools
