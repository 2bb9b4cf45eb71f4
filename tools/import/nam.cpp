// Neural Amp Modeler's .nam files: one flat list of weights. Each LSTM layer has one matrix over
// [x; h], one bias, then its initial h and c; a Dense ends the list.
#include <algorithm>
#include <cmath>

#include "../common/print.h"
#include "formats.h"
#include "weights.h"

namespace sluice::tools {
namespace {

using Kind = JsonNode::Kind;

std::size_t setting(const JsonNode& config, const char* name, std::size_t fallback,
                    const std::string& file) {
  const JsonNode* const said = config.find(name);
  if (!said) return fallback;
  if (!said->is(Kind::number) || !(said->number >= 1) || said->number > double(widest) ||
      said->number != std::floor(said->number))
    refuse("{}: config: {}: not a whole number of 1 to {}; write the file again", file, name,
           widest);
  return std::size_t(said->number);
}

}  // namespace

bool is_nam(const JsonNode& root) {
  return root.find("architecture") && root.find("config") && root.find("weights");
}

Imported read_nam(const JsonNode& root, const std::string& file) {
  const JsonNode& architecture = *root.find("architecture");
  if (architecture.text != "LSTM")
    refuse("{}: architecture: \"{}\" is not read; LSTM alone is", file, brief(architecture.text));
  const JsonNode& config = *root.find("config");
  const std::size_t inputs = setting(config, "input_size", 1, file),
                    units = setting(config, "hidden_size", 0, file),
                    layers = setting(config, "num_layers", 1, file),
                    outputs = setting(config, "out_channels", 1, file);
  if (units == 0) refuse("{}: config: hidden_size: is missing; write the file again", file);
  const Tensor weights = tensor_of(*root.find("weights"), "weights", file);

  std::size_t wanted = outputs * (units + 1);
  for (std::size_t l = 0; l < layers; ++l)
    wanted += 4 * units * ((l ? units : inputs) + units + 1) + 2 * units;
  if (weights.shape.size() != 1 || weights.shape[0] != wanted)
    refuse(
        "{}: weights: {} numbers, and {} layers of {} units with {} outputs have {}; the file "
        "contradicts itself",
        file, weights.values.size(), layers, units, outputs, wanted);

  Imported result;
  result.format = "NAM";
  Network& network = result.network;
  network.width = int(inputs);
  std::size_t at = 0, width = inputs;
  std::uint32_t last = 0;
  const auto take = [&](std::size_t rows, std::size_t cols) {
    const View view{weights.values.data() + at, rows, cols, std::ptrdiff_t(cols), 1};
    at += rows * cols;
    return view;
  };
  for (std::size_t l = 0; l < layers; ++l) {
    const View both = take(4 * units, width + units);
    CellWeights cell;
    cell.input = both.columns(0, width), cell.state = both.columns(width, units);
    cell.bias = take(4 * units, 1);
    cell.h = take(units, 1), cell.c = take(units, 1);
    Layer layer = recurrent_layer(SLUICE_LSTM, width, units, false, true);
    put_cell(layer, false, cell);
    last = append(network, std::move(layer), last);
    result.note(fmt::format("LSTM layer {}", l + 1), fmt::format("layer {}", last));
    width = units;
  }
  const View head = take(outputs, units), bias = take(outputs, 1);
  last = append(network, dense_layer(head, bias), last);
  result.note("head", fmt::format("layer {}: Dense", last));
  return result;
}

}  // namespace sluice::tools
