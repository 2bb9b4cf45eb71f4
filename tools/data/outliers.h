// Finds values that make a feature's standard deviation: marks of missing values such as -9999,
// saturated values, and outliers.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "data.h"

namespace sluice::tools {

/// Values at the ends of a feature's range without which its standard deviation is at most half as
/// large.
struct Outliers {
  struct Value {
    float value = 0;
    std::size_t count = 0;
  };
  std::vector<Value> values = {};  ///< distinct, ascending; empty: there are none
  std::size_t numbers = 0;         ///< all numbers of the feature
  double with = 0, without = 0;    ///< population standard deviation with and without the values
};

/// Finds such values among the numbers of a feature; NaN is passed over. They are either up to
/// three values at an end that are each repeated, such as -9999 or a saturated 1023, or up to 5 %
/// of the numbers, far from all others. Features of few distinct values have none, since their
/// numbers may be categories.
Outliers find_outliers(std::vector<float> numbers);

/// Returns one line for each feature, and for each target that is a value, that has such values in
/// the rows of these sequences: the values, their effect and the remedy. Numbers in the place of
/// missing ones do not count. After ten lines, one says how many more features there are.
std::vector<std::string> outlier_lines(const DataSet& data, std::span<const std::size_t> sequences);

/// Tells these lines as warnings.
void tell_outliers(const DataSet& data, std::span<const std::size_t> sequences);

}  // namespace sluice::tools
