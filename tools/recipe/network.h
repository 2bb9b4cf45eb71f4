// The layers of a recipe as layers of a network.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "../model/network.h"
#include "layers.h"

namespace sluice::tools {

/// Returns a recipe's layer as a network's layer with `in` inputs, still without arrays.
Layer layer_of(const LayerSpec& spec, int in);

/// Returns the columns of a frame of `in` numbers that patches take; -1 stands for a zero.
std::vector<std::int32_t> patch_columns(const LayerSpec& patches, std::int64_t in);

/// Returns the input width of layer `index` of a list. Refuses a sum or a product of unequal
/// widths, and parts or positions that do not fit the width.
/// @param widths  of the frame and of the layers before
/// @param place   the beginning of a message
std::int64_t width_of_sources(const std::vector<LayerSpec>& layers, std::size_t index,
                              const std::vector<std::int64_t>& widths, const std::string& place);

/// Adds layers, with zeros for weights, to a network whose present layers prepare the frame.
/// @param in  the width of the frame as the first of them reads it
void add_layers(const std::vector<LayerSpec>& layers, int in, const std::string& place,
                Network& network);

}  // namespace sluice::tools
