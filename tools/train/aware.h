// Training for fixed point ([quantize] aware): passes see inputs, states and weights as the device
// will have them.
#pragma once
#include <exception>
#include <memory>

#include "../convert/quantize.h"
#include "../model/model_file.h"
#include "../recipe/recipe.h"
#include "sluice_train.h"

namespace sluice::tools {

/// Stays where it is: the trainer points into it.
struct Aware {
  const OwnedModel& start;  ///< as the trainer started
  const DataSet& data;
  const Split& split;
  sluice_format format;
  Network network;                    ///< weights before rounding, as of the last batch
  std::vector<std::uint32_t> places;  ///< of its weights in the trainer's
  Ranges ranges;            ///< of features for good, of what layers hand on as of the last epoch
  DataSet rounded;          ///< data, frames as their numbers stand for
  std::vector<float> unit;  ///< [layers]
  sluice_rounding rounding{};
  std::exception_ptr refused;  ///< what quantize() threw during a batch

  Aware(const Recipe& recipe, const DataSet& data, const Split& split, const OwnedModel& start);
  Aware(const Aware&) = delete;
  Aware& operator=(const Aware&) = delete;

  /// The fixed-point network of a float model, whose peaks are measured anew; the passes after it
  /// use these.
  Quantized make(const sluice_model& real);
};

}  // namespace sluice::tools
