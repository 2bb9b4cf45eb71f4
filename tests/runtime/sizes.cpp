// Announced sizes are exact: to the byte, no more memory is touched than announced, and no less.
#include <doctest/doctest.h>

#include "../support/fixed_models.h"
#include "../support/tables.h"
#include "model/graph.h"
#include "model/model_file.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

constexpr uint8_t fill = 0xB7;
constexpr size_t border = 256;
/// A row ends in a panel, whose padding may stay untouched.
constexpr size_t last_panel = panel_rows * sizeof(float);

/// Memory with a border before and behind it that must stay untouched.
struct Bordered {
  Memory memory;
  size_t size;
  explicit Bordered(size_t bytes) : memory(bytes + 2 * border, fill), size(bytes) {}
  uint8_t* data() { return memory.data() + border; }
  bool intact() const {
    for (size_t i = 0; i < border; ++i)
      if (memory.data()[i] != fill || memory.data()[border + size + i] != fill) return false;
    return true;
  }
  /// Returns the number of bytes up to the last one that was written.
  size_t touched() const {
    size_t n = size;
    while (n > 0 && memory.data()[border + n - 1] == fill) --n;
    return n;
  }
};

/// Returns the units of the largest recurrent layer. A model without one keeps nothing in
/// registers.
int widest_gru(const Opened& m) {
  int most = 0;
  for (uint32_t i = 0; i < m.info().layers; ++i) {
    const sluice_layer_info layer = sluice_describe_layer(&m.model, i);
    if (layer.kind == SLUICE_GRU && layer.activation == SLUICE_LINEAR &&
        layer.candidate == SLUICE_TANH)
      most = std::max(most, int(layer.outputs));
  }
  return most ? most : strip_rows;
}

/// Returns the end of the last buffer in a plan.
uint64_t buffers_of_graph(const Network& network) {
  uint64_t end = 0;
  const std::vector<uint32_t> places = tools::plan_buffers(network);
  for (size_t l = 0; l < places.size(); ++l)
    end = std::max(end, places[l] + uint64_t((network.layers[l].out + 7) / 8 * 8));
  return end;
}

uint64_t hash_of(const Network& network) {
  const Opened m(network);
  return sluice_hash(&m.model);
}

}  // namespace

TEST_CASE("state and scratch are used to the last announced panel, and never beyond") {
  for (const Kernels* table : every_table())
    for (const Named& named : every_network())
      for (const sluice_use use : {sluice_use{1, 1}, {2, 1}, {9, 1}, {1, 3}, {4, 20}, {20, 4}}) {
        const Opened m(named.network, table->name);
        const sluice_info info = m.info();
        const sluice_need need = sluice_needs(&m.model, use);
        CAPTURE(name_of(*table));
        CAPTURE(named.name);
        CAPTURE(use.steps);
        CAPTURE(use.streams);
        CHECK_EQ(need.state % 16, 0u);
        CHECK_EQ(need.scratch % 16, 0u);
        Bordered scratch(need.scratch);
        std::vector<Bordered> states;
        std::vector<sluice_stream> streams(use.streams);
        std::vector<sluice_stream*> handles;
        for (uint32_t i = 0; i < use.streams; ++i) states.emplace_back(need.state);
        for (uint32_t i = 0; i < use.streams; ++i) {
          REQUIRE_EQ(sluice_start(&streams[i], &m.model, use, states[i].data(), need.state,
                                  scratch.data(), need.scratch),
                     SLUICE_OK);
          handles.push_back(&streams[i]);
        }
        Noise noise(90);
        const uint32_t frames = std::max(use.steps, use.streams);
        const std::vector<float> x = noise.uniform(size_t(info.inputs) * frames);
        std::vector<float> y(size_t(info.outputs) * frames);
        sluice_step(&streams[0], x.data(), y.data());
        sluice_run(&streams[0], x.data(), y.data(), use.steps);
        sluice_step_many(handles.data(), use.streams, x.data(), y.data(), nullptr);
        REQUIRE(scratch.intact());
        // A single frame of a small layer may stay in registers, except in scalar code. Everything
        // else touches all of it.
        // But the steps of a call do not always have as many outputs as they could have.
        const bool single = use.steps == 1 && use.streams == 1,
                   some = !tools::answered_frames(info).is_every();
        if (!some && (!single || table == &scalar_table() || widest_gru(m) > strip_rows / 3))
          REQUIRE(scratch.touched() + last_panel > need.scratch);
        for (const Bordered& state : states) {
          REQUIRE(state.intact());
          REQUIRE(state.touched() + last_panel > need.state);
        }
      }
}

