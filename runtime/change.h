// What changes from frame to frame, and the way back: a first layer that hands differences on, and a last one that adds the
// frame itself to the answer, so that a network learns what changes and answers what is. In float.
#ifndef SLUICE_CHANGE_H
#define SLUICE_CHANGE_H

#include <string.h>

#include "layer.h"

namespace sluice {

/// y = x - the frame before; zeros for the first one. State: the frame before, and 1 once there is one.
struct Difference {
  static int floats(const LayerRecord& layer) { return padded(int(layer.in)); }
  static int state(const LayerRecord& layer) { return (floats(layer) + 4) * int(sizeof(float)); }
  static size_t scratch(const LayerRecord&) { return 0; }

  static void step(const StepCall& call) {
    const int n = int(call.layer.in);
    const float* const x = static_cast<const float*>(call.x);
    float* const y = static_cast<float*>(call.y);
    float* const before = reinterpret_cast<float*>(call.state);
    uint32_t seen;
    memcpy(&seen, before + floats(call.layer), sizeof seen);
    for (int i = 0; i < n; ++i) y[i] = seen ? x[i] - before[i] : 0.0f;
    memcpy(before, x, size_t(n) * sizeof(float));
    seen = 1;
    memcpy(before + floats(call.layer), &seen, sizeof seen);
  }

  static constexpr LayerKind kind = make_kind<SLUICE_DIFFERENCE, SLUICE_F32>(state, step, nullptr, scratch);
};

/// y[i] = x[i] + the model's input number columns[i] (whole numbers), of the frame that is answered.
struct AddInput {
  static size_t scratch(const LayerRecord&) { return 0; }

  static void step(const StepCall& call) {
    const float* const x = static_cast<const float*>(call.x);
    const float* const frame = static_cast<const float*>(call.frame);
    const float* const columns = call.weights(call.layer.w_ih);
    float* const y = static_cast<float*>(call.y);
    for (int i = 0; i < int(call.layer.out); ++i) y[i] = x[i] + frame[int(columns[i])];
  }

  static constexpr LayerKind kind = make_kind<SLUICE_ADD_INPUT, SLUICE_F32>(no_state, step, nullptr, scratch);
};

}  // namespace sluice

#endif
