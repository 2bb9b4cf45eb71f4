// Makes networks and batches from golden files. PyTorch packs weights in the same order as we do.
#pragma once
#include "golden.h"
#include "models.h"
#include "reference.h"

namespace sluice::tests {

/// Returns the GRU layers `prefix`gru0, gru1, ... and, if the file has it, `prefix`dense.
inline Network golden_network(const Golden& golden, const std::string& prefix,
                              bool last_outputs_every_step,
                              sluice_activation activation = SLUICE_LINEAR) {
  Network network;
  const auto fill = [&](Layer layer, const std::string& name) {
    for (tools::Array& a : layer.arrays) {
      REQUIRE_EQ(a.values.size(), golden[name + a.name].values.size());
      a.values = golden[name + a.name].floats();
    }
    network.layers.push_back(layer);
  };
  for (int l = 0; golden.has(prefix + "gru" + std::to_string(l) + ".weight_ih"); ++l) {
    const std::string name = prefix + "gru" + std::to_string(l) + ".";
    const GoldenArray& w = golden[name + "weight_ih"];
    fill(tools::make_layer(SLUICE_GRU, w.cols, w.rows / 3, SLUICE_LINEAR, true), name);
  }
  network.layers.back().every_step = last_outputs_every_step;
  if (golden.has(prefix + "dense.weight")) {
    const GoldenArray& w = golden[prefix + "dense.weight"];
    fill(tools::make_layer(SLUICE_DENSE, w.cols, w.rows, activation), prefix + "dense.");
  }
  return network;
}

inline std::string golden_name(const std::string& prefix, const Network& network, size_t layer,
                               const std::string& array) {
  const bool dense = network.layers[layer].kind == SLUICE_DENSE;
  return prefix + (dense ? "dense." : "gru" + std::to_string(layer) + ".") + array;
}

inline std::vector<Example> golden_batch(const Golden& golden, const std::string& prefix,
                                         bool every, bool cross_entropy) {
  const GoldenArray &steps = golden[prefix + "steps"], &x = golden[prefix + "x"],
                    &target = golden[prefix + "target"];
  std::vector<Example> v;
  size_t frame = 0, answer = 0;
  for (const double n : steps.values) {
    Example e;
    e.steps = int(n);
    e.number = v.size();
    for (size_t i = 0; i < size_t(n) * size_t(x.cols); ++i) e.x.push_back(float(x.values[frame++]));
    for (size_t i = 0; i < (every ? size_t(n) : 1) * size_t(target.cols); ++i) {
      const double value = target.values[answer++];
      if (cross_entropy)
        e.classes.push_back(int32_t(value));
      else
        e.values.push_back(float(value));
    }
    v.push_back(e);
  }
  return v;
}

}  // namespace sluice::tests
