// Dropout of what the gates see, the candidate excepted. Gates and candidate then have products of
// their own over frame and state: each is computed for all rows, and every column is taken from its
// own.
#ifndef SLUICE_GATE_DROPOUT_H
#define SLUICE_GATE_DROPOUT_H

#include "../cells.h"
#include "train.h"

namespace sluice {

struct GateDropout {
  float
      *frame_mask = nullptr,
      *state_mask =
          nullptr;  ///< [sequences][width], [sequences][units]; the latter with recurrent dropout's
  float *frames = nullptr,
        *states =
            nullptr;  ///< [steps][sequences][width], [steps + 1][sequences][units]: what gates see
  float *part = nullptr,
        *dx = nullptr;  ///< [steps][sequences][a_stride], [steps][sequences][width]
  int width = 0;

  bool on() const { return width > 0; }

  void take(const Cell& cell, int sequences, int steps, Arena& arena) {
    width = padded(cell.in);
    const uint64_t n = uint64_t(sequences), rows = n * uint64_t(steps),
                   units = uint64_t(cell.units);
    frame_mask = arena.take<float>(n * uint64_t(width));
    state_mask = arena.take<float>(n * units);
    frames = arena.take<float>(rows * uint64_t(width));
    states = arena.take<float>((rows + n) * units);
    part = arena.take<float>(rows * uint64_t(cell.a_stride));
    dx = arena.take<float>(rows * uint64_t(width));
  }

  /// Draws the masks and drops from the frames. `whole`: recurrent dropout's mask, or null.
  void draw(const TrainCall& call, const Cell& cell, bool backward, const float* whole) const {
    const int n = call.shard.sequences, rows = n * call.shard.steps;
    const uint32_t layer = call.index * 4 + 2 * backward;
    drop(call.draw, call.sequences, call.shard,
         {Purpose::gate_dropout, layer, call.gate_dropout, nullptr, frame_mask, n, cell.in, width});
    drop(call.draw, call.sequences, call.shard,
         {Purpose::gate_dropout, layer + 1, call.gate_dropout, nullptr, state_mask, n, cell.hidden,
          cell.units});
    for (int i = 0; whole && i < n * cell.units; ++i) state_mask[i] *= whole[i];
    for (int row = 0; row < rows; ++row)
      for (int i = 0; i < cell.in; ++i)
        frames[ptrdiff_t(row) * width + i] =
            call.x[ptrdiff_t(row) * call.x_stride + i] * frame_mask[row % n * width + i];
  }

  /// to[i] += mask * from[i], [rows][n numbers], masks of the sequences again and again.
  static void add_masked(const float* from, const float* mask, int rows, int sequences, int n,
                         float* to) {
    for (int row = 0; row < rows; ++row)
      for (int i = 0; i < n; ++i)
        to[ptrdiff_t(row) * n + i] += from[ptrdiff_t(row) * n + i] * mask[row % sequences * n + i];
  }

  /// Chains over the frames: a [rows][gates].
  void inputs(const TrainCall& call, const Cell& cell, const float* bias, float* a) const {
    const int rows = call.shard.sequences * call.shard.steps;
    cell.inputs(call.kernels, bias, 0, frames, width, a, a, rows);
    cell.inputs(call.kernels, bias, 0, call.x, call.x_stride, part, part, rows);
    take_candidate(cell, a, rows);
  }

  /// One step, as the cell's own.
  template <class Own>
  void step(const Kernels& kernels, const Own& cell, const CellStep& s,
            const float* gates_see) const {
    CellStep gates = s, candidate = s;
    gates.seen = gates_see, candidate.a = part;
    if constexpr (Own::kind == SLUICE_GRU_BEFORE) {
      cell.over_state(kernels, gates, 2 * cell.units);
    } else {
      if constexpr (Own::kind == SLUICE_GRU) cell.begin(s);
      memcpy(part, s.a, size_t(s.count) * size_t(cell.a_stride) * sizeof(float));
      cell.over_state(kernels, gates, cell.gates);
      cell.over_state(kernels, candidate, cell.gates);
      take_candidate(cell, s.a, s.count);
    }
    cell.finish(kernels, s);
  }

  /// Rows of gradients with those of the candidate alone, or of all but it.
  float* part_of(const Cell& cell, const float* a, int rows, bool candidate) const {
    const size_t third = size_t(cell.units) * sizeof(float);
    memcpy(part, a, size_t(rows) * size_t(cell.a_stride) * sizeof(float));
    for (int row = 0; row < rows; ++row)
      for (int gate = 0; gate < cell.gates / cell.units; ++gate)
        if ((gate == cell.candidate) != candidate)
          memset(part + ptrdiff_t(row) * cell.a_stride + ptrdiff_t(gate) * cell.units, 0, third);
    return part;
  }

  /// A matrix' gradient: the gates have seen the one, the candidate the other.
  void gradient(const TrainCall& call, const Cell& cell, const float* a, int rows,
                const float* gates_saw, int gates_stride, const float* candidate_saw,
                int candidate_stride, int cols, float* out) const {
    weight_gradient(call, {part_of(cell, a, rows, false), cell.a_stride, cell.gates, rows},
                    gates_saw, gates_stride, cols, out);
    TrainCall more = call;
    more.adds = true;
    weight_gradient(more, {part_of(cell, a, rows, true), cell.a_stride, cell.gates, rows},
                    candidate_saw, candidate_stride, cols, out);
  }

  /// The frames' gradient, added to `to` where the other direction has left its own.
  void frames_gradient(const TrainCall& call, const Cell& cell, const Matrix& transposed,
                       const float* a, bool adds, float* to) const {
    const int rows = call.rows_in;
    call.kernels.product_f32(
        transposed, {adds ? to : call.zeros, adds ? width : 0, part_of(cell, a, rows, true),
                     cell.a_stride, 1, to, width, rows});
    call.kernels.product_f32(transposed, {call.zeros, 0, part_of(cell, a, rows, false),
                                          cell.a_stride, 1, dx, width, rows});
    add_masked(dx, frame_mask, rows, call.shard.sequences, width, to);
  }

 private:
  void take_candidate(const Cell& cell, float* a, int rows) const {
    for (int row = 0; row < rows; ++row) {
      const ptrdiff_t at = ptrdiff_t(row) * cell.a_stride + ptrdiff_t(cell.candidate) * cell.units;
      copy(part + at, a + at, cell.units);
    }
  }
};

}  // namespace sluice

#endif
