// A network in fixed point, and the values of its numbers.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "../model/network.h"

namespace sluice::tools {

/// The values of an output's int16 numbers: value = unit * number + zero, each number with its own.
struct Units16 {
  std::vector<double> unit, zero;
  /// Returns the unit of all numbers; 0 if they differ or have a zero point.
  double common() const {
    const bool alike =
        std::all_of(unit.begin(), unit.end(), [&](double u) { return u == unit[0]; }) &&
        std::all_of(zero.begin(), zero.end(), [](double z) { return z == 0; });
    return alike && !unit.empty() ? unit[0] : 0;
  }
};

struct Quantized {
  Network network;
  std::vector<Units16> units;  ///< [layers of network]
  /// [layers of network] The layer of the float network, counted from 0.
  std::vector<std::size_t> real_of;
  /// The float network with the weights that the integers stand for.
  Network rounded;
  /// Constant features; weights made coarser so that no accumulator overflows.
  std::vector<std::string> warnings;
};

}  // namespace sluice::tools
