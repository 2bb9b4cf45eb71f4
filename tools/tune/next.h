// What comes next in a study: a trial that was left, one that goes on, a new one.
#pragma once
#include <string>
#include <vector>

#include "plan.h"
#include "store.h"

namespace sluice::tools {

struct Job {
  std::uint64_t number = 0;
  Point point;
  std::int64_t until = 0;   ///< the epoch to train to; 0: the recipe's last
  std::vector<Fold> folds;  ///< so far
};

enum class Next {
  work,  ///< the job is this worker's
  wait,  ///< others work still, and more may come of that
  end,   ///< nothing is left to do
};

/// Takes the next work, in one transaction: of what was left the lowest number, then what goes on,
/// then a new trial.
Next take_next(Database& db, const Plan& plan, Shapes& shapes, const std::string& worker, Job& job);

/// Adds trials for these points, but for those it has already, after the recipe's own where it has
/// no trial yet. Gives the numbers of those added.
std::vector<std::uint64_t> enqueue(Database& db, const Plan& plan, Shapes& shapes,
                                   const std::vector<Point>& points);

}  // namespace sluice::tools
