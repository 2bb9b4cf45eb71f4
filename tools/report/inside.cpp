#include "inside.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "../common/error.h"
#include "../convert/fold.h"
#include "../evaluate/evaluate.h"
#include "../model/graph.h"
#include "../model/model_file.h"
#include "../model/pack.h"
#include "sluice_train.h"

namespace sluice::tools {
namespace {

/// Opens a network to run here, without names, labels and the like.
OwnedModel open_probe(Network network) {
  network.inputs.clear(), network.labels.clear(), network.made.clear(), network.self_test.clear(),
      network.vocabulary.clear();
  return open_model(write_blob(network), "a part of the network");
}

Network first_layers(const Network& network, std::size_t count) {
  Network part = network;
  part.layers.resize(count);
  return part;
}

struct GateName {
  int index;  ///< index of its rows in the weights
  std::string name;
};

/// "update gate z", by the name of its rows in the anatomy.
std::string gate_name(std::string_view rows) {
  constexpr std::pair<std::string_view, const char*> words[] = {
      {"r", "reset "}, {"z", "update "}, {"i", "input "}, {"f", "forget "}, {"o", "output "}};
  for (const auto& [name, word] : words)
    if (name == rows) return fmt::format("{}gate {}", word, rows);
  return fmt::format("gate {}", rows);
}

/// Returns the gates of a layer that have rows of their own, without the candidate; none of a layer
/// with peepholes, since its gates read the cell state, which no output shows, and none of one with
/// a projection, whose gates are those of other units than the layer's.
std::vector<GateName> gate_names(const Layer& layer) {
  if (layer.peepholes || layer.cells > 0) return {};
  const Anatomy& anatomy = layer.anatomy();
  std::vector<GateName> names;
  for (int i = 0; i < anatomy.gates; ++i)
    if (*anatomy.gate_names[i] && i != anatomy.candidate)
      names.push_back({i, gate_name(anatomy.gate_names[i])});
  return names;
}

/// The arrays of one direction of a recurrent layer.
struct Direction {
  const Array &w_ih, &w_hh, &b_ih;
  const Array* b_hh;  ///< null for a GRU that resets before
};

Direction direction_of(const Layer& layer, bool backward) {
  const Array* const bias = layer.find(Role::input_bias, backward);
  return {layer.array(Role::input_weight, backward), layer.array(Role::state_weight, backward),
          bias ? *bias : layer.array(Role::gate_bias, backward),
          layer.find(Role::state_bias, backward)};
}

/// Returns a gate as a Dense layer over the frame and the state before, which it is.
Layer gate_layer(const Layer& layer, const Direction& from, int gate) {
  const int in = from.w_ih.cols, hidden = from.w_ih.rows;
  Layer dense = make_layer(SLUICE_DENSE, in + hidden, hidden,
                           layer.activation == SLUICE_LINEAR ? SLUICE_SIGMOID : layer.activation);
  dense.parameter = layer.activation == SLUICE_HARD_SIGMOID ? layer.parameter : 0;
  auto weight = dense.array(Role::input_weight).values.begin();
  for (int row = gate * hidden; row < (gate + 1) * hidden; ++row) {
    weight = std::copy_n(from.w_ih.values.begin() + std::ptrdiff_t(row) * in, in, weight);
    weight = std::copy_n(from.w_hh.values.begin() + std::ptrdiff_t(row) * hidden, hidden, weight);
    dense.array(Role::input_bias).values[std::size_t(row - gate * hidden)] =
        from.b_ih.values[std::size_t(row)] +
        (from.b_hh ? from.b_hh->values[std::size_t(row)] : 0.0f);
  }
  return dense;
}

/// Returns [steps][in + hidden] for a direction: each frame, followed by the state at the begin of
/// the step.
/// @param initial  the state before the first step; null: zero
std::vector<float> frames_and_states(const Steps& x, const Steps& h, const Array* initial,
                                     std::size_t hidden, bool backward) {
  const std::size_t steps = x.values.size() / x.width, width = x.width + hidden;
  std::vector<float> rows(steps * width);
  for (std::size_t t = 0; t < steps; ++t) {
    float* const row = rows.data() + t * width;
    std::copy_n(x.values.data() + t * x.width, x.width, row);
    if (backward ? t + 1 == steps : t == 0) {
      if (initial) std::copy_n(initial->values.data(), hidden, row + x.width);
      continue;
    }
    const float* const state =
        h.values.data() + (backward ? t + 1 : t - 1) * h.width + (backward ? hidden : 0);
    std::copy_n(state, hidden, row + x.width);
  }
  return rows;
}

Gate open_gate(const Layer& layer, const GateName& gate, const Steps& x, const Steps& h) {
  Gate result{gate.name, {h.width, std::vector<float>(h.values.size())}};
  const std::size_t hidden = h.width / (layer.both ? 2 : 1), steps = h.values.size() / h.width;
  const Layer whole = multiplied_out(layer);
  for (const bool backward : {false, true}) {
    if (backward && !layer.both) break;
    Network probe;
    probe.layers = {gate_layer(layer, direction_of(whole, backward), gate.index)};
    const OwnedModel model = open_probe(std::move(probe));
    OwnedStream stream(model.model, {64, 1});
    std::vector<float> open(steps * hidden);
    const Array* const initial = layer.find(Role::initial_h, backward);
    stream.run(frames_and_states(x, h, initial, hidden, backward).data(), open.data(), steps);
    for (std::size_t t = 0; t < steps; ++t)
      std::copy_n(open.data() + t * hidden, hidden,
                  result.open.values.data() + t * h.width + (backward ? hidden : 0));
  }
  return result;
}

/// Returns the network behind its front layers, with an embedding in front whose rows are the
/// values at each step. The gradient of that embedding is then the gradient by these values.
Network over_steps(const Network& network, const Steps& entering) {
  const std::size_t front = front_layers(network), steps = entering.values.size() / entering.width;
  Network result;
  result.layers.push_back(make_layer(SLUICE_EMBEDDING, int(steps), int(entering.width)));
  std::vector<float>& weight = result.layers[0].array(Role::vectors).values;  // one column per id
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t i = 0; i < entering.width; ++i)
      weight[i * steps + t] = entering.values[t * entering.width + i];
  for (std::size_t l = front; l < network.layers.size(); ++l) {
    Layer layer = network.layers[l];
    if (layer.tied >= 0) layer.tied += 1 - int(front);
    for (std::uint32_t& source : layer.sources) {
      if (source < front)
        refuse("layer {} reads the unprepared frame, while other layers read the prepared one",
               l + 1);
      source = source - std::uint32_t(front) + 1;
    }
    result.layers.push_back(std::move(layer));
  }
  for (const std::uint32_t answer : answers_of(result)) {
    if (answer == 0) continue;
    Layer& layer = result.layers[answer - 1];
    const std::vector<std::uint32_t> readers = readers_of(result, answer);
    const bool only_answers =
        std::all_of(readers.begin(), readers.end(),
                    [&](std::uint32_t reader) { return reader == result.layers.size(); });
    if (only_answers && layer.kind == SLUICE_DENSE &&
        (layer.activation == SLUICE_SOFTMAX || layer.activation == SLUICE_SIGMOID))
      layer.activation = SLUICE_LINEAR;
  }
  return result;
}

/// Returns targets for the loss (y - value)^2 with value = y - 1/2 for the requested output and all
/// others masked; its gradient is that of y itself.
std::vector<float> values_for(const OwnedModel& model, const std::vector<std::int32_t>& ids,
                              const AnswerAt& point) {
  const sluice_info info = model.info();
  OwnedStream stream(model.model, {std::uint32_t(ids.size()), 1});
  std::vector<float> values((info.every_step ? ids.size() : 1) * info.outputs);
  stream.run(ids.data(), values.data(), ids.size());
  const auto at = [&](std::size_t row) {
    return (info.every_step ? row : 0) * info.outputs + point.output;
  };
  const float y = values[at(answered_frames(info).of(point.step))];
  std::fill(values.begin(), values.end(), std::numeric_limits<float>::quiet_NaN());
  values[at(point.step)] = y - 0.5f;
  return values;
}

/// Returns the gradient of a batch of one sequence, as a network of gradients.
Network gradient_of(const OwnedModel& model, const std::vector<std::int32_t>& ids,
                    const std::vector<float>& values) {
  sluice_train_options options = sluice_train_defaults();
  options.loss = SLUICE_MSE;
  options.max_sequences = 1, options.max_steps = std::uint32_t(ids.size()), options.shards = 1;
  AlignedBytes arena(std::size_t(sluice_train_needs(&model.model, &options)));
  sluice_trainer trainer;
  sluice_status status =
      sluice_train_start(&trainer, &model.model, &options, arena.data.get(), arena.size);
  sluice_sequence sequence{};
  sequence.ids = ids.data(), sequence.steps = std::uint32_t(ids.size()),
  sequence.values = values.data();
  const float* const gradient =
      status ? nullptr : sluice_train_gradient(&trainer, &sequence, 1, nullptr, nullptr, &status);
  if (!gradient) refuse("the gradient by the input: {}", sluice_status_text(status));
  Network gradients = read_network(model.model);
  unpack_weights(weight_places(model.model), gradient, gradients);
  return gradients;
}

}  // namespace

