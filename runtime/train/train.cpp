// The trainer: layer by layer forward, then backward, for each shard; shards added up in order; one update.
#include <string.h>

#include "pass.h"

namespace sluice {

const TrainKind* train_kind(uint8_t kind) {
  static constexpr const TrainKind* kinds[] = {&train_gru,       &train_gru_before, &train_lstm,       &train_rnn,       &train_dense,
                                               &train_embedding, &train_batch_norm, &train_layer_norm, &train_standardize, &train_difference,
                                               &train_select,    &train_concat,     &train_add,        &train_multiply};
  for (const TrainKind* k : kinds)
    if (k->kind == kind) return k;
  return nullptr;
}

namespace {

/// Whether a layer has nothing to learn and stands before those that do.
bool only_prepares(const LayerRecord& layer) { return anatomy_of(layer.kind).prepares; }

}  // namespace

uint32_t first_trained(const OpenModel& model) {
  uint32_t i = 0;
  while (i < model.layer_count && only_prepares(model.layers[i])) ++i;
  return i;
}

bool is_frozen(const sluice_train_options& options, uint32_t layer) { return options.layers && options.layers[layer].frozen; }

uint32_t lowest_learning(const OpenModel& model, const sluice_train_options& options) {
  uint32_t i = 0;
  while (i + 1 < model.layer_count && (only_prepares(model.layers[i]) || is_frozen(options, i))) ++i;
  return i;
}

bool answers_every_step(const OpenModel& model) { return !(model.layers[model.layer_count - 1].flags & once_flag); }

bool tied_to_earlier(const OpenModel& model, uint32_t layer) {
  for (uint32_t i = 0; i < layer; ++i)
    if (model.layers[i].w_ih == model.layers[layer].w_ih) return true;
  return false;
}

namespace {

struct Trainer {
  const OpenModel* model;
  uint8_t* arena;
  sluice_train_options options;
  Update update;
};
static_assert(sizeof(Trainer) <= sizeof(sluice_trainer), "the handle's size");

Trainer& trainer_of(sluice_trainer* handle) { return *reinterpret_cast<Trainer*>(handle); }
const Trainer& trainer_of(const sluice_trainer* handle) { return *reinterpret_cast<const Trainer*>(handle); }

/// The widest of what layers hand to one another, padded; at least `least`.
int widest_units(const OpenModel& model, int least) {
  int most = least;
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    const int units = padded(int(model.layers[i].out)), in = padded(int(model.layers[i].in));
    most = units > most ? units : most;
    most = in > most ? in : most;
  }
  return most;
}

/// Zeros serve as a state before the first step, and as what a strip's or a row's chains start from.
int zeros_needed(const OpenModel& model) { return widest_units(model, strip_rows); }

/// Takes the whole arena; with one that measures, also the shard's worst case.
Layout lay_out(const OpenModel& model, const sluice_train_options& options, Arena& arena) {
  const BlobSection& section = *find_section(model.blob, SLUICE_SECTION_WEIGHTS);
  Layout l{};
  l.section_begin = section.offset;
  l.section_floats = section.bytes / uint32_t(sizeof(float));
  l.weights_end = section.offset + section.bytes;
  const uint32_t most = (options.max_sequences + shard_sequences - 1) / shard_sequences;
  l.shards = options.shards < most && !meeting_floats(model) ? options.shards : most;  // where they meet, all must fly

  l.weights = arena.take<uint8_t>(l.weights_end);
  l.seen = options.rounding ? arena.take<uint8_t>(l.weights_end) : l.weights;
  l.gradient = arena.take<float>(l.section_floats);
  l.first = arena.take<float>(l.section_floats);
  l.second = arena.take<float>(l.section_floats);
  l.zeros = arena.take<float>(uint64_t(zeros_needed(model)));
  const LayerRecord& first = model.layers[0];
  const bool embeds = first.kind == SLUICE_EMBEDDING && first.w_ih == l.section_begin;
  Weights table[most_arrays];
  l.shard_begin = l.section_begin + (embeds && layer_weights(first, table) ? uint32_t(weight_bytes(table[0], nullptr)) : 0);
  l.shard_floats = (l.weights_end - l.shard_begin) / uint32_t(sizeof(float));
  l.shard_gradients = arena.take<float>(uint64_t(l.shards) * l.shard_floats);
  l.seen_ids = arena.take<uint8_t>(first.kind == SLUICE_EMBEDDING ? first.in : 0);
  l.states = arena.take<ShardState>(l.shards);
  l.meeting = meeting_floats(model);
  l.partials = arena.take<float>(uint64_t(l.shards) * l.meeting);
  l.totals = arena.take<float>(uint64_t(model.layer_count) * l.meeting);
  l.total = arena.take<float>(l.meeting);
  l.prepared = arena.take<uint64_t>(model.layer_count);
  const uint32_t learns = lowest_learning(model, options);
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    if (!arena.measures()) l.prepared[i] = arena.used;
    Arena measure(nullptr);
    train_kind(model.layers[i].kind)->prepare(model.layers[i], model.blob, i > learns, measure);
    arena.take<uint8_t>(measure.peak);
  }

