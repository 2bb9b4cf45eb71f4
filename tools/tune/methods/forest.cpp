#include "../forest.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "shared.h"

namespace sluice::tools {

/// Searches as SMAC does (Hutter, Hoos, Leyton-Brown 2011), but with extremely randomized trees.
std::optional<Point> suggest_forest(const SearchRequest& request) {
  if (beginning(request)) return suggest_sobol(request);
  const Learned data = learned(request, Lie::mean);
  std::vector<std::vector<double>> features;
  for (const Point& point : data.points) features.push_back(features_of(request.space, point));
  const auto seed =
      std::uint64_t(draw(request.seed, request.number, stream::model, 0) * 9007199254740992.0);
  const Forest forest = fit_forest(request.space, features, data.values, seed);
  const double best = std::ranges::min(data.values);
  return highest(request, data, [&](const std::vector<Point>& points) {
    std::vector<double> scores;
    for (const Point& point : points) {
      const Forecast said = predict(forest, features_of(request.space, point));
      scores.push_back(acquisition(request, said.mean, std::sqrt(said.variance), best));
    }
    return scores;
  });
}

}  // namespace sluice::tools
