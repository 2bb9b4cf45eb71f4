// Reads a model of another program, whatever its format.
#pragma once
#include <string>
#include <string_view>

#include "imported.h"
#include "op_graph.h"

namespace sluice::tools {

/// The formats that are read, for messages and help texts.
constexpr const char* foreign_formats =
    "Keras's .keras or .h5, ONNX, TFLite, PyTorch's .safetensors or .pt, or a JSON file of "
    "RTNeural, "
    "AIDA-X, "
    "GuitarML or NAM";

/// The words of the command line on how a file is read.
struct ImportChoices {
  std::string layers;       ///< a file that lists the layers, for files that hold weights alone
  GraphChoices graph = {};  ///< for graphs of operations
};

/// Returns the model in a file, whose format is found by its content. Refuses (exit code 2) a file
/// of no known format, a damaged one, and one that cannot be expressed, with all reasons.
Imported read_foreign(const std::string& path, const ImportChoices& choices);

/// Returns the model in the bytes of a file. `path` is for messages.
Imported read_foreign_bytes(std::string_view bytes, const std::string& path,
                            const ImportChoices& choices);

}  // namespace sluice::tools
