// The ten best trials, and the reasons of failures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

#include "../common/print.h"
#include "markup.h"
#include "study.h"

namespace sluice::tools {
namespace {

constexpr std::size_t most_best = 10, most_reasons = 10;

std::string best_ten(const Study& study) {
  std::vector<ScoredTrial> scored = complete_trials(study);
  if (scored.empty()) return missing("No trial is complete yet.");
  std::stable_sort(scored.begin(), scored.end(),
                   [](const ScoredTrial& a, const ScoredTrial& b) { return a.value < b.value; });
  std::vector<const Trial*> trials;
  for (std::size_t i = 0; i < std::min(scored.size(), most_best); ++i)
    trials.push_back(scored[i].trial);
  return trial_table(study, trials);
}

std::string reasons(const Study& study, State state) {
  std::map<std::string, std::vector<std::uint64_t>> by_reason;
  for (const Trial& trial : study.trials)
    if (trial.state == state) by_reason[trial.reason].push_back(trial.number);
  if (by_reason.empty()) return "";
  std::vector<std::pair<std::string, std::vector<std::uint64_t>>> sorted(by_reason.begin(),
                                                                         by_reason.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  std::vector<std::vector<std::string>> rows = {{"reason", "trials", "first"}};
  for (std::size_t i = 0; i < std::min(sorted.size(), most_reasons); ++i)
    rows.push_back({sorted[i].first, with_commas(sorted[i].second.size()),
                    std::to_string(sorted[i].second.front())});
  std::string html = html_table(rows);
  if (sorted.size() > most_reasons)
    html += paragraph(fmt::format("And {} more.", counted(sorted.size() - most_reasons, "reason")));
  return html;
}

}  // namespace

std::string trial_table(const Study& study, const std::vector<const Trial*>& trials) {
  const bool has_cost =
      std::any_of(trials.begin(), trials.end(), [](const Trial* t) { return t->cost.has_value(); });
  std::vector<std::vector<std::string>> rows = {{"trial", objective_of(study).name}};
  if (has_cost) rows[0].insert(rows[0].end(), {"flash", "RAM", "instructions"});
  for (std::size_t i = 0; i < study.space.parameters.size(); ++i)
    rows[0].push_back(short_name(study.space, i));
  rows[0].insert(rows[0].end(), {"best epoch", "from"});
  for (const Trial* const trial : trials) {
    const std::optional<Score> score = last_score(*trial);
    std::vector<std::string> row = {std::to_string(trial->number),
                                    score ? score_text(study, *score) : "\u2013"};
    for (const auto amount : {&TrialCost::flash, &TrialCost::ram, &TrialCost::instructions})
      if (has_cost) row.push_back(trial->cost ? with_commas((*trial->cost).*amount) : "\u2013");
    for (std::size_t i = 0; i < study.space.parameters.size(); ++i)
      row.push_back(brief_text(study.space.parameters[i], trial->point[i]));
    row.insert(row.end(), {trial->folds.empty() ? "\u2013" : std::to_string(trial->best_epoch()),
                           trial->origin});
    rows.push_back(row);
  }
  return html_table(rows);
}

std::string study_tables(const Study& study) {
  std::string html = section("The ten best", best_ten(study));
  if (const std::string failed = reasons(study, State::failed); !failed.empty())
    html += section("Failed trials", failed);
  return html;
}

}  // namespace sluice::tools
