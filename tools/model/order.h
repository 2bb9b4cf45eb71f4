// The order in which a blob's int8 weights lie: a core's own, or the hosts'. What a model computes
// does not change.
#pragma once
#include <string>
#include <string_view>

#include "kernels/kernels.h"

namespace sluice::tools {

/// The same model with its int8 weights in another order; sparse ones stay as they are, for every
/// core reads them. `blob` is sound: it opens, or would but for its order.
std::string in_order(std::string_view blob, Order order);

/// A blob of any order in that of this build; bytes that are no sound blob come back as they are.
std::string in_own_order(std::string_view bytes);

}  // namespace sluice::tools
