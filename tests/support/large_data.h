// Data that the project does not ship: read from the folder that SLUICE_DATA names.
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace sluice::tests {

/// The file's path; empty, and said in print, where it is not there.
inline std::string large_data(const std::string& file) {
  const char* folder = std::getenv("SLUICE_DATA");
  std::string path = std::string(folder ? folder : ".") + "/" + file;
  if (folder && std::ifstream(path)) return path;
  MESSAGE("skipped, not in the folder that SLUICE_DATA names: ", file);
  return "";
}

}  // namespace sluice::tests
