// Makes a case for a board: a blob, frames by an integer formula, and the answers to them. In fixed
// point the answers are the reference's (tests/support/reference_fixed.h), in float the scalar
// kernels'.
//   make_case FOLDER/NAME BLOB
//     uses the model in a file.
//   make_case FOLDER/NAME f32|int8|w8a16 INPUTS WORD UNITS ...
//     makes a network with made-up weights. shape.h lists the words.
//   make_case FOLDER/NAME f32|int8|w8a16 graph|heads|frame-sum
//     makes a network with joins, or with an answer in three parts.
//   make_case FOLDER/NAME int8|w8a16 sparse INPUTS WORD UNITS ...
//     leaves nine tenths of the network's blocks empty and does not store them.
//   make_case --train FOLDER/NAME
//     writes a network before and after ten steps of training: NAME.begin, NAME.end.
// Writes NAME.in, NAME.out, NAME.trace (of the first frames) and the blob with the order of weights
// of hosts (NAME.slu), of Helium (NAME.rows) and of the other Cortex-M (NAME.pairs).
#define DOCTEST_CONFIG_IMPLEMENT  // the reference is a part of the tests
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "frames.h"
#include "model/graph.h"
#include "model/network.h"
#include "model/order.h"
#include "model/pack.h"
#include "shape.h"
#include "tests/support/fixed_models.h"
#include "training.h"

namespace {

using namespace sluice::tools;
using sluice::Role;

constexpr size_t frames = 64;

struct alignas(64) Line {
  char bytes[64];
};

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "make_case: %s\n", what.c_str());
  std::exit(1);
}

struct Numbers {
  uint32_t state = 1;
  uint32_t next() { return state = state * 1664525u + 1013904223u; }
  int8_t eight() { return int8_t(next() >> 24); }
  int16_t sixteen() { return int16_t(next() >> 16); }
};

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) fail("cannot read " + path);
  return text;
}

void write(const std::string& path, const void* data, size_t bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(data), std::streamsize(bytes));
  if (!file.flush()) fail("cannot write " + path);
}

/// Weights over their whole range; multipliers that bring sums of their usual size to about one, in
/// units of 2^-12.
Layer made_up_layer(Numbers& numbers, const char* word, int in, int units, sluice_format format,
                    size_t before = 0) {
  Layer layer = layer_of_word(word, in, units, format, before);
  if (layer.kind == sluice_layer_kind(0)) fail(std::string(word) + ": what layer is that?");
  if (format == SLUICE_F32) {
    for (Array& array : layer.arrays)
      for (float& value : array.values)
        value = float(numbers.sixteen()) / 32768.0f / std::sqrt(float(array.cols));
    return layer;
  }
  const bool narrow = format == SLUICE_INT8;
  layer.shift_ih = layer.shift_hh = narrow ? 8 : 0;
  if (layer.kind == SLUICE_NORM_POOL) layer.shift_ih = 1;
  if (layer.anatomy().shifted_state || layer.candidate != SLUICE_TANH)
    layer.shift_c = layer.kind == SLUICE_LSTM ? 2 : 1;
  if (layer.find(Role::input_factor)) layer.factor_shift_ih = layer.shift_ih;
  if (layer.find(Role::state_factor)) layer.factor_shift_hh = layer.shift_hh;
  // The usual size of a product of two numbers that are uniform over their range.
  const double usual_product = 73.0 * (narrow ? 73.0 : 18900.0);
  for (Array& array : layer.arrays) {
    const bool matrix = array.is_matrix();
    const bool over_state = array.role == Role::state_bias || array.role == Role::state_factor_bias;
    const int chain = over_state ? units : in;
    const double multiplier =
        4096.0 * std::ldexp(1.0, 32 - layer.shift_ih) / (usual_product * std::sqrt(chain));
    for (size_t i = 0; i < array.integers.size(); ++i) {
      const int number = numbers.eight();
      if (array.role == Role::columns)
        continue;
      else if (array.role == Role::part_multiplier || array.role == Role::part_bias)
        array.integers[i] = (array.role == Role::part_bias ? 1 : 4) * numbers.sixteen();
      else if (matrix)
        array.integers[i] = number < -127 ? -127 : number;
      else if (array.role == Role::gate_bias || array.role == Role::candidate_bias ||
               array.role == Role::start)
        array.integers[i] = 32 * number;  // at most one
      else if (array.role == Role::zeta || array.role == Role::nu)
        array.integers[i] = array.role == Role::zeta ? 24000 + number : 600 + number;
      else
        array.integers[i] =
            i < array.integers.size() / 2 ? number : int32_t(multiplier * (1.0 + number / 512.0));
    }
  }
  return layer;
}