  const uint32_t n = options.max_sequences < shard_sequences ? options.max_sequences : shard_sequences;
  Shard worst{int(n), int(options.max_steps), {}, {}};
  for (int& length : worst.length) length = int(options.max_steps);
  l.shard_bytes = shard_needs({model, options, l, nullptr, nullptr, 0, 0, nullptr, 0}, worst);
  l.shard_memory = arena.take<uint8_t>(uint64_t(l.shards) * l.shard_bytes);
  return l;
}

void prepare_layers(const Batch& batch) {
  const uint32_t learns = lowest_learning(batch.model, batch.options);
  for (uint32_t i = learns; i < batch.model.layer_count; ++i) {
    Arena at(batch.arena + batch.layout.prepared[i]);
    train_kind(batch.model.layers[i].kind)->prepare(batch.model.layers[i], batch.layout.seen, i > learns, at);
  }
}

bool rate_ok(float rate) { return rate >= 0.0f && rate < 1.0f; }
bool finite_from(float v, float low) { return v >= low && v <= 3.0e38f; }

bool good_rounding(const sluice_rounding* r) {
  return !r || (r->see && r->unit && r->largest >= 1.0f && r->largest <= 32767.0f);
}

bool good_penalties(const sluice_penalty* p) {
  for (int i = 0; p && i < SLUICE_GROUP_COUNT; ++i)
    if (!finite_from(p[i].l1, 0.0f) || !finite_from(p[i].l2, 0.0f) || !finite_from(p[i].weight_decay, 0.0f) || !finite_from(p[i].max_norm, 0.0f))
      return false;
  return true;
}

bool good_update(const sluice_train_options& o) {
  const bool steps = o.schedule == SLUICE_STEPS, whole = o.schedule == SLUICE_COSINE || o.schedule == SLUICE_ONE_CYCLE;
  return o.optimizer <= SLUICE_RMSPROP && o.schedule <= SLUICE_ONE_CYCLE && (!whole || o.total_steps >= 1) &&
         (!steps || (o.schedule_every >= 1 && o.schedule_factor > 0.0f && o.schedule_factor <= 1.0f)) &&
         finite_from(o.learning_rate, 0.0f) && o.learning_rate > 0.0f && rate_ok(o.beta1) && rate_ok(o.beta2) &&
         rate_ok(o.momentum) && o.nesterov <= 1 && rate_ok(o.alpha) && finite_from(o.epsilon, 0.0f) && o.epsilon > 0.0f &&
         finite_from(o.weight_decay, 0.0f) && finite_from(o.l1, 0.0f) && o.proximal <= 1 && finite_from(o.l2, 0.0f) &&
         o.embedding_rows <= 1 && good_penalties(o.penalties) && finite_from(o.clip_value, 0.0f) && finite_from(o.clip_norm, 0.0f);
}

