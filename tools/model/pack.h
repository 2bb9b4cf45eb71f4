// Packs a network into the bytes of a blob, and unpacks it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "network.h"

namespace sluice::tools {

/// Returns the blob, format 1 (runtime/README.md). The network must be sound, which opening the
/// result checks.
std::string write_blob(const Network& network);

/// Returns the network in an opened blob.
Network read_network(const sluice_model& model);

/// Returns the place of every weight of a float model in its weight section: layer by layer, array
/// by array, in plain order.
std::vector<std::uint32_t> weight_places(const sluice_model& model);

/// Copy a float network's weights from a copy of its model's weight section, and into one.
void unpack_weights(const std::vector<std::uint32_t>& places, const float* section,
                    Network& network);
void pack_weights(const std::vector<std::uint32_t>& places, const Network& network, float* section);

}  // namespace sluice::tools
