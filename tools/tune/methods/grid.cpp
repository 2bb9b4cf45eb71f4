#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "shared.h"

namespace sluice::tools {
namespace {

/// Enumerates the points of a grid, the first parameter slowest. A parameter that is not in force
/// keeps its value, so that no point occurs twice.
class GridWalk {
 public:
  explicit GridWalk(const Space& space)
      : space_(space), index_(space.parameters.size()), point_(space.parameters.size()) {
    from(0);
  }
  const Point& point() const { return point_; }

  bool next() {
    for (std::size_t i = index_.size(); i-- > 0;) {
      if (std::isnan(point_[i]) || index_[i] + 1 >= values_of(space_.parameters[i])) continue;
      point_[i] = value_at(space_.parameters[i], ++index_[i]);
      from(i + 1);
      return true;
    }
    return false;
  }

 private:
  /// Sets the parameters from `first` on to their first values.
  void from(std::size_t first) {
    for (std::size_t i = first; i < index_.size(); ++i) {
      index_[i] = 0;
      point_[i] = in_force(space_, i, point_) ? value_at(space_.parameters[i], 0)
                                              : std::numeric_limits<double>::quiet_NaN();
    }
  }

  const Space& space_;
  std::vector<std::uint64_t> index_;
  Point point_;
};

/// Counts the points over a subset of parameters that depend only on one another.
class PointCounter {
 public:
  PointCounter(const Space& space, std::vector<std::size_t> members)
      : space_(space),
        members_(std::move(members)),
        asked_(space.parameters.size()),
        point_(space.parameters.size()) {
    for (const Parameter& parameter : space.parameters)
      for (const Condition& condition : parameter.when)
        asked_[condition.parameter].insert(asked_[condition.parameter].end(),
                                           condition.values.begin(), condition.values.end());
  }

  double from(std::size_t member) {
    if (member == members_.size()) return 1;
    const std::size_t i = members_[member];
    const Parameter& parameter = space_.parameters[i];
    point_[i] = std::numeric_limits<double>::quiet_NaN();
    if (!in_force(space_, i, point_)) return from(member + 1);
    double others = values_of(parameter) == 0 ? std::numeric_limits<double>::infinity()
                                              : double(values_of(parameter)),
           points = 0;
    std::set<double> told_apart(asked_[i].begin(), asked_[i].end());
    for (const double value : told_apart) {
      point_[i] = value;
      points += from(member + 1), others -= 1;
    }
    // Any other value: it has the same effect for all parameters that depend on it.
    point_[i] = std::numeric_limits<double>::quiet_NaN();
    return others > 0 ? points + others * from(member + 1) : points;
  }

 private:
  const Space& space_;
  std::vector<std::size_t> members_;
  std::vector<std::vector<double>> asked_;  ///< values that conditions name
  Point point_;
};

}  // namespace

double grid_points(const Space& space) {
  // Parameters that conditions connect, directly or through others, are counted together; the
  // counts of separate groups are multiplied.
  std::vector<std::size_t> group(space.parameters.size());
  std::iota(group.begin(), group.end(), std::size_t(0));
  for (std::size_t i = 0; i < group.size(); ++i)
    for (const Condition& condition : space.parameters[i].when)
      std::ranges::replace(group, std::size_t(group[condition.parameter]), std::size_t(group[i]));
  double points = 1;
  for (std::size_t g = 0; g < group.size(); ++g) {
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < group.size(); ++i)
      if (group[i] == g) members.push_back(i);
    points *= PointCounter(space, members).from(0);
  }
  return points;
}

std::optional<Point> first_of_grid(const SearchRequest& request, const PointSet& seen) {
  GridWalk walk(request.space);
  do {
    if (!seen.contains(walk.point()) && request.allowed(walk.point())) return walk.point();
  } while (walk.next());
  return std::nullopt;
}

std::optional<Point> suggest_grid(const SearchRequest& request) {
  if (!std::isfinite(grid_points(request.space))) return std::nullopt;
  return first_of_grid(request, past_points(request));
}

}  // namespace sluice::tools
