// Floats as text: equal bits give equal text, and NaN has one form.
#pragma once
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

namespace sluice::tools {

/// Returns the bits of a float as 8 hexadecimal digits; 7fc00000 for every NaN, since IEEE 754
/// leaves its sign and payload open.
inline std::string hex_bits(float x) {
  return fmt::format("{:08x}", std::isnan(x) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(x));
}

/// Returns the shortest decimal that reads back as the same float; "nan" without a sign.
inline std::string decimal(float x) { return std::isnan(x) ? "nan" : fmt::format("{}", x); }

}  // namespace sluice::tools
