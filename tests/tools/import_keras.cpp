// Models of Keras 1 to 3 answer as Keras does, or are refused with all reasons; damaged and hostile
// files are refused in one line. golden/import_keras.py makes the files and Keras's answers.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "../support/refusal.h"
#include "../support/tables.h"
#include "common/safe_file.h"
#include "convert/write_keras.h"
#include "data/npy.h"
#include "import/hdf5.h"
#include "import/read.h"
#include "import/verify.h"
#include "import/zip_file.h"
#include "model/model_file.h"
#include "model/pack.h"

#if SLUICE_WITH_ZIP
#include <zip.h>
#endif

using namespace sluice::tools;
using sluice::tests::refusal_of;
namespace fs = std::filesystem;

#if SLUICE_WITH_ZIP
namespace {

const std::string golden_path = std::string(SLUICE_TESTS_FOLDER) + "/golden/keras.zip";
constexpr double tolerance = 2e-6;
constexpr std::size_t any_dimensions = 32;

/// The archive of models, and a folder for files of a test case.
struct Golden {
  std::string bytes = read_file(golden_path);
  ZipFile zip{bytes, "keras.zip"};
  fs::path folder = fs::temp_directory_path() / fmt::format("sluice-keras-{}", getpid());
  Golden() { fs::remove_all(folder), fs::create_directories(folder); }
  ~Golden() { fs::remove_all(folder); }
  std::string path(const std::string& name) const { return (folder / name).string(); }

