// Files of Keras 1 to 3: .h5 and .keras with a model, and .h5 with weights alone.
#include <algorithm>

#include "../common/print.h"
#include "formats.h"
#include "keras_network.h"
#include "state_dict.h"
#include "zip_file.h"

namespace sluice::tools {
namespace {

using Kind = JsonNode::Kind;

const std::string& text_of(const JsonNode* node) {
  static const std::string none;
  return node && node->is(Kind::text) ? node->text : none;
}

/// Returns the number in front of the first dot of "2.10.0"; 0 if there is none.
int major_of(const std::string& version) {
  return version.size() > 1 && version[0] >= '1' && version[0] <= '9' && version[1] == '.'
             ? version[0] - '0'
             : 0;
}

/// Returns the first text of an attribute of the root, or of the group of the weights.
std::string attribute(const Hdf5& file, const char* name) {
  for (const char* group : {"", "model_weights"})
    if (const auto node = file.find(file.root(), group))
      if (const auto texts = file.texts(*node, name); texts && !texts->empty())
        return texts->front();
  return "";
}

/// Returns the version of Keras that wrote a file: what the file says, or else what its
/// configuration looks like.
int version_of(const std::string& said, const JsonNode& config) {
  if (const int major = major_of(said)) return std::clamp(major, 1, 3);
  return config.find("module") ? 3 : 2;
}

Imported read_config(Hdf5& file, std::string_view text, const std::string& version,
                     std::size_t size, const std::string& path) {
  // The file and the text are in memory too, so the tree gets half of what it would have alone.
  const JsonNode config = parse_json_document(text, path, size / 2 + 1);
  const KerasModel model =
      keras_model(text_of(config.find("class_name")), config.find("config"), path);
  Imported result;
  const int major = version_of(version, config);
  result.format = version.empty() ? "Keras" : fmt::format("Keras {}", brief(version));
  KerasWeights weights(file);
  KerasNetwork(weights, major, size, path, result).read(model);
  return result;
}

// ---- Weights alone ------------------------------------------------------------------------------

/// The arrays of one layer of Keras as PyTorch names and orders them.
class TorchNames {
 public:
  TorchNames(std::string prefix, std::vector<Tensor>& to, const std::string& file)
      : prefix_(std::move(prefix)), to_(to), file_(file) {}

  void add(std::vector<Tensor> arrays, bool embedding) {
    const auto rank = [&](std::size_t i) { return arrays[i].shape.size(); };
    const auto is_cell = [&](std::size_t i) {
      return rank(i) == 2 && rank(i + 1) == 2 && arrays[i].shape[0] > 0 &&
             arrays[i + 1].shape[0] > 0 && arrays[i + 1].shape[1] % arrays[i + 1].shape[0] == 0 &&
             arrays[i].shape[1] == arrays[i + 1].shape[1];
    };
    const std::size_t n = arrays.size();
    if (n == 1 && rank(0) == 2) {
      plain(std::move(arrays[0]), "weight", !embedding);
    } else if (n == 2 && rank(0) == 2 && rank(1) == 1) {
      plain(std::move(arrays[0]), "weight", true), plain(std::move(arrays[1]), "bias", false);
    } else if (n == 2 && rank(0) == 1 && rank(1) == 1) {
      plain(std::move(arrays[0]), "weight", false), plain(std::move(arrays[1]), "bias", false);
    } else if (n == 4 && rank(0) == 1) {
      static constexpr const char* names[] = {"weight", "bias", "running_mean", "running_var"};
      for (std::size_t i = 0; i < n; ++i) plain(std::move(arrays[i]), names[i], false);
    } else if ((n == 2 || n == 3 || n == 9 || n == 12) && is_cell(0)) {
      cell(std::move(arrays), "");
    } else if ((n == 4 || n == 6) && is_cell(0) && is_cell(n / 2)) {
      const auto half = arrays.begin() + std::ptrdiff_t(n / 2);
      cell({std::make_move_iterator(arrays.begin()), std::make_move_iterator(half)}, "");
      cell({std::make_move_iterator(half), std::make_move_iterator(arrays.end())}, "_reverse");
    } else {
      // The weights of no layer that is read. A list of layers cannot use them, and says so.
      for (std::size_t i = 0; i < n; ++i)
        plain(std::move(arrays[i]), fmt::format("array{}", i).c_str(), false);
    }
  }

 private:
  void plain(Tensor array, const char* name, bool transposed) {
    Tensor to;
    to.name = prefix_ + "." + name;
    if (!transposed) {
      to.shape = std::move(array.shape), to.values = std::move(array.values);
    } else {
      const std::size_t rows = array.shape[0], cols = array.shape[1];
      to.shape = {cols, rows};
      to.values.reserve(array.values.size());
      for (std::size_t col = 0; col < cols; ++col)
        for (std::size_t row = 0; row < rows; ++row)
          to.values.push_back(array.values[row * cols + col]);
    }
    to_.push_back(std::move(to));
  }

  /// Appends rows of gates: a matrix [cols][gates * units], or a bias as a matrix of one column.
  void gates(const std::vector<float>& from, std::size_t cols, bool swapped, std::size_t units,
             const char* name, const char* reverse) {
    if (from.empty()) return;
    const std::size_t rows = from.size() / cols;
    Tensor to;
    to.name = fmt::format("{}.{}_l0{}", prefix_, name, reverse);
    to.shape = {rows};
    if (std::string_view(name).starts_with("weight")) to.shape.push_back(cols);
    to.values.reserve(from.size());
    for (std::size_t row = 0; row < rows; ++row) {
      // Keras has z, r, h, and PyTorch r, z, n.
      const std::size_t gate = row / units,
                        place = swapped && gate < 2 ? row + units - 2 * gate * units : row;
      for (std::size_t col = 0; col < cols; ++col) to.values.push_back(from[col * rows + place]);
    }
    to_.push_back(std::move(to));
  }

