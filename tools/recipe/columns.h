// The columns of the data and their use, as a recipe gives them.
#pragma once
#include <string>

#include "../data/data.h"
#include "recipe.h"

namespace sluice::tools {

/// Returns "0:8640" as a range of rows; an empty text is an empty range. Refuses any other text;
/// `place` begins the message.
RowRange parse_range(const std::string& place, const std::string& text);

/// Returns the use of each column and how rows become sequences. Refuses (exit code 2) an invalid
/// range of rows.
Columns columns_of(const Recipe& recipe);

}  // namespace sluice::tools
