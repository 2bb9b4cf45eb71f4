// Tests the parts of a search, except its methods (ask.cpp): folds, the space in a recipe, halving,
// the front.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>

#include "common/error.h"
#include "common/safe_file.h"
#include "data/data.h"
#include "recipe/read.h"
#include "recipe/values.h"
#include "recipe/write.h"
#include "tune/database.h"
#include "tune/halving.h"
#include "tune/load.h"
#include "tune/plan.h"
#include "tune/show.h"
#include "tune/store.h"
#include "tune/study.h"

using namespace sluice::tools;

namespace {

/// Makes sequences of one frame, with classes, and groups of `group` sequences unless that is 0.
DataSet sequences(std::size_t count, std::size_t classes, std::size_t group = 0) {
  DataSet data;
  data.feature_names = {"x"};
  for (std::size_t c = 0; c < classes; ++c) data.labels.push_back(std::to_string(c));
  for (std::size_t s = 0; s < count; ++s) {
    data.first.push_back(s);
    data.x.push_back(float(s));
    data.target.push_back(std::int32_t(s * s % 7 % classes));
    data.names.push_back(std::to_string(s));
    if (group) data.group.push_back(std::to_string(s / group));
  }
  data.first.push_back(count);
  return data;
}

std::vector<std::size_t> per_class(const DataSet& data, const std::vector<std::size_t>& list) {
  std::vector<std::size_t> count(data.labels.size());
  for (const std::size_t s : list) ++count[std::size_t(data.target[s])];
  return count;
}

const char* const head = R"([data]
train = "a.csv"
target = "label"
validation = 0.2
[model]
layers = [ { cell = { value = "gru", choices = ["gru", "lstm"] }, units = { value = 8, low = 4, high = 16 }, steps = "every" },
  { rnn = { value = 3, low = 1, high = 9 }, use = { value = false, choices = [false, true] }, steps = "every" },
  { gru = 5 }, { dense = 3, activation = "softmax" } ]
[train]
epochs = 27
)";

std::string refusal(const std::string& text) {
  try {
    read_plan("r.toml", text, {}, "");
  } catch (const Error& error) {
    CHECK(error.exit_code == 2);
    return error.what();
  }
  return "";
}

Trial trial_with(std::uint64_t number, std::int64_t bracket,
                 const std::vector<std::pair<std::int64_t, double>>& rungs, State state) {
  Trial trial;
  trial.number = number, trial.bracket = bracket, trial.state = state;
  for (const auto& [epochs, value] : rungs) trial.rungs.push_back({epochs, {value, NAN}});
  return trial;
}

Recipe halved(Halving kind, std::int64_t epochs, std::int64_t eta, std::int64_t least) {
  Recipe recipe = default_recipe();
  recipe.tune_halving = kind, recipe.epochs = epochs, recipe.tune_eta = eta,
  recipe.tune_min_epochs = least;
  return recipe;
}

}  // namespace

TEST_CASE("k folds hold every sequence out once, spread classes evenly, and keep groups together") {
  for (const std::size_t group : {0u, 3u}) {
    const DataSet data = sequences(97, 3, group);
    const std::vector<std::size_t> all = per_class(data, all_sequences(data));
    for (const std::size_t k : {2u, 5u, 10u}) {
      std::vector<int> held(data.sequences());
      const std::vector<Split> folds = k_folds(data, k, 1, 0);
      REQUIRE(folds.size() == k);
      for (const Split& fold : folds) {
        CHECK(fold.train.size() + fold.held_out.size() == data.sequences());
        CHECK(std::is_sorted(fold.train.begin(), fold.train.end()));
        for (const std::size_t s : fold.held_out) ++held[s];
        const std::vector<std::size_t> count = per_class(data, fold.held_out);
        const double slack = group ? 3 : 1;  // groups of three allow no finer split
        for (std::size_t c = 0; c < count.size(); ++c)
          CHECK(std::fabs(double(count[c]) - double(all[c]) / double(k)) <= slack);
        std::set<std::string> out, in;
        for (const std::size_t s : fold.held_out)
          if (group) out.insert(data.group[s]);
        for (const std::size_t s : fold.train)
          if (group) in.insert(data.group[s]);
        for (const std::string& name : out) CHECK(!in.contains(name));
      }
      CHECK(std::all_of(held.begin(), held.end(), [](int n) { return n == 1; }));
    }
    CHECK(k_folds(data, 5, 1, 0)[0].held_out == k_folds(data, 5, 1, 0)[0].held_out);
    CHECK(k_folds(data, 5, 1, 0)[0].held_out != k_folds(data, 5, 1, 1)[0].held_out);
    CHECK(k_folds(data, 5, 1, 0)[0].held_out != k_folds(data, 5, 2, 0)[0].held_out);
  }
}

