// Parallel coordinates.
#include <algorithm>
#include <cmath>
#include <map>

#include "draw.h"
#include "markup.h"
#include "style.h"

namespace sluice::tools {
namespace {

constexpr double rail_height = 56, first_rail = 50;
constexpr int first_level = 2;  // the first level that is dark enough for a line on paper

struct Rail {
  const Axis& axis;
  Scale scale;
  Box box;  ///< has no height
  bool has_gaps;
};

/// Returns the x of lines without a value.
double off(const Box& box) { return box.left - 24; }

double across(const Rail& rail, double value) {
  return std::isfinite(value) ? rail.box.x(rail.scale, value) : off(rail.box);
}

std::vector<Rail> rails_of(const Parallel& chart) {
  std::vector<Rail> rails;
  for (std::size_t a = 0; a < chart.axes.size(); ++a) {
    const double y = first_rail + double(a) * rail_height;
    Rail rail{chart.axes[a], {}, {44, y, sheet_width - 24, y}, false};
    Extent values;
    for (const std::vector<double>& line : chart.lines)
      if (std::isfinite(line[a]))
        values.take(line[a]);
      else
        rail.has_gaps = true;
    rail.scale = scale_of(chart.axes[a], values);
    rails.push_back(rail);
  }
  return rails;
}

std::string thread(const std::vector<Rail>& rails, const std::vector<double>& values) {
  std::string d;
  for (std::size_t a = 0; a < rails.size(); ++a)
    d += fmt::format("{}{} {}", a ? "L" : "M", place(across(rails[a], values[a])),
                     place(rails[a].box.top));
  return d;
}

std::string draw_rail(const Rail& rail) {
  const Box& box = rail.box;
  std::string drawing = line(box.left, box.top, box.right, box.top, "rail");
  for (const double tick : rail.scale.ticks)
    drawing +=
        line(box.x(rail.scale, tick), box.top - 3, box.x(rail.scale, tick), box.top + 3, "rail");
  if (rail.has_gaps)
    drawing += line(off(box), box.top - 3, off(box), box.top + 3, "rail") +
               text_at(off(box), box.top + 16, "tick mid over", "off");
  return drawing;
}

std::string draw_texts(const Rail& rail) {
  const Box& box = rail.box;
  std::string drawing = text_at(box.left, box.top - 7, "over",
                                rail.axis.label + (rail.scale.logarithmic ? ", logarithmic" : ""));
  for (std::size_t i = 0; i < rail.scale.ticks.size(); ++i)
    drawing += text_at(box.x(rail.scale, rail.scale.ticks[i]), box.top + 16, "tick mid over",
                       tick_that_fits(rail.scale, i, box));
  return drawing;
}

}  // namespace

std::string parallel_coordinates(const Parallel& chart) {
  const std::vector<Rail> rails = rails_of(chart);
  std::map<int, std::string> paths;  // one for each color, the best last
  for (std::size_t i = 0; i < chart.lines.size(); ++i)
    if (i != chart.winner)
      paths[std::max(first_level, amount_level(chart.shares[i]))] += thread(rails, chart.lines[i]);
  std::string drawing = color_bar(false, chart.low, chart.high, sheet_width, first_level);
  for (const Rail& rail : rails) drawing += draw_rail(rail);
  for (const auto& [level, d] : paths)
    drawing += fmt::format("<path class=\"thread q{}\" d=\"{}\"/>\n", level, d);
  drawing += fmt::format("<path class=\"winner s2\" d=\"{}\"/>\n",
                         thread(rails, chart.lines[chart.winner]));
  for (const Rail& rail : rails) drawing += draw_texts(rail);
  const std::string keys =
      legend(legend_key("<path class=\"winner s2\" d=\"M2 4.5h22\"/>", "the best"));
  return figure(chart.title, keys, svg(chart.title, rails.back().box.top + 30, drawing),
                chart.note);
}

}  // namespace sluice::tools
