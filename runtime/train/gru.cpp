// Back-propagation through time for the GRU. What the forward step leaves in a and g is turned into gradients in place.
#include <string.h>

#include "../recurrent.h"
#include "train.h"

namespace sluice {
namespace {

struct Kept {
  float* a;     ///< [steps][sequences][gates]
  float* g;     ///< [steps][sequences][units]
  float* h;     ///< [steps][sequences][units]
  float* seen;  ///< [steps][sequences][units] h as it enters products; h itself where nothing is rounded
  float* last;  ///< [sequences][units]; null where every step is handed on

  Kept(const TrainCall& call, const GruShape& shape, Arena& arena) {
    const uint64_t rows = uint64_t(call.shard.steps) * uint64_t(call.shard.sequences);
    a = arena.take<float>(rows * uint64_t(shape.gates));
    g = arena.take<float>(rows * uint64_t(shape.units));
    h = arena.take<float>(rows * uint64_t(shape.units));
    seen = call.rounding.unit > 0.0f ? arena.take<float>(rows * uint64_t(shape.units)) : h;
    last = call.layer.flags & every_step_flag ? nullptr
                                              : arena.take<float>(uint64_t(call.shard.sequences) * uint64_t(shape.units));
  }
};

const float* prepare(const LayerRecord& layer, const uint8_t* base, bool wants_dx, Arena& arena) {
  const int units = padded(int(layer.out)), gates = 3 * units;
  float* const hh = arena.take<float>(uint64_t(units) * uint64_t(gates));
  float* const ih = wants_dx ? arena.take<float>(uint64_t(padded(int(layer.in))) * uint64_t(gates)) : nullptr;
  if (arena.measures()) return nullptr;
  const GruShape shape(layer, base);
  transpose(static_cast<const float*>(shape.w_hh), gates, shape.hidden, hh);
  if (wants_dx) transpose(static_cast<const float*>(shape.w_ih), gates, shape.in, ih);
  return hh;
}

/// Rows of step t from the first one that has ended: set to zero.
void clear_ended(const Shard& shard, int t, int width, float* rows) {
  const int active = shard.active(t);
  memset(rows + (ptrdiff_t(t) * shard.sequences + active) * width, 0,
         size_t(shard.sequences - active) * size_t(width) * sizeof(float));
}

float* forward(const TrainCall& call, int, Arena& arena) {
  const GruShape shape(call.layer, call.parameters.base);
  const Kept kept(call, shape, arena);
  const uint64_t mark = arena.used;
  float* const bias = arena.take<float>(uint64_t(shape.gates));
  arena.used = mark;
  float* const out = kept.last ? kept.last : kept.h;
  if (arena.measures()) return out;
  const Shard& shard = call.shard;
  const int n = shard.sequences;
  shape.bias(bias);
  shape.inputs(call.kernels, bias, call.x, call.x_stride, kept.a, shard.steps * n);
  for (int t = 0; t < shard.steps; ++t) {
    const ptrdiff_t row = ptrdiff_t(t) * n;
    float* const h = kept.h + row * shape.units;
    const float* const before = t ? h - ptrdiff_t(n) * shape.units : call.zeros;
    const float* const seen = t ? kept.seen + (row - n) * shape.units : call.zeros;
    shape.step(call.kernels, kept.a + row * shape.gates, kept.g + row * shape.units, seen, before, t ? shape.units : 0, h,
               shape.units, shard.active(t));
    clear_ended(shard, t, shape.units, kept.h);
    if (kept.seen != kept.h) call.rounding.apply(h, kept.seen + row * shape.units, size_t(n) * size_t(shape.units));
  }
  for (int s = 0; kept.last && s < n; ++s)
    memcpy(kept.last + ptrdiff_t(s) * shape.units, kept.h + (ptrdiff_t(shard.length[s] - 1) * n + s) * shape.units,
           size_t(shape.units) * sizeof(float));
  return out;
}

/// Backwards through time. dy's rows serve as the running gradient of the state: of every step, or the one row of the last.
void through_time(const TrainCall& call, const GruShape& shape, const Kept& kept) {
  const Shard& shard = call.shard;
  const int n = shard.sequences, units = shape.units;
  const Matrix w_hh_transposed{call.transposed, units, shape.gates, 0};
  for (int t = shard.steps - 1; t >= 0; --t) {
    const ptrdiff_t row = ptrdiff_t(t) * n;
    const int active = shard.active(t);
    float* const a = kept.a + row * shape.gates;
    float* const dh = kept.last ? call.dy : call.dy + row * units;
    const float* const before = t ? kept.h + (row - n) * units : call.zeros;
    call.kernels.gru_back_f32({a, shape.gates, kept.g + row * units, units, before, t ? units : 0, dh, units, units, active});
    clear_ended(shard, t, shape.gates, kept.a);
    clear_ended(shard, t, units, kept.g);
    if (t == 0) break;
    call.kernels.product_f32(w_hh_transposed, {dh, units, a, shape.gates, 1, dh, units, active});
    if (!kept.last) call.kernels.add_f32(dh, dh - ptrdiff_t(n) * units, size_t(active) * size_t(units));
  }
}

void backward(const TrainCall& call, int, Arena& arena) {
  const GruShape shape(call.layer, call.parameters.base);
  const Kept kept(call, shape, arena);
  if (arena.measures()) return;
  through_time(call, shape, kept);
  const Parameters& p = call.parameters;
  const LayerRecord& layer = call.layer;
  const int n = call.shard.sequences, rows = call.shard.steps * n;
  // a holds gradients of r, z and g_h. The state before the first step is zero and adds nothing.
  weight_gradient(call, kept.a + ptrdiff_t(n) * shape.gates, shape.gates, kept.seen, shape.units, shape.hidden, rows - n,
                  p.gradient_at(layer.w_hh));
  bias_gradient(call, kept.a, shape.gates, rows, p.gradient_at(layer.b_hh));
  // The input side differs in the candidate alone: g_x in place of g_h.
  for (int row = 0; row < rows; ++row)
    memcpy(kept.a + ptrdiff_t(row) * shape.gates + 2 * shape.units, kept.g + ptrdiff_t(row) * shape.units,
           size_t(shape.units) * sizeof(float));
  weight_gradient(call, kept.a, shape.gates, call.x, call.x_stride, shape.in, rows, p.gradient_at(layer.w_ih));
  bias_gradient(call, kept.a, shape.gates, rows, p.gradient_at(layer.b_ih));
  if (!call.dx) return;
  const int in = padded(shape.in);
  const Matrix w_ih_transposed{call.transposed + ptrdiff_t(shape.units) * shape.gates, in, shape.gates, 0};
  call.kernels.product_f32(w_ih_transposed, {call.zeros, 0, kept.a, shape.gates, 1, call.dx, in, rows});
}

}  // namespace

constexpr TrainKind train_gru{SLUICE_GRU, 1, prepare, forward, backward};

}  // namespace sluice
