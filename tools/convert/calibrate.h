// Measures a network's ranges on real data, before it is converted to fixed point.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "../data/data.h"
#include "../model/network.h"
#include "../recipe/words.h"

namespace sluice::tools {

constexpr RangeChoice range_choices[] = {RangeChoice::min_max, RangeChoice::percentile,
                                         RangeChoice::min_error};

/// The largest magnitudes of the products of a low-rank layer's factors: W2 x, and W2 h (and
/// W2 (r * h)). Empty for a factor that the layer does not have.
struct FactorPeaks {
  std::vector<double> input, state;  ///< [rank]
};

/// The least and the largest value of each number of an output.
struct NumberRanges {
  std::vector<double> low = {}, high = {};
  double peak() const;  ///< the largest magnitude; 0 of no numbers
};

/// The ranges of what layers compute.
struct OutputRanges {
  /// [layers] The largest magnitude of the output of a linear or ReLU Dense, or of its logits, or
  /// of an LSTM's cell state; else 1.
  std::vector<double> peak = {};
  /// [outputs] of the answer, logits in place of probabilities; empty: unknown
  NumberRanges answer = {};
  /// [layers] of the outputs whose peak was measured; empty: unknown
  std::vector<NumberRanges> each = {};
};

struct Ranges {
  RangeChoice choice = RangeChoice::min_max;
  /// [inputs] Empty for a text's ids; equal for a constant feature.
  std::vector<float> low = {}, high = {};
  /// [inputs] The largest magnitude of each feature's difference from step to step, if the network
  /// takes differences of its frames; 0 for a feature that does not change within a sequence.
  std::vector<double> difference = {};
  OutputRanges outputs = {};
  std::vector<FactorPeaks> factors = {};  ///< [layers]; empty: bounds from the weights
};

/// Mean and covariance of the inputs of a product. They determine which errors of its weights
/// matter, and which cancel.
struct Moments {
  std::vector<double> mean, covariance;  ///< [n], [n][n]; empty if unknown
};

/// The moments of the inputs of a layer of the float network; of a recurrent layer also those of
/// the state before each step, and of a GRU that resets before those of r * h.
struct LayerMoments {
  Moments input, state, reset;
};

/// The values from which ranges are chosen, collected from every frame of these sequences in the
/// float network.
struct Calibration {
  std::vector<std::vector<float>> features;  ///< [inputs] all values, ascending; empty for ids
  /// [inputs] The same of their differences, if the network takes differences of its frames.
  std::vector<std::vector<float>> differences = {};
  OutputRanges outputs = {};
  std::vector<FactorPeaks> factors = {};  ///< [layers]
  /// [layers] From some thousand frames, spread over the sequences.
  std::vector<LayerMoments> moments = {};
};

/// Returns the state h of a cell before a sequence; empty for other layers.
std::vector<double> state_at_start(const Layer& layer);

OutputRanges output_ranges(const Network& real, const DataSet& data,
                           std::span<const std::size_t> sequences);

/// Returns the ranges of the features, and of their differences, alone.
Ranges feature_ranges(const Network& real, const DataSet& data,
                      std::span<const std::size_t> sequences, RangeChoice choice);

Calibration calibrate(const Network& real, const DataSet& data,
                      std::span<const std::size_t> sequences);

/// Returns a line for every feature that differs from the data that a network was standardized by:
/// its deviation is more than twice or less than half as large, or its mean is more than two
/// deviations away. Empty for a network without standardization.
std::vector<std::string> unlike_training(const Network& real, const Calibration& calibration);

Ranges choose_ranges(const Calibration& calibration, RangeChoice choice);

}  // namespace sluice::tools
