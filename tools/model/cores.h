// The cores that there are kernels for.
#pragma once
#include <string>

#include "order.h"

namespace sluice::tools {

/// What a core reads: "cortex-m4" pairs, "cortex-m55" rows. Refused (exit code 2) with the cores'
/// names.
Order order_of_core(const std::string& core);

/// How a message about an unknown core ends: "did you mean cortex-m4? there are cortex-m0, ...".
std::string cores_to_give(const std::string& mistyped);

/// The cores that have an order, for messages and help: "cortex-m0, cortex-m0plus, ...".
std::string core_names();

/// The core whose counted costs hold for it, instruction for instruction: itself, or one of the
/// same architecture.
std::string counted_core(const std::string& core);

}  // namespace sluice::tools
