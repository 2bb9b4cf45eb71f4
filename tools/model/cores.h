// The cores that have kernels.
#pragma once
#include <string>

#include "order.h"

namespace sluice::tools {

/// Returns the order of weights that a core reads: pairs for "cortex-m4", rows for "cortex-m55".
/// Refuses an unknown core (exit code 2) and lists the known ones.
Order order_of_core(const std::string& core);

/// Returns the end of a message about an unknown core: "did you mean cortex-m4? there are
/// cortex-m0, ...".
std::string cores_to_give(const std::string& mistyped);

/// Returns the names of all cores for messages and help: "cortex-m0, cortex-m0plus, ...".
std::string core_names();

/// Returns the core whose counted costs hold for it, instruction for instruction: itself, or one of
/// the same architecture.
std::string counted_core(const std::string& core);

}  // namespace sluice::tools
