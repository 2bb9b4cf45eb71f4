#include "bench.h"

#include <cmath>

#include "../tools/model/pack.h"

namespace sluice::bench {

void report(benchmark::State& state, const Work& work, int steps, double peer_ns) {
  using benchmark::Counter;
  // Google Benchmark shows value * iterations / seconds for a counter of this kind. So a time in ns
  // times 1e-9 becomes that time as a share of ours.
  constexpr auto over_our_time = Counter::kIsIterationInvariantRate;
  const Bound bound = bound_of(setting().limits, work);
  state.counters["mac_per_ns"] = Counter(work.macs * 1e-9, over_our_time);
  state.counters["limit_share"] = Counter(bound.ns * 1e-9, over_our_time);
  if (steps > 1) state.counters["steps"] = steps;
  if (peer_ns > 0) state.counters["vs_onednn"] = Counter(peer_ns * 1e-9, over_our_time);
  state.SetLabel(bound.by);
}

void fill(float* x, size_t n, float range) {
  uint32_t word = 1;
  for (size_t i = 0; i < n; ++i) {
    word = word * 1664525u + 1013904223u;
    x[i] = (float(word >> 8) / 8388608.0f - 1.0f) * range;
  }
}

tools::OwnedModel gru_model(int in, int hidden, int classes, sluice_format format,
                            sluice_layer_kind cell) {
  tools::Network network;
  network.layers.push_back(
      tools::make_layer(cell, in, hidden, SLUICE_LINEAR, classes == 0, format));
  if (classes)
    network.layers.push_back(
        tools::make_layer(SLUICE_DENSE, hidden, classes, SLUICE_SOFTMAX, false, format));
  for (tools::Layer& layer : network.layers) {
    layer.shift_ih = layer.shift_hh = format == SLUICE_INT8 ? 8 : format == SLUICE_W8A16 ? 1 : 0;
    for (tools::Array& array : layer.arrays) {
      fill(array.values.data(), array.values.size(), 1.0f / std::sqrt(float(hidden)));
      // Accumulators of usual size become pre-activations of about 1.
      std::vector<float> numbers(array.integers.size());
      const bool matrix = array.is_matrix();
      fill(numbers.data(), numbers.size(), 127.0f);
      for (size_t i = 0; i < numbers.size(); ++i)
        array.integers[i] = matrix || i < numbers.size() / 2 ? int32_t(numbers[i]) : 1 << 20;
    }
  }
  network.scales.inverse.assign(size_t(in), 1.0f), network.scales.offset.assign(size_t(in), 0.0f);
  return tools::open_model(tools::write_blob(network), "the benchmark's model");
}

}  // namespace sluice::bench
