// Layers with one output a sequence that have no weights: the largest number, the mean, and the
// mean weighted by scores (attention), each over the steps so far.
#ifndef SLUICE_OVER_STEPS_H
#define SLUICE_OVER_STEPS_H

#include <string.h>

#include "join.h"

namespace sluice {

/// The end of the state of these layers, behind a number for each unit.
struct StepCount {
  uint32_t steps;  ///< so far; it stays at the largest number
  float most;      ///< of attention: the largest score
  float weight;    ///< of attention: the sum of the weights, relative to that of the largest score
  uint32_t reserved;

  void advance() { steps += steps < UINT32_MAX; }
};
static_assert(sizeof(StepCount) == 16, "the size and alignment of a state");

template <class Number>
constexpr int over_steps_bytes(const LayerRecord& layer) {
  return (padded(int(layer.out)) * int(sizeof(Number)) + 15) / 16 * 16;
}

/// Calls f(i, number kept, steps before this one) for each number, between reading the count and
/// writing it.
template <class Number, class F>
void over_steps(const StepCall& call, F f) {
  StepCount count;
  uint8_t* const end = call.state + over_steps_bytes<Number>(call.layer);
  memcpy(&count, end, sizeof count);
  auto* const kept = reinterpret_cast<Number*>(call.state);
  const uint32_t before = count.steps;
  count.advance();
  for (uint32_t i = 0; i < call.layer.out; ++i) f(i, kept[i], before, count.steps);
  memcpy(end, &count, sizeof count);
}

template <uint8_t own_kind>
struct FloatOverSteps {
  static int state(const LayerRecord& layer) {
    return over_steps_bytes<float>(layer) + int(sizeof(StepCount));
  }
  static size_t scratch(const LayerRecord&) { return 0; }

  static void step(const StepCall& call) {
    const auto* const x = static_cast<const float*>(call.x);
    auto* const y = static_cast<float*>(call.y);
    over_steps<float>(call, [&](uint32_t i, float& kept, uint32_t before, uint32_t steps) {
      if (own_kind == SLUICE_MAX_OVER_STEPS)
        y[i] = kept = before == 0 || kept < x[i] ? x[i] : kept;
      else
        kept = before == 0 ? x[i] : kept + x[i], y[i] = kept / float(steps);
    });
  }

  static constexpr LayerKind kind = make_kind<own_kind, SLUICE_F32>(state, step, nullptr, scratch);
};

/// In fixed point. kernels/README.md has the formulas.
template <uint8_t own_kind, uint8_t format, class Kept>
struct FixedOverSteps {
  static int state(const LayerRecord& layer) {
    return over_steps_bytes<Kept>(layer) + int(sizeof(StepCount));
  }
  static size_t scratch(const LayerRecord&) { return 0; }

  static void step(const StepCall& call) {
    auto* const y = static_cast<int16_t*>(call.y);
    copy_numbers(call.model, static_cast<const uint8_t*>(call.x), call.layer.source == 0,
                 int(call.layer.in), static_cast<uint8_t*>(call.y));
    over_steps<Kept>(call, [&](uint32_t i, Kept& kept, uint32_t before, uint32_t steps) {
      if (own_kind == SLUICE_MAX_OVER_STEPS)
        y[i] = int16_t(kept = before == 0 || kept < y[i] ? y[i] : kept);
      else
        kept = before == 0 ? y[i] : sum_of(kept, y[i]), y[i] = nearest_mean(kept, steps);
    });
  }

  /// Adds without an overflow, since a state may hold any bytes.
  static Kept sum_of(Kept sum, int16_t number) {
    return Kept(uint64_t(int64_t(sum)) + uint64_t(int64_t(number)));
  }

  /// Returns the nearest integer to sum / count, halves upwards.
  static int16_t nearest_mean(int64_t sum, uint32_t count) {
    constexpr int64_t most = int64_t(32767) * UINT32_MAX;
    sum = sum > most ? most : sum < -most ? -most : sum;
    const int64_t twice = 2 * sum + count, by = 2 * int64_t(count);
    const int64_t mean = twice >= 0 ? twice / by : -((by - 1 - twice) / by);
    return int16_t(mean > 32767 ? 32767 : mean < -32768 ? -32768 : mean);
  }

  static constexpr LayerKind kind = make_kind<own_kind, format>(state, step, nullptr, scratch);
};

/// y = sum of e^s x / sum of e^s over the steps so far, with the score s from the first source and
/// x from the second. The sums are kept relative to e^m, m the largest score so far: Milakov,
/// Gimelshein 2018, "Online normalizer calculation for softmax".
struct Attention {
  static int state(const LayerRecord& layer) {
    return over_steps_bytes<float>(layer) + int(sizeof(StepCount));
  }

  static void add(const Kernels& kernels, float score, const float* x, int n, float* sums,
                  StepCount& count, float* y) {
    // At least the lowest float, so that a score of minus infinity has the weight 0.
    constexpr float lowest = -3.402823466e38f;
    const float before = count.steps == 0 ? lowest : count.most,
                most = before < score ? score : before;
    float factors[2] = {count.steps == 0 ? 0.0f : count.most - most, score - most};
    kernels.exp_f32(factors, factors, 2);
    const float keep = count.steps == 0 ? 0.0f : factors[0], weight = factors[1];
    count.weight = count.steps == 0 ? weight : __builtin_fmaf(count.weight, keep, weight);
    for (int i = 0; i < n; ++i) {
      sums[i] = count.steps == 0 ? weight * x[i] : __builtin_fmaf(sums[i], keep, weight * x[i]);
      y[i] = sums[i] / count.weight;
    }
    count.most = most;
    count.advance();
  }

  /// Runs all steps of the sources; the output is that of the last one.
  static void run(const Call& call, Arena& scratch) {
    if (scratch.measures()) return;
    const int n = int(call.layer.out);
    Part parts[2];
    for (uint32_t p = 0; p < 2; ++p)
      parts[p] = part_of(call.model, call.buffers, call.layer, p, call.clock, call.clock);
    for (int t = 0; t < call.clock; ++t)
      for (int s = 0; s < call.streams; ++s) {
        uint8_t* const state = call.state + s * call.state_stride;
        StepCount count;
        uint8_t* const end = state + over_steps_bytes<float>(call.layer);
        memcpy(&count, end, sizeof count);
        add(*call.model.kernels, *reinterpret_cast<const float*>(parts[0].x),
            reinterpret_cast<const float*>(parts[1].x), n, reinterpret_cast<float*>(state), count,
            static_cast<float*>(call.y) + ptrdiff_t(s) * padded(n));
        memcpy(end, &count, sizeof count);
        for (Part& part : parts) part.x += part.stride;
      }
  }

  static void step(const StepCall& step) {
    Arena none(step.scratch);
    Call call(step.model, step.layer, step.buffers);
    call.steps = call.streams = call.clock = 1;
    call.y = step.y;
    call.state = step.state, call.state_stride = 0;
    run(call, none);
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_ATTENTION, SLUICE_F32>(state, step, run, nullptr);
};

}  // namespace sluice

#endif
