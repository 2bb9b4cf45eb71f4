// Checks a trainer's options, before anything is started.
#ifndef SLUICE_TRAIN_OPTIONS_H
#define SLUICE_TRAIN_OPTIONS_H

#include "train.h"

namespace sluice {

/// Returns whether every option is in its range.
bool good_options(const sluice_train_options&);

/// Returns whether a network can be trained with these options: whether all of its layers can, and
/// whether the losses fit its answers.
bool trainable(const OpenModel&, const sluice_train_options&);

/// Returns whether a state can be carried from one sequence to the next. All layers must go forward
/// only, must not average over steps, and must not be differences or windows.
bool can_carry(const OpenModel&);

}  // namespace sluice

#endif
