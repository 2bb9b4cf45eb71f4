// Heads: an answer in several parts, each with a loss of its own. Losses are recomputed in double
// from the model's answers, by the formulas of sluice_train.h.
#include "recipe/heads.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "../support/numbers.h"
#include "common/error.h"
#include "convert/quantize.h"
#include "evaluate/measures.h"
#include "evaluate/range_trials.h"
#include "model/model_file.h"
#include "model/pack.h"
#include "recipe/columns.h"
#include "recipe/made.h"
#include "recipe/read.h"
#include "recipe/write.h"
#include "train/checkpoint.h"
#include "train/train.h"

using namespace sluice::tools;
using sluice::tests::Noise;

namespace {

constexpr double delta = 0.4;  // of the Huber loss

/// Two features; a sequence's targets are a bit, a class of three, and two values.
const std::string recipe_text =
    "[data]\ntrain = \"-\"\ntarget = [\"bit\", \"class\", \"a\", \"b\"]\nvalidation = 0.25\n"
    "[model]\nlayers = [ { gru = 5, name = \"body\" },\n"
    "{ dense = 1, activation = \"sigmoid\", name = \"vad\", loss = \"binary\", weight = 0.5 },\n"
    "{ dense = 3, activation = \"softmax\", name = \"kind\", loss = \"cross_entropy\", from = "
    "\"body\" },\n"
    "{ dense = 2, name = \"place\", loss = \"huber\", weight = 3, from = \"body\" } ]\n"
    "[train]\nbatch = \"all\"\nepochs = 3\nthreads = 1\nhuber_delta = 0.4\nlearning_rate = 0.05\n";

Recipe recipe_with(const std::vector<std::string>& overrides = {}) {
  std::vector<Override> parsed;
  for (const std::string& text : overrides) parsed.push_back(parse_override(text));
  return parse_recipe(recipe_text, "recipe.toml", parsed);
}

/// @param row  whether rows have targets, a third of whose cells are empty; else sequences
DataSet data_for(const Recipe& recipe) {
  const bool row = recipe.target_per == TargetPer::row;
  Noise noise(71);
  std::string csv = "sequence,bit,class,a,b,x,y\n";
  const auto cell = [&](int t, int k, const std::string& text) {
    return row && (t + k) % 3 == 0 ? std::string() : text;
  };
  for (int s = 0; s < 24; ++s)
    for (int t = 0; t < 3 + s % 4; ++t) {
      const int at = row ? s + t : s;
      csv += std::to_string(s) + "," + cell(t, 0, std::to_string(at % 2)) + "," +
             cell(t, 1, std::to_string(at % 3)) + "," + cell(t, 2, std::to_string(at % 5)) + "," +
             cell(t, 3, std::to_string(at % 2 - 0.5)) + "," +
             std::to_string(double(noise.number(-1, 1)) + at % 2) + "," +
             std::to_string(double(noise.number(-1, 1)) + at % 3) + "\n";
    }
  const Columns columns = columns_of(recipe);
  return assemble(read_csv(csv, "data.csv", columns, {}), columns, {});
}

/// Of a head: the sum of its losses in double, its targets, and how many are right.
struct Sum {
  double loss = 0, targets = 0, right = 0, squares = 0;
  double mean() const { return loss / targets; }
};

/// By the formulas, from the model's own answers.
std::vector<Sum> sums_of(const OwnedModel& model, const DataSet& data,
                         const std::vector<std::size_t>& sequences) {
  std::vector<Sum> sums(3);
  OwnedStream stream(model.model, {64, 1});
  for (const std::size_t s : sequences) {
    const std::size_t rows = data.targets(s);
    std::vector<float> y(rows * 6);
    sluice_reset(&stream.stream);
    stream.run(data.frames(s), y.data(), data.steps(s));
    for (std::size_t row = 0; row < rows; ++row) {
      const float* const target = &data.value[(data.target_begin(s) + row) * 4];
      const float* const answer = &y[row * 6];
      const double p = double(answer[0]);
      if (!std::isnan(target[0])) {
        sums[0].loss -= double(target[0]) * std::log(p) + (1 - double(target[0])) * std::log(1 - p);
        sums[0].targets += 1, sums[0].right += (p > 0.5) == (target[0] == 1);
      }
      if (!std::isnan(target[1])) {
        sums[1].loss -= std::log(double(answer[1 + int(target[1])]));
        const auto guess = std::max_element(answer + 1, answer + 4) - (answer + 1);
        sums[1].targets += 1, sums[1].right += guess == int(target[1]);
      }
      for (int k = 0; k < 2; ++k) {
        if (std::isnan(target[2 + k])) continue;
        const double e = std::fabs(double(answer[4 + k]) - double(target[2 + k]));
        sums[2].loss += e <= delta ? e * e / 2 : delta * (e - delta / 2);
        sums[2].targets += 1, sums[2].squares += e * e;
      }
    }
  }
  return sums;
}

double total(const std::vector<Sum>& sums) {
  return 0.5 * sums[0].mean() + sums[1].mean() + 3 * sums[2].mean();
}

bool near(double a, double b, double tolerance = 1e-6) {
  return std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b));
}

