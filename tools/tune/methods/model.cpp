// Shared parts of the methods that model the values: their data, and the search for the point of
// the highest score.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "shared.h"

namespace sluice::tools {
namespace {

constexpr int draws_of_space = 1000, draws_near_best = 50, best_trials = 5, climbers = 5,
              rounds = 24;

std::vector<std::size_t> descending(const std::vector<double>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

}  // namespace

bool has_value(const PastTrial& seen) { return seen.value && std::isfinite(*seen.value); }

bool beginning(const SearchRequest& request) {
  return std::uint64_t(std::ranges::count_if(request.history, has_value)) <
         std::max<std::uint64_t>(request.begin, 2);
}

Learned learned(const SearchRequest& request, Lie lie) {
  Learned result;
  double sum = 0, worst = -INFINITY;
  int known = 0;
  for (const PastTrial& seen : request.history)
    if (seen.value && has_value(seen))
      sum += *seen.value, worst = std::max(worst, *seen.value), ++known;
  if (known == 0) return result;
  const double lied = lie == Lie::worst ? worst : sum / known;
  for (const PastTrial& seen : request.history) {
    if (!seen.value && !seen.failed && !seen.running) continue;
    result.points.push_back(seen.point);
    const double other = seen.running ? lied : worst;
    result.values.push_back(has_value(seen) ? seen.value.value_or(other) : other);
  }
  return result;
}

Point drawn_point(const Space& space, Draws& draws) {
  Point point;
  for (const Parameter& parameter : space.parameters)
    point.push_back(value_of_share(parameter, draws()));
  return settled(space, point);
}

Point neighbor(const Space& space, const Point& point, double reach, Draws& draws) {
  const auto in_force =
      std::size_t(std::ranges::count_if(point, [](double x) { return !std::isnan(x); }));
  std::size_t certain = draws.below(in_force);  // index of a parameter that surely changes
  Point result = point;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const Parameter& parameter = space.parameters[i];
    if (std::isnan(point[i])) {
      result[i] = value_of_share(parameter, draws());  // it has come into force
      continue;
    }
    const bool changes = certain-- == 0 || draws() * double(in_force) < 1;
    const std::uint64_t values = values_of(parameter);
    if (!changes || values == 1) continue;
    if (parameter.kind == Parameter::choice) {
      result[i] = double((std::uint64_t(point[i]) + 1 + draws.below(values - 1)) % values);
      continue;
    }
    const double by = reach * draws.normal(), share = share_of_value(parameter, point[i]);
    result[i] = value_of_share(parameter, std::clamp(share + by, 0.0, 1.0));
    if (values > 0 && result[i] == point[i]) {  // take the next value at least
      const std::uint64_t k = index_of(parameter, point[i]);
      result[i] = value_at(parameter, k == 0 || (by > 0 && k + 1 < values) ? k + 1 : k - 1);
    }
  }
  return settled(space, result);
}

std::optional<Point> highest(const SearchRequest& request, const Learned& learned,
                             const Scores& score) {
  const Space& space = request.space;
  const PointSet seen = past_points(request);
  Draws draws(request, stream::candidates);
  std::vector<Point> pool;
  for (int i = 0; i < draws_of_space; ++i) pool.push_back(drawn_point(space, draws));
  std::vector<double> negated;
  for (const double value : learned.values) negated.push_back(-value);
  const std::vector<std::size_t> trials = descending(negated);
  for (std::size_t t = 0; t < trials.size() && t < best_trials; ++t)
    for (int i = 0; i < draws_near_best; ++i)
      pool.push_back(neighbor(space, learned.points[trials[t]],
                              0.2 * std::pow(0.01, double(i) / draws_near_best), draws));

  struct Climber {
    Point point;
    double score;
    double reach;
  };
  std::vector<Climber> team;
  PointSet known = seen;
  const std::vector<double> scores = score(pool);
  for (const std::size_t i : descending(scores)) {
    if (team.size() == climbers) break;
    if (known.insert(pool[i]).second && request.allowed(pool[i]))
      team.push_back({pool[i], scores[i], 0.1});
  }
  if (team.empty()) return suggest_random(request);
  const std::size_t tries = 8 + space.parameters.size();
  for (int round = 0; round < rounds; ++round) {
    std::vector<Point> steps;
    for (const Climber& climber : team)
      for (std::size_t i = 0; i < tries; ++i)
        steps.push_back(neighbor(space, climber.point, climber.reach, draws));
    const std::vector<double> reached = score(steps);
    for (std::size_t c = 0; c < team.size(); ++c) {
      Climber& climber = team[c];
      const auto first = reached.begin() + std::ptrdiff_t(c * tries);
      const std::size_t best =
          std::size_t(std::max_element(first, first + std::ptrdiff_t(tries)) - reached.begin());
      if (reached[best] > climber.score && !seen.contains(steps[best]) &&
          request.allowed(steps[best]))
        climber.point = steps[best], climber.score = reached[best];
      else
        climber.reach /= 2;
    }
  }
  return std::ranges::max_element(team, {}, &Climber::score)->point;
}

double expected_improvement(double mean, double deviation, double best) {
  if (deviation <= 0) return std::max(best - mean, 0.0);
  const double z = (best - mean) / deviation;
  return deviation *
         (z * 0.5 * std::erfc(-z * M_SQRT1_2) + std::exp(-z * z / 2) / std::sqrt(2 * M_PI));
}

double acquisition(const SearchRequest& request, double mean, double deviation, double best) {
  return request.acquisition == Acquisition::ucb ? 2 * deviation - mean
                                                 : expected_improvement(mean, deviation, best);
}

}  // namespace sluice::tools
