// The style sheet of the pages, and the CSS classes of charts. Colors are variables, so that dark
// mode and print change them in one place.
#pragma once
#include <string>

namespace sluice::tools {

/// Classes s1 to s8, which differ in lightness and dashes too, not only in hue.
constexpr int series_colors = 8;

/// Levels of the color scales: classes q0 to q8 from zero to the most; d0 to d16 from most below
/// zero to most above it.
constexpr int amount_levels = 9, signed_levels = 17;

/// Returns the level of a share in [0, 1].
int amount_level(double share);

/// Return the class of a share in [0, 1] of the most, or of a number in [-1, 1].
std::string amount_class(double share);
std::string signed_class(double value);

/// Returns whether text on that level needs the color of the paper.
bool is_strong(double share);

std::string style_sheet();

}  // namespace sluice::tools
