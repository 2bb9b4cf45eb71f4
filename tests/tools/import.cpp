// Tests the readers of foreign models on damaged and hostile files: each is read or refused by one
// line, whatever its bytes. tools/import.sh tests that models answer as their programs do.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/safe_file.h"
#include "import/json_document.h"
#include "import/op_graph.h"
#include "import/pickle.h"
#include "import/read.h"
#include "import/torch_code.h"
#include "model/pack.h"

using namespace sluice::tools;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(SLUICE_TESTS_FOLDER) / "golden/import";

/// Reads a model, and checks that its weights are finite. Returns the message if it is refused.
std::string outcome(const std::string& bytes, const std::string& layers) {
  try {
    const Imported imported = read_foreign_bytes(bytes, "file", {layers, {}});
    bool finite = true;
    for (const Layer& layer : imported.network.layers)
      for (const Array& array : layer.arrays)
        for (const float value : array.values) finite = finite && std::isfinite(value);
    CHECK(finite);
    return "accepted";
  } catch (const Error& error) {
    CHECK_EQ(error.exit_code, 2);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
}

/// Returns whether a file is refused since this build is without the library that reads it.
bool is_left_out(const std::string& message) {
  return message.find("this build is without") != std::string::npos;
}

/// A file with some bytes changed, exchanged, cut out or cut off.
std::string damaged(std::string bytes, std::mt19937& random) {
  const auto any = [&](std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
  };
  const std::size_t changes = 1 + any(4);
  for (std::size_t i = 0; i < changes && bytes.size() > 2; ++i) {
    const std::size_t at = any(bytes.size());
    switch (any(6)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.erase(at, 1 + any(8));
        break;
      case 2:
        bytes.insert(at, bytes.substr(any(bytes.size()), 1 + any(16)));
        break;
      default:
        bytes[at] = char(any(256));
    }
  }
  return bytes;
}

/// Returns the bytes of a safetensors file with that header.
std::string safetensors(const std::string& header, std::size_t numbers) {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + std::string(numbers, '\0');
}

std::string refusal_of_bytes(const std::string& bytes) { return outcome(bytes, ""); }

bool says(const std::string& message, const std::string& part) {
  if (message.find(part) != std::string::npos) return true;
  MESSAGE(message);
  return false;
}

/// Reads a pickle that makes at most 1,000 values.
std::string pickled(const std::string& bytes) {
  try {
    std::string_view rest = bytes;
    read_pickle(rest, "file", {false, 1000});
    return "accepted";
  } catch (const Error& error) {
    CHECK_EQ(error.exit_code, 2);
    return error.what();
  }
}

}  // namespace

TEST_CASE("damaged models of other programs are read or refused in one line") {
  constexpr int tries = 250;
  std::mt19937 random(1);
  const struct {
    const char *file, *layers;
  } files[] = {{"torch/prefixes.safetensors", "torch/prefixes.toml"},
               {"torch/norm.pth", "torch/norm.toml"},
               {"torch/checkpoint.legacy.pt", "torch/checkpoint.toml"},
               {"torch/dense.script.pt", ""},
               {"torch/policy.script.pt", ""},
               {"torch/both_states.trace.pt", ""},
               {"torch/rtneural_gru.json", ""},
               {"torch/aida.json", ""},
               {"torch/guitar_skip.json", ""},
               {"onnx/branches.dynamo.onnx", ""},
               {"onnx/packed.onnx", ""},
               {"onnx/own_gru.script.onnx", ""},
               {"onnx/loop.onnx", ""},
               {"onnx/scan.onnx", ""},
               {"onnx/loop_started.onnx", ""},
               {"onnx/op_lstm_peepholes_start_both.onnx", ""},
               {"torch/projection.safetensors", "torch/projection.toml"},
               {"torch/started_both.script.pt", ""},
               {"torch/nam.json", ""},
               {"onnx/steps_one_by_one.onnx", ""},
               {"onnx/conv_steps.script.onnx", ""},
               {"onnx/conv_spectrum.script.onnx", ""},
               {"onnx/conv_planes.script.onnx", ""},
               {"onnx/conv_levels.script.onnx", ""},
               {"torch/conv.json", ""},
               {"torch/conv_steps.safetensors", "torch/conv_steps.toml"},
               {"tensorflow/flatten.tflite", ""},
               {"tensorflow/fused_int8.tflite", ""},
               {"tensorflow/gru_flex.tflite", ""},
               {"tensorflow/stateful.tflite", ""},
               {"tensorflow/one_step.tflite", ""},
               {"tensorflow/op_both_rnn.tflite", ""},
               {"tensorflow/unrolled_gru.tflite", ""},
               {"tensorflow/while_both.tflite", ""},
               {"tensorflow/tf1_gru.pb", ""},
               {"tensorflow/tf1_unrolled.pb", ""}};
  for (const auto& file : files) {
    CAPTURE(file.file);
    const std::string bytes = read_file((golden / file.file).string());
    const std::string layers = *file.layers ? (golden / file.layers).string() : "";
    const std::string whole = outcome(bytes, layers);
    if (is_left_out(whole)) continue;
    CHECK_EQ(whole, "accepted");
    for (int i = 0; i < tries; ++i) outcome(damaged(bytes, random), layers);
    for (std::size_t end = 0; end < bytes.size(); end += 1 + bytes.size() / 40)
      CHECK(outcome(bytes.substr(0, end), layers) != "accepted");
  }
}

