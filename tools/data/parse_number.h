// Reads numbers from text, in the same way in every locale.
#pragma once
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

namespace sluice::tools {

/// Returns the nearest float; nothing if the text is anything except one number. "nan" and "inf"
/// are numbers here. A number too large for a float becomes infinite, one too small becomes 0.
inline std::optional<float> parse_float(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size() || text.empty())
    return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    double wide = 0;
    const auto again = std::from_chars(text.data(), text.data() + text.size(), wide);
    const bool small = again.ec == std::errc{}
                           ? std::fabs(wide) < 1
                           : text.find("e-") != text.npos || text.find("E-") != text.npos;
    return small ? 0.0f : std::numeric_limits<float>::infinity();
  }
  return value;
}

/// Returns the nearest double, in the same way.
inline std::optional<double> parse_double(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

constexpr double whole_doubles = 9007199254740992.0;  ///< 2^53: every integer up to it is a double

/// Returns a whole decimal number; nothing if the text is anything else or the number does not fit.
inline std::optional<long long> parse_integer(std::string_view text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace sluice::tools
