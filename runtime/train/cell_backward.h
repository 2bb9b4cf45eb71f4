// The backward step of each cell, through its gates and through its products with the state. The
// values that a forward step leaves in a and g are replaced by gradients, in place.
#ifndef SLUICE_CELL_BACKWARD_H
#define SLUICE_CELL_BACKWARD_H

#include <string.h>

#include "../cells.h"
#include "gate_dropout.h"
#include "train.h"

namespace sluice {

/// dh and dc of a step, [sequences][units] each. In: the gradients of the state after. Out: those
/// of the state before.
struct StateGradient {
  float *dh, *dc, *spare;
  StateGradient(uint64_t floats, Arena& arena)
      : dh(arena.take<float>(floats)),
        dc(arena.take<float>(floats)),
        spare(arena.take<float>(floats)) {}
};

/// The transposed weights that the backward steps of a direction read. For low rank, they have the
/// rows of the factors; else the factors are null.
struct Transposed {
  const float* hh;                   ///< [units or low_units][rows of w_hh]
  const float* hn;                   ///< the same of a GruBefore's candidate; else null
  const float* hh_factor = nullptr;  ///< [units][low_units]
  const float* ih;                   ///< [padded(in) or low_units][gates]; null: not needed
  const float* ih_factor = nullptr;  ///< [padded(in)][low_units]; null: not needed
  const float* hr = nullptr;         ///< [cell_units][units] of a projection; else null
};

/// Takes arrays for the transposed weights of a direction, and fills them if `write`.
template <class CellType>
Transposed take_transposed(const CellType& cell, bool wants_dx, Arena& arena, bool write) {
  const bool before = CellType::kind == SLUICE_GRU_BEFORE;
  const int rows = before ? 2 * cell.units : cell.gates;
  const auto take = [&](const void* w, int w_rows, int cols) {
    float* const to = arena.take<float>(uint64_t(padded(cols)) * uint64_t(w_rows));
    if (write) transpose(static_cast<const float*>(w), w_rows, cols, to);
    return to;
  };
  Transposed t{};
  t.hh = take(cell.w_hh, rows, cell.state_cols);
  if constexpr (CellType::kind == SLUICE_GRU_BEFORE)
    t.hn = take(cell.w_hn(), cell.units, cell.state_cols);
  if constexpr (CellType::kind == SLUICE_LSTM)
    if (cell.projects()) t.hr = take(cell.projection(), cell.units, cell.cells());
  if (cell.low_rank()) t.hh_factor = take(cell.hh_factor, cell.low_units, cell.hidden);
  const bool reduces = cell.low_rank() && cell.ih_factor;
  if (wants_dx || reduces) t.ih = take(cell.w_ih, cell.gates, cell.in_cols);
  if (wants_dx && reduces) t.ih_factor = take(cell.ih_factor, cell.low_units, cell.in);
  return t;
}

/// The arguments of one backward step: through the gates, and through the products with the
/// transposed weights.
struct StepBack {
  const TrainCall& call;
  const Transposed& transposed;
  const GateDropout& gates;
  const StateGradient& state;
  float *a = nullptr, *g = nullptr;             ///< rows of this step
  const float* h = nullptr;                     ///< the state before, which the update reads
  const float* product_state = nullptr;         ///< the state before, as it entered the products
  const float *c = nullptr, *c_next = nullptr;  ///< the cell state before and after
  const float* mask = nullptr;  ///< [sequences][units] of recurrent dropout; null: none
  float* projected = nullptr;   ///< [sequences][units] receives dh if there is a projection
  float* sums = nullptr;  ///< [4][units] of a FastGRNN or of peepholes, over all steps; else null
  int active = 0;
  bool first =
      false;  ///< the direction's first step, whose gradient of the state before is not needed
  float* low = nullptr;        ///< for low rank: rows of this step for the gradient of the state
                               ///< factor's product
  float* low_reset = nullptr;  ///< the same over r * h, of a GruBefore
};

/// Computes y = init + W^T da for the active rows, through both factors if W has low rank.
/// @param low  receives the gradient of the factor's product
inline void back_through(const StepBack& s, const Cell& cell, const float* w, int w_rows,
                         const float* da, float* low, const float* init, int init_stride,
                         float* y) {
  const int units = cell.units;
  if (!cell.low_rank())
    return s.call.kernels.product_f32(
        {w, units, w_rows, 0}, {{init, init_stride}, {da, cell.a_stride}, 1, {y, units}, s.active});
  const int reduced = cell.low_units;
  s.call.kernels.product_f32({w, reduced, w_rows, 0},
                             {{s.call.zeros, 0}, {da, cell.a_stride}, 1, {low, reduced}, s.active});
  s.call.kernels.product_f32({s.transposed.hh_factor, units, reduced, 0},
                             {{init, init_stride}, {low, reduced}, 1, {y, units}, s.active});
}

/// Computes dh += mask * (W^T da), the gradient through a recurrent product, whose matrix has
/// `w_rows` rows. With `fresh`, dh begins at zero.
inline void through_product(const StepBack& s, const Cell& cell, int w_rows, const float* da,
                            const float* mask, bool fresh) {
  const int units = cell.units;
  float* const dh = s.state.dh;
  if (!mask) {
    const float* const init = fresh ? s.call.zeros : dh;
    return back_through(s, cell, s.transposed.hh, w_rows, da, s.low, init, fresh ? 0 : units, dh);
  }
  float* const spare = s.state.spare;
  back_through(s, cell, s.transposed.hh, w_rows, da, s.low, s.call.zeros, 0, spare);
  for (int64_t i = 0; i < int64_t(s.active) * units; ++i)
    dh[i] = (fresh ? 0.0f : dh[i]) + spare[i] * mask[i];
}

/// Does the same through the product of all gates.
inline void through_gates(const StepBack& s, const Cell& cell, bool fresh) {
  if (s.first && !cell.low_rank()) return;
  if (!s.gates.on()) return through_product(s, cell, cell.gates, s.a, s.mask, fresh);
  const int rows = s.active;
  float* const part = s.gates.part_of(cell, s.a, rows, false);
  through_product(s, cell, cell.gates, part, s.gates.state_mask, fresh);
  through_product(s, cell, cell.gates, s.gates.part_of(cell, s.a, rows, true), s.mask, false);
}

/// The backward step of each cell.
template <class CellType>
struct Back;

template <>
struct Back<GruCell> {
  static void step(const GruCell& cell, const StepBack& s) {
    const int units = cell.units;
    GatesBack back{};
    back.a = s.a, back.a_stride = cell.a_stride;
    back.g = s.g, back.g_stride = units;
    back.h = s.h, back.h_stride = units;
    back.dh = s.state.dh, back.dh_stride = units;
    back.hidden = units, back.count = s.active;
    back.gate = cell.gate;
    if (cell.curved)
      curves_of(s.call.kernels).gru_curve_back_f32(back, cell.f);
    else
      s.call.kernels.gru_back_f32(back);
    through_gates(s, cell, false);
  }
};

template <>
struct Back<GruBeforeCell> {
  static void step(const GruBeforeCell& cell, const StepBack& s) {
    const int units = cell.units;
    float* const ds = s.state.spare;
    ResetBefore rows{};
    rows.a = s.a, rows.a_stride = cell.a_stride;
    rows.s = ds, rows.s_stride = units;
    rows.h = s.h, rows.h_stride = units;
    rows.h_next = s.state.dh, rows.h_next_stride = units;
    rows.hidden = units, rows.count = s.active;
    rows.gate = cell.gate;
    if (cell.curved)
      curves_of(s.call.kernels).gru_update_curve_back_f32(rows, cell.f);
    else
      s.call.kernels.gru_update_back_f32(rows);
    back_through(s, cell, s.transposed.hn, units, s.a + 2 * units, s.low_reset, s.call.zeros, 0,
                 ds);
    if (s.mask) return masked(cell, s, rows);
    rows.h = s.product_state;
    s.call.kernels.gru_reset_back_f32(rows);
    through_reset_and_update(cell, s);
  }
  static void through_reset_and_update(const GruBeforeCell& cell, const StepBack& s) {
    if (!s.first || cell.low_rank())
      through_product(s, cell, 2 * cell.units, s.a, s.gates.on() ? s.gates.state_mask : s.mask,
                      false);
  }
  /// The case of recurrent dropout, in which r multiplies the masked state.
  static void masked(const GruBeforeCell& cell, const StepBack& s, ResetBefore rows) {
    const int units = cell.units;
    float* const through = s.state.dc;  // not used by this cell
    memset(through, 0, size_t(s.active) * size_t(units) * sizeof(float));
    rows.h = s.product_state, rows.h_next = through;
    s.call.kernels.gru_reset_back_f32(rows);
    for (int64_t i = 0; i < int64_t(s.active) * units; ++i) s.state.dh[i] += through[i] * s.mask[i];
    through_reset_and_update(cell, s);
  }
};

template <>
struct Back<LstmCell> {
  static void step(const LstmCell& cell, const StepBack& s) {
    const int units = cell.units;
    LstmBack back{};
    back.a = s.a, back.a_stride = cell.a_stride;
    back.t = s.g, back.t_stride = units;
    back.c = s.c, back.c_stride = units;
    back.dh = s.state.dh, back.dh_stride = units;
    back.dc = s.state.dc, back.dc_stride = units;
    back.hidden = units, back.count = s.active;
    back.gate = cell.gate;
    if (cell.projects()) through_projection(cell, s, back);
    if (cell.has_options())
      curves_of(s.call.kernels)
          .lstm_options_back_f32(back, cell.curve(), cell.options(), s.c_next, s.sums);
    else if (cell.curved)
      curves_of(s.call.kernels).lstm_curve_back_f32(back, cell.f);
    else
      s.call.kernels.lstm_back_f32(back);
    through_gates(s, cell, true);
  }

