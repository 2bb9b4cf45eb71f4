// A network's graph as lines of text, as `git log --graph` draws commits.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "../model/network.h"

namespace sluice::tools {

struct GraphLine {
  std::string text;
  bool between = false;  ///< no layer is on it: the next layer does not read the one above it
};

/// Returns a line for the frame and for each layer, "o", and lines between them. An output that
/// skips layers leaves its line at a "." and is read at each "+" and at its end, a "'"; a "|"
/// passes by, even between dashes. A layer reads the one above it unless a line lies between them.
/// Returns no lines if one would be longer than 40 characters.
std::vector<GraphLine> graph_lines(const Network& network);

}  // namespace sluice::tools
