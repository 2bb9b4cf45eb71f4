// Chooses the sequences of each batch.
#pragma once
#include <cstdint>
#include <vector>

#include "../data/data.h"
#include "../recipe/recipe.h"

namespace sluice::tools {

/// Return the number of sequences in a batch, and of batches in an epoch.
std::size_t batch_size(const Recipe& recipe, const Split& split);
std::uint64_t batches_of(const Recipe& recipe, const Split& split);

/// Returns an epoch's sequences, batch after batch, with batch_size() of them in each except the
/// last.
///   shuffled   all of them, in an order that depends only on seed and epoch; with train.bucket
///              by length
///   balanced   as many draws, with every class equally likely
///   carried    (train.carry, train.truncate) piece k of every stream in batch k: the pieces in
///              their order, cut into as many equal streams as a batch has sequences; the rest,
///              fewer pieces than streams, is left out
/// @param epoch  from 1
std::vector<std::size_t> epoch_order(const Recipe& recipe, const DataSet& data, const Split& split,
                                     std::uint32_t epoch);

}  // namespace sluice::tools
