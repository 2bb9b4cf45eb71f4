// The layers of a recipe: { gru = 32, steps = "last" }, { dense = 9, activation = "softmax" }. The
// table of their options is in layer_table.h.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../common/json_fwd.h"
#include "layer_spec.h"

namespace sluice::tools {

/// Returns the number of patches of a frame of `in` numbers.
std::int64_t patch_count(const LayerSpec& patches, std::int64_t in);

/// The name of the frame as the first layer of a recipe reads it: standardized if the data are.
constexpr const char* frame_name = "frame";

/// Returns the sources of layer `index`: 0 for the frame, else a layer of the list counted from 1.
/// Refuses an unknown name (exit code 2); `place` begins the message.
std::vector<std::size_t> sources_of(const std::vector<LayerSpec>& layers, std::size_t index,
                                    const std::string& place);

/// Returns whether a name inside a layer takes a whole number: the units, under the layer's own
/// name, or a count.
bool layer_counts(std::string_view name);

/// Returns whether an option of layers determines the measure: trials of a search that differ in it
/// could not be compared.
bool layer_measures(std::string_view name);

/// Returns a layer as a recipe writes it: its kind, then the options that differ from their
/// defaults.
OrderedJson to_json(const LayerSpec& layer);

}  // namespace sluice::tools
