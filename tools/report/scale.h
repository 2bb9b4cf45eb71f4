// An axis: from values to places on the drawing, and where its ticks stand. No libm: the same page everywhere.
#pragma once
#include <string>
#include <vector>

namespace sluice::tools {

struct Scale {
  double low = 0, high = 1;  ///< values at the axis' ends, which are ticks where `outward`
  bool logarithmic = false;
  std::vector<double> ticks;

  /// Where a value lies between the ends: 0 to 1.
  double at(double value) const;
};

/// Ticks at 1, 2 or 5 times a power of ten, about `wanted` of them.
/// @param whole    no tick between whole numbers
/// @param outward  the ends move out to ticks
Scale linear_scale(double low, double high, int wanted, bool outward, bool whole = false);

/// Of positive values: ticks at powers of ten, between few of them at 2 and 5 times these too; the ends move out to ticks.
Scale log_scale(double low, double high);

/// A tick as text, with no more digits than tell it from its neighbors.
std::string tick_text(const Scale& scale, std::size_t tick);

}  // namespace sluice::tools
