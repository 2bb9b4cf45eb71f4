#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../suggest.h"
#include "kernels/random.h"
#include "shared.h"

namespace sluice::tools {
namespace {

constexpr std::uint32_t most_attempts = 1000;
constexpr double walked_points = 1e5;

constexpr Method all_methods[] = {
    {SearchMethod::grid, suggest_grid},         {SearchMethod::random, suggest_random},
    {SearchMethod::sobol, suggest_sobol},
#ifdef SLUICE_WITH_NLOPT
    {SearchMethod::gaussian, suggest_gaussian},
#endif
    {SearchMethod::forest, suggest_forest},     {SearchMethod::tpe, suggest_tpe},
    {SearchMethod::genetic, suggest_genetic},
};

}  // namespace

std::span<const Method> methods() { return all_methods; }

double draw(std::uint64_t seed, std::uint64_t number, std::uint32_t index, std::uint32_t attempt) {
  const Philox random =
      Philox::at(seed, std::uint32_t(number), index, attempt, std::uint32_t(Purpose::tune));
  return (double(random.word[0] >> 5) * 67108864.0 + double(random.word[1] >> 6)) /
         9007199254740992.0;  // 27 and 26 bits of 53
}

bool PointLess::operator()(const Point& a, const Point& b) const {
  // NaN orders after every number, so that points that lack a parameter have an order too.
  return std::ranges::lexicographical_compare(
      a, b, [](double x, double y) { return std::isnan(y) ? !std::isnan(x) : x < y; });
}

PointSet past_points(const SearchRequest& request) {
  PointSet points;
  for (const PastTrial& seen : request.history) points.insert(seen.point);
  return points;
}

double Draws::normal() {  // Box, Muller
  const double radius = std::sqrt(-2 * std::log(1 - (*this)()));
  return radius * std::cos(2 * M_PI * (*this)());
}

Point random_point(const SearchRequest& request, std::uint32_t attempt) {
  Point point;
  for (const Parameter& parameter : request.space.parameters)
    point.push_back(value_of_share(
        parameter, draw(request.seed, request.number, std::uint32_t(point.size()), attempt)));
  return settled(request.space, point);
}

std::optional<Point> first_new(const SearchRequest& request,
                               const std::function<Point(std::uint32_t)>& propose) {
  const PointSet seen = past_points(request);
  PointSet refused;
  const double points = grid_points(request.space);
  for (std::uint32_t attempt = 0; attempt < most_attempts; ++attempt) {
    Point point = propose(attempt);
    if (seen.contains(point) || refused.contains(point)) continue;
    if (request.allowed(point)) return point;
    if (std::isfinite(points)) refused.insert(point);
  }
  return points <= walked_points ? first_of_grid(request, seen) : std::nullopt;
}

}  // namespace sluice::tools
