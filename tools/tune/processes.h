// The worker processes of one `sluice tune` on one machine.
#pragma once
#include <cstdint>
#include <string>

#include "plan.h"

namespace sluice::tools {

/// Runs so many workers on a study until nothing is left to do, and shows how it goes. Throws as
/// the command ends: interrupted (130), a worker failed or was killed with work left (1), more
/// trials failed than tune.max_failures (1).
/// @param seconds  after which no new trial is begun; 0: none
void run_workers(const std::string& study, const Plan& plan, std::uint64_t jobs, double seconds);

}  // namespace sluice::tools
