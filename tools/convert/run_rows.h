// Runs a model over rows of a data set whose frames are numbers or ids.
#pragma once
#include "../data/data.h"
#include "../model/model_file.h"

namespace sluice::tools {

/// Writes a stream's answers to rows of a data set, and returns how many there are.
inline std::size_t run_rows(OwnedStream& stream, const DataSet& data, std::size_t row,
                            std::size_t steps, float* y) {
  if (data.is_text()) return stream.run(data.ids.data() + row, y, steps);
  return stream.run(data.x.data() + row * data.features(), y, steps);
}

}  // namespace sluice::tools