  /// Keeps the gradient of h, and makes of it that of the projection's input.
  static void through_projection(const LstmCell& cell, const StepBack& s, LstmBack& back) {
    const int units = cell.units, wide = cell.c_units();
    memcpy(s.projected, s.state.dh, size_t(s.active) * size_t(units) * sizeof(float));
    s.call.kernels.product_f32(
        {s.transposed.hr, wide, units, 0},
        {{s.call.zeros, 0}, {s.state.dh, units}, 1, {s.state.spare, wide}, s.active});
    back.dh = s.state.spare;
    back.t_stride = cell.g_units();
    back.c_stride = back.dh_stride = back.dc_stride = back.hidden = wide;
  }

  /// Computes the gradients of the peepholes from each unit's sums, which are over the steps from
  /// the direction's last one to its first, and over the sequences of a step in their order.
  static void peephole_gradients(const LstmCell& cell, const TrainCall& call,
                                 const LayerRecord& direction, const float* sums) {
    float* const out = call.parameters.gradient_at(offset_of(direction, Role::peephole));
    for (int i = 0; i < 3 * cell.c_units(); ++i) out[i] = (call.adds ? out[i] : 0.0f) + sums[i];
  }
};

template <>
struct Back<RnnCell> {
  static void step(const RnnCell& cell, const StepBack& s) {
    const int units = cell.units;
    float *const dh = s.state.dh, *const h = s.state.spare;
    for (int i = 0; i < s.active; ++i)
      copy(s.a + ptrdiff_t(i) * cell.a_stride, h + ptrdiff_t(i) * units, units);
    if (cell.curved)
      curves_of(s.call.kernels).curve_back_f32(cell.f, h, dh, s.active, units, units);
    else
      s.call.kernels.activate_back_f32(Activation::tanh, h, dh, s.active, units, units);
    for (int i = 0; i < s.active; ++i)
      copy(dh + ptrdiff_t(i) * units, s.a + ptrdiff_t(i) * cell.a_stride, units);
    through_gates(s, cell, true);
  }
};

template <>
struct Back<FastGrnnCell> {
  static void step(const FastGrnnCell& cell, const StepBack& s) {
    const int units = cell.units;
    FastGrnnBack back{};
    back.a = s.a, back.a_stride = cell.a_stride;
    back.n = s.g, back.n_stride = units;
    back.h = s.h, back.h_stride = units;
    back.dh = s.state.dh, back.dh_stride = units;
    back.sums = s.sums;
    back.zeta = *cell.at(cell.zeta()), back.nu = *cell.at(cell.nu());
    back.hidden = units, back.count = s.active;
    back.gate = cell.gate;
    s.call.kernels.fastgrnn_back_f32(back);
    through_gates(s, cell, false);
  }

