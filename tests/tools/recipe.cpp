// Tests the table of keys and the reading of recipes.
#include <doctest/doctest.h>

#include <set>

#include "../support/refusal.h"
#include "common/error.h"
#include "common/json.h"
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
  for (int f = SLUICE_LINEAR; f <= SLUICE_HARD_SILU; ++f)
    CHECK_EQ(std::string(word(sluice_activation(f))), sluice_activation_name(std::uint32_t(f)));
}

TEST_CASE(
    "activations and their parameters are read, written back, and refused where they are idle") {
  const auto text = [](const std::string& layer) {
    return "[data]\ntrain = \"t.csv\"\n[model]\nlayers = [ " + layer +
           ", { gru = 3 }, { dense = 2, activation = \"softmax\" } ]\n";
  };
  const auto layer = [&](const std::string& one) {
    return parse_recipe(text(one), "r.toml", {}).layers[0];
  };
  const LayerSpec relu = layer("{ gru = 4, activation = \"relu\" }");
  CHECK_EQ(relu.candidate, SLUICE_RELU);
  CHECK_EQ(relu.activation, SLUICE_LINEAR);
  CHECK_EQ(to_json(relu).dump(), "{\"gru\":4,\"activation\":\"relu\",\"steps\":\"every\"}");
  CHECK_EQ(to_json(layer("{ lstm = 4 }")).dump(), "{\"lstm\":4,\"steps\":\"every\"}");
  const LayerSpec elu = layer("{ dense = 4, activation = \"elu\", alpha = 0.5 }");
  CHECK_EQ(elu.activation, SLUICE_ELU);
  CHECK_EQ(elu.alpha, 0.5);
  CHECK_EQ(to_json(elu).dump(), "{\"dense\":4,\"activation\":\"elu\",\"alpha\":0.5}");
  const LayerSpec clip = layer("{ dense = 4, activation = \"clip\", low = 0, high = 6 }");
  CHECK_EQ(clip.low, 0.0);
  CHECK_EQ(clip.high, 6.0);
  CHECK_EQ(layer("{ dense = 4, activation = \"clip\" }").low, -1.0);
  const struct {
    const char *layer, *says;
  } refused[] = {
      {"{ gru = 4, activation = \"gelu\" }", "activation: \"gelu\" is unknown; "},
      {"{ gru = 4, activation = \"sigmoid\" }",
       "activation: \"sigmoid\" is unknown; give one of "
       "\"tanh\", \"relu\", \"linear\", \"elu\""},
      {"{ fastgrnn = 4, activation = \"relu\" }", "activation: unknown key; fastgrnn has"},
      {"{ gru = 4, alpha = 0.5 }", "alpha: there is no elu and no leaky_relu; leave it out"},
      {"{ dense = 4, activation = \"relu\", alpha = 0.5 }", "alpha: there is no elu"},
      {"{ dense = 4, activation = \"elu\", alpha = 0 }", "alpha: 0; give 1e-06 to 100"},
      {"{ dense = 4, activation = \"elu\", slope = 0.2 }", "slope: there is no hard sigmoid"},
      {"{ dense = 4, low = -2 }", "low and high are of clip; leave them out"},
      {"{ dense = 4, activation = \"clip\", low = 3, high = 3 }", "low: 3 is not below high, 3"},
      {"{ gru = 4, low = 0 }", "low: unknown key; gru has"},
  };
  for (const auto& one : refused) {
    CAPTURE(one.layer);
    const std::string said = refusal(text(one.layer));
    CAPTURE(said);
    CHECK(said.find(one.says) != std::string::npos);
  }
}
