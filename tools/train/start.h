// What stands before a training's epochs and after them.
#pragma once
#include "input.h"
#include "train.h"

namespace sluice::tools {

/// The network before training. Refused (exit code 2) where recipe, data and device do not go
/// together.
Network checked_start(const Recipe& recipe, const Input& input);

/// What a training leaves, made into what is handed on: models that answer in the data's own units.
/// Restores the data's targets too.
void hand_on(const Recipe& recipe, Input& input, Trained& trained);

}  // namespace sluice::tools
