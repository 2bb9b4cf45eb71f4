// Reads a study from its database.
#pragma once
#include <string>

#include "database.h"
#include "study.h"

namespace sluice::tools {

/// Reads a study, even from a file that is not writable. Refuses (exit code 2) a file that is not a
/// study or has another schema.
Study read_study(const std::string& file);

/// @param curves  whether to read the validation curves and the final models too
Study load_study(Database& db, bool curves);

}  // namespace sluice::tools
