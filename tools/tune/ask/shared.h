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
  Draws(const Question& question, std::uint32_t stream) : seed_(question.seed), number_(question.number), stream_(stream) {}
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

/// Coordinate `dimension` of point `index` of Sobol's sequence in Gray code's order, times 2^32, not scrambled; dimension < sobol_dimensions.
constexpr std::size_t sobol_dimensions = 64;
std::uint32_t sobol(std::uint32_t index, std::size_t dimension);

/// The first of the points that `propose` gives, by attempt, that is allowed and new. After a thousand attempts the first such point of
/// the space, one by one, where it has no more than a hundred thousand.
std::optional<Point> first_new(const Question& question, const std::function<Point(std::uint32_t attempt)>& propose);

/// The first new and allowed point of the grid.
std::optional<Point> first_of_grid(const Question& question, const PointSet& seen);

/// Whether fewer trials than `begin` have a value; failed ones do not count.
bool beginning(const Question& question);

}  // namespace sluice::tools
