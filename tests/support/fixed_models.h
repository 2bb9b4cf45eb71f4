// Makes networks in fixed point with random numbers, and computes their answers by the written
// definition (reference_fixed.h).
#pragma once
#include "model/graph.h"
#include "models.h"
#include "reference_fixed.h"

namespace sluice::tests {

constexpr sluice_format fixed_formats[] = {SLUICE_INT8, SLUICE_W8A16};

/// The range of the numbers: as in a trained network, or everything that a forged blob may hold.
enum class Numbers { trained, any };

inline Network random_fixed_network(int inputs, const std::vector<Spec>& specs,
                                    sluice_format format, Numbers numbers, uint64_t seed) {
  Noise noise(seed);
  Network network;
  const bool any = numbers == Numbers::any;
  const bool reads = specs.front().kind == SLUICE_EMBEDDING;
  for (const Spec& s : specs) {
    const int in = in_of(network, s, inputs);
    Layer layer;
    layer.kind = s.kind, layer.in = in,
    layer.out = s.out     ? s.out
                : s.units ? s.units
                          : in,
    layer.activation = s.activation;
    layer.every_step = s.every_step, layer.format = format, layer.sources = s.sources;
    layer.rank = s.rank, layer.initial_state = s.initial_state;
    layer.candidate = s.candidate, layer.parameter = s.parameter;
    layer.parts = s.parts, layer.dilation = s.dilation;
    layer.stride = s.stride, layer.ahead = s.ahead, layer.first = s.first;
    layer = tools::with_arrays(layer);
    layer.shift_ih = !layer.find(Role::input_weight) ? 0
                     : any                           ? noise.below(31)
                                                     : 8 + noise.below(4);
    if (layer.kind == SLUICE_NORM_POOL) layer.shift_ih = any ? noise.below(31) : noise.below(3);
    layer.shift_hh = tools::recurrent(layer) ? (any ? noise.below(31) : 8 + noise.below(4)) : 0;
    if (layer.find(Role::input_factor))
      layer.factor_shift_ih = any ? noise.below(31) : 8 + noise.below(4);
    if (layer.find(Role::state_factor))
      layer.factor_shift_hh = any ? noise.below(31) : 8 + noise.below(4);
    const bool shifted = layer.anatomy().shifted_state || layer.candidate != SLUICE_TANH;
    layer.shift_c = shifted ? (any ? noise.below(16) : 1 + noise.below(4)) : 0;
    if (layer.kind == SLUICE_LSTM && layer.candidate != SLUICE_TANH)
      layer.shift_h = any ? noise.below(15) : noise.below(4);
    for (tools::Array& a : layer.arrays) {
      const size_t half = a.integers.size() / 2;
      for (size_t i = 0; i < a.integers.size(); ++i) {
        int32_t& v = a.integers[i];
        if (a.role == Role::columns)
          v = s.has_zeros && noise.below(3) == 0 ? -1 : noise.below(in);
        else if (a.is_matrix())
          v = noise.below(8) ? noise.below(255) - 127 : noise.below(2) ? 127 : -127;
        else if (!any && of_initial_state(a.role))
          v = noise.below(65536) - 32768;
        else if (any)
          v = noise.below(4) ? int32_t(noise.word()) : noise.below(2) ? INT32_MIN : INT32_MAX;
        else if (a.role == Role::part_multiplier)
          v = noise.below(1 << 18) - (1 << 16);
        else if (a.role == Role::zeta || a.role == Role::nu)
          v = noise.below(32768);
        else if (i < half || a.role == Role::start || a.role == Role::part_bias ||
                 a.role == Role::gate_bias || a.role == Role::candidate_bias)
          v = noise.below(60001) - 30000;
        else  // scales accumulators of about 10^5 to pre-activations of about 1
          v = noise.below(1 << 22) + (format == SLUICE_INT8 ? 1 << 22 : 1 << 14);
      }
    }
    network.layers.push_back(std::move(layer));
  }
  if (!reads) network.width = inputs;
  network.scales.unit.assign(size_t(network.layers.back().out), 1.0f / 1024);
  network.scales.zero.assign(size_t(network.layers.back().out), 0);
  network.scales.inverse = noise.uniform(size_t(reads ? 1 : inputs), 20, 100);
  network.scales.offset = noise.uniform(size_t(reads ? 1 : inputs), -3, 3);
  return network;
}

/// Sets a share of the blocks of 8 x 4 weights of every matrix, and all blocks of some panels, to
/// zero, and stores the matrices sparse.
inline Network with_empty_blocks(Network network, double share, uint64_t seed) {
  Noise noise(seed);
  for (Layer& layer : network.layers) {
    layer.sparse = may_be_sparse(uint8_t(layer.kind)) && layer.rank == 0;
    for (tools::Array& a : layer.arrays) {
      if (!a.is_matrix()) continue;
      for (int gate = 0; gate < a.gates; ++gate)
        for (int panel = 0; panel < a.rows; panel += 8) {
          const bool whole = noise.below(8) == 0;
          for (int block = 0; block < a.cols; block += 4) {
            if (!whole && noise.below(1000) >= int(share * 1000)) continue;
            for (int row = panel; row < std::min(a.rows, panel + 8); ++row)
              for (int col = block; col < std::min(a.cols, block + 4); ++col)
                a.integers[size_t(gate * a.rows + row) * size_t(a.cols) + size_t(col)] = 0;
          }
        }
    }
  }
  return network;
}

inline fixed::Mode mode_of(sluice_format format) {
  return format == SLUICE_INT8 ? fixed::int8 : fixed::w8a16;
}

/// Returns frames in a model's own format, as plain numbers. Some are at the ends of their range.
inline std::vector<int32_t> random_frames(sluice_format format, size_t n, Noise& noise) {
  const int32_t lowest = format == SLUICE_INT8 ? -128 : -32768, highest = -lowest - 1;
  std::vector<int32_t> x(n);
  for (int32_t& v : x)
    v = noise.below(8) ? lowest + noise.below(2 * highest + 2) : noise.below(2) ? lowest : highest;
  return x;
}

/// Returns whether a network's frames are ids.
inline bool reads_ids(const Network& network) { return network.layers[0].kind == SLUICE_EMBEDDING; }

/// Returns frames for a network: ids, some of them unknown, if it reads ids.
inline std::vector<int32_t> random_frames(const Network& network, size_t n, Noise& noise) {
  if (!reads_ids(network))
    return random_frames(network.wide_frame ? SLUICE_W8A16 : network.layers[0].format,
                         n * size_t(tools::frame_width(network)), noise);
  std::vector<int32_t> ids(n);
  for (int32_t& id : ids)
    id = noise.below(8) ? noise.below(network.layers[0].in) : int32_t(noise.word());
  return ids;
}

/// Returns the frames as bytes for sluice_step.
inline std::vector<uint8_t> frame_bytes(const Network& network, const std::vector<int32_t>& x) {
  const bool wide = network.wide_frame || network.layers[0].format == SLUICE_W8A16;
  const int number = reads_ids(network) ? 4 : wide ? 2 : 1;
  std::vector<uint8_t> bytes;
  for (const int32_t v : x)
    for (int i = 0; i < number; ++i) bytes.push_back(uint8_t(uint32_t(v) >> (8 * i)));
  return bytes;
}

inline std::vector<int8_t> narrow(const std::vector<int32_t>& v) { return {v.begin(), v.end()}; }

/// A network of the reference, with one stream.
struct FixedReference {
  struct Stage {
    const Layer* layer;
    fixed::Cell cell;
    fixed::Dense dense;
    fixed::Embedding embedding;
    std::vector<int16_t> h, c;
    std::vector<int32_t> before;             ///< of a difference: x of the step before
    std::vector<std::vector<int32_t>> seen;  ///< of a window: x of all steps
  };
  fixed::Mode mode;
  bool wide_frame;
  std::vector<Stage> stages;
  std::vector<std::vector<uint32_t>> sources;

