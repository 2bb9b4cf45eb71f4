#include "worker.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <new>
#include <thread>

#include "../common/error.h"
#include "../common/progress.h"

namespace sluice::tools {
namespace {

constexpr auto heartbeat_interval = std::chrono::seconds(5);
constexpr auto retry_after = std::chrono::milliseconds(100);

/// Sends heartbeats to the study, from a thread and a connection of its own.
struct Heartbeat {
  std::string study, worker;
  std::mutex mutex = {};
  std::condition_variable changed = {};
  std::optional<std::uint64_t> trial = {};
  bool ends = false;
  std::thread thread = {};

  void start() {
    thread = std::thread([this] { run(); });
  }
  void run() {
    std::unique_lock lock(mutex);
    while (!ends) {
      changed.wait_for(lock, heartbeat_interval);
      if (ends || !trial) continue;
      const std::uint64_t number = *trial;
      lock.unlock();
      try {
        Database db(study, Database::write);
        store_heartbeat(db, number, worker);
      } catch (const Error&) {  // NOLINT(bugprone-empty-catch): a lease outlasts a missed heartbeat
      }
      lock.lock();
    }
  }
  void hold(std::optional<std::uint64_t> number) {
    const std::lock_guard lock(mutex);
    trial = number;
  }
  ~Heartbeat() {
    {
      const std::lock_guard lock(mutex);
      ends = true;
    }
    changed.notify_all();
    if (thread.joinable()) thread.join();
  }
};

Outcome outcome_of(const StudyPlan& plan, const Job& job, int threads, Folds& folds) {
  try {
    Recipe recipe = recipe_of(plan, job.point);
    if (recipe.threads == 0) recipe.threads = threads;
    return measure(recipe, job.until, job.folds, folds, interrupted);
  } catch (const std::bad_alloc&) {
    Outcome outcome;
    outcome.state = State::failed, outcome.reason = "out of memory";
    return outcome;
  }
}

}  // namespace

Deadline deadline_after(double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr double for_ever = 1e8;  // seconds; years, without overflow
  if (seconds == 0 || seconds > for_ever) return {};
  return Clock::now() +
         std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

bool work(const StudyPlan& plan, const TrialQueue& queue, int threads, const Deadline& deadline) {
  note_interrupts();
  Folds folds;
  while (!interrupted() && (!deadline || std::chrono::steady_clock::now() < *deadline)) {
    Job job;
    const Next next = queue.next(job);
    if (next == Next::end) break;
    if (next == Next::wait) {
      std::this_thread::sleep_for(retry_after);
      continue;
    }
    const Progress clock = start_progress(1);
    const Outcome outcome = outcome_of(plan, job, threads, folds);
    if (outcome.state == State::waiting) {
      queue.release(job);
      return false;
    }
    queue.submit(job, outcome, seconds_since_start(clock));
  }
  return !interrupted();
}

bool work_at(const std::string& study, const StudyPlan& plan, int threads,
             const Deadline& deadline) {
  Database db(study, Database::write);
  const std::string worker = this_worker();
  Heartbeat heartbeat{.study = study, .worker = worker};
  heartbeat.start();
  Shapes shapes;
  TrialQueue queue;
  queue.next = [&](Job& job) {
    const Next next = take_next(db, plan, shapes, worker, job);
    heartbeat.hold(next == Next::work ? std::optional(job.number) : std::nullopt);
    return next;
  };
  queue.submit = [&](const Job& job, const Outcome& outcome, double seconds) {
    heartbeat.hold(std::nullopt);
    store_outcome(db, trial_of(job, outcome, seconds), outcome.folds, worker);
  };
  queue.release = [&](const Job& job) {
    heartbeat.hold(std::nullopt);
    release_trial(db, job.number, worker);
  };
  return work(plan, queue, threads, deadline);
}

Trial trial_of(const Job& job, const Outcome& outcome, double seconds) {
  Trial trial;
  trial.number = job.number, trial.point = job.point;
  trial.state = outcome.state, trial.reason = outcome.reason, trial.seconds = seconds;
  if (outcome.state == State::complete || outcome.state == State::pruned)
    trial.rungs.push_back(outcome.rung);
  return trial;
}

}  // namespace sluice::tools
