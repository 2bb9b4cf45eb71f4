// Finds where quantization's error arises: compares the values of each layer and each gate with
// those of the float network.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "../data/data.h"
#include "quantize.h"

namespace sluice::tools {

/// The error of one kind of value: the frame, a gate, the output of a layer.
struct ValueError {
  std::size_t layer = 0;   ///< 0: the model's input; else the layer of the fixed network, from 1
  std::string kind, name;  ///< "gru", "r"
  double signal = 0, noise = 0;  ///< sums of squares: of the float values, of the differences
  /// number of values, and of those at an end of their range
  std::uint64_t count = 0, saturated = 0;
  double worst = 0;  ///< the largest difference ...
  std::size_t worst_sequence = 0,
              worst_step = 0;  ///< ... and where: index in the data set, step from 0
  double snr() const;          ///< in dB; infinite without noise
};

/// Runs both networks step by step over these sequences; the float network's values are the
/// reference.
/// @param most_frames  limit for each sequence
std::vector<ValueError> analyze(const Network& real, const Quantized& quantized,
                                const DataSet& data, std::span<const std::size_t> sequences,
                                std::size_t most_frames = SIZE_MAX);

/// Returns the errors as a table.
std::string error_table(const std::vector<ValueError>& values, const DataSet& data);

}  // namespace sluice::tools
