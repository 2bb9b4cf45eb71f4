// Which columns of a file are features, and in which order: one answer for CSV and .npz.
#pragma once
#include <string>
#include <vector>

#include "data.h"

namespace sluice::tools {

/// Positions in `names` of the features to read: all of them, or the expected ones in their order.
/// Refused with the columns that are missing or too many; `place` begins the message
/// ("data.csv:1").
std::vector<std::size_t> pick_features(const std::vector<std::string>& names,
                                       const std::vector<std::string>& expected,
                                       const std::string& place);

/// Whether a column without another use is a feature.
bool is_feature(const std::string& name, const Columns& columns);

constexpr std::size_t no_column = std::size_t(-1);

/// Refuses columns without a name, and names that occur twice.
void check_header(const std::vector<std::string>& header, const std::string& place);
std::size_t find_column(const std::vector<std::string>& header, const std::string& name);
/// The same, refused where there is none; `key` is the one of [data] that names it.
std::size_t need_column(const std::vector<std::string>& header, const std::string& name,
                        const char* key, const std::string& place);

/// A cell as a finite number; anything else is refused.
float cell_number(const std::string& text, const std::string& file, std::size_t line,
                  const std::string& column);

/// "a, b, c", cut off after ten.
std::string list_names(const std::vector<std::string>& names);

}  // namespace sluice::tools
