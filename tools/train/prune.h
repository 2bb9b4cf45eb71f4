// Gradual magnitude pruning (Zhu, Gupta 2017) in blocks of 8 units x 4 inputs, those that fixed
// point stores.
#pragma once
#include <cstdint>
#include <vector>

#include "../data/data.h"
#include "../model/network.h"
#include "../recipe/recipe.h"

namespace sluice::tools {

/// When the masks of a training are chosen: before its steps begin + every, begin + 2 every, ...,
/// counted from 0.
struct PrunePlan {
  double share = 0;  ///< in the end; 0: nothing is pruned
  std::uint64_t begin = 0, every = 1, count = 0;

  std::uint64_t last() const { return begin + every * count; }
  /// What is to be zero from this step on, where masks are chosen anew before it; else 0.
  double share_before(std::uint64_t step) const;
};

/// Refused (exit code 2) where no pruning fits between begin and end.
PrunePlan prune_plan(const Recipe& recipe, const Split& split);

/// Adds to a matrix's mask the blocks of least L2 norm, the earlier one of equals, until that share
/// of its blocks is zero. Blocks that were masked stay so.
/// @param mask  of the matrix's shape, 0 and 1
void prune(const Array& matrix, double share, Array& mask);

/// The same in every matrix of the recurrent layers that are not frozen.
/// @param frozen  [layers]
void prune(const Network& network, const std::vector<bool>& frozen, double share, Network& masks);

/// The share of zero blocks of each recurrent layer's matrices, those that are tied to another left
/// out.
std::vector<double> zero_shares(const Network& network);

}  // namespace sluice::tools
