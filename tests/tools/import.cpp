// Tests the readers of foreign models on damaged and hostile files: each is read or refused by one
// line, whatever its bytes. tools/import.sh tests that models answer as their programs do.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/safe_file.h"
#include "import/json_document.h"
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
               {"torch/nam.json", ""}};
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
