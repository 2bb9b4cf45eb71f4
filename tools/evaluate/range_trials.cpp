#include "range_trials.h"

#include <optional>

#include "../common/error.h"
#include "../model/pack.h"
#include "../recipe/made.h"

namespace sluice::tools {

RangeTrial& RangeTrials::best() {
  RangeTrial* best = &trials.front();
  for (RangeTrial& trial : trials)
    if (trial.held_out.loss < best->held_out.loss) best = &trial;
  return *best;
}

/// A choice of ranges that fails, for instance because of an outlier, is left out of the
/// comparison.
RangeTrials try_ranges(const Network& real, sluice_format format, std::optional<RangeChoice> only,
                       const DataSet& data, const Split& split) {
  const Calibration calibration = calibrate(real, data, split.train);
  RangeTrials result{{}, unlike_training(real, calibration)};
  std::optional<Error> refused;
  for (const RangeChoice choice : range_choices) {
    if (only && *only != choice) continue;
    // ids have no range, so all choices are the same
    if (data.is_text() && !result.trials.empty()) break;
    try {
      Quantized quantized =
          quantize(real, format, choose_ranges(calibration, choice), calibration.moments);
      quantized.network.made = made_quantized(real.made, format, choice, data_hash(data));
      OwnedModel model = open_model(write_blob(quantized.network), "the quantized model");
      Evaluation held_out = evaluate(model.model, data, split.held_out, 0);
      result.trials.push_back(
          {choice, std::move(quantized), std::move(model), std::move(held_out)});
    } catch (const Error& error) {
      refused = error;
    }
  }
  if (result.trials.empty() && refused) throw *refused;
  if (refused)
    result.warnings.push_back(fmt::format("a choice of ranges is left out: {}", refused->what()));
  return result;
}

}  // namespace sluice::tools
