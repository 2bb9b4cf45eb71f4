// Shared parts of the search methods.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <set>

#include "../ask.h"

namespace sluice::tools {

/// An order of points, for lookups.
struct PointLess {
  bool operator()(const Point& a, const Point& b) const;
};
using PointSet = std::set<Point, PointLess>;
PointSet seen_points(const Question& question);

/// A method's own sequence of numbers in [0, 1); different streams are independent.
class Draws {
 public:
  Draws(const Question& question, std::uint32_t stream)
      : seed_(question.seed), number_(question.number), stream_(stream) {}
  double operator()() { return draw(seed_, number_, stream_, drawn_++); }
  std::size_t below(std::size_t n) { return std::size_t((*this)() * double(n)); }
  double normal();

 private:
  std::uint64_t seed_, number_;
  std::uint32_t stream_, drawn_ = 0;
};

/// The streams. Those below are for the parameters of independent draws.
namespace stream {
constexpr std::uint32_t candidates = 1u << 20, model = 2u << 20, choices = 3u << 20;
}

/// Draws every parameter independently; the probability of each value is the width of its share.
Point random_point(const Question& question, std::uint32_t attempt);

/// Returns point `index` of the scrambled Sobol sequence.
Point sobol_point(const Question& question, std::uint64_t index);

/// Returns coordinate `dimension` of point `index` of Sobol's sequence in Gray code order, times
/// 2^32, not scrambled; dimension < sobol_dimensions.
constexpr std::size_t sobol_dimensions = 64;
std::uint32_t sobol(std::uint32_t index, std::size_t dimension);

/// Returns the first point that `propose` gives, attempt by attempt, that is allowed and new. After
/// a thousand attempts returns the first such point of the whole space, if that has no more than a
/// hundred thousand points.
std::optional<Point> first_new(const Question& question,
                               const std::function<Point(std::uint32_t attempt)>& propose);

/// Returns the first new and allowed point of the grid.
std::optional<Point> first_of_grid(const Question& question, const PointSet& seen);

/// Returns whether a trial has a finite value; one with any other value has failed.
bool has_value(const Seen& seen);

/// Returns whether fewer trials than `begin` have a value.
bool beginning(const Question& question);

/// The data of a model: trials with a value; failed ones, with the worst value; and running ones,
/// with the value `lie` (a constant liar: Ginsbourger, Le Riche, Carraro 2010), so that
/// simultaneous trials do not all choose the same place.
struct Learned {
  std::vector<Point> points;
  std::vector<double> values;
};
enum class Lie { mean, worst };
Learned learned(const Question& question, Lie lie);

/// Returns a point drawn as random_point() does; and a point near another one, with a few
/// parameters changed, numbers by a share of their range.
Point drawn_point(const Space& space, Draws& draws);
Point neighbor(const Space& space, const Point& point, double reach, Draws& draws);

/// Returns a new and allowed point with nearly the highest score: the best of many draws and of
/// points near the best trials, improved by climbing.
/// @param score  of many points at once, which need not be allowed
using Scores = std::function<std::vector<double>(const std::vector<Point>& points)>;
std::optional<Point> highest(const Question& question, const Learned& learned, const Scores& score);

/// Return how good it is to try a point, from the model's mean and deviation and the best value;
/// higher is better. Expected improvement: E max(0, best - Y), Y normal (Mockus 1978; Jones,
/// Schonlau, Welch 1998).
double expected_improvement(double mean, double deviation, double best);
/// By question.acquisition; ucb: the lower bound mean - 2 deviations, negated.
double acquisition(const Question& question, double mean, double deviation, double best);

}  // namespace sluice::tools
