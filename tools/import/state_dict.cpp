#include "state_dict.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "../common/print.h"
#include "../common/safe_file.h"
#include "../recipe/network.h"
#include "../recipe/toml.h"
#include "json_document.h"
#include "weights.h"

namespace sluice::tools {
namespace {

/// The tensors whose names begin alike, by the rest of their names.
struct Group {
  std::map<std::string, const Tensor*> parts;
  const Tensor* find(const std::string& rest) const {
    const auto found = parts.find(rest);
    return found == parts.end() ? nullptr : found->second;
  }
};
using Groups = std::map<std::string, Group>;

/// Returns tensors by module: "gru.weight_ih_l0" is "weight_ih_l0" of "gru".
Groups grouped(const std::vector<Tensor>& tensors) {
  Groups groups;
  for (const Tensor& tensor : tensors) {
    const std::size_t dot = tensor.name.rfind('.');
    const std::string prefix = dot == std::string::npos ? "" : tensor.name.substr(0, dot);
    groups[prefix].parts[tensor.name.substr(dot == std::string::npos ? 0 : dot + 1)] = &tensor;
  }
  return groups;
}

/// A layer of the list, and the module whose tensors it gets.
struct Wanted {
  LayerSpec spec;
  std::string prefix;
  bool said = false;  ///< by the file
};

/// Returns the ending of the names of a recurrent module's tensors: "_l0", "_l0_reverse", or
/// nothing for a cell.
std::string ending(const Group& group, std::int64_t layer, bool backward) {
  const bool plain = layer == 0 && group.find("weight_ih");
  return (plain ? "" : fmt::format("_l{}", layer)) + (backward ? "_reverse" : "");
}

bool has_shape(const Tensor* tensor, std::initializer_list<std::int64_t> shape) {
  if (!tensor) return false;
  std::vector<std::size_t> sizes = tensor->shape;
  // A convolution over one frame is a Dense.
  while (sizes.size() > shape.size() && sizes.back() == 1) sizes.pop_back();
  return std::equal(sizes.begin(), sizes.end(), shape.begin(), shape.end(),
                    [](std::size_t a, std::int64_t b) { return a == std::size_t(b); });
}

/// Returns whether a weight is [outputs][channels][taps], of a convolution over several positions.
bool is_kernel(const Tensor& weight) { return weight.shape.size() == 3 && weight.shape[2] > 1; }

/// Returns whether a weight is a matrix of that shape, or a convolution that is one over the
/// numbers of its positions.
bool fits_matrix(const Tensor* weight, std::int64_t rows, std::int64_t cols) {
  if (!weight || !is_kernel(*weight)) return has_shape(weight, {rows, cols});
  return weight->shape[0] == std::size_t(rows) &&
         weight->shape[1] * weight->shape[2] == std::size_t(cols);
}

/// The use that a layer makes of a module.
struct Fit {
  std::string fault;   ///< the reason why it does not fit; empty: it does
  bool is_kin = true;  ///< whether the module is of that kind at least
  std::int64_t in = 0;
  std::size_t used = 0;  ///< tensors
};

/// The names of the initial h and c, to which the ending of a copy and a direction is appended.
constexpr const char* initial_names[] = {"initial_h", "initial_c"};
constexpr Role initial_roles[] = {Role::initial_h, Role::initial_c};

/// Tells whether a module's tensors fit a recurrent layer, all of its copies and directions.
Fit fit_recurrent(const LayerSpec& spec, const Group& group, std::int64_t in) {
  Fit fit;
  const auto& anatomy = anatomy_of(std::uint32_t(spec.kind));
  const std::int64_t units = spec.units, rows = anatomy.gates * units,
                     state = spec.projection > 0 ? spec.projection : units;
  for (std::int64_t copy = 0; copy < spec.repeat; ++copy)
    for (int backward = 0; backward < (spec.directions == Directions::both ? 2 : 1); ++backward) {
      const std::string end = ending(group, copy, backward != 0);
      const Tensor* const input = group.find("weight_ih" + end);
      if (!input || input->shape.size() != 2) {
        fit.is_kin = copy > 0 || backward;
        fit.fault = fmt::format("it has no matrix weight_ih{}", end);
        return fit;
      }
      if (in == 0) in = std::int64_t(input->shape[1]);
      if (fit.in == 0) fit.in = in;
      if (!has_shape(input, {rows, in})) {
        fit.fault = fmt::format("weight_ih{} has the shape {} in place of [{}][{}]", end,
                                input->shape_text(), rows, in);
        return fit;
      }
      if (!has_shape(group.find("weight_hh" + end), {rows, state})) {
        fit.fault = fmt::format("weight_hh{} is not of shape [{}][{}]", end, rows, state);
        return fit;
      }
      fit.used += 2;
      if (spec.projection > 0) {
        if (!has_shape(group.find("weight_hr" + end), {state, units})) {
          fit.fault = fmt::format("weight_hr{} is not of shape [{}][{}]", end, state, units);
          return fit;
        }
        ++fit.used;
      }
      const bool one = group.find("bias_ih" + end), two = group.find("bias_hh" + end);
      if (spec.kind == SLUICE_GRU && one && !two) fit.fault = "it has one bias, as gru_before has";
      if (spec.kind == SLUICE_GRU_BEFORE && one && two) fit.fault = "it has two biases, as gru has";
      if (!fit.fault.empty()) return fit;
      for (const char* bias : {"bias_ih", "bias_hh"}) {
        const Tensor* const found = group.find(bias + end);
        if (found && !has_shape(found, {rows})) {
          fit.fault = fmt::format("{}{} is not of shape [{}]", bias, end, rows);
          return fit;
        }
        fit.used += found != nullptr;
      }
      for (int i = 0; spec.initial_state && i < anatomy.states; ++i, ++fit.used) {
        const std::int64_t numbers = i == 0 ? state : units;
        if (has_shape(group.find(initial_names[i] + end), {numbers})) continue;
        fit.fault = fmt::format("{}{} is not of shape [{}]", initial_names[i], end, numbers);
        return fit;
      }
      if (backward || spec.directions != Directions::both) in = spec.out(in);
    }
  return fit;
}

/// Tells whether tensors of these names, each of one size, fit; a missing one is allowed.
void fit_vectors(const Group& group, std::initializer_list<const char*> names, std::int64_t size,
                 Fit& fit) {
  for (const char* name : names) {
    const Tensor* const found = group.find(name);
    if (found && !has_shape(found, {size})) {
      fit.fault = fmt::format("{} is not of shape [{}]", name, size);
      return;
    }
    fit.used += found != nullptr;
  }
}

/// Tells why a module has more tensors than a layer uses.
std::string excess(const LayerSpec& spec, const Group& group) {
  std::int64_t copies = 0;
  while (group.find(fmt::format("weight_ih_l{}", copies))) ++copies;
  if (spec.recurrent() && copies > spec.repeat)
    return fmt::format("it has {} layers; give repeat = {}", copies, copies);
  if (spec.recurrent() && group.find("weight_ih_l0_reverse") && spec.directions == Directions::one)
    return "it goes in both directions; give directions = \"both\"";
  if (const Tensor* const projection = group.find("weight_hr_l0");
      projection && spec.projection == 0 && !projection->shape.empty())
    return fmt::format("it has a projection; give projection = {}", projection->shape[0]);
  return fmt::format("its {} has no place in the layer", group.parts.rbegin()->first);
}

Fit fit(const LayerSpec& spec, const Group& group, std::int64_t in) {
  Fit result;
  const Tensor* const weight = group.find("weight");
  switch (spec.kind) {
    case SLUICE_GRU:
    case SLUICE_GRU_BEFORE:
    case SLUICE_LSTM:
    case SLUICE_RNN:
      result = fit_recurrent(spec, group, in);
      in = result.in;
      break;
    case SLUICE_DENSE:
      if (in == 0 && weight && weight->shape.size() >= 2)
        in = std::int64_t(weight->shape[1] * (is_kernel(*weight) ? weight->shape[2] : 1));
      if (!fits_matrix(weight, spec.units, spec.part > 0 ? spec.part : in))
        result.fault = fmt::format("its weight is not of shape [{}][{}]", spec.units,
                                   spec.part > 0 ? spec.part : in);
      else
        result.used = 1, fit_vectors(group, {"bias"}, spec.units, result);
      break;
    case SLUICE_EMBEDDING:
      if (weight && weight->shape.size() == 2) in = std::int64_t(weight->shape[0]);
      if (!has_shape(weight, {in, spec.units}))
        result.fault = fmt::format("its weight is not of shape [ids][{}]", spec.units);
      result.used = 1;
      break;
    case SLUICE_LAYER_NORM:
      if (in == 0 && weight && weight->shape.size() == 1) in = std::int64_t(weight->shape[0]);
      if (group.find("running_mean")) result.fault = "it has moments, as batch_norm does";
      if (!has_shape(weight, {in}))
        result.fault = fmt::format("its weight is not of shape [{}]", in);
      if (result.fault.empty()) fit_vectors(group, {"weight", "bias"}, in, result);
      break;
    case SLUICE_BATCH_NORM: {
      const Tensor* const mean = group.find("running_mean");
      if (in == 0 && mean && mean->shape.size() == 1) in = std::int64_t(mean->shape[0]);
      if (!has_shape(mean, {in}) || !has_shape(group.find("running_var"), {in}))
        result.fault = fmt::format("it has no running_mean and running_var of shape [{}]", in);
      else
        fit_vectors(group, {"running_mean", "running_var", "weight", "bias"}, in, result);
      result.used += group.find("num_batches_tracked") != nullptr;
      break;
    }
    default:
      result.fault = "layers of this kind are not read from tensors";
  }
  if (!spec.recurrent()) result.is_kin = weight != nullptr;
  result.in = in;
  if (result.fault.empty() && result.used != group.parts.size()) result.fault = excess(spec, group);
  return result;
}

bool has_weights(const LayerSpec& spec) {
  return has_role(anatomy_of(std::uint32_t(spec.kind)), Role::input_weight) ||
         spec.kind == SLUICE_EMBEDDING || spec.kind == SLUICE_BATCH_NORM ||
         spec.kind == SLUICE_LAYER_NORM;
}

std::string kind_text(const LayerSpec& spec) { return sluice_layer_name(std::uint32_t(spec.kind)); }

/// Finds the modules of all layers: a search that tries every module that fits.
class Search {
 public:
  Search(std::vector<Wanted>& layers, const Groups& groups, const std::string& place)
      : layers_(layers), groups_(groups), place_(place) {
    for (const Wanted& layer : layers) specs_.push_back(layer.spec);
  }

