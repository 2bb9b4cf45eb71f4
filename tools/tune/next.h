// Chooses the next work of a study: an abandoned trial, one that continues, or a new one.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "plan.h"
#include "store.h"

namespace sluice::tools {

struct Job {
  std::uint64_t number = 0;
  Point point;
  std::int64_t until = 0;   ///< epoch to train to; 0: the recipe's last
  std::vector<Fold> folds;  ///< its trainings so far
};

enum class Next {
  work,  ///< the job is assigned to this worker
  wait,  ///< other workers are busy, and may create more work
  end,   ///< nothing is left to do
};

/// Takes the next work in one transaction: the abandoned trial of the lowest number, then a trial
/// that continues, then a new one.
Next take_next(Database& db, const StudyPlan& plan, Shapes& shapes, const std::string& worker,
               Job& job);

/// Adds trials for these points, except for points that were tried; before them the recipe's own
/// point if the study has no trial yet. Returns the numbers of the new trials.
std::vector<std::uint64_t> enqueue(Database& db, const StudyPlan& plan, Shapes& shapes,
                                   const std::vector<Point>& points);

}  // namespace sluice::tools
