// How data is read, as a recipe says it.
#pragma once
#include <string>

#include "../data/data.h"
#include "recipe.h"

namespace sluice::tools {

/// "0:8640" as rows; an empty text is none, anything else is refused; `place` begins the message.
RowRange parse_range(const std::string& place, const std::string& text);

/// Which column is what, and how rows become sequences. Refused (exit code 2) if a range of rows is
/// none.
Columns columns_of(const Recipe& recipe);

}  // namespace sluice::tools