  /// Sets the prefixes of all layers, and returns the width of the frame. Refuses if there is no
  /// way, or more than one.
  std::int64_t run(const std::string& file) {
    std::vector<std::int64_t> widths = {0};
    std::vector<std::string> chosen;
    extend(widths, chosen);
    if (found_.empty())
      refuse("{}: {}: {}", file, place_, fault_.empty() ? "no layer takes the tensors" : fault_);
    if (found_.size() > 1) {
      std::size_t at = 0;
      while (found_[0][at] == found_[1][at]) ++at;
      refuse("{}: {}: layer {}: both \"{}\" and \"{}\" fit; say which by prefix = \"{}\"", file,
             place_, at + 1, brief(found_[0][at]), brief(found_[1][at]), brief(found_[0][at]));
    }
    for (std::size_t l = 0; l < layers_.size(); ++l) layers_[l].prefix = found_[0][l];
    return frame_;
  }

 private:
  static constexpr int most_tries = 100'000;

  /// Notes why a way ended, if it came further than others.
  void end(std::size_t layer, std::string fault) {
    if (layer < furthest_ || !found_.empty()) return;
    if (layer == furthest_ && !fault_.empty()) return;
    furthest_ = layer, fault_ = std::move(fault);
  }

  void extend(std::vector<std::int64_t>& widths, std::vector<std::string>& chosen) {
    if (found_.size() > 1 || ++tries_ > most_tries) return;
    const std::size_t l = chosen.size();
    if (l == layers_.size()) return complete(widths[0], chosen);
    const Wanted& layer = layers_[l];
    const std::vector<std::size_t> sources = sources_of(specs_, l, place_);
    if (!has_weights(layer.spec)) {
      widths.push_back(layer.spec.out(width_of_sources(specs_, l, widths, place_)));
      chosen.emplace_back();
      extend(widths, chosen);
      chosen.pop_back(), widths.pop_back();
      return;
    }
    bool any = false;
    std::string near;  // the last module that does not fit
    for (const auto& [prefix, group] : groups_) {
      if (layer.said && prefix != layer.prefix) continue;
      if (std::count(chosen.begin(), chosen.end(), prefix)) continue;
      const Fit fits = fit(layer.spec, group, widths[sources[0]]);
      if (!fits.fault.empty()) {
        if (near.empty() || fits.is_kin)
          near = fmt::format("; \"{}\" does not: {}", brief(prefix), fits.fault);
        continue;
      }
      any = true;
      const std::int64_t frame = widths[0];
      if (sources[0] == 0) widths[0] = fits.in;
      const std::size_t source = sources[0];
      const std::int64_t before = widths[source];
      // A window of a frame whose width the first convolution says.
      if (source > 0 && before == 0 && layers_[source - 1].spec.kind == SLUICE_WINDOW &&
          sources_of(specs_, source - 1, place_)[0] == 0)
        widths[0] = fits.in / layers_[source - 1].spec.units, widths[source] = fits.in;
      widths.push_back(layer.spec.out(fits.in));
      chosen.push_back(prefix);
      extend(widths, chosen);
      chosen.pop_back(), widths.pop_back();
      widths[source] = before;
      widths[0] = frame;
    }
    if (!any)
      end(l, layer.said && !groups_.count(layer.prefix)
                 ? fmt::format("layer {}: no tensor's name begins with \"{}.\"", l + 1,
                               brief(layer.prefix))
                 : fmt::format("layer {} ({}): no tensors fit it{}", l + 1, kind_text(layer.spec),
                               near));
  }

