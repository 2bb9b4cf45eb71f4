// The section of a blob for a board's test of itself (sluice_selftest).
#pragma once
#include <string>
#include <vector>

#include "../model/model_file.h"

namespace sluice::tools {

/// Returns the section: n sequences of 8 frames each, generated in the range of the model's inputs,
/// and the bits of the answers.
std::string self_test_of(const OwnedModel& model, int n);

/// Returns the section for a float model and sequences of frames, each [steps][inputs].
std::string self_test_of(const OwnedModel& model, const std::vector<std::vector<float>>& sequences);

}  // namespace sluice::tools
