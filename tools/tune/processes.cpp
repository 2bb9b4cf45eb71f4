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
#include "watcher.h"
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

}  // namespace

void run_workers(const std::string& file, const Plan& plan, std::uint64_t jobs, double seconds) {
  const int cores = int(std::max(1u, std::thread::hardware_concurrency()));
  const int threads = std::max(1, cores / int(jobs));
  const Deadline deadline = deadline_after(seconds);
  struct sigaction before {}, ignore {};
  ignore.sa_handler = SIG_IGN;  // the workers hear of it too, and end in their own time
  std::vector<pid_t> workers;
  for (std::uint64_t i = 0; i < jobs; ++i) workers.push_back(start_worker(file, plan, threads, deadline));
  sigaction(SIGINT, &ignore, &before);
  Database db(file, Database::write);
  Study study = load_study(db, false);
  Watcher watcher = start_watching(study, plan);
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
    watcher.look(study = load_study(db, false));
  }
  watcher.look(study = load_study(db, false));
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
