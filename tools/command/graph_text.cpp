#include "graph_text.h"

#include <algorithm>
#include <cstdint>

#include "../model/lanes.h"

namespace sluice::tools {
namespace {

constexpr std::size_t longest_line = 40;

std::size_t column_of(const Wire& wire) { return 2 * wire.lane + 2; }

/// The mark of a wire on a layer's line; a blank if it is elsewhere.
char mark_of(const Wire& wire, std::uint32_t layer) {
  if (layer < wire.source || layer > wire.end()) return ' ';
  if (layer == wire.source) return '.';
  if (layer == wire.end()) return '\'';
  return std::binary_search(wire.readers.begin(), wire.readers.end(), layer) ? '+' : '|';
}

std::string trimmed(std::string text) { return text.erase(text.find_last_not_of(' ') + 1); }

std::string line_of(const std::vector<Wire>& wires, std::size_t width, std::uint32_t layer) {
  std::string text(width, ' ');
  std::size_t end = 0;
  text[0] = 'o';
  for (const Wire& wire : wires) {
    const char mark = mark_of(wire, layer);
    if (mark == ' ') continue;
    text[column_of(wire)] = mark;
    if (mark != '|') end = std::max(end, column_of(wire));
  }
  std::replace(text.begin(), text.begin() + std::ptrdiff_t(end), ' ', '-');
  return trimmed(std::move(text));
}

std::string line_between(const std::vector<Wire>& wires, std::size_t width, std::uint32_t layer) {
  std::string text(width, ' ');
  for (const Wire& wire : wires)
    if (wire.source < layer && layer <= wire.end()) text[column_of(wire)] = '|';
  return trimmed(std::move(text));
}

}  // namespace

std::vector<GraphLine> graph_lines(const Network& network) {
  const std::vector<Wire> wires = wires_of(network);
  const std::size_t width = 2 * lanes_of(wires) + 1;
  std::vector<GraphLine> lines;
  for (std::uint32_t layer = 0; width <= longest_line && layer <= network.layers.size(); ++layer) {
    if (layer > 0 && !reads_previous(network, layer))
      lines.push_back({line_between(wires, width, layer), true});
    lines.push_back({line_of(wires, width, layer)});
  }
  return lines;
}

}  // namespace sluice::tools