/// Adds a layer that joins these sources: 0 is the frame, n the n-th layer.
void add_join(Numbers& numbers, Network& network, sluice_layer_kind kind,
              const std::vector<uint32_t>& sources, sluice_format format) {
  Layer layer;
  layer.kind = kind, layer.format = format, layer.sources = sources;
  for (const uint32_t source : sources)
    layer.out =
        kind == SLUICE_CONCAT ? layer.out + width_of(network, source) : width_of(network, source);
  layer.in = layer.out;
  layer = with_arrays(layer);
  for (Array& array : layer.arrays)
    for (int32_t& value : array.integers)
      value = array.role == Role::part_multiplier ? 4 * numbers.sixteen() : numbers.sixteen();
  network.layers.push_back(layer);
}

/// Makes a network with residual and dense connections, a mask, a layer that reads an early one,
/// and two parts of an answer.
Network made_up_graph(sluice_format format) {
  Numbers numbers;
  Network network;
  network.width = 5;
  const auto add = [&](const char* word, int units, uint32_t source) {
    Layer layer = made_up_layer(numbers, word, width_of(network, source), units, format);
    if (recurrent(layer)) layer.every_step = true;
    if (source != network.layers.size()) layer.sources = {source};
    network.layers.push_back(layer);
  };
  add("tanh", 11, 0);
  add("gru", 11, 1);
  add_join(numbers, network, SLUICE_ADD, {1, 2}, format);
  add("sigmoid", 5, 3);
  add_join(numbers, network, SLUICE_MULTIPLY, {4, 0}, format);
  add_join(numbers, network, SLUICE_CONCAT, {5, 3, 0}, format);
  add("gru", 19, 6);
  add("dense", 3, 7);
  add("tanh", 9, 2);
  add_join(numbers, network, SLUICE_CONCAT, {8, 9}, format);
  return network;
}

/// Makes a network that adds columns of the frame to its answer. In int8 its frames are int16.
Network made_up_sum(sluice_format format) {
  Numbers numbers;
  Network network;
  network.width = 6;
  network.wide_frame = format == SLUICE_INT8;
  const auto add_select = [&](const std::vector<int32_t>& columns) {
    Layer select = make_layer(SLUICE_SELECT, 6, int(columns.size()), SLUICE_LINEAR, false, format);
    select.array(Role::columns).integers = columns;
    select.sources = {0};
    network.layers.push_back(select);
  };
  add_select({0, 1, 2, 3, 4, 5});
  network.layers.push_back(made_up_layer(numbers, "gru", 6, 13, format));
  network.layers.push_back(made_up_layer(numbers, "dense", 13, 3, format));
  add_select({5, 0, 3});
  add_join(numbers, network, SLUICE_ADD, {3, 4}, format);
  return network;
}

/// Makes a network whose answer has three parts: a sigmoid, a softmax, and values.
Network made_up_heads(sluice_format format) {
  Numbers numbers;
  Network network;
  network.width = 12;
  network.layers.push_back(made_up_layer(numbers, "gru", 12, 20, format));
  for (const auto& [word, units] :
       {std::pair("sigmoid", 22), std::pair("softmax", 13), std::pair("dense", 3)}) {
    network.layers.push_back(made_up_layer(numbers, word, 20, units, format));
    if (network.layers.size() > 2) network.layers.back().sources = {1};
  }
  add_join(numbers, network, SLUICE_CONCAT, {2, 3, 4}, format);
  return network;
}

sluice_format format_of_word(const std::string& word) {
  return word == "f32" ? SLUICE_F32 : word == "int8" ? SLUICE_INT8 : SLUICE_W8A16;
}

