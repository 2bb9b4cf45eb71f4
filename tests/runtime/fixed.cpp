// Models in fixed point compute what kernels/README.md defines, to the bit: on every instruction
// set, by single steps, sequences and many streams.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "../support/fixed_models.h"
#include "../support/forge.h"
#include "../support/tables.h"
#include "model/pack.h"

using namespace sluice;
using namespace sluice::tests;

namespace {

constexpr size_t steps = 12;

/// Reads a file of the golden set. tests/firmware/make_case.cpp made it; the answers are the
/// reference's.
std::string golden_bytes(const std::string& name) {
  std::ifstream file(SLUICE_TESTS_FOLDER "/golden/" + name, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), "missing golden file ", name);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Frames {
  std::vector<int32_t> numbers;
  std::vector<uint8_t> bytes;
  size_t frame_size;  ///< bytes
  Frames(const Network& network, size_t n, uint64_t seed) {
    Noise noise(seed);
    numbers = random_frames(network, n, noise);
    bytes = frame_bytes(network, numbers);
    frame_size = bytes.size() / n;
  }
};

/// Returns the answers by the definition, [steps][outputs].
std::vector<int16_t> expected_answers(const Network& network, const Frames& x, size_t n) {
  FixedReference reference(network);
  const auto inputs = size_t(tools::frame_width(network));
  std::vector<int16_t> all;
  for (size_t t = 0; t < n; ++t) {
    const auto at = x.numbers.begin() + std::ptrdiff_t(t * inputs);
    const std::vector<int16_t> y = reference.step({at, at + std::ptrdiff_t(inputs)});
    all.insert(all.end(), y.begin(), y.end());
  }
  return all;
}

}  // namespace

TEST_CASE(
    "a model in fixed point gives the numbers of the written definition, on every instruction "
    "set") {
  for (const NamedFixed& named : every_fixed_network()) {
    CAPTURE(named.name);
    const Frames x(named.network, steps, 7);
    const std::vector<int16_t> expected = expected_answers(named.network, x, steps);
    for (const Kernels* table : every_table()) {
      const std::string isa = name_of(*table);
      CAPTURE(isa);
      const Opened m(named.network, table->name);
      Streaming s(m.model, {1, 1});
      std::vector<int16_t> y(expected.size());
      const size_t outputs = m.info().outputs;
      std::vector<int16_t> answer(outputs);
      auto at = y.begin();
      for (size_t t = 0; t < steps; ++t)
        if (sluice_step(&s.stream, x.bytes.data() + t * x.frame_size, answer.data())) {
          REQUIRE(at != y.end());
          at = std::copy(answer.begin(), answer.end(), at);
        }
      REQUIRE(at == y.end());
      REQUIRE_EQ(y, expected);
    }
  }
}

TEST_CASE("the golden models answer with the golden bytes, on every instruction set") {
  for (const std::string set :
       {"int8", "w8a16", "cells-int8", "cells-w8a16", "ids-int8", "ids-w8a16", "int8-sparse",
        "w8a16-sparse", "curves-int8", "curves-w8a16"}) {
    const std::string name = "fixed-" + set, blob = golden_bytes(name + ".slu"),
                      expected = golden_bytes(name + ".out");
    const Memory x(golden_bytes(name + ".in"));
    for (const Kernels* table : every_table()) {
      CAPTURE(name_of(*table));
      const Opened m(blob, table->name);
      Streaming s(m.model, {1, 1});
      const size_t number = m.info().frame_bytes;
      const size_t frame = m.info().inputs * number, answer = m.info().outputs * sizeof(int16_t);
      std::string y(expected.size(), '\0');
      for (size_t t = 0; t < expected.size() / answer; ++t)
        sluice_step(&s.stream, x.data() + t * frame, y.data() + t * answer);
      CHECK_EQ(y, expected);
      CHECK_EQ(sluice_selftest(&s.stream, nullptr), SLUICE_OK);
    }
  }
}

