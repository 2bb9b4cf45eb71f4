// SIGINT, noted while trials are worked on.
#pragma once

namespace sluice::tools {

/// From now on SIGINT is noted, and does nothing else but to end a training that runs.
void note_interrupts();

/// Whether one was noted; and an Error of exit code 130 where one was.
bool interrupted();
void check_interrupt();

}  // namespace sluice::tools
