// What the charts share: the sheet's measures, coordinates as text, axes, legends.
#pragma once
#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "charts.h"
#include "scale.h"

namespace sluice::tools {

/// All charts are so wide; their height follows from what they show. In the units of the SVG's own
/// coordinates.
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

/// A coordinate with one decimal, or none.
std::string place(double v);

/// @param css  classes of the text
std::string text_at(double x, double y, std::string_view css, std::string_view text);

std::string line(double x1, double y1, double x2, double y2, std::string_view css);

/// The scale of an axis by its own range, or over what is drawn.
Scale scale_of(const Axis& axis, Extent drawn);

/// The axis with the ends of what is drawn, logarithmic where that spreads wide.
Axis over(Axis axis, const Extent& drawn);

/// Text that runs upwards and ends at (x, y).
std::string upright_text(double x, double y, std::string_view text);

/// How many characters a text has.
std::size_t letters(std::string_view text);

/// What x_axis takes below a box: names stand upright where there is no room for them beside each
/// other.
double foot_of(const Box& box, const Scale& scale);

/// A tick's text below a box; a name is cut to what there is room for beside the next.
std::string tick_that_fits(const Scale& scale, std::size_t tick, const Box& box);

/// Ticks and label under the box, and on its left; with lines across the box where `grid`.
std::string x_axis(const Box& box, const Scale& scale, const Axis& axis, bool grid);
std::string y_axis(const Box& box, const Scale& scale, const Axis& axis);

/// Lines across the box, with their names.
std::string draw_marks(const std::vector<Mark>& marks, const Box& box, const Scale& x);

/// A grid of colors over a box: one path a color, its cells in runs along the rows, the first row
/// on top.
/// @param ground  the class of most cells    @param css_at  a cell's class, by row and column;
/// empty: none
std::string draw_cells(const Box& box, std::size_t rows, std::size_t columns,
                       const std::string& ground,
                       const std::function<std::string(std::size_t, std::size_t)>& css_at);

/// What colors mean, above a box, that end at the right.
/// @param both  signed ones    @param first  level that is drawn
std::string color_bar(bool both, const std::string& low, const std::string& high, double right,
                      int first = 0);

/// The drawing with its name for who cannot see it.
std::string svg(std::string_view title, double height, const std::string& inside);

/// A name in a legend, beside what is drawn like it. @param swatch  markup, on a sheet of 26 by 9
std::string legend_key(const std::string& swatch, std::string_view name);
std::string legend(const std::string& keys);

}  // namespace sluice::tools
