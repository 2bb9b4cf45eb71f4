// Gradual magnitude pruning (Zhu, Gupta 2017) in the blocks of 8 units x 4 inputs that fixed point
// stores.
#pragma once
#include <cstdint>
#include <vector>

#include "../data/data.h"
#include "../model/network.h"
#include "../recipe/recipe.h"

namespace sluice::tools {

/// The steps of a training before which masks are chosen: begin + every, begin + 2 every, ...,
/// counted from 0.
struct PrunePlan {
  double share = 0;  ///< at the end; 0: no pruning
  std::uint64_t begin = 0, every = 1, count = 0;

  std::uint64_t last() const { return begin + every * count; }
  /// Returns the share of zeros from this step on, if masks are chosen before it; else 0.
  double share_before(std::uint64_t step) const;
};

/// Returns the plan of a recipe. Refuses (exit code 2) one in which no pruning fits between begin
/// and end.
PrunePlan prune_plan(const Recipe& recipe, const Split& split);

/// Adds to a matrix's mask the blocks of least L2 norm (of equal ones the earlier) until this share
/// of its blocks is zero. Masked blocks stay masked.
/// @param mask  0 and 1, in the matrix's shape
void prune(const Array& matrix, double share, Array& mask);

/// Does the same for every matrix of the recurrent layers that are not frozen.
/// @param frozen  [layers]
void prune(const Network& network, const std::vector<bool>& frozen, double share, Network& masks);

/// Returns the share of zero blocks of each recurrent layer's matrices, without layers tied to
/// another.
std::vector<double> zero_shares(const Network& network);

}  // namespace sluice::tools
