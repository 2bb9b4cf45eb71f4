// The window of a kernel that moves over the steps of a sequence.
#pragma once
#include <cstdint>
#include <string>

#include "../model/network.h"

namespace sluice::tools {

/// A kernel over steps, with steps of zeros in front of a sequence and behind it.
struct StepKernel {
  std::int64_t taps = 1, dilation = 1, stride = 1;
  std::int64_t front = 0, back = 0;
  std::int64_t steps = 0;  ///< of the sequence; 0: any number

  /// Returns the steps between its first and its last tap.
  std::int64_t reach() const { return (taps - 1) * dilation; }
  /// Returns how many outputs it has, of a sequence of known length.
  std::int64_t outputs() const;
};

/// Sets the padding of a kernel that has an output for every stride-th step, as Keras, TensorFlow
/// and ONNX pad by "same". Returns false if that depends on the length, which is not known.
/// @param more_in_front  an odd number of steps has the larger half in front
bool pad_same(StepKernel& kernel, bool more_in_front = false);

/// Returns whether a kernel reads zeros: in front of the sequence, or behind it.
bool reads_zeros(const StepKernel& kernel);

/// Makes a window of a kernel: of its first output and its look ahead. Returns the reason if the
/// runtime has no such window; empty: it has.
std::string window_of(const StepKernel& kernel, std::size_t width, Layer& window);

}  // namespace sluice::tools
