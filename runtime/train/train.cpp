// The trainer: layer by layer forward, then backward, for each shard; shards added up in order; one update.
#include "train.h"

#include <string.h>

#include "../../kernels/random.h"
#include "../layer.h"
#include "../sluice_train.h"

namespace sluice {
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

const TrainKind* train_kind(uint8_t kind) {
  const TrainKind* const kinds[] = {&train_gru, &train_dense, &train_standardize};
  for (const TrainKind* k : kinds)
    if (k->kind == kind) return k;
  return nullptr;
}

/// The first layer with weights to learn; layer_count where there is none.
uint32_t first_trained(const OpenModel& model) {
  uint32_t i = 0;
  while (i < model.layer_count && model.layers[i].kind == SLUICE_STANDARDIZE) ++i;
  return i;
}

bool answers_every_step(const OpenModel& model) {
  for (uint32_t i = 0; i < model.layer_count; ++i)
    if (last_step_only(model.layers[i])) return false;
  return true;
}

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

/// The arena, laid out anew at every call by the code that measured it.
struct Layout {
  uint8_t* weights;                  ///< the blob up to the end of its weight section: offsets hold
  uint8_t* seen;                     ///< the same as the passes see it: weights, but where they are rounded
  float *gradient, *first, *second;  ///< [section floats]
  float* zeros;
  uint64_t* prepared;      ///< [layers] where each layer's transposed weights lie, in bytes from the arena's start
  ShardLoss* losses;       ///< [shards in flight]
  float* shard_gradients;  ///< [shards in flight][section floats]
  uint8_t* shard_memory;   ///< [shards in flight][shard_bytes]
  uint64_t shard_bytes;
  uint32_t section_begin, section_floats, weights_end, shards;
};

/// A batch on its way.
struct Batch {
  const OpenModel& model;
  const sluice_train_options& options;
  const Layout& layout;
  uint8_t* arena;
  const sluice_sequence* sequences;
  uint32_t count;
  uint64_t step;
  float scale;     ///< 1 / valid targets
  uint32_t first;  ///< shard of the group in flight
};

Shard make_shard(const sluice_sequence* sequences, uint32_t begin, uint32_t end) {
  Shard shard{int(end - begin), 0, {}, {}};
  for (int i = 0; i < shard.sequences; ++i) {
    const uint32_t index = begin + uint32_t(i);
    const int length = int(sequences[index].steps);
    int at = i;
    for (; at > 0 && shard.length[at - 1] < length; --at)
      shard.length[at] = shard.length[at - 1], shard.index[at] = shard.index[at - 1];
    shard.length[at] = length, shard.index[at] = index;
  }
  shard.steps = shard.length[0];
  return shard;
}

/// Inverted dropout of [rows][n] numbers at x + row * stride: keeps x / (1 - rate), and the factors in `mask` where it is
/// wanted (0 in its padding). Element (t, i) of a sequence depends on seed, step, the sequence's number and t * n + i.
void drop(const Batch& batch, const Shard& shard, Purpose purpose, float rate, float* x, float* mask, int rows, int n,
          int stride) {
  const float kept = 1.0f / (1.0f - rate);
  for (int row = 0; row < rows; ++row) {
    const sluice_sequence& sequence = batch.sequences[shard.index[row % shard.sequences]];
    const uint64_t first = uint64_t(row / shard.sequences) * uint64_t(n);
    Philox random{};
    for (int i = 0; i < n; ++i) {
      const uint64_t at = first + uint64_t(i);
      if (i == 0 || at % 4 == 0)
        random = Philox::at(batch.options.seed, uint32_t(at / 4), uint32_t(batch.step), uint32_t(sequence.number),
                            uint32_t(purpose) << 24 ^ uint32_t(sequence.number >> 32));
      const float factor = unit_float(random.word[at % 4]) < rate ? 0.0f : kept;
      x[ptrdiff_t(row) * stride + i] *= factor;
      if (mask) mask[ptrdiff_t(row) * stride + i] = factor;
    }
    if (mask) memset(mask + ptrdiff_t(row) * stride + n, 0, size_t(stride - n) * sizeof(float));
  }
}

void gather_inputs(const Batch& batch, const Shard& shard, float* x) {
  const size_t inputs = batch.model.header().inputs;
  for (int t = 0; t < shard.steps; ++t)
    for (int s = 0; s < shard.sequences; ++s, x += inputs) {
      if (t < shard.length[s]) {
        memcpy(x, batch.sequences[shard.index[s]].x + size_t(t) * inputs, inputs * sizeof(float));
      } else {
        memset(x, 0, inputs * sizeof(float));
      }
    }
}

/// How what a layer hands on, and its state, enter products.
Rounding rounding_of(const sluice_train_options& options, uint32_t layer) {
  return options.rounding ? Rounding{options.rounding->unit[layer], options.rounding->largest} : Rounding{};
}

/// Where a layer's part of a pass lies: bytes from the start of the shard's memory.
struct Place {
  uint64_t kept, x;
  int32_t x_stride, rows_in;
};

/// Forward and backward of one shard. With an arena that measures, only takes the memory.
void run_shard(const Batch& batch, const Shard& shard, uint32_t slot, Arena& arena) {
  const OpenModel& model = batch.model;
  const sluice_train_options& options = batch.options;
  const Layout& layout = batch.layout;
  const bool measures = arena.measures();
  const uint32_t layers = model.layer_count, learns = first_trained(model), last = layers - 1;
  const int frames = shard.steps * shard.sequences, inputs = int(model.header().inputs), outputs = int(model.header().outputs);
  const Parameters parameters{layout.seen, layout.shard_gradients + uint64_t(slot) * layout.section_floats,
                              layout.section_begin};
  const bool drops_input = options.dropout_input > 0.0f, drops_output = options.dropout_output > 0.0f && last >= learns;

  Place* const places = arena.take<Place>(layers);
  float* x = arena.take<float>(uint64_t(frames) * uint64_t(inputs));
  int x_stride = inputs, rows = frames;
  float* mask = nullptr;
  if (!measures) gather_inputs(batch, shard, x);

  const auto call_of = [&](uint32_t i, int rows_in, int rows_out, const float* in, int in_stride, float* dy, float* dx) {
    const float* transposed = measures ? nullptr : reinterpret_cast<const float*>(batch.arena + layout.prepared[i]);
    const bool keep_logits = i == last && options.loss == SLUICE_CROSS_ENTROPY;
    return TrainCall{
        *model.kernels, model.layers[i],         shard, parameters, layout.zeros, transposed, in, in_stride, rows_in, rows_out,
        keep_logits,    rounding_of(options, i), dy,    dx};
  };
  const auto rows_after = [&](uint32_t i, int rows_in) { return last_step_only(model.layers[i]) ? shard.sequences : rows_in; };

  for (uint32_t i = 0; i < layers; ++i) {
    if (i == learns && drops_input && !measures)
      drop(batch, shard, Purpose::input_dropout, options.dropout_input, x, nullptr, rows, int(model.layers[i].in), x_stride);
    const uint64_t floats = uint64_t(rows) * uint64_t(x_stride);
    const Rounding rounding = i > learns ? rounding_of(options, i - 1) : Rounding{};
    if (rounding.unit > 0.0f) {
      float* const rounded = arena.take<float>(floats);
      if (!measures) rounding.apply(x, rounded, size_t(floats));
      x = rounded;
    }
    if (i == last && drops_output) {
      float* const dropped = arena.take<float>(floats);
      mask = arena.take<float>(floats);
      if (!measures) {
        memcpy(dropped, x, size_t(floats) * sizeof(float));
        drop(batch, shard, Purpose::output_dropout, options.dropout_output, dropped, mask, rows, int(model.layers[i].in),
             x_stride);
      }
      x = dropped;
    }
    const uint64_t kept = arena.used;
    if (!measures) places[i] = {kept, uint64_t(reinterpret_cast<uint8_t*>(x) - arena.base), int32_t(x_stride), int32_t(rows)};
    const TrainKind& kind = *train_kind(model.layers[i].kind);
    const int rows_out = rows_after(i, rows);
    for (int phase = 0; phase < kind.phases; ++phase) {
      arena.used = kept;
      x = kind.forward(call_of(i, rows, rows_out, x, x_stride, nullptr, nullptr), phase, arena);
    }
    rows = rows_out;
    x_stride = padded(int(model.layers[i].out));
  }

  const auto gradient_floats = [&](uint32_t parity) {
    uint64_t most = 0;
    int rows_in = frames;
    for (uint32_t i = 0; i < layers; ++i) {
      rows_in = rows_after(i, rows_in);
      const uint64_t floats = uint64_t(rows_in) * uint64_t(padded(int(model.layers[i].out)));
      if (i >= learns && i % 2 == parity && floats > most) most = floats;
    }
    return most;
  };
  float* const gradients[2] = {arena.take<float>(gradient_floats(0)), arena.take<float>(gradient_floats(1))};
  if (measures) return;

  layout.losses[slot] = shard_loss(*model.kernels, options.loss, shard, batch.sequences, answers_every_step(model), outputs,
                                   batch.scale, x, gradients[last % 2]);
  for (uint32_t i = last + 1; i-- > learns;) {
    const Place& place = places[i];
    Arena again(arena.base);
    again.used = place.kept;
    const TrainKind& kind = *train_kind(model.layers[i].kind);
    float* const dx = i > learns ? gradients[(i + 1) % 2] : nullptr;
    const auto* in = reinterpret_cast<const float*>(arena.base + place.x);
    for (int phase = 0; phase < kind.phases; ++phase)
      kind.backward(call_of(i, place.rows_in, rows_after(i, place.rows_in), in, place.x_stride, gradients[i % 2], dx), phase,
                    again);
    if (i == last && drops_output && dx)
      for (int64_t j = 0; j < int64_t(place.rows_in) * place.x_stride; ++j) dx[j] *= mask[j];
  }
}

/// Takes the whole arena; with one that measures, also the shard's worst case.
Layout lay_out(const OpenModel& model, const sluice_train_options& options, Arena& arena) {
  const BlobSection& section = *find_section(model.blob, SLUICE_SECTION_WEIGHTS);
  Layout l{};
  l.section_begin = section.offset;
  l.section_floats = section.bytes / uint32_t(sizeof(float));
  l.weights_end = section.offset + section.bytes;
  const uint32_t most = (options.max_sequences + shard_sequences - 1) / shard_sequences;
  l.shards = options.shards < most ? options.shards : most;

  l.weights = arena.take<uint8_t>(l.weights_end);
  l.seen = options.rounding ? arena.take<uint8_t>(l.weights_end) : l.weights;
  l.gradient = arena.take<float>(l.section_floats);
  l.first = arena.take<float>(l.section_floats);
  l.second = arena.take<float>(l.section_floats);
  l.zeros = arena.take<float>(uint64_t(zeros_needed(model)));
  l.losses = arena.take<ShardLoss>(l.shards);
  l.shard_gradients = arena.take<float>(uint64_t(l.shards) * l.section_floats);
  l.prepared = arena.take<uint64_t>(model.layer_count);
  const uint32_t learns = first_trained(model);
  for (uint32_t i = 0; i < model.layer_count; ++i) {
    if (!arena.measures()) l.prepared[i] = arena.used;
    Arena measure(nullptr);
    train_kind(model.layers[i].kind)->prepare(model.layers[i], nullptr, i > learns, measure);
    arena.take<uint8_t>(measure.peak);
  }

  const uint32_t n = options.max_sequences < shard_sequences ? options.max_sequences : shard_sequences;
  Shard worst{int(n), int(options.max_steps), {}, {}};
  for (int& length : worst.length) length = int(options.max_steps);
  const Batch nothing{model, options, l, nullptr, nullptr, 0, 0, 0.0f, 0};
  Arena measure(nullptr);
  run_shard(nothing, worst, 0, measure);
  l.shard_bytes = measure.peak;
  l.shard_memory = arena.take<uint8_t>(uint64_t(l.shards) * l.shard_bytes);
  return l;
}

void prepare_layers(const Batch& batch) {
  const uint32_t learns = first_trained(batch.model);
  for (uint32_t i = learns; i < batch.model.layer_count; ++i) {
    Arena at(batch.arena + batch.layout.prepared[i]);
    train_kind(batch.model.layers[i].kind)->prepare(batch.model.layers[i], batch.layout.seen, i > learns, at);
  }
}

void shard_task(void* argument, uint32_t slot) {
  const Batch& batch = *static_cast<Batch*>(argument);
  const uint32_t begin = (batch.first + slot) * shard_sequences;
  const uint32_t end = begin + shard_sequences < batch.count ? begin + shard_sequences : batch.count;
  Arena arena(batch.layout.shard_memory + uint64_t(slot) * batch.layout.shard_bytes);
  run_shard(batch, make_shard(batch.sequences, begin, end), slot, arena);
}

bool rate_ok(float rate) { return rate >= 0.0f && rate < 1.0f; }
bool finite_from(float v, float low) { return v >= low && v <= 3.0e38f; }

bool good_rounding(const sluice_rounding* r) {
  return !r || (r->see && r->unit && r->largest >= 1.0f && r->largest <= 32767.0f);
}

bool good_update(const sluice_train_options& o) {
  const bool steps = o.schedule == SLUICE_STEPS, whole = o.schedule == SLUICE_COSINE || o.schedule == SLUICE_ONE_CYCLE;
  return o.optimizer <= SLUICE_RMSPROP && o.schedule <= SLUICE_ONE_CYCLE && (!whole || o.total_steps >= 1) &&
         (!steps || (o.schedule_every >= 1 && o.schedule_factor > 0.0f && o.schedule_factor <= 1.0f)) &&
         finite_from(o.learning_rate, 0.0f) && o.learning_rate > 0.0f && rate_ok(o.beta1) && rate_ok(o.beta2) &&
         rate_ok(o.momentum) && o.nesterov <= 1 && rate_ok(o.alpha) && finite_from(o.epsilon, 0.0f) && o.epsilon > 0.0f &&
         finite_from(o.weight_decay, 0.0f) && finite_from(o.l1, 0.0f) && o.proximal <= 1 && finite_from(o.l2, 0.0f) &&
         finite_from(o.clip_value, 0.0f) && finite_from(o.clip_norm, 0.0f);
}

bool good_options(const sluice_train_options& o) {
  constexpr uint32_t most = 1u << 20;
  return o.loss <= SLUICE_MSE && good_update(o) && rate_ok(o.dropout_input) && rate_ok(o.dropout_output) &&
         o.max_sequences >= 1 && o.max_sequences <= most && o.max_steps >= 1 && o.max_steps <= most && o.shards >= 1 &&
         o.shards <= most && good_rounding(o.rounding);
}

bool trainable(const OpenModel& model, const sluice_train_options& options) {
  if (first_trained(model) == model.layer_count) return false;
  for (uint32_t i = 0; i < model.layer_count; ++i)
    if (!train_kind(model.layers[i].kind) || model.layers[i].format != SLUICE_F32) return false;
  const LayerRecord& last = model.layers[model.layer_count - 1];
  return options.loss != SLUICE_CROSS_ENTROPY || (last.kind == SLUICE_DENSE && last.activation == SLUICE_SOFTMAX);
}

/// Whether the batch is as announced and has its targets; counts the valid ones.
bool good_batch(const Trainer& t, const sluice_sequence* sequences, uint32_t n, uint64_t* targets) {
  if (!sequences || n < 1 || n > t.options.max_sequences) return false;
  const bool every = answers_every_step(*t.model);
  const int outputs = int(t.model->header().outputs);
  *targets = 0;
  for (uint32_t i = 0; i < n; ++i) {
    const sluice_sequence& s = sequences[i];
    if (!s.x || s.steps < 1 || s.steps > t.options.max_steps) return false;
    const int answers = every ? int(s.steps) : 1;
    if (t.options.loss == SLUICE_CROSS_ENTROPY) {
      if (!s.classes) return false;
      for (int a = 0; a < answers; ++a)
        if (s.classes[a] < -1 || s.classes[a] >= outputs) return false;
    } else if (!s.values) {
      return false;
    }
    *targets += valid_targets(s, t.options.loss, answers, outputs);
  }
  return true;
}

struct AddTask {
  const Batch& batch;
  uint32_t shards;
  static constexpr uint32_t chunk = 1u << 14;

