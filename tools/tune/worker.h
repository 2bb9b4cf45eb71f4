// A worker: takes trials of a study, one after another, until nothing is left or it is told to
// stop.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "interrupt.h"
#include "next.h"
#include "objective.h"

namespace sluice::tools {

/// Where a worker gets its trials from and brings them to: the database, or the process that has it
/// (ranks.cpp).
struct Desk {
  std::function<Next(Job&)> next;
  std::function<void(const Job&, const Outcome&, double seconds)> hand_in;
  std::function<void(const Job&)> give_back;  ///< interrupted: it waits again
};

/// What the study keeps of a trial that has been worked on.
Trial trial_of(const Job& job, const Outcome& outcome, double seconds);

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

Deadline deadline_after(double seconds);  ///< from now; 0: none

/// Works until nothing is left to do, or the deadline. False where SIGINT ended it.
/// @param threads  of each training whose recipe names no number
bool work(const Plan& plan, const Desk& desk, int threads, const Deadline& deadline);

/// A desk at the study's own database, which this process tells every few seconds that it lives.
bool work_at(const std::string& study, const Plan& plan, int threads, const Deadline& deadline);

}  // namespace sluice::tools
