#include "keras_config.h"

#include <cmath>
#include <map>

#include "../common/print.h"

namespace sluice::tools {
namespace {

using Kind = JsonNode::Kind;

constexpr std::size_t most_layers_here = 4096;

const std::string& text_of(const JsonNode* node) {
  static const std::string none;
  return node && node->is(Kind::text) ? node->text : none;
}

bool is_small(const JsonNode& node) {
  return node.is(Kind::number) && node.number >= 0 && node.number < 1e6 &&
         node.number == std::floor(node.number);
}

/// Returns whether a node is [name, node, tensor], perhaps with arguments behind.
bool is_reference(const JsonNode& node) {
  return node.is(Kind::list) && node.items.size() >= 3 && node.items[0].is(Kind::text) &&
         is_small(node.items[1]) && is_small(node.items[2]);
}

KerasTensor reference(const JsonNode& node) {
  return {node.items[0].text, std::size_t(node.items[1].number), std::size_t(node.items[2].number)};
}

/// Appends all tensors in a value, however they are nested: those of Keras 3 and those before it.
void collect(const JsonNode& node, std::vector<KerasTensor>& to) {
  if (is_reference(node)) return to.push_back(reference(node));
  for (const JsonNode& item : node.items) collect(item, to);
  if (text_of(node.find("class_name")) == "__keras_tensor__") {
    const JsonNode* const config = node.find("config");
    const JsonNode* const history = config ? config->find("keras_history") : nullptr;
    if (history && is_reference(*history)) to.push_back(reference(*history));
    return;
  }
  for (const auto& [name, member] : node.members) collect(member, to);
}

/// Adds the names of arguments that hold tensors.
void collect_others(const JsonNode& arguments, std::vector<std::string>& to) {
  for (const auto& [name, value] : arguments.members) {
    std::vector<KerasTensor> tensors;
    collect(value, tensors);
    if (!tensors.empty()) to.push_back(name);
  }
}

/// Returns a call of Keras 3: {"args": [...], "kwargs": {...}}.
KerasCall call_of_object(const JsonNode& node) {
  KerasCall call;
  if (const JsonNode* const arguments = node.find("args")) {
    collect(*arguments, call.sources);
    if (arguments->is(Kind::list) && arguments->items.size() == 2)
      call.index = &arguments->items[1];
  }
  if (const JsonNode* const named = node.find("kwargs")) {
    // Layers may be called by names: layer(inputs=x).
    if (call.sources.empty())
      for (const char* name : {"inputs", "x"})
        if (const JsonNode* const inputs = named->find(name); inputs && call.sources.empty())
          collect(*inputs, call.sources);
    collect_others(*named, call.others);
    if (call.sources.empty()) collect(*named, call.sources);
    std::erase(call.others, "inputs"), std::erase(call.others, "x");
  }
  return call;
}

/// Returns a call of Keras 1 or 2: [[name, node, tensor, arguments], ...].
KerasCall call_of_list(const JsonNode& node) {
  KerasCall call;
  collect(node, call.sources);
  const auto add_others = [&](const JsonNode& item) {
    if (!is_reference(item) || item.items.size() < 4) return;
    collect_others(item.items[3], call.others);
    // x + y, x * y: the second operand is an argument by name.
    if (const JsonNode* const operand = item.items[3].find("y")) {
      collect(*operand, call.sources);
      std::erase(call.others, "y");
    }
    if (const JsonNode* const index = item.items[3].find("slice_spec")) call.index = index;
  };
  add_others(node);
  for (const JsonNode& item : node.items) add_others(item);
  return call;
}

KerasLayer layer_of(const JsonNode& node, const std::string& place) {
  KerasLayer layer;
  layer.type = text_of(node.find("class_name"));
  layer.config = node.find("config");
  if (layer.type.empty() || !layer.config ||
      !(layer.config->is(Kind::object) || layer.config->is_list()))
    refuse("{}: a layer without a class_name and a config; write the file again", place);
  layer.name = text_of(node.find("name"));
  if (layer.name.empty()) layer.name = text_of(layer.config->find("name"));
  return layer;
}

std::string place_of(const std::string& place, const std::string& model) {
  return model.empty() ? place : fmt::format("{}: {}", place, brief(model));
}

}  // namespace

bool is_keras_model(const std::string& type) {
  return type == "Sequential" || type == "Functional" || type == "Model";
}

KerasLayer keras_layer(const JsonNode& node, const std::string& place) {
  return layer_of(node, place);
}

KerasModel keras_model(const std::string& type, const JsonNode* config, const std::string& place) {
  if (!is_keras_model(type))
    refuse(
        "{}: a model of the class \"{}\", whose layers are in its program's code; build it as a "
        "Sequential or Functional model",
        place, brief(type));
  if (!config) refuse("{}: has no config; write the file again", place);
  KerasModel model;
  model.name = text_of(config->find("name"));
  const JsonNode* const list = config->is_list() ? config : config->find("layers");
  if (!list || !list->is(Kind::list) || list->items.empty())
    refuse(
        "{}: a model without a list of layers, as one whose layers are in its program's code; "
        "build it as a Sequential or Functional model",
        place_of(place, model.name));
  if (list->items.size() > most_layers_here)
    refuse("{}: {} layers, and {} are the most", place_of(place, model.name), list->items.size(),
           most_layers_here);
  const bool sequential = type == "Sequential";
  std::map<std::string, std::size_t> of_type;
  std::map<std::string, std::size_t> names;
  for (const JsonNode& item : list->items) {
    KerasLayer layer = layer_of(item, place_of(place, model.name));
    layer.same_before = of_type[layer.type]++;
    if (layer.name.empty()) layer.name = fmt::format("layer {}", model.layers.size() + 1);
    if (names[layer.name]++ > 0)
      refuse("{}: two layers are named {}; write the file again", place_of(place, model.name),
             brief(layer.name));
    const JsonNode* const nodes = item.find("inbound_nodes");
    if (sequential) {
      KerasCall call;
      if (!model.layers.empty()) call.sources = {{model.layers.back().name, 0, 0}};
      layer.calls.push_back(std::move(call));
    } else if (nodes && nodes->is(Kind::list)) {
      for (const JsonNode& one : nodes->items)
        layer.calls.push_back(one.is(Kind::object) ? call_of_object(one) : call_of_list(one));
    }
    if (layer.calls.empty()) layer.calls.emplace_back();
    model.layers.push_back(std::move(layer));
  }
  if (sequential) {
    model.inputs = {{model.layers.front().name, 0, 0}};
    model.outputs = {{model.layers.back().name, 0, 0}};
    model.input_shape = config->find("build_input_shape");
    return model;
  }
  if (const JsonNode* const inputs = config->find("input_layers")) collect(*inputs, model.inputs);
  if (const JsonNode* const outputs = config->find("output_layers"))
    collect(*outputs, model.outputs);
  if (model.inputs.empty() || model.outputs.empty())
    refuse("{}: has no input_layers or output_layers; write the file again",
           place_of(place, model.name));
  return model;
}

const JsonNode* KerasEntries::find(std::initializer_list<const char*> names) const {
  for (const char* name : names)
    if (const JsonNode* const found = config.find(name)) return found;
  return nullptr;
}

bool KerasEntries::truth(std::initializer_list<const char*> names, bool fallback) const {
  const JsonNode* const found = find(names);
  if (!found || found->is(Kind::null)) return fallback;
  if (!found->is(Kind::boolean) && !found->is(Kind::number))
    refuse("{}: {}: is neither true nor false; write the file again", place, *names.begin());
  return found->number != 0;
}

double KerasEntries::number(std::initializer_list<const char*> names, double fallback) const {
  const JsonNode* found = find(names);
  // Keras 3 writes some numbers as arrays of NumPy.
  if (found && found->is(Kind::object) && found->find("config") &&
      found->find("config")->find("value"))
    found = found->find("config")->find("value");
  if (!found || found->is(Kind::null)) return fallback;
  if (!found->is(Kind::number) || !std::isfinite(found->number))
    refuse("{}: {}: is not a number; write the file again", place, *names.begin());
  return found->number;
}

std::size_t KerasEntries::size(std::initializer_list<const char*> names,
                               std::size_t fallback) const {
  const double found = number(names, double(fallback));
  if (!(found >= 0 && found <= double(widest)) || found != std::floor(found))
    refuse("{}: {}: {} is not a whole number of 0 to {}; write the file again", place,
           *names.begin(), found, widest);
  return std::size_t(found);
}

std::string KerasEntries::word(std::initializer_list<const char*> names,
                               const char* fallback) const {
  const JsonNode* const found = find(names);
  return found && !found->is(Kind::null) ? keras_word(*found) : fallback;
}

std::string keras_word(const JsonNode& node) {
  if (node.is(Kind::text)) return node.text;
  const std::string& type = text_of(node.find("class_name"));
  if (type != "function" || !node.find("config")) return type;
  return text_of(node.find("config"));
}

}  // namespace sluice::tools
