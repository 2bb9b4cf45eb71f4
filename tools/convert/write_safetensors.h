// Writes a float model's weights as PyTorch names them.
#pragma once
#include <string>

#include "../model/network.h"

namespace sluice::tools {

struct Safetensors {
  std::string tensors;  ///< a .safetensors file (github.com/huggingface/safetensors)
  std::string layers;   ///< the list of layers, for sluice import --layers
};

/// Returns the weights under PyTorch's names: those of layer 2 begin with "layer2.". Refuses (exit
/// code 2) layers that a list of layers cannot say.
/// @param name  of the model, for messages
Safetensors write_safetensors(const Network& network, const std::string& name);

}  // namespace sluice::tools
