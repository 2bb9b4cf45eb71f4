// A model as C source, for a device without a file system.
#pragma once
#include <string>

#include "../model/model_file.h"

namespace sluice::tools {

struct CSource {
  std::string header;  ///< model.h: sizes as macros, declarations, how to use them
  std::string source;  ///< model.c: the blob as a constant array at a multiple of 64
};

/// C99 and C++11 on any compiler that can align an array; the same text for the same model. Labels
/// only where the blob has them.
/// @param core  whose order the weights are in; empty: a host's
CSource write_c(const OwnedModel& model, const std::string& core);

}  // namespace sluice::tools