TEST_CASE("sequences and many streams give the numbers of single steps") {
  for (const NamedFixed& named : every_fixed_network()) {
    CAPTURE(named.name);
    const Frames x(named.network, steps, 8);
    const std::vector<int16_t> expected = expected_answers(named.network, x, steps);
    const Opened m(named.network);
    const size_t outputs = m.info().outputs;
    for (const uint32_t piece : {2u, 5u, 12u}) {
      Streaming s(m.model, {piece, 1});
      std::vector<int16_t> y(m.info().every_step ? expected.size() : outputs);
      REQUIRE_EQ(sluice_run(&s.stream, x.bytes.data(), y.data(), steps), y.size() / outputs);
      const std::vector<int16_t> last(expected.end() - std::ptrdiff_t(y.size()), expected.end());
      REQUIRE_EQ(y, last);
    }
    // Stream i gets frames i, i + 1, ...: once alone, and once with the others.
    constexpr size_t many = 5;
    std::vector<std::unique_ptr<Streaming>> together, alone;
    std::vector<sluice_stream*> handles;
    for (size_t i = 0; i < many; ++i) {
      together.push_back(std::make_unique<Streaming>(m.model, sluice_use{1, 3}));
      alone.push_back(std::make_unique<Streaming>(m.model, sluice_use{1, 1}));
      handles.push_back(&together.back()->stream);
    }
    for (size_t t = 0; t + many < steps; ++t) {
      std::vector<int16_t> y(many * outputs), single(many * outputs);
      sluice_step_many(handles.data(), many, x.bytes.data() + t * x.frame_size, y.data(), nullptr);
      for (size_t i = 0; i < many; ++i)
        sluice_step(&alone[i]->stream, x.bytes.data() + (t + i) * x.frame_size,
                    &single[i * outputs]);
      REQUIRE_EQ(y, single);
    }
  }
}

TEST_CASE("any state is a valid state") {
  for (const NamedFixed& named : every_fixed_network()) {
    CAPTURE(named.name);
    FixedReference reference(named.network);
    Noise noise(9);
    const Frames x(named.network, 1, 10);
    const Opened m(named.network);
    Streaming s(m.model, {1, 1});
    auto* state = static_cast<int16_t*>(sluice_state(&s.stream, nullptr));
    for (FixedReference::Stage& stage : reference.stages) {
      if (stage.layer->kind == SLUICE_DIFFERENCE) {  // x of the step before, and a flag
        const auto units = size_t(padded(stage.layer->out));
        for (size_t u = 0; u < size_t(stage.layer->out); ++u)
          stage.before.push_back(state[u] = int16_t(noise.below(65536) - 32768));
        state[units] = 1;
        state += units + 16 / sizeof(int16_t);
      }
      if (const int kept = (stage.layer->parts - 1) * stage.layer->dilation;
          stage.layer->kind == SLUICE_WINDOW && (kept > 0 || stage.layer->thins())) {
        // a ring of steps, its begin, a count, the steps since the last output
        const auto in = size_t(stage.layer->in);
        for (int step = 0; step < kept; ++step) {
          std::vector<int32_t> frame;
          for (size_t u = 0; u < in; ++u)
            frame.push_back(state[size_t(step) * in + u] = int16_t(noise.below(65536) - 32768));
          stage.seen.push_back(frame);
        }
        state += (size_t(kept) * in * 2 + 15) / 16 * 8;
        state[0] = state[1] = -1;  // a begin outside of the ring stands for 0
        state[2] = int16_t(kept);
        // the steps since the last output
        state[4] = int16_t((kept - stage.layer->first) % stage.layer->stride);
        state[5] = 0;
        state += 8;
      }
      if (stage.layer->anatomy().once) {  // no steps so far, and any numbers
        const auto units = size_t(padded(stage.layer->out));
        state += units * (stage.layer->kind == SLUICE_MAX_OVER_STEPS ? 1 : 4) + 8;
      }
      for (std::vector<int16_t>* part : {&stage.h, &stage.c}) {
        for (size_t u = 0; u < part->size(); ++u)
          (*part)[u] = state[u] = int16_t(noise.below(4)   ? noise.below(65536) - 32768
                                          : noise.below(2) ? -32768
                                                           : 32767);
        state += padded(int(part->size()));
      }
    }
    std::vector<int16_t> y(m.info().outputs);
    if (!sluice_step(&s.stream, x.bytes.data(), y.data())) y.clear();
    CHECK_EQ(y, reference.step(x.numbers));
  }
}