TEST_CASE("a weight that is not finite is refused") {
  // The bytes of one float of W become a NaN.
  std::string bytes = read_file((golden / "onnx/op_gru_after.onnx").string());
  if (is_left_out(outcome(bytes, ""))) return;
  const std::size_t at = bytes.find('\x4a');  // the field of raw bytes
  REQUIRE(at != std::string::npos);
  bool refused = false;
  for (std::size_t i = at + 4; i + 4 < bytes.size() && i < at + 24; ++i) {
    std::string damaged_bytes = bytes;
    damaged_bytes.replace(i, 4, std::string("\x00\x00\xc0\x7f", 4));
    refused = refused || outcome(damaged_bytes, "").find("a weight is nan, not a finite float") !=
                             std::string::npos;
  }
  CHECK(refused);
}

namespace {

/// Returns bytes with the first `old` after `begin` exchanged.
std::string exchanged(std::string bytes, const std::string& old, const std::string& by) {
  const std::size_t at = bytes.find(old);
  REQUIRE(at != std::string::npos);
  return bytes.replace(at, old.size(), by);
}

/// Returns numbers of 32 bits as bytes.
std::string numbers32(const std::vector<std::uint32_t>& numbers) {
  std::string bytes(4 * numbers.size(), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

/// Returns a field of Protocol Buffers that is a text or a message.
std::string field(int number, const std::string& content) {
  std::string size;
  for (std::size_t left = content.size();; left >>= 7) {
    size += char(left < 0x80 ? left : (left & 0x7f) | 0x80);
    if (left < 0x80) break;
  }
  return char(number << 3 | 2) + size + content;
}

/// Returns a node of a GraphDef.
std::string graph_node(const std::string& name, const std::string& op,
                       const std::vector<std::string>& inputs, const std::string& attributes = "") {
  std::string node = field(1, name) + field(2, op);
  for (const std::string& input : inputs) node += field(3, input);
  return field(1, node + attributes);
}

/// Returns an attribute of a node.
std::string attribute(const std::string& name, const std::string& value) {
  return field(5, field(1, name) + field(2, value));
}

/// Returns a shape of sizes below 128, or of one size that is a number of 63 bits.
std::string shape_of(const std::vector<int>& sizes) {
  std::string shape;
  for (const int size : sizes)
    shape += field(
        2, size < 0 ? "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f" : std::string{'\x08', char(size)});
  return shape;
}

const std::string floats_type = "\x08\x01";

/// Returns a constant of floats.
std::string constant_node(const std::string& name, const std::vector<int>& shape,
                          const std::string& content) {
  return graph_node(
      name, "Const", {},
      attribute("value", field(8, floats_type + field(2, shape_of(shape)) + field(4, content))));
}

std::string placeholder(const std::vector<int>& shape) {
  return graph_node("input", "Placeholder", {}, attribute("shape", field(7, shape_of(shape))));
}

}  // namespace

namespace {

/// A graph of one input [1][frame], which an Unsqueeze gives more dimensions, and one operation.
OpGraph graph_of(std::int64_t frame, std::vector<std::int64_t> more, OpNode node) {
  OpGraph graph;
  graph.opset = 13;
  graph.inputs = {{"x", {1, frame}, false}};
  graph.outputs = {{"y", {}, false}};
  auto axes = std::make_shared<Constant>();
  axes->shape = {std::int64_t(more.size())}, axes->whole = std::move(more), axes->is_whole = true;
  graph.constants["axes"] = axes;
  OpNode widens;
  widens.op = widens.name = "Unsqueeze", widens.inputs = {"x", "axes"}, widens.outputs = {"wide"};
  node.name = "node", node.outputs = {"y"};
  node.inputs.insert(node.inputs.begin(), "wide");
  graph.nodes = {widens, std::move(node)};
  return graph;
}

std::string refusal_of_graph(const OpGraph& graph) {
  try {
    model_of_graph(graph, "file", {});
    return "accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

OpAttribute numbers_of(std::vector<std::int64_t> numbers) {
  OpAttribute attribute;
  attribute.wholes = std::move(numbers);
  return attribute;
}

OpAttribute number_of(std::int64_t number) {
  OpAttribute attribute;
  attribute.whole = number;
  return attribute;
}

}  // namespace

TEST_CASE("kernels, paddings and groups whose sizes no number holds are refused") {
  constexpr std::int64_t large = 1 << 20, huge = std::int64_t(1) << 62;
  OpNode pool;
  pool.op = "MaxPool";
  pool.attributes["kernel_shape"] = numbers_of({2});
  pool.attributes["strides"] = numbers_of({2});
  CHECK_EQ(refusal_of_graph(graph_of(8, {1}, pool)), "accepted");
  for (const std::int64_t size : {large, huge, -large, std::int64_t(0)}) {
    CAPTURE(size);
    OpNode many = pool;  // of four dimensions, each as wide
    many.attributes["kernel_shape"] = numbers_of({size, size, size, size});
    many.attributes["pads"] = numbers_of(std::vector<std::int64_t>(8, size));
    many.attributes.erase("strides");
    CHECK(says(refusal_of_graph(graph_of(8, {1, 2, 3, 4}, many)), "file: node (MaxPool): "));
    for (const char* name : {"kernel_shape", "strides", "dilations"}) {
      OpNode one = pool;
      one.attributes[name] = numbers_of({size});
      const std::string told = refusal_of_graph(graph_of(8, {1}, one));
      CHECK((told == "accepted" || says(told, "file: node (MaxPool): ")));
    }
  }
  OpNode convolution;
  convolution.op = "Conv", convolution.inputs = {"w"};
  const auto with_weights = [&](std::vector<std::int64_t> shape, const OpNode& node) {
    OpGraph graph = graph_of(8, {1}, node);
    auto w = std::make_shared<Constant>();
    w->floats.assign(std::size_t(shape[0] * shape[1] * shape[2]), 0.5f);
    w->shape = std::move(shape);
    graph.constants["w"] = w;
    return refusal_of_graph(graph);
  };
  CHECK_EQ(with_weights({2, 1, 3}, convolution), "accepted");
  CHECK(says(with_weights({0, 1, 3}, convolution), "channels in 1 groups"));
  for (const std::int64_t group : {std::int64_t(0), std::int64_t(-1), std::int64_t(2), huge}) {
    convolution.attributes["group"] = number_of(group);
    CHECK(says(with_weights({2, 1, 3}, convolution), "channels in"));
  }
  OpNode pads;
  pads.op = "Pad";
  for (const std::int64_t size : {large, huge, -large}) {
    pads.attributes["pads"] = numbers_of({0, 0, size, 0, 0, size});
    CHECK(says(refusal_of_graph(graph_of(8, {1}, pads)), "file: node (Pad): "));
  }
  OpNode flat;  // all steps in one row
  flat.op = "Flatten";
  for (const std::int64_t steps : {large, huge}) {
    OpGraph graph = graph_of(8, {1}, flat);
    graph.inputs[0].shape = {1, steps, 8};
    graph.nodes[1].inputs = {"x"};
    CHECK(says(refusal_of_graph(graph), "which is too much"));
  }
}

TEST_CASE("TFLite files that lie about their parts are refused") {
  const std::string rnn = read_file((golden / "tensorflow/op_rnn.tflite").string());
  CHECK_EQ(refusal_of_bytes(rnn), "accepted");
  const std::string shape = numbers32({2, 4, 3});  // of W
  CHECK(says(refusal_of_bytes(exchanged(rnn, shape, numbers32({2, 4, 4}))),
             "48 bytes for 16 numbers; the file is damaged"));
  CHECK(says(refusal_of_bytes(exchanged(rnn, shape, numbers32({2, 0x7fffffff, 0x7fffffff}))),
             "tensors of more numbers than the file has bytes"));
  CHECK(says(refusal_of_bytes(exchanged(rnn, shape, numbers32({2, 4, 0x80000003}))),
             "tensors of more numbers than the file has bytes"));
  CHECK(says(refusal_of_bytes(exchanged(rnn, shape, numbers32({0xfffffff0, 4, 3}))),
             "its parts overlap many times"));
  CHECK(says(refusal_of_bytes(exchanged(rnn, shape, numbers32({300, 4, 3}))),
             "a part of it lies outside"));
  // The node's inputs: x, W, R, b, h; its output is number 5.
  const std::string inputs = numbers32({5, 0, 1, 2, 3, 4});
  CHECK(says(refusal_of_bytes(exchanged(rnn, inputs, numbers32({5, 5, 1, 2, 3, 4}))),
             "the graph is damaged or a circle"));
  CHECK(says(refusal_of_bytes(exchanged(rnn, inputs, numbers32({5, 9, 1, 2, 3, 4}))),
             "a node names a tensor that is not there"));
  CHECK(says(refusal_of_bytes(exchanged(rnn, inputs, numbers32({5, 0, 0, 2, 3, 4}))),
             "weights that are not constant"));
  // Names behind the model may be damaged; the model is read without them.
  std::mt19937 random(3);
  const std::string labels = read_file((golden / "tensorflow/labels.tflite").string());
  for (int i = 0; i < 250; ++i) outcome(damaged(labels, random), "");
  CHECK_EQ(refusal_of_bytes(labels.substr(0, labels.size() - 30)), "accepted");
  // Each number of 32 bits becomes a NaN, weights among them.
  bool refused = false;
  for (std::size_t at = 0; at + 4 <= rnn.size(); at += 4) {
    std::string nan = rnn;
    nan.replace(at, 4, std::string("\x00\x00\xc0\x7f", 4));
    refused = refused ||
              outcome(nan, "").find("a weight is nan, not a finite float") != std::string::npos;
  }
  CHECK(refused);
}

TEST_CASE("a clip is left out only if it makes no difference") {
  const auto bits = [](float number) {
    std::uint32_t whole = 0;
    std::memcpy(&whole, &number, sizeof whole);
    return numbers32({whole});
  };
  // Of the sums of gates, in ONNX.
  const std::string gru = read_file((golden / "onnx/op_gru_clip.onnx").string());
  if (const std::string message = refusal_of_bytes(gru); !is_left_out(message)) {
    CHECK_EQ(message, "accepted");
    for (const float clip : {2.0f, 0.0f, -20.0f, std::nanf("")})
      CHECK(says(refusal_of_bytes(exchanged(gru, bits(20), bits(clip))),
                 fmt::format("a clip of the sums of its gates at {}", clip)));
  }
  // Of the cell's state, in TFLite: of two LSTMs.
  const std::string lstms = read_file((golden / "tensorflow/fused_clip.tflite").string());
  CHECK_EQ(refusal_of_bytes(lstms), "accepted");
  const auto clips = [](const std::string& bytes) {
    std::vector<float> found;
    for (const Layer& layer : read_foreign_bytes(bytes, "file", {"", {}}).network.layers)
      if (layer.kind == SLUICE_LSTM) found.push_back(layer.cell_clip);
    return found;
  };
  CHECK_EQ(clips(lstms), std::vector{0.2f, 0.2f});
  std::vector<float> one_is_large = clips(exchanged(lstms, bits(0.2f), bits(10)));
  std::sort(one_is_large.begin(), one_is_large.end());
  CHECK_EQ(one_is_large, std::vector{0.0f, 0.2f});
  for (const float clip : {-1.0f, std::nanf("")})
    CHECK(says(refusal_of_bytes(exchanged(lstms, bits(0.2f), bits(clip))),
               fmt::format("a clip of the cell's state at {}", clip)));
}

TEST_CASE("frozen graphs that lie about their parts are refused") {
  const std::string x = placeholder({1, 3, 2}),
                    w = constant_node("w", {2, 1}, std::string(8, '\0'));
  const std::string good = x + w + graph_node("y", "BatchMatMul", {"input", "w"});
  CHECK_EQ(refusal_of_bytes(good), "accepted");
  const auto told = [&](const std::string& nodes) { return refusal_of_bytes(x + nodes); };
  CHECK(says(told(w + graph_node("y", "BatchMatMul", {"input", "v"})),
             "a node reads \"v\", which is not there"));
  CHECK(says(told(graph_node("a", "Add", {"input", "b"}) + graph_node("b", "Neg", {"a"})),
             "no answer of an input comes out of its nodes"));
  CHECK(says(told(graph_node("a", "Add", {"input", "b"}) + graph_node("b", "Neg", {"a"}) +
                  graph_node("y", "Neg", {"a"})),
             "the graph is damaged or a circle"));
  CHECK(says(told(w + w), "two nodes \"w\""));
  CHECK(says(told(constant_node("w", {2, 2}, std::string(8, '\0')) +
                  graph_node("y", "BatchMatMul", {"input", "w"})),
             "8 bytes for 4 numbers; the file is damaged"));
  CHECK(says(told(constant_node("w", {-1, -1}, std::string(8, '\0')) +
                  graph_node("y", "BatchMatMul", {"input", "w"})),
             "more numbers than the file has bytes"));
  CHECK(says(told(graph_node("w", "Const", {}, attribute("value", field(8, "\x08\x07"))) +
                  graph_node("y", "BatchMatMul", {"input", "w"})),
             "0 numbers for a shape of 1"));
  CHECK(says(told(graph_node("w", "Const", {}) + graph_node("y", "BatchMatMul", {"input", "w"})),
             "a constant without numbers"));
  CHECK(says(told(constant_node("w", {2, 1}, std::string("\0\0\xc0\x7f\0\0\0\0", 8)) +
                  graph_node("y", "BatchMatMul", {"input", "w"})),
             "a weight is nan, not a finite float"));
  CHECK(says(told(graph_node("y", "Unpack", {"input"}, attribute("num", "\x18\xff\xff\x7f"))),
             "too many outputs"));
  // All reasons at once, by node and operation.
  CHECK(says(told(graph_node("a", "Conv2D", {"input"}) + graph_node("b", "LogSoftmax", {"input"}) +
                  graph_node("y", "Add", {"a", "b"})),
             "a (Conv2D): is not one of the operations that are read; b (LogSoftmax): is not one"));
  const auto enter = [&](const char* name, const char* input, const char* frame) {
    return graph_node(name, "Enter", {input}, attribute("frame_name", field(2, frame)));
  };
  CHECK(says(
      told(enter("a", "input", "one") + enter("b", "a", "two") + graph_node("y", "Neg", {"b"})),
      "a loop inside another one"));
  CHECK(says(told(enter("a", "input", "one") + graph_node("m", "Merge", {"a", "a"}) +
                  graph_node("y", "Neg", {"m"})),
             "m (Merge): a loop of another form"));
  std::string many;
  for (int i = 0; i < 30'000; ++i) many += graph_node(std::to_string(i), "Neg", {"input"});
  CHECK(says(told(many), "too many small values"));
}

TEST_CASE("damaged code of TorchScript is read or refused in one line") {
  // The checksums of an archive hide most damage from the code, which is damaged here by itself.
  std::mt19937 random(2);
  const std::string code =
      "class M(Module):\n  __parameters__ = [\"w\", ]\n  w : Tensor\n  hidden_size : Final[int] = "
      "4\n"
      "  def forward(self: __torch__.M,\n    x: Tensor) -> Tensor:\n    _0, (a, b), = "
      "(self.gru).forward(torch.mul(x, 2., alpha=-1), None, )\n    if torch.__is__(a, None):\n"
      "      c = annotate(List[int], [1, 2])\n    else:\n      pass\n    return (_0, [a][0])\n";
  for (int i = 0; i < 2000; ++i) {
    TorchCode read;
    read.add("__torch__", i == 0 ? code : damaged(code, random));
    if (i == 0) CHECK_EQ(read.classes.at("__torch__.M").methods.at("forward").lines.size(), 6);
  }
}

TEST_CASE("safetensors files that lie about their tensors are refused") {
  const auto tensor = [](const char* shape, const char* offsets) {
    return fmt::format(R"({{"a.weight":{{"dtype":"F32","shape":{},"data_offsets":{}}}}})", shape,
                       offsets);
  };
  CHECK(says(refusal_of_bytes(safetensors(tensor("[2,3]", "[0,24]"), 24)), "give --layers FILE"));
  CHECK(says(refusal_of_bytes(safetensors(tensor("[2,3]", "[0,24]"), 23)), "lie outside"));
  CHECK(says(refusal_of_bytes(safetensors(tensor("[2,3]", "[0,20]"), 24)), "20 bytes, which"));
  CHECK(says(refusal_of_bytes(safetensors(tensor("[2,3]", "[24,0]"), 24)), "lie outside"));
  CHECK(says(refusal_of_bytes(safetensors(tensor("[4294967296,4294967296]", "[0,0]"), 24)),
             "are not a tensor"));
  CHECK(says(refusal_of_bytes(safetensors(tensor("[-1]", "[0,4]"), 24)), "a size that is not one"));
  CHECK(
      says(refusal_of_bytes(safetensors(tensor("[1.5]", "[0,4]"), 24)), "a size that is not one"));
  const std::string overlap =
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})";
  CHECK(says(refusal_of_bytes(safetensors(overlap, 12)), "a and b overlap"));
  CHECK(says(
      refusal_of_bytes(safetensors(R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}})", 12)),
      "numbers of type \"F4\""));
  std::string cut = safetensors(tensor("[2,3]", "[0,24]"), 24);
  cut[4] = 1;
  CHECK(says(refusal_of_bytes(cut), "is longer than the file"));
}

TEST_CASE("pickles that call are refused by the name of what they call") {
  CHECK(says(pickled("cos\nsystem\n(S'true'\ntR."), "uses os.system"));
  CHECK(says(pickled("\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."), "uses os.system"));
  CHECK(says(pickled("c__builtin__\neval\n(S'1'\ntR."), "uses __builtin__.eval"));
  CHECK(says(pickled("c__main__\nModel\n)\x81}b."), "uses __main__.Model"));
  CHECK_EQ(pickled("ccollections\nOrderedDict\n)R."), "accepted");
  CHECK_EQ(pickled("]q\x01h\x01"
                   "a."),
           "accepted");  // a list that contains itself
  CHECK(says(pickled(std::string(2000, 'N') + "."), "more values"));
  CHECK(says(pickled(std::string(2000, '(') + "."), "damaged"));
  CHECK(says(pickled("X\xff\xff\xff\x7f"
                     "abc."),
             "damaged"));
  CHECK(says(pickled("h\x05."), "damaged"));
  CHECK(says(pickled("tR."), "damaged"));
  CHECK(says(pickled("ctorch._utils\n_rebuild_tensor_v2\n)R."), "damaged"));
  CHECK(says(pickled("K"), "damaged"));
  CHECK(says(pickled(""), "damaged"));
}

TEST_CASE("JSON that nests too deep or consists of nothing is refused") {
  CHECK(says(refusal_of_bytes(std::string(100, '[')), "not a model"));
  CHECK(says(refusal_of_bytes("{\"a\":" + std::string(100, '[')), "nests deeper than"));
  std::string empty_lists = "{\"a\":[[]";
  for (int i = 0; i < 100'000; ++i) empty_lists += ",[]";
  CHECK(says(refusal_of_bytes(empty_lists + "]}"), "too many small values"));
  CHECK(says(refusal_of_bytes("{\"a\": [1, 2], \"b\": 1e999}"), "not JSON"));
  CHECK(says(refusal_of_bytes("{\"a\": [1, 1e300]}"), "its number 1 is inf"));
  CHECK(says(refusal_of_bytes("{\"a\": [1, NaN]}"), "not JSON"));
  CHECK(says(refusal_of_bytes("{\"a\": [[1, 2], [3]]}"), "a row of 1 numbers beside one of 2"));
  CHECK(says(refusal_of_bytes("{}"), "JSON of no known model"));
}
