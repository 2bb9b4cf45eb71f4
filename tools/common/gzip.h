// Files that gzip has compressed.
#pragma once
#include <string>
#include <string_view>

namespace sluice::tools {

/// Returns whether these are the bytes of a gzip file.
bool is_gzip(std::string_view bytes);

/// Returns the inflated bytes, of all members of the file. Refuses (exit code 2) a damaged file,
/// and one that would inflate to more than data do, before any memory is taken for it.
/// @param path  for messages
std::string inflated(std::string_view bytes, const std::string& path);

}  // namespace sluice::tools