TEST_CASE(
    "in fixed point, state and scratch are the formulas of runtime/README.md, and nothing beyond "
    "them is touched") {
  for (const NamedFixed& named : every_fixed_network())
    for (const sluice_use use : {sluice_use{1, 1}, {9, 1}, {4, 20}}) {
      uint64_t state = 0, layer_scratch = 0, width[2] = {};
      for (size_t l = 0; l < named.network.layers.size(); ++l) {
        const Layer& layer = named.network.layers[l];
        const auto side = [](int n) { return uint64_t((n + 15) / 16 * 32 + 16); };
        const auto units = uint64_t((layer.out + 7) / 8 * 8);
        const bool cell = tools::recurrent(layer);
        if (cell) state += (layer.kind == SLUICE_LSTM ? 2 : 1) * 2 * units;
        if (layer.kind == SLUICE_DIFFERENCE) state += 2 * units + 16;
        if (const int kept = (layer.parts - 1) * layer.dilation;
            layer.kind == SLUICE_WINDOW && (kept || layer.thins()))
          state += uint64_t(kept * layer.in * 2 + 15) / 16 * 16 + 16;
        if (layer.anatomy().once)
          state += units * (layer.kind == SLUICE_MAX_OVER_STEPS ? 2 : 8) + 16;
        if (layer.kind == SLUICE_ADD || layer.kind == SLUICE_MULTIPLY)
          layer_scratch = std::max(layer_scratch, 2 * units);
        if (layer.find(Role::input_weight)) {
          const tools::Array* const hh = layer.find(Role::state_weight);
          uint64_t own = side(layer.array(Role::input_weight).cols) + (cell ? side(hh->cols) : 0) +
                         (layer.kind == SLUICE_GRU_BEFORE ? 4 * units : 0);
          if (layer.rank > 0) {
            const auto row = uint64_t((layer.rank + 7) / 8 * 16);
            const bool both_low = layer.rank < layer.in;
            own += (both_low ? 2 : 1) * row +
                   side(both_low ? std::max(layer.in, layer.out) : layer.out);
            if (layer.kind == SLUICE_GRU_BEFORE) own += row + side(layer.out);
          }
          if (layer.parts > 0)  // a part of the input, and one of the output
            own += uint64_t((layer.array(Role::input_weight).cols + 7) / 8 * 16 +
                            (layer.array(Role::input_weight).rows + 7) / 8 * 16);
          layer_scratch = std::max(layer_scratch, own);
        }
        width[l % 2] = std::max(width[l % 2], units);
      }
      const uint64_t rows = std::max(use.steps, use.streams);
      uint64_t buffers = width[0] + width[1];
      if (!tools::is_chain(named.network)) buffers = buffers_of_graph(named.network);
      const uint64_t scratch_bytes = 2 * rows * buffers + layer_scratch;
      for (const Kernels* table : every_table()) {
        const Opened m(named.network, table->name);
        const sluice_need need = sluice_needs(&m.model, use);
        CAPTURE(name_of(*table));
        CAPTURE(named.name);
        REQUIRE_EQ(need.state, state);
        // Streams of a model that does not answer every step are stepped one by one.
        const sluice_info info = m.info();
        const bool alone = !tools::answered_frames(info).is_every();
        if (alone && use.streams > 1) continue;
        REQUIRE_EQ(need.scratch, scratch_bytes + (use.streams > 1 ? use.streams * state : 0));
        Bordered scratch(need.scratch);
        std::vector<Bordered> states;
        std::vector<sluice_stream> streams(use.streams);
        std::vector<sluice_stream*> handles;
        for (uint32_t i = 0; i < use.streams; ++i) states.emplace_back(need.state);
        for (uint32_t i = 0; i < use.streams; ++i) {
          REQUIRE_EQ(sluice_start(&streams[i], &m.model, use, states[i].data(), need.state,
                                  scratch.data(), need.scratch),
                     SLUICE_OK);
          handles.push_back(&streams[i]);
        }
        const size_t number = info.frame_bytes;
        for (const size_t n :
             {size_t(1), size_t(rows)}) {  // memory of the exact size, one byte off any alignment
                                           // that the numbers do not need
          Memory x(n * info.inputs * number + number, 1), y(n * info.outputs * 2);
          if (n == 1) sluice_step(&streams[0], x.data() + number, y.data());
          if (n <= use.streams)
            sluice_step_many(handles.data(), n, x.data() + number, y.data(), nullptr);
          if (n <= use.steps) sluice_run(&streams[0], x.data() + number, y.data(), n);
        }
        REQUIRE(scratch.intact());
        for (const Bordered& one : states) REQUIRE(one.intact());
      }
    }
}

