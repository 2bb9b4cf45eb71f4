// Keras's layers without weights: those that compute nothing, change a shape, reduce steps, or
// join.
#include <algorithm>
#include <cmath>

#include "../common/print.h"
#include "../model/graph.h"
#include "keras_network.h"
#include "step_window.h"

namespace sluice::tools {
namespace {

using Json = JsonNode::Kind;

}  // namespace

// ---- Layers that compute nothing ----------------------------------------------------------------

KerasValues KerasNetwork::read_nothing(const Use& use, const KerasValues& inputs) {
  if (!takes_one(use, inputs)) return {KerasValue()};
  note(use, "nothing");
  return {inputs[0]};
}

KerasValues KerasNetwork::read_masking(const Use& use, const KerasValues& inputs) {
  const double value = use.config.number({"mask_value"}, 0);
  if (!takes_sequence(use, inputs)) return {KerasValue()};
  if (inputs[0].source != 0 || given_inputs_ != 1) {
    obstacles_.add("{}: masks frames that the network has computed, or one of several inputs",
                   use.at);
    return {KerasValue()};
  }
  to_.mask = float(value);
  note(use, "the caller leaves those frames out");
  to_.remarks.push_back(fmt::format(
      "{}: frames whose numbers are all {} are to be left out by the caller", use.at, value));
  KerasValue out = inputs[0];
  out.masked = true;
  return {out};
}

KerasValues KerasNetwork::read_flatten(const Use& use, const KerasValues& inputs) {
  if (!takes_one(use, inputs)) return {KerasValue()};
  KerasValue out = inputs[0];
  if (out.sequence && out.steps != 1) {
    const std::size_t in = out.width(), all = in * out.steps;
    if (out.steps == 0 || out.masked || out.reversed || out.input || all > widest) {
      obstacles_.add("{}: puts {} steps{} into one row", use.at,
                     out.steps ? std::to_string(out.steps) : "all",
                     out.masked ? ", of which some are masked," : "");
      return {KerasValue()};
    }
    // A window without zeros: the first answer is the one after the last of these steps.
    Layer window;
    if (const std::string reason = window_of({.taps = std::int64_t(out.steps)}, in, window);
        !reason.empty()) {
      obstacles_.add("{}: {}", use.at, reason);
      return {KerasValue()};
    }
    const std::size_t steps = out.steps;
    out = add(use, with_arrays(std::move(window)), out);
    out.dims = {all}, out.steps = 0, out.left_out = out.source;
    to_.remarks.push_back(fmt::format(
        "{}: reads {} steps at once, which the model keeps; its answer is the one after step {} of "
        "a sequence, so reset it before each sequence",
        use.at, steps, answered_steps(to_.network).first + 1));
    return {out};
  }
  out.dims = {out.width()};
  out.sequence = out.reversed = out.masked = false;
  note(use, "nothing");
  return {out};
}

KerasValues KerasNetwork::read_reshape(const Use& use, const KerasValues& inputs) {
  const auto target = whole_numbers(use.config.find({"target_shape", "dims"}));
  if (!target || target->empty())
    refuse("{}: target_shape: is missing or not a list of sizes; write the file again",
           use.config.place);
  if (!takes_one(use, inputs)) return {KerasValue()};
  const KerasValue& in = inputs[0];
  // An open size takes the rest.
  const double all = double(in.width()) * double(in.sequence ? in.steps : 1);
  double known = 1;
  for (const double size : *target) known *= size > 0 ? size : 1;
  std::vector<std::size_t> shape;
  for (const double size : *target)
    shape.push_back(size > 0 ? std::size_t(size) : std::size_t(known > 0 ? all / known : 0));
  KerasValue out = in;
  if (in.sequence) {
    const std::vector<std::size_t> rest(shape.begin() + 1, shape.end());
    std::size_t width = 1;
    for (const std::size_t size : rest) width = std::min<std::size_t>(width, widest) * size;
    if (shape.size() > 1 && (shape[0] == in.steps || in.steps == 0) && width == in.width()) {
      out.dims = rest;
    } else if (shape.size() == 1 && in.steps == 1 && shape[0] == in.width()) {
      out.dims = {in.width()}, out.sequence = out.masked = out.reversed = false;
    } else {
      obstacles_.add("{}: makes other frames of {} steps of {} numbers", use.at,
                     in.steps ? std::to_string(in.steps) : "any number of", in.width());
      return {KerasValue()};
    }
    note(use, "nothing");
    return {out};
  }
  std::size_t width = 1;
  for (std::size_t i = shape.size() > 1 ? 1 : 0; i < shape.size(); ++i)
    width = std::min<std::size_t>(width, widest) * shape[i];
  if (shape.size() == 1 && width == in.width()) {
    out.dims = {width};
    note(use, "nothing");
    return {out};
  }
  if (shape.size() > 1 && shape[0] == 1 && width == in.width()) {
    out.dims.assign(shape.begin() + 1, shape.end());
    out.sequence = true, out.input = false, out.steps = 1;
    note(use, "nothing");
    return {out};
  }
  if (shape.size() > 1 && in.input && in.source == 0 && given_inputs_ == 1 && !frame_read_ &&
      width > 0 && shape[0] > 0 && double(shape[0]) * double(width) == all &&
      (reshaped_ == 0 || reshaped_ == width)) {
    // The input of all numbers is a sequence of frames.
    reshaped_ = width;
    to_.network.width = int(width), to_.network.inputs.clear();
    out.dims.assign(shape.begin() + 1, shape.end());
    out.sequence = true, out.input = false, out.steps = shape[0];
    note(use, fmt::format("the frame: {} of {} numbers", shape[0], width));
    to_.remarks.push_back(fmt::format("{}: an input of {} numbers is read as {} frames of {}",
                                      use.at, all, shape[0], width));
    return {out};
  }
  obstacles_.add("{}: makes other frames of a row of {} numbers", use.at, in.width());
  return {KerasValue()};
}

KerasValues KerasNetwork::read_permute(const Use& use, const KerasValues& inputs) {
  const auto order = whole_numbers(use.config.find({"dims"}));
  bool same = order.has_value();
  for (std::size_t i = 0; same && i < order->size(); ++i) same = (*order)[i] == double(i + 1);
  if (!same) {
    obstacles_.add("{}: exchanges steps and features", use.at);
    return {KerasValue()};
  }
  return read_nothing(use, inputs);
}

KerasValues KerasNetwork::read_repeat(const Use& use, const KerasValues& inputs) {
  const auto times = std::size_t(std::clamp(use.config.number({"n"}, 0), 0.0, 1e9));
  if (!takes_one(use, inputs)) return {KerasValue()};
  KerasValue out = inputs[0];
  if (out.sequence || out.dims.size() != 1 || (out.once && times != 1)) {
    obstacles_.add(
        "{}: repeats the answer to the last step {} times, and a network goes over its "
        "frames once",
        use.at, times);
    return {KerasValue()};
  }
  out.sequence = true, out.input = false, out.steps = times;
  note(use, "nothing");
  if (times != 1)
    to_.remarks.push_back(
        fmt::format("{}: the caller gives the row in each of {} frames", use.at, times));
  return {out};
}

// ---- Layers over time ---------------------------------------------------------------------------

/// Makes the sequence a value of the last step, or the mean over the steps, if it comes from a
/// recurrent layer that nothing else reads, through layers that keep each step to itself.
bool KerasNetwork::once_a_sequence(KerasValue& value, bool mean) {
  std::uint32_t source = value.source;
  for (;;) {
    if (source == 0 || is_shared(source)) return false;
    const Layer& layer = layer_at(source);
    if (layer.anatomy().recurrent) break;
    const bool affine = layer.kind == SLUICE_BATCH_NORM || layer.kind == SLUICE_SELECT ||
                        (layer.kind == SLUICE_DENSE && layer.activation == SLUICE_LINEAR);
    if (layer.anatomy().joins || layer.anatomy().by_step || (mean && !affine)) return false;
    source = layer.sources.empty() ? source - 1 : layer.sources[0];
  }
  Layer& layer = layer_at(source);
  // The last step of a layer of both directions is that of its forward half alone, except if only
  // its backward half is read.
  if (!layer.every_step || (!mean && layer.both && !value.reversed)) return false;
  layer.every_step = false, layer.mean = mean;
  value.sequence = value.reversed = value.masked = false;
  value.once = true, value.steps = 0;
  return true;
}

/// Reads x[:, -1, :] and x[:, -1] of a sequence.
KerasValues KerasNetwork::read_slice(const Use& use, const KerasValues& inputs) {
  const JsonNode* const index = use.call.index;
  const auto is_all = [](const JsonNode& node) {
    const JsonNode* const config = node.find("config");
    const JsonNode& range = config ? *config : node;
    bool all = range.is(Json::object);
    for (const auto& [name, value] : range.members) all = all && value.is(Json::null);
    return all;
  };
  const bool last = index && index->is(Json::list) && index->items.size() >= 2 &&
                    index->items.size() <= 3 && is_all(index->items[0]) &&
                    index->items[1].is(Json::number) && index->items[1].number == -1 &&
                    (index->items.size() == 2 || is_all(index->items[2]));
  if (!last) obstacles_.add("{}: a part of a tensor other than its last step, [:, -1, :]", use.at);
  if (!takes_sequence(use, inputs) || !last) return {KerasValue()};
  KerasValue out = inputs[0];
  if (!once_a_sequence(out, false)) {
    obstacles_.add(
        "{}: the last step of a layer of both directions, of one that is not recurrent, "
        "or of one that others read too",
        use.at);
    return {KerasValue()};
  }
  note(use, "the last step of the recurrent layer before it");
  return {out};
}

// ---- Joins --------------------------------------------------------------------------------------

/// Reads a sum, product or difference that Keras 2 wrote of an operator or a function of
/// TensorFlow.
KerasValues KerasNetwork::read_operator(const Use& use, const KerasValues& inputs) {
  const std::string function = use.config.word({"function"}, "");
  const std::pair<const char*, const char*> types[] = {
      {"__operators__.add", "Add"},  {"math.add", "Add"},
      {"math.multiply", "Multiply"}, {"__operators__.mul", "Multiply"},
      {"math.subtract", "Subtract"}, {"__operators__.sub", "Subtract"}};
  for (const auto& [name, type] : types)
    if (function == name) {
      KerasLayer layer = use.layer;
      layer.type = type;
      return read_join({layer, use.call, use.place, use.at, use.config, use.readers}, inputs);
    }
  obstacles_.add("{}: the function \"{}\", and there is no such layer here", use.at,
                 brief(function));
  return {KerasValue()};
}

KerasValues KerasNetwork::read_join(const Use& use, const KerasValues& inputs) {
  std::string type = use.layer.type;
  if (type == "Merge") {
    const std::string mode = use.config.word({"mode"}, "sum");
    type = mode == "concat" ? "Concatenate"
           : mode == "sum"  ? "Add"
           : mode == "mul"  ? "Multiply"
           : mode == "ave"  ? "Average"
                            : "";
    if (type.empty()) obstacles_.add("{}: mode \"{}\"", use.at, brief(mode));
  }
  if (inputs.size() < 2)
    obstacles_.add("{}: reads {} tensors, and the other operand is not one of the model's", use.at,
                   inputs.size());
  bool good = !type.empty() && inputs.size() >= 2;
  for (const KerasValue& value : inputs) good = good && value.known;
  if (!good) return {KerasValue()};
  const bool concat = type == "Concatenate";
  const KerasValue& first = inputs[0];
  if (concat && !is_last_axis(use.config.find({"axis", "concat_axis"}), rank_of(first))) {
    obstacles_.add("{}: joins along another axis than the last one", use.at);
    return {KerasValue()};
  }
  for (const KerasValue& value : inputs) {
    if (value.sequence != first.sequence || value.dims.size() != 1 || first.dims.size() != 1 ||
        value.width() == 0 || (!concat && value.width() != first.width())) {
      obstacles_.add("{}: joins tensors of different shapes", use.at);
      return {KerasValue()};
    }
    if (value.sequence && value.reversed != first.reversed) {
      obstacles_.add(
          "{}: joins steps in the order of go_backwards with steps in the order of the "
          "frames",
          use.at);
      return {KerasValue()};
    }
    if (value.sequence && value.left_out != first.left_out) {
      obstacles_.add("{}: joins every step with steps of which some are left out", use.at);
      return {KerasValue()};
    }
    if (value.sequence && value.once != first.once) {
      obstacles_.add("{}: joins the answer to the last step with every step", use.at);
      return {KerasValue()};
    }
  }
  const std::size_t width = first.width();
  KerasValues parts = inputs;
  if (type == "Subtract")
    parts[1] = scaled(parts[1], std::vector<float>(width, -1), std::vector<float>(width));
  std::size_t sum = 0;
  for (const KerasValue& value : parts) sum += value.width();
  if (concat && sum > widest) {
    obstacles_.add("{}: {} numbers, and {} are the most", use.at, sum, widest);
    return {KerasValue()};
  }
  KerasValue out = join(concat               ? SLUICE_CONCAT
                        : type == "Multiply" ? SLUICE_MULTIPLY
                                             : SLUICE_ADD,
                        parts);
  if (type == "Average")
    out =
        scaled(out, std::vector<float>(width, 1 / float(parts.size())), std::vector<float>(width));
  note(use, fmt::format("layer {}: {}", out.source,
                        concat               ? "concat"
                        : type == "Multiply" ? "product"
                        : type == "Subtract" ? "difference"
                        : type == "Average"  ? "mean"
                                             : "sum"));
  return {out};
}

}  // namespace sluice::tools
