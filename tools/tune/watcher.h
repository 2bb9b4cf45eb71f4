// Shows the progress of a study: a bar on a terminal, else a line for each trial.
#pragma once
#include <cstdint>
#include <vector>

#include "../common/progress.h"
#include "plan.h"
#include "study.h"

namespace sluice::tools {

struct Watcher {
  Progress progress;
  std::int64_t wanted = 0;              ///< number of trials of the whole study
  std::vector<State> known = {};        ///< [trials] states at the last look
  std::vector<std::size_t> rungs = {};  ///< [trials]

  /// Reports the trials that have ended since the last look.
  void look(const Study& study);
};

/// Starts watching; trials that have ended before are not reported.
Watcher start_watching(const Study& study, const Plan& plan);

/// Fails (exit code 1) if more trials failed than tune.max_failures allows.
void check_failures(const Study& study, const Plan& plan);

}  // namespace sluice::tools
