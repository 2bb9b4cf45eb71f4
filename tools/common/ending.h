// How the command ends at once, without leaving what it is in the middle of: it needs no memory,
// and no exception is thrown.
#pragma once

namespace sluice::tools {

/// Says "sluice: out of memory" on standard error and ends the process with exit code 1. Files on
/// their way are left as a kill leaves them.
[[noreturn]] void end_out_of_memory() noexcept;

/// Has std::terminate() end so too, if it was a lack of memory that nobody could handle: in a
/// destructor, or in a thread.
void end_well_on_terminate();

}  // namespace sluice::tools
