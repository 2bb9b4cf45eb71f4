// A float matrix in integers: int8 weights and int32 biases, then the multipliers that scale its
// sums to a unit. No input can make an accumulator overflow.
#pragma once
#include <cstdint>
#include <vector>

#include "calibrate.h"

namespace sluice::tools {

/// A float matrix [rows][cols] and its bias. The columns are scaled to the integers of the inputs.
struct Affine {
  std::size_t rows, cols;
  std::vector<double> w, bias;
};

/// The inputs of a product as integers; empty moments: unknown.
struct Entering {
  double largest;  ///< magnitude
  Moments moments;
};

/// The same matrix in integers, in plain order.
struct Fixed {
  std::size_t cols = 0;
  std::vector<std::int32_t> w, bias;  ///< with multipliers, the multipliers follow in `bias`
  std::vector<double> unit;           ///< [rows] unit of the weights
  double worst = 0;                   ///< the largest magnitude that an accumulator can reach
  int shift = 0;
  int coarsened = 0;  ///< number of rows
  std::size_t rows() const { return unit.size(); }
};

/// Rounds weights and biases. Each row gets the finest unit in which no weight and no accumulator
/// is too large. Weights are rounded to nearest or, with moments, so that the error of the row is
/// least.
Fixed round_matrix(const Affine& real, const Entering& entering);

/// Returns the rows of two matrices whose sums share one shift.
Fixed joined(Fixed first, const Fixed& second);

/// Returns the largest ratio of a row's unit to the unit of its scaled sum that a multiplier
/// expresses.
double largest_scale(const Fixed& fixed);

/// Adds multipliers, and the least shift that leaves room for them. Returns false if a row's scale
/// leaves no room.
/// @param target  the unit that R scales accumulators to
bool add_multipliers(Fixed& fixed, double target);
/// Does the same with a unit for each row.
bool add_multipliers(Fixed& fixed, const std::vector<double>& target);

/// Returns the nearest whole number; halves are rounded up.
double rounded(double v);

}  // namespace sluice::tools
