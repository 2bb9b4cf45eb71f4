// Tests the training loop: epochs as steps, decisions after a validation, divergence, the log,
// checkpoints.
#include "train/train.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <set>

#include "../support/models.h"
#include "common/error.h"
#include "common/safe_file.h"
#include "evaluate/measures.h"
#include "model/pack.h"
#include "recipe/made.h"
#include "recipe/read.h"
#include "recipe/write.h"
#include "train/checkpoint.h"

using namespace sluice;
using namespace sluice::tests;
using namespace sluice::tools;

namespace {

/// Makes sequences of three frames. The target is twice the sum of the last frame, or whether that
/// is above 0.
DataSet sums(int sequences, bool classes) {
  DataSet data;
  Noise noise(5);
  data.feature_names = {"a", "b"};
  data.labels = classes ? std::vector<std::string>{"low", "high"} : std::vector<std::string>{"sum"};
  data.classes = classes;
  data.first.push_back(0);
  for (int s = 0; s < sequences; ++s) {
    for (int i = 0; i < 6; ++i) data.x.push_back(noise.number(-1, 1));
    const float sum = data.x.end()[-1] + data.x.end()[-2];
    classes ? data.target.push_back(sum > 0) : data.value.push_back(2 * sum);
    data.names.push_back(std::to_string(s));
    data.first.push_back(data.x.size() / 2);
  }
  return data;
}

Recipe recipe_of(bool classes, const std::vector<std::string>& overrides) {
  const std::string head = classes ? "target_type = \"class\"\n" : "target_type = \"value\"\n";
  const std::string last = classes ? "{ dense = 2, activation = \"softmax\" }" : "{ dense = 1 }";
  std::vector<Override> parsed;
  for (const std::string& text : overrides) parsed.push_back(parse_override(text));
  if (!classes) parsed.push_back(parse_override("train.loss=mse"));
  return parse_recipe("[data]\ntrain = \"-\"\n" + head + "[model]\nlayers = [ { gru = 4 }, " +
                          last + " ]\n[train]\nbatch = 4\nthreads = 1\n",
                      "recipe.toml", parsed);
}

struct Run {
  Recipe recipe;
  DataSet data;
  Split parts;
  Trained trained;

  Run(bool classes, const std::vector<std::string>& overrides, int sequences = 40)
      : recipe(recipe_of(classes, overrides)),
        data(sums(sequences, classes)),
        parts(recipe.validation > 0 ? split(data, recipe.validation, 1)
                                    : Split{all_sequences(data), {}}),
        trained(train(recipe, data, parts, make_network(recipe, data, parts))) {}
};

std::vector<double> rates(const std::vector<std::string>& overrides) {
  // Exact in float and in double.
  std::vector<std::string> all = {"data.validation=0", "train.learning_rate=0.5"};
  all.insert(all.end(), overrides.begin(), overrides.end());
  const Run run(true, all, 10);  // three batches per epoch
  std::vector<double> result;
  for (const Epoch& epoch : run.trained.epochs) result.push_back(epoch.learning_rate);
  return result;
}

std::vector<double> plateau_rates(std::int64_t patience, double factor, double rate,
                                  const std::vector<double>& values) {
  Plateau plateau;
  std::vector<double> result;
  for (const double value : values) {
    watch(plateau, value, patience, factor, rate);
    result.push_back(rate * plateau.factor);
  }
  return result;
}

void check_near(const std::vector<double>& got, const std::vector<double>& expected) {
  REQUIRE_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::fabs(got[i] - expected[i]) <= 1e-12 * expected[i]);
  }
}

std::string refusal(const std::string& bytes, const std::string& made) {
  try {
    read_checkpoint(bytes, made, "c");
  } catch (const Error& error) {
    CHECK_EQ(error.exit_code, 2);
    return error.what();
  }
  return "accepted";
}