bool good_loss(const sluice_train_options& o) {
  return o.loss <= SLUICE_BINARY && finite_from(o.huber_delta, 0.0f) && o.huber_delta > 0.0f && rate_ok(o.label_smoothing) &&
         o.sum_over_steps <= 1 && o.batch_norm_momentum >= 0.0f && o.batch_norm_momentum <= 1.0f && o.batch_norm_biased <= 1;
}

bool good_options(const sluice_train_options& o) {
  constexpr uint32_t most = 1u << 20;
  return good_loss(o) && good_update(o) && rate_ok(o.dropout_input) && rate_ok(o.dropout_output) &&
         o.max_sequences >= 1 && o.max_sequences <= most && o.max_steps >= 1 && o.max_steps <= most && o.shards >= 1 &&
         o.shards <= most && good_rounding(o.rounding);
}

/// Whether every part of the answer gives what its loss wants.
bool fits_losses(const OpenModel& model, const sluice_train_options& options) {
  for (uint32_t i = 0; options.answers && i < answers_of(model); ++i)
    if (options.answers[i].loss > SLUICE_BINARY || !finite_from(options.answers[i].weight, 0.0f)) return false;
  if (options.answers && options.class_weights) return false;
  if (goals_of(model, options) > most_sources) return false;
  for (uint32_t i = 0; i < goals_of(model, options); ++i) {
    const Goal goal = goal_of(model, options, i);
    if (!takes_logits(goal.loss)) continue;
    if (goal.layer == 0) return false;
    const LayerRecord& last = model.layers[goal.layer - 1];
    if (last.kind != SLUICE_DENSE || last.activation != (goal.loss == SLUICE_BINARY ? SLUICE_SIGMOID : SLUICE_SOFTMAX)) return false;
    for (uint32_t later = goal.layer; options.answers && later + 1 < model.layer_count; ++later)  // others would read logits
      for (uint32_t p = 0; p < sources_of(model.layers[later]); ++p)
        if (source_of(model.layers[later], p) == goal.layer) return false;
  }
  return true;
}

bool good_layers(const OpenModel& model, const sluice_train_options& options) {
  for (uint32_t i = 0; options.layers && i < model.layer_count; ++i) {
    const sluice_layer_options& layer = options.layers[i];
    if (!rate_ok(layer.dropout) || !rate_ok(layer.recurrent_dropout) || !rate_ok(layer.gate_dropout) || layer.frozen > 1) return false;
    if (layer.gate_dropout > 0 && anatomy_of(model.layers[i].kind).candidate < 0) return false;
  }
  return true;
}

/// A state is carried by layers that go forward alone and do not average.
bool can_carry(const OpenModel& model) {
  for (uint32_t i = 0; i < model.layer_count; ++i)
    if (model.layers[i].flags & (mean_flag | both_directions_flag) || model.layers[i].kind == SLUICE_DIFFERENCE) return false;
  return true;
}

/// Shards' gradients leave out an embedding that comes first: nothing else may lie there.
bool embedding_apart(const OpenModel& model) {
  if (model.layers[0].kind != SLUICE_EMBEDDING) return true;
  Weights table[most_arrays];
  layer_weights(model.layers[0], table);
  const uint64_t begin = table[0].offset, end = begin + weight_bytes(table[0], nullptr);
  bool apart = true;
  for (uint32_t i = 1; i < model.layer_count; ++i)
    for_each_array(model.layers[i], [&](const Weights& a) { apart = apart && (a.offset >= end || a.offset + weight_bytes(a, nullptr) <= begin); });
  return apart;
}

bool trainable(const OpenModel& model, const sluice_train_options& options) {
  if (first_trained(model) == model.layer_count || !good_layers(model, options) || !embedding_apart(model)) return false;
  for (uint32_t i = 0; i < model.layer_count; ++i)
    if (!train_kind(model.layers[i].kind) || model.layers[i].format != SLUICE_F32) return false;
  return fits_losses(model, options);
}

bool good_classes(const sluice_sequence& s, int answers, int classes) {
  for (int a = 0; a < answers; ++a)
    if (s.classes[a] < -1 || s.classes[a] >= classes) return false;
  return true;
}

