// Files from elsewhere may hold JSON and TOML of any depth and type, checkpoints with corrected
// sums, archives that inflate and control characters, and paths may lead anywhere. Each of these is
// refused in one line or understood, and none ends the program.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <functional>

#include "../support/models.h"
#include "../support/refusal.h"
#include "command/command.h"
#include "common/json.h"
#include "common/print.h"
#include "common/safe_file.h"
#include "data/data.h"
#include "evaluate/evaluate.h"
#include "model/model_file.h"
#include "model/network.h"
#include "recipe/made.h"
#include "recipe/read.h"
#include "recipe/values.h"
#include "report/run.h"
#include "train/checkpoint.h"
#include "train/train.h"

#if SLUICE_WITH_ZIP
#include <zip.h>
#endif

using namespace sluice::tools;
using sluice::tests::refusal_of;
namespace fs = std::filesystem;

namespace {

constexpr int deep = 100000;

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string nested(int levels) {
  return std::string(std::size_t(levels), '[') + std::string(std::size_t(levels), ']');
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

/// A folder for one test case.
struct Folder {
  fs::path path = fs::temp_directory_path() / "sluice-test-forged";
  Folder() { fs::remove_all(path), fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
};

/// A training in memory, of eight sequences of two frames in two classes.
struct Training {
  DataSet data;
  Recipe recipe;
  Split parts;
  Network start;

  explicit Training(const std::vector<std::string>& overrides) {
    data.feature_names = {"a"}, data.labels = {"low", "high"};
    data.first = {0};
    for (int s = 0; s < 8; ++s) {
      data.x.insert(data.x.end(), {float(s % 2), float(s)});
      data.target.push_back(s % 2), data.names.push_back(std::to_string(s)),
          data.first.push_back(data.x.size());
    }
    std::vector<Override> parsed;
    for (const std::string& text : overrides) parsed.push_back(parse_override(text));
    recipe = parse_recipe(
        "[data]\ntrain = \"-\"\n[model]\nlayers = [ { gru = 2 }, { dense = 2, activation = "
        "\"softmax\" } ]\n"
        "[train]\nepochs = 3\nbatch = 4\nthreads = 1\n",
        "recipe.toml", parsed);
    parts = split(data, recipe.validation, 1);
    start = make_network(recipe, data, parts);
  }

  /// Returns the checkpoint after the training's first two epochs.
  std::string checkpoint() const {
    TrainingSegment segment{2};
    train(recipe, data, parts, start, nullptr, nullptr, {}, &segment);
    return segment.checkpoint;
  }
  TrainState state() const { return read_checkpoint(checkpoint(), start.made, "c"); }
  std::string resumed(const TrainState& state) const {
    TrainingSegment segment;  // shows no progress
    try {
      train(recipe, data, parts, start, nullptr, &state, {}, &segment);
    } catch (const Error& error) {
      const std::string what = error.what();
      CHECK_EQ(
          error.exit_code,
          what.starts_with("training: ")
              ? 1
              : 2);  // training continues from moments of any size, and may end with this error
      return what;
    }
    return "accepted";
  }
};

std::string made_of(const std::string& recipe) {
  return "{\"data_hash\": 7, \"recipe\": " + recipe + "}";
}

}  // namespace

TEST_CASE("JSON is read down to 64 levels, and not deeper") {
  CHECK(parse_json(nested(64)).is_array());
  CHECK(parse_json(nested(65)).is_discarded());
  CHECK(!nests_too_deep(nested(64)));
  CHECK(nests_too_deep(nested(65)));
  CHECK(nests_too_deep(std::string(deep, '[')));
  CHECK(nests_too_deep(repeated("{\"a\":", deep)));
  CHECK(!nests_too_deep(repeated("[],", 100)));
  CHECK(parse_json("{\"a\": 1e999}").is_discarded());
}

TEST_CASE("a model whose history nests too deep is refused by its file's name") {
  const Folder folder;
  Network network;
  network.layers = {make_layer(SLUICE_GRU, 1, 2), make_layer(SLUICE_DENSE, 2, 2)};
  network.made = made_of(nested(deep));
  write_file(folder.file("deep.slu"), write_blob(network));
  CHECK(holds(refusal_of([&] { load_model(folder.file("deep.slu")); }),
              "deep.slu: how it was made: nests deeper than 64 levels"));
  network.made = std::string(deep, '[') + "no JSON";
  write_file(folder.file("deep.slu"), write_blob(network));
  CHECK(holds(refusal_of([&] { load_model(folder.file("deep.slu")); }),
              "nests deeper than 64 levels"));
  network.made = "no JSON";
  write_file(folder.file("deep.slu"), write_blob(network));
  CHECK_EQ(load_model(folder.file("deep.slu")).made(), "no JSON");
}

TEST_CASE("a model's history may hold values of any type") {
  const std::string good = made_json(default_recipe(), 1);
  CHECK_EQ(refusal_of([&] { recipe_of_made(good, "m"); }), "accepted");
  const char* const wrong[] = {"",
                               "[]",
                               "7",
                               "null",
                               "{\"recipe\": []}",
                               "{\"recipe\": {\"data\": 3}}",
                               "{\"recipe\": {\"data\": {}}}"};
  for (const char* made : wrong)
    CHECK(holds(refusal_of([&] { recipe_of_made(made, "m.slu"); }),
                "m.slu: has no record of its training columns"));
  const auto with = [&](const char* section, const char* key, const char* value) {
    OrderedJson json = parse_ordered_json(good);
    json["recipe"][section][key] = parse_ordered_json(value);
    return json_text(json);
  };
  const char* const values[][3] = {
      {"data", "target", "\"label\""}, {"data", "target", "[1]"},
      {"data", "sequence", "[]"},      {"data", "format", "\"tabel\""},
      {"data", "window", "\"ten\""},   {"data", "window", "1e300"},
      {"data", "window", "2.5"},       {"data", "standardize", "1"},
      {"data", "validation", "{}"},    {"data", "target", "[]"},
      {"train", "loss", "\"losses\""}, {"train", "huber_delta", "true"}};
  for (const auto& [section, key, value] : values) {
    const std::string what = refusal_of(
        [&, s = section, k = key, v = value] { recipe_of_made(with(s, k, v), "m.slu"); });
    CAPTURE(what);
    CHECK(what.starts_with("m.slu: "));
    CHECK(!holds(what, "json"));
  }
  // Is read as the least window.
  CHECK_EQ(refusal_of([&] { recipe_of_made(with("data", "window", "-5"), "m"); }), "accepted");
  for (const std::string& made : {made_of("{}"), std::string("[]"), std::string("\"\""),
                                  std::string("{\"data_hash\": {}}")}) {
    CHECK(!trained_on(made, 1));
    CHECK(!trained_on_all(made, 1));
    CHECK(!trained_for_fixed_point(made));
    CHECK(units_of_made(made).empty());
    CHECK(holds(made_from(made, 1), "started_from"));
    CHECK(holds(made_quantized(made, SLUICE_INT8, RangeChoice::min_error, 1), "quantized"));
  }
  CHECK(units_of_made("{\"units\": {\"mean\": [1, 2], \"deviation\": [1, \"2\"]}}").empty());
  CHECK(units_of_made("{\"units\": {\"mean\": 1, \"deviation\": [1]}}").empty());
  CHECK_EQ(units_of_made("{\"units\": {\"mean\": [1], \"deviation\": [2]}}").deviation,
           std::vector<double>{2});
}

TEST_CASE("a model whose record names other targets or frames than it has is refused with data") {
  const Folder folder;
  std::string csv = "sequence,x,a,b\n";
  for (int row = 0; row < 40; ++row) csv += fmt::format("{},{},{},1\n", row / 2, row, row / 2 % 2);
  write_file(folder.file("data.csv"), csv);
  const auto forged = [&](int outputs, sluice_activation end, const std::vector<Override>& keys) {
    Network network;
    network.layers = {make_layer(SLUICE_GRU, 1, 3), make_layer(SLUICE_DENSE, 3, outputs, end)};
    network.inputs = {"x"};
    for (int i = 0; i < outputs; ++i) network.labels.push_back(fmt::format("y{}", i));
    Recipe recipe = parse_recipe(
        "[data]\ntrain = \"-\"\ntarget = [\"a\", \"b\"]\ntarget_type = \"value\"\n"
        "[model]\nlayers = [ { gru = 2 }, { dense = 2 } ]\n[train]\nloss = \"mse\"\n",
        "recipe.toml", keys);
    network.made = made_json(recipe, 1);
    write_file(folder.file("m.slu"), write_blob(network));
  };
  const auto eval = [&] {
    return refusal_of([&] { run_eval({folder.file("m.slu"), folder.file("data.csv"), "", true}); });
  };
  const auto quantize = [&] {
    QuantizeOptions options;
    options.model = folder.file("m.slu"), options.calibrate = folder.file("data.csv");
    return refusal_of([&] { run_quantize(options); });
  };
  for (const int outputs : {1, 4, 400}) {
    forged(outputs, SLUICE_LINEAR, {});
    for (const std::string& what : {eval(), quantize()}) {
      CAPTURE(what);
      CHECK(holds(what,
                  fmt::format("m.slu: answers {} numbers, but the targets are 2: a, b", outputs)));
    }
  }
  Network per_row;  // its record says that it answers once a sequence
  per_row.layers = {make_layer(SLUICE_GRU, 1, 3), make_layer(SLUICE_DENSE, 3, 2)};
  per_row.layers[0].every_step = true;
  per_row.inputs = {"x"}, per_row.labels = {"a", "b"};
  forged(2, SLUICE_LINEAR, {});
  per_row.made = load_model(folder.file("m.slu")).made();
  write_file(folder.file("m.slu"), write_blob(per_row));
  for (const std::string& refused : {eval(), quantize()})
    CHECK(holds(refused, "m.slu: answers every row, but the data have a target for each sequence"));
  // Answers of differences are added to the last values.
  const std::vector<Override> series = {{"data.window", "4", "--set"},
                                        {"data.windows_target", "\"difference\"", "--set"},
                                        {"data.target", "[\"x\"]", "--set"},
                                        {"model.layers", "[{ gru = 2 }, { dense = 1 }]", "--set"}};
  forged(300, SLUICE_LINEAR, series);
  RunOptions run;
  run.model = folder.file("m.slu"), run.input = folder.file("series.csv");
  write_file(run.input, "x\n1\n2\n3\n4\n5\n6\n");
  run.output = folder.file("answers.csv");
  const std::string what = refusal_of([&] { run_run(run); });
  CAPTURE(what);
  CHECK(holds(what, "m.slu: answers 300 numbers, but says that it answers differences of x"));
}

TEST_CASE("a data set that is not a model's is refused by the evaluation") {
  DataSet data;
  data.feature_names = {"x"}, data.labels = {"a", "b"};
  data.x = {1, 2}, data.first = {0, 1, 2}, data.target = {0, 1}, data.names = {"0", "1"};
  const std::vector<std::size_t> all = {0, 1};
  const auto refused = [&](int in, int outputs, bool every_step = false) {
    Network network;
    network.layers = {
        make_layer(SLUICE_GRU, in, 3),
        make_layer(SLUICE_DENSE, 3, outputs, outputs == 1 ? SLUICE_SIGMOID : SLUICE_SOFTMAX)};
    network.layers[0].every_step = every_step;
    const OwnedModel model = open_model(write_blob(network), "m");
    return refusal_of([&] { evaluate(model.model, data, all, 1); });
  };
  CHECK_EQ(refused(1, 2), "accepted");
  CHECK_EQ(refused(1, 1), "accepted");
  CHECK(holds(refused(1, 4), "the model: answers 4 numbers, but the targets are 2: a, b"));
  CHECK(holds(refused(2, 2), "the model: reads 2 features, but the data have 1"));
  CHECK(holds(refused(1, 2, true), "the model: answers every row"));
  data.heads = {{.name = "tone", .loss = SLUICE_MSE, .outputs = 2},
                {.name = "vad", .loss = SLUICE_BINARY}};
  data.classes = false, data.value = {0, 1, 0, 1}, data.target.clear();
  CHECK(holds(refused(1, 3), "the model: its parts of the answer have 3 columns of targets"));
  data.ids = {0, 1};
  CHECK(holds(refused(1, 2), "the model: reads frames of numbers, but the data are texts"));
}

TEST_CASE("a line of a log may hold values of any type and depth") {
  const std::string lines[] = {"[]",
                               "3",
                               "{\"epoch\": \"1\"}",
                               "{\"epoch\": 1.5}",
                               "{\"epoch\": 1, \"loss\": [[1]]}",
                               "{\"epoch\": 1, \"loss\": 1e999}",
                               "{\"epoch\": 1, \"loss\": NaN}",
                               "{\"epoch\": 1, \"loss\": " + nested(deep) + "}",
                               std::string(deep, '[')};
  for (const std::string& line : lines)
    CHECK(refusal_of([&] {
            read_log("{\"epoch\": 0}\n" + line + "\n", "log");
          }).starts_with("log:2: "));
}

TEST_CASE("a recipe may nest as deep as a network needs, and not deeper") {
  const std::string line = "[data]\ntrain = \"-\"\n";
  const std::string texts[] = {line + "x = " + nested(deep),
                               line + "x = " + repeated("{a=", deep) + "1" + std::string(deep, '}'),
                               line + repeated("a.", deep) + "a = 1",
                               line + repeated("a.", deep) + "a = 1\n@",
                               line + "[" + repeated("a.", deep) + "a]",
                               line + "x = { " + repeated("\"a.b\".", deep) + "a = 1 }",
                               line + repeated("a.", 40) + "a = 1"};
  for (const std::string& text : texts) {
    const std::string what = refusal_of([&] { parse_recipe(text, "r.toml", {}); });
    CAPTURE(what);
    CHECK(what.starts_with("r.toml:3: "));
    CHECK(what.size() < 100);
    CHECK(!holds(what, "TOML_"));
  }
  for (const std::string& value :
       {nested(deep), repeated("{a.a=", deep) + "1" + std::string(deep, '}'),
        "{" + repeated("a.", deep) + "a=1}"})
    CHECK(refusal_of([&] {
            parse_recipe(line, "r.toml", {{"train.batch", value, "--set train.batch"}});
          }).starts_with("--set train.batch: "));
}

TEST_CASE("a checkpoint with a state that no training leaves is refused") {
  const Training plain({"data.validation=0.25", "train.patience=3"});
  const TrainState good = plain.state();
  REQUIRE_EQ(plain.resumed(good), "accepted");
  REQUIRE(good.best.epoch > 0);
  std::string other_model;
  {
    Network other;
    other.layers = {make_layer(SLUICE_GRU, 3, 2), make_layer(SLUICE_DENSE, 2, 5)};
    other_model = write_blob(other);
  }
  const std::function<void(TrainState&)> changes[] = {
      [](TrainState& s) { s.epochs.resize(1000); },
      [](TrainState& s) { s.epochs[1].number = -1; },
      [](TrainState& s) { s.sums.batches = 1u << 30; },
      [](TrainState& s) { s.carried.resize(1); },
      [](TrainState& s) { s.mask.resize(3); },
      [](TrainState& s) { s.plateau.factor = NAN; },
      [](TrainState& s) { s.plateau.factor = -1; },
      [](TrainState& s) { s.best.epoch = 1 << 30; },
      [](TrainState& s) { s.best.epoch = -1; },
      [](TrainState& s) { s.best.model.clear(); },
      [&](TrainState& s) { s.best.model = other_model; },
      [&](TrainState& s) { s.best.real = s.best.model; },
      [](TrainState& s) { s.trainer.pop_back(); },
      [](TrainState& s) { s.trainer.clear(); }};
  for (const auto& change : changes) {
    TrainState bad = good;
    change(bad);
    CHECK(plain.resumed(bad).starts_with("checkpoint.slc: "));
  }
  const Training aware({"quantize.aware=true"});
  const TrainState rounded = aware.state();
  CHECK_EQ(aware.resumed(rounded), "accepted");
  for (const auto& change :
       {+[](TrainState& s) { s.unit.pop_back(); }, +[](TrainState& s) { s.outputs.peak.clear(); },
        +[](TrainState& s) { s.outputs.answer.low.clear(); },
        +[](TrainState& s) { s.outputs.each.clear(); },
        +[](TrainState& s) { s.outputs.each.back().high.clear(); },
        +[](TrainState& s) { s.best.real.clear(); }}) {
    TrainState bad = rounded;
    change(bad);
    CHECK(aware.resumed(bad).starts_with("checkpoint.slc: "));
  }
}

TEST_CASE(
    "a checkpoint with any byte changed and a corrected sum is refused, or training continues from "
    "it") {
  const Training training({"data.validation=0.25", "train.patience=3"});
  const std::string good = training.checkpoint();
  const std::string made(good.begin() + 72,
                         good.begin() + 72 + std::ptrdiff_t(training.start.made.size()));
  REQUIRE_EQ(made, training.start.made);  // it follows a header of 64 bytes and a length
  int accepted = 0;
  for (std::size_t at = 72 + made.size(); at < good.size(); at += 11) {
    std::string bad = good;
    bad[at] = char(bad[at] ^ (at % 3 ? 0xff : 0x40));
    const std::uint32_t sum =
        sluice::blob_crc(reinterpret_cast<const std::uint8_t*>(bad.data()), bad.size());
    std::memcpy(bad.data() + 12, &sum, sizeof sum);
    std::optional<TrainState> state;
    std::string what = refusal_of([&] { state = read_checkpoint(bad, made, "checkpoint.slc"); });
    if (state) what = training.resumed(*state);
    CAPTURE(what);
    CHECK((what == "accepted" || what.starts_with("checkpoint.slc: ") ||
           what.starts_with("training: a weight")));
    accepted += what == "accepted";
  }
  CHECK(accepted > 0);
}

TEST_CASE("a checkpoint of no recipe at all is refused as such") {
  const std::string bytes = checkpoint_bytes({}, "[]");
  CHECK(holds(refusal_of([&] { read_checkpoint(bytes, "{\"recipe\": {}}", "c"); }),
              "c: belongs to another recipe"));
  CHECK(holds(refusal_of([&] { read_checkpoint(checkpoint_bytes({}, nested(deep)), "{}", "c"); }),
              "c: belongs to another recipe"));
}

TEST_CASE(
    "control characters of C0 and C1 are printed as question marks, and nothing else is changed") {
  CHECK_EQ(printable("a\x1b[31mb\x7f"), "a?[31mb?");
  CHECK_EQ(printable("a\xc2\x9b"
                     "31m \xc2\x80 \xc2\x9f"),
           "a?31m ? ?");
  CHECK_EQ(printable("\xc2\xa0 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"),
           "\xc2\xa0 \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
  CHECK_EQ(printable("\x9b"
                     "31m \xe9 \xff"),
           "?31m \xe9 \xff");  // bytes that are not UTF-8 stay
  CHECK_EQ(printable("line\nline\t"), "line?line?");
}

TEST_CASE("a file is written at the target of a link, and nowhere else") {
  const Folder folder;
  fs::create_directories(folder.path / "there");
  fs::create_symlink("there/real", folder.path / "link");
  write_file(folder.file("link"), "one");  // the target does not exist yet
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK_EQ(read_file(folder.file("there/real")), "one");
  write_file(folder.file("link"), "two");
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK_EQ(read_file(folder.file("there/real")), "two");
  fs::create_symlink("link", folder.path / "chain");
  write_file(folder.file("chain"), "three");
  CHECK_EQ(read_file(folder.file("there/real")), "three");
  fs::create_symlink("there", folder.path / "to_folder");
  CHECK(holds(refusal_of([&] { write_file(folder.file("to_folder"), "x"); }),
              "to_folder: is a directory"));
  const auto failure_of = [&](const std::string& name) {
    try {
      write_files({{folder.file("other"), "x"}, {folder.file(name), "x"}});
    } catch (const Error& error) {
      CHECK_EQ(error.exit_code, 1);
      return std::string(error.what());
    }
    return std::string();
  };
  fs::create_symlink("loop", folder.path / "loop");
  CHECK(holds(failure_of("loop"), "loop: cannot be written: "));
  fs::create_symlink("nowhere/file", folder.path / "nowhere_link");
  CHECK(holds(failure_of("nowhere_link"), "nowhere_link: cannot be written: "));
  CHECK(!fs::exists(folder.path / "other"));
  fs::create_symlink("nowhere", folder.path / "no_folder");
  CHECK(holds(refusal_of([&] { make_directory(folder.file("no_folder")); }),
              "no_folder: is a link to a missing folder"));
  CHECK(fs::is_symlink(folder.path / "no_folder"));
  for (const char* name : {"there/real", "there/real/below"})
    CHECK_THROWS_AS(make_directory(folder.file(name)), Error);
  CHECK_EQ(make_directory(folder.file("a/b/")),
           std::vector<std::string>{folder.file("a/b"), folder.file("a")});
  CHECK(make_directory(folder.file("a/b")).empty());
  std::size_t left = 0;
  for (const auto& entry : fs::directory_iterator(folder.path))
    left += entry.path().extension() != "";
  CHECK_EQ(left, 0u);
}

#if SLUICE_WITH_ZIP
namespace {

/// Makes an archive of one array, "x", whose header says eight numbers in two columns.
std::string archive_of(const std::string& numbers, const std::string& path) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 2), }";
  header.resize(117, ' ');
  const std::string array = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + numbers;
  int error = 0;
  zip_t* const zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &error);
  zip_file_add(zip, "x.npy", zip_source_buffer(zip, array.data(), array.size(), 0), 0);
  zip_close(zip);
  return read_file(path);
}

}  // namespace

TEST_CASE("an array of an archive is not inflated beyond what its header says") {
  const Folder folder;
  Columns columns;
  const auto read = [&](const std::string& bytes) {
    return refusal_of([&] {
      read_npz(bytes, "a.npz", columns, Expected{.features = {}, .labels = {}, .targets = false});
    });
  };
  CHECK_EQ(read(archive_of(std::string(32, '\0'), folder.file("good"))), "accepted");
  const std::string bomb =
      archive_of(std::string(std::size_t(64) << 20, '\0'), folder.file("bomb"));
  CHECK(holds(read(bomb), "its shape [4][2] needs 160"));
  CHECK(holds(read(archive_of(std::string(31, '\0'), folder.file("short"))),
              "its shape [4][2] needs 160"));
}
#endif
