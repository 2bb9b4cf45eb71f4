// Spreads the trials of a study over the ranks of an mpirun: rank 0 has the study, the other ranks
// train.
#pragma once
#include <string>

#include "plan.h"

namespace sluice::tools {

/// Runs rank 0: assigns trials and stores results until nothing is left to do, and reassigns the
/// trials of ranks that have died. Throws as run_workers() does; fails if no other rank is left,
/// but work is.
void serve_ranks(const std::string& study, const Plan& plan, double seconds);

/// Runs any other rank. It works until rank 0 ends, and then throws an Error with rank 0's exit
/// code.
void work_for_rank_0();

}  // namespace sluice::tools
