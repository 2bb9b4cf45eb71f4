// Writes a float model as Keras saves one.
#pragma once
#include <string>

#include "../model/network.h"

namespace sluice::tools {

/// Returns the bytes of a .keras file for Keras 3.5 or newer, a Functional model that computes the
/// same except for the last bits: from x [sequences][steps][inputs], or ids [sequences][steps], to
/// every step's answer or the last one's. Refuses (exit code 2) a model with parts that Keras has
/// not, by name, and a build without HDF5 or libzip.
/// @param name  of the model, for messages
std::string write_keras(const Network& network, const std::string& name);

}  // namespace sluice::tools
