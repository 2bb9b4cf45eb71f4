// Selects the feature columns of a file and their order, in the same way for CSV and .npz.
#pragma once
#include <string>
#include <vector>

#include "data.h"

namespace sluice::tools {

/// Returns the positions in `names` of the features to read: all, or the expected ones in their
/// order. Refuses missing or unexpected columns by name; `place` begins the message ("data.csv:1").
std::vector<std::size_t> pick_features(const std::vector<std::string>& names,
                                       const std::vector<std::string>& expected,
                                       const std::string& place);

/// Returns whether a column without another use is a feature.
bool is_feature(const std::string& name, const Columns& columns);

constexpr std::size_t no_column = std::size_t(-1);

/// Refuses columns without a name, and names that occur twice.
void check_header(const std::vector<std::string>& header, const std::string& place);
std::size_t find_column(const std::vector<std::string>& header, const std::string& name);
/// Returns the position of a column; refuses a missing one. `key` is the key of [data] that names
/// it.
std::size_t need_column(const std::vector<std::string>& header, const std::string& name,
                        const char* key, const std::string& place);

/// Returns a cell as a finite number; refuses anything else.
float cell_number(const std::string& text, const std::string& file, std::size_t line,
                  const std::string& column);

/// Returns "a, b, c", cut off after ten names.
std::string list_names(const std::vector<std::string>& names);

}  // namespace sluice::tools
