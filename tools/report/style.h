// How the page looks: its style sheet, and the classes that charts draw with. Colors come from
// variables, so that dark mode and print change them in one place.
#pragma once
#include <string>

namespace sluice::tools {

/// classes s1 to s8: told apart by lightness and dash too, not by hue alone
constexpr int series_colors = 8;

/// Steps of the color scales: classes q0 to q8 from nothing to most; d0 to d16 from most below zero
/// to most above it.
constexpr int amount_levels = 9, signed_levels = 17;

/// The level of a share in [0, 1].
int amount_level(double share);

/// The class of a share in [0, 1] of the most, or of a number in [-1, 1].
std::string amount_class(double share);
std::string signed_class(double value);

/// Whether text on that level wants the paper's color.
bool is_strong(double share);

std::string style_sheet();

}  // namespace sluice::tools
