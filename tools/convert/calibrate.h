// What real data tells of a network's ranges, before it is made a fixed-point one.
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

/// Of a layer of low rank, the largest magnitudes of its factors' products: W2 x, and W2 h (and
/// W2 (r * h)). Empty of a factor that there is not.
struct FactorPeaks {
  std::vector<double> input, state;  ///< [rank]
};

struct Ranges {
  RangeChoice choice = RangeChoice::min_max;
  std::vector<float> low,
      high;  ///< [inputs], none of a text's ids; equal for a feature that never changed
  std::vector<double> peak;  ///< [layers] the largest magnitude that a linear or ReLU Dense hands
                             ///< on, or its logits, or that an LSTM's cell state has; else 1
  std::vector<FactorPeaks> factors = {};  ///< [layers]; empty: by the weights alone
};

/// Mean and covariance of what enters a product: which errors of its weights matter, and which
/// cancel.
struct Moments {
  std::vector<double> mean, covariance;  ///< [n], [n][n]; empty where there are none
};

/// What enters a layer of the float network, of a recurrent one the state before each step, of a
/// GRU that resets before r * h.
struct LayerMoments {
  Moments input, state, reset;
};

/// The values that ranges are chosen from: every frame of these sequences through the float
/// network.
struct Calibration {
  std::vector<std::vector<float>> features;  ///< [inputs] all values, ascending; none of ids
  std::vector<double> peak;                  ///< [layers]
  std::vector<FactorPeaks> factors;          ///< [layers]
  std::vector<LayerMoments>
      moments;  ///< [layers] of some thousand frames, spread over the sequences
};

/// The largest magnitudes that Ranges wants.  [layers]
std::vector<double> peaks(const Network& real, const DataSet& data,
                          std::span<const std::size_t> sequences);

/// Ranges of the features alone, without peaks.
Ranges feature_ranges(const DataSet& data, std::span<const std::size_t> sequences,
                      RangeChoice choice);

Calibration calibrate(const Network& real, const DataSet& data,
                      std::span<const std::size_t> sequences);

/// What does not look like the data that a network was standardized by: a line for every feature
/// that is spread more than twice, or less than half, as wide, or lies more than two deviations
/// elsewhere. None of a network without standardization.
std::vector<std::string> unlike_training(const Network& real, const Calibration& calibration);

Ranges choose_ranges(const Calibration& calibration, RangeChoice choice);

}  // namespace sluice::tools
