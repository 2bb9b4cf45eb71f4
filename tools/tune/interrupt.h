// Records SIGINT while trials run.
#pragma once

namespace sluice::tools {

/// From now on a SIGINT is recorded. Its only other effect is to end a running training.
void note_interrupts();

/// Returns whether a SIGINT was recorded; throws an Error of exit code 130 if one was.
bool interrupted();
void check_interrupt();

}  // namespace sluice::tools