/// Whether the values that stand for classes are classes.
bool good_class_values(const sluice_sequence& s, int answers, const Goal& goal, int width) {
  for (int a = 0; a < answers; ++a) {
    const float value = s.values[ptrdiff_t(a) * width + goal.target];
    if (value == value && !(value >= 0.0f && value < float(goal.outputs) && value == float(int32_t(value)))) return false;
  }
  return true;
}

bool good_targets(const OpenModel& model, const sluice_sequence& s, const sluice_train_options& options, int answers) {
  const int outputs = int(model.header().outputs);
  if (by_class(options, s)) {
    if (!s.classes || (options.loss == SLUICE_BINARY && outputs != 1)) return false;
    return good_classes(s, answers, options.loss == SLUICE_BINARY ? 2 : outputs);
  }
  if (!s.values) return false;
  for (uint32_t i = 0; options.answers && i < goals_of(model, options); ++i) {
    const Goal goal = goal_of(model, options, i);
    if (goal.loss == SLUICE_CROSS_ENTROPY && !good_class_values(s, answers, goal, targets_of(model, options))) return false;
  }
  return true;
}

/// Whether the batch is as announced and has its targets; adds up the valid ones of each goal.
bool good_batch(const Trainer& t, const sluice_sequence* sequences, uint32_t n, TargetSum targets[most_sources]) {
  if (!sequences || n < 1 || n > t.options.max_sequences) return false;
  const bool every = answers_every_step(*t.model), ids = t.model->layers[0].kind == SLUICE_EMBEDDING;
  for (uint32_t g = 0; g < most_sources; ++g) targets[g] = {0.0, 0};
  for (uint32_t i = 0; i < n; ++i) {
    const sluice_sequence& s = sequences[i];
    if (!(ids ? s.ids != nullptr : s.x != nullptr) || s.steps < 1 || s.steps > t.options.max_steps) return false;
    if (s.state && !can_carry(*t.model)) return false;
    if (!good_targets(*t.model, s, t.options, every ? int(s.steps) : 1)) return false;
    for (uint32_t g = 0; g < goals_of(*t.model, t.options); ++g) {
      const TargetSum own = valid_targets(*t.model, t.options, goal_of(*t.model, t.options, g), s);
      targets[g].weight += own.weight, targets[g].count += own.count;
    }
  }
  return true;
}

struct AddTask {
  const Batch& batch;
  uint32_t shards;
  Slice slice;
  static constexpr uint32_t chunk = 1u << 14;

  uint32_t tasks() const { return (slice.end - slice.begin + chunk - 1) / chunk; }

  static void run(void* argument, uint32_t i) {
    const AddTask& t = *static_cast<AddTask*>(argument);
    const Layout& l = t.batch.layout;
    const uint32_t at = t.slice.begin + i * chunk, n = t.slice.end - at < chunk ? t.slice.end - at : chunk;
    for (uint32_t s = 0; s < t.shards; ++s)
      t.batch.model.kernels->add_f32(l.shard_gradients + uint64_t(s) * l.shard_floats + at, l.added() + at, n);
  }
};

/// Shards' rows of an embedding, in shard order.
void add_seen_rows(const Batch& batch, uint32_t shards) {
  const LayerRecord& layer = batch.model.layers[0];
  if (layer.kind != SLUICE_EMBEDDING || is_frozen(batch.options, 0)) return;
  const Layout& l = batch.layout;
  const int units = padded(int(layer.out)), ids = int(layer.in);
  float* const gradient = l.gradient + (layer.w_ih - l.section_begin) / sizeof(float);
  for (uint32_t s = 0; s < shards; ++s) {
    const uint8_t* const memory = l.shard_memory + uint64_t(s) * l.shard_bytes;
    const SeenRows& seen = l.states[s].seen;
    const auto* const id = reinterpret_cast<const int32_t*>(memory + seen.ids);
    const auto* const rows = reinterpret_cast<const float*>(memory + seen.rows);
    for (uint32_t i = 0; i < seen.count; ++i) {
      l.seen_ids[id[i]] = 1;
      for (int row = 0; row < units; row += strip_rows)
        batch.model.kernels->add_f32(rows + ptrdiff_t(i) * units + row, gradient + packed_index(units, ids, row, id[i]),
                                     size_t(units - row < strip_rows ? units - row : strip_rows));
    }
  }
}