TEST_CASE("folds in time order train on what comes before") {
  const DataSet data = sequences(60, 3);
  const std::vector<Split> folds = time_folds(data, 5);
  REQUIRE(folds.size() == 5);
  for (std::size_t f = 0; f < 5; ++f) {
    CHECK(folds[f].train.size() == 10 * (f + 1));
    CHECK(folds[f].held_out.size() == 10);
    CHECK(folds[f].train.back() + 1 == folds[f].held_out.front());
  }
}

TEST_CASE(
    "a recipe with a search space is a recipe, and every value of it can be put in its place") {
  const std::string text = std::string(head) +
                           "learning_rate = { value = 1e-2, low = 1e-3, high = 1e-1, log = true }\n"
                           "optimizer = { value = \"adam\", choices = [\"adam\", \"sgd\"] }\n"
                           "momentum = { value = 0.0, low = 0.0, high = 0.9, step = 0.3, when = { "
                           "\"train.optimizer\" = \"sgd\" } }\n";
  const Recipe own = parse_recipe(text, "r.toml", {});
  CHECK(own.learning_rate == 1e-2);
  CHECK(own.layers.size() == 3);  // the second layer is not used
  CHECK(own.layers[0].units == 8);
  const StudyPlan plan = read_plan("r.toml", text, {}, "");
  const auto at = [&](const char* name) {
    const auto found = std::find_if(plan.space.parameters.begin(), plan.space.parameters.end(),
                                    [&](const Parameter& p) { return p.name == name; });
    REQUIRE(found != plan.space.parameters.end());
    return std::size_t(found - plan.space.parameters.begin());
  };
  const Parameter& momentum = plan.space.parameters[at("train.momentum")];
  CHECK(momentum.step == 0.3);
  REQUIRE(momentum.when.size() == 1);
  CHECK(momentum.when[0].parameter == at("train.optimizer"));
  CHECK(plan.space.parameters[at("train.learning_rate")].log);
  CHECK(plan.space.parameters[at("model.layers.1.units")].kind == Parameter::whole);
  CHECK(plan.space.parameters[at("model.layers.1.units")].place.starts_with("r.toml:6: "));
  // The second layer's size is in force if the layer is used.
  Point point = settled(plan.space, Point(plan.space.parameters.size(), NAN));
  CHECK(std::isnan(point[at("model.layers.2.rnn")]));
  CHECK(std::isnan(point[at("train.momentum")]));
  point = point_of(plan.space,
                   "model.layers.2.use=true,model.layers.2.rnn=7,model.layers.1.cell=lstm,train."
                   "optimizer=sgd,train.momentum=0.6",
                   "x");
  const Recipe recipe = recipe_of(plan, point);
  REQUIRE(recipe.layers.size() == 4);
  CHECK(recipe.layers[0].kind == SLUICE_LSTM);
  CHECK(recipe.layers[1].units == 7);
  CHECK(recipe.momentum == 0.6);
  CHECK(recipe.learning_rate == 1e-2);
  // A resolved recipe has no trace of the search, and reads as the same recipe.
  CHECK(parse_recipe(recipe_toml(recipe), "again.toml", {}).layers.size() == 4);
  // A value that an override fixes is not searched.
  const StudyPlan fixed = read_plan("r.toml", text, {{"train.learning_rate", "0.5", "--set"}}, "");
  CHECK(fixed.own.learning_rate == 0.5);
  CHECK(fixed.space.parameters.size() == plan.space.parameters.size() - 1);
  CHECK(recipe_hash(fixed) != recipe_hash(plan));
  CHECK(recipe_hash(read_plan("r.toml", text, {{"tune.trials", "7", "--trials"}}, "")) ==
        recipe_hash(plan));
}

