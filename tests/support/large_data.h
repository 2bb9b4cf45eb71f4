// Data that the project does not ship is read from the folder that SLUICE_DATA names.
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace sluice::tests {

/// Returns the file's path; if the file is missing, says so in print and returns an empty text.
inline std::string large_data(const std::string& file) {
  const char* folder = std::getenv("SLUICE_DATA");
  std::string path = std::string(folder ? folder : ".") + "/" + file;
  if (folder && std::ifstream(path)) return path;
  MESSAGE("skipped, not in the folder that SLUICE_DATA names: ", file);
  return "";
}

}  // namespace sluice::tests