TrainState some_state() {
  TrainState state;
  state.epochs.resize(2);
  state.epochs[0].number = 1;
  state.epochs[0].loss = 0.1 + 0.2;
  state.epochs[0].weight_norms[3] = -1;
  state.epochs[1].number = 2;
  state.epochs[1].held_out = HeldOut{1e-300, 0.25};
  state.epochs[1].zero_blocks = {0.5, 0.0};
  state.sums = {7, 1.5, 8.5, 2.5, 3.5, 9, 4, 0.125};
  state.best = {2, 0.75, std::string("bl\0ob", 5), "real", {"one", ""}};
  state.patience = {worst, 3};
  state.plateau = {-0.5, 2, 0.25};
  state.trainer = std::string(100, '\x80');
  state.mask = {1, 0, 1};
  state.unit = {0.5f, 0.0f};
  state.outputs = {{3.25}, {{-1.5, 0.5}, {2, 2.5}}, {{}, {{0.1, -3}, {0.2, 4}}}};
  return state;
}

const std::string made =
    R"({"version":"0.1.0","data_hash":"00","recipe":{"train":{"batch":8,"seed":1}}})";

}  // namespace

TEST_CASE("the plateau schedule changes the rate where PyTorch 2.13's ReduceLROnPlateau does") {
  // The rates after each step of torch.optim.lr_scheduler.ReduceLROnPlateau(mode, factor,
  // patience), with default values for its other arguments.
  const double none = std::nan("");
  const std::vector<double> loss = {1.0,  0.8,  0.79995, 0.79991, 0.9,  0.7,  0.7,
                                    0.71, 0.72, 0.73,    0.65,    0.66, 0.67, 0.68,
                                    0.69, none, 0.7,     0.6,     0.61, 0.62};
  check_near(plateau_rates(2, 0.5, 0.01, loss),  // mode "min"
             {0.01,  0.01,  0.01,  0.01,   0.01,   0.01,   0.01,    0.01,    0.005,   0.005,
              0.005, 0.005, 0.005, 0.0025, 0.0025, 0.0025, 0.00125, 0.00125, 0.00125, 0.00125});
  check_near(plateau_rates(0, 0.1, 0.01, loss),
             {0.01, 0.01, 1e-3, 1e-3, 1e-4, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8,
              1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8});
  std::vector<double> accuracy = {0.0, 0.0, 0.5,  0.50004, 0.50006, 0.6,  0.6,
                                  0.6, 0.6, 0.61, 0.60,    0.59,    0.62, 0.62};
  for (double& v : accuracy) v = -v;
  check_near(plateau_rates(1, 0.25, 0.01, accuracy),  // mode "max"
             {0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.0025, 0.0025, 0.0025, 0.0025, 0.000625,
              0.000625, 0.000625});
}

TEST_CASE("pieces with carried states have the losses of whole sequences") {
  // 23, 9 and 30 rows are cut at every 5th. With a rate close to zero, an epoch's loss is that of
  // the untrained network on whole sequences.
  DataSet data;
  Noise noise(8);
  data.feature_names = {"a", "b"}, data.labels = {"low", "high"}, data.per_row = true;
  for (const int rows : {23, 9, 30}) {
    data.first.push_back(data.x.size() / 2);
    data.names.push_back(std::to_string(rows));
    for (int i = 0; i < rows; ++i) {
      data.x.insert(data.x.end(), {noise.number(-1, 1), noise.number(-1, 1)});
      data.target.push_back(data.x.back() > data.x.end()[-2]);
    }
  }
  data.first.push_back(data.x.size() / 2);
  const std::vector<std::string> settings = {"data.target_per=row", "data.validation=0",
                                             "train.batch=1", "train.epochs=1",
                                             "train.learning_rate=1e-9"};
  const auto with_truncate = [&](const std::string& rows) {
    std::vector<std::string> all = settings;
    all.push_back("train.truncate=" + rows);
    return recipe_of(true, all);
  };
  Split parts{all_sequences(data), {}};
  const Recipe recipe = with_truncate("5");
  const Network start = make_network(recipe, data, parts);
  const double whole =
      evaluate(open_model(write_blob(start), "start").model, data, parts.train, 1).loss;
  cut_pieces(data, parts, 5);
  REQUIRE_EQ(parts.train.size(), 5u + 2u + 6u);
  CHECK(std::fabs(train(recipe, data, parts, start).epochs.at(0).loss - whole) < 1e-6);
  // The same pieces that begin with zero states have another loss.
  CHECK(std::fabs(train(with_truncate("0"), data, parts, start).epochs.at(0).loss - whole) > 1e-4);
}