TEST_CASE("a search space that contradicts itself is refused by line and key") {
  const std::string text = head;
  CHECK(refusal(text + "batch = { value = 4, low = 1, high = 8, step = 2 }\n") ==
        "r.toml:11: train.batch: value 4 is not on the steps from low: 1, 3, 5, ...; change the "
        "value or the step");
  CHECK(refusal(text + "batch = { value = 4, low = 1, high = 8, log = true, step = 2 }\n") == "");
  CHECK(refusal(text + "batch = { value = 5, low = 1, high = 8, log = true, step = 2 }\n") ==
        "r.toml:11: train.batch: value 5 is not on the steps from low: 1, 2, 4, ...; change the "
        "value or the step");
  CHECK(refusal(text + "batch = { value = 4, low = 1, high = 8, log = true, step = 9 }\n") ==
        "r.toml:11: train.batch: step: with log = true give a factor above 1 and at most 8, not 9");
  CHECK(refusal(text +
                "batch = { value = 4, low = 1, high = 8, when = { \"train.batch\" = 4 } }\n") ==
        "r.toml:11: train.batch: when: the condition depends on itself; remove the cycle");
  CHECK(refusal(text + "l2 = { value = 0.0, low = 0.0, high = 1e-2 }\nelastic = { value = 0.0, low "
                       "= 0.0, high = 1.0 }\n") == "");
  CHECK(refusal(text + "elastic = { value = 0.5, low = 0.0, high = 1.0 }\nl2 = { value = 0.0, low "
                       "= 0.0, high = 1e-2 }\n") ==
        "r.toml:12: train.l2: 0.01 gives an invalid recipe: r.toml:11: train.elastic: stands in "
        "place of "
        "train.l1 and train.l2; give it or them");
  CHECK(refusal(text + "batch = { value = 4, choices = [4, 8], low = 1 }\n") ==
        "r.toml:11: train.batch: both choices and low; give one of the two");
  CHECK(refusal(text + "batch = { value = 4, low = 1, high = \"8\" }\n") ==
        "r.toml:11: train.batch: high: \"8\" is not a number");
  CHECK(refusal(text + "batch = { value = 4, low = 1.0, high = 8.0 }\n")
            .starts_with("r.toml:11: train.batch: "));
}

TEST_CASE("rungs and brackets agree with Hyperband's") {
  using Epochs = std::vector<std::int64_t>;
  CHECK(rung_epochs(halved(Halving::none, 81, 3, 1)) == Epochs{81});
  CHECK(rung_epochs(halved(Halving::halving, 81, 3, 1)) == Epochs{1, 3, 9, 27, 81});
  CHECK(rung_epochs(halved(Halving::halving, 100, 3, 2)) == Epochs{2, 6, 18, 54, 100});
  // Li et al. 2018, table 1: with R = 81 and eta = 3, 81, 34, 15, 8 and 5 configurations begin at
  // 1, 3, 9, 27 and 81.
  const Recipe recipe = halved(Halving::hyperband, 81, 3, 1);
  std::map<std::int64_t, int> begun;
  for (std::uint64_t n = 0; n < 143; ++n) ++begun[first_rung(recipe, n)];
  CHECK(begun == std::map<std::int64_t, int>{{1, 81}, {3, 34}, {9, 15}, {27, 8}, {81, 5}});
  CHECK(first_rung(halved(Halving::halving, 81, 3, 1), 5) == 1);
  CHECK(first_rung(halved(Halving::none, 81, 3, 1), 5) == 0);
}