/// The gradient of a batch, shard sums added in shard order, a group in flight after another. False where the ranks' gather failed.
bool batch_gradient(Batch& batch, const sluice_host* host, sluice_train_result& result) {
  const Layout& l = batch.layout;
  if (const sluice_rounding* const rounding = batch.options.rounding)
    rounding->see(rounding->context, reinterpret_cast<const float*>(l.weights + l.section_begin),
                  reinterpret_cast<float*>(l.seen + l.section_begin));
  prepare_layers(batch);
  memset(l.gradient, 0, size_t(l.section_floats) * sizeof(float));
  if (batch.model.layers[0].kind == SLUICE_EMBEDDING) memset(l.seen_ids, 0, batch.model.layers[0].in);
  const uint32_t shards = (batch.count + shard_sequences - 1) / shard_sequences;
  for (batch.first = 0; batch.first < shards; batch.first += l.shards) {
    const uint32_t flying = shards - batch.first < l.shards ? shards - batch.first : l.shards;
    if (!run_group(batch, host, flying)) return false;
    AddTask add{batch, flying, slice_of(l, rank_of(host), ranks_of(host))};
    spread(host, add.tasks(), AddTask::run, &add);
    add_seen_rows(batch, flying);
    for (uint32_t s = 0; s < flying; ++s) {
      result.loss_sum += l.states[s].loss.sum;
      result.targets += l.states[s].loss.targets;
      result.correct += l.states[s].loss.correct;
    }
  }
  return gather_gradient(l, host);
}

/// Batch normalization's running moments.
void keep_moments(const Trainer& t, const Layout& l) {
  for (uint32_t i = 0; i < t.model->layer_count; ++i) {
    const LayerRecord& layer = t.model->layers[i];
    if (layer.kind == SLUICE_BATCH_NORM && !is_frozen(t.options, i))
      run_moments(layer, t.options, l.totals + uint64_t(i) * l.meeting, l.weights);
  }
}

/// Checks a batch and computes its penalized gradient. With no valid target the result's targets are 0 and nothing is computed.
/// @param norm  of the gradient clipped by value, before clipping by norm
sluice_status run_batch(Trainer& t, const sluice_sequence* sequences, uint32_t n, const sluice_host* host,
                        sluice_train_result& result, Layout& layout, double& norm) {
  TargetSum targets[most_sources], all{0.0, 0};
  float scales[most_sources];
  if (ranks_of(host) > 1 && host->rank >= host->ranks) return SLUICE_OPTIONS;
  if (!good_batch(t, sequences, n, targets)) return SLUICE_BATCH;
  for (uint32_t g = 0; g < goals_of(*t.model, t.options); ++g) {
    const float weight = t.options.answers ? t.options.answers[g].weight : 1.0f;
    scales[g] = targets[g].weight > 0.0 ? float(double(weight) / targets[g].weight) : 0.0f;
    all.weight += targets[g].weight, all.count += targets[g].count;
  }
  result = {0.0, all.weight, 0, 0, 0.0, learning_rate(t.options, t.update), 0.0};
  Arena arena(t.arena);
  layout = lay_out(*t.model, t.options, arena);
  if (all.count == 0) return SLUICE_OK;
  Batch batch{*t.model, t.options, layout, t.arena, sequences, n, t.update.step, scales, 0};
  if (!batch_gradient(batch, host, result)) return SLUICE_GATHER;
  if (t.options.answers) result.loss_sum *= all.weight;
  const GradientNorm norms = penalize(*t.model, t.options, {layout.weights, layout.gradient, layout.section_begin}, layout.seen_ids);
  result.gradient_norm = norms.whole;
  result.gradient_norm_clipped = norm = norms.by_value;
  const double limit = double(t.options.clip_norm);
  if (limit > 0.0 && norm > limit && norm - norm == 0.0) result.gradient_norm_clipped = limit;  // a norm that is finite
  return SLUICE_OK;
}

}  // namespace
}  // namespace sluice

