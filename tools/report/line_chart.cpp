// Line charts.
#include <algorithm>
#include <cmath>

#include "draw.h"
#include "markup.h"

namespace sluice::tools {
namespace {

// Stretches of a curve; two points each are as many as its pixels can show.
constexpr std::size_t most_stretches = 200;

/// Returns whether a point is drawn; values beyond 1e300 are not.
bool is_shown(const Series& s, std::size_t i) {
  return std::fabs(s.x[i]) < 1e300 && std::fabs(s.y[i]) < 1e300;
}

/// Returns a curve as moves and lines, with gaps; a single point becomes a dot.
std::string path_of(const Series& s, const Box& box, const Scale& x, const Scale& y) {
  std::string d;
  bool pen_down = false;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    if (!is_shown(s, i)) {
      pen_down = false;
      continue;
    }
    const bool alone = !pen_down && (i + 1 == s.x.size() || !is_shown(s, i + 1));
    d += fmt::format("{}{} {}{}", pen_down ? "L" : "M", place(box.x(x, s.x[i])),
                     place(box.y(y, s.y[i])), s.points || alone ? "h0" : "");
    pen_down = !s.points;
  }
  return d;
}

std::string draw_series(const Series& s, const Box& box, const Scale& x, const Scale& y) {
  const std::string d = path_of(s, box, x, y);
  if (d.empty()) return "";
  return fmt::format("<path class=\"{}{} s{}\" d=\"{}\"/>\n", s.points ? "dots" : "line",
                     s.faint ? " faint" : "", s.color, d);
}

std::string keys_of(const std::vector<Series>& series) {
  std::string keys;
  for (const Series& s : series)
    if (!s.name.empty())
      keys +=
          legend_key(fmt::format("<path class=\"{} s{}\" d=\"{}\"/>", s.points ? "dots" : "line",
                                 s.color, s.points ? "M13 4.5h0" : "M2 4.5h22"),
                     s.name);
  return legend(keys);
}

}  // namespace

Series thinned(const Series& series, std::size_t stretches) {
  const std::size_t n = series.x.size();
  if (n <= 2 * stretches) return series;
  Series result = series;
  result.x.clear(), result.y.clear();
  const auto keep = [&](std::size_t i) {
    result.x.push_back(series.x[i]), result.y.push_back(series.y[i]);
  };
  for (std::size_t k = 0; k < stretches; ++k) {
    const std::size_t begin = k * n / stretches, end = (k + 1) * n / stretches;
    std::size_t low = end, high = end;
    for (std::size_t i = begin; i < end; ++i) {
      if (!is_shown(series, i)) continue;
      if (low == end || series.y[i] < series.y[low]) low = i;
      if (high == end || series.y[i] > series.y[high]) high = i;
    }
    if (low == end) {
      keep(begin);  // makes a gap
      continue;
    }
    keep(std::min(low, high));
    if (low != high) keep(std::max(low, high));
  }
  return result;
}

std::string line_chart(const LineChart& chart) {
  Extent xs, ys;
  for (const Series& s : chart.series)
    for (std::size_t i = 0; i < s.x.size(); ++i)
      if (is_shown(s, i)) xs.take(s.x[i]), ys.take(s.y[i]);
  if (xs.empty())
    return figure(chart.title, "", missing("There is no finite value to draw."), chart.note);
  if (chart.square) xs.take(ys.low), xs.take(ys.high), ys = xs;
  const bool logarithmic = chart.logarithmic && ys.is_wide(chart.y.wide);
  const Scale x = linear_scale(xs.low, xs.high, 6, chart.square, chart.x.whole);
  Scale y = chart.y.has_range() ? scale_of(chart.y, ys)
            : logarithmic       ? log_scale(ys.low, ys.high)
                                : linear_scale(ys.low, ys.high, 5, true, chart.y.whole);
  if (!chart.y.has_range() && y.high > chart.y.most)
    y = linear_scale(std::min(y.low, ys.low), chart.y.most, 5, true, chart.y.whole);
  const double side = chart.square ? 330 : 200;
  const Box box{62, 28, chart.square ? 62 + side : sheet_width - 22, 28 + side};
  std::string drawing =
      y_axis(box, y, {y.logarithmic ? chart.y.label + ", logarithmic" : chart.y.label});
  drawing += x_axis(box, x, chart.x, true);
  if (chart.square) drawing += line(box.left, box.bottom, box.right, box.top, "mark");
  drawing += draw_marks(chart.marks, box, x);
  for (const Series& s : chart.series)
    drawing += draw_series(s.points ? s : thinned(s, most_stretches), box, x, y);
  return figure(chart.title, keys_of(chart.series), svg(chart.title, box.bottom + 42, drawing),
                chart.note);
}

}  // namespace sluice::tools
