#include "show.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "../common/error.h"
#include "../common/json.h"
#include "../common/print.h"
#include "../common/progress.h"
#include "../data/parse_number.h"
#include "../evaluate/mean.h"
#include "../evaluate/monitor.h"

namespace sluice::tools {
namespace {

std::vector<const Final*> finals_of(const Study& study, std::uint64_t trial) {
  std::vector<const Final*> list;
  for (const Final& final : study.finals)
    if (final.trial == trial) list.push_back(&final);
  return list;
}

/// Returns the measures over the seeds: "accuracy 98.32 ± 0.10 %, loss 0.0612 ± 0.002".
std::string measures_text(const std::vector<const Final*>& finals) {
  std::vector<std::string> names;
  std::string text;
  const OrderedJson first = parse_ordered_json(finals.front()->measures);
  for (const auto& [name, value] : first.items()) names.push_back(name);
  for (const std::string& name : names) {
    std::vector<double> values;
    for (const Final* final : finals) {
      const OrderedJson all = parse_ordered_json(final->measures);
      const auto value = all.find(name);  // null if it is not finite
      values.push_back(value != all.end() && value->is_number() ? value->get<double>() : NAN);
    }
    std::string words = name;
    std::replace(words.begin(), words.end(), '_', ' ');
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", words,
                        mean_text(mean_of(values), is_share(name)));
  }
  return text;
}

OrderedJson json_of(const Study& study, const Point& point) {
  OrderedJson values = OrderedJson::object();
  for (std::size_t i = 0; i < study.space.parameters.size(); ++i) {
    const Parameter& p = study.space.parameters[i];
    if (std::isnan(point[i])) continue;
    if (p.kind == Parameter::choice) {
      // TOML's texts, numbers and booleans are valid JSON; anything else stays a text.
      const std::string& text = p.choices[std::size_t(point[i])];
      const OrderedJson json = parse_ordered_json(text);
      values[p.name] = json.is_discarded() ? OrderedJson(text) : json;
    }
    if (p.kind == Parameter::whole) values[p.name] = std::int64_t(point[i]);
    if (p.kind == Parameter::real) values[p.name] = point[i];
  }
  return values;
}

OrderedJson number_or_null(double value) {
  return std::isfinite(value) ? OrderedJson(value) : OrderedJson();
}

OrderedJson json_of(const Final& final) {
  return {{"trial", final.trial},
          {"seed", final.seed},
          {"epochs", final.epochs},
          {"bytes", final.model.size()},
          {"test", parse_ordered_json(final.measures)}};
}

OrderedJson json_of(const Study& study, const Trial& trial) {
  OrderedJson json = {{"number", trial.number},
                      {"state", state_name(trial.state)},
                      {"origin", trial.origin},
                      {"seed", trial.seed}};
  json["parameters"] = json_of(study, trial.point);
  if (const std::optional<Score> score = trial.score()) {
    json["value"] = study.shown(score->value);
    json["standard_error"] = number_or_null(score->error);
    json["best_epoch"] = trial.best_epoch();
  }
  json["rungs"] = OrderedJson::array();
  for (const Rung& rung : trial.rungs)
    json["rungs"].push_back({{"epochs", rung.epochs},
                             {"value", study.shown(rung.score.value)},
                             {"standard_error", number_or_null(rung.score.error)}});
  json["folds"] = OrderedJson::array();
  for (const FoldResult& f : trial.folds)
    json["folds"].push_back({{"fold", f.fold + 1},
                             {"seed", f.seed},
                             {"epochs", f.epochs},
                             {"best_epoch", f.best_epoch},
                             {"value", study.shown(f.value)}});
  if (trial.cost)
    json["cost"] = {{"flash", trial.cost->flash},
                    {"ram", trial.cost->ram},
                    {"instructions", trial.cost->instructions}};
  if (!trial.reason.empty()) json["reason"] = trial.reason;
  json["seconds"] = trial.seconds;
  return json;
}

}  // namespace

