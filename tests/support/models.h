// Makes networks with random weights, their blobs, and streams over them in memory of exactly the
// announced size.
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/network.h"
#include "model/pack.h"
#include "numbers.h"
#include "runtime/blob.h"
#include "sluice.h"

namespace sluice::tests {

using tools::Layer;
using tools::Network;

/// Exactly so many bytes at a multiple of 64, so that AddressSanitizer finds an access to the first
/// byte beyond.
struct Memory {
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  std::unique_ptr<uint8_t, Free> owner;
  size_t size;
  explicit Memory(size_t bytes, uint8_t fill = 0xCD) : size(bytes) {
    void* p = nullptr;
    if (posix_memalign(&p, 64, bytes ? bytes : 1) != 0) std::abort();
    owner.reset(static_cast<uint8_t*>(p));
    std::memset(p, fill, bytes);
  }
  explicit Memory(std::string_view bytes) : Memory(bytes.size()) {
    std::memcpy(data(), bytes.data(), bytes.size());
  }
  uint8_t* data() { return owner.get(); }
  const uint8_t* data() const { return owner.get(); }
};

/// The specification of one layer of a test's network.
struct Spec {
  sluice_layer_kind kind;
  int units;
  sluice_activation activation = SLUICE_LINEAR;
  bool every_step = false;
  bool mean = false, both = false;
  float parameter = 0;
  int tied = -1;
  int rank = 0;
  /// 0 is the frame, n the n-th layer; empty for the layer before.
  std::vector<uint32_t> sources = {};
  sluice_activation candidate = SLUICE_TANH;
  float second = 0;
  int parts = 0, dilation = 0, stride = 1, ahead = 0;
  int first = 0;
  int out = 0;             ///< of a layer of parts: all its outputs
  bool has_zeros = false;  ///< of a select: some columns are -1
  bool initial_state = false;
  bool peepholes = false;
  float cell_clip = 0;
  int projection = 0;  ///< the units are then cells
};
inline Spec cell(sluice_layer_kind kind, int units, bool every_step = false) {
  return {kind, units, SLUICE_LINEAR, every_step};
}
inline Spec gru(int units, bool every_step = false) { return cell(SLUICE_GRU, units, every_step); }
inline Spec dense(int units, sluice_activation activation = SLUICE_LINEAR) {
  Spec s{SLUICE_DENSE, units, activation};
  const bool hard = activation == SLUICE_HARD_SIGMOID || activation == SLUICE_HARD_SILU;
  s.parameter = hard ? 1.0f / 6 : activation == SLUICE_CLIP ? -0.5f : 0;
  s.second = activation == SLUICE_ELU          ? 0.7f
             : activation == SLUICE_LEAKY_RELU ? 0.1f
             : activation == SLUICE_CLIP       ? 0.75f
                                               : 0;
  return s;
}
/// A Dense for each of equal parts.
inline Spec for_parts(Spec s, int parts) { return s.parts = parts, s.out = s.units * parts, s; }
inline Spec curve(sluice_activation activation) {
  Spec s = dense(0, activation);
  return s.kind = SLUICE_CURVE, s;
}
/// @param in  the width of a frame
inline Spec window(int in, int steps, int dilation = 1) {
  Spec s{SLUICE_WINDOW, in * steps};
  return s.parts = steps, s.dilation = dilation, s;
}
/// A window that has an output at every stride-th step only; with valid, from the first one on that
/// has no zeros before it.
inline Spec strided(Spec s, int stride, bool valid = false) {
  return s.stride = stride, s.first = valid ? (s.parts - 1) * s.dilation : 0, s;
}
/// A window whose first output is that of a step, counted from 0.
inline Spec begins(Spec s, int first) { return s.first = first, s; }
/// A window that reads `steps` behind the one of its output.
inline Spec ahead(Spec s, int steps) { return s.ahead = steps, s; }
inline Spec pool(sluice_layer_kind kind, int parts, int channels) {
  Spec s{kind, parts * channels};
  return s.parts = parts, s;
}
inline Spec over_steps(sluice_layer_kind kind) { return {kind, 0}; }
inline Spec attention(uint32_t score, uint32_t x) {
  Spec s{SLUICE_ATTENTION, 0};
  return s.sources = {score, x}, s;
}
inline Spec unit_norm() {
  Spec s{SLUICE_UNIT_NORM, 0};
  return s.parameter = 1e-12f, s;
}
inline Spec standardize() { return {SLUICE_STANDARDIZE, 0}; }
inline Spec norm(sluice_layer_kind kind) {
  Spec s{kind, 0};
  s.parameter = 1e-5f;
  return s;
}
inline Spec embedding(int units) {
  return {SLUICE_EMBEDDING, units};
}  ///< the network's inputs: ids that there are
inline Spec difference() { return {SLUICE_DIFFERENCE, 0}; }
inline Spec from(Spec s, uint32_t source) { return s.sources = {source}, s; }
inline Spec select(int columns, uint32_t source) { return from({SLUICE_SELECT, columns}, source); }
inline Spec with_zeros(Spec select) { return select.has_zeros = true, select; }
inline Spec join(sluice_layer_kind kind, std::vector<uint32_t> sources) {
  Spec s{kind, 0};
  s.sources = std::move(sources);
  return s;
}
inline Spec concat(std::vector<uint32_t> sources) {
  return join(SLUICE_CONCAT, std::move(sources));
}
inline Spec add(std::vector<uint32_t> sources) { return join(SLUICE_ADD, std::move(sources)); }
inline Spec multiply(std::vector<uint32_t> sources) {
  return join(SLUICE_MULTIPLY, std::move(sources));
}
inline Spec mean(Spec s) { return s.mean = true, s.every_step = false, s; }
inline Spec both(Spec s) { return s.both = true, s; }
inline Spec tied(Spec s, int to) { return s.tied = to, s; }
inline Spec low_rank(Spec s, int rank) { return s.rank = rank, s; }
inline Spec initial_state(Spec s) { return s.initial_state = true, s; }
inline Spec peepholes(Spec s) { return s.peepholes = true, s; }
inline Spec projected(Spec s, int units) { return s.projection = units, s; }
inline Spec clipped_cells(Spec s, float most) { return s.cell_clip = most, s; }
inline Spec gates(Spec s, sluice_activation f, float slope = 0) {
  return s.activation = f, s.parameter = slope, s;
}

inline Spec candidate(Spec s, sluice_activation f) {
  s.candidate = f;
  s.second = f == SLUICE_ELU ? 0.7f : f == SLUICE_LEAKY_RELU ? 0.1f : 0;
  return s;
}

/// The activations of a Dense that are computed number by number.
constexpr sluice_activation every_activation[] = {
    SLUICE_LINEAR,    SLUICE_TANH,       SLUICE_SIGMOID, SLUICE_RELU,     SLUICE_HARD_SIGMOID,
    SLUICE_ELU,       SLUICE_LEAKY_RELU, SLUICE_PRELU,   SLUICE_SILU,     SLUICE_GELU,
    SLUICE_GELU_TANH, SLUICE_SOFTPLUS,   SLUICE_CLIP,    SLUICE_SOFTSIGN, SLUICE_EXPONENTIAL,
    SLUICE_SELU,      SLUICE_HARD_SILU};
/// The candidates of a cell, except tanh.
constexpr sluice_activation other_candidates[] = {SLUICE_LINEAR,     SLUICE_RELU,     SLUICE_ELU,
                                                  SLUICE_LEAKY_RELU, SLUICE_SOFTSIGN, SLUICE_SELU};

constexpr sluice_layer_kind every_cell[] = {SLUICE_GRU, SLUICE_GRU_BEFORE, SLUICE_LSTM, SLUICE_RNN,
                                            SLUICE_FASTGRNN};

constexpr bool every_step = true;

/// Returns the width of the input of the next layer of a network.
inline int in_of(const Network& network, const Spec& s, int inputs) {
  const auto width = [&](uint32_t source) {
    return source ? network.layers[source - 1].out : inputs;
  };
  if (s.sources.empty()) return width(uint32_t(network.layers.size()));
  int sum = 0;
  for (const uint32_t source : s.sources) sum += width(source);
  return s.kind == SLUICE_CONCAT ? sum : width(s.sources.back());
}

/// Returns the specifications of networks that are not chains, by name: residual and dense
/// connections, masks, several answers. Their units are not multiples of a panel, and some layers
/// join sources of different length.
inline std::vector<std::pair<std::string, std::vector<Spec>>> every_graph() {
  constexpr bool every = true;
  return {
      {"residual", {dense(9), gru(9, every), add({1, 2}), gru(9, every), add({3, 4}), dense(3)}},
      {"dense connections",
       {dense(7, SLUICE_TANH), gru(5, every), concat({1, 2, 0}), gru(11, every), concat({2, 4, 0}),
        gru(9, every), dense(4, SLUICE_SIGMOID)}},
      {"mask", {gru(9, every), dense(5, SLUICE_SIGMOID), multiply({2, 0})}},
      {"two answers",
       {gru(9, every), dense(1, SLUICE_SIGMOID), from(dense(3, SLUICE_SOFTMAX), 1),
        concat({2, 3})}},
      {"a layer from afar",
       {dense(6), dense(12), dense(3), from(gru(7, every), 1), add({4, 4}), concat({5, 2})}},
      {"the last frame beside the last step",
       {gru(5), concat({1, 0}), dense(6), select(6, 0), add({3, 4})}},
      {"the frame alone from layer to layer",
       {select(4, 0), dense(3), from(dense(3), 0), multiply({2, 3}), from(select(2, 4), 4)}},
      {"joins of joins",
       {concat({0, 0}), add({1, 1, 1}), multiply({1, 2}), concat({1, 2, 3}), gru(3, every),
        concat({5, 0, 5})}},
  };
}

/// Returns the specifications of networks with convolutions over steps and inside a frame of 5
/// numbers.
inline std::vector<std::pair<std::string, std::vector<Spec>>> every_convolution() {
  return {
      {"a window", {window(5, 3), dense(9, SLUICE_RELU), gru(7), dense(3)}},
      {"a dilated window of a layer",
       {gru(9, true), window(9, 3, 2), dense(4, SLUICE_TANH), window(4, 1), window(4, 2, 5),
        dense(3)}},
      {"a convolution inside a frame",
       {with_zeros(select(18, 0)), for_parts(dense(3, SLUICE_PRELU), 6),
        pool(SLUICE_MAX_POOL, 3, 3), dense(8), gru(5, true), dense(2)}},
      {"whole panels of parts",
       {select(12, 0), for_parts(dense(16, SLUICE_SILU), 3), pool(SLUICE_MEAN_POOL, 2, 8),
        cell(SLUICE_LSTM, 9), for_parts(dense(2, SLUICE_RELU), 3)}},
      {"a spectrum",
       {select(14, 0), for_parts(dense(6), 2), pool(SLUICE_NORM_POOL, 2, 3), curve(SLUICE_SOFTPLUS),
        curve(SLUICE_LOG), gru(9, true), unit_norm()}},
      {"roots of sums", {dense(7), curve(SLUICE_SOFTPLUS), curve(SLUICE_SQRT), dense(3)}},
      {"every second step", {strided(window(5, 1), 2), gru(7, true), dense(8)}},
      {"a convolution with a stride",
       {strided(window(5, 3), 2), dense(9, SLUICE_RELU), gru(7, true), dense(3)}},
      {"a convolution that begins later",
       {begins(window(5, 4, 2), 3), dense(9), begins(strided(window(9, 3), 2), 1), dense(8)}},
      {"a valid convolution", {strided(window(5, 3, 2), 1, true), dense(9), gru(7), dense(8)}},
      {"pooling over steps",
       {dense(6), strided(window(6, 3), 1, true), dense(4, SLUICE_RELU),
        strided(window(4, 2), 2, true), pool(SLUICE_MAX_POOL, 1, 4), cell(SLUICE_LSTM, 9, true),
        strided(window(9, 3), 3, true), pool(SLUICE_MEAN_POOL, 1, 9)}},
      {"joins of every third step",
       {gru(9, true), strided(window(9, 2), 3), dense(4), from(dense(4, SLUICE_RELU), 2),
        add({3, 4}), concat({5, 2})}},
      {"the largest over steps",
       {strided(window(5, 2), 2), dense(9, SLUICE_RELU), over_steps(SLUICE_MAX_OVER_STEPS),
        dense(3)}},
      {"the mean over steps",
       {gru(8, true), over_steps(SLUICE_MEAN_OVER_STEPS),
        from(over_steps(SLUICE_MAX_OVER_STEPS), 1), concat({2, 3}), dense(4)}},
      {"attention", {gru(9, true), dense(7, SLUICE_TANH), dense(1), attention(3, 1), dense(3)}},
      {"attention to every second step",
       {strided(window(5, 2), 2), dense(1), from(dense(8), 1), attention(2, 3),
        from(over_steps(SLUICE_MAX_OVER_STEPS), 3), concat({4, 5})}},
      {"slopes of their own", {gru(9, true), curve(SLUICE_PRELU), curve(SLUICE_TANH)}},
      {"softmax of parts", {for_parts(dense(3, SLUICE_SOFTMAX), 5), dense(4)}},
  };
}

/// Fills in weights and biases of the size that a trained network has.
inline Network random_network(int inputs, const std::vector<Spec>& specs, uint64_t seed = 1) {
  Noise noise(seed);
  Network network;
  for (const Spec& s : specs) {
    const int in = in_of(network, s, inputs);
    const int own = s.projection ? s.projection : s.units;
    const int out = own == 0 ? in : s.out ? s.out : s.both ? 2 * own : own;
    Layer layer;
    layer.sources = s.sources;
    layer.kind = s.kind, layer.in = in, layer.out = out, layer.activation = s.activation,
    layer.every_step = s.every_step;
    layer.mean = s.mean, layer.both = s.both, layer.parameter = s.parameter, layer.tied = s.tied;
    layer.rank = s.rank, layer.initial_state = s.initial_state;
    layer.peepholes = s.peepholes, layer.cell_clip = s.cell_clip;
    if (s.projection) layer.cells = s.units;
    layer.candidate = s.candidate, layer.second = s.second;
    layer.parts = s.parts, layer.dilation = s.dilation;
    layer.stride = s.stride, layer.ahead = s.ahead, layer.first = s.first;
    layer = tools::with_arrays(layer);
    const bool norm = s.kind == SLUICE_BATCH_NORM || s.kind == SLUICE_LAYER_NORM;
    for (tools::Array& a : layer.arrays) {
      for (int32_t& column : a.integers)
        column = s.has_zeros && noise.below(3) == 0 ? -1 : noise.below(in);
      const float range =
          s.kind == SLUICE_EMBEDDING ? 1 : 1.7f / std::sqrt(float(a.cols > 1 ? a.cols : out));
      const bool scale =
          a.name == "scale" || a.name == "running_var" || (norm && a.name == "weight");
      for (float& v : a.values) v = scale ? noise.number(0.5f, 2) : noise.number(-range, range);
    }
    if (s.tied >= 0) layer.arrays = network.layers[size_t(s.tied)].arrays;
    network.layers.push_back(layer);
  }
  if (specs[0].kind != SLUICE_EMBEDDING) network.width = inputs;
  return network;
}

inline std::vector<float>& array(Layer& layer, std::string_view name) {
  for (tools::Array& a : layer.arrays)
    if (a.name == name) return a.values;
  FAIL("the layer has no array ", std::string(name));
  std::abort();
}

/// An opened model that owns its blob.
struct Opened {
  Memory blob;
  sluice_model model;
  explicit Opened(std::string_view bytes, const char* isa = nullptr) : blob(bytes) {
    REQUIRE_EQ(sluice_open(&model, blob.data(), blob.size, isa), SLUICE_OK);
  }
  explicit Opened(const Network& network, const char* isa = nullptr)
      : Opened(tools::write_blob(network), isa) {}
  sluice_info info() const { return sluice_describe(&model); }
};

/// A stream in memory of exactly the announced size.
struct Streaming {
  Memory state, scratch;
  sluice_stream stream;
  Streaming(const sluice_model& model, sluice_use use)
      : state(sluice_needs(&model, use).state), scratch(sluice_needs(&model, use).scratch) {
    REQUIRE_EQ(
        sluice_start(&stream, &model, use, state.data(), state.size, scratch.data(), scratch.size),
        SLUICE_OK);
  }
};

/// Returns the answers of one call of sluice_run on a fresh stream.
inline std::vector<float> run_whole(const Opened& m, const std::vector<float>& x) {
  const sluice_info info = m.info();
  const size_t steps = x.size() / info.inputs;
  Streaming s(m.model, {uint32_t(steps), 1});
  std::vector<float> y(info.outputs * (info.every_step ? steps : 1));
  y.resize(info.outputs * sluice_run(&s.stream, x.data(), y.data(), steps));
  return y;
}

/// Returns the answer after each single step that has one, [answers][outputs], also of a model that
/// answers once.
inline std::vector<float> run_stepwise(const Opened& m, const std::vector<float>& x) {
  const sluice_info info = m.info();
  Streaming s(m.model, {1, 1});
  std::vector<float> y(x.size() / info.inputs * info.outputs);
  size_t answers = 0;
  for (size_t t = 0; t * info.inputs < x.size(); ++t)
    answers += size_t(
        sluice_step(&s.stream, x.data() + t * info.inputs, y.data() + answers * info.outputs));
  y.resize(answers * info.outputs);
  return y;
}

/// Returns frames for a model: numbers of -2 to 2, or the bits of ids, some of them unknown.
inline std::vector<float> random_frames(const sluice_info& info, size_t n, uint64_t seed) {
  Noise noise(seed);
  if (!info.vocabulary) return noise.uniform(size_t(info.inputs) * n, -2, 2);
  std::vector<float> x;
  for (size_t i = 0; i < n; ++i)
    x.push_back(from_bits(uint32_t(noise.below(int(info.vocabulary) + 2) - 1)));
  return x;
}

/// Returns networks of every kind of layer and of odd shapes.
struct Named {
  std::string name;
  Network network;
};
inline const std::vector<Named>& every_network() {
  static const std::vector<Named> networks = [] {
    std::vector<Named> v;
    const auto add = [&](const std::string& name, int inputs, const std::vector<Spec>& specs) {
      v.push_back({name, random_network(inputs, specs, v.size() + 1)});
    };
    for (const int inputs : {1, 9, 33})
      for (const int units : {1, 7, 8, 9, 33}) {
        const std::string shape = std::to_string(inputs) + "x" + std::to_string(units);
        add("gru last " + shape, inputs, {gru(units)});
        add("gru every " + shape, inputs, {gru(units, every_step)});
      }
    for (const sluice_activation f : every_activation)
      add(std::string("dense ") + sluice_activation_name(f), 7, {dense(13, f), dense(5, f)});
    add("dense softmax", 7, {dense(5, SLUICE_SOFTMAX)});
    add("standardize", 3, {standardize()});
    add("wide", 3, {gru(104), dense(2)});
    add("thousand inputs", 1000, {gru(8), dense(1)});
    add("classifier", 12, {standardize(), gru(32), dense(9, SLUICE_SOFTMAX)});
    add("stacked last", 5, {gru(9, every_step), gru(17), dense(3, SLUICE_SIGMOID)});
    add("stacked every", 2,
        {standardize(), gru(7, every_step), gru(8, every_step), gru(1, every_step),
         dense(4, SLUICE_TANH)});
    add("dense between", 4,
        {dense(6, SLUICE_RELU), gru(5, every_step), dense(11, SLUICE_TANH), gru(3), dense(2),
         dense(1)});
    for (const sluice_layer_kind kind : every_cell) {
      const std::string name = sluice_layer_name(kind);
      for (const int units : {1, 8, 9, 33})
        add(name + " every " + std::to_string(units), 5, {cell(kind, units, every_step)});
      add(name + " last", 5, {cell(kind, 104), dense(2, SLUICE_SOFTMAX)});
      add(name + " mean", 3, {mean(cell(kind, 9)), dense(2)});
      add(name + " stacked", 3,
          {cell(kind, 9, every_step), norm(SLUICE_BATCH_NORM), cell(kind, 7),
           norm(SLUICE_LAYER_NORM), dense(3)});
      for (const int rank : {1, 3, 8, 17})
        add(name + " of rank " + std::to_string(rank), 9,
            {low_rank(cell(kind, 18, every_step), rank), low_rank(cell(kind, 19), rank), dense(2)});
      add(name + " of rank 5, mean", 9, {mean(low_rank(cell(kind, 18), 5)), dense(2)});
      add(name + " tied", 3,
          {cell(kind, 9, every_step), cell(kind, 9, every_step), tied(cell(kind, 9), 1)});
      for (const sluice_activation f : other_candidates) {
        if (kind == SLUICE_FASTGRNN) continue;
        const std::string with = name + " with " + sluice_activation_name(f);
        add(with, 5, {candidate(cell(kind, 17, every_step), f), candidate(cell(kind, 9), f)});
        add(with + ", mean, low rank", 3, {mean(low_rank(candidate(cell(kind, 9), f), 3))});
      }
      if (kind == SLUICE_RNN) continue;
      if (kind != SLUICE_FASTGRNN)
        add(name + " with hard gates and relu", 3,
            {gates(candidate(cell(kind, 9, every_step), SLUICE_RELU), SLUICE_HARD_SIGMOID, 0.2f)});
      add(name + " tanh gates", 3, {gates(cell(kind, 9, every_step), SLUICE_TANH)});
      add(name + " hard gates", 3, {gates(cell(kind, 17, every_step), SLUICE_HARD_SIGMOID, 0.2f)});
    }
    add("batch normalization", 9, {norm(SLUICE_BATCH_NORM)});
    add("layer normalization", 9, {norm(SLUICE_LAYER_NORM)});
    add("differences", 9, {difference(), gru(8, every_step), dense(3)});
    add("differences, the input added to the last", 3,
        {difference(), standardize(), gru(9), dense(5), select(5, 0), tests::add({4, 5})});
    add("differences of a layer", 3, {gru(9, every_step), difference(), dense(5)});
    for (const auto& [name, specs] : every_graph()) add(name, 5, specs);
    for (const auto& [name, specs] : every_convolution()) add(name, 5, specs);
    add("embedding", 11, {embedding(9), gru(8, every_step), dense(11, SLUICE_SOFTMAX)});
    add("embedding of a hundred", 50, {embedding(100)});
    for (const float clip : {0.0f, 0.4f}) {
      const std::string with = clip > 0 ? ", clipped" : "";
      const auto own = [&](const Spec& s) { return peepholes(clipped_cells(s, clip)); };
      for (const int units : {1, 8, 9, 33})
        add("lstm with peepholes " + std::to_string(units) + with, 5,
            {own(cell(SLUICE_LSTM, units, every_step))});
      add("lstm with peepholes, stacked" + with, 3,
          {own(low_rank(cell(SLUICE_LSTM, 17, every_step), 3)),
           own(candidate(cell(SLUICE_LSTM, 9, every_step), SLUICE_RELU)),
           own(initial_state(gates(cell(SLUICE_LSTM, 9), SLUICE_HARD_SIGMOID, 0.2f))), dense(2)});
    }
    for (const int units : {1, 8, 9, 33})
      for (const int cells : {1, 17, 40})
        add("lstm projected from " + std::to_string(cells) + " to " + std::to_string(units), 5,
            {projected(cell(SLUICE_LSTM, cells, every_step), units),
             projected(cell(SLUICE_LSTM, 9), 3)});
    add("lstm projected, with everything", 5,
        {projected(initial_state(peepholes(low_rank(cell(SLUICE_LSTM, 24, every_step), 4))), 9),
         projected(clipped_cells(candidate(cell(SLUICE_LSTM, 9, every_step), SLUICE_RELU), 1), 17),
         mean(projected(gates(cell(SLUICE_LSTM, 18), SLUICE_HARD_SIGMOID, 0.2f), 5)), dense(2)});
    add("lstm, clipped", 5,
        {clipped_cells(cell(SLUICE_LSTM, 9, every_step), 0.3f),
         clipped_cells(cell(SLUICE_LSTM, 17), 10)});
    for (const sluice_layer_kind kind : every_cell)
      add(std::string(sluice_layer_name(kind)) + " with an initial state", 5,
          {initial_state(cell(kind, 9, every_step)), gru(8, every_step),
           initial_state(low_rank(cell(kind, 17, every_step), 3)),
           initial_state(mean(cell(kind, 33)))});
    return v;
  }();
  return networks;
}

/// Returns networks with a bidirectional layer.
inline std::vector<Named> every_whole_network() {
  std::vector<Named> v;
  const auto add = [&](const std::string& name, int inputs, const std::vector<Spec>& specs) {
    v.push_back({name, random_network(inputs, specs, v.size() + 100)});
  };
  for (const sluice_layer_kind kind : every_cell) {
    const std::string name = std::string(sluice_layer_name(kind)) + ", both directions, ";
    for (const int units : {1, 7, 8, 9, 33})
      add(name + "every " + std::to_string(units), 5, {both(cell(kind, units, every_step))});
    add(name + "last", 3, {both(cell(kind, 9)), dense(2, SLUICE_SOFTMAX)});
    if (kind != SLUICE_FASTGRNN)
      add(name + "relu", 3, {both(candidate(cell(kind, 9, every_step), SLUICE_RELU))});
    add(name + "mean", 3, {mean(both(cell(kind, 9))), dense(2)});
    add(name + "an initial state", 5,
        {initial_state(both(cell(kind, 9, every_step))), initial_state(cell(kind, 7, every_step)),
         initial_state(mean(both(low_rank(cell(kind, 12), 3))))});
    add(name + "of low rank", 5,
        {low_rank(both(cell(kind, 18, every_step)), 3), low_rank(both(cell(kind, 19)), 17),
         dense(2)});
    add(name + "stacked", 3,
        {both(cell(kind, 9, every_step)), cell(kind, 8, every_step), both(cell(kind, 5)),
         dense(2)});
  }
  add("lstm projected, both directions", 5,
      {projected(both(cell(SLUICE_LSTM, 17, every_step)), 9),
       projected(initial_state(mean(both(cell(SLUICE_LSTM, 7)))), 12)});
  add("lstm with peepholes, both directions", 5,
      {peepholes(both(cell(SLUICE_LSTM, 9, every_step))),
       clipped_cells(peepholes(mean(both(cell(SLUICE_LSTM, 7)))), 0.4f)});
  add("embedding, both directions", 20,
      {embedding(5), both(gru(7, every_step)), both(gru(3)), dense(2)});
  add("a window that looks ahead", 5,
      {ahead(window(5, 3), 1), dense(9, SLUICE_RELU), gru(7, every_step), dense(3)});
  add("windows that look ahead, with strides", 5,
      {dense(4), strided(ahead(window(4, 4, 2), 3), 2), dense(8, SLUICE_RELU),
       ahead(window(8, 2), 1), gru(7), dense(8)});
  add("both directions of every second step", 3,
      {both(gru(9, every_step)), strided(window(18, 2), 2), dense(4), both(gru(5, every_step))});
  return v;
}

}  // namespace sluice::tests
