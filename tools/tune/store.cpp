#include "store.h"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "../common/error.h"
#include "../common/json.h"
#include "schema_sql.h"

namespace sluice::tools {
namespace {

// A worker without a heartbeat for this time counts as dead.
constexpr double lease_seconds = 60;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

/// Returns the start time of a process of this machine in the kernel's ticks; empty if there is
/// none.
std::string start_of(const std::string& process) {
  std::ifstream file("/proc/" + process + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::size_t name_end = text.rfind(')');  // the name may contain blanks
  if (name_end == text.npos) return "";
  std::istringstream rest(text.substr(name_end + 1));
  rest.exceptions(std::ios::badbit);  // without this, a lack of memory would only shorten the text
  std::string word;
  constexpr int state_field = 3, start_field = 22;
  for (int field = state_field; field <= start_field && rest >> word; ++field)
    if (field == state_field && word == "Z") return "";
  return word;
}

/// Returns whether a worker of this machine has ended. Of another machine's worker nothing is
/// known.
bool has_ended(const std::string& worker) {
  std::istringstream words(worker);
  words.exceptions(std::ios::badbit);  // without this, a lack of memory would only shorten the text
  std::string host, process, start;
  words >> host >> process >> start;
  return host == host_name() && start_of(process) != start;
}

bool holds(Database& db, std::uint64_t number, const std::string& worker) {
  Statement s(db, "SELECT 1 FROM trials WHERE number = ? AND state = 'running' AND worker = ?");
  s.with(number, worker);
  return s.step();
}

void write_head(Database& db, const Study& study) {
  Json overrides = Json::array(), limits = Json::array();
  for (const auto& [key, value] : study.overrides) overrides.push_back({key, value});
  for (const Limit& limit : study.limits) limits.push_back({limit.name, limit.amount});
  Statement(db, "INSERT INTO study VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .with(study_schema, study.version, study.code_hash, study.recipe_file, study.recipe,
            json_text(overrides), study.data_folder, study.recipe_hash, study.data_hash,
            std::string(word(study.objective)), std::int64_t(study.higher_is_better()),
            study.most_epochs, study.core, std::string(word(study.type)), json_text(limits))
      .done();
}

void write_space(Database& db, const Space& space) {
  Statement s(db, "INSERT INTO parameters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  constexpr const char* kinds[] = {"choice", "whole", "real"};
  for (std::size_t i = 0; i < space.parameters.size(); ++i) {
    const Parameter& p = space.parameters[i];
    Json conditions = Json::array();
    for (const Condition& c : p.when) {
      Json values = Json::array();
      for (const double v : c.values)
        values.push_back(value_text(space.parameters[c.parameter], v));
      conditions.push_back({space.parameters[c.parameter].name, values});
    }
    const bool choice = p.kind == Parameter::choice;
    s.with(std::int64_t(i), p.name, kinds[p.kind], p.low, p.high, p.step > 0 ? p.step : NAN,
           std::int64_t(p.log), json_text(Json(p.choices)), json_text(conditions));
    if (!choice) s.bind_null(8);
    if (choice) s.bind_null(4).bind_null(5);
    s.done();
  }
}

void write_point(Database& db, const Space& space, std::uint64_t number, const Point& point) {
  Statement value(db, "INSERT INTO trial_values VALUES (?, ?, ?, ?)");
  for (std::size_t i = 0; i < space.parameters.size(); ++i)
    if (!std::isnan(point[i]))
      value.with(number, i, point[i], value_text(space.parameters[i], point[i])).done();
}

}  // namespace

bool is_begun(const std::string& file) {
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown)) return false;
  Database db(file, Database::read);
  Statement any(db, "SELECT 1 FROM sqlite_schema");
  return any.step();
}

void begin_study(const std::string& file, const Study& study) {
  Database db(file, Database::make);
  db.run("PRAGMA journal_mode = WAL");
  Transaction transaction(db);
  Statement any(db, "SELECT 1 FROM sqlite_schema WHERE name = 'study'");
  if (any.step()) return;  // another process began the study first
  db.run(schema_sql);
  write_head(db, study);
  write_space(db, study.space);
  transaction.commit();
}

void replace_space(Database& db, const Study& now, const std::vector<Point>& points) {
  Json overrides = Json::array();
  for (const auto& [key, value] : now.overrides) overrides.push_back({key, value});
  Statement(db,
            "UPDATE study SET recipe_file = ?, recipe = ?, overrides = ?, data_folder = ?, "
            "recipe_hash = ?")
      .with(now.recipe_file, now.recipe, json_text(overrides), now.data_folder, now.recipe_hash)
      .done();
  db.run("DELETE FROM trial_values; DELETE FROM parameters;");
  write_space(db, now.space);
  for (std::size_t i = 0; i < points.size(); ++i) write_point(db, now.space, i, points[i]);
}

void add_trial(Database& db, const Space& space, const Trial& trial) {
  const auto part = [&](std::uint64_t TrialCost::* field) {
    return trial.cost ? std::int64_t(*trial.cost.*field) : 0;
  };
  Statement s(db, "INSERT INTO trials VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0)");
  s.with(trial.number, std::string_view(state_name(trial.state)), trial.origin, trial.seed,
         trial.bracket, trial.until, part(&TrialCost::flash), part(&TrialCost::ram),
         part(&TrialCost::instructions), trial.reason);
  if (!trial.cost) s.bind_null(7).bind_null(8).bind_null(9);
  s.done();
  write_point(db, space, trial.number, trial.point);
}

void hold_trial(Database& db, std::uint64_t number, std::int64_t until, const std::string& worker) {
  Statement(
      db,
      "UPDATE trials SET state = 'running', until = ?, worker = ?, heartbeat = ? WHERE number = ?")
      .with(until, worker, now(), number)
      .done();
}

bool store_heartbeat(Database& db, std::uint64_t number, const std::string& worker) {
  Transaction transaction(db);
  const bool own = holds(db, number, worker);
  if (own)
    Statement(db, "UPDATE trials SET heartbeat = ? WHERE number = ?").with(now(), number).done();
  transaction.commit();
  return own;
}

std::vector<std::uint64_t> abandoned(Database& db) {
  std::vector<std::uint64_t> numbers;
  Statement s(
      db, "SELECT number, worker, heartbeat FROM trials WHERE state = 'running' ORDER BY number");
  while (s.step())
    if (now() - s.real(2) > lease_seconds || has_ended(s.text(1)))
      numbers.push_back(std::uint64_t(s.whole(0)));
  return numbers;
}

std::vector<Fold> load_folds(Database& db, std::uint64_t number) {
  std::vector<Fold> folds;
  Statement s(db,
              "SELECT fold, seed, epochs, best_epoch, value, checkpoint FROM folds WHERE trial = ? "
              "ORDER BY fold, seed");
  s.with(number);
  while (s.step()) {
    FoldResult result;
    result.fold = s.whole(0), result.seed = s.whole(1), result.epochs = s.whole(2),
    result.best_epoch = s.whole(3), result.value = s.real(4);
    folds.push_back({result, s.text(5)});
  }
  return folds;
}

void store_outcome(Database& db, const Trial& trial, const std::vector<Fold>& folds,
                   const std::string& worker) {
  Transaction transaction(db);
  if (!holds(db, trial.number, worker)) return;
  Statement(db,
            "UPDATE trials SET state = ?, reason = ?, seconds = seconds + ?, worker = '' WHERE "
            "number = ?")
      .with(std::string_view(state_name(trial.state)), trial.reason, trial.seconds, trial.number)
      .done();
  if (!trial.rungs.empty()) {
    const Rung& rung = trial.rungs.back();
    Statement(db, "INSERT OR REPLACE INTO rungs VALUES (?, ?, ?, ?)")
        .with(trial.number, rung.epochs, rung.score.value, rung.score.error)
        .done();
  }
  Statement write(db, "INSERT OR REPLACE INTO folds VALUES (?, ?, ?, ?, ?, ?, ?)");
  Statement point(db, "INSERT OR REPLACE INTO curves VALUES (?, ?, ?, ?, ?)");
  for (const Fold& fold : folds) {
    const FoldResult& r = fold.result;
    write.with(trial.number, r.fold, r.seed, r.epochs, r.best_epoch, r.value);
    if (fold.checkpoint.empty())
      write.bind_null(7);
    else
      write.bind_blob(7, fold.checkpoint);
    write.done();
    for (std::size_t i = 0; i < r.curve.size(); ++i)
      if (std::isfinite(r.curve[i]))
        point.with(trial.number, r.fold, r.seed, r.epoch[i], r.curve[i]).done();
  }
  transaction.commit();
}

void release_trial(Database& db, std::uint64_t number, const std::string& worker) {
  Transaction transaction(db);
  if (holds(db, number, worker))
    Statement(db, "UPDATE trials SET state = 'waiting', worker = '' WHERE number = ?")
        .with(number)
        .done();
  transaction.commit();
}

void store_final(Database& db, const Final& final) {
  Statement s(db, "INSERT OR REPLACE INTO finals VALUES (?, ?, ?, ?, ?)");
  s.with(final.trial, final.seed, final.epochs, final.measures).bind_blob(5, final.model).done();
}

std::string this_worker() {
  const std::string process = std::to_string(getpid());
  return fmt::format("{} {} {}", host_name(), process, start_of(process));
}

}  // namespace sluice::tools