std::string score_text(const Study& study, const Score& score) {
  return mean_text({study.shown(score.value), score.error}, is_share(study.objective));
}

std::string list_text(const Study& study) {
  std::vector<std::vector<std::string>> rows = {
      {"trial", "state", std::string(word(study.objective)), "epochs"}};
  if (!study.core.empty()) rows[0].insert(rows[0].end(), {"flash", "ram", "instructions"});
  rows[0].push_back("parameters");
  for (const Trial& trial : study.trials) {
    const std::string value = trial.rungs.empty() || trial.state == State::failed
                                  ? ""
                                  : score_text(study, trial.rungs.back().score);
    std::vector<std::string> row = {std::to_string(trial.number), state_name(trial.state), value,
                                    with_commas(std::uint64_t(trial.epochs()))};
    for (std::uint64_t TrialCost::* part :
         {&TrialCost::flash, &TrialCost::ram, &TrialCost::instructions})
      if (!study.core.empty()) row.push_back(trial.cost ? with_commas(*trial.cost.*part) : "");
    row.push_back(point_text(study.space, trial.point));
    rows.push_back(std::move(row));
  }
  return table(rows);
}

std::string trial_text(const Study& study, const Trial& trial) {
  std::string text =
      fmt::format("trial {}, {}, {}\n", trial.number, state_name(trial.state), trial.origin);
  if (!trial.reason.empty()) text += fmt::format("  {}\n", trial.reason);
  for (std::size_t i = 0; i < trial.point.size(); ++i)
    if (!std::isnan(trial.point[i]))
      text += fmt::format("  {} = {}\n", study.space.parameters[i].name,
                          value_text(study.space.parameters[i], trial.point[i]));
  for (const Rung& rung : trial.rungs)
    text += fmt::format("  after {} epochs: validation {} {}{}\n", rung.epochs,
                        word(study.objective), score_text(study, rung.score),
                        study.core.empty() ? "" : fmt::format(", as {}", word(study.type)));
  for (const FoldResult& f : trial.folds)
    text += fmt::format("    fold {}, seed {}: {}, best epoch {} of {}\n", f.fold + 1, f.seed,
                        score_text(study, {f.value, NAN}), f.best_epoch, f.epochs);
  if (trial.cost)
    text += fmt::format("  on {}, {}: flash {} bytes, ram {} bytes, {} instructions per step\n",
                        study.core, word(study.type), with_commas(trial.cost->flash),
                        with_commas(trial.cost->ram), with_commas(trial.cost->instructions));
  if (const std::vector<const Final*> finals = finals_of(study, trial.number); !finals.empty()) {
    text += fmt::format("  trained on all training data for {} epochs, {} seed{}",
                        finals.front()->epochs, finals.size(), finals.size() == 1 ? "" : "s");
    if (finals.front()->measures != "{}") text += ": test " + measures_text(finals);
    text += "\n";
  }
  return text;
}

std::string best_text(const Study& study) {
  const Trial* const best = study.best();
  if (!best) return "no trial is complete\n";
  std::string text = "best: " + trial_text(study, *best);
  const Trial* ahead = nullptr;  // a paused trial with a better value
  for (const Trial& t : study.trials)
    if (t.state == State::pruned &&
        t.rungs.back().score.value < best->score().value_or(no_score).value &&
        (!ahead || t.rungs.back().score.value < ahead->rungs.back().score.value))
      ahead = &t;
  if (ahead)
    text += fmt::format(
        "  trial {} was paused at epoch {} with {}, which is better; with more --trials it may "
        "continue\n",
        ahead->number, ahead->rungs.back().epochs, score_text(study, ahead->rungs.back().score));
  if (study.core.empty()) return text;
  std::vector<std::vector<std::string>> rows = {
      {"trial", std::string(word(study.objective)), "flash", "ram", "instructions", "parameters"}};
  for (const Trial* t : pareto_front(study)) {
    const TrialCost cost = t->cost.value_or(TrialCost{});
    rows.push_back({std::to_string(t->number), score_text(study, t->score().value_or(no_score)),
                    with_commas(cost.flash), with_commas(cost.ram), with_commas(cost.instructions),
                    point_text(study.space, t->point)});
  }
  text += fmt::format(
      "\nTrials that no other one beats in validation {}, flash, RAM and instructions at once ({}, "
      "{}):\n{}",
      word(study.objective), study.core, word(study.type), table(rows));
  return text;
}