TEST_CASE("a sum over steps overflows from no state") {
  for (const sluice_format format : fixed_formats) {
    const Network network =
        random_fixed_network(5, {over_steps(SLUICE_MEAN_OVER_STEPS)}, format, Numbers::trained, 12);
    const Opened m(network);
    Streaming s(m.model, {1, 1});
    size_t bytes = 0;
    auto* const state = static_cast<uint8_t*>(sluice_state(&s.stream, &bytes));
    for (const int most : {0x7F, 0x80}) {  // the largest sums and the smallest, of one step before
      std::memset(state, most == 0x7F ? 0xFF : 0, bytes - 16);
      for (size_t i = 7; i < bytes - 16; i += 8) state[i] = uint8_t(most);
      std::memset(state + bytes - 16, 0, 16);
      state[bytes - 16] = 1;
      const Frames x(network, 1, 10);
      std::vector<int16_t> y(m.info().outputs);
      sluice_step(&s.stream, x.bytes.data(), y.data());
      sluice_step(&s.stream, x.bytes.data(), y.data());
    }
  }
}

TEST_CASE("floats become frames, and answers become floats, as documented") {
  constexpr float inf = std::numeric_limits<float>::infinity(),
                  nan = std::numeric_limits<float>::quiet_NaN();
  for (const sluice_format format : fixed_formats) {
    const int32_t lowest = format == SLUICE_INT8 ? -128 : -32768, highest = -lowest - 1;
    Network network = random_fixed_network(3, {gru(4), dense(2)}, format, Numbers::trained, 5);
    network.scales.inverse = {100, 0.37f, 0};  // 0: the last feature never changed
    network.scales.offset = {0.25f, -17, 0};
    network.scales.unit = {1.0f / 1024, 0.37f}, network.scales.zero = {0, 48.135f};
    const Opened m(network);
    std::vector<float> x;
    Noise noise(11);
    for (const float v : {0.0f, -0.0f, 0.005f, -0.005f, 1.0f, -1.28f, 1.27f, 1e30f, -1e30f, inf,
                          -inf, nan, 0.0025f, -0.0075f})
      for (int i = 0; i < 3; ++i) x.push_back(v);
    for (int i = 0; i < 3000; ++i) x.push_back(noise.number(-400, 400));
    const size_t n = x.size() / 3;
    std::vector<int16_t> q(x.size());
    sluice_quantize(&m.model, x.data(), q.data(), n);
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t feature = i % 3;
      const int32_t got =
          format == SLUICE_INT8 ? reinterpret_cast<const int8_t*>(q.data())[i] : q[i];
      CAPTURE(x[i]);
      REQUIRE_EQ(got, fixed::quantize(x[i], network.scales.inverse[feature],
                                      network.scales.offset[feature], lowest, highest));
    }
    const std::vector<int16_t> y = {-32768, 32767, 0, 1, -1, 1000};
    std::vector<float> values(y.size());
    sluice_dequantize(&m.model, y.data(), values.data(), 3);
    for (size_t i = 0; i < y.size(); ++i)
      CHECK_EQ(values[i],
               fixed::dequantize(y[i], network.scales.unit[i % 2], network.scales.zero[i % 2]));
  }
}

TEST_CASE("logits become probabilities, and the largest stays the largest") {
  for (const sluice_activation last : {SLUICE_SOFTMAX, SLUICE_SIGMOID}) {
    const Network network =
        random_fixed_network(3, {gru(4), dense(4, last)}, SLUICE_INT8, Numbers::trained, 5);
    for (const Kernels* table : every_table()) {
      const Opened m(network, table->name);
      const std::vector<int16_t> y = {100, 3000, -4000, 2999, 0, 0, 0, 0};
      std::vector<float> p(8);
      sluice_dequantize(&m.model, y.data(), p.data(), 2);
      for (size_t row = 0; row < 8; row += 4) {
        double sum = 0;
        for (size_t i = 0; i < 4; ++i) sum += std::exp(y[row + i] / 1024.0);
        for (size_t i = 0; i < 4; ++i) {
          const double e = std::exp(y[row + i] / 1024.0);
          CHECK(double(p[row + i]) ==
                doctest::Approx(last == SLUICE_SOFTMAX ? e / sum : e / (1 + e)).epsilon(1e-6));
        }
      }
      CHECK_EQ(sluice_argmax_int16(y.data(), 4), 1u);
      CHECK_EQ(sluice_argmax(p.data(), 4), 1u);
    }
  }
  const int16_t ties[] = {-5, 7, 7, 1};
  CHECK_EQ(sluice_argmax_int16(ties, 4), 1u);
  CHECK_EQ(sluice_argmax_int16(ties, 1), 0u);
}

