#include "processes.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/progress.h"
#include "show.h"
#include "worker.h"

namespace sluice::tools {
namespace {

constexpr auto look_every = std::chrono::milliseconds(200);
constexpr int interrupted_code = 130;

/// One worker's whole life, in a process of its own. @return its exit code
int worker_life(const std::string& study, const Plan& plan, int threads, const Deadline& deadline) {
  try {
    return work_at(study, plan, threads, deadline) ? 0 : interrupted_code;
  } catch (const Error& error) {
    tell(printable(error.what()) + "\n");
    return error.exit_code;
  } catch (const std::exception& error) {
    tell(printable(fmt::format("sluice tune: {}", error.what())) + "\n");
    return 1;
  }
}

pid_t start_worker(const std::string& study, const Plan& plan, int threads, const Deadline& deadline) {
  const pid_t parent = getpid(), child = fork();
  if (child < 0) fail("sluice tune: cannot start a worker: out of processes or memory");
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a worker whose command was killed must not go on unseen
  if (getppid() != parent) _exit(1);
  _exit(worker_life(study, plan, threads, deadline));
}

/// Trials that have come to an end since one looked last, a line each.
struct Watcher {
  Progress progress;
  std::vector<State> known = {};
  std::vector<std::size_t> rungs = {};

  /// @param first  what has ended before is not told
  void look(const Study& study, const Plan& plan, bool first = false) {
    std::uint64_t done = 0;
    for (const Trial& trial : study.trials) {
      if (trial.number >= known.size()) known.push_back(State::waiting), rungs.push_back(0);
      State& was = known[trial.number];
      std::size_t& had = rungs[trial.number];
      const bool ended = trial.state != State::waiting && trial.state != State::running;
      done += ended;
      if (!first && ended && (was != trial.state || had != trial.rungs.size())) progress_line(progress, line_of(study, trial));
      was = trial.state, had = trial.rungs.size();
    }
    const Trial* const best = study.best();
    const std::string so_far = best ? fmt::format("; best {} {} (trial {})", study.objective, score_text(study, *best->score()), best->number) : "";
    show_progress(progress, std::min(done, progress.total), counts_text(study, plan.own.tune_trials) + so_far, "");
  }

  static std::string line_of(const Study& study, const Trial& trial) {
    const bool valued = !trial.rungs.empty() && trial.state != State::failed;
    const std::string value = valued ? fmt::format("{} {}", study.objective, score_text(study, trial.rungs.back().score)) : trial.reason;
    const std::string epochs = trial.state == State::pruned ? fmt::format(" at epoch {}", trial.rungs.back().epochs) : "";
    return printable(fmt::format("trial {}: {}{}: {}; {}", trial.number, state_name(trial.state), epochs, value, point_text(study.space, trial.point)));
  }
};

/// How the workers ended.
struct Ends {
  int worst = 0;       ///< the exit code to hand on
  bool killed = false;
};

void note_end(int status, Ends& ends) {
  if (WIFSIGNALED(status)) {
    ends.killed = ends.killed || WTERMSIG(status) != SIGINT;
    if (WTERMSIG(status) == SIGINT) ends.worst = interrupted_code;
    return;
  }
  ends.worst = std::max(ends.worst, WEXITSTATUS(status));
}

std::size_t failed_trials(const Study& study) {
  return std::size_t(std::count_if(study.trials.begin(), study.trials.end(), [](const Trial& t) { return t.state == State::failed; }));
}

void check_failures(const Study& study, const Plan& plan) {
  const std::size_t failed = failed_trials(study);
  if (plan.own.tune_max_failures == 0 || failed <= std::size_t(plan.own.tune_max_failures)) return;
  for (auto t = study.trials.rbegin(); t != study.trials.rend(); ++t)
    if (t->state == State::failed)
      fail("{}: {} trials failed, more than the {} of --max-failures; the last, trial {}: {}", study.file, failed, plan.own.tune_max_failures,
           t->number, t->reason);
}

}  // namespace

void run_workers(const std::string& file, const Plan& plan, std::uint64_t jobs, double seconds) {
  const int cores = int(std::max(1u, std::thread::hardware_concurrency()));
  const int threads = std::max(1, cores / int(jobs));
  Deadline deadline;
  if (seconds > 0) deadline = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
  struct sigaction before {}, ignore {};
  ignore.sa_handler = SIG_IGN;  // the workers hear of it too, and end in their own time
  std::vector<pid_t> workers;
  for (std::uint64_t i = 0; i < jobs; ++i) workers.push_back(start_worker(file, plan, threads, deadline));
  sigaction(SIGINT, &ignore, &before);
  Database db(file, Database::write);
  Study study = load_study(db, false);
  Watcher watcher{start_progress(std::uint64_t(plan.own.tune_trials))};
  watcher.look(study, plan, true);
  for (const Trial& t : study.trials) watcher.progress.before += t.state != State::waiting && t.state != State::running;
  Ends ends;
  while (!workers.empty()) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended > 0) {
      note_end(status, ends);
      std::erase(workers, ended);
      continue;
    }
    std::this_thread::sleep_for(look_every);
    watcher.look(study = load_study(db, false), plan);
  }
  watcher.look(study = load_study(db, false), plan);
  end_progress(watcher.progress);
  sigaction(SIGINT, &before, nullptr);
  if (ends.worst == interrupted_code)
    throw Error(interrupted_code, fmt::format("interrupted: {} keeps every trial that ended; the same command goes on", file));
  if (ends.worst != 0) throw Error(ends.worst, "");
  check_failures(study, plan);
  const bool left = std::any_of(study.trials.begin(), study.trials.end(),
                                [](const Trial& t) { return t.state == State::waiting || t.state == State::running; });
  if (ends.killed && (left || study.trials.size() < std::size_t(plan.own.tune_trials)))
    fail("a worker was killed; {} keeps every trial that ended; the same command goes on", file);
}

}  // namespace sluice::tools
