// The mean of a figure over runs of one recipe with different seeds.
#pragma once
#include <string>
#include <vector>

namespace sluice::tools {

struct Mean {
  double mean = 0, error = 0;  ///< standard error of the mean; NaN for one run
};

Mean mean_of(const std::vector<double>& values);

/// Returns "97.12 ± 0.09 %" for a share, else "0.2001 ± 0.006".
std::string mean_text(const Mean& m, bool share);

}  // namespace sluice::tools