TEST_CASE("answers are written exactly, and inputs read exactly") {
  for (const Named& named : every_network()) {
    const Opened m(named.network);
    const sluice_info info = m.info();
    const sluice_use use = {5, 3};
    std::vector<std::unique_ptr<Streaming>> streams;
    std::vector<sluice_stream*> handles;
    for (int i = 0; i < 3; ++i) {
      streams.push_back(std::make_unique<Streaming>(m.model, use));
      handles.push_back(&streams.back()->stream);
    }
    // Memory has the exact size, so that AddressSanitizer finds a read or a write beyond. Floats
    // need only their own alignment.
    for (const size_t n : {size_t(1), size_t(3)}) {
      Memory x(n * info.inputs * 4, 0), y(n * info.outputs * 4);
      sluice_step_many(handles.data(), n, reinterpret_cast<const float*>(x.data()),
                       reinterpret_cast<float*>(y.data()), nullptr);
    }
    for (const size_t n : {size_t(1), size_t(5), size_t(7)}) {
      Memory x(n * info.inputs * 4, 0), y((info.every_step ? n : 1) * info.outputs * 4);
      sluice_run(handles[0], reinterpret_cast<const float*>(x.data()),
                 reinterpret_cast<float*>(y.data()), n);
    }
    Memory odd(size_t(info.inputs) * 4 + 4, 0);
    std::vector<float> y(info.outputs);
    sluice_step(handles[0], reinterpret_cast<const float*>(odd.data() + 4), y.data());
  }
}

TEST_CASE("sizes do not depend on the instruction set") {
  for (const Named& named : every_network())
    for (const sluice_use use : {sluice_use{1, 1}, {100, 1}, {1, 64}}) {
      const Opened scalar(named.network, "scalar");
      const sluice_need expected = sluice_needs(&scalar.model, use);
      for (const Kernels* table : every_table()) {
        const Opened m(named.network, table->name);
        const sluice_need need = sluice_needs(&m.model, use);
        CHECK_EQ(need.state, expected.state);
        CHECK_EQ(need.scratch, expected.scratch);
      }
    }
}