  explicit FixedReference(const Network& network)
      : mode(mode_of(network.layers[0].format)), wide_frame(network.wide_frame) {
    const std::vector<uint32_t> answers =
        network.layers.back().kind == SLUICE_CONCAT
            ? network.layers.back().sources
            : std::vector<uint32_t>{uint32_t(network.layers.size())};
    for (const Layer& layer : network.layers) {
      sources.push_back(layer.sources.empty() ? std::vector<uint32_t>{uint32_t(sources.size())}
                                              : layer.sources);
      const auto part = [](const tools::Array& a, bool second) {
        const auto middle = a.integers.begin() + std::ptrdiff_t(a.integers.size() / 2);
        return second ? std::vector<int32_t>(middle, a.integers.end())
                      : std::vector<int32_t>(a.integers.begin(), middle);
      };
      Stage stage{&layer, {}, {}, {}, {}, {}, {}, {}};
      const auto& a = layer.arrays;
      if (layer.kind == SLUICE_EMBEDDING) {
        stage.embedding = {layer.in, layer.out, narrow(a[0].integers)};
      } else if (tools::recurrent(layer)) {
        const bool before = layer.kind == SLUICE_GRU_BEFORE;
        const size_t b = before ? 3 : 2;
        std::vector<int8_t> w_hh = narrow(a[1].integers);
        if (before) w_hh.insert(w_hh.end(), a[2].integers.begin(), a[2].integers.end());
        stage.cell = {kind_of(layer.kind),
                      mode,
                      layer.in,
                      layer.out,
                      narrow(a[0].integers),
                      w_hh,
                      part(a[b], false),
                      part(a[b + 1], false),
                      part(a[b], true),
                      part(a[b + 1], true),
                      layer.shift_ih,
                      layer.shift_hh,
                      layer.shift_c};
        if (layer.kind == SLUICE_FASTGRNN) {
          stage.cell.b_z = layer.array(Role::gate_bias).integers,
          stage.cell.b_n = layer.array(Role::candidate_bias).integers;
          stage.cell.zeta = layer.array(Role::zeta).integers[0],
          stage.cell.nu = layer.array(Role::nu).integers[0];
        }
        const auto factor = [&](Role weight, Role bias, int shift) -> fixed::Factor {
          if (!layer.find(weight)) return {};
          return {narrow(layer.array(weight).integers), part(layer.array(bias), false),
                  part(layer.array(bias), true), shift};
        };
        stage.cell.factor_ih =
            factor(Role::input_factor, Role::input_factor_bias, layer.factor_shift_ih);
        stage.cell.factor_hh =
            factor(Role::state_factor, Role::state_factor_bias, layer.factor_shift_hh);
        stage.cell.hard = layer.activation == SLUICE_HARD_SIGMOID;
        stage.cell.candidate = layer.candidate == SLUICE_LINEAR ? fixed::Cell::linear
                               : layer.candidate == SLUICE_RELU ? fixed::Cell::relu
                                                                : fixed::Cell::squashed;
        stage.cell.lift = layer.shift_h;
        stage.h.resize(size_t(layer.out));
        if (layer.kind == SLUICE_LSTM) stage.c.resize(size_t(layer.out));
        // Of each number the state has the lower 16 bits.
        for (size_t i = 0; layer.initial_state && i < stage.h.size(); ++i)
          stage.h[i] = int16_t(uint16_t(layer.array(Role::initial_h).integers[i]));
        for (size_t i = 0; layer.initial_state && i < stage.c.size(); ++i)
          stage.c[i] = int16_t(uint16_t(layer.array(Role::initial_c).integers[i]));
      } else if (layer.kind == SLUICE_DENSE) {
        stage.dense = {a[0].cols,
                       a[0].rows,
                       narrow(a[0].integers),
                       part(a[1], false),
                       part(a[1], true),
                       layer.shift_ih,
                       fixed::Dense::Activation(layer.activation),
                       std::count(answers.begin(), answers.end(), uint32_t(stages.size()) + 1) > 0};
      }
      stages.push_back(std::move(stage));
    }
  }