std::string made_up_blob(int count, char** words) {
  const std::string format = words[0];
  const bool sparse = count > 1 && words[1] == std::string("sparse");
  if (sparse) --count, ++words;
  const std::string one = count == 2 ? words[1] : "";
  const bool made_up = one == "graph" || one == "heads" || one == "frame-sum";
  if (!made_up && (count < 3 || count % 2)) fail("what network is that?");
  if ((format != "f32" && format != "int8" && format != "w8a16"))
    fail("what number format is that?");
  Numbers numbers;
  Network network;
  if (one == "graph") network = made_up_graph(format_of_word(format));
  if (one == "heads") network = made_up_heads(format_of_word(format));
  if (one == "frame-sum") network = made_up_sum(format_of_word(format));
  int in = std::atoi(words[1]);
  for (int i = 2; !made_up && i < count; i += 2) {
    const int units = std::atoi(words[i + 1]);
    network.layers.push_back(
        made_up_layer(numbers, words[i], in, units, format_of_word(format), network.layers.size()));
    if (sparse) leave_one_block_in_ten(network.layers.back());
    in = network.layers.back().out;
  }
  if (network.layers.front().kind == SLUICE_DIFFERENCE) network.wide_frame = format == "int8";
  if (!network.width && network.layers.front().kind != SLUICE_EMBEDDING)
    network.width = std::atoi(words[1]);
  network.scales.inverse.assign(size_t(frame_width(network)), 1.0f);
  network.scales.offset.assign(size_t(frame_width(network)), 0.0f);
  network.scales.unit.assign(size_t(network.layers.back().out), 1.0f);
  network.scales.zero.assign(size_t(network.layers.back().out), 0.0f);
  return write_blob(network);
}

/// Makes frames: integers over their whole range; floats are multiples of 2^-13 in [-4, 4).
std::string make_frames(const sluice_info& model) {
  std::string bytes;
  Numbers numbers;
  for (size_t i = 0; i < frames * model.inputs; ++i) {
    const auto append = [&](auto number) {
      bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
    };
    if (model.format == SLUICE_F32 && !model.vocabulary)
      append(float(numbers.sixteen()) / 8192.0f);
    else if (model.vocabulary)
      append(int32_t(numbers.next() >> 8) % int32_t(model.vocabulary + 2) - 1);  // unknown ids too
    else if (model.frame_bytes == 1)
      append(numbers.eight());
    else
      append(numbers.sixteen());
  }
  return bytes;
}

/// Returns a copy at a multiple of 64.
std::vector<Line> aligned(const std::string& text) {
  std::vector<Line> copy(text.size() / sizeof(Line) + 1);
  text.copy(copy[0].bytes, text.size());
  return copy;
}

void make_training(const std::string& name) {
  Network network;
  Numbers numbers;
  network.layers.push_back(
      made_up_layer(numbers, "gru", int(MadeUpBatch::features), 11, SLUICE_F32));
  network.layers[0].every_step = false;
  network.layers.push_back(
      made_up_layer(numbers, "softmax", 11, int(MadeUpBatch::classes), SLUICE_F32));
  const std::string text = write_blob(network);
  std::vector<Line> blob = aligned(text), stored = aligned(text);
  sluice_model model;
  if (const sluice_status status = sluice_open(&model, blob.data(), text.size(), "scalar"))
    fail(sluice_status_text(status));
  const sluice_train_options options = training_options();
  std::vector<Line> arena(sluice_train_needs(&model, &options) / sizeof(Line) + 1);
  static MadeUpBatch batch;
  const sluice_status status =
      train_ten_steps(&model, batch, arena.data(), arena.size() * sizeof(Line),
                      reinterpret_cast<uint8_t*>(stored.data()), text.size());
  if (status) fail(sluice_status_text(status));
  write(name + ".begin", text.data(), text.size());
  write(name + ".end", stored.data(), text.size());
}

/// A stream's trace, as lines of text.
struct Trace {
  const sluice_model& model;
  uint32_t step;
  std::string text;

  static void take(void* context, uint32_t layer, const void* values, uint32_t n) {
    Trace& trace = *static_cast<Trace*>(context);
    char line[72];
    for (uint32_t unit = 0; unit < n; ++unit)
      trace.text.append(line,
                        sluice_trace_line(&trace.model, trace.step, layer, unit, values, line));
  }
};

