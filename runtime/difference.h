// Difference, in float: y = x - x of the step before.
#ifndef SLUICE_DIFFERENCE_H
#define SLUICE_DIFFERENCE_H

#include <string.h>

#include "layer.h"

namespace sluice {

/// y is zero for a stream's first step. The state is the x of the step before, and a flag that is 1
/// after the first step.
struct Difference {
  static int floats(const LayerRecord& layer) { return padded(int(layer.in)); }
  static int state(const LayerRecord& layer) { return (floats(layer) + 4) * int(sizeof(float)); }
  static size_t scratch(const LayerRecord&) { return 0; }

  static void step(const StepCall& call) {
    const int n = int(call.layer.in);
    const float* const x = static_cast<const float*>(call.x);
    float* const y = static_cast<float*>(call.y);
    float* const before = reinterpret_cast<float*>(call.state);
    uint32_t has_before;
    memcpy(&has_before, before + floats(call.layer), sizeof has_before);
    for (int i = 0; i < n; ++i) y[i] = has_before ? x[i] - before[i] : 0.0f;
    memcpy(before, x, size_t(n) * sizeof(float));
    has_before = 1;
    memcpy(before + floats(call.layer), &has_before, sizeof has_before);
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_DIFFERENCE, SLUICE_F32>(state, step, nullptr, scratch);
};

}  // namespace sluice

#endif
