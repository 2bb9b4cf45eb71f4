// The log of a training, and messages about weights and gradients.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/json.h"
#include "../model/pack.h"
#include "train.h"

namespace sluice::tools {
namespace {

/// Returns the index in weight_groups; -1 if the array is not trained.
int group_of(const Layer& layer, const Array& array) {
  return array.trained ? int(layer.group_of(array)) : -1;
}

/// Returns the names of all layers as the recipe counts them: "layer 2 (gru, 1 of 3)".
std::vector<std::string> names_of(const std::vector<LayerSpec>& layers) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < layers.size(); ++i)
    for (std::int64_t pass = 1; pass <= layers[i].repeat; ++pass)
      names.push_back(fmt::format(
          "layer {} ({}{})", i + 1, sluice_layer_name(layers[i].kind),
          layers[i].repeat > 1 ? fmt::format(", {} of {}", pass, layers[i].repeat) : ""));
  return names;
}

double square_sum(const std::vector<float>& values) {
  double sum = 0;
  for (const float v : values) sum += double(v) * double(v);
  return sum;
}

}  // namespace

std::string log_line(const Epoch& epoch, bool classes, Monitor monitor) {
  OrderedJson json = {{"epoch", epoch.number}, {"loss", epoch.loss}};
  if (classes) json["accuracy"] = epoch.accuracy;
  json["gradient_norm"] = epoch.gradient_norm;
  json["gradient_norm_clipped"] = epoch.gradient_norm_clipped;
  json["learning_rate"] = epoch.learning_rate;
  for (int g = 0; g < weight_group_count; ++g)
    if (epoch.weight_norms[g] >= 0) json["weight_norm"][weight_groups[g]] = epoch.weight_norms[g];
  if (!epoch.zero_blocks.empty()) json["zero_blocks"] = epoch.zero_blocks;
  if (epoch.held_out) json["validation_loss"] = epoch.held_out->loss;
  if (epoch.held_out && classes) json["validation_accuracy"] = epoch.held_out->accuracy;
  if (epoch.held_out && monitor != Monitor::loss)
    json["validation_" + std::string(word(monitor))] = epoch.held_out->watched;
  if (epoch.held_out)
    for (const HeadScore& head : epoch.held_out->heads)
      json["validation_heads"][head.name] = {{"loss", head.loss},
                                             {head.share ? "accuracy" : "rmse", head.measure}};
  return json_text(json) + "\n";
}

void measure_weights(const Network& network, Epoch& epoch) {
  double squares[weight_group_count] = {};
  std::fill(std::begin(epoch.weight_norms), std::end(epoch.weight_norms), -1.0);
  for (const Layer& layer : network.layers)
    for (const Array& array : layer.arrays) {
      if (layer.tied >= 0) continue;  // counted with the layer that it is tied to
      const int g = group_of(layer, array);
      if (g < 0) continue;
      squares[g] += square_sum(array.values);
      epoch.weight_norms[g] = std::sqrt(squares[g]);
    }
}

std::string gradient_fault(const std::vector<LayerSpec>& layers, const OwnedModel& start,
                           const float* gradient) {
  Network gradients = read_network(start.model);
  unpack_weights(weight_places(start.model), gradient, gradients);
  const std::vector<std::string> names = names_of(layers);
  std::string largest;
  double most = -1;
  auto name = names.begin();
  for (const Layer& layer : gradients.layers) {
    if (only_prepares(layer)) continue;  // not in the recipe's list
    for (const Array& array : layer.arrays) {
      const double norm = std::sqrt(square_sum(array.values));
      if (!std::isfinite(norm))
        return fmt::format("the gradient of {}, {} is not finite", *name, array.name);
      if (norm <= most) continue;
      most = norm;
      largest =
          fmt::format("the largest gradient is that of {}, {}: {:.4g}", *name, array.name, norm);
    }
    ++name;
  }
  return largest;
}

}  // namespace sluice::tools
