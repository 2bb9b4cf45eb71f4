// A study whose trials are spread over the ranks of an mpirun: rank 0 has the study, the others
// work.
#pragma once
#include <string>

#include "plan.h"

namespace sluice::tools {

/// Rank 0: hands trials out and takes results in until nothing is left to do, and takes back the
/// trials of ranks that have died. Throws as run_workers does; fails where no other rank is left,
/// but work.
void serve_ranks(const std::string& study, const Plan& plan, double seconds);

/// Any other rank: works until rank 0 ends, which leaves by an Error of its exit code.
void work_for_rank_0();

}  // namespace sluice::tools
