#include "saturation.h"

#include <algorithm>

#include "../common/print.h"
#include "../model/pack.h"
#include "numbers.h"

namespace sluice::tools {

bool saturates(const Network& fixed, std::size_t feature, float value) {
  const Scales& scales = fixed.scales;
  const sluice_format format = frame_format(fixed);
  const double inverse = double(scales.inverse[feature]);
  const double number = double(value) * inverse + double(scales.offset[feature]);
  return inverse != 0 &&
         !(number >= lowest_input(format) - 0.5 && number < highest_input(format) + 0.5);
}

std::vector<InputSaturation> saturated_inputs(const OwnedModel& model, const DataSet& data,
                                              std::span<const std::size_t> sequences) {
  if (model.info().format == SLUICE_F32 || data.is_text()) return {};
  const Network fixed = read_network(model.model);
  const Scales& scales = fixed.scales;
  std::vector<InputSaturation> found;
  for (std::size_t k = 0; k < data.features(); ++k) {
    std::size_t outside = 0, frames = 0;
    InputSaturation input{data.feature_names[k], 0};
    for (const std::size_t s : sequences)
      for (std::size_t t = 0; t < data.steps(s); ++t, ++frames) {
        const float value = data.frames(s)[t * data.features() + k];
        outside += saturates(fixed, k, value);
        input.differs = input.differs || (scales.inverse[k] == 0 && value != scales.offset[k]);
      }
    input.share = double(outside) / double(std::max<std::size_t>(frames, 1));
    if (outside || input.differs) found.push_back(input);
  }
  return found;
}

void warn_saturated(const std::vector<InputSaturation>& inputs, const std::string& what) {
  constexpr double worth_saying = 0.01;
  for (const InputSaturation& input : inputs) {
    if (input.differs)
      write_stderr(
          printable(fmt::format("warning: {}: was constant in the calibration data, but not in "
                                "{}; the model ignores it",
                                input.name, what)) +
          "\n");
    else if (input.share >= worth_saying)
      write_stderr(
          printable(fmt::format("warning: {}: {:.1f} % of its values in {} are outside the "
                                "calibrated range and saturate",
                                input.name, 100 * input.share, what)) +
          "\n");
  }
}

}  // namespace sluice::tools