  static fixed::Cell::Kind kind_of(sluice_layer_kind kind) {
    return kind == SLUICE_LSTM       ? fixed::Cell::lstm
           : kind == SLUICE_RNN      ? fixed::Cell::rnn
           : kind == SLUICE_FASTGRNN ? fixed::Cell::fastgrnn
           : kind == SLUICE_GRU      ? fixed::Cell::gru
                                     : fixed::Cell::gru_before;
  }

  /// Returns numbers as layers hand them on.
  using Numbers16 = std::vector<int32_t>;

  std::vector<int16_t> step(const std::vector<int32_t>& frame) {
    std::vector<int16_t> y;
    std::vector<Numbers16> outputs = {{}};
    for (const int32_t x : frame) outputs[0].push_back(wide_frame ? x : fixed::widened(mode, x));
    for (size_t l = 0; l < stages.size(); ++l) {
      Stage& stage = stages[l];
      const uint32_t source = sources[l][0];
      const std::vector<int16_t> from(outputs[source].begin(), outputs[source].end());
      const std::vector<int32_t> v = source ? fixed::narrowed(mode, from) : frame;
      std::vector<Numbers16> parts;
      for (const uint32_t part : sources[l]) parts.push_back(outputs[part]);
      if (stage.layer->kind == SLUICE_EMBEDDING)
        y = fixed::run(stage.embedding, v.at(0));
      else if (tools::recurrent(*stage.layer))
        fixed::step(stage.cell, v, stage.h, stage.c), y = stage.h;
      else if (stage.layer->kind == SLUICE_DENSE)
        y = parts_of(stage, v);
      else if (stage.layer->kind == SLUICE_WINDOW)
        y = window(stage, parts[0]);
      else if (stage.layer->anatomy().once)
        y = over_steps(stage, parts[0]);
      else if (tools::Layer(*stage.layer).parts > 0)
        y = pooled(*stage.layer, parts[0]);
      else if (stage.layer->kind == SLUICE_DIFFERENCE)
        y = fixed::difference(parts[0], stage.before,
                              stage.layer->array(Role::part_multiplier).integers),
        stage.before = parts[0];
      else
        y = joined(*stage.layer, parts);
      if (stage.layer->kind == SLUICE_WINDOW && !answers(stage)) return {};
      outputs.emplace_back(y.begin(), y.end());
    }
    return y;
  }

