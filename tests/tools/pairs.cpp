// Tries all pairs of keys of data and training: each trains, and its written recipe is the
// same when read again, or is refused in words of the recipe.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/error.h"
#include "recipe/check.h"
#include "recipe/read.h"
#include "recipe/write.h"
#include "train/input.h"
#include "train/start.h"
#include "train/train.h"

using namespace sluice::tools;

namespace {

namespace fs = std::filesystem;

struct Setting {
  const char *key, *value;
};

const Setting settings[] = {
    {"data.validation", "0.3"},
    {"data.validation", "0"},
    {"data.validation_order", "\"time\""},
    {"data.validation_order", "\"random\""},
    {"data.validation_file", "\"data.csv\""},
    {"data.test", "\"data.csv\""},
    {"data.sequence", "\"\""},
    {"data.sequence", "\"sequence\""},
    {"data.target", "[\"v\", \"w\"]"},
    {"data.target_type", "\"value\""},
    {"data.target_type", "\"class\""},
    {"data.target_per", "\"row\""},
    {"data.target_per", "\"sequence\""},
    {"data.features", "[\"x\"]"},
    {"data.group", "\"g\""},
    {"data.thin", "\"a:0.5\""},
    {"data.differences", "true"},
    {"data.separator", "\",\""},
    {"data.decimal", "\".\""},
    {"data.comment", "\"#\""},
    {"data.skip_rows", "0"},
    {"data.missing", "[\"-1\"]"},
    {"data.fill", "\"previous\""},
    {"data.time", "\"y\""},
    {"data.time_features", "[\"hour\"]"},
    {"data.target_from", "\"file\""},
    {"data.tokens", "\"characters\""},
    {"data.lower_case", "true"},
    {"data.vocabulary", "5"},
    {"data.standardize", "false"},
    {"data.standardize_target", "true"},
    {"data.max_steps", "3"},
    {"data.cut", "\"front\""},
    {"data.window", "3"},
    {"data.stride", "2"},
    {"data.horizon", "2"},
    {"data.windows_target", "\"difference\""},
    {"data.window_class", "\"majority\""},
    {"data.train_rows", "\"0:24\""},
    {"data.validation_rows", "\"24:36\""},
    {"data.test_rows", "\"36:48\""},
    {"data.reach_back", "true"},
    {"train.loss", "\"huber\""},
    {"train.loss", "\"binary\""},
    {"train.loss", "\"mse_sum\""},
    {"train.class_weights", "\"balanced\""},
    {"train.sampling", "\"balanced\""},
    {"train.label_smoothing", "0.1"},
    {"train.carry", "true"},
    {"train.truncate", "2"},
    {"train.batch", "1"},
    {"train.batch", "\"all\""},
    {"train.bucket", "true"},
    {"train.optimizer", "\"sgd\""},
    {"train.nesterov", "true"},
    {"train.weight_decay", "0.1"},
    {"train.schedule", "\"plateau\""},
    {"train.schedule", "\"one-cycle\""},
    {"train.warmup", "1"},
    {"train.stop_after", "1"},
    {"train.monitor", "\"auc\""},
    {"train.monitor", "\"mae\""},
    {"train.monitor", "\"macro_f1\""},
    {"train.patience", "1"},
    {"train.validate_every", "2"},
    {"train.prune", "0.5"},
    {"train.clip_norm", "1"},
    {"train.l1_step", "\"proximal\""},
    {"train.embedding_rows", "\"seen\""},
    {"quantize.aware", "true"},
    {"quantize.type", "\"w8a16\""},
    {"model.dropout.input", "0.2"},
    {"model.dropout.recurrent", "0.2"},
    {"model.dropout.output", "0.2"},
    {"model.init.input", "\"orthogonal\""},
    {"model.init.forget_bias", "1"},
    {"model.batch_norm", "\"keras\""},
    {"model.freeze", "[1]"},
};

const char* const gru = "[ { gru = 4 }, { dense = 2, activation = \"softmax\" } ]";
const char* const values = "[ { gru = 4 }, { dense = 2 } ]";

/// Returns what a run writes that was given a recipe as another run wrote it, or the message that
/// refuses it.
std::string rewritten(const std::string& written) {
  try {
    return recipe_toml(parse_recipe(written, "written.toml", {}));
  } catch (const Error& error) {
    return error.what();
  }
}

/// Returns the recipe's answer to these settings: "" if it trains, else the message.
std::string answer(const std::string& text, const std::vector<Override>& overrides,
                   const std::string& folder) {
  try {
    Recipe recipe = parse_recipe(text, folder + "/r.toml", overrides);
    check_validated(recipe);
    resolve_files(recipe, folder);
    Input input = read_input(recipe);
    const Network start = checked_start(recipe, input);
    TrainingSegment segment;
    Trained trained =
        train(recipe, input.train, input.split, start, nullptr, nullptr, {}, &segment);
    in_data_units(recipe, input, trained);
    const std::string written = recipe_toml(recipe);
    CHECK_EQ(rewritten(written), written);
    return "";
  } catch (const Error& error) {
    CHECK_EQ(error.exit_code, 2);
    return error.what();
  }
}

}  // namespace

