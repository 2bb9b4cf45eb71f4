// The checks of a trainer's options, before anything is started.
#ifndef SLUICE_TRAIN_OPTIONS_H
#define SLUICE_TRAIN_OPTIONS_H

#include "train.h"

namespace sluice {

/// Whether every option is in its range.
bool good_options(const sluice_train_options&);

/// Whether a network can be trained with these options: its layers, and what its answers' losses
/// want.
bool trainable(const OpenModel&, const sluice_train_options&);

/// Whether a state can be carried from one sequence to the next: by layers that go forward alone
/// and do not average.
bool can_carry(const OpenModel&);

}  // namespace sluice

#endif