  bool has(const std::string& name) const {
    const auto names = zip.names();
    return std::find(names.begin(), names.end(), name) != names.end();
  }
  std::string text(const std::string& name) const {
    REQUIRE(has(name));
    return *ZipFile(bytes, "keras.zip").read(name);  // anew, since it limits what is read in all
  }
  /// Writes a file of the archive into the folder and returns its path; an empty one if there is no
  /// such file.
  std::string written(const std::string& name) const {
    if (!has(name)) return "";
    write_file(path(name), text(name));
    return path(name);
  }
  Imported imported(const std::string& name) const {
    return read_foreign(written(name), {written(name.substr(0, name.find('.')) + ".toml")});
  }
};

/// Returns the names of the archive that end so, without that ending.
std::vector<std::string> cases(const Golden& golden, const std::string& ending) {
  std::vector<std::string> found;
  for (const std::string& name : golden.zip.names())
    if (name.ends_with(ending)) found.push_back(name.substr(0, name.size() - ending.size()));
  return found;
}

/// Returns the smallest difference between a model's answers and Keras's, as a share of the largest
/// answer, over the readings of the arrays.
double difference(const Golden& golden, const std::string& name, Imported& imported) {
  const OwnedModel model = open_model(write_blob(imported.network), name);
  const std::string stem = name.substr(0, name.find('.'));
  const Npy x = parse_npy(golden.text(stem + ".x.npy"), "x", any_dimensions),
            y = parse_npy(golden.text(stem + ".y.npy"), "y", any_dimensions);
  double least = std::numeric_limits<double>::infinity();
  for (Reading& reading : readings_of(model, x, y)) {
    if (imported.mask) leave_out(reading.tests, *imported.mask, model.info().outputs);
    least = std::min(least, compare(model, reading.tests).share());
  }
  return least;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

/// Imports a file that may be damaged, and returns the refusal; "accepted" if it is a model.
std::string outcome(const std::string& path, const std::string& layers) {
  return refusal_of([&] {
    const Imported imported = read_foreign(path, {layers});
    open_model(write_blob(imported.network), path);
  });
}

/// Writes a .keras file of a configuration and the weights of a file in the archive; returns its
/// path.
std::string with_config(const Golden& golden, const std::string& name, const std::string& config) {
  const std::string whole = golden.text(name);
  const ZipFile old(whole, name);
  const std::string path = golden.path("reworded.keras"), weights = *old.read("model.weights.h5");
  int error = 0;
  zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  const auto add = [&](const char* entry, const std::string& data) {
    zip_file_add(zip, entry, zip_source_buffer(zip, data.data(), data.size(), 0), 0);
  };
  add("config.json", config), add("model.weights.h5", weights);
  zip_close(zip);
  return path;
}

/// Writes a .keras file of the archive with another text in its configuration; returns its path.
std::string reworded(const Golden& golden, const std::string& name, const std::string& from,
                     const std::string& to) {
  const std::string whole = golden.text(name);
  std::string config = *ZipFile(whole, name).read("config.json");
  REQUIRE(holds(config, from));
  for (std::size_t at = 0; (at = config.find(from, at)) != config.npos; at += to.size())
    config.replace(at, from.size(), to);
  return with_config(golden, name, config);
}

/// Returns a model in which a layer is called `calls` times, one behind another.
std::string model_of_calls(const std::string& layer, int calls) {
  const std::string tensor =
      "[{{\"class_name\": \"__keras_tensor__\", \"config\": {{\"keras_history\": [\"{}\", {}, "
      "0]}}}}]";
  std::string nodes;
  for (int i = 0; i < calls; ++i)
    nodes += (i ? ", {\"args\": " : "{\"args\": ") +
             fmt::format(fmt::runtime(tensor), i ? "inner" : "in", i ? i - 1 : 0) + "}";
  return fmt::format(
      "{{\"class_name\": \"Functional\", \"config\": {{\"name\": \"m\", \"layers\": ["
      "{{\"class_name\": \"InputLayer\", \"name\": \"in\", \"config\": {{\"batch_shape\": [null, "
      "6, "
      "3]}}, \"inbound_nodes\": []}}, {}, \"name\": \"inner\", \"inbound_nodes\": [{}]}}], "
      "\"input_layers\": [[\"in\", 0, 0]], \"output_layers\": [[\"inner\", {}, 0]]}}}}",
      layer, nodes, calls - 1);
}

/// Returns the place of an array's address in an HDF5 file: that of the first one of `bytes` bytes.
std::size_t address_of(const std::string& file, std::uint64_t bytes) {
  for (std::size_t at = 0; at + 18 <= file.size(); ++at) {
    std::uint64_t size = 0;
    std::memcpy(&size, file.data() + at + 10, 8);
    if (file[at] == 3 && file[at + 1] == 1 && size == bytes) return at + 2;
  }
  FAIL("no array of that size");
  return 0;
}

template <class T>
void put(std::string& file, std::size_t at, T value) {
  std::memcpy(file.data() + at, &value, sizeof value);
}

}  // namespace

TEST_CASE("models of Keras 1 to 3 answer as Keras does, in .keras and .h5") {
  const Golden golden;
  std::size_t files = 0;
  for (const std::string& stem : cases(golden, ".y.npy"))
    for (const char* ending : {".keras", ".h5"}) {
      const std::string name = stem + ending;
      if (!golden.has(name)) continue;
      CAPTURE(name);
      Imported imported = golden.imported(name);
      CHECK_LE(difference(golden, name, imported), tolerance);
      CHECK_FALSE(imported.origins.empty());
      ++files;
    }
  CHECK_GE(files, 90);
}

TEST_CASE("a model that is written for Keras answers the same when it is read again") {
  const Golden golden;
  std::size_t written = 0;
  for (const std::string& stem : cases(golden, ".y.npy")) {
    const std::string name = stem + (golden.has(stem + ".keras") ? ".keras" : ".h5");
    CAPTURE(name);
    const Imported imported = golden.imported(name);
    std::string bytes;
    const std::string refusal =
        refusal_of([&] { bytes = write_keras(imported.network, "model.slu"); });
    if (holds(refusal, "this build is without")) {
      MESSAGE("skipped, " << refusal);
      return;
    }
    if (bytes.empty()) {
      CAPTURE(refusal);
      CHECK(refusal.starts_with("model.slu: layer "));
      CHECK(holds(refusal, "Keras"));
      continue;
    }
    CHECK(bytes == write_keras(imported.network, "model.slu"));
    write_file(golden.path("again.keras"), bytes);
    Imported again = read_foreign(golden.path("again.keras"), {});
    again.mask = imported.mask;  // frames that the caller leaves out
    CHECK_LE(difference(golden, name, again), tolerance);
    ++written;
  }
  CHECK_GE(written, 69);
}

TEST_CASE("what Keras has not is refused by its layer and reason") {
  const auto refused = [](std::vector<Layer> layers) {
    Network network;
    network.layers = std::move(layers);
    return refusal_of([&] { write_keras(network, "m"); });
  };
  const auto lstm = [](auto change) {
    Layer layer = make_layer(SLUICE_LSTM, 3, 4, SLUICE_LINEAR, true);
    change(layer);
    return with_arrays(std::move(layer));
  };
  CHECK_EQ(refused({lstm([](Layer& l) { l.peepholes = true; })}),
           "m: layer 1 (lstm): Keras has no peepholes; export it as onnx");
  CHECK_EQ(refused({lstm([](Layer& l) { l.cell_clip = 2; })}),
           "m: layer 1 (lstm): Keras clips no cell state");
  CHECK_EQ(refused({lstm([](Layer& l) { l.cells = 6; })}),
           "m: layer 1 (lstm): Keras has no projection of a cell");
  CHECK_EQ(refused({lstm([](Layer& l) { l.initial_state = true; })}),
           "m: layer 1 (lstm): Keras's layers begin from zeros, and this one from a state; export "
           "it as onnx");
  CHECK_EQ(
      refused({lstm([](Layer& l) { l.activation = SLUICE_HARD_SIGMOID, l.parameter = 0.2f; })}),
      "m: layer 1 (lstm): its gates are hard sigmoids of the slope 0.2, and Keras's is 1/6");
  CHECK_EQ(refused({lstm([](Layer& l) { l.candidate = SLUICE_LEAKY_RELU, l.second = 0.1f; })}),
           "m: layer 1 (lstm): Keras has no such activation of a candidate; export it as onnx");
  CHECK_EQ(refused({make_layer(SLUICE_FASTGRNN, 3, 4, SLUICE_LINEAR, true)}),
           "m: layer 1 (fastgrnn): Keras has no such cell");
  CHECK_EQ(refused({make_layer(SLUICE_DIFFERENCE, 3, 3)}),
           "m: layer 1 (difference): Keras has no such layer; export it as onnx");
}

TEST_CASE("names of inputs and outputs come along, if a person gave them") {
  const Golden golden;
  const Imported branches = golden.imported("branches.keras");
  CHECK_EQ(branches.network.inputs, std::vector<std::string>{"pulse_0", "pulse_1", "pulse_2"});
  CHECK_EQ(branches.network.labels, std::vector<std::string>{"flow_0", "flow_1"});
  const Imported two = golden.imported("two_inputs.h5");
  CHECK_EQ(two.network.inputs,
           std::vector<std::string>{"pulse_0", "pulse_1", "pulse_2", "age_0", "age_1"});
  CHECK(two.network.labels.empty());
  const Imported outputs = golden.imported("two_outputs.keras");
  CHECK(outputs.network.inputs.empty());
  CHECK_EQ(outputs.network.labels,
           std::vector<std::string>{"mean_0", "mean_1", "kind_0", "kind_1", "kind_2"});
}

TEST_CASE("a layer that is called twice is stored once") {
  const Golden golden;
  const Imported imported = golden.imported("shared_layers.keras");
  std::vector<int> tied;
  for (const Layer& layer : imported.network.layers)
    if (layer.kind == SLUICE_LSTM) tied.push_back(layer.tied);
  REQUIRE_EQ(tied.size(), 2);
  CHECK_EQ(tied[0], -1);
  CHECK_EQ(imported.network.layers[std::size_t(tied[1])].kind, SLUICE_LSTM);
}

TEST_CASE("a hard sigmoid has the slope of its version of Keras") {
  const Golden golden;
  CHECK_EQ(golden.imported("hard_sigmoid_3.h5").network.layers[0].parameter, 1.0f / 6);
  CHECK_EQ(golden.imported("keras_2_sequential.h5").network.layers[0].parameter, 0.2f);
  CHECK_EQ(golden.imported("keras_1.h5").network.layers[0].parameter, 0.2f);
}

TEST_CASE("a model of Keras that cannot be expressed is refused with all reasons") {
  const Golden golden;
  for (const std::string& name : cases(golden, ".refused")) {
    CAPTURE(name);
    const std::string what = outcome(golden.written(name + ".keras"), "");
    CAPTURE(what);
    CHECK_FALSE(holds(what, "\n"));
    std::string rest = golden.text(name + ".refused");
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      CHECK(holds(what, rest.substr(0, end)));
      rest.erase(0, end + 1);
    }
  }
}

