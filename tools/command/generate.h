// The text that `sluice run --generate` writes.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "../model/model_file.h"
#include "command.h"

namespace sluice::tools {

/// How a token is drawn.
struct Drawing {
  float temperature;  ///< 0: always the likeliest token
  std::size_t top_k;  ///< number of the likeliest tokens to draw from; 0: all
};

/// Returns an id drawn with the chances to the power of 1 / temperature; of equal chances the lower
/// id comes first. Padding and unknown (ids 0 and 1) are never drawn.
/// @param random  in [0, 1)
std::int32_t drawn_id(std::span<const float> chances, const Drawing&, float random);

/// Returns the prompt and the tokens that follow, with a newline at the end. Refuses a model that
/// does not predict the next token.
std::string generated_text(const OwnedModel& model, const RunOptions& options);

}  // namespace sluice::tools
