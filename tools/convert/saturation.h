// Detects data outside the input ranges of a fixed-point model.
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
  double share;  ///< of this feature's values outside its range; NaN counts as outside
  /// differs from the feature's one value in calibration; the model ignores it
  bool differs = false;
};

/// Returns whether a value saturates; false for a feature that the model ignores.
bool saturates(const Network& fixed, std::size_t feature, float value);

/// Returns the features with a saturating value in these sequences, and those that differ from
/// their only value in calibration. Returns nothing for a float model.
std::vector<InputSaturation> saturated_inputs(const OwnedModel& model, const DataSet& data,
                                              std::span<const std::size_t> sequences);

/// Warns on standard error about every feature of which more than a hundredth saturates.
/// @param what  name of the data: "test.csv"
void warn_saturated(const std::vector<InputSaturation>& inputs, const std::string& what);

}  // namespace sluice::tools