/// Returns whether the reference gives the same answers, in fixed point.
bool as_defined(const Network& network, const std::string& x, const std::string& y) {
  const sluice_format format = network.layers[0].format;
  const auto inputs = size_t(frame_width(network));
  sluice::tests::FixedReference reference(network);
  std::string expected;
  for (size_t i = 0; i < frames; ++i) {
    std::vector<int32_t> frame;
    for (size_t k = i * inputs; k < (i + 1) * inputs; ++k)
      frame.push_back(sluice::tests::reads_ids(network)
                          ? reinterpret_cast<const int32_t*>(x.data())[k]
                      : format == SLUICE_INT8 && !network.wide_frame
                          ? int8_t(x[k])
                          : reinterpret_cast<const int16_t*>(x.data())[k]);
    for (const int16_t answer : reference.step(frame))
      expected.append(reinterpret_cast<const char*>(&answer), sizeof answer);
    expected.resize((i + 1) * y.size() / frames);  // a frame may have no answer
  }
  return y == expected;
}

/// Returns the blob with the first frames and answers as its self-test.
/// @param y  [frames] with zeros in place of an answer that a frame does not have
std::string with_self_test(const std::string& text, const sluice_model& model, const std::string& x,
                           const std::string& y) {
  const sluice_info info = sluice_describe(&model);
  std::vector<uint32_t> header = {1, 8};  // one sequence of eight frames
  const size_t answer = answer_bytes(info);
  std::string answers;
  for (size_t frame = info.first_answer; frame < 8; frame += info.stride)
    answers += y.substr(frame * answer, answer);
  if (info.first_answer || info.stride > 1) header.push_back(uint32_t(answers.size() / answer));
  Network network = read_network(model);
  network.self_test.assign(reinterpret_cast<const char*>(header.data()), header.size() * 4);
  for (const std::string& part : {x.substr(0, 8 * frame_bytes(info)), answers}) {
    network.self_test += part;
    network.self_test.resize((network.self_test.size() + 3) / 4 * 4);
  }
  return text.empty() ? text : write_blob(network);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && argv[1] == std::string("--train")) return make_training(argv[2]), 0;
  if (argc < 3) fail("usage: at the head of its source");
  const std::string name = argv[1],
                    text = argc == 3 ? read(argv[2]) : made_up_blob(argc - 2, argv + 2);
  std::vector<Line> blob = aligned(text);

  sluice_model model;
  if (const sluice_status status = sluice_open(&model, blob.data(), text.size(), "scalar"))
    fail(sluice_status_text(status));
  const sluice_info info = sluice_describe(&model);
  const sluice_use use = {1, 1};
  const sluice_need need = sluice_needs(&model, use);
  std::vector<Line> state(need.state / sizeof(Line) + 1), scratch(need.scratch / sizeof(Line) + 1);
  sluice_stream stream;
  if (const sluice_status status = sluice_start(&stream, &model, use, state.data(), need.state,
                                                scratch.data(), need.scratch))
    fail(sluice_status_text(status));

  const std::string x = make_frames(info);
  std::string y(frames * answer_bytes(info), '\0');
  Trace trace{model, 0, ""};
  sluice_trace(&stream, Trace::take, &trace);
  for (size_t i = 0; i < frames; ++i, ++trace.step) {
    if (i == traced_frames) sluice_trace(&stream, nullptr, nullptr);
    sluice_step(&stream, x.data() + i * frame_bytes(info), y.data() + i * answer_bytes(info));
  }
  if (info.format != SLUICE_F32 && !as_defined(read_network(model), x, y))
    fail(name + ": the reference gives other answers");
  const std::string tested = with_self_test(text, model, x, y);
  const std::string pairs = in_order(tested, sluice::Order::pairs),
                    rows = in_order(tested, sluice::Order::rows);
  write(name + ".slu", tested.data(), tested.size());
  write(name + ".pairs", pairs.data(), pairs.size());
  write(name + ".rows", rows.data(), rows.size());
  write(name + ".in", x.data(), x.size());
  write(name + ".out", y.data(), y.size());
  write(name + ".trace", trace.text.data(), trace.text.size());
}
