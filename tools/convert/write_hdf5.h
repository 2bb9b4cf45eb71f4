// Arrays of floats as an HDF5 file.
#pragma once
#include <string>
#include <vector>

namespace sluice::tools {

struct Hdf5Array {
  std::string path;  ///< "layers/dense/vars/0"; the groups are made
  std::vector<std::size_t> shape;
  std::vector<float> values;  ///< in row-major order
};

/// Returns the bytes of an HDF5 file of the earliest format version, which every program reads.
/// Refuses (exit code 2) in a build without the HDF5 library.
/// @param name  of the model, for messages
std::string write_hdf5(const std::vector<Hdf5Array>& arrays, const std::string& name);

}  // namespace sluice::tools
