#include "../forest.h"

#include <algorithm>
#include <cmath>

#include "shared.h"

namespace sluice::tools {

/// Searches as SMAC does (Hutter, Hoos, Leyton-Brown 2011), but with extremely randomized trees.
std::optional<Point> ask_forest(const Question& question) {
  if (beginning(question)) return ask_sobol(question);
  const Learned data = learned(question, Lie::mean);
  std::vector<std::vector<double>> features;
  for (const Point& point : data.points) features.push_back(features_of(question.space, point));
  const auto seed =
      std::uint64_t(draw(question.seed, question.number, stream::model, 0) * 9007199254740992.0);
  const Forest forest = fit_forest(question.space, features, data.values, seed);
  const double best = std::ranges::min(data.values);
  return highest(question, data, [&](const std::vector<Point>& points) {
    std::vector<double> scores;
    for (const Point& point : points) {
      const Forecast said = predict(forest, features_of(question.space, point));
      scores.push_back(acquisition(question, said.mean, std::sqrt(said.variance), best));
    }
    return scores;
  });
}

}  // namespace sluice::tools