TEST_CASE("a list of layers is for weights alone, and must be right") {
  const Golden golden;
  const std::string layers = golden.written("weights_3.toml");
  CHECK(holds(outcome(golden.written("gru_after.h5"), layers), "leave it out"));
  CHECK(holds(outcome(golden.written("weights_3.h5"), ""), "gru = 3, directions = \"both\""));
  write_file(
      golden.path("before.toml"),
      "layers = [{ gru = 3, directions = \"both\", reset = \"before\", prefix = \"bidirectional\" "
      "}, { batch_norm = true },\n  { lstm = 3, steps = \"last\" }, { dense = 2 }]\n");
  CHECK(holds(outcome(golden.written("weights_3.h5"), golden.path("before.toml")),
              "it has two biases, as gru has"));
}

TEST_CASE("a configuration that contradicts its weights or itself is refused") {
  const Golden golden;
  const auto refusal = [&](const std::string& name, const std::string& from,
                           const std::string& to) {
    return outcome(reworded(golden, name, from, to), "");
  };
  CHECK(holds(refusal("gru_after.keras", "\"units\": 4", "\"units\": 5"),
              "has the shape [3][12], and 5 units of 3 inputs make it [3][15]"));
  CHECK(holds(refusal("gru_after.keras", "\"units\": 4", "\"units\": 65536"), "[3][196608]"));
  CHECK(holds(refusal("gru_after.keras", "\"units\": 4", "\"units\": 1e300"),
              "is not a whole number of 0 to 65536"));
  CHECK(holds(refusal("gru_after.keras", "[null, 6, 3]", "[null, 6, 1000000000]"),
              "frames of 1000000000 numbers"));
  CHECK(holds(refusal("gru_after.keras", "\"GRU\"", "\"LSTM\""), "has 0 arrays of weights"));
  CHECK(holds(
      refusal("gru_after.keras", "\"class_name\": \"Sequential\"", "\"class_name\": \"Pulse\""),
      "a model of the class \"Pulse\""));
  // The layer before a Dense is itself.
  CHECK(holds(refusal("branches.keras", "\"keras_history\": [\"both\", 0, 0]",
                      "\"keras_history\": [\"flow\", 0, 0]"),
              "\"flow\" reads its own output"));
  CHECK(holds(refusal("branches.keras", "\"keras_history\": [\"both\", 0, 0]",
                      "\"keras_history\": [\"both\", 1, 0]"),
              "which is not in the model"));
  CHECK(holds(refusal("branches.keras", "\"keras_history\": [\"both\", 0, 0]",
                      "\"keras_history\": [\"nothing\", 0, 0]"),
              "which is not in the model"));
}