  static std::vector<int16_t> parts_of(const Stage& stage, const std::vector<int32_t>& x) {
    const size_t parts = size_t(std::max(stage.layer->parts, 1)), width = x.size() / parts;
    std::vector<int16_t> y;
    for (size_t part = 0; part < parts; ++part) {
      const auto begin = x.begin() + std::ptrdiff_t(part * width);
      const std::vector<int16_t> one =
          fixed::run(stage.dense, std::vector<int32_t>(begin, begin + std::ptrdiff_t(width)));
      y.insert(y.end(), one.begin(), one.end());
    }
    return y;
  }

  /// kernels/README.md, "Pooling", over the steps so far.
  static std::vector<int16_t> over_steps(Stage& stage, const Numbers16& x) {
    stage.seen.push_back(x);
    std::vector<int16_t> y;
    for (size_t i = 0; i < x.size(); ++i) {
      int64_t most = x[i], sum = 0;
      for (const Numbers16& one : stage.seen) most = std::max<int64_t>(most, one[i]), sum += one[i];
      const double mean = double(sum) / double(stage.seen.size());
      y.push_back(
          int16_t(stage.layer->kind == SLUICE_MAX_OVER_STEPS ? most : std::floor(mean + 0.5)));
    }
    return y;
  }

  /// Returns whether the step that a window has seen last has an output.
  static bool answers(const Stage& stage) {
    const Layer& layer = *stage.layer;
    const auto first = size_t(layer.first);
    return stage.seen.size() > first && (stage.seen.size() - 1 - first) % size_t(layer.stride) == 0;
  }

