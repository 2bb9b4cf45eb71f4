#include "mean.h"

#include <fmt/format.h>

#include <cmath>

namespace sluice::tools {

Mean mean_of(const std::vector<double>& values) {
  Mean m;
  const double n = double(values.size());
  for (const double v : values) m.mean += v / n;
  double squares = 0;
  for (const double v : values) squares += (v - m.mean) * (v - m.mean);
  m.error = n > 1 ? std::sqrt(squares / (n - 1) / n) : std::nan("");
  return m;
}

std::string mean_text(const Mean& m, bool share) {
  const double factor = share ? 100 : 1;
  const std::string mean =
      share ? fmt::format("{:.2f}", factor * m.mean) : fmt::format("{:.4g}", m.mean);
  const std::string unit = share ? " %" : "";
  if (std::isnan(m.error)) return mean + unit;
  return fmt::format(
      "{} \u00b1 {}{}", mean,
      share ? fmt::format("{:.2f}", factor * m.error) : fmt::format("{:.2g}", m.error), unit);
}

}  // namespace sluice::tools