TEST_CASE("training monitors the measure that train.monitor names") {
  // By hand, for three targets of the first class and one of the second: recalls are 2/3 and 1; F1
  // is 4/5 and 2/3; of 3 pairs, 1, 1 and 0 are in the right order.
  Evaluation e;
  e.labels = {"a", "b"}, e.targets = 4, e.correct = 3, e.loss = 0.5, e.blocks = 4,
  e.absolute_error = 0.25;
  const float second[] = {0.1f, 0.2f, 0.9f, 0.6f};
  for (std::uint32_t i = 0; i < 4; ++i) {
    Answer answer;
    answer.truth = i == 3, answer.guess = second[i] > 0.5f, answer.block = i;
    e.answers.push_back(answer);
    e.scores.insert(e.scores.end(), {1 - second[i], second[i]});
  }
  const std::pair<Monitor, double> expected[] = {{Monitor::loss, 0.5},
                                                 {Monitor::accuracy, 0.75},
                                                 {Monitor::balanced_accuracy, (2.0 / 3 + 1) / 2},
                                                 {Monitor::macro_f1, (4.0 / 5 + 2.0 / 3) / 2},
                                                 {Monitor::auc, 2.0 / 3},
                                                 {Monitor::mae, 0.25}};
  for (const auto& [monitor, value] : expected) {
    const std::string name(word(monitor));
    CAPTURE(name);
    CHECK(std::fabs(watched_measure(e, monitor) - value) < 1e-12);
  }
  const Run run(true, {"data.validation=0.5", "train.epochs=12", "train.patience=3",
                       "train.monitor=macro_f1"});
  double best = -1;
  int epoch = 0;
  for (const Epoch& one : run.trained.epochs)
    if (one.held_out->watched > best) best = one.held_out->watched, epoch = one.number;
  CHECK_EQ(run.trained.kept, epoch);
  CHECK(log_line(run.trained.epochs[0], true, Monitor::macro_f1).find("\"validation_macro_f1\":") !=
        std::string::npos);
}

TEST_CASE(
    "early stopping counts validations since the measure last improved by more than the least "
    "improvement") {
  Patience patience;
  const double values[] = {5, 4.5, 4, 3.9, 4.2, 3.4, std::nan(""), 3.4};
  // 4 improves on 5 by 1, not by more; 3.9 improves on 5 by 1.1, and 3.4 on 3.9 by 0.5.
  const std::int64_t since[] = {0, 1, 2, 0, 1, 2, 3, 4};
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    watch(patience, values[i], 1);
    CHECK_EQ(patience.worse, since[i]);
  }
}

TEST_CASE("the trainer's steps are the recipe's epochs times the batches") {
  const DataSet data = sums(10, true);
  const Split parts{all_sequences(data), {}};
  const auto options = [&](const std::vector<std::string>& overrides) {
    const Recipe recipe = recipe_of(true, overrides);
    return train_plan(recipe, data, parts, make_network(recipe, data, parts)).options;
  };
  // 10 sequences in batches of 4 are three batches.
  CHECK_EQ(options({"train.epochs=7"}).total_steps, 21u);
  CHECK_EQ(options({"train.epochs=7", "train.batch=all"}).total_steps, 7u);
  CHECK_EQ(options({"train.batch=all"}).max_sequences, 10u);
  CHECK_EQ(options({"train.batch=64"}).max_sequences, 10u);
  CHECK_EQ(options({"train.batch=5", "train.warmup=2"}).warmup_steps, 4u);
  CHECK_EQ(options({"train.schedule=step", "train.schedule_every=2"}).schedule_every, 6u);
  CHECK_EQ(options({"train.schedule=exponential", "train.schedule_every=2"}).schedule_every, 3u);
  const DataSet many = sums(5000, true);
  const Recipe recipe = recipe_of(true, {"train.epochs=1000000", "train.batch=1"});
  const Split all{all_sequences(many), {}};
  // 5e9 steps are more than 2^32.
  CHECK_THROWS_AS(train_plan(recipe, many, all, make_network(recipe, many, all)), Error);
}

