// Batches of sequences of similar length, which need less padding.
#include <algorithm>
#include <cstdint>

#include "../common/shuffle.h"
#include "data.h"

namespace sluice::tools {

void bucket(std::vector<std::size_t>& order, const DataSet& data, std::size_t batch,
            std::uint64_t seed, std::uint32_t epoch) {
  // batches per sorted run; large enough for the contents of a batch to be as good as random
  constexpr std::size_t together = 64;
  const std::size_t full = order.size() / batch;
  const auto at = [](auto& list, std::size_t i) { return list.begin() + std::ptrdiff_t(i); };
  for (std::size_t begin = 0; begin < order.size(); begin += together * batch)
    std::stable_sort(at(order, begin), at(order, std::min(order.size(), begin + together * batch)),
                     [&](std::size_t a, std::size_t b) { return data.steps(a) < data.steps(b); });
  std::vector<std::size_t> batches(full);
  for (std::size_t b = 0; b < full; ++b) batches[b] = b;
  shuffle(batches, seed, epoch, Purpose::bucket);
  const std::vector<std::size_t> sorted = order;
  for (std::size_t b = 0; b < full; ++b)
    std::copy_n(at(sorted, batches[b] * batch), batch, at(order, b * batch));
}

}  // namespace sluice::tools
