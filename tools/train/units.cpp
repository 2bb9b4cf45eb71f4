// Makes a model that was trained on standardized values answer in their own units.
#include <algorithm>
#include <cstdint>

#include "../common/error.h"
#include "../model/graph.h"
#include "../model/pack.h"
#include "train.h"

namespace sluice::tools {

void check_foldable(const Recipe& recipe, const Network& network) {
  const Layer& last = network.layers.back();
  if (recipe.standardize_target && (last.kind != SLUICE_DENSE || last.activation != SLUICE_LINEAR))
    refuse("{}: needs a linear output; end model.layers with {{ dense = {} }}",
           where(recipe, "data.standardize_target"), last.out);
}

OwnedModel in_own_units(const OwnedModel& model, const Units& units) {
  Network network = read_network(model.model);
  for (Array& array : network.layers.back().arrays)
    for (std::size_t i = 0; i < array.values.size(); ++i) {
      const std::size_t output = i / std::size_t(array.cols);
      const double scaled = double(array.values[i]) * units.deviation[output];
      array.values[i] =
          float(array.role == Role::input_bias ? scaled + units.mean[output] : scaled);
    }
  return open_model(write_blob(network), "the model in the data's own units");
}

OwnedModel adding_input(const OwnedModel& model, const std::vector<std::string>& targets) {
  Network network = read_network(model.model);
  std::vector<std::int32_t> columns;
  for (std::size_t i = 0; i < std::size_t(network.layers.back().out); ++i) {
    const auto column =
        std::find(network.inputs.begin(), network.inputs.end(), targets[i % targets.size()]);
    columns.push_back(std::int32_t(column - network.inputs.begin()));
  }
  add_frame_columns(network, columns);
  return open_model(write_blob(network), "the model that adds its input");
}

}  // namespace sluice::tools
