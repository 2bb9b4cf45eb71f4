// The scale of an axis: maps values to positions, and places ticks. Uses no libm, so that pages are
// the same on every machine.
#pragma once
#include <limits>
#include <string>
#include <vector>

namespace sluice::tools {

struct Scale {
  double low = 0, high = 1;  ///< values at the ends of the axis; these are ticks if `outward`
  bool logarithmic = false;
  std::vector<double> ticks;
  std::vector<std::string> names = {};  ///< names of ticks, in place of numbers
  double rim = 0;                       ///< share of the axis that is free at each end

  /// Returns the position of a value on the axis: 0 to 1.
  double at(double value) const;

  /// Returns the value at a position, between the ends.
  double value(double at) const;
};

/// The range of all values that it was given.
struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  bool empty() const { return low > high; }
  void take(double v) { low = v < low ? v : low, high = v > high ? v : high; }

  /// Returns whether a logarithmic scale is better: all values are above 0, and the highest is at
  /// least this many times the lowest.
  bool is_wide(double times) const;
};

/// Returns a scale with about `wanted` ticks at 1, 2 or 5 times a power of ten.
/// @param whole    no ticks between whole numbers
/// @param outward  the ends move outwards to ticks
Scale linear_scale(double low, double high, int wanted, bool outward, bool whole = false);

/// Returns a scale of positive values with ticks at powers of ten and, if these are few, at 2 and 5
/// times them. The ends move outwards to ticks.
Scale log_scale(double low, double high);

/// Returns a scale like log_scale() whose ends stay, with few enough ticks to be readable side by
/// side.
Scale log_range(double low, double high);

/// Returns a scale with one position for each name, at 0, 1, ....
Scale name_scale(const std::vector<std::string>& names);

/// Returns a tick as text, with no more digits than distinguish it from its neighbors.
std::string tick_text(const Scale& scale, std::size_t tick);

}  // namespace sluice::tools