  static void run(void* argument, uint32_t i) {
    const AddTask& t = *static_cast<AddTask*>(argument);
    const Layout& l = t.batch.layout;
    const uint32_t at = i * chunk, n = l.section_floats - at < chunk ? l.section_floats - at : chunk;
    for (uint32_t s = 0; s < t.shards; ++s)
      t.batch.model.kernels->add_f32(l.shard_gradients + uint64_t(s) * l.section_floats + at, l.gradient + at, n);
  }
};

/// The gradient of a batch, shard sums added in shard order, a group in flight after another.
void batch_gradient(Batch& batch, const sluice_host* host, sluice_train_result& result) {
  const Layout& l = batch.layout;
  if (const sluice_rounding* const rounding = batch.options.rounding)
    rounding->see(rounding->context, reinterpret_cast<const float*>(l.weights + l.section_begin),
                  reinterpret_cast<float*>(l.seen + l.section_begin));
  prepare_layers(batch);
  memset(l.gradient, 0, size_t(l.section_floats) * sizeof(float));
  const uint32_t shards = (batch.count + shard_sequences - 1) / shard_sequences;
  for (batch.first = 0; batch.first < shards; batch.first += l.shards) {
    const uint32_t flying = shards - batch.first < l.shards ? shards - batch.first : l.shards;
    spread(host, flying, shard_task, &batch);
    AddTask add{batch, flying};
    spread(host, (l.section_floats + AddTask::chunk - 1) / AddTask::chunk, AddTask::run, &add);
    for (uint32_t s = 0; s < flying; ++s) {
      result.loss_sum += l.losses[s].sum;
      result.targets += l.losses[s].targets;
      result.correct += l.losses[s].correct;
    }
  }
}

/// Checks a batch and computes its penalized gradient. With no valid target the result's targets are 0 and nothing is computed.
sluice_status run_batch(Trainer& t, const sluice_sequence* sequences, uint32_t n, const sluice_host* host,
                        sluice_train_result& result, Layout& layout) {
  uint64_t targets = 0;
  if (!good_batch(t, sequences, n, &targets)) return SLUICE_BATCH;
  result = {0.0, 0, 0, 0.0, learning_rate(t.options, t.update.step)};
  Arena arena(t.arena);
  layout = lay_out(*t.model, t.options, arena);
  if (targets == 0) return SLUICE_OK;
  Batch batch{*t.model, t.options, layout, t.arena, sequences, n, t.update.step, float(1.0 / double(targets)), 0};
  batch_gradient(batch, host, result);
  result.gradient_norm = penalize(*t.model, t.options, {layout.weights, layout.gradient, layout.section_begin});
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
  o.schedule_every = 1, o.schedule_factor = 0.1f;
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
  const Trainer trainer{&model_of(model), static_cast<uint8_t*>(arena), *options, {0, 1.0, 1.0}};
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
  memset(l.shard_gradients, 0, size_t(l.shards) * section);  // what no layer writes stays zero
  return SLUICE_OK;
}

sluice_status sluice_train_step(sluice_trainer* handle, const sluice_sequence* sequences, uint32_t n, const sluice_host* host,
                                sluice_train_result* result) {
  if (!handle) return SLUICE_NULL;
  Trainer& t = trainer_of(handle);
  sluice_train_result own;
  Layout l;
  const sluice_status status = run_batch(t, sequences, n, host, own, l);
  if (status) return status;
  if (own.targets) {
    update_weights(*t.model, t.options, {l.weights, l.gradient, l.section_begin}, host, own.gradient_norm, t.update, l.weights,
                   l.first, l.second);
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
  const sluice_status done = handle ? run_batch(trainer_of(handle), sequences, n, host, own, l) : SLUICE_NULL;
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
