// Writes a float model as ONNX, for other programs.
#pragma once
#include <string>

#include "../model/network.h"

namespace sluice::tools {

/// Returns the bytes of an ONNX file, opset 17, that computes the same except for the last bits:
/// from x [1][steps][inputs], or ids [1][steps], to y [1][steps][outputs], or [1][outputs] if the
/// model answers after the last step. Refuses (exit code 2) a model with parts that ONNX has not,
/// by name, and a build without ONNX.
/// @param name  of the model, for messages
std::string write_onnx(const Network& network, const std::string& name);

}  // namespace sluice::tools
