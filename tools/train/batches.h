// Which sequences a batch of an epoch holds.
#pragma once
#include <cstdint>
#include <vector>

#include "../data/data.h"
#include "../recipe/recipe.h"

namespace sluice::tools {

/// Sequences in a batch, and batches in an epoch.
std::size_t batch_size(const Recipe& recipe, const Split& split);
std::uint64_t batches_of(const Recipe& recipe, const Split& split);

/// An epoch's sequences, batch after batch, batch_size() of them in each but the last.
///   shuffled         all of them in an order that depends on seed and epoch alone; with
///   train.bucket by length balanced         as many, drawn so that every class is as likely
///   carried          (train.carry, train.truncate) piece k of every stream in batch k: the pieces
///   in their order, cut into as many equal streams as a batch has
///                    sequences; what is left over, fewer pieces than streams, is left out
/// @param epoch  from 1
std::vector<std::size_t> epoch_order(const Recipe& recipe, const DataSet& data, const Split& split,
                                     std::uint32_t epoch);

}  // namespace sluice::tools
