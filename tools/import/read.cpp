#include "read.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "../common/print.h"
#include "../common/safe_file.h"
#include "../model/graph.h"
#include "formats.h"
#include "hdf5.h"
#include "op_graph.h"
#include "state_dict.h"
#include "torch_file.h"
#include "zip_file.h"

namespace sluice::tools {
namespace {

/// Returns the model of tensors that a file names, or refuses them if their layers are not known.
Imported of_tensors(const std::vector<Tensor>& tensors, const std::string& layers,
                    const std::string& path, const char* format) {
  if (layers.empty()) ask_for_layers(tensors, path);
  Imported result = model_of_tensors(tensors, layers, path);
  result.format = format;
  return result;
}

Imported read_json(std::string_view bytes, const std::string& layers, const std::string& path) {
  const JsonNode root = parse_json_document(bytes, path);
  if (is_rtneural(root)) return read_rtneural(root, path);
  if (is_guitar(root)) return read_guitar(root, path);
  if (is_nam(root)) return read_nam(root, path);
  return of_tensors(read_json_tensors(root, path), layers, path, "JSON of PyTorch tensors");
}

Imported read_torch(std::string_view bytes, const std::string& layers, const std::string& path) {
  const TorchFile file = read_torch_file(bytes, path);
  TensorReader reader(bytes.size(), path);
  if (file.is_script() && layers.empty()) return model_of_script(file, reader);
  return of_tensors(torch_tensors(file, reader), layers, path, "PyTorch");
}

/// Returns whether bytes begin as a .safetensors file: the length of a JSON object, and that.
bool is_safetensors(std::string_view bytes) {
  return bytes.size() > 9 && bytes[8] == '{' && bytes[6] == 0 && bytes[7] == 0;
}

bool is_json(std::string_view bytes) {
  const std::size_t first = bytes.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return first != bytes.npos && bytes[first] == '{';
}

/// Takes the names of a TFLite file's outputs, which are in a text file of a zip archive behind the
/// model, a line for each.
void take_labels(Imported& imported, std::string_view bytes, const std::string& path) {
  constexpr std::size_t longest = 64, end_of_zip = 22, longest_comment = 65535;
  const std::size_t looked_at = std::min(bytes.size(), end_of_zip + longest_comment);
  if (bytes.substr(bytes.size() - looked_at).rfind("PK\x05\x06") == bytes.npos) return;
  try {
    const ZipFile zip(bytes, path);
    for (const std::string& name : zip.names()) {
      if (!name.ends_with(".txt")) continue;
      const std::string text = zip.read(name).value_or("");
      std::vector<std::string> labels;
      for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::string line = text.substr(begin, end - begin);
        if (line.ends_with('\r')) line.pop_back();
        if (!line.empty()) labels.push_back(std::move(line));
        begin = end + 1;
      }
      if (labels.size() != std::size_t(imported.network.layers.back().out)) continue;
      const std::set<std::string> different(labels.begin(), labels.end());
      const bool good = different.size() == labels.size() &&
                        std::all_of(labels.begin(), labels.end(), [&](const std::string& label) {
                          return label.size() <= longest && printable(label) == label;
                        });
      if (!good) continue;
      imported.network.labels = std::move(labels);
      imported.note(name, "names of the outputs");
      return;
    }
  } catch (const Error& error) {
    imported.remarks.push_back(
        fmt::format("names of outputs in the file are not read: {}", error.what()));
  }
}

/// Returns whether bytes are those of TensorFlow's saved_model.pb: its version, and a graph.
bool is_saved_model(std::string_view bytes) {
  return bytes.size() > 16 && bytes.substr(0, 3) == "\x08\x01\x12";
}

Imported read_format(std::string_view bytes, const std::string& path,
                     const ImportChoices& choices) {
  if (bytes.empty()) refuse("{}: is empty; give {}", path, foreign_formats);
  if (is_safetensors(bytes))
    return of_tensors(read_safetensors(bytes, path), choices.layers, path, "safetensors");
  if (is_graphdef(bytes)) {
    OpGraph graph = read_graphdef(bytes, path);
    unfold_inputs(graph);
    return model_of_graph(graph, path, choices.graph);
  }
  if (is_json(bytes)) return read_json(bytes, choices.layers, path);
  if (is_tflite(bytes)) {
    OpGraph graph = read_tflite(bytes, path);
    unfold_inputs(graph);
    Imported imported = model_of_graph(graph, path, choices.graph);
    take_labels(imported, bytes, path);
    return imported;
  }
  if (is_saved_model(bytes))
    refuse(
        "{}: a SavedModel, whose weights are in other files; give the model as .keras, .h5 or "
        ".tflite, or a frozen graph",
        path);
  if (is_onnx(bytes)) return model_of_graph(read_onnx(bytes, path), path, choices.graph);
  if (is_hdf5(bytes)) return read_keras_hdf5(bytes, choices.layers, path);
  if (is_zip(bytes)) {
    const ZipFile zip(bytes, path);
    if (is_keras_zip(zip)) return read_keras_zip(zip, bytes.size(), path);
  }
  if (is_torch_file(bytes)) return read_torch(bytes, choices.layers, path);
  refuse("{}: not a model that is read; give {}", path, foreign_formats);
}

/// Refuses weights that are not finite, and those that became so when they were computed.
void check_weights(const Imported& imported, const std::string& path) {
  const std::vector<Layer>& layers = imported.network.layers;
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (const Array& array : layers[l].arrays)
      for (const float value : array.values)
        if (!std::isfinite(value))
          refuse(
              "{}: layer {} ({}): {}: a weight is {}, not a finite float; the training that wrote "
              "it failed, or the file is damaged",
              path, l + 1, layers[l].anatomy().name, array.name, value);
}

}  // namespace

Imported read_foreign_bytes(std::string_view bytes, const std::string& path,
                            const ImportChoices& choices) {
  Imported imported = read_format(bytes, path, choices);
  if (const std::size_t layer = reads_other_steps(imported.network))
    refuse(
        "{}: layer {} ({}) reads every step beside steps of which a stride leaves some out; such "
        "branches cannot be expressed",
        path, layer, imported.network.layers[layer - 1].anatomy().name);
  if (const Clock steps = answered_steps(imported.network); !steps.fits())
    refuse("{}: strides and first outputs of {} steps in all; at most {} are possible", path,
           std::max(steps.first, steps.stride), Clock::most);
  check_weights(imported, path);
  return imported;
}

Imported read_foreign(const std::string& path, const ImportChoices& choices) {
  return read_foreign_bytes(read_file(path), path, choices);
}

}  // namespace sluice::tools