TEST_CASE("a model's description gives its shapes") {
  const Network network =
      random_network(12, {standardize(), gru(33, every_step), gru(7), dense(9, SLUICE_SOFTMAX)});
  const Opened m(network);
  const sluice_info info = m.info();
  CHECK_EQ(info.inputs, 12u);
  CHECK_EQ(info.outputs, 9u);
  CHECK_EQ(info.layers, 4u);
  CHECK_EQ(info.bytes, m.blob.size);
  CHECK_EQ(info.every_step, 0u);
  CHECK_EQ(info.macs, uint64_t(3 * 33 * (12 + 33) + 3 * 7 * (33 + 7) + 9 * 7));
  const sluice_layer_info g = sluice_describe_layer(&m.model, 1);
  CHECK_EQ(g.kind, uint32_t(SLUICE_GRU));
  CHECK_EQ(g.format, uint32_t(SLUICE_F32));
  CHECK_EQ(g.every_step, 1u);
  CHECK_EQ(g.inputs, 12u);
  CHECK_EQ(g.outputs, 33u);
  CHECK_EQ(g.parameters, uint64_t(3 * 33 * (12 + 33) + 2 * 3 * 33));
  CHECK_EQ(g.weight_bytes, uint32_t(4 * 3 * 40 * (12 + 33 + 2)));
  CHECK_EQ(g.state_bytes, uint32_t(4 * 40));
  const sluice_layer_info d = sluice_describe_layer(&m.model, 3);
  CHECK_EQ(d.kind, uint32_t(SLUICE_DENSE));
  CHECK_EQ(d.activation, uint32_t(SLUICE_SOFTMAX));
  CHECK_EQ(d.parameters, uint64_t(9 * 7 + 9));
  CHECK_EQ(d.state_bytes, 0u);
  CHECK_EQ(sluice_needs(&m.model, {1, 1}).state, uint32_t(4 * (40 + 8)));
}

TEST_CASE("the hash depends on shapes and weights, but not on how they are stored or described") {
  Network network = random_network(3, {gru(5), dense(2)});
  const uint64_t hash = hash_of(network);
  network.inputs = {"a", "b", "c"};
  network.made = "{}";
  CHECK_EQ(hash_of(network), hash);
  Network integers = random_fixed_network(3, {gru(5), dense(2)}, SLUICE_INT8, Numbers::trained, 1);
  const uint64_t fixed_hash = hash_of(integers);
  for (tools::Array& a : integers.layers[0].arrays) {
    ++a.integers.back();
    CHECK_NE(hash_of(integers), fixed_hash);
    --a.integers.back();
  }
  ++integers.layers[0].shift_hh;
  CHECK_NE(hash_of(integers), fixed_hash);
  Network cells =
      random_fixed_network(3, {cell(SLUICE_LSTM, 5), dense(2)}, SLUICE_INT8, Numbers::trained, 1);
  const uint64_t cells_hash = hash_of(cells);
  ++cells.layers[0].shift_c;
  CHECK_NE(hash_of(cells), cells_hash);
  Network other = network;
  other.layers[0].every_step = true;
  CHECK_NE(hash_of(other), hash);
  other = network;
  other.layers[1].activation = SLUICE_TANH;
  CHECK_NE(hash_of(other), hash);
  other = network;
  other.layers[1].activation = SLUICE_ELU, other.layers[1].second = 1;
  const uint64_t elu_hash = hash_of(other);
  CHECK_NE(elu_hash, hash);
  other.layers[1].second = 0.5f;
  CHECK_NE(hash_of(other), elu_hash);
  other = network;
  other.layers[0].candidate = SLUICE_RELU;
  const uint64_t relu_hash = hash_of(other);
  CHECK_NE(relu_hash, hash);
  other.layers[0].candidate = SLUICE_LINEAR;
  CHECK_NE(hash_of(other), relu_hash);
  for (size_t l = 0; l < 2; ++l)
    for (size_t a = 0; a < network.layers[l].arrays.size(); ++a) {
      other = network;
      other.layers[l].arrays[a].values.back() += 1.0f;
      CHECK_NE(hash_of(other), hash);
    }
}
