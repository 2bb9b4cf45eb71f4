// What `sluice run --generate` writes.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "../model/model_file.h"
#include "command.h"

namespace sluice::tools {

struct Drawing {
  float temperature;  ///< 0: the likeliest
  std::size_t top_k;  ///< 0: all
};

/// An id drawn with chances to the power of 1 / temperature, ties by the lower id; padding and
/// unknown (0 and 1) never are.
/// @param random  in [0, 1)
std::int32_t drawn_id(std::span<const float> chances, const Drawing&, float random);

/// The prompt and what the model writes on, with a line's end. Refused for a model that does not
/// tell the next token.
std::string generated_text(const OwnedModel& model, const RunOptions& options);

}  // namespace sluice::tools
