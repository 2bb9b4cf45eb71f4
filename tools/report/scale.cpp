#include "scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "kernels/kernels.h"
#include "markup.h"

namespace sluice::tools {
namespace {

/// Returns 10^n, rounded once.
double power_of_ten(int n) {
  const std::string text = fmt::format("1e{}", n);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Returns the largest n with 10^n <= x.
int decade(double x) {
  int n = 0;
  while (n > -300 && power_of_ten(n) > x) --n;
  while (n < 300 && power_of_ten(n + 1) <= x) ++n;
  return n;
}

double log_of(double x) {  // a value that no float can hold becomes the nearest one
  float y = float(std::clamp(x, 1e-37, 1e38));
  pick_kernels("scalar")->log_f32(&y, &y, 1);
  return double(y);
}

double exp_of(double x) {
  float y = float(x);
  pick_kernels("scalar")->exp_f32(&y, &y, 1);
  return double(y);
}

/// A step of ticks: `times` times 10^n.
struct Step {
  int times, n;
  double value() const { return n >= 0 ? times * power_of_ten(n) : times / power_of_ten(-n); }
  double at(double count) const {
    return n >= 0 ? count * times * power_of_ten(n) : count * times / power_of_ten(-n);
  }
};

/// Returns the smallest nice step that is not below x.
Step nice_step(double x) {
  const int n = decade(x);
  for (const int times : {1, 2, 5})
    if (Step{times, n}.value() >= x * (1 - 1e-9)) return {times, n};
  return {1, n + 1};
}

}  // namespace

double Scale::at(double value) const {
  if (high == low) return 0.5;
  const double share = logarithmic ? (log_of(value) - log_of(low)) / (log_of(high) - log_of(low))
                                   : (value - low) / (high - low);
  return rim == 0 ? share : rim + share * (1 - 2 * rim);
}

double Scale::value(double at) const {
  const double share = std::clamp((at - rim) / (1 - 2 * rim), 0.0, 1.0);
  if (!logarithmic) return low + share * (high - low);
  return exp_of(log_of(low) + share * (log_of(high) - log_of(low)));
}

bool Extent::is_wide(double times) const {
  constexpr double least = 1e-30;
  return low > least && high / low >= times;
}

Scale linear_scale(double low, double high, int wanted, bool outward, bool whole) {
  if (!(high > low) && outward) {  // a single value: the axis begins at zero
    const double size = low == 0 ? 1 : std::fabs(low);
    low = low < 0 ? -2 * size : 0, high = high < 0 ? 0 : 2 * size;
  }
  Scale scale{low, high, false, {}};
  if (!(high > low)) {
    scale.ticks = {low};
    return scale;
  }
  Step step = nice_step((high - low) / wanted);
  if (whole && step.n < 0) step = {1, 0};
  const double slack = 1e-9;  // in steps
  double first = std::floor(low / step.value() + slack),
         last = std::ceil(high / step.value() - slack);
  if (!outward)
    first = std::ceil(low / step.value() - slack), last = std::floor(high / step.value() + slack);
  for (double i = first; i <= last; ++i) scale.ticks.push_back(step.at(i));
  if (outward) scale.low = scale.ticks.front(), scale.high = scale.ticks.back();
  return scale;
}

Scale log_scale(double low, double high) {
  const int first = decade(low), decades = decade(high) - first + 1, apart = (decades + 6) / 7;
  Scale scale{low, high, true, {}};
  std::vector<double> candidates;
  for (int n = first; n <= first + decades + apart; ++n)
    for (const int times : {1, 2, 5})
      if (times == 1 ? (n - first) % apart == 0 : decades <= 2)
        candidates.push_back(Step{times, n}.value());
  const auto above = std::upper_bound(candidates.begin(), candidates.end(), low * (1 + 1e-9));
  const auto end = std::lower_bound(candidates.begin(), candidates.end(), high * (1 - 1e-9));
  scale.ticks.assign(above - 1, end + 1);
  if (scale.ticks.size() == 1) scale.ticks.push_back(*(end + 1));
  scale.low = scale.ticks.front(), scale.high = scale.ticks.back();
  return scale;
}

Scale log_range(double low, double high) {
  constexpr std::size_t most = 6;
  Scale scale{low, high, true, {}};
  std::vector<double> powers;
  for (int n = decade(low); n <= decade(high); ++n)
    for (const int times : {1, 2, 5}) {
      const double tick = Step{times, n}.value();
      if (tick < low * (1 - 1e-9) || tick > high * (1 + 1e-9)) continue;
      scale.ticks.push_back(tick);
      if (times == 1) powers.push_back(tick);
    }
  if (scale.ticks.size() > most && powers.size() > 1) {
    scale.ticks.clear();
    for (std::size_t i = 0; i < powers.size(); i += (powers.size() + most - 1) / most)
      scale.ticks.push_back(powers[i]);
  }
  if (scale.ticks.size() < 2) scale.ticks = {low, high};
  return scale;
}

Scale name_scale(const std::vector<std::string>& names) {
  Scale scale{-0.5, double(names.size()) - 0.5, false, {}, names};
  for (std::size_t i = 0; i < names.size(); ++i) scale.ticks.push_back(double(i));
  return scale;
}

std::string tick_text(const Scale& scale, std::size_t tick) {
  if (!scale.names.empty()) return scale.names[tick];
  const double value = scale.ticks[tick];
  if (scale.logarithmic || scale.ticks.size() < 2) return figure_text(value);
  const double step = scale.ticks[1] - scale.ticks[0];
  const double largest = std::max(std::fabs(scale.ticks.front()), std::fabs(scale.ticks.back()));
  if (largest >= 1e7 || largest < 1e-4) return figure_text(value);
  const int digits = std::max(0, -decade(step * (1 + 1e-9)));
  if (digits == 0) return figure_text(value);
  return value == 0 ? "0" : fmt::format("{:.{}f}", value, digits);
}

}  // namespace sluice::tools
