// Which columns of a file are features, and in which order: one answer for CSV and .npz.
#pragma once
#include <string>
#include <vector>

#include "data.h"

namespace sluice::tools {

/// Positions in `names` of the features to read: all of them, or the expected ones in their order. Refused with the columns
/// that are missing or too many; `place` begins the message ("data.csv:1").
std::vector<std::size_t> pick_features(const std::vector<std::string>& names, const std::vector<std::string>& expected,
                                       const std::string& place);

/// "a, b, c", cut off after ten.
std::string list_names(const std::vector<std::string>& names);

}  // namespace sluice::tools
