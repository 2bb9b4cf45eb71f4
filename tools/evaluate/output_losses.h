// The outputs of which fixed point loses more than a tenth, and the cause of each loss.
#pragma once
#include <string>
#include <vector>

#include "../convert/analyze.h"
#include "../convert/saturation.h"
#include "range_trials.h"

namespace sluice::tools {

/// An output whose error in fixed point is more than a tenth above that of the float model.
struct OutputLoss {
  std::string output;   ///< the target's name, of many targets a column's; of classes their head's
  std::string measure;  ///< "RMSE", "MAE" or, of classes, "loss"
  double before = 0, after = 0;
  std::string cause;
};

/// Returns the outputs that lose more than a tenth on the sequences of both evaluations. The cause
/// is the step of the output's numbers if that explains half of the loss, else inputs outside of
/// their range or constant where the ranges come from, else the value inside the network with the
/// lowest SNR or, if all of them are far above the loss, the weights.
/// @param errors  of the layers (analyze)
/// @param inputs  that saturate on the same sequences (saturated_inputs)
std::vector<OutputLoss> output_losses(const Evaluation& before, const RangeTrial& after,
                                      const std::vector<ValueError>& errors,
                                      const std::vector<InputSaturation>& inputs);

/// Returns a sentence for each loss, of at most a few: "wind: RMSE 0.41 in float, 0.52 in int8:
/// ...".
std::vector<std::string> loss_texts(const std::vector<OutputLoss>& losses, const std::string& type);

}  // namespace sluice::tools