  static std::vector<int16_t> window(Stage& stage, const Numbers16& x) {
    stage.seen.push_back(x);
    const Layer& layer = *stage.layer;
    std::vector<int16_t> y;
    for (int part = 0; part < layer.parts; ++part) {
      const std::ptrdiff_t at = std::ptrdiff_t(stage.seen.size()) - 1 -
                                std::ptrdiff_t(layer.parts - 1 - part) * layer.dilation;
      const Numbers16& from = at < 0 ? layer.array(Role::start).integers : stage.seen[size_t(at)];
      for (const int32_t v : from) y.push_back(int16_t(v));
    }
    return y;
  }

  /// kernels/README.md, "Pooling".
  static std::vector<int16_t> pooled(const Layer& layer, const Numbers16& x) {
    const size_t columns = size_t(layer.out / layer.parts), rows = size_t(layer.in / layer.out);
    std::vector<int16_t> y;
    for (size_t i = 0; i < size_t(layer.out); ++i) {
      const size_t first = i / columns * rows * columns + i % columns;
      int64_t most = -32768, sum = 0, squares = 0;
      for (size_t row = 0; row < rows; ++row) {
        const int64_t v = x[first + row * columns];
        most = std::max(most, v), sum += v, squares += v * v;
      }
      const double mean = std::floor(double(sum) / double(rows) + 0.5),
                   root = std::floor(std::sqrt(double(squares >> (2 * layer.shift_ih))));
      y.push_back(int16_t(layer.kind == SLUICE_MAX_POOL    ? double(most)
                          : layer.kind == SLUICE_MEAN_POOL ? mean
                                                           : std::min(root, 32767.0)));
    }
    return y;
  }

