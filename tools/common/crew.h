// Threads for tasks of a tenth of a millisecond, such as a trainer's shards. The threads come from
// OpenMP, but not the waiting: OpenMP's barriers spin for milliseconds on a core that another
// program needs, and wait for every thread even when one has done all the work. On two busy cores a
// training that takes 0.3 s on one core then takes seconds. Here no thread waits for one that has
// not begun, so two threads are never much slower than one.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>

namespace sluice::tools {

struct Crew {
  /// @param wanted  number of threads; 0 for all cores as OpenMP counts them, shared by the ranks
  /// on one machine
  explicit Crew(int wanted);
  int threads;

  // There is one round of tasks at a time. A thread claims a task by adding 1 to `next`, and only
  // if the round is still the one that it read; a late thread claims nothing.
  std::atomic<std::uint64_t> claim{0};  ///< round << 32 | next task
  std::atomic<std::uint32_t> round{0}, tasks{0}, done{0};
  std::atomic<void (*)(void* argument, std::uint32_t i)> task{nullptr};
  std::atomic<void*> argument{nullptr};
  std::atomic<bool> dismissed{false};
};

/// Calls task(argument, i) for every i < n on whichever threads of the crew are free. Returns when
/// all are done. Has the signature that sluice_host needs; `crew` is a Crew.
void crew_for(void* crew, std::uint32_t n, void (*task)(void* argument, std::uint32_t i),
              void* argument);

/// Waits for rounds and helps with their tasks until the crew is dismissed.
void help_crew(Crew& crew);
void dismiss_crew(Crew& crew);

/// Runs lead() on this thread, while the other threads wait for its calls of crew_for().
template <class Lead>
void with_crew(Crew& crew, Lead lead) {
  std::exception_ptr thrown;  // an exception must not leave the parallel region
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
