// Converts a float model to fixed point with each choice of ranges, and evaluates it on sequences
// from which the ranges were not chosen.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "../convert/quantize.h"
#include "evaluate.h"

namespace sluice::tools {

/// The result of one choice of ranges.
struct RangeTrial {
  RangeChoice choice;
  Quantized quantized;
  OwnedModel model;
  Evaluation held_out;
};

struct RangeTrials {
  std::vector<RangeTrial> trials;  ///< at least one
  /// Data unlike the training's; choices that failed.
  std::vector<std::string> warnings;
  RangeTrial& best();  ///< the trial of the lowest loss
};

/// Chooses ranges on the split's training sequences, and measures losses on the held out ones.
/// Refuses data for which every choice fails.
/// @param only  the only choice to try; none: all choices
RangeTrials try_ranges(const Network& real, sluice_format format, std::optional<RangeChoice> only,
                       const DataSet& data, const Split& split);

}  // namespace sluice::tools
