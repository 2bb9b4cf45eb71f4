// A worker takes trials of a study, one after another, until nothing is left or it is told to stop.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "interrupt.h"
#include "next.h"
#include "objective.h"

namespace sluice::tools {

/// The source of a worker's trials and the receiver of its results: the database, or the process
/// that has it (rank 0).
struct Desk {
  std::function<Next(Job&)> next;
  std::function<void(const Job&, const Outcome&, double seconds)> hand_in;
  std::function<void(const Job&)> give_back;  ///< interrupted: the trial waits again
};

/// Returns the trial with the outcome of a job, as the study stores it.
Trial trial_of(const Job& job, const Outcome& outcome, double seconds);

using Deadline = std::optional<std::chrono::steady_clock::time_point>;

Deadline deadline_after(double seconds);  ///< from now; 0: no deadline

/// Works until nothing is left to do, or until the deadline. Returns false if SIGINT ended it.
/// @param threads  of each training whose recipe gives no number
bool work(const Plan& plan, const Desk& desk, int threads, const Deadline& deadline);

/// Works directly on the study's database, with a heartbeat every few seconds.
bool work_at(const std::string& study, const Plan& plan, int threads, const Deadline& deadline);

}  // namespace sluice::tools
