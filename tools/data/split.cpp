// Chooses the sequences that are held out for validation.
#include <algorithm>
#include <cstdint>

#include "../common/shuffle.h"
#include "data.h"

namespace sluice::tools {
namespace {

Split in_time_order(const DataSet& data) {
  Split result;
  for (std::size_t s = 0; s < data.sequences(); ++s)
    (data.part[s] == 0   ? result.train
     : data.part[s] == 1 ? result.held_out
                         : result.test)
        .push_back(s);
  return result;
}

}  // namespace

Split split(const DataSet& data, double share, std::uint64_t seed) {
  if (!data.part.empty()) return in_time_order(data);
  const bool by_class = data.classes && !data.per_row;
  auto stratum = [&](std::size_t s) { return by_class ? std::size_t(data.target[s]) : 0; };
  std::vector<bool> counts(data.sequences());
  for (std::size_t s = 0; s < data.sequences(); ++s)
    counts[s] = by_class || has_target(data, std::vector<std::size_t>{s});
  std::vector<double> wanted(by_class ? data.labels.size() : 1), have(wanted.size());
  std::vector<std::size_t> left(wanted.size());
  for (std::size_t s = 0; s < data.sequences(); ++s) left[stratum(s)] += counts[s];
  for (std::size_t c = 0; c < left.size(); ++c) wanted[c] = share * double(left[c]);

  std::vector<std::vector<std::size_t>> groups = groups_of(data);
  shuffle(groups, seed, 0, Purpose::split);
  std::vector<bool> out(data.sequences());
  for (const std::vector<std::size_t>& group : groups) {
    // Holds a group out if that brings the strata nearer to their targets and leaves each of them
    // something to learn from.
    std::vector<std::size_t> count(left.size());
    for (std::size_t s : group) count[stratum(s)] += counts[s];
    double nearer = 0;
    bool leaves_some = true;
    for (std::size_t c = 0; c < count.size(); ++c) {
      if (count[c] == 0) continue;
      const double now = wanted[c] - have[c], then = now - double(count[c]);
      nearer += (now < 0 ? -now : now) - (then < 0 ? -then : then);
      leaves_some = leaves_some && left[c] > count[c];
    }
    if (!(nearer > 0) || !leaves_some) continue;
    for (std::size_t s : group) out[s] = true;
    for (std::size_t c = 0; c < count.size(); ++c) have[c] += double(count[c]), left[c] -= count[c];
  }

  Split result;
  for (std::size_t s = 0; s < data.sequences(); ++s)
    (out[s] ? result.held_out : result.train).push_back(s);
  return result;
}

}  // namespace sluice::tools
