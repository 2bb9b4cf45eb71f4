// The forward pass of one direction of a recurrent layer, and the arrays that it keeps for the
// backward pass.
//
// A direction keeps its states in blocks of [sequences][units], one more than steps. The forward
// direction has the state before step t in block t and the state after it in block t + 1; the
// backward direction has them the other way round. Rows behind a sequence's end hold zeros, or in
// the backward direction the initial state, from which a shorter sequence begins there.
#ifndef SLUICE_DIRECTION_H
#define SLUICE_DIRECTION_H

#include <string.h>

#include "../cells.h"
#include "gate_dropout.h"
#include "train.h"

namespace sluice {

/// The product of a factor of low rank in all steps, and its gradient, [rows][low_units] each.
struct Reduced {
  float *y = nullptr, *dy = nullptr;

  void take(uint64_t rows, int low_units, Arena& arena) {
    y = arena.take<float>(rows * uint64_t(low_units));
    dy = arena.take<float>(rows * uint64_t(low_units));
  }
  void clear(uint64_t rows, int low_units) const {
    memset(y, 0, size_t(rows) * size_t(low_units) * sizeof(float));
    memset(dy, 0, size_t(rows) * size_t(low_units) * sizeof(float));
  }
};

/// Returns the floats from row to row: never a multiple of two cache lines, so that a column of
/// rows is not mapped to a few sets of the cache.
constexpr int padded_stride(int floats) { return floats % 32 ? floats : floats + 16; }

/// Whether a cell's gate and candidate share a chain, to which each adds a bias of its own. The
/// backward step of such a cell adds up the gradients of all numbers that are in no product.
template <class CellType>
constexpr bool shares_chain = has_role(anatomy_of(CellType::kind), Role::gate_bias);

/// The forward pass of one direction, and the arrays that it keeps for the backward pass.
template <class CellType>
struct DirectionPass {
  CellType cell;
  const LayerRecord& layer;
  bool backward;
  int n, steps, units;
  int c_units = 0;             ///< of an LSTM
  float* a;                    ///< [steps][sequences][a_stride]
  float* g;                    ///< [steps][sequences][cell.g_units()]
  float* h;                    ///< [steps + 1][sequences][units]
  float* c;                    ///< [steps + 1][sequences][c_units] of an LSTM; else null
  float* projected = nullptr;  ///< [steps][sequences][units] with a projection: gradients of h
  float* product_state;  ///< h as it enters products; h itself if nothing is dropped or rounded
  float* mask;           ///< [sequences][units] of dropout on the state; null: none
  /// [4][units] sums of the backward pass, if the cell shares_chain or has peepholes; else null.
  float* sums;
  /// [units] The model's initial state, and of an LSTM its c; null: they are zero.
  const float *initial_h = nullptr, *initial_c = nullptr;
  GateDropout gate;
  Reduced input, state, reset;  ///< for low rank: over the frames, over h, and over r * h

