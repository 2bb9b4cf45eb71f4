// What the charts share: the sheet's measures, coordinates as text, axes, legends.
#pragma once
#include <fmt/format.h>

#include <string>
#include <vector>

#include "charts.h"
#include "scale.h"

namespace sluice::tools {

/// All charts are so wide; their height follows from what they show. In the units of the SVG's own coordinates.
constexpr double sheet_width = 440;

struct Box {
  double left, top, right, bottom;
  double x(const Scale& scale, double value) const { return left + scale.at(value) * (right - left); }
  double y(const Scale& scale, double value) const { return bottom - scale.at(value) * (bottom - top); }
};

/// A coordinate with one decimal, or none.
std::string place(double v);

/// @param css  classes of the text
std::string text_at(double x, double y, std::string_view css, std::string_view text);

std::string line(double x1, double y1, double x2, double y2, std::string_view css);

/// Ticks and label under the box, and on its left; with lines across the box where `grid`.
std::string x_axis(const Box& box, const Scale& scale, const Axis& axis, bool grid);
std::string y_axis(const Box& box, const Scale& scale, const Axis& axis);

/// The drawing with its name for who cannot see it.
std::string svg(std::string_view title, double height, const std::string& inside);

/// A name in a legend, beside what is drawn like it. @param swatch  markup, on a sheet of 26 by 9
std::string legend_key(const std::string& swatch, std::string_view name);
std::string legend(const std::string& keys);

}  // namespace sluice::tools