std::size_t front_layers(const Network& network) {
  std::size_t count = 0;
  while (count + 1 < network.layers.size() && only_prepares(network.layers[count])) ++count;
  return count == 0 && network.layers.front().kind == SLUICE_EMBEDDING ? 1 : count;
}

Steps run_layers(const Network& network, std::size_t layers, const Excerpt& excerpt) {
  const DataSet& data = excerpt.data;
  if (layers == 0) {
    const float* const x = data.frames(excerpt.sequence);
    return {data.features(), {x, x + excerpt.steps * data.features()}};
  }
  Network part = first_layers(network, layers);
  if (recurrent(part.layers.back()))
    part.layers.back().every_step = true, part.layers.back().mean = false;
  const OwnedModel model = open_probe(part);
  OwnedStream stream(model.model,
                     {model.info().whole_sequences ? std::uint32_t(excerpt.steps) : 64, 1});
  Steps result{model.info().outputs, std::vector<float>(excerpt.steps * model.info().outputs)};
  const std::size_t answers =
      run_rows(stream, data, data.first[excerpt.sequence], excerpt.steps, result.values.data());
  result.values.resize(answers * result.width);
  return result;
}

std::vector<RecurrentLayer> inside(const Network& network, const Excerpt& excerpt) {
  std::vector<RecurrentLayer> result;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    if (!recurrent(layer)) continue;
    RecurrentLayer one{l, run_layers(network, l + 1, excerpt), {}};
    const Steps x = run_layers(network, sources_of(network, l)[0], excerpt);
    for (const GateName& gate : gate_names(layer))
      one.gates.push_back(open_gate(layer, gate, x, one.state));
    result.push_back(std::move(one));
  }
  return result;
}

Steps input_gradient(const Network& network, const Excerpt& excerpt, const AnswerAt& point) {
  if (has_batch_norm(network))
    refuse(
        "the network has a batch normalization, which computes differently in training and in use");
  const Steps entering = run_layers(network, front_layers(network), excerpt);
  const OwnedModel model = open_probe(over_steps(network, entering));
  std::vector<std::int32_t> ids(excerpt.steps);
  for (std::size_t t = 0; t < ids.size(); ++t) ids[t] = std::int32_t(t);
  const Network gradients = gradient_of(model, ids, values_for(model, ids, point));
  const std::vector<float>& columns = gradients.layers[0].array(Role::vectors).values;
  Steps result{entering.width, std::vector<float>(entering.values.size())};
  for (std::size_t t = 0; t < ids.size(); ++t)
    for (std::size_t i = 0; i < result.width; ++i)
      result.values[t * result.width + i] = columns[i * ids.size() + t];
  return result;
}

}  // namespace sluice::tools
