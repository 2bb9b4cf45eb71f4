// Shared by the benchmarks: the settings of a run, memory, models, a clock, and the computation of
// a figure's share of its limit.
#pragma once
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "limits.h"
#include "model/model_file.h"
#include "model/network.h"

namespace sluice::bench {

/// The settings of this run. main sets them before it registers a benchmark.
struct Setting {
  const Kernels* kernels = nullptr;
  Limits limits;
  std::vector<std::pair<std::string, std::string>> head;  ///< the lines at the head of every report
};
const Setting& setting();

void register_kernels();   ///< matvec, activation
void register_steps();     ///< gru_step, gru_run, gru_many
void register_training();  ///< train, train_gradient

/// Returns the processor time of this thread, which other programs on the machine disturb less than
/// wall time.
inline double cpu_ns() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) * 1e9 + double(t.tv_nsec);
}

/// Returns the time of a call in ns, measured over at least a tenth of a benchmark's shortest
/// repetition. The first call is not counted.
template <class F>
double ns_per_call(const F& call) {
  constexpr double enough = 5e6;
  call();
  for (int64_t calls = 1;; calls *= 2) {
    const double begin = cpu_ns();
    for (int64_t i = 0; i < calls; ++i) call();
    const double ns = cpu_ns() - begin;
    if (ns > enough) return ns / double(calls);
  }
}

/// Registers a figure of the table: a benchmark that also shows its fastest repetition. The gap
/// between that and the median shows how loaded the machine was.
template <class... Arguments>
benchmark::internal::Benchmark* add_figure(const char* name, Arguments&&... arguments) {
  return benchmark::RegisterBenchmark(name, std::forward<Arguments>(arguments)...)
      ->ComputeStatistics("fastest", [](const std::vector<double>& v) {
        return *std::min_element(v.begin(), v.end());
      });
}

/// Sets the counters of a figure from the time of the loop that has just run: mac_per_ns and
/// limit_share; steps, if a call makes several; vs_onednn, if `peer_ns`, oneDNN's time for the same
/// call, is not 0.
void report(benchmark::State& state, const Work& work, int steps = 1, double peer_ns = 0);

/// Floats at a multiple of 64 bytes, all zero.
struct Floats {
  tools::AlignedBytes bytes;
  explicit Floats(size_t n) : bytes(n * sizeof(float)) { std::fill_n(data(), n, 0.0f); }
  float* data() const { return reinterpret_cast<float*>(bytes.data.get()); }
};

/// Numbers between -range and range, the same in every run.
void fill(float* x, size_t n, float range = 1.0f);

/// A GRU (or another cell), alone or with a softmax layer of `classes` on its last step.
tools::OwnedModel gru_model(int in, int hidden, int classes = 0, sluice_format format = SLUICE_F32,
                            sluice_layer_kind cell = SLUICE_GRU);

/// Multiply-accumulates of a GRU's step: 3 gates of `hidden` rows over the inputs, and over the
/// state.
inline double step_macs(int in, int hidden) { return 3.0 * hidden * (in + hidden); }

}  // namespace sluice::bench
