// Writes a model as C source, for devices without a file system.
#pragma once
#include <string>

#include "../model/model_file.h"

namespace sluice::tools {

struct CSource {
  std::string header;  ///< model.h: sizes as macros, declarations, instructions
  std::string source;  ///< model.c: the blob as a constant array at a multiple of 64
};

/// Writes C99 and C++11 for any compiler that can align an array; the same model gives the same
/// text. Includes labels if the blob has them.
/// @param named  the model with its names and its record of training, which the header tells;
///               `model` may have lost them
/// @param core   for whose order the weights are stored; empty: a host
CSource write_c(const OwnedModel& model, const OwnedModel& named, const std::string& core);

}  // namespace sluice::tools
