// Training for fixed point ([quantize] aware): passes use inputs, states and weights as the device
// will have them.
#pragma once
#include <cstdint>
#include <exception>
#include <memory>

#include "../convert/quantize.h"
#include "../model/model_file.h"
#include "../recipe/recipe.h"
#include "sluice_train.h"

namespace sluice::tools {

/// Must not move, since the trainer holds pointers into it.
struct Aware {
  const OwnedModel& start;  ///< the model that training starts from
  const DataSet& data;
  const Split& split;
  sluice_format format;
  bool copies;      ///< `network` has a copy of the frame in front (with_integer_form)
  Network network;  ///< unrounded weights, as of the last batch
  std::vector<std::uint32_t> places;  ///< of its weights in the trainer's weight section
  Ranges ranges;            ///< of features from the start, of layers' outputs as of the last epoch
  DataSet rounded;          ///< the data with rounded frames
  std::vector<float> unit;  ///< [layers]
  sluice_rounding rounding{};
  std::exception_ptr refused;  ///< exception of quantize() during a batch

  Aware(const Recipe& recipe, const DataSet& data, const Split& split, const OwnedModel& start);
  Aware(const Aware&) = delete;
  Aware& operator=(const Aware&) = delete;

  /// Returns the fixed-point network of a float model. Measures the peaks again; later passes use
  /// these.
  Quantized make(const sluice_model& real);

 private:
  /// Returns a network in training as it is quantized.
  Network in_form(const Network& trained) const;
};

}  // namespace sluice::tools