TEST_CASE("the rate of an epoch's last step follows the schedule's formula") {
  CHECK_EQ(rates({"train.epochs=4", "train.schedule=exponential", "train.schedule_factor=0.5"}),
           std::vector<double>{0.5, 0.25, 0.125, 0.0625});
  CHECK_EQ(rates({"train.epochs=5", "train.schedule=step", "train.schedule_factor=0.25",
                  "train.schedule_every=2"}),
           std::vector<double>{0.5, 0.5, 0.125, 0.125, 0.03125});
  CHECK_EQ(rates({"train.epochs=6", "train.warmup=4"}),
           std::vector<double>{0.125, 0.25, 0.375, 0.5, 0.5, 0.5});
  CHECK_EQ(rates({"train.epochs=4", "train.warmup=2", "train.schedule=exponential",
                  "train.schedule_factor=0.5"}),
           std::vector<double>{0.25, 0.25, 0.125, 0.0625});
  CHECK_EQ(rates({"train.epochs=3", "train.batch=all", "train.warmup=2"}),
           std::vector<double>{0.25, 0.5, 0.5});
}

TEST_CASE("a full batch has the gradient of all sequences") {
  const Run all(true, {"train.batch=all", "train.epochs=3"}),
      many(true, {"train.batch=32", "train.epochs=3"});
  REQUIRE_EQ(many.parts.train.size(), 32u);
  CHECK_EQ(sluice_hash(&all.trained.model.model), sluice_hash(&many.trained.model.model));
  CHECK(recipe_toml(all.recipe).find("batch = \"all\"\n") != std::string::npos);
  CHECK(made_json(all.recipe, 0).find("\"batch\":\"all\"") != std::string::npos);
  CHECK_EQ(parse_recipe(recipe_toml(all.recipe), "again.toml", {}).batch, all_at_once);
}

TEST_CASE("training validates after every n-th epoch, and after the last one") {
  const Run run(true, {"train.epochs=7", "train.validate_every=3"});
  std::vector<int> validated;
  for (const Epoch& epoch : run.trained.epochs)
    if (epoch.held_out) validated.push_back(epoch.number);
  CHECK_EQ(validated, std::vector<int>{3, 6, 7});
}

TEST_CASE(
    "training keeps the weights with the best monitored measure, and ends if it does not improve") {
  for (const std::string monitor : {"loss", "accuracy"})
    for (const double least : {0.0, 0.02}) {
      const Run run(true,
                    {"train.epochs=200", "train.learning_rate=0.05", "train.patience=6",
                     "train.monitor=" + monitor, "train.min_improvement=" + std::to_string(least)});
      CAPTURE(monitor);
      CAPTURE(least);
      const auto value = [&](const Epoch& e) {
        return monitor == "loss" ? e.held_out->loss : 1 - e.held_out->accuracy;
      };
      std::size_t best = 0, since = 0, at = 0;  // by the definition, from the log
      double improved = INFINITY;
      const std::vector<Epoch>& epochs = run.trained.epochs;
      for (; at < epochs.size(); ++at) {
        if (value(epochs[at]) < value(epochs[best])) best = at;
        since = value(epochs[at]) < improved - least ? 0 : since + 1;
        if (since == 0) improved = value(epochs[at]);
        if (since == 6) break;
      }
      REQUIRE_EQ(at + 1, epochs.size());
      CHECK(epochs.size() < 200);
      CHECK_EQ(run.trained.kept, int(best) + 1);
      const Evaluation kept = evaluate(run.trained.model.model, run.data, run.parts.held_out, 1);
      CHECK_EQ(kept.loss, epochs[best].held_out->loss);
      CHECK_EQ(kept.accuracy(), epochs[best].held_out->accuracy);
    }
}

TEST_CASE("the plateau schedule changes the rate of the training") {
  const Run run(true, {"train.epochs=60", "train.learning_rate=0.25", "train.schedule=plateau",
                       "train.plateau_patience=1", "train.schedule_factor=0.5"});
  std::vector<double> losses, got;
  for (const Epoch& epoch : run.trained.epochs)
    losses.push_back(epoch.held_out->loss), got.push_back(epoch.learning_rate);
  const std::vector<double> after = plateau_rates(1, 0.5, 0.25, losses);
  REQUIRE(after.back() < 0.25);
  CHECK_EQ(got[0], 0.25);
  // A validation acts on the epoch after it.
  for (std::size_t i = 1; i < got.size(); ++i) CHECK_EQ(got[i], after[i - 1]);
}

