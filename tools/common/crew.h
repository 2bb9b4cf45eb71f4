// Threads for work that comes in pieces of a tenth of a millisecond, as a trainer's shards do.
// OpenMP brings the threads; how they wait is ours. Its own barriers spin for milliseconds where
// another program wants the core, and wait for every thread even when one of them has done all the
// work: on two busy cores, seconds for a training that takes 0.3 s on one. Here nobody waits for a
// thread that has not begun, so two threads are never much slower than one.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>

namespace sluice::tools {

struct Crew {
  /// 0 for all cores, as OpenMP counts them; ranks on one machine share them
  explicit Crew(int wanted);
  int threads;

  // One round of work at a time. A task is claimed by counting `next` up in the round it was read
  // in: who comes late, claims none.
  std::atomic<std::uint64_t> claim{0};  ///< round << 32 | next task
  std::atomic<std::uint32_t> round{0}, tasks{0}, done{0};
  std::atomic<void (*)(void* argument, std::uint32_t i)> task{nullptr};
  std::atomic<void*> argument{nullptr};
  std::atomic<bool> dismissed{false};
};

/// Calls task(argument, i) for every i < n, on whichever of the crew's threads are free, and
/// returns when all are done. The signature that sluice_host wants; `crew` is a Crew.
void crew_for(void* crew, std::uint32_t n, void (*task)(void* argument, std::uint32_t i),
              void* argument);

/// Waits for rounds and helps with them, until the crew is dismissed.
void help_crew(Crew& crew);
void dismiss_crew(Crew& crew);

/// Runs lead() on this thread with the others standing by for its crew_for().
template <class Lead>
void with_crew(Crew& crew, Lead lead) {
  std::exception_ptr thrown;  // must not leave the region
  crew.dismissed.store(false);
#pragma omp parallel num_threads(crew.threads)
  {
#pragma omp masked
    {
      try {
        lead();
      } catch (...) {
        thrown = std::current_exception();
      }
      dismiss_crew(crew);
    }
    help_crew(crew);
  }
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace sluice::tools