TEST_CASE("models inside models that are called again and again are refused, and soon") {
  const Golden golden;
  std::string model = "{\"class_name\": \"Dropout\", \"config\": {\"name\": \"d\"}";
  for (int level = 0; level < 6; ++level) model = model_of_calls(model, 9), model.pop_back();
  const std::string what = outcome(with_config(golden, "gru_after.keras", model + "}"), "");
  CAPTURE(what);
  CHECK(holds(what, "calls more than 65536 layers"));
}

TEST_CASE("an array of Keras's weights must lie in the file, alone, and be finite") {
  const Golden golden;
  const std::string good = golden.text("gru_after.h5");
  const std::size_t kernel = address_of(good, 3 * 12 * 4), state = address_of(good, 4 * 12 * 4);
  const auto refusal = [&](auto change) {
    std::string bad = good;
    change(bad);
    write_file(golden.path("bad.h5"), bad);
    return outcome(golden.path("bad.h5"), "");
  };
  CHECK_EQ(refusal([](std::string&) {}), "accepted");
  CHECK(holds(refusal([&](std::string& f) {
                std::uint64_t place = 0;
                std::memcpy(&place, f.data() + state, 8);
                put(f, kernel, place + 8);
              }),
              "overlaps with another array"));
  CHECK(holds(refusal([&](std::string& f) { put(f, kernel, std::uint64_t(f.size() - 8)); }),
              "ends before its contents do"));
  CHECK(holds(refusal([&](std::string& f) { put(f, kernel, ~std::uint64_t(0) - 15); }),
              "ends before its contents do"));
  CHECK(holds(refusal([&](std::string& f) { put(f, kernel + 8, std::uint64_t(16)); }),
              "16 bytes, which are not an array of shape [3][12]"));
  CHECK(holds(refusal([&](std::string& f) {
                std::uint64_t place = 0;
                std::memcpy(&place, f.data() + kernel, 8);
                put(f, std::size_t(place), std::numeric_limits<float>::quiet_NaN());
              }),
              "not a finite float"));
  CHECK(holds(refusal([&](std::string& f) {
                const std::uint64_t shape[] = {3, 12};
                const char* const from = reinterpret_cast<const char*>(shape);
                for (std::size_t at = 0; (at = f.find(std::string(from, 16), at)) != f.npos; ++at)
                  put(f, at, std::uint64_t(1) << 60);
              }),
              "are not an array of shape"));
}

