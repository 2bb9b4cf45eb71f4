// What the search methods share.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <set>

#include "../ask.h"

namespace sluice::tools {

/// Points in an order of their own, to look one up among many.
struct PointLess {
  bool operator()(const Point& a, const Point& b) const;
};
using PointSet = std::set<Point, PointLess>;
PointSet seen_points(const Question& question);

/// A method's own numbers in [0, 1), one after the other; streams differ.
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

/// The streams: those below are the parameters' of independent draws.
namespace stream {
constexpr std::uint32_t candidates = 1u << 20, model = 2u << 20, choices = 3u << 20;
}

/// Every parameter drawn apart from the others, each of its values as likely as its share is wide.
Point random_point(const Question& question, std::uint32_t attempt);

/// Point `index` of the scrambled sequence.
Point sobol_point(const Question& question, std::uint64_t index);

/// Coordinate `dimension` of point `index` of Sobol's sequence in Gray code's order, times 2^32,
/// not scrambled; dimension < sobol_dimensions.
constexpr std::size_t sobol_dimensions = 64;
std::uint32_t sobol(std::uint32_t index, std::size_t dimension);

/// The first of the points that `propose` gives, by attempt, that is allowed and new. After a
/// thousand attempts the first such point of the space, one by one, where it has no more than a
/// hundred thousand.
std::optional<Point> first_new(const Question& question,
                               const std::function<Point(std::uint32_t attempt)>& propose);

/// The first new and allowed point of the grid.
std::optional<Point> first_of_grid(const Question& question, const PointSet& seen);

/// Whether a trial has a value that is a number; one that has another failed.
bool has_value(const Seen& seen);

/// Whether fewer trials than `begin` have one.
bool beginning(const Question& question);

/// What a model learns from: trials with a value; failed ones, with the worst of them; and those
/// that run still, with `lie` of them (a constant liar: Ginsbourger, Le Riche, Carraro 2010), so
/// that trials at once do not all go to one place.
struct Learned {
  std::vector<Point> points;
  std::vector<double> values;
};
enum class Lie { mean, worst };
Learned learned(const Question& question, Lie lie);

/// A point drawn as random_point() does; one near another, a few parameters changed, of numbers by
/// so much of their range.
Point drawn_point(const Space& space, Draws& draws);
Point neighbor(const Space& space, const Point& point, double reach, Draws& draws);

/// A new and allowed point with nearly the highest score: the best of many draws and of what is
/// near the best trials, then climbed from.
/// @param score  of many points at once, which need not be allowed
using Scores = std::function<std::vector<double>(const std::vector<Point>& points)>;
std::optional<Point> highest(const Question& question, const Learned& learned, const Scores& score);

/// How good it is to try a point, the higher the better, from what a model says of it and the least
/// value. Expected improvement: E max(0, best - Y), Y normal (Mockus 1978; Jones, Schonlau, Welch
/// 1998).
double expected_improvement(double mean, double deviation, double best);
/// By question.acquisition; ucb: of what is to be small the lower bound, mean - 2 deviations,
/// negated.
double acquisition(const Question& question, double mean, double deviation, double best);

}  // namespace sluice::tools
