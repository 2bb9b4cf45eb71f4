// An axis: from values to places on the drawing, and where its ticks stand. No libm: the same page
// everywhere.
#pragma once
#include <limits>
#include <string>
#include <vector>

namespace sluice::tools {

struct Scale {
  double low = 0, high = 1;  ///< values at the axis' ends, which are ticks where `outward`
  bool logarithmic = false;
  std::vector<double> ticks;
  std::vector<std::string> names = {};  ///< of ticks, in place of their numbers
  double rim = 0;                       ///< share of the axis that is left free at each end

  /// Where a value lies on the axis: 0 to 1.
  double at(double value) const;

  /// And what lies there, between the ends.
  double value(double at) const;
};

/// From the least to the greatest of what it was given.
struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool empty() const { return low > high; }
  void take(double v) { low = v < low ? v : low, high = v > high ? v : high; }

  /// Whether logarithms show more of such values: all are above 0, and spread so many times.
  bool is_wide(double times) const;
};

/// Ticks at 1, 2 or 5 times a power of ten, about `wanted` of them.
/// @param whole    no tick between whole numbers
/// @param outward  the ends move out to ticks
Scale linear_scale(double low, double high, int wanted, bool outward, bool whole = false);

/// Of positive values: ticks at powers of ten, between few of them at 2 and 5 times these too; the
/// ends move out to ticks.
Scale log_scale(double low, double high);

/// As log_scale, but the ends stay where they are, and the ticks are few enough to be read beside
/// each other.
Scale log_range(double low, double high);

/// A place for each name, at 0, 1, ...
Scale name_scale(const std::vector<std::string>& names);

/// A tick as text, with no more digits than tell it from its neighbors.
std::string tick_text(const Scale& scale, std::size_t tick);

}  // namespace sluice::tools
