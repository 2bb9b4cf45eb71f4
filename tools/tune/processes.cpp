#include "processes.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdint>
#include <new>
#include <thread>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/progress.h"
#include "load.h"
#include "watcher.h"
#include "worker.h"

namespace sluice::tools {
namespace {

constexpr auto look_every = std::chrono::milliseconds(200);
constexpr int interrupted_code = 130;

volatile std::sig_atomic_t interrupts = 0;

struct WorkerProcess {
  pid_t id = 0;
  int words = -1;  ///< the reading end of a pipe for the worker's error message
};

/// Runs one worker in a process of its own. Returns its exit code, and its error message in
/// `words`.
int run_worker(const std::string& study, const StudyPlan& plan, int threads,
               const Deadline& deadline, std::string& words) {
  try {
    return work_at(study, plan, threads, deadline) ? 0 : interrupted_code;
  } catch (const Error& error) {
    words = error.what();
    return error.exit_code;
  } catch (const std::bad_alloc&) {
    words = "sluice: out of memory";
  } catch (const std::exception&) {
    words = "sluice: stopped by an internal error; please report it with the command line";
  }
  return 1;
}

WorkerProcess start_worker(const std::string& study, const StudyPlan& plan, int threads,
                           const Deadline& deadline) {
  int ends[2];
  if (pipe(ends) != 0) fail("sluice tune: cannot start a worker: too many files are open");
  const pid_t parent = getpid(), child = fork();
  if (child < 0) fail("sluice tune: cannot start a worker: out of processes or memory");
  if (child > 0) {
    close(ends[1]);
    return {child, ends[0]};
  }
  setpgid(0, 0);                     // the command receives Ctrl-C and tells each worker once
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // ends the worker if the command is killed
  if (getppid() != parent) _exit(1);
  std::string words;
  const int code = run_worker(study, plan, threads, deadline, words);
  if (write(ends[1], words.data(), std::min<std::size_t>(words.size(), PIPE_BUF)) < 0) _exit(code);
  _exit(code);
}

std::string words_of(WorkerProcess& worker) {
  std::string words(PIPE_BUF, '\0');
  const ssize_t size = read(worker.words, words.data(), words.size());
  close(worker.words);
  words.resize(std::size_t(std::max<ssize_t>(size, 0)));
  return words;
}

/// The results of the workers' processes.
struct Ends {
  int worst = 0;  ///< exit code of the command
  bool killed = false;
  std::string words = {};  ///< message of the worker that failed
};

void note_end(WorkerProcess& worker, int status, Ends& ends) {
  if (const std::string words = words_of(worker); !words.empty()) ends.words = words;
  if (WIFSIGNALED(status)) {
    ends.killed = ends.killed || WTERMSIG(status) != SIGINT;
    if (WTERMSIG(status) == SIGINT) ends.worst = interrupted_code;
    return;
  }
  ends.worst = std::max(ends.worst, WEXITSTATUS(status));
}

}  // namespace

void run_workers(const std::string& file, const StudyPlan& plan, std::uint64_t jobs,
                 double seconds) {
  const int cores = int(std::max(1u, std::thread::hardware_concurrency()));
  const int threads = std::max(1, cores / int(jobs));
  const Deadline deadline = deadline_after(seconds);
  std::size_t told = 0;  // number of interrupts that the workers were told of
  std::vector<WorkerProcess> workers;
  for (std::uint64_t i = 0; i < jobs; ++i)
    workers.push_back(start_worker(file, plan, threads, deadline));
  interrupts = 0;
  struct sigaction before{}, counts{};
  counts.sa_handler = [](int) { interrupts = interrupts + 1; };
  sigaction(SIGINT, &counts, &before);
  Database db(file, Database::write);
  Study study = load_study(db, false);
  Watcher watcher = start_watching(study, plan);
  Ends ends;
  while (!workers.empty()) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended > 0) {
      const auto worker = std::find_if(workers.begin(), workers.end(),
                                       [&](const WorkerProcess& w) { return w.id == ended; });
      if (worker == workers.end()) continue;
      note_end(*worker, status, ends);
      workers.erase(worker);
      continue;
    }
    if (std::size_t(interrupts) > told) {
      if (told == 0) write_stderr("\nstopping; Ctrl-C again to stop at once\n");
      told = std::size_t(interrupts);
      for (const WorkerProcess& worker : workers) kill(worker.id, told == 1 ? SIGINT : SIGKILL);
    }
    std::this_thread::sleep_for(look_every);
    watcher.look(study = load_study(db, false));
  }
  watcher.look(study = load_study(db, false));
  end_progress(watcher.progress);
  sigaction(SIGINT, &before, nullptr);
  if (ends.worst == interrupted_code || told > 0)
    throw Error(
        interrupted_code,
        fmt::format(
            "interrupted: {} has every trial that ended; run the same command again to continue",
            file));
  if (ends.worst != 0) throw Error(ends.worst, ends.words);
  check_failures(study, plan);
  const bool left = std::any_of(study.trials.begin(), study.trials.end(), [](const Trial& t) {
    return t.state == State::waiting || t.state == State::running;
  });
  if (ends.killed && (left || study.trials.size() < std::size_t(plan.own.tune_trials)))
    fail(
        "a worker was killed; {} has every trial that ended; run the same command again to "
        "continue",
        file);
}

}  // namespace sluice::tools
