// Times the training of a classifier: GRU or LSTM, softmax layer on its last step. `train` times
// all of sluice_train_step, Adam included; `train_gradient` times forward and backward alone, as
// oneDNN has them; `train_two` compares two threads with one.
#include <sched.h>

#include "bench.h"
#include "common/thread_pool.h"
#include "onednn.h"
#include "sluice_train.h"

namespace sluice::bench {
namespace {

constexpr int shapes[][4] = {
    {9, 64, 128, 64}, {12, 32, 29, 16}, {64, 128, 64, 32}, {64, 256, 100, 64}};
constexpr int large_shapes[][4] = {{64, 128, 64, 32}, {64, 256, 100, 64}};
constexpr int classes = 9;

struct Training {
  bool lstm;
  int in, hidden, steps, batch;
  tools::OwnedModel model;
  tools::AlignedBytes arena;
  sluice_trainer trainer{};
  Floats x;
  std::vector<int32_t> labels;
  std::vector<sluice_sequence> sequences;

  Training(const benchmark::State& state, bool is_lstm, uint32_t shards = 1)
      : lstm(is_lstm),
        in(int(state.range(0))),
        hidden(int(state.range(1))),
        steps(int(state.range(2))),
        batch(int(state.range(3))),
        model(gru_model(in, hidden, classes, SLUICE_F32, lstm ? SLUICE_LSTM : SLUICE_GRU)),
        x(size_t(batch) * size_t(steps) * size_t(in)),
        labels(size_t(batch)) {
    sluice_train_options options = sluice_train_defaults();
    options.max_sequences = uint32_t(batch), options.max_steps = uint32_t(steps),
    options.shards = shards;
    arena = tools::AlignedBytes(sluice_train_needs(&model.model, &options));
    sluice_train_start(&trainer, &model.model, &options, arena.data.get(), arena.size);
    fill(x.data(), size_t(batch) * size_t(steps) * size_t(in));
    for (int i = 0; i < batch; ++i) {
      labels[size_t(i)] = i % classes;
      const float* const frames = x.data() + size_t(i) * size_t(steps) * size_t(in);
      sequences.push_back(
          {frames, uint32_t(steps), uint64_t(i), &labels[size_t(i)], nullptr, nullptr, nullptr, 0});
    }
  }

  /// Counts the forward pass, the gradient of the state and that of the weights. A first layer
  /// needs no gradient of its inputs.
  Work work() const {
    const double frames = double(steps) * batch;
    const double gates = lstm ? 4.0 / 3 : 1, dense = 3.0 * hidden * classes;
    const double cell = gates * (2 * step_macs(in, hidden) + step_macs(0, hidden));
    return {cell * frames + dense * batch, size_t(gates * step_macs(in, hidden)) * sizeof(float),
            0};
  }

  double onednn_ns() const {
    const auto call = onednn_training(lstm, in, hidden, steps, batch);
    return call ? ns_per_call(call) : 0;
  }
};

void train(benchmark::State& state, bool lstm) {
  Training t(state, lstm);
  for (auto _ : state)
    sluice_train_step(&t.trainer, t.sequences.data(), uint32_t(t.batch), nullptr, nullptr);
  report(state, t.work(), 1, t.onednn_ns());
}

void train_gradient(benchmark::State& state, bool lstm) {
  Training t(state, lstm);
  sluice_status status;
  for (auto _ : state)
    benchmark::DoNotOptimize(sluice_train_gradient(&t.trainer, t.sequences.data(),
                                                   uint32_t(t.batch), nullptr, nullptr, &status));
  report(state, t.work(), 1, t.onednn_ns());
}

double wall_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) * 1e9 + double(t.tv_nsec);
}

/// Times a step by two threads in wall time, each step after one by a single thread. Not bound to
/// the one core that bench/run.sh gives.
void train_two(benchmark::State& state) {
  cpu_set_t mine, all;
  sched_getaffinity(0, sizeof mine, &mine);
  CPU_ZERO(&all);
  for (int i = 0; i < CPU_SETSIZE; ++i) CPU_SET(i, &all);
  sched_setaffinity(0, sizeof all, &all);
  Training t(state, false, 8);
  const auto step = [&t](const sluice_host* host) {
    const double begin = wall_ns();
    sluice_train_step(&t.trainer, t.sequences.data(), uint32_t(t.batch), host, nullptr);
    return wall_ns() - begin;
  };
  double alone = 0;
  tools::ThreadPool pool(2);
  sluice_host host{};
  host.context = &pool, host.parallel_for = tools::pool_for;
  tools::with_pool(pool, [&] {
    step(&host);
    for (auto _ : state) {
      alone += step(nullptr);
      state.SetIterationTime(step(&host) * 1e-9);
    }
  });
  report(state, t.work());
  state.counters["vs_alone"] = benchmark::Counter(alone / double(state.iterations()) * 1e-9,
                                                  benchmark::Counter::kIsIterationInvariantRate);
  sched_setaffinity(0, sizeof mine, &mine);
}

}  // namespace

void register_training() {
  const auto add = [](const char* name, void (*f)(benchmark::State&, bool), bool lstm) {
    for (const auto& [in, hidden, steps, batch] : shapes)
      add_figure(name, f, lstm)
          ->ArgNames({"in", "hid", "steps", "batch"})
          ->Args({in, hidden, steps, batch});
  };
  add("train/f32", train, false);
  add("train_gradient/f32", train_gradient, false);
  add("train/lstm", train, true);
  add("train_gradient/lstm", train_gradient, true);
  for (const int(&s)[4] : large_shapes)
    add_figure("train_two/f32", train_two)
        ->UseManualTime()
        ->ArgNames({"in", "hid", "steps", "batch"})
        ->Args({s[0], s[1], s[2], s[3]});
}

}  // namespace sluice::bench
