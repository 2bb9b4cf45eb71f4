#include "keras_network.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "../common/print.h"
#include "../model/graph.h"

namespace sluice::tools {
namespace {

using Json = JsonNode::Kind;

/// Returns a shape without its first size, the batch's; sizes that are open are 0. Nothing if the
/// node is no shape.
std::optional<std::vector<std::size_t>> shape_of(const JsonNode* node) {
  std::vector<std::size_t> shape;
  if (!node || !node->is_list() || node->size() == 0) return std::nullopt;
  for (std::size_t i = 1; i < node->size(); ++i) {
    double size = 0;
    if (node->is(Json::numbers))
      size = node->numbers[i];
    else if (node->items[i].is(Json::number))
      size = node->items[i].number;
    else if (!node->items[i].is(Json::null))
      return std::nullopt;
    if (!(size >= 0 && size <= 1e9) || size != std::floor(size)) return std::nullopt;
    shape.push_back(std::size_t(size));
  }
  return shape;
}

/// Returns the shape of a first layer's input as the layer's configuration says it.
std::optional<std::vector<std::size_t>> shape_in(const JsonNode& config) {
  for (const char* name : {"batch_shape", "batch_input_shape"})
    if (auto shape = shape_of(config.find(name))) return shape;
  const JsonNode* const width = config.find("input_dim");  // of Keras 1
  const JsonNode* const length = config.find("input_length");
  if (width && width->is(Json::number) && width->number >= 1 && width->number <= double(widest)) {
    const bool sequence = config.find("return_sequences") || config.find("inner_activation");
    std::vector<std::size_t> shape;
    if (sequence || length)
      shape.push_back(length && length->is(Json::number) && length->number >= 1 &&
                              length->number <= 1e9
                          ? std::size_t(length->number)
                          : 0);
    shape.push_back(std::size_t(width->number));
    return shape;
  }
  if (const JsonNode* const inner = config.find("layer"))
    if (const JsonNode* const settings = inner->find("config")) return shape_in(*settings);
  return std::nullopt;
}

/// Returns whether a layer's name is one that Keras gave it: "lstm_1", "input_2", "dense_input".
bool is_automatic(const std::string& name, const std::string& type) {
  std::string_view text = name;
  while (!text.empty() && text.back() >= '0' && text.back() <= '9') text.remove_suffix(1);
  if (text.size() < name.size() && text.ends_with('_')) text.remove_suffix(1);
  std::string plain = snake_case(type);
  std::erase(plain, '_');
  std::string bare(text);
  std::erase(bare, '_');
  return bare == plain || text == "input" || text == "input_layer" || text.ends_with("_input") ||
         text == "keras_tensor" || text == "layer ";
}

}  // namespace

KerasNetwork::KerasNetwork(KerasWeights& weights, int version, std::size_t bytes,
                           const std::string& file, Imported& to)
    : weights_(weights),
      version_(version),
      file_(file),
      to_(to),
      obstacles_(file),
      room_(bytes / 2 + (1 << 20)) {}

void KerasNetwork::take(std::size_t numbers) {
  if (numbers > room_)
    refuse("{}: makes more weights of the same numbers than the file has; give the file of a model",
           file_);
  room_ -= numbers;
}

bool KerasNetwork::is_shared(std::uint32_t source) const {
  return source < shared_.size() && shared_[source];
}

void KerasNetwork::share(std::uint32_t source) {
  if (shared_.size() <= source) shared_.resize(source + 1);
  shared_[source] = true;
}

std::uint32_t KerasNetwork::source_of(const KerasValue& value) {
  if (value.source == 0 && value.known) frame_read_ = true;
  return value.source;
}

void KerasNetwork::note(const Use& use, const std::string& became) { to_.note(use.at, became); }

KerasValue KerasNetwork::add(const Use& use, Layer layer, const KerasValue& from) {
  KerasValue to = from;
  const std::uint32_t source = source_of(from);
  const auto width = std::size_t(layer.out);
  const std::string name = layer.anatomy().name;
  to.source = append(to_.network, std::move(layer), source);
  to.dims = {width}, to.input = false;
  note(use, fmt::format("layer {}: {}, {} outputs", to.source, name, width));
  return to;
}

KerasValue KerasNetwork::select(const KerasValue& from, std::size_t first, std::size_t count) {
  std::vector<std::int32_t> columns;
  for (std::size_t i = 0; i < count; ++i) columns.push_back(std::int32_t(first + i));
  KerasValue to = from;
  take(count);
  to.source = append_select(to_.network, from.source, columns);
  to.dims = {count};
  return to;
}

KerasValue KerasNetwork::join(sluice_layer_kind kind, const KerasValues& parts) {
  constexpr std::size_t most = 8;  // sources of a layer
  KerasValues left = parts;
  while (left.size() > 1) {
    const std::size_t count = std::min(most, left.size());
    std::vector<std::uint32_t> sources;
    for (std::size_t i = 0; i < count; ++i) sources.push_back(source_of(left[i]));
    KerasValue joined = left[0];
    joined.source = append_join(to_.network, kind, std::move(sources));
    joined.dims = {std::size_t(to_.network.layers.back().out)}, joined.input = false;
    for (std::size_t i = 1; i < count; ++i) {
      joined.once = joined.once || left[i].once;
      joined.masked = joined.masked || left[i].masked;
    }
    left.erase(left.begin(), left.begin() + std::ptrdiff_t(count));
    left.insert(left.begin(), joined);
  }
  return left[0];
}

KerasValue KerasNetwork::scaled(const KerasValue& from, const std::vector<float>& scale,
                                const std::vector<float>& shift) {
  KerasValue to = from;
  take(4 * scale.size());
  to.source = append_scale(to_.network, source_of(from), scale, shift);
  to.input = false;
  return to;
}

bool KerasNetwork::takes_one(const Use& use, const KerasValues& inputs) {
  if (inputs.size() != 1)
    obstacles_.add("{}: reads {} tensors, and such a layer reads one here", use.at, inputs.size());
  if (inputs.size() != 1 || !inputs[0].known) return false;
  if (inputs[0].width() > 0 || use.layer.type == "Embedding") return true;
  obstacles_.add("{}: reads an input of any number of numbers, as ids alone can be", use.at);
  return false;
}

bool KerasNetwork::takes_sequence(const Use& use, const KerasValues& inputs) {
  if (!takes_one(use, inputs)) return false;
  const KerasValue& in = inputs[0];
  if (!in.sequence || in.dims.size() != 1) {
    obstacles_.add("{}: reads {}, and such a layer reads a sequence of frames", use.at,
                   in.sequence ? "frames of several dimensions" : "one row for a sequence");
    return false;
  }
  if (in.once) {
    obstacles_.add(
        "{}: reads the answer to the last step as a sequence, and a network goes over "
        "its frames once",
        use.at);
    return false;
  }
  return true;
}

std::vector<Tensor> KerasNetwork::arrays(const KerasPlace& place, const std::string& at,
                                         const std::vector<Wanted>& wanted) {
  std::vector<Tensor> found = weights_.arrays(place, at);
  if (found.size() != wanted.size())
    refuse(
        "{}: {}: has {} arrays of weights, and its configuration makes them {}; the file is not "
        "whole, or contradicts itself",
        file_, at, found.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    Tensor good;
    good.shape = wanted[i].shape;
    if (found[i].shape != good.shape)
      refuse(
          "{}: {}: has the shape {}, and its configuration makes it {}; the file contradicts "
          "itself",
          file_, found[i].name, found[i].shape_text(), good.shape_text());
    to_.note(fmt::format("{} {}", found[i].name, found[i].shape_text()),
             fmt::format("layer {}: {}", to_.network.layers.size() + 1, wanted[i].becomes));
  }
  return found;
}

KerasValues KerasNetwork::read_layer(const KerasLayer& layer, const KerasCall& call,
                                     const KerasPlace& place, const std::string& path,
                                     std::vector<std::size_t> readers, const KerasValues& inputs) {
  constexpr std::size_t most_calls = 1 << 16;
  if (++calls_ > most_calls || to_.network.layers.size() > most_layers)
    refuse("{}: calls more than {} layers, as models inside models; a network has {} at most",
           file_, calls_ > most_calls ? most_calls : most_layers, most_layers);
  const std::string at = fmt::format("{}{} ({})", path, brief(layer.name), brief(layer.type));
  const Kind* kind = kinds;
  while (kind->type && layer.type != kind->type) ++kind;
  const std::size_t outputs = std::max<std::size_t>(1, readers.size());
  if (!kind->type) {
    obstacles_.add("{}: there is no such layer here{}", at,
                   layer.type == "Lambda" || layer.type == "TFOpLambda"
                       ? "; its function is in its program's code"
                       : "");
    return KerasValues(outputs);
  }
  if (!layer.config->is(Json::object) && !is_keras_model(layer.type))
    refuse("{}: {}: its config is not an object; write the file again", file_, at);
  for (const std::string& other : call.others)
    obstacles_.add("{}: its argument \"{}\" is a tensor, which cannot be expressed", at,
                   brief(other));
  const Use use = {layer,
                   call,
                   place,
                   at,
                   {*layer.config, fmt::format("{}: {}", file_, at)},
                   std::move(readers)};
  constexpr Reader padded[] = {
      &KerasNetwork::read_convolution, &KerasNetwork::read_pooling,
      &KerasNetwork::read_padding,     &KerasNetwork::read_time_distributed,
      &KerasNetwork::read_nested,      &KerasNetwork::read_nothing};
  const bool takes_padding =
      std::find(std::begin(padded), std::end(padded), kind->reader) != std::end(padded);
  for (const KerasValue& value : inputs)
    if (value.is_padded() && !takes_padding)
      obstacles_.add("{}: reads steps of zeros, which a convolution alone may read", at);
  KerasValues result = (this->*kind->reader)(use, inputs);
  if (result.size() < outputs) result.resize(outputs);
  for (std::size_t i = 0; i < use.readers.size(); ++i)
    if (use.readers[i] > 0 && !result[i].known && obstacles_.empty() && result[0].known)
      obstacles_.add("{}: its output {} is read, and it has none", at, i + 1);
  return result;
}

KerasValues KerasNetwork::read_model(const KerasModel& model, const KerasPlace& place,
                                     const std::string& path, const KerasValues& inputs) {
  struct Call {
    std::size_t layer, call;
    auto operator<=>(const Call&) const = default;
  };
  std::map<std::string, std::size_t> by_name;
  for (std::size_t l = 0; l < model.layers.size(); ++l) by_name[model.layers[l].name] = l;

  // Keras 2 counts the calls of a model inside a model from 1.
  std::map<std::string, std::size_t> offset;
  const auto look = [&](const KerasTensor& tensor) {
    const auto found = by_name.find(tensor.layer);
    if (found == by_name.end()) return;
    const KerasLayer& layer = model.layers[found->second];
    if (is_keras_model(layer.type) && tensor.call == layer.calls.size()) offset[layer.name] = 1;
  };
  for (const KerasLayer& layer : model.layers)
    for (const KerasCall& call : layer.calls)
      for (const KerasTensor& tensor : call.sources) look(tensor);
  for (const KerasTensor& tensor : model.outputs) look(tensor);
  const auto call_of = [&](const KerasTensor& tensor) -> Call {
    const auto found = by_name.find(tensor.layer);
    const auto shift = offset.find(tensor.layer);
    const std::size_t call = tensor.call - (shift == offset.end() ? 0 : shift->second);
    if (found == by_name.end() || call >= model.layers[found->second].calls.size())
      refuse(
          "{}: {}a layer reads \"{}\", call {}, which is not in the model; the file contradicts "
          "itself",
          file_, path, brief(tensor.layer), tensor.call);
    return {found->second, call};
  };

  // The readers of each tensor, and the calls in an order in which each follows its sources.
  std::map<Call, std::map<std::size_t, std::size_t>> readers;
  std::map<Call, int> state;  // 1: begun; 2: done
  std::vector<Call> order;
  struct Visit {
    Call call;
    std::size_t next = 0;
  };
  std::vector<Visit> stack;
  for (const KerasTensor& output : model.outputs) {
    const Call answer = call_of(output);
    ++readers[answer][output.output];
    if (state[answer] == 0) stack.push_back({answer}), state[answer] = 1;
    while (!stack.empty()) {
      Visit& visit = stack.back();
      const auto& sources = model.layers[visit.call.layer].calls[visit.call.call].sources;
      if (visit.next == sources.size()) {
        state[visit.call] = 2;
        order.push_back(visit.call);
        stack.pop_back();
        continue;
      }
      const KerasTensor& source = sources[visit.next++];
      const Call call = call_of(source);
      ++readers[call][source.output];
      if (state[call] == 1)
        refuse("{}: {}\"{}\" reads its own output; the file contradicts itself", file_, path,
               brief(source.layer));
      if (state[call] == 0) state[call] = 1, stack.push_back({call});
    }
  }

  std::map<Call, KerasValues> values;
  const auto value_of = [&](const KerasTensor& tensor) {
    const KerasValues& outputs = values.at(call_of(tensor));
    return tensor.output < outputs.size() ? outputs[tensor.output] : KerasValue();
  };
  for (const Call& call : order) {
    const KerasLayer& layer = model.layers[call.layer];
    const KerasCall& here = layer.calls[call.call];
    std::vector<std::size_t> counts;
    for (const auto& [output, count] : readers[call]) {
      if (output >= 64)
        refuse("{}: {}{}: has no output {}; the file contradicts itself", file_, path,
               brief(layer.name), output);
      if (counts.size() <= output) counts.resize(output + 1);
      counts[output] = count;
    }
    KerasValues from;
    for (const KerasTensor& tensor : here.sources) from.push_back(value_of(tensor));
    if (here.sources.empty()) {
      const auto input =
          std::find(model.inputs.begin(), model.inputs.end(), KerasTensor{layer.name, 0, 0});
      const auto index = std::size_t(input - model.inputs.begin());
      if (index >= inputs.size() && layer.type == "InputLayer")
        refuse("{}: {}{}: is an input that the model does not name; the file contradicts itself",
               file_, path, brief(layer.name));
      if (index < inputs.size()) from.push_back(inputs[index]);
    }
    KerasValues& made = values[call];
    made = layer.type == "InputLayer"
               ? from
               : read_layer(layer, here, weights_.layer(place, layer), path, counts, from);
    if (made.empty()) made.resize(1);
    std::map<std::uint32_t, std::size_t> reads;
    for (std::size_t i = 0; i < std::min(counts.size(), made.size()); ++i)
      if (made[i].known) reads[made[i].source] += counts[i];
    for (const auto& [source, count] : reads)
      if (count > 1) share(source);
  }
  for (std::size_t l = 0; l < model.layers.size(); ++l)
    for (std::size_t c = 0; c < model.layers[l].calls.size(); ++c)
      if (!values.count({l, c}))
        to_.note(fmt::format("{}{} ({})", path, brief(model.layers[l].name),
                             brief(model.layers[l].type)),
                 "nothing: no output depends on it");
  KerasValues outputs;
  for (const KerasTensor& tensor : model.outputs) outputs.push_back(value_of(tensor));
  return outputs;
}

KerasValues KerasNetwork::make_inputs(const KerasModel& model) {
  struct Input {
    std::string name, type;
    std::vector<std::size_t> shape;
  };
  std::vector<Input> inputs;
  for (const KerasTensor& tensor : model.inputs) {
    const auto layer = std::find_if(model.layers.begin(), model.layers.end(),
                                    [&](const KerasLayer& l) { return l.name == tensor.layer; });
    if (layer == model.layers.end())
      refuse("{}: its input \"{}\" is not in the model; the file contradicts itself", file_,
             brief(tensor.layer));
    auto shape = shape_in(*layer->config);
    if (!shape) shape = shape_of(model.input_shape);
    if (!shape && is_keras_model(layer->type)) {
      // A model that begins with a model.
      const JsonNode* const config = layer->config;
      const JsonNode* const list = config->is_list() ? config : config->find("layers");
      if (list && list->is(Json::list) && !list->items.empty())
        if (const JsonNode* const first = list->items[0].find("config")) shape = shape_in(*first);
    }
    if (!shape || shape->empty())
      refuse(
          "{}: {}: the shape of its input is not in the file; build the model with an Input and "
          "write it again",
          file_, brief(tensor.layer));
    inputs.push_back({tensor.layer, layer->type, *shape});
  }
  given_inputs_ = inputs.size();

  KerasValues values;
  std::size_t width = 0;
  for (const Input& input : inputs) {
    KerasValue value;
    value.known = true;
    value.sequence = input.shape.size() > 1;
    value.input = !value.sequence;
    value.steps = value.sequence ? input.shape[0] : 0;
    value.dims.assign(input.shape.begin() + (value.sequence ? 1 : 0), input.shape.end());
    std::size_t product = 1;
    for (const std::size_t size : value.dims)
      product = std::min<std::size_t>(product, widest) * size;
    const bool ids = inputs.size() == 1 && value.input;  // of any number of steps
    if (product > widest || (product == 0 && !ids)) {
      obstacles_.add("{} ({}): frames of {} numbers, and 1 to {} can be expressed",
                     brief(input.name), brief(input.type),
                     product == 0 ? "any number of" : std::to_string(product), widest);
      value.known = false;
    }
    values.push_back(value);
    width += product;
  }
  if (width > widest) obstacles_.add("{} inputs, and {} are the most", width, widest);
  obstacles_.refuse_any();
  to_.network.width = int(width);
  const bool named = inputs.size() > 1 || !is_automatic(inputs[0].name, inputs[0].type);
  std::size_t first = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::size_t count = values[i].width();
    for (std::size_t k = 0; named && k < count; ++k)
      to_.network.inputs.push_back(count == 1 ? inputs[i].name
                                              : fmt::format("{}_{}", inputs[i].name, k));
    if (inputs.size() > 1) {
      const auto dims = values[i].dims;
      values[i] = select(values[i], first, count);
      values[i].dims = dims;
      to_.note(brief(inputs[i].name), fmt::format("numbers {} to {} of the frame (layer {})", first,
                                                  first + count - 1, values[i].source));
    }
    first += count;
  }
  if (inputs.size() == 1)
    to_.note(brief(inputs[0].name), "the frame");
  else
    frame_read_ = true;
  const auto sequences =
      std::count_if(values.begin(), values.end(), [](const KerasValue& v) { return v.sequence; });
  if (sequences > 0)
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (!values[i].sequence)
        to_.remarks.push_back(
            fmt::format("the input {} has one row for a sequence: give its numbers in every frame",
                        brief(inputs[i].name)));
  return values;
}