TEST_CASE("any two keys of data and training go together, or are refused in words of the recipe") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("sluice-pairs-{}", getpid());
  fs::create_directories(folder);
  std::ofstream csv(folder / "data.csv");
  csv << "sequence,g,label,v,w,x,y\n";
  for (int s = 0; s < 12; ++s)
    for (int t = 0; t < 4; ++t)
      csv << fmt::format("s{},g{},{},{},{},{},{}\n", s, s / 2, s % 2 ? "b" : "a", s % 2,
                         (s + 1) % 2, s * 0.25 + t, t * (s % 3) - 1);
  csv.close();
  std::ofstream tsv(folder / "data.tsv");
  tsv << "label\tg\ttext\n";
  for (int s = 0; s < 16; ++s)
    tsv << fmt::format("{}\tg{}\t{} w{} w{}\n", s % 2 ? "b" : "a", s / 2, s % 2 ? "good" : "bad",
                       s % 3, s % 5);
  tsv.close();
  std::ofstream characters(folder / "data.txt");
  for (int i = 0; i < 150; ++i) characters << "abc"[i * i % 7 % 3];
  characters.close();
  const auto base = [](const char* data, const char* layers, const char* loss = "cross_entropy") {
    return fmt::format(
        "[data]\n{}\n[model]\nlayers = {}\n[train]\nepochs = 1\nbatch = 8\n"
        "loss = \"{}\"\n",
        data, layers, loss);
  };
  const std::string bases[] = {
      base("train = \"data.csv\"\ntarget = \"label\"\nignore = [\"g\", \"v\", \"w\"]", gru),
      base("train = \"data.csv\"\ntarget = \"label\"\ntarget_per = \"row\"\nignore = [\"g\", "
           "\"v\", \"w\"]",
           gru),
      base("train = \"data.csv\"\ntarget = [\"v\", \"w\"]\ntarget_type = \"value\"\ntarget_per = "
           "\"row\"\n"
           "ignore = [\"g\", \"label\"]",
           values, "mse"),
      base("train = \"data.csv\"\ntarget = [\"v\", \"w\"]\nwindow = 3\nignore = [\"sequence\", "
           "\"g\", \"label\"]",
           values, "mse"),
      base("train = \"data.csv\"\ntarget = [\"v\", \"w\"]\nsequence = \"sequence\"\nwindow = "
           "2\nignore = [\"g\", \"label\"]",
           values, "mse"),
      base("train = \"data.csv\"\ntarget = \"label\"\nsequence = \"sequence\"\nwindow = "
           "2\nwindow_class = \"last\"\n"
           "validation = 0.5\n"
           "ignore = [\"g\", \"v\", \"w\"]",
           gru),
      base("train = \"data.tsv\"\nformat = \"tsv\"\ntext = \"text\"\ntarget = \"label\"\n"
           "ignore = [\"g\"]",
           "[ { embedding = 4 }, { gru = 4 }, { dense = 2, activation = \"softmax\" } ]"),
      base("train = \"data.txt\"\nformat = \"text\"\nwindow = 8",
           "[ { embedding = 4 }, { gru = 4, steps = \"every\" }, "
           "{ dense = 5, activation = \"softmax\" } ]")};
  // An emulated CPU tries every seventh pair, since what it refuses depends on no instruction set.
  const std::size_t every = std::getenv("SLUICE_TESTS_SPARSE") ? 7 : 1;
  std::size_t trained = 0, pairs = 0;
  for (const std::string& text : bases) {
    CHECK_EQ(answer(text, {}, folder.string()), "");
    for (const Setting& one : settings)
      for (const Setting* other = &one; other != std::end(settings); ++other) {
        std::vector<Override> overrides = {{one.key, one.value, one.key}};
        if (std::string_view(one.key) == other->key && other != &one) continue;
        if (pairs++ % every) continue;
        if (other != &one) overrides.push_back({other->key, other->value, other->key});
        CAPTURE(text);
        CAPTURE(one.key);
        CAPTURE(one.value);
        CAPTURE(other->key);
        CAPTURE(other->value);
        const std::string message = answer(text, overrides, folder.string());
        trained += message.empty();
        CHECK_EQ(message.find("SLUICE_"), std::string::npos);
        CHECK_EQ(message.find('\n'), std::string::npos);
      }
  }
  CHECK(trained > 3000 / every);
  fs::remove_all(folder);
}