  static std::vector<int16_t> joined(const Layer& layer, const std::vector<Numbers16>& parts) {
    std::vector<int16_t> y;
    if (layer.kind == SLUICE_SELECT)
      for (const int32_t column : layer.array(Role::columns).integers)
        y.push_back(column < 0 ? int16_t(0) : int16_t(parts[0].at(size_t(column))));
    else if (layer.kind == SLUICE_CONCAT)
      for (const Numbers16& part : parts) y.insert(y.end(), part.begin(), part.end());
    else if (layer.kind == SLUICE_ADD)
      y = fixed::add(parts, layer.array(Role::part_multiplier).integers,
                     layer.array(Role::part_bias).integers);
    else
      y = fixed::multiply(parts[0], parts[1], layer.array(Role::part_multiplier).integers,
                          layer.array(Role::part_bias).integers);
    return y;
  }
};
static_assert(int(fixed::Dense::linear) == SLUICE_LINEAR &&
              int(fixed::Dense::tanh) == SLUICE_TANH &&
              int(fixed::Dense::sigmoid) == SLUICE_SIGMOID &&
              int(fixed::Dense::relu) == SLUICE_RELU &&
              int(fixed::Dense::softmax) == SLUICE_SOFTMAX);

/// Returns a chain in int8 whose frames are int16: it adds columns of the frame to the answer.
inline Network with_frame_sum(const Network& chain) {
  Network network = tools::with_frame_copy(chain);
  std::vector<int32_t> columns;
  for (int32_t i = 0; i < network.layers.back().out; ++i) columns.push_back(i * 3 % network.width);
  tools::add_frame_columns(network, columns);
  for (Layer& layer : network.layers) {
    layer.format = SLUICE_INT8;
    if (layer.kind != SLUICE_ADD) continue;
    layer = tools::with_arrays(layer);
    layer.array(Role::part_multiplier).integers.assign(size_t(2 * layer.out), 1 << 17);
  }
  network.wide_frame = true;
  return network;
}

/// Returns a network that begins with a difference of the frame, which is int16 in int8 too.
inline Network with_difference(const std::vector<Spec>& specs, sluice_format format,
                               Numbers numbers, uint64_t seed) {
  Network network = random_fixed_network(5, specs, format, numbers, seed);
  network.wide_frame = format == SLUICE_INT8;
  return network;
}

/// Returns networks of every kind of layer and of odd shapes, in both formats, with numbers of both
/// ranges.
struct NamedFixed {
  std::string name;
  Network network;
};
inline const std::vector<NamedFixed>& every_fixed_network() {
  static const std::vector<NamedFixed> networks = [] {
    std::vector<NamedFixed> v;
    const auto add = [&](const std::string& name, int inputs, const std::vector<Spec>& specs) {
      for (const sluice_format format : fixed_formats)
        for (const Numbers numbers : {Numbers::trained, Numbers::any}) {
          v.push_back(
              {name + " " + sluice_format_name(format) + (numbers == Numbers::any ? " wild" : ""),
               random_fixed_network(inputs, specs, format, numbers, v.size() + 1)});
          const double share = v.size() % 3 == 0 ? 0.9 : v.size() % 3 == 1 ? 0.5 : 0;
          v.push_back(
              {v.back().name + " sparse", with_empty_blocks(v.back().network, share, v.size())});
        }
    };
    for (const int inputs : {1, 4, 9, 33})
      for (const int units : {1, 7, 8, 9, 16, 24, 33})
        add("gru " + std::to_string(inputs) + "x" + std::to_string(units), inputs,
            {gru(units, units % 2 == 0)});
    for (const sluice_activation f :
         {SLUICE_LINEAR, SLUICE_TANH, SLUICE_SIGMOID, SLUICE_RELU, SLUICE_SOFTMAX})
      add(std::string("dense ") + sluice_activation_name(f), 7, {dense(5, f)});
    add("wide", 3, {gru(104), dense(2)});
    add("thousand inputs", 1000, {gru(8), dense(1)});
    add("classifier", 12, {gru(32), dense(9, SLUICE_SOFTMAX)});
    add("stacked last", 5, {gru(9, every_step), gru(17), dense(3, SLUICE_SIGMOID)});
    add("dense between", 4,
        {dense(6, SLUICE_RELU), gru(5, every_step), dense(11, SLUICE_TANH),
         dense(4, SLUICE_SIGMOID), gru(3), dense(2), dense(1, SLUICE_TANH)});
    for (const sluice_layer_kind kind :
         {SLUICE_LSTM, SLUICE_RNN, SLUICE_GRU_BEFORE, SLUICE_FASTGRNN}) {
      const std::string name = sluice_layer_name(kind);
      for (const int inputs : {1, 9, 33})
        for (const int units : {1, 8, 9, 24, 33})
          add(name + " " + std::to_string(inputs) + "x" + std::to_string(units), inputs,
              {cell(kind, units, units % 2 == 0)});
      add(name + " wide", 3, {cell(kind, 104), dense(2)});
      add(name + " stacked", 5,
          {cell(kind, 9, every_step), dense(6, SLUICE_RELU), cell(kind, 17),
           dense(3, SLUICE_SOFTMAX)});
    }
    for (const sluice_layer_kind kind : every_cell) {
      const std::string name = sluice_layer_name(kind);
      for (const sluice_activation f : {SLUICE_TANH, SLUICE_LINEAR, SLUICE_RELU}) {
        if (kind == SLUICE_FASTGRNN) continue;
        const std::string with = name + " with " + sluice_activation_name(f);
        if (f != SLUICE_TANH)
          for (const int units : {1, 8, 9, 33, 104})
            add(with + " " + std::to_string(units), 9, {candidate(cell(kind, units), f)});
        if (f != SLUICE_TANH)
          add(with + " of rank 8", 9, {low_rank(candidate(cell(kind, 17), f), 8)});
        if (kind == SLUICE_RNN) continue;
        add(with + " and hard gates", 9,
            {gates(candidate(cell(kind, 24, every_step), f), SLUICE_HARD_SIGMOID, 0.2f),
             gates(candidate(cell(kind, 9), f), SLUICE_HARD_SIGMOID, 1.0f / 6)});
      }
    }
    for (const sluice_layer_kind kind : every_cell)
      for (const int rank : {1, 8, 11})
        add(std::string(sluice_layer_name(kind)) + " of rank " + std::to_string(rank), 9,
            {low_rank(cell(kind, 17, every_step), rank), low_rank(cell(kind, 24), rank)});
    for (const sluice_layer_kind kind : every_cell)
      add(std::string(sluice_layer_name(kind)) + " with an initial state", 9,
          {initial_state(cell(kind, 17, every_step)),
           initial_state(low_rank(cell(kind, 24, every_step), 8)), initial_state(cell(kind, 5))});
    add("lstm with relu and an initial state", 4,
        {initial_state(candidate(cell(SLUICE_LSTM, 9), SLUICE_RELU))});
    add("every cell", 6,
        {cell(SLUICE_LSTM, 7, every_step), cell(SLUICE_GRU_BEFORE, 9, every_step),
         gru(8, every_step), cell(SLUICE_RNN, 5), dense(3)});
    for (const int ids : {1, 11, 50})
      add("embedding of " + std::to_string(ids), ids, {embedding(ids + 2)});
    for (const auto& [name, specs] : every_graph()) add(name, 5, specs);
    add("window", 5, {window(5, 3), dense(9, SLUICE_RELU), gru(7), dense(3)});
    add("window of a layer", 5, {gru(9, every_step), window(9, 2, 3), window(18, 1), dense(4)});
    add("strides", 5,
        {strided(window(5, 3), 2), dense(9, SLUICE_RELU), strided(window(9, 2), 2, true),
         pool(SLUICE_MAX_POOL, 1, 9), gru(7, every_step), dense(3)});
    add("a late start", 5, {begins(strided(window(5, 4, 2), 2), 3), dense(3)});
    add("every third step", 5,
        {gru(9, every_step), strided(window(9, 1), 3), dense(4), from(dense(4, SLUICE_TANH), 2),
         tests::add({3, 4})});
    add("largest and mean over steps", 5,
        {dense(9), over_steps(SLUICE_MAX_OVER_STEPS), from(over_steps(SLUICE_MEAN_OVER_STEPS), 1),
         tests::add({2, 3}), dense(4)});
    add("frames over steps", 5,
        {over_steps(SLUICE_MEAN_OVER_STEPS), from(over_steps(SLUICE_MAX_OVER_STEPS), 0),
         concat({1, 2})});
    add("convolution", 5,
        {with_zeros(select(18, 0)), for_parts(dense(3, SLUICE_RELU), 6),
         pool(SLUICE_MAX_POOL, 3, 3), dense(8, SLUICE_TANH), gru(5, every_step), dense(2)});
    add("whole panels of parts", 5,
        {for_parts(dense(16, SLUICE_TANH), 5), pool(SLUICE_MEAN_POOL, 2, 8),
         for_parts(dense(3, SLUICE_SIGMOID), 4), for_parts(dense(1), 3)});
    add("pooled frame", 6,
        {pool(SLUICE_NORM_POOL, 2, 1), from(pool(SLUICE_MAX_POOL, 1, 3), 0),
         from(pool(SLUICE_MEAN_POOL, 1, 2), 0), concat({1, 2, 3}), dense(2)});
    for (const Numbers numbers : {Numbers::trained, Numbers::any})
      v.push_back(
          {"frames of int16", with_frame_sum(random_fixed_network(
                                  5, {gru(11), dense(3)}, SLUICE_INT8, numbers, v.size() + 1))});
    for (const sluice_format format : fixed_formats)
      for (const Numbers numbers : {Numbers::trained, Numbers::any}) {
        v.push_back({"difference of the frame", with_difference({difference(), gru(11), dense(3)},
                                                                format, numbers, v.size() + 1)});
        v.push_back({"difference beside the frame",
                     with_difference({difference(), gru(11, every_step), select(3, 0), dense(3),
                                      tests::add({3, 4})},
                                     format, numbers, v.size() + 1)});
      }
    add("difference of a layer", 6, {dense(9), difference(), gru(8)});
    add("reader", 13, {embedding(9), cell(SLUICE_LSTM, 8), dense(4, SLUICE_SOFTMAX)});
    add("reader of a hundred", 100,
        {embedding(24), gru(11, every_step), dense(100, SLUICE_SOFTMAX)});
    return v;
  }();
  return networks;
}

}  // namespace sluice::tests
