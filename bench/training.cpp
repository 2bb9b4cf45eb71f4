// Training a classifier: GRU, softmax layer on its last step. `train` is the whole of sluice_train_step, Adam included;
// `train_gradient` is forward and backward alone, which is what oneDNN has.
#include "bench.h"
#include "onednn.h"
#include "sluice_train.h"

namespace sluice::bench {
namespace {

constexpr int shapes[][4] = {{9, 64, 128, 64}, {12, 32, 29, 16}, {64, 128, 64, 32}, {64, 256, 100, 64}};
constexpr int classes = 9;

struct Training {
  int in, hidden, steps, batch;
  tools::OwnedModel model;
  tools::AlignedBytes arena;
  sluice_trainer trainer{};
  Floats x;
  std::vector<int32_t> labels;
  std::vector<sluice_sequence> sequences;

  explicit Training(const benchmark::State& state)
      : in(int(state.range(0))),
        hidden(int(state.range(1))),
        steps(int(state.range(2))),
        batch(int(state.range(3))),
        model(gru_model(in, hidden, classes)),
        x(size_t(batch) * size_t(steps) * size_t(in)),
        labels(size_t(batch)) {
    sluice_train_options options = sluice_train_defaults();
    options.max_sequences = uint32_t(batch), options.max_steps = uint32_t(steps), options.shards = 1;
    arena = tools::AlignedBytes(sluice_train_needs(&model.model, &options));
    sluice_train_start(&trainer, &model.model, &options, arena.data.get(), arena.size);
    fill(x.data(), size_t(batch) * size_t(steps) * size_t(in));
    for (int i = 0; i < batch; ++i) {
      labels[size_t(i)] = i % classes;
      const float* const frames = x.data() + size_t(i) * size_t(steps) * size_t(in);
      sequences.push_back({frames, uint32_t(steps), uint64_t(i), &labels[size_t(i)], nullptr, nullptr, nullptr});
    }
  }

  /// Forward, the state's gradient, and the weights'; the gradient of the inputs is not asked of a first layer.
  Work work() const {
    const double frames = double(steps) * batch;
    const double gru = 2 * step_macs(in, hidden) + step_macs(0, hidden), dense = 3.0 * hidden * classes;
    return {gru * frames + dense * batch, size_t(step_macs(in, hidden)) * sizeof(float), 0};
  }

  double onednn_ns() const {
    const auto call = onednn_training(in, hidden, steps, batch);
    return call ? ns_per_call(call) : 0;
  }
};

void train(benchmark::State& state) {
  Training t(state);
  for (auto _ : state) sluice_train_step(&t.trainer, t.sequences.data(), uint32_t(t.batch), nullptr, nullptr);
  report(state, t.work(), 1, t.onednn_ns());
}

void train_gradient(benchmark::State& state) {
  Training t(state);
  sluice_status status;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        sluice_train_gradient(&t.trainer, t.sequences.data(), uint32_t(t.batch), nullptr, nullptr, &status));
  report(state, t.work(), 1, t.onednn_ns());
}

}  // namespace

void register_training() {
  const auto add = [](const char* name, void (*f)(benchmark::State&)) {
    for (const auto& [in, hidden, steps, batch] : shapes)
      add_figure(name, f)->ArgNames({"in", "hid", "steps", "batch"})->Args({in, hidden, steps, batch});
  };
  add("train/f32", train);
  add("train_gradient/f32", train_gradient);
}

}  // namespace sluice::bench
