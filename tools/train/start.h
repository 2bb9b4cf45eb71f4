// The steps before the first epoch and after the last.
#pragma once
#include "input.h"
#include "train.h"

namespace sluice::tools {

/// Returns the network before training. Refuses (exit code 2) a recipe, data and device that do not
/// fit together.
Network checked_start(const Recipe& recipe, const Input& input);

/// Converts the trained models to models that answer in the data's own units. Restores the data's
/// targets too.
void hand_on(const Recipe& recipe, Input& input, Trained& trained);

}  // namespace sluice::tools
