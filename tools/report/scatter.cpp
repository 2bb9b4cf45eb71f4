// Scatter charts: points over two axes, which may be logarithmic or names, with error bars, lines
// and colors behind.
#include <algorithm>
#include <cmath>

#include "draw.h"
#include "markup.h"
#include "style.h"

namespace sluice::tools {
namespace {

bool is_finite(double v) { return std::fabs(v) < 1e300; }
bool has_place(const Points& p, std::size_t i) {
  return is_finite(p.x[i]) && (p.valueless || is_finite(p.y[i]));
}
double error_of(const Points& p, std::size_t i) {
  return p.error.empty() || !is_finite(p.error[i]) ? 0 : p.error[i];
}

/// Returns one point as a part of a path.
std::string shape_at(Points::Shape shape, double x, double y) {
  const auto circle = [&](double r) {
    return fmt::format("M{0} {1}a{2} {2} 0 1 0 {3} 0a{2} {2} 0 1 0-{3} 0", place(x - r), place(y),
                       place(r), place(2 * r));
  };
  switch (shape) {
    case Points::dot:
      return fmt::format("M{} {}h0", place(x), place(y));
    case Points::ring:
      return circle(2.5);
    case Points::cross:
      return fmt::format("M{} {}l6 6m0-6l-6 6", place(x - 3), place(y - 3));
    case Points::winner:
      return circle(6.5);
    case Points::none:
      return "";
  }
  return "";
}

std::string css_of(Points::Shape shape) {
  return shape == Points::dot ? "dots" : shape == Points::winner ? "winner" : "shape";
}

std::string path(const std::string& css, const std::string& d) {
  return d.empty() ? "" : fmt::format("<path class=\"{}\" d=\"{}\"/>\n", css, d);
}

struct Sheet {
  Box box;
  Scale x, y;
  double across(const Points& p, std::size_t i) const { return box.x(x, p.x[i]); }
  double up(const Points& p, std::size_t i) const {
    return p.valueless ? box.top - 7 : box.y(y, p.y[i]);
  }
  double up_of(double value) const { return box.y(y, std::clamp(value, y.low, y.high)); }
};

/// Draws the points of a series.
/// @param over  whether colors are behind the points, which then need a rim
/// @param aside  horizontal distance of error bars from their points, so that those of several
/// curves are distinguishable
std::string draw_points(const Points& p, const Sheet& sheet, bool over, double aside) {
  std::string joined, errors, shapes;
  for (std::size_t i = 0; i < p.x.size(); ++i) {
    if (!has_place(p, i)) continue;
    const double x = sheet.across(p, i), y = sheet.up(p, i);
    if (p.joined) joined += fmt::format("{}{} {}", joined.empty() ? "M" : "L", place(x), place(y));
    if (const double e = error_of(p, i); e > 0) {
      const double low = sheet.up_of(p.y[i] - e), high = sheet.up_of(p.y[i] + e);
      errors += fmt::format("M{0} {1}V{2}M{3} {1}h6M{3} {2}h6", place(x + aside), place(low),
                            place(high), place(x + aside - 3));
    }
    shapes += shape_at(p.shape, x, y);
  }
  const std::string color = fmt::format(" s{}", p.color);
  std::string drawing = path("line" + color, joined) + path("errors" + color, errors);
  if (p.shape != Points::dot) return drawing + path(css_of(p.shape) + color, shapes);
  if (over) drawing += path("under", shapes);
  constexpr std::size_t many = 200;  // from this number on, paler dots show where points are dense
  return drawing +
         path(std::string("dots") + (over || p.x.size() < many ? " solid" : "") + color, shapes);
}

std::string keys_of(const std::vector<Points>& series) {
  std::string keys;
  for (const Points& p : series) {
    if (p.name.empty() || p.x.empty()) continue;
    std::string swatch =
        p.joined ? fmt::format("<path class=\"line s{}\" d=\"M2 4.5h22\"/>", p.color) : "";
    if (p.shape == Points::winner)
      swatch += fmt::format("<path class=\"winner s{}\" d=\"M9 4.5a4 4 0 1 0 8 0a4 4 0 1 0-8 0\"/>",
                            p.color);
    else
      swatch += path(fmt::format("{} s{}", css_of(p.shape), p.color), shape_at(p.shape, 13, 4.5));
    keys += legend_key(swatch, p.name);
  }
  return legend(keys);
}

/// Returns the width needed at the left of the box.
double left_of(const Axis& y) {
  std::size_t longest = 0;
  for (const std::string& name : y.names)
    longest = std::max(longest, std::min<std::size_t>(letters(name), 14));
  return std::max(62.0, 12 + 7.4 * double(longest));
}

}  // namespace

std::string scatter(const Scatter& chart) {
  Extent xs, ys;
  bool any = chart.ground.rows > 0, above = false;
  for (const Points& p : chart.series)
    for (std::size_t i = 0; i < p.x.size(); ++i) {
      if (!has_place(p, i)) continue;
      any = true, above = above || p.valueless;
      xs.take(p.x[i]);
      if (!p.valueless) ys.take(p.y[i]);
      // An error bar that reaches below 0 must not prevent a logarithmic axis.
      if (const double e = error_of(p, i); e > 0)
        ys.take(p.y[i] + e), ys.take(p.y[i] > 0 && p.y[i] <= e ? p.y[i] : p.y[i] - e);
    }
  if (!any)
    return figure(chart.title, "", missing("There is no finite value to draw."), chart.note);
  for (const Mark& mark : chart.marks) xs.take(mark.x);
  if (ys.empty()) ys.take(0);
  Axis down = chart.y;
  for (std::string& name : down.names) name = shortened(name, 14);
  const bool colored = chart.ground.rows > 0;
  const double top = above ? 38 : 28;
  const Sheet sheet{{left_of(down), top, sheet_width - 28, top + (colored ? 260 : 200)},
                    scale_of(chart.x, xs),
                    scale_of(down, ys)};
  const bool by_log = sheet.y.logarithmic;
  std::string drawing;
  drawing += y_axis(sheet.box, sheet.y, {by_log ? chart.y.label + ", logarithmic" : chart.y.label});
  drawing += x_axis(sheet.box, sheet.x,
                    {sheet.x.logarithmic ? chart.x.label + ", logarithmic" : chart.x.label}, true);
  if (colored) {
    const Ground& g = chart.ground;
    drawing += draw_cells(sheet.box, g.rows, g.columns, amount_class(0),
                          [&](std::size_t row, std::size_t column) {
                            return amount_class(g.shares[row * g.columns + column]);
                          });
    drawing += color_bar(false, g.low, g.high, sheet_width);
  }
  drawing += draw_marks(chart.marks, sheet.box, sheet.x);
  const auto with_errors = std::count_if(chart.series.begin(), chart.series.end(),
                                         [](const Points& p) { return !p.error.empty(); });
  double aside = -3.5 * double(with_errors - 1);
  for (const Points& p : chart.series) {
    drawing += draw_points(p, sheet, colored, p.error.empty() ? 0 : aside);
    if (!p.error.empty()) aside += 7;
  }
  return figure(chart.title, keys_of(chart.series),
                svg(chart.title, sheet.box.bottom + foot_of(sheet.box, sheet.x), drawing),
                chart.note);
}

}  // namespace sluice::tools