TEST_CASE("every fault of a blob in fixed point has its status") {
  Network network = random_fixed_network(
      3, {gru(5, every_step), dense(4, SLUICE_RELU), gru(9), dense(2, SLUICE_SOFTMAX)}, SLUICE_INT8,
      Numbers::trained, 3);
  const std::string good = tools::write_blob(network);
  CHECK_EQ(Forged(good).open(), SLUICE_OK);
  const auto with = [&](size_t at, auto value) {
    Forged f(good);
    f.write(at, value);
    return f.checksum().open();
  };
  const Forged blob(good);
  const size_t first = blob.layer(0), middle = blob.layer(1),
               scales = blob.section_offset(SLUICE_SECTION_SCALES);
  CHECK_EQ(with(first + offsetof(LayerRecord, shift_ih), uint8_t(30)), SLUICE_OK);
  CHECK_EQ(with(first + offsetof(LayerRecord, shift_ih), uint8_t(31)), SLUICE_STRUCTURE);
  CHECK_EQ(with(first + offsetof(LayerRecord, shift_hh), uint8_t(255)), SLUICE_STRUCTURE);
  CHECK_EQ(with(first + offsetof(LayerRecord, shift_c), uint8_t(1)), SLUICE_STRUCTURE);
  CHECK_EQ(with(middle + offsetof(LayerRecord, activation), uint8_t(SLUICE_SOFTMAX)),
           SLUICE_STRUCTURE);
  for (const int order : {1, 2})
    CHECK_EQ(with(first + offsetof(LayerRecord, order), uint8_t(order)), SLUICE_ORDER);
  for (const int order : {3, 255})
    CHECK_EQ(with(first + offsetof(LayerRecord, order), uint8_t(order)), SLUICE_STRUCTURE);
  CHECK_EQ(with(middle + offsetof(LayerRecord, format), uint8_t(SLUICE_W8A16)), SLUICE_STRUCTURE);
  CHECK_EQ(with(blob.read<uint32_t>(first + offsetof(LayerRecord, w_ih)), uint8_t(0x80)),
           SLUICE_WEIGHTS);
  CHECK_EQ(with(blob.read<uint32_t>(first + offsetof(LayerRecord, w_hh)) + 3, uint8_t(0x80)),
           SLUICE_WEIGHTS);
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    for (const size_t at : {size_t(0), size_t(4), sizeof(BlobScale), 3 * sizeof(BlobScale),
                            3 * sizeof(BlobScale) + 4})
      CHECK_EQ(with(scales + at, bad), SLUICE_WEIGHTS);
  for (const sluice_layer_kind kind : every_cell) {
    const auto open_with = [&](sluice_format format, int shift_c) {
      Network cells = format == SLUICE_F32
                          ? random_network(3, {cell(kind, 4)})
                          : random_fixed_network(3, {cell(kind, 4)}, format, Numbers::trained, 3);
      cells.layers[0].shift_c = shift_c;
      return Forged(tools::write_blob(cells)).open();
    };
    for (const sluice_format format : {SLUICE_F32, SLUICE_INT8, SLUICE_W8A16}) {
      const bool shifted = anatomy_of(kind).shifted_state && format != SLUICE_F32;
      CHECK_EQ(open_with(format, 0), SLUICE_OK);
      CHECK_EQ(open_with(format, 15), shifted ? SLUICE_OK : SLUICE_STRUCTURE);
      CHECK_EQ(open_with(format, 16), SLUICE_STRUCTURE);
    }
    Network cells = random_fixed_network(3, {cell(kind, 4)}, SLUICE_INT8, Numbers::trained, 3);
    for (const int flag : {mean_flag, both_directions_flag}) {
      Forged f(tools::write_blob(cells));
      f.write(f.layer(0) + offsetof(LayerRecord, flags), uint8_t(flag));
      CHECK_NE(f.checksum().open(), SLUICE_OK);
    }
    for (const int activation : {SLUICE_TANH, SLUICE_HARD_SIGMOID}) {
      Forged f(tools::write_blob(cells));
      f.write(f.layer(0) + offsetof(LayerRecord, activation), uint8_t(activation));
      CHECK_EQ(f.checksum().open(), SLUICE_STRUCTURE);
    }
    // A hard sigmoid is in both of its fields, with its slope; a FastGRNN and an RNN have none.
    for (const bool in_word : {false, true})
      for (const bool in_activation : {false, true}) {
        Forged f(tools::write_blob(cells));
        f.write(f.layer(0) + offsetof(LayerRecord, options), uint8_t(in_word));
        if (in_activation) {
          f.write(f.layer(0) + offsetof(LayerRecord, activation), uint8_t(SLUICE_HARD_SIGMOID));
          f.write(f.layer(0) + offsetof(LayerRecord, parameter), 0.2f);
        }
        const bool may = kind != SLUICE_RNN && kind != SLUICE_FASTGRNN;
        CHECK_EQ(f.checksum().open(),
                 in_word == in_activation && (may || !in_word) ? SLUICE_OK : SLUICE_STRUCTURE);
      }
    for (int curve = 0; curve < 32; ++curve) {
      Forged f(tools::write_blob(cells));
      f.write(f.layer(0) + offsetof(LayerRecord, candidate),
              candidate_code(sluice_activation(curve)));
      const bool other = curve == SLUICE_LINEAR || curve == SLUICE_RELU;
      CHECK_EQ(f.checksum().open(), curve == SLUICE_TANH || (other && kind != SLUICE_FASTGRNN)
                                        ? SLUICE_OK
                                        : SLUICE_STRUCTURE);
    }
    if (kind == SLUICE_FASTGRNN) continue;
    for (const int e : {0, 15, 16}) {
      Network other = random_fixed_network(3, {candidate(cell(kind, 4), SLUICE_RELU)}, SLUICE_INT8,
                                           Numbers::trained, 3);
      other.layers[0].shift_c = e;
      CHECK_EQ(Forged(tools::write_blob(other)).open(), e < 16 ? SLUICE_OK : SLUICE_STRUCTURE);
      other.layers[0].shift_c = 3;
      for (const int lift : {1, 14, 15}) {
        other.layers[0].shift_h = lift;
        CHECK_EQ(Forged(tools::write_blob(other)).open(),
                 kind == SLUICE_LSTM && lift < 15 ? SLUICE_OK : SLUICE_STRUCTURE);
      }
    }
  }
  const size_t entry = blob.section_of(SLUICE_SECTION_SCALES);
  CHECK_EQ(with(entry + offsetof(BlobSection, bytes), uint32_t(36)), SLUICE_STRUCTURE);
  CHECK_EQ(with(entry + offsetof(BlobSection, kind), 77u), SLUICE_STRUCTURE);  // without scales
}

