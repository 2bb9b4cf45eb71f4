#include "crew.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>

#include "ranks.h"

namespace sluice::tools {
namespace {

constexpr std::uint64_t next_mask = 0xFFFFFFFFu;
constexpr std::uint64_t closed = next_mask;  // no round has such a task

/// Runs tasks of this round until none is left.
void help(Crew& crew, std::uint32_t round) {
  for (std::uint64_t seen = crew.claim.load();;) {
    const auto i = std::uint32_t(seen & next_mask);
    const std::uint32_t tasks = crew.tasks.load();
    if (seen >> 32 != round || i >= tasks) return;
    const auto task = crew.task.load();
    void* const argument = crew.argument.load();
    // If it succeeds, nothing read above belongs to a later round, which would have closed the
    // claim first.
    if (!crew.claim.compare_exchange_weak(seen, seen + 1)) continue;
    task(argument, i);
    if (crew.done.fetch_add(1) + 1 == tasks) crew.done.notify_all();
    seen = crew.claim.load();
  }
}

/// Returns this process's share of the cores, or fewer if mpirun has bound the rank to fewer.
int own_cores() {
  const int share = std::max(1, int(sysconf(_SC_NPROCESSORS_ONLN)) / ranks().here);
  return ranks().here > 1 ? std::min(share, omp_get_max_threads()) : omp_get_max_threads();
}

}  // namespace

Crew::Crew(int wanted) : threads(wanted > 0 ? wanted : own_cores()) {}

void crew_for(void* context, std::uint32_t n, void (*task)(void*, std::uint32_t), void* argument) {
  Crew& crew = *static_cast<Crew*>(context);
  if (n == 0) return;
  const std::uint32_t round = crew.round.load() + 1;
  crew.claim.store(std::uint64_t(round) << 32 | closed);
  crew.done.store(0);
  crew.task.store(task);
  crew.argument.store(argument);
  crew.tasks.store(n);
  crew.claim.store(std::uint64_t(round) << 32);
  crew.round.store(round);
  crew.round.notify_all();
  help(crew, round);
  for (std::uint32_t done = crew.done.load(); done < n; done = crew.done.load())
    crew.done.wait(done);
}

void help_crew(Crew& crew) {
  for (std::uint32_t seen = 0; !crew.dismissed.load();) {
    crew.round.wait(seen);
    seen = crew.round.load();
    help(crew, seen);
  }
}

void dismiss_crew(Crew& crew) {
  crew.dismissed.store(true);
  crew.round.fetch_add(1);
  crew.round.notify_all();
}

}  // namespace sluice::tools
