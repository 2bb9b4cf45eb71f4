// The tensors of a PyTorch model and the layers that they make.
#pragma once
#include <string>
#include <vector>

#include "imported.h"

namespace sluice::tools {

/// Settings of layers that the list of layers does not say.
struct TensorDefaults {
  double epsilon = 1e-5;  ///< of normalizations
};

/// Returns a model of the layers in the file `layers` (TOML) with the weights of `tensors`.
/// `layers` holds a recipe's list model.layers, in which a layer may also say the beginning of its
/// tensors' names by `prefix`. A layer without a prefix gets the tensors that fit, if there is one
/// way alone in which all layers get theirs. Refuses (exit code 2) tensors that no layer uses.
/// @param file  holds the tensors, for messages
Imported model_of_tensors(const std::vector<Tensor>& tensors, const std::string& layers,
                          const std::string& file, const TensorDefaults& defaults = {});

/// Refuses tensors for which no file of layers was given, with an example of such a file.
[[noreturn]] void ask_for_layers(const std::vector<Tensor>& tensors, const std::string& file);

/// Reads a .safetensors file (github.com/huggingface/safetensors): float16, bfloat16, float32,
/// float64 and whole numbers.
std::vector<Tensor> read_safetensors(std::string_view bytes, const std::string& file);

/// Returns the numbered arrays of a JSON object of tensors by their names.
std::vector<Tensor> read_json_tensors(const struct JsonNode& root, const std::string& file);

}  // namespace sluice::tools
