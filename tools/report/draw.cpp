#include "draw.h"

#include "markup.h"

namespace sluice::tools {

std::string place(double v) {
  std::string text = fmt::format("{:.1f}", v);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string text_at(double x, double y, std::string_view css, std::string_view text) {
  return fmt::format("<text x=\"{}\" y=\"{}\"{}>{}</text>\n", place(x), place(y),
                     css.empty() ? "" : fmt::format(" class=\"{}\"", css), escaped(text));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view css) {
  return fmt::format("<path class=\"{}\" d=\"M{} {}L{} {}\"/>\n", css, place(x1), place(y1), place(x2), place(y2));
}

std::string x_axis(const Box& box, const Scale& scale, const Axis& axis, bool grid) {
  std::string drawing = grid ? line(box.left, box.bottom, box.right, box.bottom, "axis") : "";
  for (std::size_t i = 0; i < scale.ticks.size(); ++i) {
    const double x = box.x(scale, scale.ticks[i]);
    if (grid) drawing += line(x, box.bottom, x, box.bottom + 4, "axis");
    drawing += text_at(x, box.bottom + 17, "tick mid", tick_text(scale, i));
  }
  return drawing + text_at((box.left + box.right) / 2, box.bottom + 34, "mid", axis.label);
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

std::string svg(std::string_view title, double height, const std::string& inside) {
  return fmt::format(
      "<svg class=\"chart\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\">\n"
      "<title>{}</title>\n{}</svg>\n",
      place(sheet_width), place(height), escaped(title), inside);
}

std::string legend_key(const std::string& swatch, std::string_view name) {
  return fmt::format("<span><svg class=\"swatch\" viewBox=\"0 0 26 9\">{}</svg>{}</span>\n", swatch, escaped(name));
}

std::string legend(const std::string& keys) { return keys.empty() ? "" : fmt::format("<div class=\"keys\">{}</div>\n", keys); }

}  // namespace sluice::tools
