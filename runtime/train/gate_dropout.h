// Dropout of the inputs of gates, but not of the candidate. Gates and candidate then have separate
// products over frame and state. Both products are computed for all rows of the matrix, and each
// row is taken from the right one.
#ifndef SLUICE_GATE_DROPOUT_H
#define SLUICE_GATE_DROPOUT_H

#include "../cells.h"
#include "train.h"

namespace sluice {

struct GateDropout {
  float* frame_mask = nullptr;  ///< [sequences][width]
  float* state_mask = nullptr;  ///< [sequences][units], multiplied by the mask of recurrent dropout
  float* frames = nullptr;      ///< [steps][sequences][width] the frames that the gates read
  float* states = nullptr;      ///< [steps + 1][sequences][units] the states that the gates read
  float* part = nullptr;        ///< [steps][sequences][a_stride]
  float* dx = nullptr;          ///< [steps][sequences][width]
  int width = 0;
  int candidate_gate = -1;  ///< the number of the gate that is the candidate

  bool on() const { return width > 0; }

  void take(const Cell& cell, int candidate, int sequences, int steps, Arena& arena) {
    width = padded(cell.in), candidate_gate = candidate;
    const uint64_t n = uint64_t(sequences), rows = n * uint64_t(steps),
                   units = uint64_t(cell.units);
    frame_mask = arena.take<float>(n * uint64_t(width));
    state_mask = arena.take<float>(n * units);
    frames = arena.take<float>(rows * uint64_t(width));
    states = arena.take<float>((rows + n) * units);
    part = arena.take<float>(rows * uint64_t(cell.a_stride));
    dx = arena.take<float>(rows * uint64_t(width));
  }

  /// Draws the masks and applies the frames' mask.
  /// @param whole  the mask of recurrent dropout, or null
  void draw(const TrainCall& call, const Cell& cell, bool backward, const float* whole) const {
    const int n = call.shard.sequences, rows = n * call.shard.steps;
    const uint32_t layer = call.index * 4 + 2 * backward;
    Dropped dropped{};
    dropped.purpose = Purpose::gate_dropout, dropped.layer = layer;
    dropped.rate = call.gate_dropout;
    dropped.mask = frame_mask;
    dropped.rows = n, dropped.n = cell.in, dropped.stride = width;
    drop(call.draw, call.sequences, call.shard, dropped);
    dropped.layer = layer + 1;
    dropped.mask = state_mask;
    dropped.n = cell.hidden, dropped.stride = cell.units;
    drop(call.draw, call.sequences, call.shard, dropped);
    for (int i = 0; whole && i < n * cell.units; ++i) state_mask[i] *= whole[i];
    for (int row = 0; row < rows; ++row)
      for (int i = 0; i < cell.in; ++i)
        frames[ptrdiff_t(row) * width + i] =
            call.x[ptrdiff_t(row) * call.x_stride + i] * frame_mask[row % n * width + i];
  }

  /// Computes to[i] += mask * from[i] for [rows][n]. Row i has the mask of sequence i % sequences.
  static void add_masked(const float* from, const float* mask, int rows, int sequences, int n,
                         float* to) {
    for (int row = 0; row < rows; ++row)
      for (int i = 0; i < n; ++i)
        to[ptrdiff_t(row) * n + i] += from[ptrdiff_t(row) * n + i] * mask[row % sequences * n + i];
  }

  /// Computes the chains over the frames: a [rows][gates].
  void inputs(const TrainCall& call, const Cell& cell, const float* bias, float* a) const {
    const int rows = call.shard.sequences * call.shard.steps;
    cell.inputs(call.kernels, bias, 0, frames, width, a, a, rows);
    cell.inputs(call.kernels, bias, 0, call.x, call.x_stride, part, part, rows);
    take_candidate(cell, a, rows);
  }

  /// Computes one step, like the cell's own step.
  template <class CellType>
  void step(const Kernels& kernels, const CellType& cell, const CellStep& s,
            const float* gate_state) const {
    CellStep gates = s, candidate = s;
    gates.product_state = gate_state, candidate.a = part;
    if constexpr (CellType::kind == SLUICE_GRU_BEFORE) {
      cell.over_state(kernels, gates, 2 * cell.units);
    } else {
      if constexpr (CellType::kind == SLUICE_GRU) cell.begin(s);
      memcpy(part, s.a, size_t(s.count) * size_t(cell.a_stride) * sizeof(float));
      cell.over_state(kernels, gates, cell.gates);
      cell.over_state(kernels, candidate, cell.gates);
      take_candidate(cell, s.a, s.count);
    }
    cell.finish(kernels, s);
  }

  /// Returns a copy of rows of gradients with only the candidate's numbers, or without them; the
  /// others are zero.
  float* part_of(const Cell& cell, const float* a, int rows, bool candidate) const {
    const size_t third = size_t(cell.units) * sizeof(float);
    memcpy(part, a, size_t(rows) * size_t(cell.a_stride) * sizeof(float));
    for (int row = 0; row < rows; ++row)
      for (int gate = 0; gate < cell.gates / cell.units; ++gate)
        if ((gate == candidate_gate) != candidate)
          memset(part + ptrdiff_t(row) * cell.a_stride + ptrdiff_t(gate) * cell.units, 0, third);
    return part;
  }

  /// Computes the gradient of a matrix whose gates and candidate have different inputs.
  void gradient(const TrainCall& call, const Cell& cell, const float* a, int rows,
                const float* gate_inputs, int gates_stride, const float* candidate_inputs,
                int candidate_stride, int cols, float* out) const {
    weight_gradient(call, {part_of(cell, a, rows, false), cell.a_stride, cell.gates, rows},
                    gate_inputs, gates_stride, cols, out);
    TrainCall more = call;
    more.adds = true;
    weight_gradient(more, {part_of(cell, a, rows, true), cell.a_stride, cell.gates, rows},
                    candidate_inputs, candidate_stride, cols, out);
  }

  /// Computes the gradient of the frames. If `adds`, adds it to that of the other direction.
  void frames_gradient(const TrainCall& call, const Cell& cell, const Matrix& transposed,
                       const float* a, bool adds, float* to) const {
    const int rows = call.rows_in;
    call.kernels.product_f32(transposed, {{adds ? to : call.zeros, adds ? width : 0},
                                          {part_of(cell, a, rows, true), cell.a_stride},
                                          1,
                                          {to, width},
                                          rows});
    call.kernels.product_f32(
        transposed,
        {{call.zeros, 0}, {part_of(cell, a, rows, false), cell.a_stride}, 1, {dx, width}, rows});
    add_masked(dx, frame_mask, rows, call.shard.sequences, width, to);
  }

 private:
  void take_candidate(const Cell& cell, float* a, int rows) const {
    for (int row = 0; row < rows; ++row) {
      const ptrdiff_t at = ptrdiff_t(row) * cell.a_stride + ptrdiff_t(candidate_gate) * cell.units;
      copy(part + at, a + at, cell.units);
    }
  }
};

}  // namespace sluice

#endif