TEST_CASE("a log's line has the norm of each group of weights") {
  Network network;
  network.layers.push_back(make_layer(SLUICE_STANDARDIZE, 2, 2));
  network.layers.push_back(make_layer(SLUICE_GRU, 2, 1));
  network.layers.push_back(make_layer(SLUICE_DENSE, 1, 2));
  const auto fill = [&](int layer, const char* name, std::vector<float> values) {
    for (Array& array : network.layers[std::size_t(layer)].arrays)
      if (array.name == name) std::copy(values.begin(), values.end(), array.values.begin());
  };
  fill(0, "scale", {100, 100});
  fill(1, "weight_ih", {1, 2, 2, 4});
  fill(1, "weight_hh", {2, 3, 6});
  fill(1, "bias_ih", {4});
  fill(2, "bias", {0, 3});
  fill(2, "weight", {6, 8});
  Epoch epoch;
  measure_weights(network, epoch);
  const double expected[] = {5, 7, 5, 10, -1};  // input, recurrent, bias, output, embedding
  for (int g = 0; g < weight_group_count; ++g) CHECK_EQ(epoch.weight_norms[g], expected[g]);
  network.layers.push_back(make_layer(SLUICE_LAYER_NORM, 2, 2));
  fill(3, "weight", {0, 12});  // with the biases: 3-4-12-13
  Epoch normalized;
  measure_weights(network, normalized);
  CHECK_EQ(normalized.weight_norms[2], 13);
  CHECK_EQ(normalized.weight_norms[3], 10);
  epoch.number = 3, epoch.loss = 0.5, epoch.accuracy = 0.25, epoch.gradient_norm = 2,
  epoch.gradient_norm_clipped = 1;
  epoch.learning_rate = 0.125;
  CHECK_EQ(log_line(epoch, true),
           "{\"epoch\":3,\"loss\":0.5,\"accuracy\":0.25,\"gradient_norm\":2.0,\"gradient_norm_"
           "clipped\":1.0,"
           "\"learning_rate\":0.125,\"weight_norm\":{\"input\":5.0,\"recurrent\":7.0,\"bias\":5.0,"
           "\"output\":10.0}}\n");
}

TEST_CASE("the norm after clipping is never above the limit, although the norm before is") {
  const Run run(true, {"train.epochs=3", "train.clip_norm=0.01"});
  for (const Epoch& epoch : run.trained.epochs) {
    CHECK(epoch.gradient_norm > 0.01);
    CHECK(std::fabs(epoch.gradient_norm_clipped - 0.01) <= 1e-8);
  }
}

TEST_CASE(
    "a gradient that is not finite is reported by layer and array, with the recipe's number of the "
    "layer") {
  Network network = random_network(2, {standardize(), gru(5, every_step), gru(3), dense(2)});
  const OwnedModel start = open_model(write_blob(network), "test");
  std::size_t bytes = 0;
  sluice_section(&start.model, SLUICE_SECTION_WEIGHTS, &bytes);
  std::vector<float> gradient(bytes / sizeof(float), std::nanf(""));  // padding does not count
  for (Layer& layer : network.layers)
    for (Array& array : layer.arrays) std::fill(array.values.begin(), array.values.end(), 0.5f);
  pack_weights(weight_places(start.model), network, gradient.data());
  const auto layers = [](const char* text) {
    return parse_recipe(std::string("[data]\ntrain = \"-\"\n[model]\nlayers = [ ") + text +
                            ", { dense = 2, activation = \"softmax\" } ]\n",
                        "r.toml", {})
        .layers;
  };
  const std::vector<LayerSpec> three = layers("{ gru = 5 }, { gru = 3 }"),
                               twice = layers("{ gru = 5, repeat = 2 }");
  CHECK_EQ(
      gradient_fault(three, start, gradient.data()),
      "the largest gradient is that of layer 1 (gru), weight_hh: 4.33");  // 0.5 * sqrt(3 * 5 * 5)
  network.layers[3].arrays[1].values[1] = INFINITY;
  pack_weights(weight_places(start.model), network, gradient.data());
  CHECK_EQ(gradient_fault(three, start, gradient.data()),
           "the gradient of layer 3 (dense), bias is not finite");
  CHECK_EQ(gradient_fault(twice, start, gradient.data()),
           "the gradient of layer 2 (dense), bias is not finite");
  network.layers[2].arrays[3].values[2] = std::nanf("");
  pack_weights(weight_places(start.model), network, gradient.data());
  CHECK_EQ(gradient_fault(three, start, gradient.data()),
           "the gradient of layer 2 (gru), bias_hh is not finite");
  CHECK_EQ(gradient_fault(twice, start, gradient.data()),
           "the gradient of layer 1 (gru, 2 of 2), bias_hh is not finite");
}

