// The layout of a drawn network: the layers are a column, and outputs that skip layers run beside
// it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "network.h"

namespace sluice::tools {

/// An output that layers beyond the next one read: it leaves its source, runs along one lane, and
/// enters each of these readers. The next layer reads it directly, without a lane.
struct Wire {
  std::uint32_t source = 0;            ///< 0: the frame, else a layer counted from 1
  std::vector<std::uint32_t> readers;  ///< layers counted from 1, in ascending order
  std::size_t lane = 0;                ///< counted from the column
  std::uint32_t end() const { return readers.back(); }
};

/// Returns the wires of a network by source, none for a chain. Two wires in one lane have no layer
/// in common, not even an end. Shorter wires take the inner lanes, so that few lines cross.
std::vector<Wire> wires_of(const Network& network);

/// Returns the number of lanes that the wires take.
std::size_t lanes_of(const std::vector<Wire>& wires);

/// Whether a layer, counted from 1, reads the one before it (1: the frame).
bool reads_previous(const Network& network, std::uint32_t layer);

}  // namespace sluice::tools
