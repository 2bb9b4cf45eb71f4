#include "thread_pool.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "ranks.h"

namespace sluice::tools {
namespace {

constexpr std::uint64_t next_mask = 0xFFFFFFFFu;
constexpr std::uint64_t closed = next_mask;  // no round has such a task

/// Runs tasks of this round until none is left.
void help(ThreadPool& pool, std::uint32_t round) {
  for (std::uint64_t seen = pool.claim.load();;) {
    const auto i = std::uint32_t(seen & next_mask);
    const std::uint32_t tasks = pool.tasks.load();
    if (seen >> 32 != round || i >= tasks) return;
    const auto task = pool.task.load();
    void* const argument = pool.argument.load();
    // If it succeeds, nothing read above belongs to a later round, which would have closed the
    // claim first.
    if (!pool.claim.compare_exchange_weak(seen, seen + 1)) continue;
    task(argument, i);
    if (pool.done.fetch_add(1) + 1 == tasks) pool.done.notify_all();
    seen = pool.claim.load();
  }
}

/// Returns this process's share of the cores, or fewer if mpirun has bound the rank to fewer.
int own_cores() {
  const int share = std::max(1, int(sysconf(_SC_NPROCESSORS_ONLN)) / ranks().here);
  return ranks().here > 1 ? std::min(share, omp_get_max_threads()) : omp_get_max_threads();
}

}  // namespace

ThreadPool::ThreadPool(int wanted) : threads(wanted > 0 ? wanted : own_cores()) {}

void pool_for(void* context, std::uint32_t n, void (*task)(void*, std::uint32_t), void* argument) {
  ThreadPool& pool = *static_cast<ThreadPool*>(context);
  if (n == 0) return;
  const std::uint32_t round = pool.round.load() + 1;
  pool.claim.store(std::uint64_t(round) << 32 | closed);
  pool.done.store(0);
  pool.task.store(task);
  pool.argument.store(argument);
  pool.tasks.store(n);
  pool.claim.store(std::uint64_t(round) << 32);
  pool.round.store(round);
  pool.round.notify_all();
  help(pool, round);
  for (std::uint32_t done = pool.done.load(); done < n; done = pool.done.load())
    pool.done.wait(done);
}

void help_pool(ThreadPool& pool) {
  for (std::uint32_t seen = 0; !pool.dismissed.load();) {
    pool.round.wait(seen);
    seen = pool.round.load();
    help(pool, seen);
  }
}

void dismiss_pool(ThreadPool& pool) {
  pool.dismissed.store(true);
  pool.round.fetch_add(1);
  pool.round.notify_all();
}

}  // namespace sluice::tools