TEST_CASE("a training that diverges stops at the batch, and keeps the best weights") {
  const std::vector<std::string> wild = {
      "train.optimizer=sgd",
      "train.learning_rate=1.5",
      "train.epochs=100",
      "train.warmup=50",
      "model.layers=[{gru=4,steps=\"last\"},{dense=8},{dense=1}]",
      "train.momentum=0.9"};
  const Run run(false, wild);
  CAPTURE(run.trained.diverged);
  REQUIRE(!run.trained.diverged.empty());
  CHECK(!run.trained.interrupted);
  const std::size_t done = run.trained.epochs.size();
  CHECK(run.trained.diverged.starts_with("epoch " + std::to_string(done + 1) + ", batch "));
  CHECK(run.trained.diverged.find("(the first epoch's ") != std::string::npos);
  CHECK(run.trained.diverged.find("the largest gradient is that of layer ") != std::string::npos);
  int best = 0;
  for (const Epoch& epoch : run.trained.epochs)
    if (!best || epoch.held_out->loss < run.trained.epochs[std::size_t(best - 1)].held_out->loss)
      best = epoch.number;
  REQUIRE(best > 0);
  CHECK_EQ(run.trained.kept, best);
  CHECK_EQ(evaluate(run.trained.model.model, run.data, run.parts.held_out, 1).loss,
           run.trained.epochs[std::size_t(best - 1)].held_out->loss);
}

TEST_CASE(
    "without validation, a training that diverges keeps the weights of the last complete epoch") {
  const std::vector<std::string> wild = {"train.optimizer=sgd", "train.learning_rate=1.5",
                                         "train.warmup=50", "data.validation=0",
                                         "train.momentum=0.9"};
  std::vector<std::string> longer = wild;
  longer.push_back("train.epochs=100");
  const Run run(false, longer);
  const std::size_t done = run.trained.epochs.size();
  REQUIRE(!run.trained.diverged.empty());
  REQUIRE(done > 0);
  CHECK_EQ(run.trained.kept, int(done));
  std::vector<std::string> shorter = wild;
  shorter.push_back("train.epochs=" + std::to_string(done));
  const Run whole(false, shorter);
  CHECK_EQ(whole.trained.diverged, "");
  CHECK_EQ(sluice_hash(&run.trained.model.model), sluice_hash(&whole.trained.model.model));
}

TEST_CASE(
    "a loss that is not a number stops the training at its batch, which is the one with the bad "
    "frame") {
  const Recipe recipe = recipe_of(
      true, {"train.batch=1", "train.epochs=3", "data.validation=0", "data.standardize=false"});
  DataSet data = sums(10, true);
  const Split parts{all_sequences(data), {}};
  const Network start = make_network(recipe, data, parts);
  const Trained whole = train(recipe, data, parts, start);
  CHECK_EQ(whole.diverged, "");
  std::set<std::string> batches;
  for (std::size_t s = 0; s < 10; ++s) {
    DataSet bad = data;
    bad.x[s * 6 + 3] = std::nanf("");
    const Trained trained = train(recipe, bad, parts, start);
    CHECK(trained.diverged.starts_with("epoch 1, batch "));
    CHECK(
        trained.diverged.ends_with(": the loss is nan, the gradient's norm nan; the gradient of "
                                   "layer 1 (gru), weight_ih is not finite"));
    batches.insert(trained.diverged.substr(0, trained.diverged.find(':')));
    CHECK_EQ(trained.kept, 0);
    const OwnedModel before = open_model(write_blob(start), "test");
    // The initial weights, since nothing was learned.
    CHECK_EQ(sluice_hash(&trained.model.model), sluice_hash(&before.model));
  }
  CHECK_EQ(batches.size(), 10u);  // each sequence is a batch of its own
  CHECK(batches.contains("epoch 1, batch 10"));
}

