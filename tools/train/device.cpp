// Checks that a recipe's network fits its device, before training takes any time.
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "../common/error.h"
#include "../convert/budget.h"
#include "../convert/fold.h"
#include "../convert/quantize.h"
#include "../model/graph.h"
#include "train.h"

namespace sluice::tools {
namespace {

/// Returns the network as it would be on the device, with the units of its hidden layers scaled;
/// the weights do not matter.
Network on_device(const Network& network, sluice_format format, double share) {
  Network result = folded(network);
  result.width = frame_width(network);
  for (std::size_t l = 0; l < result.layers.size() && format != SLUICE_F32;)
    if (result.layers[l].kind == SLUICE_STANDARDIZE)
      remove_layer(result, l);  // becomes part of the inputs' scales
    else
      ++l;
  const std::vector<std::uint32_t> answers = answers_of(result);
  for (std::size_t l = 0; l < result.layers.size(); ++l) {
    Layer& layer = result.layers[l];
    const std::vector<std::uint32_t> sources = sources_of(result, l);
    int in = 0;
    for (const std::uint32_t source : sources)
      in = layer.kind == SLUICE_CONCAT ? in + width_of(result, source) : width_of(result, source);
    const bool answer =
        l + 1 == result.layers.size() || std::count(answers.begin(), answers.end(), l + 1) > 0;
    const bool keeps = layer.anatomy().keeps_width || layer.kind == SLUICE_CONCAT;
    if (!layer.anatomy().reads_ids) layer.in = in;
    layer.out = keeps ? in : answer ? layer.out : std::max(1, int(layer.out * share));
    layer.format = format;
    layer = with_arrays(layer);
  }
  if (format != SLUICE_F32) {
    const auto inputs = std::size_t(frame_width(network)),
               outputs = std::size_t(result.layers.back().out);
    result.scales = {std::vector(inputs, 1.0f), std::vector(inputs, 0.0f),
                     std::vector(outputs, 1.0f), std::vector(outputs, 0.0f)};
  }
  return result;
}

std::string units_text(const Network& network) {
  std::vector<std::string> parts;
  for (const Layer& layer : network.layers)
    if (!only_prepares(layer))
      parts.push_back(fmt::format("{} = {}", sluice_layer_name(layer.kind), layer.out));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

Budget budget_of(const Recipe& recipe) {
  Budget budget;
  const std::pair<const char*, const std::string*> amounts[] = {
      {"flash", &recipe.device_flash},
      {"ram", &recipe.device_ram},
      {"flash_total", &recipe.device_flash_total},
      {"ram_total", &recipe.device_ram_total}};
  for (const auto& [name, text] : amounts) {
    if (text->empty()) continue;
    const auto amount = parse_amount(*text);
    if (!amount)
      refuse("{}: \"{}\" is not an amount; give bytes, such as \"16 KiB\"",
             where(recipe, std::string("device.") + name), *text);
    budget.limits.emplace_back(name, *amount);
  }
  if (recipe.device_instructions)
    budget.limits.emplace_back("instructions", std::uint64_t(recipe.device_instructions));
  return budget;
}

sluice_format device_format(const Recipe& recipe) {
  return recipe.quantize_aware ? recipe.quantize_type : recipe.device_type;
}

/// Refuses a core that does not run the number format.
DeviceCost cost_of_share(const Recipe& recipe, const Network& network, double share) {
  const std::optional<DeviceCost> cost =
      device_cost(on_device(network, device_format(recipe), share), recipe.device_core,
                  fmt::format("{}: \"{}\"", where(recipe, "device.core"), recipe.device_core));
  if (!cost)
    refuse(
        "{}: {} has no float unit with fused multiply-add; set device.type = \"int8\" or \"w8a16\"",
        where(recipe, "device.type"), recipe.device_core);
  return *cost;
}

void check_device_keys(const Recipe& recipe) {
  const Budget budget = budget_of(recipe);
  if (recipe.device_core.empty()) {
    if (!budget.limits.empty())
      refuse("{}: a limit needs a core; set device.core",
             where(recipe, "device." + budget.limits[0].first));
    return;
  }
  if (recipe.quantize_aware && recipe.origin.count("device.type") &&
      recipe.device_type != recipe.quantize_type)
    refuse(
        "{}: the device runs {}, but training is for {} (quantize.type); set both to the same "
        "format",
        where(recipe, "device.type"), word(recipe.device_type), word(recipe.quantize_type));
}

void check_device(const Recipe& recipe, const Network& network) {
  check_device_keys(recipe);
  if (recipe.device_core.empty()) return;
  const Budget budget = budget_of(recipe);
  const sluice_format format = device_format(recipe);
  if (format != SLUICE_F32) check_quantizable(folded(network));
  const std::vector<std::string> over = over_budget(cost_of_share(recipe, network, 1), budget);
  if (over.empty()) return;
  constexpr int finest = 256;
  for (int part = finest - 1; part > 0; --part) {
    const double share = double(part) / finest;
    if (!over_budget(cost_of_share(recipe, network, share), budget).empty()) continue;
    refuse("{}: the network does not fit {}: {}; {} would fit", where(recipe, "device.core"),
           recipe.device_core, fmt::join(over, "; "),
           units_text(on_device(network, format, share)));
  }
  refuse("{}: the network does not fit {}: {}; it would not fit with one unit per layer either",
         where(recipe, "device.core"), recipe.device_core, fmt::join(over, "; "));
}

DeviceCost cost_on_device(const Recipe& recipe, const Network& network) {
  return cost_of_share(recipe, network, 1);
}

std::string device_verdict(const Recipe& recipe, const Network& network) {
  if (recipe.device_core.empty()) return "";
  const sluice_format type = device_format(recipe);
  const bool as_it_is = network.layers.front().format == type;
  const std::optional<DeviceCost> cost = device_cost(
      as_it_is ? network : on_device(network, type, 1), recipe.device_core, "device.core");
  return fmt::format("{}, {}: {}", recipe.device_core, word(type),
                     fmt::join(costs_of(cost.value_or(DeviceCost{}), budget_of(recipe)), "; "));
}

}  // namespace sluice::tools
