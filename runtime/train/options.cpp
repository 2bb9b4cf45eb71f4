// Checks a trainer's options.
#include "options.h"

namespace sluice {
namespace {

bool rate_ok(float rate) { return rate >= 0.0f && rate < 1.0f; }
bool finite_from(float v, float low) { return v >= low && v <= 3.0e38f; }

bool good_rounding(const sluice_rounding* r) {
  return !r || (r->round_weights && r->unit && r->largest >= 1.0f && r->largest <= 32767.0f);
}

bool good_penalties(const sluice_penalty* p) {
  for (int i = 0; p && i < SLUICE_GROUP_COUNT; ++i)
    if (!finite_from(p[i].l1, 0.0f) || !finite_from(p[i].l2, 0.0f) ||
        !finite_from(p[i].weight_decay, 0.0f) || !finite_from(p[i].max_norm, 0.0f))
      return false;
  return true;
}

bool good_update(const sluice_train_options& o) {
  const bool steps = o.schedule == SLUICE_STEPS,
             whole = o.schedule == SLUICE_COSINE || o.schedule == SLUICE_ONE_CYCLE;
  return o.optimizer <= SLUICE_RMSPROP && o.schedule <= SLUICE_ONE_CYCLE &&
         (!whole || o.total_steps >= 1) &&
         (!steps ||
          (o.schedule_every >= 1 && o.schedule_factor > 0.0f && o.schedule_factor <= 1.0f)) &&
         finite_from(o.learning_rate, 0.0f) && o.learning_rate > 0.0f && rate_ok(o.beta1) &&
         rate_ok(o.beta2) && rate_ok(o.momentum) && o.nesterov <= 1 && rate_ok(o.alpha) &&
         finite_from(o.epsilon, 0.0f) && o.epsilon > 0.0f && finite_from(o.weight_decay, 0.0f) &&
         finite_from(o.l1, 0.0f) && o.proximal <= 1 && finite_from(o.l2, 0.0f) &&
         o.embedding_rows <= 1 && good_penalties(o.penalties) && finite_from(o.clip_value, 0.0f) &&
         finite_from(o.clip_norm, 0.0f);
}

bool good_loss(const sluice_train_options& o) {
  return o.loss <= SLUICE_BINARY && finite_from(o.huber_delta, 0.0f) && o.huber_delta > 0.0f &&
         rate_ok(o.label_smoothing) && o.sum_over_steps <= 1 && o.batch_norm_momentum >= 0.0f &&
         o.batch_norm_momentum <= 1.0f && o.batch_norm_biased <= 1;
}

/// Returns whether every part of the answer fits its loss.
bool fits_losses(const OpenModel& model, const sluice_train_options& options) {
  for (uint32_t i = 0; options.answers && i < answers_of(model); ++i)
    if (options.answers[i].loss > SLUICE_BINARY ||
        !(options.answers[i].weight > 0.0f && finite_from(options.answers[i].weight, 0.0f)))
      return false;
  if (options.answers && options.class_weights) return false;
  if (goals_of(model, options) > most_sources) return false;
  for (uint32_t i = 0; i < goals_of(model, options); ++i) {
    const Goal goal = goal_of(model, options, i);
    if (!takes_logits(goal.loss)) continue;
    if (goal.layer == 0) return false;
    const LayerRecord& last = model.layers[goal.layer - 1];
    if (last.kind != SLUICE_DENSE ||
        last.activation != (goal.loss == SLUICE_BINARY ? SLUICE_SIGMOID : SLUICE_SOFTMAX))
      return false;
    // No other layer may read this one, because it would read logits.
    for (uint32_t later = goal.layer; options.answers && later + 1 < model.layer_count; ++later)
      for (uint32_t p = 0; p < sources_of(model.layers[later]); ++p)
        if (source_of(model.layers[later], p) == goal.layer) return false;
  }
  return true;
}

bool good_layers(const OpenModel& model, const sluice_train_options& options) {
  for (uint32_t i = 0; options.layers && i < model.layer_count; ++i) {
    const sluice_layer_options& layer = options.layers[i];
    if (!rate_ok(layer.dropout) || !rate_ok(layer.recurrent_dropout) ||
        !rate_ok(layer.gate_dropout) || layer.frozen > 1)
      return false;
    const LayerRecord& record = model.layers[i];
    if (layer.gate_dropout > 0 &&
        (anatomy_of(record.kind).candidate < 0 || record.rank || record.cells))
      return false;
  }
  return true;
}

/// Returns whether the weights of an embedding that comes first overlap no other array. Shards'
/// gradients leave out that part of the weight section.
bool embedding_apart(const OpenModel& model) {
  if (model.layers[0].kind != SLUICE_EMBEDDING) return true;
  Weights table[most_arrays];
  layer_weights(model.layers[0], table);
  const uint64_t begin = table[0].offset, end = begin + dense_bytes(table[0]);
  bool apart = true;
  for (uint32_t i = 1; i < model.layer_count; ++i)
    for_each_array(model.layers[i], [&](const Weights& a) {
      apart = apart && (a.offset >= end || a.offset + dense_bytes(a) <= begin);
    });
  return apart;
}

}  // namespace

bool good_options(const sluice_train_options& o) {
  constexpr uint32_t most = 1u << 20;
  return good_loss(o) && good_update(o) && rate_ok(o.dropout_input) && rate_ok(o.dropout_output) &&
         o.max_sequences >= 1 && o.max_sequences <= most && o.max_steps >= 1 &&
         o.max_steps <= most && o.shards >= 1 && o.shards <= most && good_rounding(o.rounding);
}

bool can_carry(const OpenModel& model) {
  for (uint32_t i = 0; i < model.layer_count; ++i)
    if (model.layers[i].flags & (mean_flag | both_directions_flag) ||
        model.layers[i].kind == SLUICE_DIFFERENCE || model.layers[i].kind == SLUICE_WINDOW ||
        anatomy_of(model.layers[i].kind).once)
      return false;
  return true;
}

bool trainable(const OpenModel& model, const sluice_train_options& options) {
  if (first_trained(model) == model.layer_count || !good_layers(model, options) ||
      !embedding_apart(model))
    return false;
  for (uint32_t i = 0; i < model.layer_count; ++i)
    if (!train_kind(model.layers[i].kind) || model.layers[i].format != SLUICE_F32) return false;
  return fits_losses(model, options);
}

}  // namespace sluice
