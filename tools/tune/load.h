// A study, read from its database.
#pragma once
#include <string>

#include "database.h"
#include "study.h"

namespace sluice::tools {

/// Reads a study, also one that may not be written. Refused (exit code 2) where it is none, or of
/// another schema.
Study read_study(const std::string& file);

/// @param curves  also what validation said epoch after epoch, and the final models
Study load_study(Database& db, bool curves);

}  // namespace sluice::tools
