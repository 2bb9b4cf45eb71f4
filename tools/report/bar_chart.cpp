// Bar charts.
#include <algorithm>
#include <cmath>

#include "draw.h"
#include "markup.h"

namespace sluice::tools {

std::string bar_chart(const Bars& bars) {
  constexpr double thick = 16, apart = 10;
  constexpr std::size_t longest_name = 22;
  const std::size_t each = bars.series.size();
  double most = 0;
  for (const double v : bars.values)
    if (std::isfinite(v)) most = std::max(most, v);
  const Scale scale = linear_scale(0, most, 4, true);
  const double group = double(each) * thick + apart;
  std::size_t longest = 0;
  for (const std::string& row : bars.rows)
    longest = std::max(longest, std::min(letters(row), longest_name));
  const Box box{std::max(96.0, 16 + 7.4 * double(longest)), 6, sheet_width - 64,
                6 + group * double(bars.rows.size())};
  std::string drawing;
  for (const double tick : scale.ticks)
    drawing += line(box.x(scale, tick), box.top, box.x(scale, tick), box.bottom, "grid");
  drawing += x_axis(box, scale, bars.x, false);
  std::string keys;
  for (std::size_t k = 0; k < each && each > 1; ++k)
    keys +=
        legend_key(fmt::format("<rect class=\"b{}\" x=\"8\" width=\"10\" height=\"9\"/>", k + 1),
                   bars.series[k]);
  for (std::size_t i = 0; i < bars.rows.size(); ++i) {
    const double top = box.top + double(i) * group + apart / 2;
    drawing += text_at(box.left - 6, top + double(each) * thick / 2 + 4, "end",
                       shortened(bars.rows[i], longest_name));
    for (std::size_t k = 0; k < each; ++k) {
      const double value = bars.values[i * each + k], y = top + double(k) * thick;
      if (!std::isfinite(value)) continue;
      const double end = box.x(scale, value);
      drawing +=
          fmt::format("<rect class=\"b{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", k + 1,
                      place(box.left), place(y), place(end - box.left), place(thick - 2));
      drawing += text_at(end + 4, y + thick - 4, "tick", figure_text(value));
    }
  }
  return figure(bars.title, legend(keys), svg(bars.title, box.bottom + 42, drawing), bars.note);
}

}  // namespace sluice::tools
