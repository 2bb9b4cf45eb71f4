#include "draw.h"

#include <algorithm>
#include <map>

#include "markup.h"
#include "style.h"

namespace sluice::tools {

std::string coordinate(double v) {
  std::string text = fmt::format("{:.1f}", v);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string text_at(double x, double y, std::string_view css, std::string_view text) {
  return fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", coordinate(x), coordinate(y),
                     css.empty() ? "" : fmt::format(" class=\"{}\"", css), escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view css) {
  return fmt::format("<path class=\"{}\" d=\"M{} {}L{} {}\"/>\n", css, coordinate(x1),
                     coordinate(y1), coordinate(x2), coordinate(y2));
}

std::string upright_text(double x, double y, std::string_view text) {
  return fmt::format(
      "<text class=\"tick end\" transform=\"translate({} {}) rotate(-90)\">{}</text>\n",
      coordinate(x), coordinate(y), escaped(text));
}

std::size_t letters(std::string_view text) {
  return std::size_t(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

namespace {

constexpr double letter = 7.4;
constexpr std::size_t most_letters = 16;

/// Returns the length of the longest name that is upright; 0 if names are horizontal.
std::size_t upright_letters(const Box& box, const Scale& scale) {
  std::size_t longest = 0;
  for (const std::string& name : scale.names)
    longest = std::max(longest, letters(shortened(name, most_letters)));
  return double(longest + 1) * letter * double(scale.names.size()) > box.right - box.left ? longest
                                                                                          : 0;
}

}  // namespace

double foot_of(const Box& box, const Scale& scale) {
  const std::size_t upright = upright_letters(box, scale);
  return upright ? 30 + letter * double(upright) : 42;
}

std::string tick_that_fits(const Scale& scale, std::size_t tick, const Box& box) {
  std::string text = tick_text(scale, tick);
  if (scale.names.empty()) return text;
  const double room = (box.right - box.left) / double(scale.names.size()) / letter;
  return shortened(text, room < 3 ? 1 : std::size_t(room - 1));
}

std::string x_axis(const Box& box, const Scale& scale, const Axis& axis, bool grid) {
  std::string drawing = grid ? line(box.left, box.bottom, box.right, box.bottom, "axis") : "";
  const bool upright = upright_letters(box, scale) > 0;
  const auto every =
      upright ? std::size_t(13 * double(scale.names.size()) / (box.right - box.left)) + 1 : 1;
  for (std::size_t i = 0; i < scale.ticks.size(); i += every) {
    const double x = box.x(scale, scale.ticks[i]);
    if (grid) drawing += line(x, box.bottom, x, box.bottom + 4, "axis");
    drawing +=
        upright ? upright_text(x + 4, box.bottom + 8, shortened(tick_text(scale, i), most_letters))
                : text_at(x, box.bottom + 17, "tick mid", tick_text(scale, i));
  }
  return drawing + text_at((box.left + box.right) / 2, box.bottom + foot_of(box, scale) - 8, "mid",
                           axis.label);
}

std::string y_axis(const Box& box, const Scale& scale, const Axis& axis) {
  std::string drawing = text_at(4, 14, "", axis.label);
  for (std::size_t i = 0; i < scale.ticks.size(); ++i) {
    const double y = box.y(scale, scale.ticks[i]);
    drawing += line(box.left, y, box.right, y, "grid");
    drawing += text_at(box.left - 6, y + 4, "tick end", tick_text(scale, i));
  }
  return drawing;
}

std::string draw_marks(const std::vector<Mark>& marks, const Box& box, const Scale& x) {
  std::string drawing;
  for (const Mark& mark : marks) {
    const double at = box.x(x, mark.x);
    const bool left = at > (box.left + box.right) / 2;
    drawing += line(at, box.top, at, box.bottom, "mark");
    drawing += text_at(at + (left ? -5 : 5), box.top + 11, left ? "tick end" : "tick", mark.name);
  }
  return drawing;
}

std::string draw_cells(const Box& box, std::size_t rows, std::size_t columns,
                       const std::string& ground,
                       const std::function<std::string(std::size_t, std::size_t)>& css_at) {
  std::map<std::string, std::string> paths;
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t begin = 0, end; begin < columns; begin = end) {
      const std::string css = css_at(row, begin);
      for (end = begin + 1; end < columns && css_at(row, end) == css;) ++end;
      if (css.empty() || css == ground) continue;
      paths[css] += fmt::format("M{} {}h{}v1h-{}z", begin, row, end - begin, end - begin);
    }
  std::string drawing =
      fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", ground,
                  coordinate(box.left), coordinate(box.top), coordinate(box.right - box.left),
                  coordinate(box.bottom - box.top));
  drawing +=
      fmt::format("<g class=\"cells\" transform=\"translate({} {}) scale({:.4f} {:.4f})\">\n",
                  coordinate(box.left), coordinate(box.top),
                  (box.right - box.left) / double(columns), (box.bottom - box.top) / double(rows));
  for (const auto& [css, path] : paths)
    drawing += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", css, path);
  return drawing + "</g>\n";
}

std::string color_bar(bool both, const std::string& low, const std::string& high, double right,
                      int first) {
  const int levels = both ? signed_levels : amount_levels;
  const double width = both ? 5 : 9, end = right - 12 - 8 * double(high.size()),
               left = end - (levels - first) * width;
  std::string drawing = text_at(left - 5, 14, "tick end", low);
  for (int i = first; i < levels; ++i) {
    const double share = double(i) / (levels - 1);
    drawing += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"5\" width=\"{}\" height=\"10\"/>\n",
                           both ? signed_class(2 * share - 1) : amount_class(share),
                           coordinate(left + (i - first) * width), coordinate(width + 0.5));
  }
  return drawing + text_at(end + 5, 14, "tick", high);
}

Scale scale_of(const Axis& axis, Extent drawn) {
  if (drawn.empty()) drawn = {axis.low, axis.high};
  if (!axis.names.empty()) return name_scale(axis.names);
  if (axis.has_range()) {
    Scale scale = axis.logarithmic ? log_range(axis.low, axis.high)
                                   : linear_scale(axis.low, axis.high, 6, false, axis.whole);
    if (!axis.ticks.empty()) scale.ticks = axis.ticks;
    scale.rim = 0.04;
    return scale;
  }
  if (drawn.is_wide(axis.wide)) return log_scale(drawn.low, drawn.high);
  const Scale scale = linear_scale(drawn.low, drawn.high, 5, true, axis.whole);
  return scale.high > axis.most
             ? linear_scale(std::min(scale.low, drawn.low), axis.most, 5, true, axis.whole)
             : scale;
}

Axis over(Axis axis, const Extent& drawn) {
  if (drawn.high > drawn.low)
    axis.low = drawn.low, axis.high = drawn.high, axis.logarithmic = drawn.is_wide(axis.wide);
  return axis;
}

std::string svg(std::string_view title, double height, const std::string& inside) {
  return fmt::format(
      "<svg class=\"chart\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} "
      "{}\">\n"
      "<title>{}</title>\n{}</svg>\n",
      coordinate(sheet_width), coordinate(height), escaped(title), inside);
}

std::string legend_key(const std::string& swatch, std::string_view name) {
  return fmt::format("<span><svg class=\"swatch\" viewBox=\"0 0 26 9\">{}</svg>{}</span>\n", swatch,
                     escaped(name));
}

std::string legend(const std::string& keys) {
  return keys.empty() ? "" : fmt::format("<div class=\"keys\">{}</div>\n", keys);
}

}  // namespace sluice::tools