TEST_CASE("an embedding and a GRU that resets before are never sparse") {
  for (const std::vector<Spec>& specs :
       {std::vector<Spec>{embedding(8), dense(2)}, {cell(SLUICE_GRU_BEFORE, 8), dense(2)}}) {
    Forged f(tools::write_blob(random_fixed_network(64, specs, SLUICE_INT8, Numbers::any, 12)));
    CHECK_EQ(f.open(), SLUICE_OK);
    f.write(f.layer(0) + offsetof(LayerRecord, order), uint8_t(Order::sparse));
    CHECK_EQ(f.checksum().open(), SLUICE_STRUCTURE);
  }
}

TEST_CASE("a sparse matrix is stored in the blob as the format defines") {
  // 9 x 5 weights are two panels of two blocks each. The first panel stores its right block, the
  // second its left one.
  Network network = random_fixed_network(5, {dense(9)}, SLUICE_INT8, Numbers::trained, 3);
  Layer& layer = network.layers[0];
  layer.sparse = true;
  std::vector<int32_t>& w = layer.arrays[0].integers;
  std::fill(w.begin(), w.end(), 0);
  w[2 * 5 + 4] = 7;   // row 2, column 4
  w[8 * 5 + 3] = -9;  // row 8, column 3
  const Forged blob(tools::write_blob(network));
  CHECK_EQ(int(blob.read<uint8_t>(blob.layer(0) + offsetof(LayerRecord, order))), 3);
  const size_t at = blob.read<uint32_t>(blob.layer(0) + offsetof(LayerRecord, w_ih));
  CHECK_EQ(blob.read<uint32_t>(at), 1u);
  CHECK_EQ(blob.read<uint32_t>(at + 4), 2u);
  CHECK_EQ(blob.read<uint16_t>(at + 8), 1u);
  CHECK_EQ(blob.read<uint16_t>(at + 10), 0u);
  for (size_t i = 12; i < 64 + 2 * 32; ++i) {
    CAPTURE(i);
    CHECK_EQ(int(blob.read<int8_t>(at + i)), i == 64 + 2 * 4 + 0        ? 7
                                             : i == 64 + 32 + 0 * 4 + 3 ? -9
                                                                        : 0);
  }
  CHECK_EQ(blob.read<uint32_t>(blob.layer(0) + offsetof(LayerRecord, b_ih)), at + 128);

  const Opened m(network);
  const sluice_layer_info info = sluice_describe_layer(&m.model, 0);
  CHECK_EQ(info.blocks, 4u);
  CHECK_EQ(info.stored_blocks, 2u);
  CHECK_EQ(info.weight_bytes, 128u + 2 * 16 * 4);
  Network whole = network;
  whole.layers[0].sparse = false;
  const Opened same(whole);
  CHECK_EQ(sluice_hash(&same.model), sluice_hash(&m.model));

  const auto with = [&](size_t offset, auto value) {
    Forged f(blob);
    f.write(at + offset, value);
    return f.checksum().open();
  };
  CHECK_EQ(with(8, uint16_t(0)), SLUICE_OK);
  CHECK_EQ(with(0, 0u), SLUICE_STRUCTURE);  // the second panel's blocks would be columns 1 and 0
  CHECK_EQ(with(0, 2u), SLUICE_STRUCTURE);
  CHECK_EQ(with(0, 3u), SLUICE_STRUCTURE);
  CHECK_EQ(with(8, uint16_t(2)), SLUICE_STRUCTURE);
  CHECK_EQ(with(10, uint16_t(65535)), SLUICE_STRUCTURE);
  for (const uint32_t end : {1000u, 0x7FFFFFFFu, 0xFFFFFFFFu})
    CHECK_EQ(with(4, end), SLUICE_STRUCTURE);
  CHECK_EQ(with(64 + 5, uint8_t(0x80)), SLUICE_WEIGHTS);
  // Nothing between the columns and the blocks is read.
  CHECK_EQ(with(12, uint8_t(0x80)), SLUICE_OK);
}