using namespace sluice;

sluice_train_options sluice_train_defaults(void) {
  sluice_train_options o;
  memset(&o, 0, sizeof o);
  o.total_steps = 1;
  o.learning_rate = 1e-3f, o.beta1 = 0.9f, o.beta2 = 0.999f, o.epsilon = 1e-8f, o.alpha = 0.99f;
  o.schedule_every = 1, o.schedule_factor = 0.1f, o.huber_delta = 1.0f, o.batch_norm_momentum = 0.1f;
  o.max_sequences = 16, o.max_steps = 1000, o.shards = 8;
  return o;
}

uint64_t sluice_train_needs(const sluice_model* model, const sluice_train_options* options) {
  if (!model || !options || !good_options(*options) || !trainable(model_of(model), *options)) return 0;
  Arena arena(nullptr);
  lay_out(model_of(model), *options, arena);
  return arena.peak;
}

sluice_status sluice_train_start(sluice_trainer* handle, const sluice_model* model, const sluice_train_options* options,
                                 void* arena, size_t bytes) {
  if (!handle || !model || !options || !arena) return SLUICE_NULL;
  if (!good_options(*options)) return SLUICE_OPTIONS;
  if (!trainable(model_of(model), *options)) return SLUICE_NOT_TRAINABLE;
  if (reinterpret_cast<uintptr_t>(arena) % SLUICE_ALIGNMENT) return SLUICE_MISALIGNED;
  if (bytes < sluice_train_needs(model, options)) return SLUICE_ARENA_SMALL;
  const Trainer trainer{&model_of(model), static_cast<uint8_t*>(arena), *options, {0, 1.0, 1.0, 1.0}};
  memset(handle, 0, sizeof *handle);
  memcpy(handle, &trainer, sizeof trainer);
  Arena all(arena);
  const Layout l = lay_out(*trainer.model, trainer.options, all);
  memcpy(l.weights, trainer.model->blob, l.weights_end);
  if (l.seen != l.weights) memcpy(l.seen, trainer.model->blob, l.weights_end);
  const size_t section = size_t(l.section_floats) * sizeof(float);
  memset(l.first, 0, section);
  memset(l.second, 0, section);
  memset(l.zeros, 0, size_t(zeros_needed(*trainer.model)) * sizeof(float));
  memset(l.shard_gradients, 0, size_t(l.shards) * l.shard_floats * sizeof(float));  // what no layer writes stays zero
  return SLUICE_OK;
}

sluice_status sluice_train_step(sluice_trainer* handle, const sluice_sequence* sequences, uint32_t n, const sluice_host* host,
                                sluice_train_result* result) {
  if (!handle) return SLUICE_NULL;
  Trainer& t = trainer_of(handle);
  sluice_train_result own;
  Layout l;
  double norm = 0.0;
  const sluice_status status = run_batch(t, sequences, n, host, own, l, norm);
  if (status) return status;
  if (own.targets) {
    update_weights(*t.model, t.options, {l.weights, l.gradient, l.section_begin}, host, norm, t.update, l.seen_ids, l.weights,
                   l.first, l.second);
    keep_moments(t, l);
  } else {
    t.update.step += 1;
  }
  if (result) *result = own;
  return SLUICE_OK;
}

const float* sluice_train_gradient(sluice_trainer* handle, const sluice_sequence* sequences, uint32_t n,
                                   const sluice_host* host, sluice_train_result* result, sluice_status* status) {
  sluice_train_result own;
  Layout l;
  double norm = 0.0;
  const sluice_status done = handle ? run_batch(trainer_of(handle), sequences, n, host, own, l, norm) : SLUICE_NULL;
  if (status) *status = done;
  if (done) return nullptr;
  if (!own.targets) memset(l.gradient, 0, size_t(l.section_floats) * sizeof(float));
  if (result) *result = own;
  return l.gradient;
}

