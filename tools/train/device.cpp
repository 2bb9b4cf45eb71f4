// Checks that a recipe's network fits its device, before training takes any time.
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>

#include "../common/error.h"
#include "../convert/budget.h"
#include "../convert/fold.h"
#include "../convert/quantize.h"
#include "../model/graph.h"
#include "train.h"

namespace sluice::tools {
namespace {

/// Returns for the frame and each layer whether its width is given: by the data, or because a sum,
/// a product or shared weights want it equal to one that is given.
std::vector<bool> given_widths(const Network& network) {
  const std::size_t layers = network.layers.size();
  std::vector<std::size_t> same(layers + 1);  // one output for all outputs of the same width
  std::iota(same.begin(), same.end(), std::size_t(0));
  const auto tie = [&](std::size_t a, std::size_t b) {
    std::replace(same.begin(), same.end(), std::size_t(same[a]), std::size_t(same[b]));
  };
  const auto is_concat = [&](std::size_t l) { return network.layers[l].kind == SLUICE_CONCAT; };
  std::vector<std::size_t> deciding(layers + 1);  // [same] layers whose width is not another's
  for (std::size_t l = 0; l < layers; ++l) {
    const Layer& layer = network.layers[l];
    if (layer.anatomy().keeps_width || layer.tied >= 0)
      for (const std::uint32_t source : sources_of(network, l)) tie(source, l + 1);
    if (layer.tied < 0) continue;
    const auto first = std::size_t(layer.tied);
    tie(first + 1, l + 1), tie(sources_of(network, first)[0], l + 1);
  }
  for (std::size_t l = 0; l < layers; ++l)
    deciding[same[l + 1]] += !network.layers[l].anatomy().keeps_width;
  std::vector<bool> given(layers + 1);  // [same]
  given[same[0]] = true;
  for (const std::uint32_t answer : answers_of(network)) given[same[answer]] = true;
  for (std::size_t l = 0; l < layers; ++l) {
    // Scaled parts of a concat need not add up to the scaled width of another layer.
    const bool joins_to_width = is_concat(l) && deciding[same[l + 1]] > 1;
    if (network.layers[l].kind == SLUICE_SELECT || joins_to_width) given[same[l + 1]] = true;
    // Parts and positions fit one width alone.
    if (network.layers[l].kind != SLUICE_SELECT && network.layers[l].parts == 0) continue;
    given[same[l + 1]] = true;
    for (const std::uint32_t source : sources_of(network, l)) given[same[source]] = true;
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t l = 0; l < layers; ++l)
      for (const std::uint32_t part : sources_of(network, l))
        if (is_concat(l) && given[same[l + 1]] && !given[same[part]])
          given[same[part]] = changed = true;
  }
  std::vector<bool> result;
  for (const std::size_t one : same) result.push_back(given[one]);
  return result;
}

/// Returns the network as it would be on the device, with units and ranks of its hidden layers
/// scaled; the weights do not matter.
Network on_device(const Network& network, sluice_format format, double share) {
  Network result = folded(network);
  result.width = frame_width(network);
  for (std::size_t l = 0; l < result.layers.size() && format != SLUICE_F32;)
    if (result.layers[l].kind == SLUICE_STANDARDIZE)
      remove_layer(result, l);  // becomes part of the inputs' scales
    else
      ++l;
  const std::vector<bool> given = given_widths(result);
  const auto scaled = [&](int n) { return std::max(1, int(n * share)); };
  for (std::size_t l = 0; l < result.layers.size(); ++l) {
    Layer& layer = result.layers[l];
    const std::vector<std::uint32_t> sources = sources_of(result, l);
    int in = 0;
    for (const std::uint32_t source : sources)
      in = layer.kind == SLUICE_CONCAT ? in + width_of(result, source) : width_of(result, source);
    const bool keeps = layer.anatomy().keeps_width || layer.kind == SLUICE_CONCAT;
    if (!layer.anatomy().reads_ids) layer.in = in;
    layer.out = keeps ? in : given[l + 1] ? layer.out : scaled(layer.out);
    if (layer.cells > 0) layer.cells = scaled(layer.cells);
    if (layer.rank > 0) layer.rank = std::min(scaled(layer.rank), layer.out - 1);
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

/// "gru = 12, rank = 4, dense = 2": the layers that have units of their own.
std::string units_text(const Network& network) {
  std::vector<std::string> parts;
  for (const Layer& layer : network.layers) {
    if (layer.anatomy().keeps_width || layer.anatomy().joins) continue;
    parts.push_back(fmt::format("{} = {}", sluice_layer_name(layer.kind),
                                layer.cells > 0 ? layer.cells : layer.out));
    if (layer.cells > 0) parts.push_back(fmt::format("projection = {}", layer.out));
    if (layer.rank > 0) parts.push_back(fmt::format("rank = {}", layer.rank));
  }
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
  refuse(
      "{}: the network does not fit {}: {}; with one unit in each layer whose width is free it "
      "would not fit either",
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
