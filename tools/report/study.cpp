// Shared parts of a study's page, and the page as a whole.
#include "study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>

#include "../evaluate/monitor.h"
#include "draw.h"
#include "markup.h"

namespace sluice::tools {
namespace {

/// Returns "learning_rate" for "train.learning_rate".
std::string without_table(const std::string& name) {
  const std::size_t dot = name.find('.');
  return dot == name.npos ? name : name.substr(dot + 1);
}

/// Returns the trials that reached a rung, with their values there.
std::vector<ScoredTrial> at_rung(const Study& study, std::int64_t epochs) {
  std::vector<ScoredTrial> trials;
  for (const Trial& trial : study.trials)
    for (const Rung& rung : trial.rungs)
      if (rung.epochs == epochs && trial.state != State::failed && is_number(rung.score.value))
        trials.push_back({&trial, rung.score.value});
  return trials;
}

}  // namespace

Objective objective_of(const Study& study) {
  Objective objective{std::string(word(study.objective)), study.higher_is_better()};
  std::replace(objective.name.begin(), objective.name.end(), '_', ' ');
  return objective;
}

Axis Objective::axis() const {
  if (share)
    return {.label = "validation " + name + " (%)",
            .most = 100,
            .wide = std::numeric_limits<double>::infinity()};  // never logarithmic
  // most values of a search are close to the best
  return {.label = "validation " + name, .wide = 5};
}

double drawn(const Study& study, double value) {
  const double shown = study.shown(value) * (objective_of(study).share ? 100 : 1);
  return is_number(shown) ? shown : std::nan("");
}

double drawn_error(const Study& study, const Score& score) {
  return score.error * (objective_of(study).share ? 100 : 1);
}

std::optional<Score> last_score(const Trial& trial) {
  std::optional<Score> score;
  if (!trial.rungs.empty()) score = trial.rungs.back().score;
  if (trial.state == State::complete) score = trial.score();
  if (score && !is_number(score->value)) score.reset();
  if (score && !is_number(score->error)) score->error = std::nan("");
  return score;
}

const Trial* best_of(const Study& study) {
  const Trial* const best = study.best();
  return best && last_score(*best) ? best : nullptr;
}

std::vector<ScoredTrial> complete_trials(const Study& study) {
  std::vector<ScoredTrial> trials;
  for (const Trial& trial : study.trials)
    if (const std::optional<Score> score = last_score(trial);
        score && trial.state == State::complete)
      trials.push_back({&trial, score->value});
  return trials;
}

Comparable comparable_trials(const Study& study) {
  std::set<std::int64_t, std::greater<>> rungs;
  for (const Trial& trial : study.trials)
    for (const Rung& rung : trial.rungs) rungs.insert(rung.epochs);
  const std::size_t wanted = std::max(least_comparable, 4 * study.space.parameters.size());
  for (const std::size_t enough : {wanted, least_comparable}) {
    Comparable result{complete_trials(study)};
    if (result.trials.size() >= enough) return result;
    for (const std::int64_t epochs : rungs) {
      result = {at_rung(study, epochs), epochs};
      if (result.trials.size() >= enough) return result;
    }
  }
  return {};
}

Axis objective_axis(const Study& study) {
  Extent values;
  for (const Trial& trial : study.trials)
    if (const std::optional<Score> score = last_score(trial);
        score && (trial.state == State::complete || trial.state == State::pruned))
      values.take(drawn(study, score->value));
  return over(objective_of(study).axis(), values);
}

Axis complete_axis(const Study& study) {
  Extent values;
  for (const ScoredTrial& scored : complete_trials(study)) values.take(drawn(study, scored.value));
  return over(objective_of(study).axis(), values);
}

std::string short_name(const Space& space, std::size_t parameter) {
  const std::string name = without_table(space.parameters[parameter].name);
  const bool once =
      std::count_if(space.parameters.begin(), space.parameters.end(),
                    [&](const Parameter& other) { return without_table(other.name) == name; }) == 1;
  return once ? name : space.parameters[parameter].name;
}

Axis parameter_axis(const Space& space, std::size_t parameter) {
  const Parameter& p = space.parameters[parameter];
  Axis axis{.label = shortened(short_name(space, parameter), 40),
            .whole = p.kind == Parameter::whole,
            .low = p.low,
            .high = p.high,
            .logarithmic = p.log};
  constexpr std::uint64_t few = 8;
  if (const std::uint64_t values = values_of(p); values <= few)
    for (std::uint64_t i = 0; i < values; ++i) axis.ticks.push_back(value_at(p, i));
  axis.names = p.choices;
  // Returns whether a choice is a string; if all are, their quotes are left out.
  const auto quoted = [](const std::string& c) {
    return c.size() > 2 && c.front() == '"' && c.back() == '"';
  };
  if (std::all_of(axis.names.begin(), axis.names.end(), quoted))
    for (std::string& name : axis.names) name = name.substr(1, name.size() - 2);
  return axis;
}

std::string brief_text(const Parameter& parameter, double value) {
  if (std::isnan(value)) return "\u2013";
  return parameter.kind == Parameter::real ? figure_text(value) : value_text(parameter, value);
}

std::vector<Points> points_of(const Study& study, const std::function<double(const Trial&)>& x_of) {
  std::vector<Points> kinds = {
      {.name = "pruned, at its last rung", .shape = Points::ring, .color = 7},
      {.name = "failed", .shape = Points::cross, .color = 4, .valueless = true},
      {.name = "complete"},
      {.name = "the best", .shape = Points::winner, .color = 2}};
  const Trial* const best = best_of(study);
  for (const Trial& trial : study.trials) {
    const std::optional<Score> score = last_score(trial);
    const auto add = [&](Points& points) {
      points.x.push_back(x_of(trial));
      points.y.push_back(score ? drawn(study, score->value) : std::nan(""));
    };
    if (trial.state == State::pruned) add(kinds[0]);
    if (trial.state == State::failed) add(kinds[1]);
    if (trial.state == State::complete) add(kinds[2]);
    if (&trial == best) add(kinds[3]);
  }
  return kinds;
}

std::string study_page(const Study& study) {
  const std::string title = std::filesystem::path(study.file).filename().string();
  return html_page(title, study_summary(study) + study_progress(study) + study_importance(study) +
                              study_slices(study) + study_budget(study) + study_tables(study));
}

}  // namespace sluice::tools