void check_evaluation(const Evaluation& e, const std::vector<Sum>& sums) {
  REQUIRE_EQ(e.heads.size(), sums.size());
  CHECK(near(e.loss, total(sums)));
  for (std::size_t i = 0; i < sums.size(); ++i) {
    CAPTURE(e.heads[i].name);
    CHECK_EQ(e.heads[i].targets, std::uint64_t(sums[i].targets));
    CHECK(near(e.heads[i].loss, sums[i].mean()));
    const Measure measure = short_measure(e.heads[i]);
    CHECK_EQ(measure.share, i < 2);
    CHECK(near(measure.value, i < 2 ? sums[i].right / sums[i].targets
                                    : std::sqrt(sums[i].squares / sums[i].targets)));
  }
}

std::string refusal_of(const std::string& text) {
  try {
    parse_recipe(text, "recipe.toml", {});
  } catch (const Error& error) {
    CHECK_EQ(error.exit_code, 2);
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("the losses of heads, in training and evaluation, are the formulas' in double to 1e-6") {
  for (const char* per : {"data.target_per=sequence", "data.target_per=row"}) {
    CAPTURE(per);
    const Recipe recipe = recipe_with({per});
    const DataSet data = data_for(recipe);
    const Split parts = split(data, 0.25, 1);
    const Network start = make_network(recipe, data, parts);
    const Trained trained = train(recipe, data, parts, start);
    const OwnedModel before = open_model(write_blob(start), "start");
    CHECK(near(trained.epochs[0].loss, total(sums_of(before, data, parts.train)), 1e-5));
    CHECK(trained.epochs.back().loss < trained.epochs[0].loss);
    const std::vector<Sum> held_out = sums_of(trained.model, data, parts.held_out);
    check_evaluation(evaluate(trained.model.model, data, parts.held_out, 1), held_out);
    check_evaluation(evaluate(trained.model.model, data, parts.held_out, 2), held_out);
    const HeldOut& logged = *trained.epochs.back().held_out;
    CHECK(near(logged.loss, total(held_out)));
    REQUIRE_EQ(logged.heads.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) CHECK(near(logged.heads[i].loss, held_out[i].mean()));
  }
}

TEST_CASE("heads in fixed point are measured by the fixed-point answers") {
  const Recipe recipe = recipe_with();
  const DataSet data = data_for(recipe);
  const Split parts = split(data, 0.25, 1);
  const Trained trained = train(recipe, data, parts, make_network(recipe, data, parts));
  for (const sluice_format format : {SLUICE_INT8, SLUICE_W8A16}) {
    RangeTrials tried =
        try_ranges(read_network(trained.model.model), format, RangeChoice::min_max, data, parts);
    check_evaluation(tried.best().held_out, sums_of(tried.best().model, data, parts.held_out));
  }
}

TEST_CASE("a head's targets stand alone: classes by number, values by column") {
  const Recipe recipe = recipe_with({"data.target_per=row"});
  const DataSet data = data_for(recipe);
  const DataSet bit = head_targets(data, 0), kind = head_targets(data, 1),
                place = head_targets(data, 2);
  CHECK(bit.classes);
  CHECK_EQ(bit.labels, std::vector<std::string>{"0", "1"});
  CHECK_EQ(kind.labels, std::vector<std::string>{"0", "1", "2"});
  CHECK_EQ(kind.target[0], 0);
  CHECK_EQ(kind.target[2], -1);  // its cell is empty
  CHECK(!place.classes);
  CHECK_EQ(place.labels, std::vector<std::string>{"a", "b"});
  CHECK_EQ(place.value.size(), 2 * kind.target.size());
  CHECK_EQ(output_names(data),
           std::vector<std::string>{"vad", "kind.0", "kind.1", "kind.2", "place.a", "place.b"});
}

TEST_CASE("a binary head whose targets are not all 0 or 1 is measured as a value") {
  const Recipe recipe = recipe_with();
  DataSet data = data_for(recipe);
  data.value[0] = 0.25f;
  const Split parts{all_sequences(data), {}};
  const OwnedModel model = open_model(write_blob(make_network(recipe, data, parts)), "start");
  const Evaluation e = evaluate(model.model, data, parts.train, 1);
  CHECK(!e.heads[0].classes);
  CHECK(near(e.heads[0].loss, sums_of(model, data, parts.train)[0].mean()));
}

TEST_CASE("a recipe's heads survive being resolved and being written into a model") {
  const Recipe recipe = recipe_with();
  REQUIRE_EQ(recipe.layers.size(), 5u);
  CHECK_EQ(recipe.layers[4].sources, std::vector<std::string>{"vad", "kind", "place"});
  const Recipe again = parse_recipe(recipe_toml(recipe), "recipe.toml", {});
  CHECK_EQ(recipe_toml(again), recipe_toml(recipe));
  const DataSet data = data_for(recipe);
  const Network network = make_network(recipe, data, {all_sequences(data), {}});
  const std::vector<Head> heads = heads_of_made(network.made);
  REQUIRE_EQ(heads.size(), 3u);
  CHECK_EQ(heads[0].name, "vad");
  CHECK_EQ(heads[0].weight, 0.5);
  CHECK(heads[1].loss == SLUICE_CROSS_ENTROPY);
  CHECK_EQ(heads[1].outputs, 3u);
  CHECK_EQ(heads[2].huber_delta, delta);
  CHECK_EQ(loss_word(heads[2]), "huber");
  CHECK(heads_of_made("{}").empty());
  CHECK(heads_of_made(made_json(recipe_with(), 0).replace(0, 1, "[")).empty());
}

TEST_CASE("linear heads begin at their targets' means; dropout of outputs is before the heads") {
  const Recipe recipe = recipe_with({"model.dropout.output=0.5"});
  const DataSet data = data_for(recipe);
  const Split parts{all_sequences(data), {}};
  const Network network = make_network(recipe, data, parts);
  const Layer& place = network.layers[4];
  REQUIRE_EQ(place.name, "place");
  for (std::size_t k = 0; k < 2; ++k) {
    double mean = 0;
    for (std::size_t s = 0; s < data.sequences(); ++s)
      mean += double(data.value[s * 4 + 2 + k]) / double(data.sequences());
    CHECK(near(double(place.array(sluice::Role::input_bias).values[k]), mean));
  }
  const TrainPlan plan = train_plan(recipe, data, parts, network);
  REQUIRE_EQ(plan.layers.size(), 6u);
  for (std::size_t l = 0; l < plan.layers.size(); ++l)
    CHECK_EQ(plan.layers[l].dropout, l == 1 ? 0.5f : 0.0f);  // of the GRU alone, once
  REQUIRE_EQ(plan.answers.size(), 3u);
  CHECK_EQ(plan.answers[2].loss, std::uint32_t(SLUICE_HUBER));
  CHECK_EQ(plan.answers[2].weight, 3.0f);
}

TEST_CASE("a checkpoint and the log hold the scores of heads") {
  TrainState state;
  state.epochs.resize(1);
  state.epochs[0].number = 1;
  state.epochs[0].held_out = HeldOut{0.5, 0, 0.5, {{"vad", 0.25, 0.75, true}, {"b", 2, 1.5}}};
  const std::string made = "{}", bytes = checkpoint_bytes(state, made);
  const TrainState read = read_checkpoint(bytes, made, "c");
  CHECK_EQ(checkpoint_bytes(read, made), bytes);
  CHECK(log_line(read.epochs[0], false)
            .find("\"validation_heads\":{\"vad\":{\"loss\":0.25,\"accuracy\":0.75},\"b\":{\"loss\":"
                  "2.0,\"rmse\":1.5}}") != std::string::npos);
}

TEST_CASE("an evaluation of heads as JSON has each head's measures and weight") {
  const Recipe recipe = recipe_with();
  const DataSet data = data_for(recipe);
  const Split parts{all_sequences(data), {}};
  const OwnedModel model = open_model(write_blob(make_network(recipe, data, parts)), "start");
  const std::string json = json_text(evaluate(model.model, data, parts.train, 1));
  for (const char* text : {"\"heads\": {", "\"vad\": {",
                           "\"macro_f1\":", "\"rmse\":", "\"weight\": 3.0", "\"confusion\": ["})
    CHECK(json.find(text) != std::string::npos);
}

TEST_CASE("a model that answers other numbers than the data's heads is refused") {
  const Recipe recipe = recipe_with();
  DataSet data = data_for(recipe);
  const Split parts{all_sequences(data), {}};
  const OwnedModel model = open_model(write_blob(make_network(recipe, data, parts)), "start");
  data.heads[1].outputs = 4;
  CHECK_THROWS_AS(evaluate(model.model, data, parts.train, 1), Error);
}

TEST_CASE("a model may say anything of its heads") {
  const auto made = [](const std::string& layers, const std::string& target) {
    return "{\"recipe\": {\"data\": {\"sequence\": \"s\", \"target\": " + target +
           ", \"target_type\": \"value\", \"target_per\": \"row\", \"ignore\": [], \"group\": "
           "\"\"}, \"train\": {\"loss\": \"mse\"}, \"model\": {\"layers\": " +
           layers + "}}}";
  };
  const std::string a = "{\"dense\": 2, \"name\": \"a\", \"loss\": \"mse\", \"weight\": 1.0}",
                    b = "{\"dense\": 1, \"name\": \"b\", \"loss\": \"mse\", \"weight\": 1.0}",
                    join = "{\"concat\": [\"a\", \"b\"]}", three = "[\"x\", \"y\", \"z\"]";
  CHECK_EQ(heads_of_made(made("[" + a + ", " + b + ", " + join + "]", three)).size(), 2u);
  for (const std::string& layers :
       {"[" + a + "]", "[" + a + ", " + a + ", " + join + "]", "[" + a + ", " + b + ", null]",
        std::string("[{\"loss\": 3}]"), std::string("[{\"loss\": {\"a b\": []}}]"),
        "[" + a + ", " + b + ", {\"x = 1, y\": 2}]", "[" + a + ", " + b + ", {\"dense\": -1}]"}) {
    CAPTURE(layers);
    CHECK(heads_of_made(made(layers, three)).empty());
    CHECK_THROWS_AS(recipe_of_made(made(layers, three), "m"), Error);
  }
  CHECK_THROWS_AS(recipe_of_made(made("[" + a + ", " + b + "]", "[\"x\"]"), "m"), Error);
}

TEST_CASE("heads that do not go together are refused by layer") {
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string text = recipe_text;
    text.replace(text.find(from), from.size(), to);
    return refusal_of(text);
  };
  CHECK(changed("weight = 3", "weight = 0").find("layer 4: weight: 0; give 1e-06 to 1000000") !=
        std::string::npos);
  CHECK(changed("from = \"body\" },\n", "from = \"vad\" },\n")
            .find("layer 3 reads layer 2 (\"vad\")") != std::string::npos);
  CHECK(changed("dense = 2", "dense = 3").find("4 columns, but the heads have 5") !=
        std::string::npos);
}