TEST_CASE("without a factor only a loss that is not finite stops the training") {
  const std::vector<std::string> wild = {
      "train.optimizer=sgd", "train.learning_rate=1.5",
      "train.epochs=1000",   "train.diverged=0",
      "train.momentum=0.95", "model.layers=[{gru=4,steps=\"last\"},{dense=8},{dense=1}]"};
  const Run run(false, wild);
  CAPTURE(run.trained.diverged);
  CHECK(run.trained.diverged.find("is not finite") != std::string::npos);
}

TEST_CASE("a checkpoint returns every bit that was stored in it") {
  const TrainState state = some_state(),
                   again = read_checkpoint(checkpoint_bytes(state, made), made, "c");
  CHECK(checkpoint_bytes(again, made) == checkpoint_bytes(state, made));
  REQUIRE_EQ(again.epochs.size(), 2u);
  CHECK_EQ(again.epochs[0].loss, 0.1 + 0.2);
  CHECK(!again.epochs[0].held_out);
  CHECK_EQ(again.epochs[1].held_out->loss, 1e-300);
  CHECK_EQ(again.sums.batches, 7u);
  CHECK_EQ(again.sums.learning_rate, 0.125);
  CHECK_EQ(again.best.model, std::string("bl\0ob", 5));
  CHECK_EQ(again.best.warnings, std::vector<std::string>{"one", ""});
  CHECK_EQ(again.patience.best, worst);
  CHECK_EQ(again.plateau.factor, 0.25);
  CHECK(again.trainer == state.trainer);
  CHECK(again.mask == state.mask);
  CHECK(again.epochs[1].zero_blocks == state.epochs[1].zero_blocks);
  CHECK(again.unit == state.unit);
  CHECK(again.outputs.peak == state.outputs.peak);
  CHECK(again.outputs.answer.low == state.outputs.answer.low);
  CHECK(again.outputs.answer.high == state.outputs.answer.high);
  REQUIRE_EQ(again.outputs.each.size(), state.outputs.each.size());
  for (size_t l = 0; l < again.outputs.each.size(); ++l) {
    CHECK(again.outputs.each[l].low == state.outputs.each[l].low);
    CHECK(again.outputs.each[l].high == state.outputs.each[l].high);
  }
}

TEST_CASE("a checkpoint that is damaged in any byte, cut or longer is refused") {
  const std::string good = checkpoint_bytes(some_state(), made);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = char(bad[i] ^ 0x10);
    CHECK(refusal(bad, made).find("train from the start") != std::string::npos);
  }
  for (std::size_t n = 0; n < good.size(); n += 7)
    CHECK_NE(refusal(good.substr(0, n), made), "accepted");
  CHECK_EQ(refusal(good + "x", made), "c: is damaged; train from the start");
  CHECK_EQ(refusal("", made), "c: is not a checkpoint; train from the start");
  CHECK_EQ(refusal(good, made), "accepted");
}

TEST_CASE(
    "a checkpoint of another recipe, of other data or of another version is refused as such") {
  const std::string good = checkpoint_bytes(some_state(), made);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string other = made;
    other.replace(other.find(from), from.size(), to);
    return refusal(good, other);
  };
  CHECK_EQ(with("\"batch\":8", "\"batch\":9"),
           "c: belongs to another recipe (train.batch differs); undo the change, or train from the "
           "start");
  CHECK(with("\"data_hash\":\"00\"", "\"data_hash\":\"01\"").find("data have changed") !=
        std::string::npos);
  CHECK(with("0.1.0", "0.2.0").find("another version") != std::string::npos);
}

TEST_CASE("if a line cannot be added, the log does not change") {
  const std::string path =
      (std::filesystem::temp_directory_path() / "sluice-test-append.txt").string();
  std::filesystem::remove(path);
  CHECK_THROWS_AS(append_file(path, "x"), Error);
  write_file(path, "a\n");
  append_file(path, "b\n");
  CHECK_EQ(read_file(path), "a\nb\n");
  CHECK_THROWS_AS(append_file("/dev/full", "x"), Error);
  std::filesystem::remove(path);
}
