// A float model in fixed point, by each way of choosing ranges, tried on sequences that these were
// not chosen from.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "../convert/quantize.h"
#include "evaluate.h"

namespace sluice::tools {

/// A choice, carried out.
struct RangeTrial {
  RangeChoice choice;
  Quantized quantized;
  OwnedModel model;
  Evaluation held_out;
};

struct RangeTrials {
  std::vector<RangeTrial> trials;  ///< at least one
  /// data unlike the training's; a choice that could not be carried out
  std::vector<std::string> warnings;
  RangeTrial& best();  ///< by its loss
};

/// Ranges from the split's training sequences, losses of its held out ones. Refused where no choice
/// can be carried out.
/// @param only  the one choice to try; none: all of them
RangeTrials try_ranges(const Network& real, sluice_format format, std::optional<RangeChoice> only,
                       const DataSet& data, const Split& split);

}  // namespace sluice::tools
