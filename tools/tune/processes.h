// Runs the worker processes of one `sluice tune` on one machine.
#pragma once
#include <cstdint>
#include <string>

#include "plan.h"

namespace sluice::tools {

/// Runs `jobs` workers on a study until nothing is left to do, and shows progress. Throws an Error
/// if the command was interrupted (130), a worker failed or was killed with work left (1), or more
/// trials failed than tune.max_failures allows (1).
/// @param seconds  after which no new trial begins; 0: no limit
void run_workers(const std::string& study, const Plan& plan, std::uint64_t jobs, double seconds);

}  // namespace sluice::tools
