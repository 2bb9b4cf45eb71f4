// Finds which text contains which. All suffixes of the texts are sorted, so that those that begin
// with a text are next to each other.
#include <algorithm>
#include <cstdint>
#include <numeric>

#include "data.h"

namespace sluice::tools {
namespace {

/// The suffixes of all texts in the order of their tokens, compared up to the length of the longest
/// text. The end of a text comes before any token.
struct Suffixes {
  std::vector<std::int32_t> tokens;  ///< one text after another, each ended by -1
  std::vector<std::uint32_t> order;  ///< where the suffixes begin in `tokens`

  std::size_t size() const { return tokens.size(); }
};

/// Takes ranks that order the suffixes by their first `known` tokens, and makes them order by twice
/// as many (Manber, Myers 1993).
bool refine(Suffixes& suffixes, std::vector<std::uint32_t>& rank, std::size_t known) {
  const std::size_t n = suffixes.size();
  const auto second = [&](std::uint32_t i) { return i + known < n ? rank[i + known] + 1 : 0; };
  std::vector<std::uint32_t> finer(n);
  bool tied = false;
  for (std::size_t begin = 0, end; begin < n; begin = end) {
    for (end = begin + 1; end < n && rank[suffixes.order[end]] == rank[suffixes.order[begin]];)
      ++end;
    const auto first = suffixes.order.begin() + std::ptrdiff_t(begin),
               last = suffixes.order.begin() + std::ptrdiff_t(end);
    if (end - begin > 1)
      std::sort(first, last, [&](auto a, auto b) { return second(a) < second(b); });
    for (std::size_t i = begin; i < end; ++i) {
      const bool same = i > begin && second(suffixes.order[i]) == second(suffixes.order[i - 1]);
      finer[suffixes.order[i]] = same ? finer[suffixes.order[i - 1]] : std::uint32_t(i);
      tied = tied || same;
    }
  }
  rank = std::move(finer);
  return tied;
}

Suffixes sort_suffixes(std::span<const std::int32_t> ids, std::span<const std::size_t> first) {
  Suffixes suffixes;
  std::size_t longest = 0;
  for (std::size_t t = 0; t + 1 < first.size(); ++t) {
    suffixes.tokens.insert(suffixes.tokens.end(), ids.begin() + std::ptrdiff_t(first[t]),
                           ids.begin() + std::ptrdiff_t(first[t + 1]));
    suffixes.tokens.push_back(-1);
    longest = std::max(longest, first[t + 1] - first[t]);
  }
  const std::size_t n = suffixes.size();
  suffixes.order.resize(n);
  std::iota(suffixes.order.begin(), suffixes.order.end(), std::uint32_t(0));
  const auto token = [&](std::uint32_t i) { return suffixes.tokens[i]; };
  std::sort(suffixes.order.begin(), suffixes.order.end(),
            [&](auto a, auto b) { return token(a) < token(b); });
  std::vector<std::uint32_t> rank(n);
  for (std::size_t i = 1; i < n; ++i)
    rank[suffixes.order[i]] = token(suffixes.order[i]) == token(suffixes.order[i - 1])
                                  ? rank[suffixes.order[i - 1]]
                                  : std::uint32_t(i);
  for (std::size_t known = 1; known < longest && refine(suffixes, rank, known); known *= 2) {
  }
  return suffixes;
}

/// The maximum of any range of numbers.
struct Greatest {
  std::size_t n;
  std::vector<std::uint64_t> tree;  ///< node i covers nodes 2 i and 2 i + 1

  explicit Greatest(const std::vector<std::uint64_t>& numbers)
      : n(numbers.size()), tree(2 * numbers.size()) {
    std::copy(numbers.begin(), numbers.end(), tree.begin() + std::ptrdiff_t(n));
    for (std::size_t i = n; i-- > 1;) tree[i] = std::max(tree[2 * i], tree[2 * i + 1]);
  }
  std::uint64_t of(std::size_t begin, std::size_t end) const {
    std::uint64_t most = 0;
    for (begin += n, end += n; begin < end; begin /= 2, end /= 2) {
      if (begin % 2) most = std::max(most, tree[begin++]);
      if (end % 2) most = std::max(most, tree[--end]);
    }
    return most;
  }
};

}  // namespace

std::vector<std::size_t> containment_groups(std::span<const std::int32_t> ids,
                                            std::span<const std::size_t> first) {
  const std::size_t texts = first.size() - 1;
  const Suffixes suffixes = sort_suffixes(ids, first);
  // Worth of a suffix: the length of its text and then how early the text comes.
  std::vector<std::uint64_t> worth(suffixes.size());
  for (std::size_t t = 0, at = 0; t < texts; ++t)
    for (const std::size_t end = at + first[t + 1] - first[t]; at <= end; ++at)
      worth[at] = std::uint64_t(first[t + 1] - first[t]) << 32 | (0xFFFFFFFFu - t);
  std::vector<std::uint64_t> sorted(suffixes.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) sorted[i] = worth[suffixes.order[i]];
  const Greatest greatest(sorted);

  std::vector<std::size_t> groups;
  for (std::size_t t = 0; t < texts; ++t) {
    const auto text = ids.subspan(first[t], first[t + 1] - first[t]);
    /// Compares the beginning of a suffix with the text: negative, 0 or positive.
    const auto compare = [&](std::uint32_t place) {
      for (std::size_t k = 0; k < text.size(); ++k) {
        if (suffixes.tokens[place + k] != text[k])
          return suffixes.tokens[place + k] < text[k] ? -1 : 1;
      }
      return 0;
    };
    const auto begin = std::partition_point(suffixes.order.begin(), suffixes.order.end(),
                                            [&](auto p) { return compare(p) < 0; });
    const auto end =
        std::partition_point(begin, suffixes.order.end(), [&](auto p) { return compare(p) == 0; });
    const std::uint64_t best = greatest.of(std::size_t(begin - suffixes.order.begin()),
                                           std::size_t(end - suffixes.order.begin()));
    groups.push_back(0xFFFFFFFFu - std::uint32_t(best));
  }
  return groups;
}

}  // namespace sluice::tools
