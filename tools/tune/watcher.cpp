#include "watcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "../common/error.h"
#include "../common/print.h"
#include "show.h"

namespace sluice::tools {
namespace {

bool has_ended(const Trial& trial) {
  return trial.state != State::waiting && trial.state != State::running;
}

std::string line_of(const Study& study, const Trial& trial) {
  const bool valued = !trial.rungs.empty() && trial.state != State::failed;
  const std::string value = valued ? fmt::format("{} {}", word(study.objective),
                                                 score_text(study, trial.rungs.back().score))
                                   : trial.reason;
  const std::string epochs =
      trial.state == State::pruned ? fmt::format(" at epoch {}", trial.rungs.back().epochs) : "";
  return printable(fmt::format("trial {}: {}{}: {}; {}", trial.number, state_name(trial.state),
                               epochs, value, point_text(study.space, trial.point)));
}

}  // namespace

void Watcher::look(const Study& study) {
  std::uint64_t done = 0;
  for (const Trial& trial : study.trials) {
    if (trial.number >= known.size()) known.push_back(State::waiting), rungs.push_back(0);
    State& was = known[trial.number];
    std::size_t& had = rungs[trial.number];
    done += has_ended(trial);
    if (has_ended(trial) && (was != trial.state || had != trial.rungs.size()))
      progress_line(progress, line_of(study, trial));
    was = trial.state, had = trial.rungs.size();
  }
  const Trial* const best = study.best();
  const std::string so_far =
      best ? fmt::format("; best {} {} (trial {})", word(study.objective),
                         score_text(study, best->score().value_or(no_score)), best->number)
           : "";
  show_progress(progress, std::min(done, progress.total), counts_text(study, wanted) + so_far, "");
}

Watcher start_watching(const Study& study, const StudyPlan& plan) {
  Watcher watcher{start_progress(std::uint64_t(plan.own.tune_trials)), plan.own.tune_trials};
  watcher.progress.silent = true;
  watcher.look(study);
  watcher.progress.silent = false;
  for (const Trial& trial : study.trials) watcher.progress.before += has_ended(trial);
  return watcher;
}

void check_failures(const Study& study, const StudyPlan& plan) {
  const auto is_failed = [](const Trial& t) { return t.state == State::failed; };
  const auto failed = std::count_if(study.trials.begin(), study.trials.end(), is_failed);
  if (plan.own.tune_max_failures == 0 || failed <= plan.own.tune_max_failures) return;
  const auto last = std::find_if(study.trials.rbegin(), study.trials.rend(), is_failed);
  fail("{}: {} trials failed, more than the {} of --max-failures; the last one, trial {}: {}",
       study.file, failed, plan.own.tune_max_failures, last->number, last->reason);
}

}  // namespace sluice::tools
