// The layers of a Keras model and their wiring, as its configuration of any version says.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "json_document.h"

namespace sluice::tools {

/// An output of a layer's call: keras's (name, node, tensor).
struct KerasTensor {
  std::string layer;
  std::size_t call = 0, output = 0;
  auto operator<=>(const KerasTensor&) const = default;
};

/// A call of a layer: layers that are shared have several.
struct KerasCall {
  std::vector<KerasTensor> sources;
  /// Arguments beside the first that lead to other tensors: "initial_state".
  std::vector<std::string> others;
  /// The index of a slice, x[index], as the file has it; null for other calls.
  const JsonNode* index = nullptr;
};

struct KerasLayer {
  std::string name, type;
  const JsonNode* config = nullptr;  ///< an object
  std::vector<KerasCall> calls;
  std::size_t same_before = 0;  ///< layers of this type before it in its model
};

/// A Sequential or Functional model. In a Sequential each layer reads the one before it.
struct KerasModel {
  std::string name;
  std::vector<KerasLayer> layers;
  std::vector<KerasTensor> inputs, outputs;
  const JsonNode* input_shape = nullptr;  ///< of a Sequential without an input layer; may be null
};

/// Returns whether a layer's type is a model.
bool is_keras_model(const std::string& type);

/// Returns a model's layers. Refuses (exit code 2) a configuration that is none.
/// @param type    of the model: "Sequential", "Functional", "Model"
/// @param config  must outlive the result; null if there is none
/// @param place   the beginning of a message
KerasModel keras_model(const std::string& type, const JsonNode* config, const std::string& place);

/// Returns the layer that a node of a configuration describes, as wrappers have one.
KerasLayer keras_layer(const JsonNode& node, const std::string& place);

/// Return an entry of a layer's configuration, or the fallback if there is none. Refuse one of
/// another type.
/// @param name  of the entry; a second one is its name in Keras 1
struct KerasEntries {
  const JsonNode& config;
  std::string place;  ///< the beginning of a message
  const JsonNode* find(std::initializer_list<const char*> names) const;
  bool truth(std::initializer_list<const char*> names, bool fallback) const;
  double number(std::initializer_list<const char*> names, double fallback) const;
  /// A whole number of 0 to `widest`.
  std::size_t size(std::initializer_list<const char*> names, std::size_t fallback) const;
  /// A text, or the name of the function or class that an object describes.
  std::string word(std::initializer_list<const char*> names, const char* fallback) const;
};

/// Returns the name that an activation has in a configuration; empty if it is none.
std::string keras_word(const JsonNode& node);

}  // namespace sluice::tools
