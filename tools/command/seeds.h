// What --seeds says.
#pragma once
#include <string>
#include <vector>

namespace sluice::tools {

/// "1..5" or "1,3,7": each of them. Refused (exit code 2) where it says neither.
std::vector<std::string> seeds_of(const std::string& text);

}  // namespace sluice::tools
