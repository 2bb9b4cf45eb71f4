// Times a GRU: one stream step by step, one stream over a sequence, many streams at once.
#include <memory>

#include "../tools/model/pack.h"
#include "bench.h"
#include "onednn.h"

namespace sluice::bench {
namespace {

constexpr int shapes[][2] = {{8, 16}, {16, 32}, {40, 64}, {64, 128}, {128, 256}};
constexpr int run_steps = 100, many_streams = 64;

size_t weight_bytes(int in, int hidden) { return size_t(step_macs(in, hidden)) * sizeof(float); }

/// Returns oneDNN's time for the same call, measured after each repetition of ours; 0 if it is not
/// installed.
double onednn_ns(int in, int hidden, int steps) {
  const auto call = onednn_run(in, hidden, steps);
  return call ? ns_per_call(call) : 0;
}

/// Sets that share of the blocks of 8 x 4 weights to zero. A congruential generator chooses the
/// blocks.
void empty_blocks(tools::Array& a, double share) {
  uint32_t word = 1;
  for (int gate = 0; gate < a.gates; ++gate)
    for (int panel = 0; panel < a.rows; panel += panel_rows)
      for (int first = 0; first < a.cols; first += block_cols) {
        word = word * 1664525u + 1013904223u;
        if (double(word >> 8) >= share * 16777216) continue;
        for (int row = panel; row < std::min(a.rows, panel + panel_rows); ++row)
          for (int col = first; col < std::min(a.cols, first + block_cols); ++col)
            a.integers[size_t(gate * a.rows + row) * size_t(a.cols) + size_t(col)] = 0;
      }
}

void gru_step(benchmark::State& state) {
  const int in = int(state.range(0)), hidden = int(state.range(1));
  const tools::OwnedModel model = gru_model(in, hidden);
  tools::OwnedStream stream(model.model, {1, 1});
  Floats x(in), y(hidden);
  fill(x.data(), size_t(in));
  for (auto _ : state) {
    sluice_step(&stream.stream, x.data(), y.data());
    benchmark::ClobberMemory();
  }
  const size_t bytes = weight_bytes(in, hidden);
  report(state, {step_macs(in, hidden), bytes, double(bytes)}, 1, onednn_ns(in, hidden, 1));
}

/// Times a step in fixed point and compares it with our own float step. The limit is the time to
/// read the weights.
void gru_step_fixed(benchmark::State& state, sluice_format format) {
  const int in = int(state.range(0)), hidden = int(state.range(1));
  const tools::OwnedModel model = gru_model(in, hidden, 0, format), real = gru_model(in, hidden);
  tools::OwnedStream stream(model.model, {1, 1}), real_stream(real.model, {1, 1});
  Floats x(in), y(hidden);
  fill(x.data(), size_t(in));
  const double f32_ns = ns_per_call([&] { sluice_step(&real_stream.stream, x.data(), y.data()); });
  for (auto _ : state) {
    sluice_step(&stream.stream, x.data(), y.data());
    benchmark::ClobberMemory();
  }
  const size_t bytes = size_t(step_macs(in, hidden));
  report(state, {0, bytes, double(bytes)});
  constexpr auto over_our_time = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["mac_per_ns"] = benchmark::Counter(step_macs(in, hidden) * 1e-9, over_our_time);
  state.counters["vs_f32"] = benchmark::Counter(f32_ns * 1e-9, over_our_time);
}

/// Times a step of matrices of whose blocks nine tenths are empty and not stored, and compares it
/// with our own dense step in the same number format. The limit is the time to read the blob's
/// weights.
void gru_step_sparse(benchmark::State& state, sluice_format format) {
  const int in = int(state.range(0)), hidden = int(state.range(1));
  const tools::OwnedModel whole = gru_model(in, hidden, 0, format);
  tools::Network network = tools::read_network(whole.model);
  for (tools::Array& a : network.layers[0].arrays)
    if (a.is_matrix()) empty_blocks(a, 0.9);
  tools::choose_sparse(network.layers[0]);
  const tools::OwnedModel model = tools::open_model(tools::write_blob(network), "the sparse model");
  tools::OwnedStream stream(model.model, {1, 1}), dense(whole.model, {1, 1});
  Floats x(in), y(hidden);
  fill(x.data(), size_t(in));
  const double dense_ns = ns_per_call([&] { sluice_step(&dense.stream, x.data(), y.data()); });
  for (auto _ : state) {
    sluice_step(&stream.stream, x.data(), y.data());
    benchmark::ClobberMemory();
  }
  const size_t bytes = sluice_describe_layer(&model.model, 0).weight_bytes;
  report(state, {0, bytes, double(bytes)});
  constexpr auto over_our_time = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["mac_per_ns"] = benchmark::Counter(step_macs(in, hidden) * 1e-9, over_our_time);
  state.counters["vs_dense"] = benchmark::Counter(dense_ns * 1e-9, over_our_time);
  state.counters["bytes_saved"] =
      double(sluice_describe_layer(&whole.model, 0).weight_bytes) / double(bytes);
}

/// Only the weights over the state must be read again at every step; those over the inputs are
/// applied to all frames at once.
void gru_run(benchmark::State& state) {
  const int in = int(state.range(0)), hidden = int(state.range(1)), steps = int(state.range(2));
  const tools::OwnedModel model = gru_model(in, hidden);
  tools::OwnedStream stream(model.model, {uint32_t(steps), 1});
  Floats x(size_t(steps) * size_t(in)), y(size_t(steps) * size_t(hidden));
  fill(x.data(), size_t(steps) * size_t(in));
  for (auto _ : state) {
    sluice_run(&stream.stream, x.data(), y.data(), size_t(steps));
    benchmark::ClobberMemory();
  }
  const double read = double(weight_bytes(0, hidden)) * steps +
                      double(weight_bytes(in, hidden) - weight_bytes(0, hidden));
  report(state, {step_macs(in, hidden) * steps, weight_bytes(0, hidden), read}, steps,
         onednn_ns(in, hidden, steps));
}

void gru_many(benchmark::State& state) {
  const int in = int(state.range(0)), hidden = int(state.range(1)), streams = int(state.range(2));
  const tools::OwnedModel model = gru_model(in, hidden);
  std::vector<std::unique_ptr<tools::OwnedStream>> owned;
  std::vector<sluice_stream*> handles;
  for (int i = 0; i < streams; ++i) {
    owned.push_back(
        std::make_unique<tools::OwnedStream>(model.model, sluice_use{1, uint32_t(streams)}));
    handles.push_back(&owned.back()->stream);
  }
  Floats x(size_t(streams) * size_t(in)), y(size_t(streams) * size_t(hidden));
  fill(x.data(), size_t(streams) * size_t(in));
  for (auto _ : state) {
    sluice_step_many(handles.data(), handles.size(), x.data(), y.data(), nullptr);
    benchmark::ClobberMemory();
  }
  const size_t bytes = weight_bytes(in, hidden);
  report(state, {step_macs(in, hidden) * streams, bytes, double(bytes)}, streams);
}

}  // namespace

void register_steps() {
  for (const auto& [in, hidden] : shapes)
    add_figure("gru_step/f32", gru_step)->ArgNames({"in", "hid"})->Args({in, hidden});
  for (const auto& [in, hidden] : shapes)
    add_figure("gru_step/int8", gru_step_fixed, SLUICE_INT8)
        ->ArgNames({"in", "hid"})
        ->Args({in, hidden});
  for (const auto& [in, hidden] : shapes)
    add_figure("gru_step/w8a16", gru_step_fixed, SLUICE_W8A16)
        ->ArgNames({"in", "hid"})
        ->Args({in, hidden});
  for (const auto& [in, hidden] : shapes)
    add_figure("gru_step/int8-sparse90", gru_step_sparse, SLUICE_INT8)
        ->ArgNames({"in", "hid"})
        ->Args({in, hidden});
  for (const auto& [in, hidden] : shapes)
    add_figure("gru_step/w8a16-sparse90", gru_step_sparse, SLUICE_W8A16)
        ->ArgNames({"in", "hid"})
        ->Args({in, hidden});
  for (const auto& [in, hidden] : shapes)
    add_figure("gru_run/f32", gru_run)
        ->ArgNames({"in", "hid", "steps"})
        ->Args({in, hidden, run_steps});
  for (const auto& [in, hidden] : shapes)
    add_figure("gru_many/f32", gru_many)
        ->ArgNames({"in", "hid", "streams"})
        ->Args({in, hidden, many_streams});
}

}  // namespace sluice::bench
