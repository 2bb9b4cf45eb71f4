// Ends the process at once, from any point: needs no memory and throws no exception.
#pragma once

namespace sluice::tools {

/// Prints "sluice: out of memory" on standard error and ends the process with exit code 1.
/// Temporary files remain, as they do after a kill.
[[noreturn]] void end_out_of_memory() noexcept;

/// Makes std::terminate() end the process in the same way if the cause was a lack of memory in a
/// place that cannot handle it: a destructor or a thread.
void end_well_on_terminate();

}  // namespace sluice::tools