TEST_CASE("the best of eta trials at a rung is promoted once, from the highest rung first") {
  const Recipe recipe = halved(Halving::halving, 9, 3, 1);
  Study study;
  for (std::uint64_t n = 0; n < 2; ++n)
    study.trials.push_back(trial_with(n, 1, {{1, double(n)}}, State::pruned));
  CHECK(!promotion(study, recipe));  // a third of two trials is none
  study.trials.push_back(trial_with(2, 1, {{1, -1.0}}, State::pruned));
  REQUIRE(promotion(study, recipe));
  CHECK(promotion(study, recipe)->trial == 2);
  CHECK(promotion(study, recipe)->until == 3);
  study.trials[2].state = State::running;  // it was promoted
  CHECK(!promotion(study, recipe));
  study.trials[2] = trial_with(2, 1, {{1, -1.0}, {3, 4.0}}, State::pruned);
  CHECK(!promotion(study, recipe));
  for (std::uint64_t n = 3; n < 9; ++n)
    study.trials.push_back(trial_with(n, 1, {{1, double(n)}}, State::pruned));
  CHECK(promotion(study, recipe)->trial == 0);  // a third of nine trials is three
  study.trials[0] = trial_with(0, 1, {{1, 0.0}, {3, 3.0}}, State::pruned);
  study.trials[1] = trial_with(1, 1, {{1, 1.0}, {3, 5.0}}, State::pruned);
  CHECK(promotion(study, recipe)->trial == 0);  // promoted from the second rung to the last
  CHECK(promotion(study, recipe)->until == 9);
  study.trials[0].state = State::failed;
  CHECK(!promotion(study, recipe));
  REQUIRE(last_promotion(study, recipe));
  CHECK(last_promotion(study, recipe)->trial == 2);
}

TEST_CASE("a method learns from the highest rung that enough trials reached") {
  const Recipe recipe = halved(Halving::halving, 9, 3, 1);
  Study study;
  study.space.parameters.resize(1);  // with one parameter, three trials are enough
  for (std::uint64_t n = 0; n < 9; ++n)
    study.trials.push_back(trial_with(n, 1, {{1, double(n)}}, State::pruned));
  study.trials[1] = trial_with(1, 1, {{1, 1.0}, {3, 10.0}}, State::pruned);
  study.trials[2] = trial_with(2, 1, {{1, 2.0}, {3, 20.0}}, State::pruned);
  CHECK(*history(study, recipe)[2].value == 2);
  study.trials[3] = trial_with(3, 1, {{1, 3.0}, {3, 30.0}}, State::running);
  study.trials[4] = trial_with(4, 1, {}, State::running);
  study.trials[5] = trial_with(5, 1, {}, State::failed);
  const std::vector<PastTrial> seen = history(study, recipe);
  CHECK(*seen[3].value == 30);
  CHECK(!seen[0].value);
  CHECK(!seen[0].running);
  CHECK(seen[4].running);
  CHECK(seen[5].failed);
}

TEST_CASE("the front holds the trials that no other trial beats in everything") {
  Study study;
  study.core = "cortex-m4";
  std::vector<std::array<double, 4>> all;
  for (std::uint64_t n = 0; n < 60; ++n) {
    Trial trial =
        trial_with(n, 0, {{9, double(n * 37 % 11)}}, n % 7 == 3 ? State::failed : State::complete);
    trial.cost = TrialCost{n * 29 % 13, n * 17 % 5, n * 41 % 17};
    all.push_back({trial.rungs[0].score.value, double(trial.cost->flash), double(trial.cost->ram),
                   double(trial.cost->instructions)});
    study.trials.push_back(trial);
  }
  std::set<std::uint64_t> front;
  for (const Trial* trial : pareto_front(study)) front.insert(trial->number);
  for (std::uint64_t n = 0; n < 60; ++n) {
    bool beaten = n % 7 == 3;
    for (std::uint64_t m = 0; m < 60 && !beaten; ++m) {
      if (m % 7 == 3 || m == n) continue;
      bool no_worse = true, better = false;
      for (int i = 0; i < 4; ++i)
        no_worse = no_worse && all[m][i] <= all[n][i], better = better || all[m][i] < all[n][i];
      beaten = no_worse && (better || m < n);
    }
    CHECK_MESSAGE(front.contains(n) == !beaten, n);
  }
  // The smallest of equally good trials is the best, so the best is on the front.
  const double least = (*std::min_element(study.trials.begin(), study.trials.end(),
                                          [](const Trial& a, const Trial& b) {
                                            return (a.score() ? a.score()->value : 1e9) <
                                                   (b.score() ? b.score()->value : 1e9);
                                          }))
                           .score()
                           ->value;
  for (const Trial& trial : study.trials)
    if (trial.score() && trial.score()->value == least)
      CHECK(trial.cost->flash >= study.best()->cost->flash);
  CHECK(study.best()->score()->value == least);
  study.trials[5].folds = {{0, 1, 9, 7, 0, {}, {}},
                           {1, 1, 9, 3, 0, {}, {}},
                           {2, 1, 9, 9, 0, {}, {}},
                           {3, 1, 9, 4, 0, {}, {}}};
  CHECK(study.trials[5].best_epoch() == 4);
  CHECK(study.trials[5].epochs() == 36);
}

