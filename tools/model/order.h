// The order of a blob's int8 weights: a core's own, or the hosts'. It does not change the model's
// results.
#pragma once
#include <string>
#include <string_view>

#include "kernels/kernels.h"

namespace sluice::tools {

/// Returns the same model with its int8 weights in another order. Sparse weights stay, since every
/// core reads them. `blob` must be sound: it opens, or would except for its order.
std::string in_order(std::string_view blob, Order order);

/// Returns a blob of any order in the order of this build; bytes that are not a sound blob are
/// returned unchanged.
std::string in_own_order(std::string_view bytes);

}  // namespace sluice::tools