  void complete(std::int64_t frame, const std::vector<std::string>& chosen) {
    std::string left;
    std::size_t count = 0;
    for (const auto& [prefix, group] : groups_)
      if (!std::count(chosen.begin(), chosen.end(), prefix) && ++count <= 4)
        left += fmt::format("{}\"{}\"", left.empty() ? "" : ", ", brief(prefix));
    if (count)
      return end(layers_.size(),
                 fmt::format("no layer uses the tensors of {}{}; list their layers too", left,
                             count > 4 ? fmt::format(" and {} more", count - 4) : ""));
    frame_ = frame;
    found_.push_back(chosen);
  }

  std::vector<Wanted>& layers_;
  const Groups& groups_;
  const std::string& place_;
  std::vector<LayerSpec> specs_;
  std::vector<std::vector<std::string>> found_;
  std::int64_t frame_ = 0;
  std::size_t furthest_ = 0;
  std::string fault_;
  int tries_ = 0;
};

/// Reads the list of layers: model.layers of a recipe, or layers alone.
std::vector<Wanted> read_layers(const std::string& path, const TensorDefaults& defaults) {
  const toml::table root = parse_toml(read_file(path), path);
  const toml::node* node = root.get("layers");
  if (const toml::table* const model = root["model"].as_table(); !node && model)
    node = model->get("layers");
  const toml::array* const list = node ? node->as_array() : nullptr;
  if (!list || list->empty())
    refuse(
        "{}: layers: not a list of layers; give one such as layers = [ {{ gru = 32 }}, {{ dense "
        "= 9 }} ]",
        path);
  std::vector<Wanted> layers;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string place =
        fmt::format("{}:{}: layer {}", path, list->get(i)->source().begin.line, i + 1);
    Wanted layer;
    bool use = true;
    if (const toml::table* const given = list->get(i)->as_table()) {
      toml::table table = *given;
      if (const toml::node* const prefix = table.get("prefix")) {
        const auto text = prefix->value_exact<std::string>();
        if (!text) refuse("{}: prefix: {}; give the beginning of a name", place, shown(*prefix));
        layer.said = true;
        layer.prefix = text->ends_with('.') ? text->substr(0, text->size() - 1) : *text;
        table.erase("prefix");
      }
      layer.spec = read_layer(table, place, use);
      if (layer.spec.epsilon > 0 && !table.contains("epsilon"))
        layer.spec.epsilon = defaults.epsilon;
    } else {
      layer.spec = read_layer(*list->get(i), place, use);
    }
    if (!use) continue;
    if (layer.spec.tied) refuse("{}: tied: is not read from tensors; leave it out", place);
    if (layer.spec.peepholes)
      refuse("{}: peepholes: are not read from tensors; leave it out", place);
    if (layer.spec.rank > 0) refuse("{}: rank: is not read from tensors; leave it out", place);
    if (layer.spec.recurrent() && layer.spec.steps == StepsOut::open)
      layer.spec.steps = StepsOut::every;
    layers.push_back(std::move(layer));
  }
  return layers;
}

void put_recurrent(Layer& layer, const Group& group, std::int64_t copy) {
  const std::size_t rows = std::size_t(layer.gate_rows()) * layer.anatomy().gates;
  for (int backward = 0; backward < (layer.both ? 2 : 1); ++backward) {
    const std::string end = ending(group, copy, backward != 0);
    CellWeights cell;
    cell.input = matrix_of(group.find("weight_ih" + end)->values, rows, std::size_t(layer.in));
    cell.state = matrix_of(group.find("weight_hh" + end)->values, rows,
                           std::size_t(layer.array(Role::state_weight).cols));
    if (const Tensor* const bias = group.find("bias_ih" + end)) cell.bias = column_of(bias->values);
    if (const Tensor* const bias = group.find("bias_hh" + end))
      cell.second_bias = column_of(bias->values);
    put_cell(layer, backward != 0, cell);
    if (layer.cells > 0)
      layer.array(Role::projection, backward != 0).values = group.find("weight_hr" + end)->values;
    for (std::size_t state = 0; layer.initial_state && state < layer.anatomy().states; ++state)
      layer.array(initial_roles[state], backward != 0).values =
          group.find(initial_names[state] + end)->values;
  }
}

void put(Layer& layer, const Group& group, std::int64_t copy) {
  if (recurrent(layer)) return put_recurrent(layer, group, copy);
  const auto copy_values = [&](Role role, const char* name, float otherwise) {
    Array& to = layer.array(role);
    if (const Tensor* const from = group.find(name))
      to.values = from->values;
    else
      to.values.assign(to.values.size(), otherwise);
  };
  if (layer.kind == SLUICE_EMBEDDING) {
    const View ids =
        matrix_of(group.find("weight")->values, std::size_t(layer.in), std::size_t(layer.out));
    Array& to = layer.array(Role::vectors);
    for (std::size_t i = 0; i < to.values.size(); ++i)
      to.values[i] = ids.at(i % std::size_t(layer.in), i / std::size_t(layer.in));
  } else if (layer.kind == SLUICE_DENSE) {
    copy_values(Role::input_weight, "weight", 0);
    if (const Tensor& weight = *group.find("weight"); is_kernel(weight)) {
      // Here the channels of a position are side by side.
      const std::size_t channels = weight.shape[1], taps = weight.shape[2];
      std::vector<float>& to = layer.array(Role::input_weight).values;
      for (std::size_t i = 0; i < to.size(); ++i) {
        const std::size_t row = i / (channels * taps), tap = i / channels % taps;
        to[i] = weight.values[(row * channels + i % channels) * taps + tap];
      }
    }
    copy_values(Role::input_bias, "bias", 0);
  } else {
    copy_values(Role::scale, "weight", 1);
    copy_values(Role::shift, "bias", 0);
    if (layer.find(Role::mean)) copy_values(Role::mean, "running_mean", 0);
    if (layer.find(Role::variance)) copy_values(Role::variance, "running_var", 1);
  }
}

}  // namespace

