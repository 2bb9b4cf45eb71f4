// The formats of models that sluice import reads: one function a format, each in a file of its own.
#pragma once
#include <string>

#include "imported.h"
#include "json_document.h"

namespace sluice::tools {

/// Returns the model in a JSON file of RTNeural (a list of Keras's layers), with AIDA-X's
/// additions: in_skip, in_gain, out_gain, and a test vector.
/// Formats: github.com/jatinchowdhury18/RTNeural, RTNeural/model_loader.h;
/// github.com/AidaDSP/aidadsp-lv2, rt-neural-generic.cpp.
Imported read_rtneural(const JsonNode& root, const std::string& file);

/// Returns the model in a JSON file of Automated-GuitarAmpModelling, as Proteus, NeuralPi and
/// GuitarML's tone library have them: "model_data", and a PyTorch state dict.
Imported read_guitar(const JsonNode& root, const std::string& file);

/// Returns the model in a .nam file of Neural Amp Modeler whose architecture is LSTM.
/// Format: github.com/sdatkinson/NeuralAmpModelerCore, NAM/lstm.cpp.
Imported read_nam(const JsonNode& root, const std::string& file);

/// Returns whether a JSON file is of that format.
bool is_rtneural(const JsonNode& root);
bool is_guitar(const JsonNode& root);
bool is_nam(const JsonNode& root);

}  // namespace sluice::tools