  void cell(std::vector<Tensor> arrays, const char* reverse) {
    const Tensor &input = arrays[0], &state = arrays[1];
    const bool first = arrays.size() > 3;  // of Keras 1
    const std::size_t units = state.shape[0], in = input.shape[0],
                      count = first ? arrays.size() / 3 : state.shape[1] / units;
    const bool one_bias =
        first || (arrays.size() == 3 && arrays[2].shape == std::vector{3 * units});
    const sluice_layer_kind kind = count == 4               ? SLUICE_LSTM
                                   : count == 3 && one_bias ? SLUICE_GRU_BEFORE
                                   : count == 3             ? SLUICE_GRU
                                                            : SLUICE_RNN;
    const KerasCellArrays found = keras_cell(std::move(arrays), kind, units, in, file_);
    const bool swapped = count == 3;
    gates(found.input, in, swapped, units, "weight_ih", reverse);
    gates(found.state, units, swapped, units, "weight_hh", reverse);
    gates(found.bias, 1, swapped, units, "bias_ih", reverse);
    gates(found.second_bias, 1, swapped, units, "bias_hh", reverse);
  }

  std::string prefix_;
  std::vector<Tensor>& to_;
  const std::string& file_;
};

/// Appends the weights of all layers in a tree of groups, as Keras 3 writes them.
void add_tree(Hdf5& file, Hdf5::Node group, const std::string& name, int depth,
              KerasWeights& weights, std::vector<Tensor>& to, const std::string& path) {
  constexpr int deepest = 16;
  if (depth > deepest) refuse("{}: {}: groups inside groups without end", path, brief(name));
  KerasPlace place;
  place.there = true, place.group = group;
  TorchNames names(name, to, path);
  const bool both = file.find(group, "forward_layer/cell").has_value();
  if (both) {
    std::vector<Tensor> arrays = weights.arrays(weights.part(place, "forward_layer"), name);
    for (Tensor& one : weights.arrays(weights.part(place, "backward_layer"), name))
      arrays.push_back(std::move(one));
    return names.add(std::move(arrays), false);
  }
  if (!name.empty()) names.add(weights.arrays(place, name), name.find("embedding") != name.npos);
  for (const auto& [member, node] : file.members(group)) {
    if (member == "vars" || member == "cell" || file.is_array(node)) continue;
    if (member == "optimizer") continue;
    const bool folder =
        member == "layers" || member == "_layer_checkpoint_dependencies" || member == "layer";
    const std::string inner = folder         ? name
                              : name.empty() ? member
                                             : fmt::format("{}.{}", name, member);
    add_tree(file, node, inner, depth + 1, weights, to, path);
  }
}

Imported read_weights(Hdf5& file, const std::string& layers, const std::string& path) {
  KerasWeights weights(file);
  const KerasPlace model = weights.model();
  std::vector<Tensor> tensors;
  if (model.listed) {
    for (const std::string& name : keras_texts(file, model.group, "layer_names")) {
      KerasLayer layer;
      layer.name = name;
      const KerasPlace place = weights.layer(model, layer);
      const bool embedding =
          !place.list.empty() && place.list[0].first.find("embedding") != std::string::npos;
      TorchNames(name, tensors, path).add(weights.arrays(place, brief(name)), embedding);
    }
  } else {
    add_tree(file, model.group, "", 0, weights, tensors, path);
  }
  if (tensors.empty())
    refuse("{}: HDF5 without a model or weights of Keras; give a file that Keras wrote", path);
  if (layers.empty()) ask_for_layers(tensors, path);
  Imported result = model_of_tensors(tensors, layers, path, {.epsilon = 1e-3});
  result.format = "weights of Keras";
  const std::string version = attribute(file, "keras_version");
  for (Layer& layer : result.network.layers)
    if (layer.activation == SLUICE_HARD_SIGMOID && major_of(version) > 0 && major_of(version) < 3) {
      layer.parameter = 0.2f;
      result.remarks.push_back(
          fmt::format("hard sigmoids have the slope 0.2 of Keras {}", brief(version)));
    }
  return result;
}

}  // namespace

Imported read_keras_hdf5(std::string_view bytes, const std::string& layers,
                         const std::string& path) {
  Hdf5 file(bytes, path);
  const auto config = file.texts(file.root(), "model_config");
  if (!config || config->empty()) return read_weights(file, layers, path);
  if (!layers.empty())
    refuse("{}: holds its layers, and --layers is for files of weights alone; leave it out", path);
  return read_config(file, config->front(), attribute(file, "keras_version"), bytes.size(), path);
}

bool is_keras_zip(const ZipFile& zip) {
  const auto names = zip.names();
  const auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  return has("config.json") && has("model.weights.h5");
}

Imported read_keras_zip(const ZipFile& zip, std::size_t size, const std::string& path) {
  const auto read = [&](const char* name) {
    auto bytes = zip.read(name);
    if (!bytes) refuse("{}: has no {}; give a file that Keras wrote", path, name);
    return *std::move(bytes);
  };
  std::string version;
  if (const auto metadata = zip.read("metadata.json"))
    version =
        text_of(parse_json_document(*metadata, path + ": metadata.json").find("keras_version"));
  const std::string config = read("config.json"), weights = read("model.weights.h5");
  Hdf5 file(weights, path);
  return read_config(file, config, version, size, path);
}

}  // namespace sluice::tools