  DirectionPass(const TrainCall& call, const LayerRecord& one, bool goes_backward, Arena& arena)
      : cell(one, call.parameters.base),
        layer(one),
        backward(goes_backward),
        n(call.shard.sequences),
        steps(call.shard.steps),
        units(cell.units) {
    cell.a_stride = padded_stride(cell.gates);
    const uint64_t rows = uint64_t(steps) * uint64_t(n),
                   blocks = (rows + uint64_t(n)) * uint64_t(units);
    a = arena.take<float>(rows * uint64_t(cell.a_stride));
    g = arena.take<float>(rows * uint64_t(cell.g_units()));
    h = arena.take<float>(blocks);
    c = nullptr;
    if constexpr (CellType::kind == SLUICE_LSTM) {
      c_units = cell.c_units();
      c = arena.take<float>((rows + uint64_t(n)) * uint64_t(c_units));
      if (cell.projects()) projected = arena.take<float>(rows * uint64_t(units));
    }
    mask =
        call.recurrent_dropout > 0.0f ? arena.take<float>(uint64_t(n) * uint64_t(units)) : nullptr;
    product_state =
        call.recurrent_dropout > 0.0f || call.rounding.unit > 0.0f ? arena.take<float>(blocks) : h;
    sums = shares_chain<CellType> || one.options & peephole_option
               ? arena.take<float>(4 * uint64_t(c_units > units ? c_units : units))
               : nullptr;
    const auto initial = [&](Role role) {
      return reinterpret_cast<const float*>(call.parameters.base + offset_of(one, role));
    };
    if (has_initial_state(one)) initial_h = initial(Role::initial_h);
    if (initial_h && c) initial_c = initial(Role::initial_c);
    if (call.gate_dropout > 0.0f)
      gate.take(cell, anatomy_of(CellType::kind).candidate, n, steps, arena);
    if (!cell.low_rank()) return;
    if (cell.ih_factor) input.take(rows, cell.low_units, arena);
    state.take(rows, cell.low_units, arena);
    if (CellType::kind == SLUICE_GRU_BEFORE) reset.take(rows, cell.low_units, arena);
  }

  /// Returns the rows of a step in an array of a factor, or null.
  float* row_of(float* all, ptrdiff_t row) const {
    return all ? all + row * cell.low_units : nullptr;
  }
  void clear_reduced() const {
    const Reduced* const all[] = {&input, &state, &reset};
    for (const Reduced* r : all)
      if (r->y) r->clear(uint64_t(steps) * uint64_t(n), cell.low_units);
  }

  /// Returns the frame of the direction's step i.
  int frame(int i) const { return backward ? steps - 1 - i : i; }
  /// Return the offsets of the states before and after frame t.
  ptrdiff_t before(int t) const { return ptrdiff_t(backward ? t + 1 : t) * n * units; }
  ptrdiff_t after(int t) const { return ptrdiff_t(backward ? t : t + 1) * n * units; }
  /// Return the same offsets of cell states.
  ptrdiff_t c_before(int t) const { return before(t) / units * c_units; }
  ptrdiff_t c_after(int t) const { return after(t) / units * c_units; }
  /// Returns the states after every step, [steps][sequences][units].
  const float* after_all() const { return h + after(0); }

  /// Returns the state that sequence s carries from a piece before; null if it begins anew.
  const float* carried(const TrainCall& call, int s) const {
    const sluice_sequence& sequence = call.sequences[call.shard.index[s]];
    return backward || sequence.begins || !sequence.state ? nullptr
                                                          : sequence.state + call.state_offset;
  }
  /// Sets row s of the states in the block at an offset of `before` or `after`.
  void set_state(const float* from_h, const float* from_c, ptrdiff_t block, int s) const {
    const ptrdiff_t row = block / units + s;
    memcpy(h + row * units, from_h, size_t(units) * sizeof(float));
    if (c) memcpy(c + row * c_units, from_c, size_t(c_units) * sizeof(float));
  }

  /// Sets the state from which the direction begins: that of the sequence, or the initial one.
  void begin(const TrainCall& call) const {
    const size_t bytes = size_t(n) * size_t(units) * sizeof(float);
    float* const first_h = h + before(frame(0));
    memset(first_h, 0, bytes);
    if (c) memset(c + c_before(frame(0)), 0, size_t(n) * size_t(c_units) * sizeof(float));
    for (int s = 0; s < n; ++s) {
      const float* const state = carried(call, s);
      if (state)
        set_state(state, state + units, before(frame(0)), s);
      else if (initial_h)
        set_state(initial_h, initial_c, before(frame(0)), s);
    }
    write_product_state(call, before(frame(0)));
  }

  /// Stores the state after each sequence's last frame, if the sequence has a place for it.
  void end(const TrainCall& call) const {
    for (int s = 0; s < n; ++s) {
      float* const state = call.sequences[call.shard.index[s]].state;
      if (!state || backward) continue;
      const int t = call.shard.length[s] - 1;
      const ptrdiff_t last = after(t) + ptrdiff_t(s) * units;
      memcpy(state + call.state_offset, h + last, size_t(units) * sizeof(float));
      if (c)
        memcpy(state + call.state_offset + units, c + c_after(t) + ptrdiff_t(s) * c_units,
               size_t(c_units) * sizeof(float));
    }
  }

