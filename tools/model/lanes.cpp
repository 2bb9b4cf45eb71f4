#include "lanes.h"

#include <algorithm>
#include <cstdint>

#include "graph.h"

namespace sluice::tools {
namespace {

bool overlap(const Wire& a, const Wire& b) { return a.source <= b.end() && b.source <= a.end(); }

/// Returns the lowest lane in which none of the wires before `count` in the order overlaps.
std::size_t free_lane(const std::vector<Wire*>& order, std::size_t count) {
  std::vector<bool> taken(count + 1);
  for (std::size_t i = 0; i < count; ++i)
    if (overlap(*order[i], *order[count])) taken[order[i]->lane] = true;
  return std::size_t(std::find(taken.begin(), taken.end(), false) - taken.begin());
}

}  // namespace

std::vector<Wire> wires_of(const Network& network) {
  std::vector<Wire> wires;
  for (std::uint32_t source = 0; source < network.layers.size(); ++source) {
    Wire wire{source, readers_of(network, source)};
    std::erase(wire.readers, source + 1);
    if (!wire.readers.empty()) wires.push_back(std::move(wire));
  }
  std::vector<Wire*> order;
  for (Wire& wire : wires) order.push_back(&wire);
  std::stable_sort(order.begin(), order.end(), [](const Wire* a, const Wire* b) {
    return a->end() - a->source < b->end() - b->source;
  });
  for (std::size_t i = 0; i < order.size(); ++i) order[i]->lane = free_lane(order, i);
  return wires;
}

std::size_t lanes_of(const std::vector<Wire>& wires) {
  std::size_t lanes = 0;
  for (const Wire& wire : wires) lanes = std::max(lanes, wire.lane + 1);
  return lanes;
}

bool reads_previous(const Network& network, std::uint32_t layer) {
  const std::vector<std::uint32_t> sources = sources_of(network, layer - 1);
  return std::find(sources.begin(), sources.end(), layer - 1) != sources.end();
}

}  // namespace sluice::tools
