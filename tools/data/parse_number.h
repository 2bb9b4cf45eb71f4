// Numbers as text, the same in every locale.
#pragma once
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

namespace sluice::tools {

/// The nearest float; empty where the text is anything but one number. "nan" and "inf" are numbers
/// here, and one too large for a float is infinite; one too small is 0.
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

/// A whole decimal number; empty where the text is anything else or it does not fit.
inline std::optional<long long> parse_integer(std::string_view text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace sluice::tools