TEST_CASE("a study whose columns hold values of the wrong kind is refused by its file's name") {
  const std::string file =
                        (std::filesystem::temp_directory_path() / "sluice-test-forged.db").string(),
                    good = file + ".good";
  for (const char* end : {"", "-wal", "-shm"}) remove_file(file + end), remove_file(good + end);
  Study study;
  study.file = good, study.recipe_file = "r.toml", study.recipe = head, study.most_epochs = 27;
  study.objective = Monitor::loss, study.type = SLUICE_F32;
  study.overrides = {{"train.seed", "3"}}, study.limits = {{"flash", 100}};
  study.space = parse_space(head, "r.toml", {});
  begin_study(good, study);
  {
    Database db(good, Database::write);
    Trial trial = trial_with(0, 0, {}, State::waiting);
    trial.point = settled(study.space, Point(study.space.parameters.size(), NAN));
    add_trial(db, study.space, trial);
    db.run(
        "UPDATE trials SET state = 'complete'; INSERT INTO rungs VALUES (0, 27, 0.5, NULL); INSERT "
        "INTO folds VALUES (0, 0, 1, "
        "27, 20, 0.5, NULL);"
        "INSERT INTO finals VALUES (0, 1, 20, '{\"loss\": 0.5, \"accuracy\": null}', x'00'); "
        "PRAGMA journal_mode = DELETE");
  }
  CHECK(best_text(read_study(good)).find("loss 0.5") != std::string::npos);
  CHECK(study_json(read_study(good)).find("\"loss\": 0.5") != std::string::npos);
  const std::string deep = std::string(100000, '[');
  const std::string changes[] = {"study SET overrides = 7",
                                 "study SET overrides = '{}'",
                                 "study SET overrides = '[[1, 2]]'",
                                 "study SET overrides = '[\"a\"]'",
                                 "study SET overrides = '" + deep + "'",
                                 "study SET limits = '[[\"flash\", -1]]'",
                                 "study SET limits = '[[\"flash\", 1e300]]'",
                                 "study SET most_epochs = 'many'",
                                 "study SET schema = 'one'",
                                 "study SET recipe = '" + deep + "'",
                                 "study SET recipe = x'ff'",
                                 "study SET objective = 'joy'",
                                 "study SET type = 7",
                                 "trials SET state = 'done'",
                                 "trials SET state = 7.5",
                                 "trials SET seed = 'x'",
                                 "trials SET seconds = 'long'",
                                 "trials SET number = 5",
                                 "trials SET flash = 1",
                                 "trial_values SET number = 'a'",
                                 "trial_values SET number = 1e300",
                                 "rungs SET trial = 9",
                                 "rungs SET value = 'low'",
                                 "rungs SET epochs = 0.5",
                                 "folds SET epochs = -1",
                                 "folds SET best_epoch = 28",
                                 "folds SET value = x'00'",
                                 "finals SET measures = '3'",
                                 "finals SET measures = '{\"loss\": \"low\"}'",
                                 "finals SET measures = '{\"loss\": [1]}'",
                                 "finals SET measures = '" + deep + "'",
                                 "finals SET epochs = 'few'"};
  for (const std::string& change : changes) {
    CAPTURE(change.substr(0, 60));
    std::filesystem::copy_file(good, file, std::filesystem::copy_options::overwrite_existing);
    {
      Database db(file, Database::write);
      db.run(("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; UPDATE " + change)
                 .c_str());
    }
    for (const char* end : {"-wal", "-shm"}) remove_file(file + end);
    try {
      read_study(file);
      CHECK_MESSAGE(false, "accepted");
    } catch (const Error& error) {
      CAPTURE(error.what());
      CHECK_EQ(error.exit_code, 2);
      const std::string what = error.what();
      CHECK((what.starts_with(file + ": ") || what.starts_with("r.toml:")));
      CHECK(what.size() < 300);
      CHECK(what.find("json") == std::string::npos);
    }
  }
  remove_file(file), remove_file(good);
}