Imported model_of_tensors(const std::vector<Tensor>& tensors, const std::string& layers,
                          const std::string& file, const TensorDefaults& defaults) {
  for (const Tensor& tensor : tensors) check_finite(tensor, file);
  std::vector<Wanted> wanted = read_layers(layers, defaults);
  const Groups groups = grouped(tensors);
  const std::int64_t frame = Search(wanted, groups, layers).run(file);
  Imported result;
  std::vector<LayerSpec> specs;
  for (const Wanted& layer : wanted) specs.push_back(layer.spec);
  if (specs.front().kind != SLUICE_EMBEDDING) result.network.width = int(frame);
  add_layers(specs, int(frame), layers, result.network);
  std::size_t at = 0;
  for (const Wanted& layer : wanted)
    for (std::int64_t copy = 0; copy < layer.spec.repeat; ++copy) {
      Layer& made = result.network.layers[at++];
      if (!has_weights(layer.spec)) continue;
      put(made, groups.at(layer.prefix), copy);
      result.note(
          layer.spec.repeat > 1 ? fmt::format("{}, layer {}", layer.prefix, copy) : layer.prefix,
          fmt::format("layer {}: {}", at, made.anatomy().name));
    }
  return result;
}

void ask_for_layers(const std::vector<Tensor>& tensors, const std::string& file) {
  std::string list;
  for (const auto& [prefix, group] : grouped(tensors)) {
    const std::string end = ending(group, 0, false);
    const Tensor *const input = group.find("weight_ih" + end),
                        *const state = group.find("weight_hh" + end),
                        *const weight = group.find("weight"),
                        *const projection = group.find("weight_hr" + end);
    std::string layer;
    if (projection && projection->shape.size() == 2) {
      layer = fmt::format("lstm = {}, projection = {}", projection->shape[1], projection->shape[0]);
    } else if (input && state && state->shape.size() == 2 && state->shape[1] > 0) {
      const std::size_t gates = state->shape[0] / state->shape[1];
      std::int64_t copies = 1;
      while (group.find(fmt::format("weight_ih_l{}", copies))) ++copies;
      layer = fmt::format("{} = {}{}{}",
                          gates == 4   ? "lstm"
                          : gates == 3 ? "gru"
                                       : "rnn",
                          state->shape[1], copies > 1 ? fmt::format(", repeat = {}", copies) : "",
                          group.find("weight_ih_l0_reverse") ? ", directions = \"both\"" : "");
    } else if (group.find("running_mean")) {
      layer = "batch_norm = true";
    } else if (weight && weight->shape.size() == 2 && prefix.find("embed") != prefix.npos) {
      layer = fmt::format("embedding = {}", weight->shape[1]);
    } else if (weight && weight->shape.size() >= 2) {
      if (is_kernel(*weight))  // a causal convolution
        list += fmt::format("{} {{ window = {} }}", list.empty() ? "" : ",", weight->shape[2]);
      else if (weight->values.size() != weight->shape[0] * weight->shape[1])
        continue;
      layer = fmt::format("dense = {}", weight->shape[0]);
    } else if (weight) {
      layer = "layer_norm = true";
    } else {
      continue;
    }
    list +=
        fmt::format("{} {{ {}, prefix = \"{}\" }}", list.empty() ? "" : ",", layer, brief(prefix));
    if (list.size() > 1500) break;
  }
  refuse(
      "{}: holds tensors without the layers that use them; give --layers FILE, a file with the "
      "list of layers in their order, such as layers = [{} ]",
      file, list);
}

std::vector<Tensor> read_json_tensors(const JsonNode& root, const std::string& file) {
  std::vector<Tensor> tensors;
  for (const auto& [name, node] : root.members)
    if (node.is_list()) tensors.push_back(tensor_of(node, brief(name), file));
  if (tensors.empty()) refuse("{}: JSON of no known model; give the file of a model", file);
  return tensors;
}

}  // namespace sluice::tools
