// Splits for cross-validation: k-fold and in time order.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <unordered_map>

#include "../common/shuffle.h"
#include "data.h"

namespace sluice::tools {

std::vector<std::vector<std::size_t>> groups_of(const DataSet& data) {
  std::vector<std::vector<std::size_t>> groups;
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    const bool fresh = data.group.empty() || known.emplace(data.group[s], groups.size()).second;
    if (fresh) groups.emplace_back();
    groups[data.group.empty() ? s : known[data.group[s]]].push_back(s);
  }
  return groups;
}

std::vector<Split> k_folds(const DataSet& data, std::size_t folds, std::uint64_t seed,
                           std::uint32_t repeat) {
  std::vector<std::vector<std::size_t>> groups = groups_of(data);
  shuffle(groups, seed, repeat, Purpose::folds);
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  const bool by_class = data.classes && !data.per_row;
  const auto stratum = [&](std::size_t s) {
    return by_class && data.target[s] >= 0 ? std::size_t(data.target[s]) : 0;
  };
  const std::size_t strata = by_class ? std::max<std::size_t>(data.labels.size(), 1) : 1;
  std::vector<std::vector<double>> has(folds, std::vector<double>(strata));
  std::vector<double> all(strata);
  for (std::size_t s = 0; s < data.sequences(); ++s) all[stratum(s)] += 1;
  std::vector<std::size_t> size(folds), fold_of(data.sequences());
  for (const std::vector<std::size_t>& group : groups) {
    std::vector<double> count(strata);
    for (const std::size_t s : group) count[stratum(s)] += 1;
    // Chooses the fold that has the least of the group's classes, by the growth of the sum of
    // squares; each stratum counts relative to its size.
    std::size_t best = 0;
    double least = 0;
    for (std::size_t f = 0; f < folds; ++f) {
      double growth = 0;
      for (std::size_t c = 0; c < strata; ++c)
        if (count[c] > 0) growth += count[c] * (2 * has[f][c] + count[c]) / all[c];
      if (f == 0 || growth < least || (growth == least && size[f] < size[best]))
        best = f, least = growth;
    }
    for (const std::size_t s : group) fold_of[s] = best, has[best][stratum(s)] += 1;
    size[best] += group.size();
  }
  std::vector<Split> splits(folds);
  for (std::size_t s = 0; s < data.sequences(); ++s)
    for (std::size_t f = 0; f < folds; ++f)
      (fold_of[s] == f ? splits[f].held_out : splits[f].train).push_back(s);
  return splits;
}

std::vector<Split> time_folds(const DataSet& data, std::size_t folds) {
  std::vector<Split> splits(folds);
  const auto block = [&](std::size_t i) { return data.sequences() * i / (folds + 1); };
  for (std::size_t f = 0; f < folds; ++f)
    for (std::size_t s = 0; s < block(f + 2); ++s)
      (s < block(f + 1) ? splits[f].train : splits[f].held_out).push_back(s);
  return splits;
}

}  // namespace sluice::tools