std::string counts_text(const Study& study, std::int64_t wanted) {
  std::size_t of[6] = {};
  for (const Trial& trial : study.trials) ++of[std::size_t(trial.state)];
  const std::size_t done = of[std::size_t(State::complete)] + of[std::size_t(State::pruned)] +
                           of[std::size_t(State::failed)] + of[std::size_t(State::unfit)];
  std::string text = fmt::format("{}/{} trials", done, wanted);
  for (const State state : {State::running, State::pruned, State::failed, State::unfit})
    if (of[std::size_t(state)])
      text += fmt::format(", {} {}", of[std::size_t(state)], state_name(state));
  return text;
}

std::string study_json(const Study& study) {
  OrderedJson json = {
      {"objective", word(study.objective)}, {"higher_is_better", study.higher_is_better()},
      {"method", method_text(study)},       {"version", study.version},
      {"code_hash", study.code_hash},       {"recipe_hash", study.recipe_hash},
      {"data_hash", study.data_hash},       {"seed", study.seed}};
  if (!study.core.empty()) {
    json["device"] = {{"core", study.core}, {"type", word(study.type)}};
    for (const Limit& limit : study.limits) json["device"][limit.name] = limit.amount;
  }
  json["trials"] = OrderedJson::array();
  for (const Trial& trial : study.trials) json["trials"].push_back(json_of(study, trial));
  if (const Trial* best = study.best()) {
    json["best"] = best->number;
    json["front"] = OrderedJson::array();
    for (const Trial* t : pareto_front(study)) json["front"].push_back(t->number);
  }
  json["finals"] = OrderedJson::array();
  for (const Final& final : study.finals) json["finals"].push_back(json_of(final));
  return json_text(json, 2) + "\n";
}

std::string list_json(const Study& study) {
  OrderedJson json = OrderedJson::array();
  for (const Trial& trial : study.trials) json.push_back(json_of(study, trial));
  return json_text(json, 2) + "\n";
}

namespace {

OrderedJson json_with_finals(const Study& study, const Trial& trial) {
  OrderedJson json = json_of(study, trial);
  json["finals"] = OrderedJson::array();
  for (const Final* final : finals_of(study, trial.number))
    json["finals"].push_back(json_of(*final));
  return json;
}

}  // namespace

std::string trial_json(const Study& study, const Trial& trial) {
  return json_text(json_with_finals(study, trial), 2) + "\n";
}

std::string best_json(const Study& study) {
  const Trial* const best = study.best();
  if (!best) return "null\n";
  OrderedJson json = json_with_finals(study, *best);
  if (!study.core.empty()) {
    json["front"] = OrderedJson::array();
    for (const Trial* t : pareto_front(study)) json["front"].push_back(json_of(study, *t));
  }
  return json_text(json, 2) + "\n";
}

const Trial& trial_of(const Study& study, const std::string& number, std::string_view origin) {
  if (number == "best") {
    if (!study.best()) refuse("{} best: no trial of {} is complete", origin, study.file);
    return *study.best();
  }
  const std::optional<long long> wanted = parse_integer(number);
  if (!wanted || *wanted < 0)
    refuse("{} {}: is not the number of a trial; give one, or best", origin, number);
  if (std::size_t(*wanted) >= study.trials.size())
    refuse("{} {}: {} has {} trials, 0 to {}", origin, number, study.file, study.trials.size(),
           std::int64_t(study.trials.size()) - 1);
  return study.trials[std::size_t(*wanted)];
}

}  // namespace sluice::tools
