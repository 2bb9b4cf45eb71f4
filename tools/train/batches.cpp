#include "batches.h"

#include <algorithm>
#include <cstdint>

#include "../common/shuffle.h"

namespace sluice::tools {
namespace {

std::vector<std::size_t> balanced(const Recipe& recipe, const DataSet& data, const Split& split,
                                  std::uint32_t epoch) {
  std::vector<std::vector<std::size_t>> members(data.labels.size());
  for (const std::size_t s : split.train)
    if (data.target[s] >= 0) members[std::size_t(data.target[s])].push_back(s);
  std::erase_if(members, [](const auto& list) { return list.empty(); });
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < split.train.size(); ++i) {
    const Philox random = Philox::at(std::uint64_t(recipe.seed), std::uint32_t(i), epoch, 0,
                                     std::uint32_t(Purpose::sampling));
    const auto& list = members[below(random.word[0], std::uint32_t(members.size()))];
    order.push_back(list[below(random.word[1], std::uint32_t(list.size()))]);
  }
  return order;
}

std::vector<std::size_t> streams(const std::vector<std::size_t>& pieces, std::size_t count) {
  const std::size_t length = pieces.size() / count;
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < length; ++k)
    for (std::size_t stream = 0; stream < count; ++stream)
      order.push_back(pieces[stream * length + k]);
  return order;
}

}  // namespace

std::size_t batch_size(const Recipe& recipe, const Split& split) {
  return recipe.batch == all_at_once ? split.train.size()
                                     : std::min(std::size_t(recipe.batch), split.train.size());
}

std::uint64_t batches_of(const Recipe& recipe, const Split& split) {
  const std::size_t size = batch_size(recipe, split), n = split.train.size();
  return recipe.carries() ? n / size : (n + size - 1) / size;
}

std::vector<std::size_t> epoch_order(const Recipe& recipe, const DataSet& data, const Split& split,
                                     std::uint32_t epoch) {
  const auto seed = std::uint64_t(recipe.seed);
  if (recipe.carries()) return streams(split.train, batch_size(recipe, split));
  if (recipe.sampling == Sampling::balanced) return balanced(recipe, data, split, epoch);
  std::vector<std::size_t> order = split.train;
  shuffle(order, seed, epoch, Purpose::shuffle);
  if (recipe.bucket) bucket(order, data, batch_size(recipe, split), seed, epoch);
  return order;
}

}  // namespace sluice::tools
