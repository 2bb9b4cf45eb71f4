#include "start.h"

#include "../common/print.h"
#include "../convert/quantize.h"
#include "../model/graph.h"
#include "../model/pack.h"
#include "../recipe/made.h"
#include "aware.h"

namespace sluice::tools {

namespace {

/// Refuses sequences that end before the network's first answer.
void check_lengths(const Recipe& recipe, const Network& network, const DataSet& data) {
  const auto first = answered_steps(network).first;
  for (std::size_t s = 0; s < data.sequences(); ++s)
    if (data.steps(s) <= first)
      refuse(
          "{}: sequence {} has {}, but the windows of the network have their first output at "
          "step {}; make them shorter, or give them a lower first",
          where(recipe, "model.layers"), printable(data.names[s]),
          data.steps(s) == 1 ? "1 step" : fmt::format("{} steps", data.steps(s)), first + 1);
}

}  // namespace

Network checked_start(const Recipe& recipe, const Input& input) {
  Network start = make_network(recipe, input.train, input.split);
  check_lengths(recipe, start, input.train);
  check_lengths(recipe, start, input.test);
  check_device(recipe, start);
  check_aware(recipe, start, input.train, input.split);
  check_foldable(recipe, start);
  train_plan(recipe, input.train, input.split, start);  // refuses a plan that does not fit the data
  return start;
}

namespace {

/// Returns the fixed-point model of a float model that was trained for it.
OwnedModel in_fixed_point(const Recipe& recipe, const Input& input, const OwnedModel& real) {
  const sluice_format format = recipe.quantize_type;
  const Network network = with_integer_form(read_network(real.model), format);
  Ranges ranges = feature_ranges(network, input.train, input.split.train, recipe.quantize_ranges);
  ranges.outputs = output_ranges(network, input.train, input.split.train);
  Quantized quantized = quantize(network, format, ranges);
  quantized.network.made = made_quantized(quantized.network.made, format, recipe.quantize_ranges,
                                          data_hash(input.train));
  return open_model(write_blob(quantized.network), "the model in fixed point");
}

}  // namespace

void in_data_units(const Recipe& recipe, Input& input, Trained& trained) {
  const bool fixed = trained.real.blob.size > 0;
  OwnedModel& real = fixed ? trained.real : trained.model;
  if (recipe.standardize_target) real = in_own_units(real, input.train.units);
  restore_targets(input.train);
  if (input.train.difference) real = adding_input(real, recipe.target);
  if (fixed && (recipe.standardize_target || input.train.difference))
    trained.model = in_fixed_point(recipe, input, real);
}

}  // namespace sluice::tools
