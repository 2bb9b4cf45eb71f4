// Points of a search space. space_toml.cpp reads a space from a recipe.
#include "space.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace sluice::tools {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// Returns the nearest short decimal, so that the number that people read is all of it. It has six
/// digits after the first one that varies over the range.
double shortened(const Parameter& parameter, double value) {
  const int places =
      int(std::clamp(6 - std::floor(std::log10(parameter.high - parameter.low)), 0.0, 300.0));
  const std::string text =
      parameter.log ? fmt::format("{:.6g}", value) : fmt::format("{:.{}f}", value, places);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::clamp(value, parameter.low, parameter.high);
}

/// Returns whether neighboring values differ by a factor: low, low * step, low * step^2.
bool by_factor(const Parameter& parameter) { return parameter.log && parameter.step > 0; }

double step_of(const Parameter& parameter) {
  if (parameter.kind == Parameter::choice) return 1;
  return parameter.kind == Parameter::whole && parameter.step == 0 ? 1 : parameter.step;
}

/// Returns a number, or its logarithm if the parameter has a logarithmic scale.
double scaled(const Parameter& parameter, double x) { return parameter.log ? std::log(x) : x; }

/// Returns where the share of the i-th value begins, as scaled(): half way from the value before.
/// The first and last shares reach as far outwards as inwards.
double border(const Parameter& parameter, std::uint64_t i) {
  const std::uint64_t n = values_of(parameter);
  const auto at = [&](std::uint64_t k) { return scaled(parameter, value_at(parameter, k)); };
  if (i == 0) return at(0) - (at(1) - at(0)) / 2;
  if (i == n) return at(n - 1) + (at(n - 1) - at(n - 2)) / 2;
  return (at(i - 1) + at(i)) / 2;
}

}  // namespace

bool same(const Point& a, const Point& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

bool in_force(const Space& space, std::size_t parameter, const Point& point) {
  return std::ranges::all_of(space.parameters[parameter].when, [&](const Condition& condition) {
    return std::ranges::find(condition.values, point[condition.parameter]) !=
               condition.values.end() &&
           in_force(space, condition.parameter, point);
  });
}

Point settled(const Space& space, Point point) {
  for (std::size_t i = 0; i < space.parameters.size(); ++i) {
    const Parameter& parameter = space.parameters[i];
    if (!in_force(space, i, point)) {
      point[i] = nothing;
      continue;
    }
    const double value =
        std::clamp(std::isnan(point[i]) ? parameter.own : point[i], parameter.low, parameter.high);
    point[i] = values_of(parameter) == 0 ? value : value_at(parameter, index_of(parameter, value));
  }
  return point;
}

std::uint64_t values_of(const Parameter& parameter) {
  if (parameter.kind == Parameter::choice) return parameter.choices.size();
  if (parameter.low == parameter.high) return 1;
  const double step = step_of(parameter);
  if (by_factor(parameter))
    return std::uint64_t(std::log(parameter.high / parameter.low) / std::log(step) + 1e-9) + 1;
  // The margin is needed because 0.1 * 3 is more than 0.3 in double.
  return step > 0 ? std::uint64_t((parameter.high - parameter.low) / step * (1 + 1e-12) + 1e-9) + 1
                  : 0;
}

double value_at(const Parameter& parameter, std::uint64_t i) {
  const double exact = by_factor(parameter) ? parameter.low * std::pow(parameter.step, double(i))
                                            : parameter.low + double(i) * step_of(parameter);
  if (parameter.kind == Parameter::whole && by_factor(parameter))
    return std::min(std::round(exact), parameter.high);
  if (parameter.kind != Parameter::real || i == 0) return exact;
  const std::string text = fmt::format("{:.12g}", exact);  // 0.3, not 0.30000000000000004
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::min(value, parameter.high);
}

std::uint64_t index_of(const Parameter& parameter, double value) {
  const std::uint64_t last = values_of(parameter) - 1;
  if (last == 0) return 0;
  const double steps = by_factor(parameter)
                           ? std::log(value / parameter.low) / std::log(parameter.step)
                           : (value - parameter.low) / step_of(parameter);
  const double nearest = std::round(steps);
  return std::min(std::uint64_t(std::max(nearest, 0.0)), last);
}

double value_of_share(const Parameter& parameter, double share) {
  const std::uint64_t values = values_of(parameter);
  if (values == 1) return parameter.low;
  if (values == 0) {
    const double low = scaled(parameter, parameter.low), high = scaled(parameter, parameter.high),
                 x = low + share * (high - low);
    return shortened(parameter, parameter.log ? std::exp(x) : x);
  }
  if (!parameter.log || by_factor(parameter))
    return value_at(parameter, std::min(std::uint64_t(share * double(values)), values - 1));
  const double x =
      border(parameter, 0) + share * (border(parameter, values) - border(parameter, 0));
  const double step = std::floor((std::exp(x) - parameter.low) / step_of(parameter));
  const std::uint64_t i = std::min(std::uint64_t(std::max(step, 0.0)), values - 1);
  return value_at(parameter, i + 1 < values && x >= border(parameter, i + 1) ? i + 1 : i);
}

double share_of_value(const Parameter& parameter, double value) {
  const std::uint64_t values = values_of(parameter);
  if (values == 1) return 0.5;
  if (values == 0)
    return (scaled(parameter, value) - scaled(parameter, parameter.low)) /
           (scaled(parameter, parameter.high) - scaled(parameter, parameter.low));
  const std::uint64_t i = index_of(parameter, value);
  if (!parameter.log || by_factor(parameter)) return (double(i) + 0.5) / double(values);
  const double first = border(parameter, 0), last = border(parameter, values);
  return ((border(parameter, i) + border(parameter, i + 1)) / 2 - first) / (last - first);
}

std::string value_text(const Parameter& parameter, double value) {
  if (parameter.kind == Parameter::choice) return parameter.choices[std::size_t(value)];
  if (parameter.kind == Parameter::whole) return fmt::format("{:.0f}", value);
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

std::string point_text(const Space& space, const Point& point) {
  std::string text;
  for (std::size_t i = 0; i < point.size(); ++i)
    if (!std::isnan(point[i]))
      text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", space.parameters[i].name,
                          value_text(space.parameters[i], point[i]));
  return text;
}

}  // namespace sluice::tools