  /// Computes the gradients of the numbers that are in no product: the biases, zeta and nu. Each
  /// unit has sums of its own, over the steps from the direction's last one to its first, and over
  /// the sequences of a step in their order. For zeta and nu, the sums of the units are added to 0
  /// in the order of the units, then multiplied by the derivative of the sigmoid. The order is the
  /// same on every instruction set.
  static void other_gradients(const FastGrnnCell& cell, const TrainCall& call,
                              const LayerRecord& direction, const float* sums) {
    const int units = cell.units;
    float* const out = call.parameters.gradient_at(direction.w_hh);
    float* const bias[] = {out + cell.gate_bias(), out + cell.update_bias()};
    for (int i = 0; i < 2 * units; ++i) {
      float& to = bias[i / units][i % units];
      to = (call.adds ? to : 0.0f) + sums[i];
    }
    const ptrdiff_t places[] = {cell.zeta(), cell.nu()};
    for (int k = 0; k < 2; ++k) {
      float sum = 0.0f, share = *cell.at(places[k]);
      for (int i = 0; i < cell.hidden; ++i) sum += sums[(2 + k) * units + i];
      call.kernels.activate_f32(Activation::sigmoid, &share, 1, 1, 1);
      float& to = out[places[k]];
      to = (call.adds ? to : 0.0f) + share * (1.0f - share) * sum;
    }
  }
};

/// The cells that can be trained.
template <class...>
struct CellList {};
using TrainedCells = CellList<GruCell, GruBeforeCell, LstmCell, RnnCell, FastGrnnCell>;

}  // namespace sluice

#endif
