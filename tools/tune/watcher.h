// How a study goes on, while it does: a bar on a terminal, a line a trial elsewhere.
#pragma once
#include <cstdint>
#include <vector>

#include "../common/progress.h"
#include "plan.h"
#include "study.h"

namespace sluice::tools {

struct Watcher {
  Progress progress;
  std::int64_t wanted = 0;              ///< trials
  std::vector<State> known = {};        ///< [trials] as they were when one looked last
  std::vector<std::size_t> rungs = {};  ///< [trials]

  /// Tells what has come to an end since.
  void look(const Study& study);
};

/// What has ended before is not told.
Watcher start_watching(const Study& study, const Plan& plan);

/// Fails (exit code 1) where more trials failed than tune.max_failures allows.
void check_failures(const Study& study, const Plan& plan);

}  // namespace sluice::tools
