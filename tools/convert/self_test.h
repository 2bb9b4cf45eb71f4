// What a blob holds so that a board can test itself (sluice_selftest).
#pragma once
#include <string>

#include "../model/model_file.h"

namespace sluice::tools {

/// The section: n sequences of 8 frames each, made up inside the range of the model's inputs, and
/// the answers' bits.
std::string self_test_of(const OwnedModel& model, int n);

}  // namespace sluice::tools
