// A network as the bytes of a blob, and back.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "network.h"

namespace sluice::tools {

/// The blob, format 1 (runtime/README.md). The network must be sound: opening the result is a
/// check, not a hope.
std::string write_blob(const Network& network);

/// The network in a blob that has been opened.
Network read_network(const sluice_model& model);

/// Where every weight of a float model lies in its weight section: layer by layer, array by array,
/// in plain order.
std::vector<std::uint32_t> weight_places(const sluice_model& model);

/// A float network's weights out of a copy of its model's weight section, and into one.
void unpack_weights(const std::vector<std::uint32_t>& places, const float* section,
                    Network& network);
void pack_weights(const std::vector<std::uint32_t>& places, const Network& network, float* section);

}  // namespace sluice::tools
