#include "write_safetensors.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "../common/error.h"
#include "../common/json.h"
#include "../model/graph.h"
#include "../recipe/words.h"

namespace sluice::tools {
namespace {

class Writer {
 public:
  Writer(const Network& network, const std::string& name) : network_(network), name_(name) {}

  Safetensors write() {
    for (std::size_t l = 0; l < network_.layers.size(); ++l) layer(l);
    std::string header = json_text(header_);
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = header.size();
    std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
    return {bytes + header + numbers_, "layers = [\n" + list_ + "]\n"};
  }

 private:
  static std::string own_name(std::size_t layer) { return fmt::format("layer{}", layer); }

  void tensor(std::size_t index, const std::string& name, const std::vector<float>& values,
              const std::vector<int>& shape) {
    OrderedJson entry;
    entry["dtype"] = "F32";
    entry["shape"] = shape;
    entry["data_offsets"] = {numbers_.size(), numbers_.size() + values.size() * sizeof(float)};
    header_[own_name(index + 1) + "." + name] = entry;
    numbers_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }

  [[noreturn]] void stop(std::size_t index, const char* why) const {
    refuse("{}: layer {} ({}): {}; export it as onnx", name_, index + 1,
           network_.layers[index].anatomy().name, why);
  }

  /// Adds a line to the list: the layer, its options, and its source if that is not the one before.
  void line(std::size_t index, std::string text) {
    const std::vector<std::uint32_t> sources = sources_of(network_, index);
    if (!network_.layers[index].anatomy().joins && sources[0] != index)
      text += fmt::format(", from = \"{}\"", source_name(sources[0]));
    if (!readers_of(network_, std::uint32_t(index) + 1).empty())
      text += fmt::format(", name = \"{}\"", own_name(index + 1));
    if (!network_.layers[index].anatomy().joins)
      text += fmt::format(", prefix = \"{}\"", own_name(index + 1));
    list_ += fmt::format("  {{ {} }},\n", text);
  }
  static std::string source_name(std::uint32_t source) {
    return source ? own_name(source) : "frame";
  }

  std::string curve(const Layer& layer, const char* key, sluice_activation activation) const {
    std::string text = fmt::format(", {} = \"{}\"", key, word(activation));
    if (activation == SLUICE_HARD_SIGMOID || activation == SLUICE_HARD_SILU)
      text += fmt::format(", slope = {}", layer.parameter);
    if (activation == SLUICE_ELU || activation == SLUICE_LEAKY_RELU)
      text += fmt::format(", alpha = {}", layer.second);
    if (activation == SLUICE_CLIP)
      text += fmt::format(", low = {}, high = {}", layer.parameter, layer.second);
    return text;
  }

  void recurrent(std::size_t index);
  void layer(std::size_t index);

