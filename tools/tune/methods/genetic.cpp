#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "shared.h"

namespace sluice::tools {
namespace {

constexpr std::uint64_t population = 10;
constexpr std::size_t tournament = 3;
constexpr double crossed = 0.9, reach = 0.1;

}  // namespace

/// Ten trials make a generation; the first one is drawn independently. Parents are the best ten of
/// all earlier generations, so the elite stays without another measurement. A child takes each
/// parameter from one of two winners of tournaments, and mutates.
std::optional<Point> suggest_genetic(const SearchRequest& request) {
  const std::uint64_t before = request.number / population * population;
  SearchRequest earlier = request;
  earlier.history = request.history.first(std::min<std::size_t>(before, request.history.size()));
  const Learned data = learned(earlier, Lie::worst);
  if (data.points.size() < 2) return suggest_random(request);
  std::vector<std::size_t> order(data.points.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return data.values[a] < data.values[b]; });
  order.resize(std::min<std::size_t>(order.size(), population));

  Draws draws(request, stream::choices);
  const auto winner = [&] {
    std::size_t best = order.size();
    for (std::size_t i = 0; i < tournament; ++i) best = std::min(best, draws.below(order.size()));
    return data.points[order[best]];
  };
  return first_new(request, [&](std::uint32_t) {
    const Point mother = winner(), father = winner();
    Point child = mother;
    if (draws() < crossed)
      for (std::size_t i = 0; i < child.size(); ++i)
        if (draws() < 0.5 && !std::isnan(father[i])) child[i] = father[i];
    return neighbor(request.space, settled(request.space, child), reach, draws);
  });
}

}  // namespace sluice::tools