void KerasNetwork::make_answers(const KerasModel& model, const KerasValues& outputs) {
  constexpr std::size_t most = 8;
  Network& network = to_.network;
  std::size_t once = 0, known = 0;
  bool sequences = false;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const KerasValue& value = outputs[i];
    if (!value.known) continue;
    ++known;
    once += value.once;
    sequences = sequences || (value.sequence && !value.once);
    if (value.sequence && value.reversed)
      obstacles_.add(
          "the output {}: is in the order of go_backwards, from the last step to the "
          "first, and answers are in the order of the frames",
          brief(model.outputs[i].layer));
    if (value.is_padded())
      obstacles_.add("the output {}: has steps of zeros, which a convolution alone may read",
                     brief(model.outputs[i].layer));
    if (value.source == 0)
      obstacles_.add("the output {}: is the input as it is; there is nothing to compute",
                     brief(model.outputs[i].layer));
  }
  if (once > 0 && sequences)
    obstacles_.add(
        "has outputs for every step and outputs for a whole sequence, and a network "
        "answers in one way; build a model of either kind of outputs");
  if (outputs.size() > most)
    obstacles_.add("{} outputs, and {} are the most", outputs.size(), most);
  if (obstacles_.empty() && (known < outputs.size() || network.layers.empty()))
    obstacles_.add("has an output that no layer computes");
  obstacles_.refuse_any();
  KerasValue answer = outputs[0];
  if (outputs.size() > 1)
    answer = join(SLUICE_CONCAT, outputs);
  else if (answer.source != network.layers.size())
    answer = select(answer, 0, answer.width());
  const auto type_of = [&](const std::string& name) {
    const auto layer = std::find_if(model.layers.begin(), model.layers.end(),
                                    [&](const KerasLayer& l) { return l.name == name; });
    return layer == model.layers.end() ? std::string() : layer->type;
  };
  const std::string& first = model.outputs[0].layer;
  if (outputs.size() == 1 && is_automatic(first, type_of(first))) return;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string& name = model.outputs[i].layer;
    const std::size_t width = outputs[i].width();
    if (outputs.size() > 1 && outputs[i].source > 0) layer_at(outputs[i].source).name = name;
    for (std::size_t k = 0; k < width; ++k)
      network.labels.push_back(width == 1 ? name : fmt::format("{}_{}", name, k));
  }
  // Several outputs of one layer would share their names.
  if (std::set<std::string>(network.labels.begin(), network.labels.end()).size() !=
      network.labels.size())
    network.labels.clear();
}

void KerasNetwork::read(const KerasModel& model) {
  const KerasValues inputs = make_inputs(model);
  make_answers(model, read_model(model, weights_.model(), "", inputs));
}

}  // namespace sluice::tools
