// One float matrix in integers: int8 weights and int32 biases, then the multipliers that bring its
// sums to a unit. No accumulator can overflow, whatever enters.
#pragma once
#include <cstdint>
#include <vector>

#include "calibrate.h"

namespace sluice::tools {

/// A float matrix [rows][cols] whose columns are scaled to the numbers that enter, and its bias.
struct Affine {
  std::size_t rows, cols;
  std::vector<double> w, bias;
};

/// What enters a product, in its numbers; empty moments: unknown.
struct Entering {
  double largest;  ///< magnitude
  Moments moments;
};

/// The same in integers, plain order.
struct Fixed {
  std::size_t cols = 0;
  std::vector<std::int32_t> w, bias;  ///< bias: with multipliers these follow
  std::vector<double> unit;           ///< [rows] of its weights
  double worst = 0;                   ///< the largest magnitude that an accumulator can reach
  int shift = 0;
  int coarsened = 0;  ///< rows
  std::size_t rows() const { return unit.size(); }
};

/// Weights and biases, each row in the finest unit in which neither a weight nor the accumulator is
/// too large; rounded to nearest, or where moments are known so that the row errs least.
Fixed round_matrix(const Affine& real, const Entering& entering);

/// The rows of two matrices whose sums have one shift.
Fixed joined(Fixed first, const Fixed& second);

/// Multipliers, and the least shift that leaves room for them. False where a row's scale leaves
/// none.
/// @param target  the unit that R brings accumulators to
bool add_multipliers(Fixed& fixed, double target);
/// The same with a unit for each row.
bool add_multipliers(Fixed& fixed, const std::vector<double>& target);

/// The nearest whole number, halves up.
double rounded(double v);

}  // namespace sluice::tools