sluice_status sluice_train_store(const sluice_trainer* handle, void* blob, size_t bytes) {
  if (!handle || !blob) return SLUICE_NULL;
  const Trainer& t = trainer_of(handle);
  const BlobHeader& header = t.model->header();
  auto* const to = static_cast<uint8_t*>(blob);
  Arena arena(t.arena);
  const Layout l = lay_out(*t.model, t.options, arena);
  // The copy must be of the blob that training started from: the same bytes before the weights, checksum aside.
  constexpr size_t crc_end = offsetof(BlobHeader, crc) + sizeof header.crc;
  if (bytes < header.bytes || memcmp(to, t.model->blob, offsetof(BlobHeader, crc)) != 0 ||
      memcmp(to + crc_end, t.model->blob + crc_end, l.section_begin - crc_end) != 0)
    return SLUICE_NOT_TRAINABLE;
  memcpy(to + l.section_begin, l.weights + l.section_begin, l.weights_end - l.section_begin);
  const uint32_t crc = blob_crc(to, header.bytes);
  memcpy(to + offsetof(BlobHeader, crc), &crc, sizeof crc);
  return SLUICE_OK;
}

namespace {

/// What is saved: the update's numbers, then these.
constexpr int saved_parts = 3;
struct SavedParts {
  void* part[saved_parts];
  size_t bytes;  ///< of each
};

SavedParts saved_parts_of(const Trainer& t) {
  Arena arena(t.arena);
  const Layout l = lay_out(*t.model, t.options, arena);
  return {{l.weights + l.section_begin, l.first, l.second}, size_t(l.section_floats) * sizeof(float)};
}

}  // namespace

size_t sluice_train_state_bytes(const sluice_trainer* handle) {
  return handle ? sizeof(Update) + saved_parts * saved_parts_of(trainer_of(handle)).bytes : 0;
}

sluice_status sluice_train_save(const sluice_trainer* handle, void* state, size_t bytes) {
  if (!handle || !state) return SLUICE_NULL;
  const Trainer& t = trainer_of(handle);
  const SavedParts parts = saved_parts_of(t);
  auto* to = static_cast<uint8_t*>(state);
  if (bytes != sizeof t.update + saved_parts * parts.bytes) return SLUICE_STATE_SMALL;
  memcpy(to, &t.update, sizeof t.update);
  to += sizeof t.update;
  for (int i = 0; i < saved_parts; ++i, to += parts.bytes) memcpy(to, parts.part[i], parts.bytes);
  return SLUICE_OK;
}

sluice_status sluice_train_restore(sluice_trainer* handle, const void* state, size_t bytes) {
  if (!handle || !state) return SLUICE_NULL;
  Trainer& t = trainer_of(handle);
  const SavedParts parts = saved_parts_of(t);
  const auto* from = static_cast<const uint8_t*>(state);
  if (bytes != sizeof t.update + saved_parts * parts.bytes) return SLUICE_STATE_SMALL;
  memcpy(&t.update, from, sizeof t.update);
  from += sizeof t.update;
  for (int i = 0; i < saved_parts; ++i, from += parts.bytes) memcpy(parts.part[i], from, parts.bytes);
  return SLUICE_OK;
}

sluice_status sluice_train_set_rate(sluice_trainer* handle, double factor) {
  if (!handle) return SLUICE_NULL;
  if (!(factor >= 0.0 && factor <= 3.0e38)) return SLUICE_OPTIONS;
  trainer_of(handle).update.rate_factor = factor;
  return SLUICE_OK;
}

const float* sluice_train_last_gradient(const sluice_trainer* handle) {
  if (!handle) return nullptr;
  const Trainer& t = trainer_of(handle);
  Arena arena(t.arena);
  return lay_out(*t.model, t.options, arena).gradient;
}
