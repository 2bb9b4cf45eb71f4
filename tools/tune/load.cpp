#include "load.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../common/json.h"
#include "../recipe/read.h"
#include "store.h"

namespace sluice::tools {
namespace {

State state_of(const std::string& name, const std::string& file) {
  for (int state = 0; state <= int(State::unfit); ++state)
    if (name == state_name(State(state))) return State(state);
  refuse("{}: \"{}\" is not a state of a trial; the study is damaged", file, name);
}

/// Returns the value of a word that store.cpp wrote.
template <class E>
E value_of(const std::string& text, const std::string& file) {
  if (const auto value = value_of_word<E>(text)) return *value;
  refuse("{}: \"{}\" is an unknown word; the study is damaged", file, text);
}

void check_schema(Database& db) {
  try {
    Statement s(db, "SELECT schema FROM study");
    if (!s.step()) refuse("{}: contains no study; it was never begun", db.file);
    const std::int64_t schema = s.whole(0);
    if (schema != study_schema)
      refuse("{}: is a study of schema {}, but this sluice uses schema {}; {}", db.file, schema,
             study_schema, schema < study_schema ? "begin a new study" : "update sluice");
  } catch (const Error& error) {
    if (std::string_view(error.what()).find("no such table") == std::string_view::npos) throw;
    refuse("{}: is a database, but not a study; give a file that \"sluice tune --study\" made",
           db.file);
  }
}

/// Returns a list of pairs, each of a name and a value of the given type.
std::vector<std::pair<std::string, Json>> pairs_in(const std::string& text, const char* column,
                                                   bool (Json::*kind)() const, const Database& db) {
  const Json list = parse_json(text);
  const auto sound = [&](const Json& pair) {
    return pair.is_array() && pair.size() == 2 && pair[0].is_string() && (pair[1].*kind)();
  };
  if (!list.is_array() || !std::all_of(list.begin(), list.end(), sound))
    refuse("{}: study.{} is not a list of names and values; the study is damaged", db.file, column);
  std::vector<std::pair<std::string, Json>> pairs;
  for (const Json& pair : list) pairs.emplace_back(pair[0], pair[1]);
  return pairs;
}

void read_head(Database& db, Study& study) {
  Statement s(db,
              "SELECT version, code_hash, recipe_file, recipe, overrides, data_folder, "
              "recipe_hash, data_hash, objective, most_epochs, "
              "core, type, limits FROM study");
  s.step();
  study.version = s.text(0), study.code_hash = s.text(1), study.recipe_file = s.text(2),
  study.recipe = s.text(3);
  for (const auto& [key, value] : pairs_in(s.text(4), "overrides", &Json::is_string, db))
    study.overrides.emplace_back(key, value.get<std::string>());
  study.data_folder = s.text(5), study.recipe_hash = s.text(6), study.data_hash = s.text(7);
  study.objective = value_of<Monitor>(s.text(8), db.file);
  study.most_epochs = s.whole(9), study.core = s.text(10),
  study.type = value_of<sluice_format>(s.text(11), db.file);
  for (const auto& [name, amount] : pairs_in(s.text(12), "limits", &Json::is_number_unsigned, db))
    study.limits.push_back({name, amount.get<std::uint64_t>()});
  std::vector<Override> overrides;
  for (const auto& [key, value] : study.overrides)
    overrides.push_back({key, value, fmt::format("--set {}={}", key, value)});
  const Recipe own = parse_recipe(study.recipe, study.recipe_file, overrides);
  study.space = parse_space(study.recipe, study.recipe_file, overrides);
  study.method = own.tune_method, study.halving = own.tune_halving, study.seed = own.tune_seed;
}

Trial* find(Study& study, std::int64_t number) {
  return number >= 0 && std::size_t(number) < study.trials.size()
             ? &study.trials[std::size_t(number)]
             : nullptr;
}

void read_trials(Database& db, Study& study) {
  Statement s(db,
              "SELECT number, state, origin, seed, bracket, until, flash, ram, instructions, "
              "reason, seconds FROM trials ORDER BY number");
  while (s.step()) {
    Trial trial;
    trial.number = std::uint64_t(s.whole(0));
    if (trial.number != study.trials.size())
      refuse("{}: trial {} is missing; the study is damaged", db.file, study.trials.size());
    trial.state = state_of(s.text(1), db.file), trial.origin = s.text(2), trial.seed = s.whole(3),
    trial.bracket = s.whole(4);
    trial.until = s.whole(5);
    if (!s.null(6))
      trial.cost = TrialCost{std::uint64_t(s.whole(6)), std::uint64_t(s.whole(7)),
                             std::uint64_t(s.whole(8))};
    trial.reason = s.text(9), trial.seconds = s.real(10);
    trial.point.assign(study.space.parameters.size(), std::numeric_limits<double>::quiet_NaN());
    study.trials.push_back(std::move(trial));
  }
}

void read_results(Database& db, Study& study, bool curves) {
  Statement values(db, "SELECT trial, position, number FROM trial_values");
  while (values.step()) {
    Trial* const t = find(study, values.whole(0));
    const auto position = std::size_t(values.whole(1));
    if (!t || position >= t->point.size()) continue;
    const Parameter& p = study.space.parameters[position];
    const double value = values.real(2);
    if (!(value >= p.low && value <= p.high) ||
        (p.kind != Parameter::real && value != std::floor(value)))
      refuse("{}: {} is {} in trial {}, outside of its search space; the study is damaged", db.file,
             p.name, value, t->number);
    t->point[position] = value;
  }
  Statement rungs(db, "SELECT trial, epochs, value, error FROM rungs ORDER BY trial, epochs");
  while (rungs.step())
    if (Trial* t = find(study, rungs.whole(0)))
      t->rungs.push_back({rungs.whole(1), {rungs.real(2), rungs.real(3)}});
  Statement folds(
      db,
      "SELECT trial, fold, seed, epochs, best_epoch, value FROM folds ORDER BY trial, fold, seed");
  while (folds.step())
    if (Trial* t = find(study, folds.whole(0)))
      t->folds.push_back({.fold = folds.whole(1),
                          .seed = folds.whole(2),
                          .epochs = folds.whole(3),
                          .best_epoch = folds.whole(4),
                          .value = folds.real(5),
                          .curve = {},
                          .epoch = {}});
  if (!curves) return;
  Statement points(
      db, "SELECT trial, fold, seed, epoch, value FROM curves ORDER BY trial, fold, seed, epoch");
  while (points.step()) {
    Trial* const t = find(study, points.whole(0));
    if (!t) continue;
    for (FoldResult& f : t->folds)
      if (f.fold == points.whole(1) && f.seed == points.whole(2))
        f.epoch.push_back(points.whole(3)), f.curve.push_back(points.real(4));
  }
}

void read_finals(Database& db, Study& study) {
  Statement s(db, "SELECT trial, seed, epochs, measures, model FROM finals ORDER BY trial, seed");
  while (s.step()) {
    const Json measures = parse_json(s.text(3));
    const auto is_measure = [](const Json& value) { return value.is_number() || value.is_null(); };
    if (!measures.is_object() || !std::all_of(measures.begin(), measures.end(), is_measure))
      refuse("{}: finals.measures of trial {} is not an object of numbers; the study is damaged",
             db.file, s.whole(0));
    study.finals.push_back(
        {std::uint64_t(s.whole(0)), s.whole(1), s.whole(2), s.text(3), s.text(4)});
  }
}

/// Refuses (exit code 2) trials in a state that no search produces.
void check_trials(const Study& study) {
  for (const Trial& trial : study.trials) {
    if ((trial.state == State::complete || trial.state == State::pruned) && trial.rungs.empty())
      refuse("{}: trial {} is {}, but has no rung; the study is damaged", study.file, trial.number,
             state_name(trial.state));
    for (const FoldResult& fold : trial.folds)
      if (fold.fold < 0 || fold.epochs < 0 || fold.best_epoch < 0 || fold.best_epoch > fold.epochs)
        refuse("{}: trial {}: a fold has {} epochs, but {} as the best one; the study is damaged",
               study.file, trial.number, fold.epochs, fold.best_epoch);
  }
}

}  // namespace

Study load_study(Database& db, bool curves) {
  check_schema(db);
  Study study;
  study.file = db.file;
  read_head(db, study);
  read_trials(db, study);
  read_results(db, study, curves);
  if (curves) read_finals(db, study);
  check_trials(study);
  return study;
}

Study read_study(const std::string& file) {
  Database db(file, Database::read);
  return load_study(db, true);
}

}  // namespace sluice::tools
