// The seeds of the option --seeds.
#pragma once
#include <string>
#include <vector>

namespace sluice::tools {

/// Returns the seeds of a range such as "1..5" or a list such as "1,3,7". Refuses (exit code 2) any
/// other text.
std::vector<std::string> seeds_of(const std::string& text);

}  // namespace sluice::tools
