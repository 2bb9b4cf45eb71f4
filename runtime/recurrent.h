// GRU, reset-after: r = sigmoid(W_ir x + b_ir + b_hr + W_hr h), z likewise, n = tanh(W_in x + b_in + r (W_hn h + b_hn)),
// h' = z h + (1 - z) n (Cho et al. 2014, the variant of cuDNN, PyTorch, and Keras with reset_after=True).
#ifndef SLUICE_RECURRENT_H
#define SLUICE_RECURRENT_H

#include <string.h>

#include "layer.h"

namespace sluice {

/// Panel by panel: rows are short, and calls of memcpy for whole ones would cost more than the copies.
inline void copy(const float* from, float* to, int units) {
  for (int i = 0; i < units; i += panel_rows) memcpy(to + i, from + i, panel_rows * sizeof(float));
}

/// The shapes and weights that inference and training share.
struct GruShape {
  int in, hidden;  ///< hidden without padding: the length of a chain over h
  int units;       ///< padded
  int gates;       ///< 3 * units: a row of pre-activations
  const void *w_ih, *w_hh;
  const float *b_ih, *b_hh;

  GruShape(const LayerRecord& layer, const uint8_t* base)
      : in(int(layer.in)),
        hidden(int(layer.out)),
        units(padded(hidden)),
        gates(3 * units),
        w_ih(base + layer.w_ih),
        w_hh(base + layer.w_hh),
        b_ih(reinterpret_cast<const float*>(base + layer.b_ih)),
        b_hh(reinterpret_cast<const float*>(base + layer.b_hh)) {}

  /// What the chains over the inputs start from: b_ih + b_hh for r and z, b_ih for g_x.  [gates]
  void bias(float* __restrict out) const {
    for (int i = 0; i < gates; i += panel_rows)
      for (int j = 0; j < panel_rows; ++j) out[i + j] = i < 2 * units ? b_ih[i + j] + b_hh[i + j] : b_ih[i + j];
  }

  /// All input products of `rows` frames at once: a [rows][gates].
  void inputs(const Kernels& kernels, const float* bias, const float* x, int x_stride, float* a, int rows) const {
    kernels.product_f32({w_ih, gates, in, 0}, {bias, 0, x, x_stride, 1, a, gates, rows});
  }

  /// One step of `count` streams from their input products: moves g_x out of a, lets the chains over h go on, applies the
  /// gates. a [count][gates] and g [count][units] hold afterwards what the backward step wants.
  /// @param seen  what enters the product, strides as h's: h itself, unless training rounds it
  void step(const Kernels& kernels, float* a, float* g, const float* seen, const float* h, int h_stride, float* h_next,
            int h_next_stride, int count) const {
    for (int c = 0; c < count; ++c) {
      float* const candidate = a + ptrdiff_t(c) * gates + 2 * units;
      copy(candidate, g + ptrdiff_t(c) * units, units);
      copy(b_hh + 2 * units, candidate, units);
    }
    kernels.product_f32({w_hh, gates, hidden, 0}, {a, gates, seen, h_stride, 1, a, gates, count});
    kernels.gru_f32({a, gates, g, units, h, h_stride, h_next, h_next_stride, units, count});
  }
};

struct Gru {
  static int state(const LayerRecord& layer) { return padded(int(layer.out)) * int(sizeof(float)); }

  static void step(const StepCall& call) {
    const LayerRecord& layer = call.layer;
    const int units = padded(int(layer.out));
    float* const a = static_cast<float*>(call.scratch);
    float* const h = reinterpret_cast<float*>(call.state);
    call.model.kernels->gru_step_f32({call.weights(layer.w_ih), call.weights(layer.w_hh), call.weights(layer.b_ih),
                                      call.weights(layer.b_hh), static_cast<const float*>(call.x), a, a + 3 * units, h, h,
                                      int(layer.in), int(layer.out), units});
    copy(h, static_cast<float*>(call.y), units);
  }

  /// The input products of all frames first, as one; then step by step.
  static void run(const Call& call, Arena& scratch) {
    const GruShape shape(call.layer, call.model.blob);
    float* const a = scratch.take<float>(uint64_t(call.rows()) * uint64_t(shape.gates));
    float* const g = scratch.take<float>(uint64_t(call.streams) * uint64_t(shape.units));
    if (call.rows() == 1 && scratch.measures()) return;  // a single frame goes through step
    float* const bias = scratch.take<float>(uint64_t(shape.gates));
    if (scratch.measures()) return;
    const Kernels& kernels = *call.model.kernels;
    const bool every = call.layer.flags & every_step_flag;
    const int state_stride = int(call.state_stride / ptrdiff_t(sizeof(float)));
    float* const state = reinterpret_cast<float*>(call.state);
    shape.bias(bias);
    shape.inputs(kernels, bias, static_cast<const float*>(call.x), call.x_stride, a, call.rows());
    for (int t = 0; t < call.steps; ++t) {
      float* const row = a + ptrdiff_t(t) * call.streams * shape.gates;
      if (call.streams == 1) {
        kernels.gru_step_f32({shape.w_ih, shape.w_hh, shape.b_ih, shape.b_hh, nullptr, row, g, state, state, shape.in,
                              shape.hidden, shape.units});
      } else {
        shape.step(kernels, row, g, state, state, state_stride, state, state_stride, call.streams);
      }
      if (!every && t + 1 < call.steps) continue;
      float* const y = static_cast<float*>(call.y) + (every ? ptrdiff_t(t) * call.streams * shape.units : 0);
      for (int s = 0; s < call.streams; ++s)
        copy(state + ptrdiff_t(s) * state_stride, y + ptrdiff_t(s) * shape.units, shape.units);
    }
  }

  static constexpr LayerKind kind{SLUICE_GRU, SLUICE_F32, 1 << SLUICE_LINEAR, every_step_flag, true, false, state, step,
                                  run,        nullptr};
};

}  // namespace sluice

#endif
