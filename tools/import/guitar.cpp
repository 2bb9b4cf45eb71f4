// The JSON of Automated-GuitarAmpModelling: one recurrent layer or several of PyTorch, a Dense, and
// the sum with the input ("skip").
#include <cmath>

#include "../common/print.h"
#include "../model/graph.h"
#include "formats.h"
#include "weights.h"

namespace sluice::tools {
namespace {

using Kind = JsonNode::Kind;

struct Reader {
  const std::string& file;
  const JsonNode& data;   ///< "model_data"
  const JsonNode& state;  ///< "state_dict"
  std::size_t used = 0;   ///< the tensors that were read

  /// Returns a whole number of "model_data"; the fallback if it has no such entry.
  std::size_t setting(const char* name, std::size_t fallback, std::size_t most) const {
    const JsonNode* const said = data.find(name);
    if (!said) return fallback;
    if (!(said->is(Kind::number) || said->is(Kind::boolean)) || !(said->number >= 0) ||
        said->number > double(most) || said->number != std::floor(said->number))
      refuse("{}: model_data: {}: not a whole number of 0 to {}; write the file again", file, name,
             most);
    return std::size_t(said->number);
  }

  std::string word(const char* name) const {
    const JsonNode* const said = data.find(name);
    return said && said->is(Kind::text) ? said->text : "";
  }

  /// Returns a tensor of the state dict. Refuses a shape other than that one.
  Tensor tensor(const std::string& name, const std::vector<std::size_t>& shape) {
    const JsonNode* const found = state.find(name);
    if (!found) refuse("{}: state_dict: {}: is missing; write the file again", file, name);
    Tensor result = tensor_of(*found, name, file), wanted;
    wanted.shape = shape;
    if (result.shape != shape)
      refuse(
          "{}: state_dict: {}: has the shape {}, and \"model_data\" makes it {}; the file "
          "contradicts itself",
          file, name, result.shape_text(), wanted.shape_text());
    ++used;
    return result;
  }
};

sluice_layer_kind kind_of(const std::string& unit, const std::string& file) {
  if (unit == "LSTM") return SLUICE_LSTM;
  if (unit == "GRU") return SLUICE_GRU;
  if (unit == "RNN") return SLUICE_RNN;
  refuse("{}: model_data: unit_type: \"{}\" is not LSTM, GRU or RNN", file, brief(unit));
}

}  // namespace

bool is_guitar(const JsonNode& root) { return root.find("model_data") && root.find("state_dict"); }

Imported read_guitar(const JsonNode& root, const std::string& file) {
  Imported result;
  result.format = "JSON of a guitar amplifier";
  Network& network = result.network;
  Reader reader{file, *root.find("model_data"), *root.find("state_dict")};
  if (const std::string model = reader.word("model"); !model.empty() && model != "SimpleRNN")
    refuse("{}: model_data: model: \"{}\" is not read; SimpleRNN alone is", file, brief(model));
  const std::size_t inputs = reader.setting("input_size", 1, widest),
                    units = reader.setting("hidden_size", 0, widest),
                    outputs = reader.setting("output_size", 1, widest),
                    layers = reader.setting("num_layers", 1, 4096),
                    skip = reader.setting("skip", 0, widest);
  const bool bias = reader.setting("bias_fl", 1, 1) != 0;
  const std::string unit = reader.word("unit_type");
  const sluice_layer_kind kind = kind_of(unit, file);
  if (inputs == 0 || units == 0 || outputs == 0 || layers == 0)
    refuse("{}: model_data: gives {} inputs, {} units, {} outputs and {} layers; each is 1 or more",
           file, inputs, units, outputs, layers);
  const std::size_t rows = anatomy_of(std::uint32_t(kind)).gates * units;

  network.width = int(inputs);
  std::uint32_t last = 0;
  std::size_t width = inputs;
  for (std::size_t l = 0; l < layers; ++l) {
    const auto name = [&](const char* array) { return fmt::format("rec.{}_l{}", array, l); };
    const Tensor w = reader.tensor(name("weight_ih"), {rows, width}),
                 u = reader.tensor(name("weight_hh"), {rows, units});
    Tensor b, second;
    if (bias) b = reader.tensor(name("bias_ih"), {rows});
    if (bias) second = reader.tensor(name("bias_hh"), {rows});
    CellWeights cell;
    cell.input = matrix_of(w.values, rows, width), cell.state = matrix_of(u.values, rows, units);
    if (bias) cell.bias = column_of(b.values), cell.second_bias = column_of(second.values);
    Layer layer = recurrent_layer(kind, width, units, false, true);
    put_cell(layer, false, cell);
    last = append(network, std::move(layer), last);
    result.note(fmt::format("rec, layer {}", l), fmt::format("layer {}: {}", last, unit));
    width = units;
  }
  const Tensor w = reader.tensor("lin.weight", {outputs, units});
  Tensor b;
  if (reader.state.find("lin.bias")) b = reader.tensor("lin.bias", {outputs});
  last = append(network,
                dense_layer(matrix_of(w.values, outputs, units),
                            b.values.empty() ? View() : column_of(b.values)),
                last);
  result.note("lin", fmt::format("layer {}: Dense", last));
  if (reader.used != reader.state.members.size())
    refuse(
        "{}: state_dict: has {} tensors, and a model of {} {} layers uses {}; the others would "
        "be lost",
        file, reader.state.members.size(), layers, unit, reader.used);
  if (skip > inputs || (skip > 1 && skip != outputs))
    refuse("{}: model_data: skip: {} of {} inputs cannot be added to {} outputs", file, skip,
           inputs, outputs);
  if (skip > 0) {
    std::vector<std::int32_t> columns(outputs);
    for (std::size_t i = 0; i < outputs; ++i) columns[i] = std::int32_t(skip > 1 ? i : 0);
    add_frame_columns(network, columns);
    result.note("skip", fmt::format("layers {} and {}: the sum with the input",
                                    network.layers.size() - 1, network.layers.size()));
  }
  return result;
}

}  // namespace sluice::tools
