// The list of layers that can be trained, and properties of a network that its training needs.
#include "train.h"

namespace sluice {

const TrainKind* train_kind(uint8_t kind) {
  static constexpr const TrainKind* kinds[] = {
      &train_dense,      &train_embedding,      &train_batch_norm,
      &train_layer_norm, &train_standardize,    &train_difference,
      &train_select,     &train_concat,         &train_add,
      &train_multiply,   &train_window,         &train_max_pool,
      &train_mean_pool,  &train_norm_pool,      &train_unit_norm,
      &train_curve,      &train_max_over_steps, &train_mean_over_steps,
      &train_attention};
  for (const TrainKind* k : kinds)
    if (k->kind == kind) return k;
  return train_cell(kind);
}

uint32_t first_trained(const OpenModel& model) {
  uint32_t i = 0;
  while (i < model.layer_count && anatomy_of(model.layers[i].kind).prepares) ++i;
  return i;
}

bool is_frozen(const sluice_train_options& options, uint32_t layer) {
  return options.layers && options.layers[layer].frozen;
}

uint32_t lowest_learning(const OpenModel& model, const sluice_train_options& options) {
  uint32_t i = 0;
  while (i + 1 < model.layer_count &&
         (anatomy_of(model.layers[i].kind).prepares || is_frozen(options, i)))
    ++i;
  return i;
}

bool answers_every_step(const OpenModel& model) {
  return !(model.layers[model.layer_count - 1].flags & once_flag);
}

bool tied_to_earlier(const OpenModel& model, uint32_t layer) {
  for (uint32_t i = 0; i < layer; ++i)
    if (model.layers[i].w_ih == model.layers[layer].w_ih) return true;
  return false;
}

}  // namespace sluice
