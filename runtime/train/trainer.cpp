// The trainer's C interface. A step computes the forward and backward passes of each shard, adds up
// the shards' gradients in order, and updates the weights once.
#include <string.h>

#include "batch.h"
#include "options.h"

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
const Trainer& trainer_of(const sluice_trainer* handle) {
  return *reinterpret_cast<const Trainer*>(handle);
}

/// Updates the running moments of batch normalizations.
void keep_moments(const Trainer& t, const Layout& l) {
  for (uint32_t i = 0; i < t.model->layer_count; ++i) {
    const LayerRecord& layer = t.model->layers[i];
    if (layer.kind == SLUICE_BATCH_NORM && !is_frozen(t.options, i))
      run_moments(layer, t.options, l.totals + uint64_t(i) * l.batch_sums, l.weights);
  }
}

/// Checks a batch and computes its penalized gradient, clipped by value. Without a valid target,
/// result.targets is 0 and nothing is computed.
/// @param norm  receives the norm of this gradient
sluice_status run_batch(Trainer& t, const sluice_sequence* sequences, uint32_t n,
                        const sluice_host* host, sluice_train_result& result, Layout& layout,
                        double& norm) {
  TargetSum targets[most_sources], all{0.0, 0};
  float scales[most_sources];
  if (ranks_of(host) > 1 && host->rank >= host->ranks) return SLUICE_OPTIONS;
  if (!good_batch(*t.model, t.options, sequences, n, targets)) return SLUICE_BATCH;
  for (uint32_t g = 0; g < goals_of(*t.model, t.options); ++g) {
    const float weight = goal_of(*t.model, t.options, g).weight;
    scales[g] = targets[g].weight > 0.0 ? float(double(weight) / targets[g].weight) : 0.0f;
    all.weight += targets[g].weight, all.count += targets[g].count;
  }
  result = {};
  result.weight = all.weight;
  result.learning_rate = learning_rate(t.options, t.update);
  Arena arena(t.arena);
  layout = lay_out(*t.model, t.options, arena);
  if (all.count == 0) return SLUICE_OK;
  Batch batch{*t.model, t.options, layout};
  batch.arena = t.arena;
  batch.sequences = sequences, batch.count = n;
  batch.step = t.update.step;
  batch.scales = scales;
  if (!batch_gradient(batch, host, result)) return SLUICE_GATHER;
  if (t.options.answers) result.loss_sum *= all.weight;
  const GradientNorm norms =
      penalize(*t.model, t.options, {layout.weights, layout.gradient, layout.section_begin},
               layout.batch_ids);
  result.gradient_norm = norms.whole;
  result.gradient_norm_clipped = norm = norms.by_value;
  const double limit = double(t.options.clip_norm);
  const bool finite = norm - norm == 0.0;
  if (limit > 0.0 && norm > limit && finite) result.gradient_norm_clipped = limit;
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
  o.schedule_every = 1, o.schedule_factor = 0.1f, o.huber_delta = 1.0f,
  o.batch_norm_momentum = 0.1f;
  o.max_sequences = 16, o.max_steps = 1000, o.shards = 8;
  return o;
}

uint64_t sluice_train_needs(const sluice_model* model, const sluice_train_options* options) {
  if (!model || !options || !good_options(*options) || !trainable(model_of(model), *options))
    return 0;
  Arena arena(nullptr);
  lay_out(model_of(model), *options, arena);
  return arena.peak;
}

sluice_status sluice_train_start(sluice_trainer* handle, const sluice_model* model,
                                 const sluice_train_options* options, void* arena, size_t bytes) {
  if (!handle || !model || !options || !arena) return SLUICE_NULL;
  if (!good_options(*options)) return SLUICE_OPTIONS;
  if (!trainable(model_of(model), *options)) return SLUICE_NOT_TRAINABLE;
  if (reinterpret_cast<uintptr_t>(arena) % SLUICE_ALIGNMENT) return SLUICE_MISALIGNED;
  if (bytes < sluice_train_needs(model, options)) return SLUICE_ARENA_SMALL;
  const Trainer trainer{
      &model_of(model), static_cast<uint8_t*>(arena), *options, {0, 1.0, 1.0, 1.0}};
  memset(handle, 0, sizeof *handle);
  memcpy(handle, &trainer, sizeof trainer);
  Arena all(arena);
  const Layout l = lay_out(*trainer.model, trainer.options, all);
  memcpy(l.weights, trainer.model->blob, l.weights_end);
  if (l.pass_weights != l.weights) memcpy(l.pass_weights, trainer.model->blob, l.weights_end);
  const size_t section = size_t(l.section_floats) * sizeof(float);
  memset(l.first, 0, section);
  memset(l.second, 0, section);
  memset(l.zeros, 0, size_t(zeros_needed(*trainer.model)) * sizeof(float));
  // Elements that no layer writes stay zero.
  memset(l.shard_gradients, 0, size_t(l.shards) * l.shard_floats * sizeof(float));
  return SLUICE_OK;
}

sluice_status sluice_train_step(sluice_trainer* handle, const sluice_sequence* sequences,
                                uint32_t n, const sluice_host* host, sluice_train_result* result) {
  if (!handle) return SLUICE_NULL;
  Trainer& t = trainer_of(handle);
  sluice_train_result own;
  Layout l;
  double norm = 0.0;
  const sluice_status status = run_batch(t, sequences, n, host, own, l, norm);
  if (status) return status;
  if (own.targets) {
    update_weights(*t.model, t.options, {l.weights, l.gradient, l.section_begin}, host, norm,
                   t.update, l.batch_ids, l.weights, l.first, l.second);
    keep_moments(t, l);
  } else {
    t.update.step += 1;
  }
  if (result) *result = own;
  return SLUICE_OK;
}

const float* sluice_train_gradient(sluice_trainer* handle, const sluice_sequence* sequences,
                                   uint32_t n, const sluice_host* host, sluice_train_result* result,
                                   sluice_status* status) {
  sluice_train_result own;
  Layout l;
  double norm = 0.0;
  const sluice_status done =
      handle ? run_batch(trainer_of(handle), sequences, n, host, own, l, norm) : SLUICE_NULL;
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
  // The copy must be of the blob that training started from: the same bytes before the weights,
  // checksum aside.
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

/// The arrays of a saved state. It begins with the Update.
constexpr int saved_parts = 3;
struct SavedParts {
  void* part[saved_parts];
  size_t bytes;  ///< of each part
};

SavedParts saved_parts_of(const Trainer& t) {
  Arena arena(t.arena);
  const Layout l = lay_out(*t.model, t.options, arena);
  return {{l.weights + l.section_begin, l.first, l.second},
          size_t(l.section_floats) * sizeof(float)};
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
  for (int i = 0; i < saved_parts; ++i, from += parts.bytes)
    memcpy(parts.part[i], from, parts.bytes);
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
