// A random order that depends on nothing except its arguments.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "kernels/random.h"

namespace sluice::tools {

/// Shuffles as Fisher and Yates. A counter takes the place of a generator's state: each number
/// depends on seed, round, position and purpose.
template <class T>
void shuffle(std::vector<T>& items, std::uint64_t seed, std::uint32_t round, Purpose purpose) {
  for (std::size_t i = items.size(); i > 1; --i) {
    const Philox random = Philox::at(seed, std::uint32_t(i), round, 0, std::uint32_t(purpose));
    std::swap(items[i - 1], items[below(random.word[0], std::uint32_t(i))]);
  }
}

}  // namespace sluice::tools
