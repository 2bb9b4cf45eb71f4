// Heat maps.
#include <algorithm>
#include <cmath>

#include "draw.h"
#include "markup.h"
#include "style.h"

namespace sluice::tools {
namespace {

constexpr std::size_t named_length = 12;  // of a name beside the grid

struct Grid {
  const HeatMap& map;
  Box box;
  double cell_width() const { return (box.right - box.left) / double(map.columns); }
  double cell_height() const { return (box.bottom - box.top) / double(map.rows); }

  bool is_signed() const { return map.low < 0; }
  double share(double value) const {
    return is_signed() ? value / map.high : (value - map.low) / (map.high - map.low);
  }
  std::string css(double value) const {
    if (!std::isfinite(value)) return "";
    const double s = map.high > map.low ? share(value) : 0;
    return is_signed() ? signed_class(s) : amount_class(s);
  }
};

std::string draw_texts(const Grid& grid) {
  std::string drawing;
  for (std::size_t i = 0; i < grid.map.texts.size(); ++i) {
    if (grid.map.texts[i].empty()) continue;
    const std::size_t row = i / grid.map.columns, column = i % grid.map.columns;
    const double x = grid.box.left + (double(column) + 0.5) * grid.cell_width();
    const double y = grid.box.top + (double(row) + 0.5) * grid.cell_height() + 4;
    const bool strong = !grid.is_signed() && is_strong(grid.share(grid.map.values[i]));
    drawing += text_at(x, y, strong ? "mid on" : "mid", grid.map.texts[i]);
  }
  return drawing;
}

/// Draws the names of the rows; if they are too dense, every second, third, ... of them.
std::string draw_row_names(const Grid& grid) {
  std::string drawing;
  const std::size_t every = std::size_t(std::ceil(13 / grid.cell_height()));
  for (std::size_t row = 0; row < grid.map.row_names.size(); row += every)
    drawing +=
        text_at(grid.box.left - 6, grid.box.top + (double(row) + 0.5) * grid.cell_height() + 4,
                "tick end", shortened(grid.map.row_names[row], named_length));
  return drawing;
}

/// Draws the names below the columns, upright if they do not fit.
std::string draw_column_names(const Grid& grid, bool upright) {
  std::string drawing;
  const std::size_t every = std::size_t(std::ceil(13 / grid.cell_width()));
  for (std::size_t column = 0; column < grid.map.column_names.size();
       column += upright ? every : 1) {
    const double x = grid.box.left + (double(column) + 0.5) * grid.cell_width();
    const std::string name = shortened(grid.map.column_names[column], named_length);
    if (!upright) drawing += text_at(x, grid.box.bottom + 16, "tick mid", name);
    if (upright) drawing += upright_text(x + 4, grid.box.bottom + 6, name);
  }
  return drawing;
}

std::size_t longest(const std::vector<std::string>& names) {
  std::size_t most = 0;
  for (const std::string& name : names)
    most = std::max(most, letters(shortened(name, named_length)));
  return most;
}

/// Returns the scale of numbered columns.
Scale column_scale(const HeatMap& map) {
  return linear_scale(map.first, map.first + double(map.columns) * map.each - 1, 8, false, true);
}

}  // namespace

std::string heat_map(const HeatMap& map) {
  const std::size_t row_length = longest(map.row_names), column_length = longest(map.column_names);
  const double left =
      map.row_names.empty() ? 40 : 16 + 7.4 * double(std::max<std::size_t>(row_length, 2));
  Box box{left, 26, sheet_width - 16, 0};
  const double wide = (box.right - box.left) / double(map.columns);
  const bool named = !map.column_names.empty(), square = map.square || named;
  const double high = square ? std::min(wide, 44.0) : std::clamp(240 / double(map.rows), 2.5, 18.0);
  if (square && wide > high) box.right = box.left + high * double(map.columns);
  box.bottom = box.top + high * double(map.rows);
  const Grid grid{map, box};
  const bool upright = named && double(column_length) * 7.4 > grid.cell_width();
  const double foot = upright ? 12 + 7.4 * double(column_length) : 22;
  const auto css_at = [&](std::size_t row, std::size_t column) {
    return grid.css(map.values[row * map.columns + column]);
  };
  std::string drawing = text_at(4, 14, "", map.y.label);
  drawing += color_bar(map.low < 0, fmt::format("{:.3g}", map.low), fmt::format("{:.3g}", map.high),
                       sheet_width);
  drawing +=
      draw_cells(box, map.rows, map.columns, grid.css(grid.is_signed() ? 0 : map.low), css_at) +
      draw_texts(grid);
  drawing += draw_row_names(grid) + draw_column_names(grid, upright);
  if (map.row_names.empty()) {
    const double each = map.square ? map.each : 1;
    const Scale rows = linear_scale(1, double(map.rows) * each, 6, false, true);
    for (const double tick : rows.ticks)
      drawing += text_at(box.left - 6, box.top + (tick - 0.5) / each * grid.cell_height() + 4,
                         "tick end", figure_text(tick));
  }
  if (!named) {
    const Scale columns = column_scale(map);
    for (const double tick : columns.ticks)
      drawing += text_at(box.left + (tick - map.first + 0.5) / map.each * grid.cell_width(),
                         box.bottom + 16, "tick mid", figure_text(tick));
  }
  drawing += text_at((box.left + box.right) / 2, box.bottom + foot + 12, "mid", map.x.label);
  return figure(map.title, "", svg(map.title, box.bottom + foot + 20, drawing), map.note);
}

}  // namespace sluice::tools