TEST_CASE("an archive that inflates to many times its size is refused") {
  const Golden golden;
  const std::string path = golden.path("bomb.keras"), zeros(32 << 20, ' ');
  int error = 0;
  zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  for (const char* name : {"config.json", "model.weights.h5"})
    zip_file_add(zip, name, zip_source_buffer(zip, zeros.data(), zeros.size(), 0), 0);
  zip_close(zip);
  CHECK(holds(outcome(path, ""), "many times its size in the archive"));
}

TEST_CASE("files of Keras with changed bytes are refused in one line, or are models") {
  const Golden golden;
  const int times = sluice::tests::sparse() ? 150 : 600;
  std::mt19937 random(11);
  int refused = 0, all = 0;
  for (const char* name : {"nested.h5", "keras_2_nested.h5", "weights_3.h5", "keras_1.h5",
                           "bi_none.keras", "embedding.h5"}) {
    CAPTURE(name);
    const std::string good = golden.text(name),
                      layers = golden.written(std::string(name, std::strcspn(name, ".")) + ".toml"),
                      path = golden.path(std::string("changed-") + name);
    // Zeros of an HDF5 file are mostly room that nothing reads.
    std::vector<std::size_t> places;
    for (std::size_t at = 0; at < good.size(); ++at)
      if (good[at] != 0) places.push_back(at);
    for (int i = 0; i < times; ++i) {
      std::string bad = good;
      const int changes = 1 + int(random() % 4);
      for (int c = 0; c < changes; ++c) {
        const std::size_t at =
            random() % 8 ? places[random() % places.size()] : random() % bad.size();
        const bool digit = bad[at] >= '0' && bad[at] <= '9';
        bad[at] = digit && random() % 2 ? char('0' + random() % 10) : char(random());
      }
      if (random() % 10 == 0) bad.resize(random() % bad.size());
      if (bad.empty()) continue;
      std::ofstream(path, std::ios::binary) << bad;
      const std::string what = outcome(path, layers);
      CAPTURE(what);
      CHECK_FALSE(holds(what, "\n"));
      refused += what != "accepted", ++all;
    }
  }
  CHECK_GT(refused, all / 8);
}

TEST_CASE("the models of other people and the cases beside the project agree") {
  const fs::path shared = fs::path(SLUICE_TESTS_FOLDER) / "../../shared";
  if (!fs::exists(shared / "import-cases")) {
    MESSAGE("skipped: Keras's cases in ../shared, which is not there");
    return;
  }
  for (const char* name :
       {"06_keras_gru_reset_after", "06_keras_gru_reset_before", "09_keras_relu_hard_sigmoid",
        "15_keras_bi_concat_last", "17_keras_masking"})
    for (const char* file : {"model.keras", "model.h5"}) {
      CAPTURE(name);
      CAPTURE(file);
      const fs::path folder = shared / "import-cases" / name;
      const Imported imported = read_foreign((folder / file).string(), {});
      const OwnedModel model = open_model(write_blob(imported.network), file);
      const Npy x = parse_npy(read_file((folder / "x.npy").string()), "x", any_dimensions),
                y = parse_npy(read_file((folder / "y.npy").string()), "y", any_dimensions);
      double least = std::numeric_limits<double>::infinity();
      for (Reading& reading : readings_of(model, x, y)) {
        if (imported.mask) leave_out(reading.tests, *imported.mask, model.info().outputs);
        least = std::min(least, compare(model, reading.tests).share());
      }
      CHECK_LE(least, tolerance);
    }
  for (const fs::directory_entry& entry :
       fs::directory_iterator(shared / "data/models/turbofan-lstm")) {
    if (entry.path().extension() != ".h5") continue;
    const Imported imported = read_foreign(entry.path().string(), {});
    CHECK_EQ(imported.format, "Keras 2.0.5");
    CHECK_EQ(imported.network.layers[0].parameter, 0.2f);
  }
}
#endif
