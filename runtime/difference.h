// Difference: y = x - x of the step before, in float and in fixed point.
#ifndef SLUICE_DIFFERENCE_H
#define SLUICE_DIFFERENCE_H

#include <string.h>

#include "layer.h"

namespace sluice {

/// The state of a Difference: the x of the step before, and a flag that is 1 after the first step.
template <class Number>
struct Before {
  static int bytes(const LayerRecord& layer) {
    return (padded(int(layer.in)) * int(sizeof(Number)) + 15) / 16 * 16;
  }
  static int state(const LayerRecord& layer) { return bytes(layer) + 16; }
  static size_t scratch(const LayerRecord&) { return 0; }

  /// Calls f(i, x, x before) for each number after a stream's first step. At the first step y is
  /// zero.
  template <class F>
  static void step(const StepCall& call, F f) {
    const int n = int(call.layer.in);
    const Number* const x = static_cast<const Number*>(call.x);
    Number* const before = reinterpret_cast<Number*>(call.state);
    uint8_t* const flag = call.state + bytes(call.layer);
    uint32_t has_before;
    memcpy(&has_before, flag, sizeof has_before);
    if (has_before)
      for (int i = 0; i < n; ++i) f(i, x[i], before[i]);
    else
      memset(call.y, 0, size_t(n) * sizeof(Number));
    memcpy(before, x, size_t(n) * sizeof(Number));
    has_before = 1;
    memcpy(flag, &has_before, sizeof has_before);
  }
};

struct Difference {
  static void step(const StepCall& call) {
    float* const y = static_cast<float*>(call.y);
    Before<float>::step(call, [y](int i, float x, float before) { y[i] = x - before; });
  }

  static constexpr LayerKind kind = make_kind<SLUICE_DIFFERENCE, SLUICE_F32>(
      Before<float>::state, step, nullptr, Before<float>::scratch);
};

/// In fixed point each number has a multiplier, which brings the difference to the unit of y.
/// kernels/README.md has the formula.
template <uint8_t format>
struct FixedDifference {
  static void step(const StepCall& call) {
    const auto* const m = reinterpret_cast<const int32_t*>(call.model.blob + call.layer.w_ih);
    int16_t* const y = static_cast<int16_t*>(call.y);
    Before<int16_t>::step(call, [m, y](int i, int32_t x, int32_t before) {
      // |x - before| < 2^16, so that neither the shift nor the product overflows.
      const int64_t product = int64_t((x - before) * 16384) * m[i];
      const int64_t rounded = (product + (int64_t(1) << 31)) >> 32;
      y[i] = int16_t(rounded < -32768 ? -32768 : rounded > 32767 ? 32767 : rounded);
    });
  }

  static constexpr LayerKind kind = make_kind<SLUICE_DIFFERENCE, format>(
      Before<int16_t>::state, step, nullptr, Before<int16_t>::scratch);
};

}  // namespace sluice

#endif
