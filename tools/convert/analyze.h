// Where quantization's error arises: each layer's values, and each gate's, beside the float
// network's.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "../data/data.h"
#include "quantize.h"

namespace sluice::tools {

/// One kind of value: the frame, a gate, what a layer hands on.
struct ValueError {
  std::size_t layer = 0;   ///< 0: the model's input; else the layer of the fixed network, from 1
  std::string kind, name;  ///< "gru", "r"
  double signal = 0, noise = 0;  ///< sums of squares: of the float values, of the differences
  std::uint64_t count = 0, saturated = 0;  ///< values, and those at an end of their range
  double worst = 0;                        ///< the largest difference ...
  std::size_t worst_sequence = 0,
              worst_step = 0;  ///< ... and where: index in the data set, step from 0
  double snr() const;          ///< in dB; infinite without noise
};

/// Runs both networks step by step over these sequences, the float one's values being the truth.
/// @param most_frames  of a sequence
std::vector<ValueError> analyze(const Network& real, const Quantized& quantized,
                                const DataSet& data, std::span<const std::size_t> sequences,
                                std::size_t most_frames = SIZE_MAX);

/// A table for people.
std::string error_table(const std::vector<ValueError>& values, const DataSet& data);

}  // namespace sluice::tools
