// The formats of models that sluice import reads: one function a format, each in a file of its own.
#pragma once
#include <string>
#include <string_view>

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

/// Returns the model in an HDF5 file of Keras 1 to 3; of one with weights alone, the model of the
/// layers that the file `layers` lists.
Imported read_keras_hdf5(std::string_view bytes, const std::string& layers,
                         const std::string& path);

/// Returns the model in a .keras file of Keras 3.
/// @param size  of the file
Imported read_keras_zip(const class ZipFile& zip, std::size_t size, const std::string& path);
bool is_keras_zip(const class ZipFile& zip);

/// Returns whether a JSON file is of that format.
bool is_rtneural(const JsonNode& root);
bool is_guitar(const JsonNode& root);
bool is_nam(const JsonNode& root);

}  // namespace sluice::tools
