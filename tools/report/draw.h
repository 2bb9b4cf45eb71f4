// Shared parts of charts: measures of the sheet, coordinates as text, axes, legends.
#pragma once
#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "charts.h"
#include "scale.h"

namespace sluice::tools {

/// Width of every chart in SVG coordinates; the height depends on the contents.
constexpr double sheet_width = 440;

struct Box {
  double left, top, right, bottom;
  double x(const Scale& scale, double value) const {
    return left + scale.at(value) * (right - left);
  }
  double y(const Scale& scale, double value) const {
    return bottom - scale.at(value) * (bottom - top);
  }
};

/// Returns a coordinate with at most one decimal.
std::string place(double v);

/// @param css  classes of the text
std::string text_at(double x, double y, std::string_view css, std::string_view text);

std::string line(double x1, double y1, double x2, double y2, std::string_view css);

/// Returns the scale of an axis, by its own range or over the data.
Scale scale_of(const Axis& axis, Extent drawn);

/// Returns the axis with the ends of the data; logarithmic if these spread wide enough.
Axis over(Axis axis, const Extent& drawn);

/// Returns text that runs upwards and ends at (x, y).
std::string upright_text(double x, double y, std::string_view text);

/// Returns the number of characters of a text.
std::size_t letters(std::string_view text);

/// Returns the height of x_axis() below a box. Names are upright if there is no room for them side
/// by side.
double foot_of(const Box& box, const Scale& scale);

/// Returns a tick's text below a box; a name is shortened to the room beside the next one.
std::string tick_that_fits(const Scale& scale, std::size_t tick, const Box& box);

/// Return ticks and label below the box, and at its left; with lines across the box if `grid`.
std::string x_axis(const Box& box, const Scale& scale, const Axis& axis, bool grid);
std::string y_axis(const Box& box, const Scale& scale, const Axis& axis);

/// Returns lines across the box, with their names.
std::string draw_marks(const std::vector<Mark>& marks, const Box& box, const Scale& x);

/// Returns a grid of colors over a box. There is one path for each color, with its cells in runs
/// along the rows; the first row is on top.
/// @param ground  the class of most cells
/// @param css_at  the class of a cell, by row and column; empty: none
std::string draw_cells(const Box& box, std::size_t rows, std::size_t columns,
                       const std::string& ground,
                       const std::function<std::string(std::size_t, std::size_t)>& css_at);

/// Returns a scale of colors above a box, which ends at `right`.
/// @param both   for signed values
/// @param first  the first level that is drawn
std::string color_bar(bool both, const std::string& low, const std::string& high, double right,
                      int first = 0);

/// Returns the drawing with a title for readers who cannot see it.
std::string svg(std::string_view title, double height, const std::string& inside);

/// Returns a name in a legend with its swatch.
/// @param swatch  markup on a sheet of 26 by 9
std::string legend_key(const std::string& swatch, std::string_view name);
std::string legend(const std::string& keys);

}  // namespace sluice::tools