  /// Writes the states of a block as they enter products: rounded, and with dropout.
  void write_product_state(const TrainCall& call, ptrdiff_t block) const {
    const size_t count = size_t(n) * size_t(units);
    if (product_state != h && call.rounding.unit > 0.0f)
      call.rounding.apply(h + block, product_state + block, count);
    else if (product_state != h)
      memcpy(product_state + block, h + block, count * sizeof(float));
    for (size_t i = 0; gate.on() && i < count; ++i)
      gate.states[size_t(block) + i] = product_state[size_t(block) + i] * gate.state_mask[i];
    for (size_t i = 0; mask && i < count; ++i) product_state[size_t(block) + i] *= mask[i];
  }

  /// Computes the gradient of the initial state: the sum, over the sequences that begin from it in
  /// their order, of the gradients of the states before their first steps.
  void initial_gradient(const TrainCall& call, const float* dh, const float* dc) const {
    const auto add_up = [&](Role role, const float* from, int width) {
      float* const to = call.parameters.gradient_at(offset_of(layer, role));
      for (int i = 0; i < width; ++i) {
        float sum = call.adds ? to[i] : 0.0f;
        for (int s = 0; s < n; ++s)
          if (!carried(call, s)) sum += from[ptrdiff_t(s) * width + i];
        to[i] = sum;
      }
    };
    add_up(Role::initial_h, dh, units);
    if (c) add_up(Role::initial_c, dc, c_units);
  }

  void step(const Kernels& kernels, const CellStep& s, const float* gate_state) const {
    if constexpr (anatomy_of(CellType::kind).candidate >= 0)
      if (gate.on()) return gate.step(kernels, cell, s, gate_state);
    cell.step(kernels, s);
  }

  void forward(const TrainCall& call, float* bias) const {
    const Shard& shard = call.shard;
    if (mask) {
      Dropped dropped{};
      dropped.purpose = Purpose::recurrent_dropout, dropped.layer = call.index * 2 + backward;
      dropped.rate = call.recurrent_dropout;
      dropped.mask = mask;
      dropped.rows = n, dropped.n = cell.hidden, dropped.stride = units;
      drop(call.draw, call.sequences, shard, dropped);
    }
    cell.bias(bias);
    clear_reduced();
    if (gate.on()) {
      gate.draw(call, cell, backward, mask);
      gate.inputs(call, cell, bias, a);
    } else {
      cell.inputs(call.kernels, bias, 0, call.x, call.x_stride, input.y, a, steps * n);
    }
    begin(call);
    for (int i = 0; i < steps; ++i) {
      const int t = frame(i);
      const ptrdiff_t row = ptrdiff_t(t) * n, from = before(t), to = after(t);
      CellStep s{};
      s.a = a + row * cell.a_stride, s.g = g + row * cell.g_units();
      s.product_state = product_state + from;
      s.h = h + from, s.h_next = h + to;
      if (c) s.c = c + c_before(t), s.c_next = c + c_after(t), s.c_stride = c_units;
      s.stride = s.next_stride = units;
      s.count = shard.active(t);
      s.low = row_of(state.y, row), s.low_reset = row_of(reset.y, row);
      step(call.kernels, s, gate.on() ? gate.states + from : nullptr);
      clear_ended(shard, t, units, h + to - row * units);
      if (c) clear_ended(shard, t, c_units, c + c_after(t) - row * c_units);
      // In the backward direction, a shorter sequence begins at its last frame.
      for (int k = s.count; backward && initial_h && k < n; ++k)
        set_state(initial_h, initial_c, to, k);
      write_product_state(call, to);
    }
    end(call);
  }
};

}  // namespace sluice

#endif
