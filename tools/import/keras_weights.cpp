#include "keras_weights.h"

#include <algorithm>
#include <cctype>

#include "../common/print.h"

namespace sluice::tools {
namespace {

/// Returns whether a name such as "model/lstm_1/kernel:0" has a part in front of its last one.
bool has_part(std::string_view name, std::string_view part) {
  for (;;) {
    const std::size_t slash = name.find('/');
    if (slash == name.npos) return false;
    if (name.substr(0, slash) == part) return true;
    name.remove_prefix(slash + 1);
  }
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

}  // namespace

std::string snake_case(const std::string& type) {
  // An underscore stands in front of a capital that begins a word or follows a small letter.
  std::string name;
  for (std::size_t i = 0; i < type.size(); ++i) {
    const char c = type[i];
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') continue;
    const bool begins = i > 0 && is_upper(c) &&
                        ((i + 1 < type.size() && is_lower(type[i + 1])) || is_lower(type[i - 1]));
    if (begins && !name.ends_with('_')) name += '_';
    name += char(is_upper(c) ? c - 'A' + 'a' : c);
  }
  return name;
}

std::vector<std::string> keras_texts(const Hdf5& file, Hdf5::Node node, const std::string& name) {
  if (auto whole = file.texts(node, name)) return *std::move(whole);
  std::vector<std::string> all;
  for (std::size_t i = 0;; ++i) {
    const auto piece = file.texts(node, fmt::format("{}{}", name, i));
    if (!piece) return all;
    all.insert(all.end(), piece->begin(), piece->end());
    // Pieces that repeat the same texts would take many times the file.
    if (all.size() > file.bytes()) return all;
  }
}

KerasPlace KerasWeights::model() const {
  KerasPlace place;
  place.there = true, place.group = file_.root();
  if (const auto group = file_.find(file_.root(), "model_weights")) place.group = *group;
  place.listed =
      file_.texts(place.group, "layer_names") || file_.texts(place.group, "layer_names0");
  return place;
}

KerasPlace KerasWeights::layer(const KerasPlace& model, const KerasLayer& layer) const {
  KerasPlace place;
  place.listed = model.listed;
  if (!model.listed) {
    std::string name = snake_case(layer.type);
    if (layer.same_before > 0) name += fmt::format("_{}", layer.same_before);
    for (const char* folder : {"layers", "_layer_checkpoint_dependencies"})
      if (const auto found = model.there ? file_.find(model.group, folder) : std::nullopt)
        if (const auto group = file_.find(*found, name)) place.there = true, place.group = *group;
    return place;
  }
  if (!model.there) {  // the layer of a model inside a model
    for (const auto& entry : model.list)
      if (has_part(entry.first, layer.name)) place.list.push_back(entry);
    return place;
  }
  const auto group = file_.find(model.group, layer.name);
  if (!group) return place;
  for (const std::string& name : keras_texts(file_, *group, "weight_names"))
    if (const auto array = file_.find(*group, name)) place.list.emplace_back(name, *array);
  return place;
}

KerasPlace KerasWeights::part(const KerasPlace& wrapper, const char* name) const {
  KerasPlace place = wrapper;
  if (wrapper.listed) {
    const auto half = std::ptrdiff_t(wrapper.list.size() / 2);
    if (std::string_view(name) == "forward_layer")
      place.list.erase(place.list.begin() + half, place.list.end());
    if (std::string_view(name) == "backward_layer")
      place.list.erase(place.list.begin(), place.list.begin() + half);
    return place;
  }
  const auto group = wrapper.there ? file_.find(wrapper.group, name) : std::nullopt;
  place.there = group.has_value(), place.group = group.value_or(0);
  return place;
}

std::vector<Tensor> KerasWeights::arrays(const KerasPlace& place, const std::string& name) {
  std::vector<Tensor> arrays;
  for (const auto& [path, node] : place.list)
    arrays.push_back(file_.tensor(node, fmt::format("{}: {}", name, brief(path))));
  if (place.listed || !place.there) return arrays;
  for (const char* folder : {"cell/vars", "vars"}) {
    const auto group = file_.find(place.group, folder);
    for (std::size_t i = 0; group; ++i) {
      const auto array = file_.find(*group, fmt::format("{}", i));
      if (!array) break;
      arrays.push_back(file_.tensor(*array, fmt::format("{}: {}/{}", name, folder, i)));
    }
  }
  return arrays;
}

KerasCellArrays keras_cell(std::vector<Tensor> found, sluice_layer_kind kind, std::size_t units,
                           std::size_t in, const std::string& file) {
  const std::size_t gates = anatomy_of(std::uint32_t(kind)).gates, rows = gates * units;
  const auto expect = [&](const Tensor& tensor, const std::vector<std::size_t>& shape) {
    Tensor wanted;
    wanted.shape = shape;
    if (tensor.shape != shape)
      refuse(
          "{}: {}: has the shape {}, and {} units of {} inputs make it {}; the file contradicts "
          "itself",
          file, tensor.name, tensor.shape_text(), units, in, wanted.shape_text());
  };
  KerasCellArrays result;
  if (gates > 1 && found.size() == gates * 3) {
    // Keras 1 has arrays for each gate: z, r, h of a GRU, and i, c, f, o of an LSTM.
    constexpr std::size_t lstm[] = {0, 2, 1, 3}, gru[] = {0, 1, 2};
    const std::size_t* const order = kind == SLUICE_LSTM ? lstm : gru;
    for (std::size_t gate = 0; gate < gates; ++gate) {
      const Tensor* const from = &found[3 * gate];
      expect(from[0], {in, units}), expect(from[1], {units, units}), expect(from[2], {units});
    }
    result.input.resize(in * rows), result.state.resize(units * rows), result.bias.resize(rows);
    for (std::size_t gate = 0; gate < gates; ++gate) {
      const Tensor* const from = &found[3 * order[gate]];
      for (std::size_t row = 0; row < units; ++row) {
        for (std::size_t i = 0; i < in; ++i)
          result.input[i * rows + gate * units + row] = from[0].values[i * units + row];
        for (std::size_t i = 0; i < units; ++i)
          result.state[i * rows + gate * units + row] = from[1].values[i * units + row];
        result.bias[gate * units + row] = from[2].values[row];
      }
    }
    return result;
  }
  expect(found[0], {in, rows}), expect(found[1], {units, rows});
  result.input = std::move(found[0].values), result.state = std::move(found[1].values);
  if (found.size() < 3) return result;
  Tensor& bias = found[2];
  if ((kind == SLUICE_GRU || kind == SLUICE_LSTM) &&
      bias.shape == std::vector<std::size_t>{2 * rows}) {
    // cuDNN's layout: the weights of a gate over the input are [units][in], and those over the
    // state are transposed too.
    std::vector<float> input(in * rows), state(units * rows);
    for (std::size_t gate = 0; gate < gates; ++gate)
      for (std::size_t row = 0; row < units; ++row) {
        for (std::size_t i = 0; i < in; ++i) {
          const std::size_t flat = row * in + i;
          input[i * rows + gate * units + row] =
              result.input[flat / units * rows + gate * units + flat % units];
        }
        for (std::size_t i = 0; i < units; ++i)
          state[i * rows + gate * units + row] = result.state[row * rows + gate * units + i];
      }
    result.input = std::move(input), result.state = std::move(state);
  } else if (kind == SLUICE_GRU) {
    expect(bias, {2, rows});
  } else {
    expect(bias, {rows});
  }
  const auto half = bias.values.begin() + std::ptrdiff_t(rows);
  result.bias.assign(bias.values.begin(), half);
  result.second_bias.assign(half, bias.values.end());
  return result;
}

}  // namespace sluice::tools
