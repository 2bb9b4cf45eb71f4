// The units and limits of numbers in fixed point, as kernels/README.md defines them.
#pragma once
#include "../model/network.h"
#include "sluice.h"

namespace sluice::tools {

constexpr double gate_unit = 1.0 / 4096;    ///< of the inputs of sigmoid and tanh
constexpr double state_unit = 1.0 / 32768;  ///< of their outputs
constexpr int most_weight = 127;            ///< the largest magnitude of an int8 weight
constexpr double lowest_output = -32768, highest_output = 32767;  ///< of a layer's int16 output

/// The lowest and the highest number of a model's input, and of a number that enters a product.
constexpr double lowest_input(sluice_format format) {
  return format == SLUICE_INT8 ? -128 : lowest_output;
}
constexpr double highest_input(sluice_format format) { return -lowest_input(format) - 1; }

/// Returns the number format whose frames a network in fixed point takes.
inline sluice_format frame_format(const Network& fixed) {
  return fixed.wide_frame ? SLUICE_W8A16 : fixed.layers.front().format;
}

/// The factor by which an int16 output is larger than the number that enters a product for it.
constexpr double narrowing_of(sluice_format format) { return format == SLUICE_INT8 ? 256 : 1; }

}  // namespace sluice::tools