  const Network& network_;
  const std::string& name_;
  OrderedJson header_ = OrderedJson::object();
  std::string numbers_, list_;
};

void Writer::recurrent(std::size_t index) {
  const Layer layer = multiplied_out(network_.layers[index]);
  // A cell whose gates have no weights of their own over the state is none of PyTorch's.
  if (!layer.find(Role::state_bias) && !layer.find(Role::candidate_weight))
    stop(index, "PyTorch has no such cell");
  if (layer.peepholes) stop(index, "PyTorch has no peepholes");
  const int units = layer.both ? layer.out / 2 : layer.out, cells = layer.gate_rows(),
            rows = layer.anatomy().gates * cells;
  for (int d = 0; d < (layer.both ? 2 : 1); ++d) {
    const bool back = d == 1;
    const std::string end = back ? "_l0_reverse" : "_l0";
    std::vector<float> state = layer.array(Role::state_weight, back).values;
    if (const Array* const candidate = layer.find(Role::candidate_weight, back))
      state.insert(state.end(), candidate->values.begin(), candidate->values.end());
    const Array* const second = layer.find(Role::state_bias, back);
    tensor(index, "weight_ih" + end, layer.array(Role::input_weight, back).values,
           {rows, layer.in});
    tensor(index, "weight_hh" + end, state, {rows, units});
    tensor(index, "bias_ih" + end, layer.array(Role::input_bias, back).values, {rows});
    if (second) tensor(index, "bias_hh" + end, second->values, {rows});
    // PyTorch has no such names: there, the initial state is an argument of a call.
    for (const Role role : {Role::initial_h, Role::initial_c})
      if (const Array* const array = layer.find(role, back))
        tensor(index, (role == Role::initial_h ? "initial_h" : "initial_c") + end, array->values,
               {array->rows});
    if (const Array* const projection = layer.find(Role::projection, back))
      tensor(index, "weight_hr" + end, projection->values, {units, cells});
  }
  const bool before = layer.kind == SLUICE_GRU_BEFORE;
  std::string text = fmt::format("{} = {}", before ? "gru" : layer.anatomy().name, cells);
  if (layer.cells > 0) text += fmt::format(", projection = {}", units);
  if (before) text += ", reset = \"before\"";
  if (layer.both) text += ", directions = \"both\"";
  if (!layer.every_step) text += fmt::format(", steps = \"{}\"", layer.mean ? "mean" : "last");
  if (layer.activation != SLUICE_LINEAR) text += curve(layer, "gates", layer.activation);
  if (layer.candidate != SLUICE_TANH) text += curve(layer, "activation", layer.candidate);
  if (layer.cell_clip != 0) text += fmt::format(", cell_clip = {}", layer.cell_clip);
  if (layer.initial_state) text += ", initial_state = true";
  line(index, text);
}

void Writer::layer(std::size_t index) {
  const Layer& layer = network_.layers[index];
  if (tools::recurrent(layer)) return recurrent(index);
  const auto values = [&](Role role) -> const std::vector<float>& {
    return layer.array(role).values;
  };
  const std::vector<float> ones(std::size_t(layer.out), 1.0f), zeros(std::size_t(layer.out));
  switch (layer.kind) {
    case SLUICE_DENSE:
      if (layer.activation == SLUICE_PRELU) stop(index, "the slopes of a PReLU");
      tensor(index, "weight", values(Role::input_weight),
             {layer.array(Role::input_weight).rows, layer.array(Role::input_weight).cols});
      tensor(index, "bias", values(Role::input_bias), {layer.array(Role::input_bias).rows});
      return line(
          index,
          fmt::format("dense = {}", layer.array(Role::input_weight).rows) +
              (layer.parts ? fmt::format(", part = {}", layer.in / layer.parts) : "") +
              (layer.activation == SLUICE_LINEAR ? ""
                                                 : curve(layer, "activation", layer.activation)));
    case SLUICE_EMBEDDING: {
      std::vector<float> by_id;
      for (int id = 0; id < layer.in; ++id)
        for (int unit = 0; unit < layer.out; ++unit)
          by_id.push_back(
              values(Role::vectors)[std::size_t(unit) * std::size_t(layer.in) + std::size_t(id)]);
      tensor(index, "weight", by_id, {layer.in, layer.out});
      return line(index, fmt::format("embedding = {}", layer.out));
    }
    case SLUICE_STANDARDIZE:  // a batch normalization whose variance is 1
      tensor(index, "weight", values(Role::scale), {layer.out});
      tensor(index, "bias", zeros, {layer.out});
      tensor(index, "running_mean", values(Role::mean), {layer.out});
      tensor(index, "running_var", ones, {layer.out});
      return line(index, "batch_norm = true, epsilon = 1e-12");
    case SLUICE_BATCH_NORM:
    case SLUICE_LAYER_NORM:
      tensor(index, "weight", values(Role::scale), {layer.out});
      tensor(index, "bias", values(Role::shift), {layer.out});
      if (layer.kind == SLUICE_BATCH_NORM) {
        tensor(index, "running_mean", values(Role::mean), {layer.out});
        tensor(index, "running_var", values(Role::variance), {layer.out});
      }
      return line(index, fmt::format("{} = true, epsilon = {}", layer.anatomy().name,
                                     std::max(layer.parameter, 1e-12f)));
    case SLUICE_MAX_OVER_STEPS:
    case SLUICE_MEAN_OVER_STEPS:
      return line(index, fmt::format("{} = true", layer.anatomy().name));
    case SLUICE_ATTENTION:
    case SLUICE_CONCAT:
    case SLUICE_ADD:
    case SLUICE_MULTIPLY: {
      std::string names;
      for (const std::uint32_t source : sources_of(network_, index))
        names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", source_name(source));
      return line(index, fmt::format("{} = [{}]", layer.anatomy().name, names));
    }
    case SLUICE_WINDOW:
      return line(index, fmt::format("window = {}, dilation = {}, stride = {}{}{}", layer.parts,
                                     layer.dilation, layer.stride,
                                     layer.ahead ? fmt::format(", ahead = {}", layer.ahead) : "",
                                     layer.first ? fmt::format(", first = {}", layer.first) : ""));
    case SLUICE_MAX_POOL:
    case SLUICE_MEAN_POOL:
    case SLUICE_NORM_POOL:
      return line(index, fmt::format("{} = {}, channels = {}", layer.anatomy().name,
                                     layer.in / layer.out, layer.out / layer.parts));
    case SLUICE_UNIT_NORM:
      return line(index,
                  fmt::format("unit_norm = true, epsilon = {}", std::max(layer.parameter, 1e-12f)));
    case SLUICE_CURVE:
      if (layer.activation == SLUICE_PRELU) stop(index, "the slopes of a PReLU");
      return line(index, "curve = true" + curve(layer, "activation", layer.activation));
    default:
      stop(index, "a list of layers cannot say it");
  }
}

}  // namespace

Safetensors write_safetensors(const Network& network, const std::string& name) {
  return Writer(network, name).write();
}

}  // namespace sluice::tools
