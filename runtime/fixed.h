// GRU and Dense in fixed point. The kernels do a whole step; a sequence, or many streams, is one step after the other.
#ifndef SLUICE_FIXED_H
#define SLUICE_FIXED_H

#include <string.h>

#include "layer.h"

namespace sluice {

/// The two number formats. Layers hand on int16 in both.
struct Int8 {
  static constexpr uint8_t format = SLUICE_INT8;
  static void gru(const Kernels& kernels, const FixedGru& s) { kernels.gru_q8(s); }
  static void dense(const Kernels& kernels, const FixedDense& s) { kernels.dense_q8(s); }
};
struct W8a16 {
  static constexpr uint8_t format = SLUICE_W8A16;
  static void gru(const Kernels& kernels, const FixedGru& s) { kernels.gru_q16(s); }
  static void dense(const Kernels& kernels, const FixedDense& s) { kernels.dense_q16(s); }
};

/// A matrix whose biases are followed by its multipliers.
inline FixedMatrix fixed_matrix(const OpenModel& model, uint32_t w, uint32_t b, uint8_t shift, int rows, int cols, uint8_t order) {
  const auto* const bias = reinterpret_cast<const int32_t*>(model.blob + b);
  return {model.blob + w, bias, bias + rows, shift, rows, cols, Order(order)};
}

/// Panel by panel, as the kernel wrote them: a load across two fresh stores waits for both.
inline void copy_state(const void* from, void* to, int units) {
  for (int i = 0; i < units; i += panel_rows)
    memcpy(static_cast<int16_t*>(to) + i, static_cast<const int16_t*>(from) + i, panel_rows * sizeof(int16_t));
}

inline bool is_first(const StepCall& call) { return &call.layer == call.model.layers; }
inline bool is_last(const StepCall& call) { return &call.layer == call.model.layers + call.model.layer_count - 1; }

template <class Format>
struct FixedGruLayer {
  static int state(const LayerRecord& layer) { return padded(int(layer.out)) * int(sizeof(int16_t)); }
  static size_t scratch(const LayerRecord& layer) { return side_bytes(int(layer.in)) + side_bytes(int(layer.out)); }

  static void step(const StepCall& call) {
    const LayerRecord& layer = call.layer;
    const int units = padded(int(layer.out));
    Format::gru(*call.model.kernels,
                {fixed_matrix(call.model, layer.w_ih, layer.b_ih, layer.shift_ih, 3 * units, int(layer.in), layer.order),
                 fixed_matrix(call.model, layer.w_hh, layer.b_hh, layer.shift_hh, 3 * units, int(layer.out), layer.order), call.x,
                 is_first(call), reinterpret_cast<int16_t*>(call.state), units, call.scratch});
    copy_state(call.state, call.y, units);
  }

  static constexpr LayerKind kind{SLUICE_GRU, Format::format, 1 << SLUICE_LINEAR, every_step_flag, false, state, step,
                                  nullptr,    scratch};
};

template <class Format>
struct FixedDenseLayer {
  static size_t scratch(const LayerRecord& layer) { return side_bytes(int(layer.in)); }

  static void step(const StepCall& call) {
    const LayerRecord& layer = call.layer;
    const bool logits = is_last(call) && (layer.activation == SLUICE_SIGMOID || layer.activation == SLUICE_SOFTMAX);
    Format::dense(*call.model.kernels,
                  {fixed_matrix(call.model, layer.w_ih, layer.b_ih, layer.shift_ih, padded(int(layer.out)), int(layer.in),
                                layer.order),
                   call.x, is_first(call), logits ? Activation::linear : Activation(layer.activation),
                   static_cast<int16_t*>(call.y), call.scratch});
  }

  static constexpr LayerKind kind{SLUICE_DENSE, Format::format, 0x1F, 0, false, no_state, step, nullptr, scratch};
};

}  // namespace sluice

#endif
