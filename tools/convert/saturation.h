// Data that a fixed-point model's inputs cannot hold.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "../data/data.h"
#include "../model/model_file.h"
#include "../model/network.h"

namespace sluice::tools {

struct InputSaturation {
  std::string name;
  double share;          ///< of this feature's values that lie outside its range; NaN does
  bool differs = false;  ///< from the one value that it had in calibration; it is not looked at
};

/// Whether a value saturates; false for a feature that is not looked at.
bool saturates(const Scales& scales, sluice_format format, std::size_t feature, float value);

/// The features of which some value in these sequences saturates, or that are not the one value
/// that calibration saw. None of a float model.
std::vector<InputSaturation> saturated_inputs(const OwnedModel& model, const DataSet& data,
                                              std::span<const std::size_t> sequences);

/// A warning on standard error for every feature of which more than a hundredth saturates.
/// @param what  whose values they are: "test.csv"
void warn_saturated(const std::vector<InputSaturation>& inputs, const std::string& what);

}  // namespace sluice::tools
