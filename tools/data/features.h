// Selects the feature columns of a file and their order, in the same way for all formats.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "data.h"

namespace sluice::tools {

/// Returns the positions in `names` of the features to read: all, or the expected ones in their
/// order. Refuses missing columns and, unless `expected.other_columns`, unexpected ones by name;
/// `place` begins the message ("data.csv:1").
std::vector<std::size_t> pick_features(const std::vector<std::string>& names,
                                       const Expected& expected, const std::string& place);

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

/// Returns "a, b, c", cut off after ten names; long names are cut too.
std::string list_names(const std::vector<std::string>& names);

/// A name that ends in the number of a step: "ax_12" is step 12 of "ax".
struct NumberedName {
  std::string name;
  std::size_t number;
};
/// Returns the parts of such a name; nothing if it does not end in a number.
std::optional<NumberedName> numbered_name(const std::string& name);

/// Returns "t0 to t149" if so many columns, one after another, have the names of steps; else an
/// empty text.
std::string numbered_columns(const std::vector<std::string>& header, std::size_t many = 8);

}  // namespace sluice::tools