TEST_CASE("a network in fixed point is read from its blob as it was written") {
  for (const NamedFixed& named : every_fixed_network()) {
    CAPTURE(named.name);
    const Opened m(named.network);
    const Network back = tools::read_network(m.model);
    REQUIRE_EQ(back.layers.size(), named.network.layers.size());
    for (size_t l = 0; l < back.layers.size(); ++l) {
      CHECK_EQ(back.layers[l].shift_ih, named.network.layers[l].shift_ih);
      CHECK_EQ(back.layers[l].shift_hh, named.network.layers[l].shift_hh);
      CHECK_EQ(back.layers[l].shift_c, named.network.layers[l].shift_c);
      CHECK_EQ(back.layers[l].shift_h, named.network.layers[l].shift_h);
      CHECK_EQ(back.layers[l].candidate, named.network.layers[l].candidate);
      CHECK_EQ(back.layers[l].activation, named.network.layers[l].activation);
      CHECK_EQ(back.layers[l].sparse, named.network.layers[l].sparse);
      for (size_t a = 0; a < back.layers[l].arrays.size(); ++a)
        CHECK_EQ(back.layers[l].arrays[a].integers, named.network.layers[l].arrays[a].integers);
    }
    CHECK_EQ(back.scales.inverse, named.network.scales.inverse);
    CHECK_EQ(back.scales.offset, named.network.scales.offset);
    CHECK_EQ(back.scales.unit, named.network.scales.unit);
    CHECK_EQ(back.scales.zero, named.network.scales.zero);
    CHECK_EQ(tools::write_blob(back), tools::write_blob(named.network));
  }
}
