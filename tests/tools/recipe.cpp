// Tests the table of keys and the reading of recipes.
#include <doctest/doctest.h>

#include <set>

#include "../support/refusal.h"
#include "common/error.h"
#include "recipe/keys.h"
#include "recipe/made.h"
#include "recipe/manual.h"
#include "recipe/read.h"
#include "recipe/write.h"

using namespace sluice::tools;

namespace {

const char* const smallest =
    "[data]\ntrain = \"t.csv\"\n[model]\nlayers = [ { gru = 4 }, { dense = 2, activation = "
    "\"softmax\" } ]\n";

std::string refusal(const std::string& text, const std::vector<Override>& overrides = {}) {
  return sluice::tests::refusal_of([&] { parse_recipe(text, "r.toml", overrides); });
}

}  // namespace

TEST_CASE("the issue's names of keys stay") {
  for (const char* name : {"data.train",
                           "data.test",
                           "data.sequence",
                           "data.target",
                           "data.target_type",
                           "data.target_per",
                           "data.ignore",
                           "data.validation",
                           "data.group",
                           "data.standardize",
                           "model.layers",
                           "model.dropout.input",
                           "model.dropout.output",
                           "train.loss",
                           "train.epochs",
                           "train.batch",
                           "train.optimizer",
                           "train.learning_rate",
                           "train.schedule",
                           "train.weight_decay",
                           "train.l2",
                           "train.clip_norm",
                           "train.patience",
                           "train.seed",
                           "train.threads",
                           "train.monitor",
                           "train.min_improvement",
                           "train.validate_every",
                           "train.checkpoint_seconds",
                           "train.diverged"}) {
    CAPTURE(std::string(name));
    CHECK(find_key(name) != nullptr);
  }
}

TEST_CASE("every key has a help of one sentence and is in the manual") {
  const std::string manual = key_manual();
  std::set<std::string_view> names;
  for (const Key& key : keys()) {
    CAPTURE(std::string(key.name));
    CHECK(names.insert(key.name).second);
    CHECK(key.help.ends_with("."));
    CHECK(manual.find(key.name) != std::string::npos);
  }
}

TEST_CASE(
    "a number that may be a word says so in its help, and takes the word with and without quotes") {
  CHECK_EQ(allowed(*find_key("train.batch")), "1 to 65536, or \"all\"");
  CHECK_EQ(allowed(*find_key("data.cut")), "\"front\" or \"back\"");
  CHECK_EQ(allowed(*find_key("train.epochs")), "1 or more");
  const auto with = [](const std::string& text) {
    return parse_recipe(smallest, "r.toml", {parse_override(text)}).batch;
  };
  CHECK_EQ(with("train.batch=all"), all_at_once);
  CHECK_EQ(with("train.batch=\"all\""), all_at_once);
  CHECK_EQ(with("train.batch=3"), 3);
  CHECK_EQ(parse_recipe(std::string(smallest) + "[train]\nbatch = \"all\"\n", "r.toml", {}).batch,
           all_at_once);
  CHECK_EQ(refusal(smallest, {parse_override("train.batch=al")}),
           "--set train.batch=al: \"al\" is not a batch size; give a whole number, 1 to 65536, or "
           "\"all\"");
}

TEST_CASE("a refusal of a mistyped key names the nearest key") {
  CHECK_EQ(nearest_key("train.bach"), "train.batch");
  CHECK_EQ(nearest_key("bach"), "train.batch");
  CHECK_EQ(nearest_key("data.batch"), "train.batch");
  CHECK_EQ(nearest_key("train.learningrate"), "train.learning_rate");
  CHECK_EQ(nearest_key("zzzzzzzz"), "");
}

TEST_CASE("a recipe is completed with defaults, and its resolved text reads as the same recipe") {
  const Recipe recipe = parse_recipe(smallest, "r.toml", {});
  CHECK_EQ(recipe.sequence, "sequence");
  CHECK_EQ(recipe.validation, 0.2);
  CHECK_EQ(recipe.epochs, 60);
  CHECK_EQ(recipe.batch, 16);
  CHECK_EQ(recipe.learning_rate, 1e-3);
  CHECK_EQ(recipe.layers[0].steps, StepsOut::last);
  const std::string text = recipe_toml(recipe);
  CHECK_EQ(recipe_toml(parse_recipe(text, "again.toml", {})), text);
}

TEST_CASE(
    "a recurrent layer outputs every step, except the last one of a network that answers once") {
  const auto steps = [](const std::string& layers, const std::string& per) {
    const Recipe r =
        parse_recipe("[data]\ntrain = \"t\"\ntarget_per = \"" + per + "\"\n[model]\nlayers = [ " +
                         layers + ", { dense = 2, activation = \"softmax\" } ]\n",
                     "r.toml", {});
    std::string all;
    for (const LayerSpec& layer : r.layers)
      all += layer.steps == StepsOut::open ? "-" : word(layer.steps).substr(0, 1);
    return all;
  };
  CHECK_EQ(steps("{ gru = 4 }", "sequence"), "l-");
  CHECK_EQ(steps("{ gru = 4 }, { gru = 4 }", "sequence"), "el-");
  CHECK_EQ(steps("{ gru = 4 }, { gru = 4 }", "row"), "ee-");
}

TEST_CASE("a blob's history names no file and no setting that cannot change a result") {
  Recipe a = parse_recipe(smallest, "r.toml", {}), b = a;
  b.threads = 7;
  b.train_file = "/somewhere/else.csv";
  b.test_file = "test.csv";
  CHECK_EQ(made_json(a, 1), made_json(b, 1));
  CHECK_EQ(made_json(a, 1).find("t.csv"), std::string::npos);
  CHECK_EQ(made_json(a, 1).find("threads"), std::string::npos);
  b.seed = 2;
  CHECK_NE(made_json(a, 1), made_json(b, 1));
  CHECK_NE(made_json(a, 1), made_json(a, 2));
}

TEST_CASE("an override replaces the recipe's value and is named in a refusal") {
  const auto with = [](const std::string& text) {
    return parse_recipe(smallest, "r.toml", {parse_override(text)});
  };
  CHECK_EQ(with("train.batch=8").batch, 8);
  CHECK_EQ(with("train.optimizer=adamw").optimizer, Optimizer::adamw);
  CHECK_EQ(with("train.optimizer=\"adamw\"").optimizer, Optimizer::adamw);
  CHECK_EQ(with("model.dropout.output=0.25").dropout_output, 0.25);
  CHECK_EQ(with("data.ignore=[\"a\", \"b\"]").ignore, std::vector<std::string>{"a", "b"});
  CHECK(refusal(smallest, {parse_override("train.batch=0")}).find("train.batch") !=
        std::string::npos);
  CHECK(refusal(std::string(smallest) + "[train]\nbatch = 0\n")
            .starts_with("r.toml:6: train.batch: 0 "));
}

TEST_CASE("the words of a recipe for number formats and activations are the runtime's names") {
  for (const sluice_format format : {SLUICE_F32, SLUICE_INT8, SLUICE_W8A16})
    CHECK_EQ(std::string(word(format)), sluice_format_name(format));
  for (const sluice_activation f : {SLUICE_LINEAR, SLUICE_TANH, SLUICE_SIGMOID, SLUICE_RELU,
                                    SLUICE_SOFTMAX, SLUICE_HARD_SIGMOID})
    CHECK_EQ(std::string(word(f)), sluice_activation_name(f));
}
