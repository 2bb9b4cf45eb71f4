#include "start.h"

namespace sluice::tools {

Network checked_start(const Recipe& recipe, const Input& input) {
  Network start = make_network(recipe, input.train, input.split);
  check_device(recipe, start);
  check_aware(recipe, start);
  check_foldable(recipe, start);
  train_plan(recipe, input.train, input.split, start);  // refuses a plan that does not fit the data
  return start;
}

void hand_on(const Recipe& recipe, Input& input, Trained& trained) {
  if (recipe.standardize_target) trained.model = in_own_units(trained.model, input.train.units);
  restore_targets(input.train);
  if (!input.train.difference) return;
  OwnedModel& real = trained.real.blob.size ? trained.real : trained.model;
  real = adding_input(real, recipe.target);
}

}  // namespace sluice::tools
