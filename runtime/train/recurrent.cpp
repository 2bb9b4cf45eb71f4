// Back-propagation through time for every cell. The values that a forward step leaves in a and g
// are replaced by gradients, in place.
//
// A direction keeps its states in blocks of [sequences][units], one more than steps. The forward
// direction has the state before step t in block t and the state after it in block t + 1; the
// backward direction has them the other way round. Rows behind a sequence's end hold zeros, so that
// in the backward direction a shorter sequence begins from the zero state.
#include <string.h>

#include "../cells.h"
#include "gate_dropout.h"
#include "train.h"

namespace sluice {
namespace {

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
};

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

/// The arguments of one backward step: through the gates, and through the products with the
/// transposed weights.
struct StepBack {
  const TrainCall& call;
  const Transposed& transposed;
  const GateDropout& gates;
  const StateGradient& state;
  float *a = nullptr, *g = nullptr;      ///< rows of this step
  const float* h = nullptr;              ///< the state before, which the update reads
  const float* product_state = nullptr;  ///< the state before, as it entered the products
  const float* c = nullptr;              ///< the cell state before
  const float* mask = nullptr;           ///< [sequences][units] of recurrent dropout; null: none
  float* sums = nullptr;                 ///< [4][units] of a FastGRNN, over all steps; else null
  int active = 0;
  bool first =
      false;  ///< the direction's first step: the gradient of the state before is not needed
  float* low = nullptr;        ///< for low rank: rows of this step for the gradient of the state
                               ///< factor's product
  float* low_reset = nullptr;  ///< the same over r * h, of a GruBefore
};

/// Computes y = init + W^T da for the active rows, through both factors if W has low rank.
/// @param low  receives the gradient of the factor's product
void back_through(const StepBack& s, const Cell& cell, const float* w, int w_rows, const float* da,
                  float* low, const float* init, int init_stride, float* y) {
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
void through_product(const StepBack& s, const Cell& cell, int w_rows, const float* da,
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
void through_gates(const StepBack& s, const Cell& cell, bool fresh) {
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
    s.call.kernels.lstm_back_f32(back);
    through_gates(s, cell, true);
  }
};

template <>
struct Back<RnnCell> {
  static void step(const RnnCell& cell, const StepBack& s) {
    const int units = cell.units;
    float *const dh = s.state.dh, *const h = s.state.spare;
    for (int i = 0; i < s.active; ++i)
      copy(s.a + ptrdiff_t(i) * cell.a_stride, h + ptrdiff_t(i) * units, units);
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
};

/// Returns the floats from row to row: never a multiple of two cache lines, so that a column of
/// rows is not mapped to a few sets of the cache.
constexpr int padded_stride(int floats) { return floats % 32 ? floats : floats + 16; }

/// The forward pass of one direction, and the arrays that it keeps for the backward pass.
template <class CellType>
struct DirectionPass {
  CellType cell;
  const LayerRecord& layer;
  bool backward;
  int n, steps, units;
  float* a;              ///< [steps][sequences][a_stride]
  float* g;              ///< [steps][sequences][extra * units]
  float* h;              ///< [steps + 1][sequences][units]
  float* c;              ///< [steps + 1][sequences][units] of an LSTM; else null
  float* product_state;  ///< h as it enters products; h itself if nothing is dropped or rounded
  float* mask;           ///< [sequences][units] of dropout on the state; null: none
  float* sums;           ///< [4][units] sums of the backward pass, of a FastGRNN; else null
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
    g = arena.take<float>(rows * uint64_t(CellType::extra * units));
    h = arena.take<float>(blocks);
    c = (anatomy_of(CellType::kind).states == 2) ? arena.take<float>(blocks) : nullptr;
    mask =
        call.recurrent_dropout > 0.0f ? arena.take<float>(uint64_t(n) * uint64_t(units)) : nullptr;
    product_state =
        call.recurrent_dropout > 0.0f || call.rounding.unit > 0.0f ? arena.take<float>(blocks) : h;
    sums = CellType::kind == SLUICE_FASTGRNN ? arena.take<float>(4 * uint64_t(units)) : nullptr;
    if (call.gate_dropout > 0.0f) gate.take(cell, n, steps, arena);
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
  /// Returns the states after every step, [steps][sequences][units].
  const float* after_all() const { return h + after(0); }

  /// Sets the state from which the direction begins: that of the sequence, or zero.
  void begin(const TrainCall& call) const {
    const size_t bytes = size_t(n) * size_t(units) * sizeof(float);
    float* const first_h = h + before(frame(0));
    float* const first_c = c ? c + before(frame(0)) : nullptr;
    memset(first_h, 0, bytes);
    if (c) memset(first_c, 0, bytes);
    for (int s = 0; s < n; ++s) {
      const float* const state = call.sequences[call.shard.index[s]].state;
      if (!state || backward) continue;
      memcpy(first_h + ptrdiff_t(s) * units, state + call.state_offset,
             size_t(units) * sizeof(float));
      if (c)
        memcpy(first_c + ptrdiff_t(s) * units, state + call.state_offset + units,
               size_t(units) * sizeof(float));
    }
    write_product_state(call, before(frame(0)));
  }

  /// Stores the state after each sequence's last frame, if the sequence has a place for it.
  void end(const TrainCall& call) const {
    for (int s = 0; s < n; ++s) {
      float* const state = call.sequences[call.shard.index[s]].state;
      if (!state || backward) continue;
      const ptrdiff_t last = after(call.shard.length[s] - 1) + ptrdiff_t(s) * units;
      memcpy(state + call.state_offset, h + last, size_t(units) * sizeof(float));
      if (c) memcpy(state + call.state_offset + units, c + last, size_t(units) * sizeof(float));
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
      s.a = a + row * cell.a_stride, s.g = g + row * CellType::extra * units;
      s.product_state = product_state + from;
      s.h = h + from, s.h_next = h + to;
      if (c) s.c = c + from, s.c_next = c + to;
      s.stride = s.next_stride = units;
      s.count = shard.active(t);
      s.low = row_of(state.y, row), s.low_reset = row_of(reset.y, row);
      step(call.kernels, s, gate.on() ? gate.states + from : nullptr);
      clear_ended(shard, t, units, h + to - row * units);
      if (c) clear_ended(shard, t, units, c + to - row * units);
      write_product_state(call, to);
    }
    end(call);
  }
};

/// The output of a layer. If it has every step and one direction, the output is the states
/// themselves.
struct LayerOutput {
  bool both, every, mean;
  int hidden, width;
  float* y;  ///< [rows_out][width]; null: the states themselves

  LayerOutput(const TrainCall& call, Arena& arena)
      : both(call.layer.flags & both_directions_flag),
        every(call.layer.flags & every_step_flag),
        mean(call.layer.flags & mean_flag),
        hidden(int(call.layer.out) / (both ? 2 : 1)),
        width(padded(int(call.layer.out))),
        y(every && !both ? nullptr : arena.take<float>(uint64_t(call.rows_out) * uint64_t(width))) {
  }

  template <class CellType>
  void write(const TrainCall& call, const DirectionPass<CellType>& direction) const {
    if (!y) return;
    const Shard& shard = call.shard;
    const int column = direction.backward ? hidden : 0, units = direction.units;
    for (int row = 0; row < call.rows_out; ++row) {
      const int s = row % direction.n;
      float* const to = y + ptrdiff_t(row) * width + column;
      const float* const states = direction.after_all() + ptrdiff_t(s) * units;
      const ptrdiff_t step = ptrdiff_t(direction.n) * units;
      if (!direction.backward) memset(to, 0, size_t(width) * sizeof(float));
      if (mean)
        average(call.kernels, states, step, shard.length[s], to, direction.backward);
      else
        memcpy(to,
               states + step * (every                ? row / direction.n
                                : direction.backward ? 0
                                                     : shard.length[s] - 1),
               size_t(hidden) * sizeof(float));
    }
  }

  /// Computes the mean like the runtime: adds up in the order of the direction, then divides.
  void average(const Kernels& kernels, const float* states, ptrdiff_t step, int length, float* to,
               bool backward) const {
    for (int i = 0; i < length; ++i)
      kernels.add_f32(states + step * (backward ? length - 1 - i : i), to, size_t(hidden));
    for (int i = 0; i < hidden; ++i) to[i] = to[i] / float(length);
  }

  /// Adds the gradient of the output to that of a step's states: dh [sequences][units].
  template <class CellType>
  void add_gradient(const TrainCall& call, const DirectionPass<CellType>& direction, int i,
                    float* dh) const {
    const int t = direction.frame(i), column = direction.backward ? hidden : 0,
              active = call.shard.active(t), units = direction.units;
    if (every && !both)
      return call.kernels.add_f32(call.dy + ptrdiff_t(t) * direction.n * units, dh,
                                  size_t(active) * size_t(units));
    for (int s = 0; s < active; ++s) {
      const int length = call.shard.length[s];
      if (!every && !mean && t != (direction.backward ? 0 : length - 1)) continue;
      const float* const dy = call.dy + ptrdiff_t(every ? t * direction.n + s : s) * width + column;
      float* const to = dh + ptrdiff_t(s) * units;
      for (int j = 0; j < hidden; ++j) to[j] += mean ? dy[j] / float(length) : dy[j];
    }
  }
};

/// The TrainKind of a cell.
template <class CellType>
struct Trained {
  /// Takes arrays for the transposed weights of a direction, and fills them if `write`.
  static Transposed take_transposed(const CellType& cell, bool wants_dx, Arena& arena, bool write) {
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
    if (cell.low_rank()) t.hh_factor = take(cell.hh_factor, cell.low_units, cell.hidden);
    const bool reduces = cell.low_rank() && cell.ih_factor;
    if (wants_dx || reduces) t.ih = take(cell.w_ih, cell.gates, cell.in_cols);
    if (wants_dx && reduces) t.ih_factor = take(cell.ih_factor, cell.low_units, cell.in);
    return t;
  }

  static const float* prepare(const LayerRecord& layer, const uint8_t* base, bool wants_dx,
                              Arena& arena) {
    const float* first = nullptr;
    for (int d = 0; d < (layer.flags & both_directions_flag ? 2 : 1); ++d) {
      const CellType cell(direction_of(layer, d == 1), base);
      const Transposed taken = take_transposed(cell, wants_dx, arena, !arena.measures());
      if (d == 0) first = taken.hh;
    }
    return first;
  }

  static float* forward(const TrainCall& call, int, Arena& arena) {
    const bool both = call.layer.flags & both_directions_flag;
    const LayerRecord ahead = direction_of(call.layer, false),
                      back = direction_of(call.layer, true);
    const LayerOutput output(call, arena);
    const DirectionPass<CellType> first(call, ahead, false, arena);
    take_state(first, arena);
    float* const bias = arena.take<float>(uint64_t(first.cell.gates));
    if (!arena.measures()) run(call, first, output, bias);
    if (both) {
      const DirectionPass<CellType> second(call, back, true, arena);
      if (!arena.measures()) run(call, second, output, bias);
    }
    return output.y || arena.measures() ? output.y : first.h + first.after(0);
  }

  static void run(const TrainCall& call, const DirectionPass<CellType>& direction,
                  const LayerOutput& output, float* bias) {
    direction.forward(call, bias);
    output.write(call, direction);
  }

  static StateGradient take_state(const DirectionPass<CellType>& direction, Arena& arena) {
    return {uint64_t(direction.n) * uint64_t(direction.units), arena};
  }

  static void backward(const TrainCall& call, int, Arena& arena) {
    const bool both = call.layer.flags & both_directions_flag;
    const LayerRecord ahead = direction_of(call.layer, false),
                      back = direction_of(call.layer, true);
    const LayerOutput output(call, arena);
    const DirectionPass<CellType> first(call, ahead, false, arena);
    const StateGradient state = take_state(first, arena);
    arena.take<float>(uint64_t(first.cell.gates));
    // Takes the transposed weights again, in the order in which prepare took them.
    Arena prepared(const_cast<float*>(call.transposed));
    if (!arena.measures())
      backward_direction(call, first, output, take_transposed(first.cell, call.dx, prepared, false),
                         state);
    if (!both) return;
    const DirectionPass<CellType> second(call, back, true, arena);
    if (!arena.measures())
      backward_direction(call, second, output,
                         take_transposed(second.cell, call.dx, prepared, false), state);
  }

  static void backward_direction(const TrainCall& call, const DirectionPass<CellType>& direction,
                                 const LayerOutput& output, const Transposed& transposed,
                                 const StateGradient& state) {
    const size_t bytes = size_t(direction.n) * size_t(direction.units) * sizeof(float);
    memset(state.dh, 0, bytes);
    memset(state.dc, 0, bytes);
    if (direction.sums) memset(direction.sums, 0, 4 * size_t(direction.units) * sizeof(float));
    for (int i = direction.steps - 1; i >= 0; --i) {
      const int t = direction.frame(i);
      const ptrdiff_t row = ptrdiff_t(t) * direction.n;
      output.add_gradient(call, direction, i, state.dh);
      StepBack step{call, transposed, direction.gate, state};
      step.a = direction.a + row * direction.cell.a_stride;
      step.g = direction.g + row * CellType::extra * direction.units;
      step.h = direction.h + direction.before(t);
      step.product_state = direction.product_state + direction.before(t);
      if (direction.c) step.c = direction.c + direction.before(t);
      step.mask = direction.mask;
      step.sums = direction.sums;
      step.active = call.shard.active(t);
      step.first = i == 0;
      step.low = direction.row_of(direction.state.dy, row);
      step.low_reset = direction.row_of(direction.reset.dy, row);
      Back<CellType>::step(direction.cell, step);
      clear_ended(call.shard, t, direction.cell.a_stride, direction.a);
      if (CellType::extra) clear_ended(call.shard, t, direction.units, direction.g);
    }
    gradients(call, direction, transposed);
    if (call.dx) frames_gradient(call, direction, transposed);
  }

  /// Computes dx = W^T da for all rows.
  static void frames_gradient(const TrainCall& call, const DirectionPass<CellType>& direction,
                              const Transposed& transposed) {
    const CellType& cell = direction.cell;
    const int in = padded(cell.in);
    const Matrix w_ih{transposed.ih, in, cell.gates, 0};
    if (direction.gate.on())
      return direction.gate.frames_gradient(call, cell, w_ih, direction.a, direction.backward,
                                            call.dx);
    const float* const init = direction.backward ? call.dx : call.zeros;
    const int init_stride = direction.backward ? in : 0;
    if (transposed.ih_factor)
      call.kernels.product_f32({transposed.ih_factor, in, cell.low_units, 0},
                               {{init, init_stride},
                                {direction.input.dy, cell.low_units},
                                1,
                                {call.dx, in},
                                call.rows_in});
    else
      call.kernels.product_f32(
          w_ih,
          {{init, init_stride}, {direction.a, cell.a_stride}, 1, {call.dx, in}, call.rows_in});
  }

  /// Computes the gradients of the weights from those of the chains, in a, in the order of the
  /// frames.
  static void gradients(const TrainCall& call, const DirectionPass<CellType>& direction,
                        const Transposed& transposed) {
    const Parameters& p = call.parameters;
    const CellType& cell = direction.cell;
    const Columns all{direction.a, cell.a_stride, cell.gates, direction.steps * direction.n};
    recurrent_gradients(call, direction, all);
    float* const ih = p.gradient_at(direction.layer.w_ih);
    if (direction.gate.on())
      direction.gate.gradient(call, cell, all.dy, all.count, direction.gate.frames,
                              direction.gate.width, call.x, call.x_stride, cell.in, ih);
    else if (cell.low_rank() && cell.ih_factor)
      input_factor_gradients(call, direction, all, transposed, ih);
    else
      weight_gradient(call, all, call.x, call.x_stride, cell.in, ih);
    if constexpr (CellType::kind == SLUICE_FASTGRNN)
      gate_gradients(call, direction);
    else
      bias_gradient(call, all, p.gradient_at(direction.layer.b_ih));
  }

  /// Computes the gradients of an input matrix of low rank, t being the factor's product:
  /// dW1 = da t^T, dt = W1^T da, dW2 = dt x^T.
  static void input_factor_gradients(const TrainCall& call,
                                     const DirectionPass<CellType>& direction, const Columns& all,
                                     const Transposed& transposed, float* ih) {
    const CellType& cell = direction.cell;
    const int low = cell.low_units;
    weight_gradient(call, all, direction.input.y, low, cell.in_cols, ih);
    call.kernels.product_f32(
        {transposed.ih, low, cell.gates, 0},
        {{call.zeros, 0}, {all.dy, all.stride}, 1, {direction.input.dy, low}, all.count});
    weight_gradient(call, {direction.input.dy, low, low, all.count}, call.x, call.x_stride, cell.in,
                    gradient_of(call, direction, Role::input_factor));
  }

  static float* gradient_of(const TrainCall& call, const DirectionPass<CellType>& direction,
                            Role role) {
    return call.parameters.gradient_at(offset_of(direction.layer, role));
  }

  /// Computes the gradients of a FastGRNN's biases, and of zeta and nu. Each unit has sums of its
  /// own, over the steps from the direction's last one to its first, and over the sequences of a
  /// step in their order. For zeta and nu, the sums of the units are added to 0 in the order of the
  /// units, then multiplied by the derivative of the sigmoid. The order is the same on every
  /// instruction set.
  static void gate_gradients(const TrainCall& call, const DirectionPass<CellType>& direction) {
    const CellType& cell = direction.cell;
    const int units = cell.units;
    float* const out = call.parameters.gradient_at(direction.layer.w_hh);
    float* const bias[] = {out + cell.gate_bias(), out + cell.update_bias()};
    for (int i = 0; i < 2 * units; ++i) {
      float& to = bias[i / units][i % units];
      to = (call.adds ? to : 0.0f) + direction.sums[i];
    }
    const ptrdiff_t places[] = {cell.zeta(), cell.nu()};
    for (int k = 0; k < 2; ++k) {
      float sum = 0.0f, share = *cell.at(places[k]);
      for (int i = 0; i < cell.hidden; ++i) sum += direction.sums[(2 + k) * units + i];
      call.kernels.activate_f32(Activation::sigmoid, &share, 1, 1, 1);
      float& to = out[places[k]];
      to = (call.adds ? to : 0.0f) + share * (1.0f - share) * sum;
    }
  }

  /// Computes dW2 = dt h^T. A GruBefore adds the gradient through r * h.
  static void state_factor_gradient(const TrainCall& call, const DirectionPass<CellType>& direction,
                                    const float* product_state) {
    const CellType& cell = direction.cell;
    const int low = cell.low_units, rows = direction.steps * direction.n;
    float* const to = gradient_of(call, direction, Role::state_factor);
    weight_gradient(call, {direction.state.dy, low, low, rows}, product_state, direction.units,
                    cell.hidden, to);
    if (CellType::kind != SLUICE_GRU_BEFORE) return;
    TrainCall more = call;
    more.adds = true;
    weight_gradient(more, {direction.reset.dy, low, low, rows}, direction.g, direction.units,
                    cell.hidden, to);
  }

  static void recurrent_gradients(const TrainCall& call, const DirectionPass<CellType>& direction,
                                  const Columns& all) {
    const Parameters& p = call.parameters;
    const CellType& cell = direction.cell;
    const float* const product_state = direction.product_state + direction.before(0);
    const float* const gate_inputs =
        direction.gate.on() ? direction.gate.states + direction.before(0) : product_state;
    const int units = direction.units;
    float* const hh = p.gradient_at(direction.layer.w_hh);
    const bool low = cell.low_rank();
    const int stride = low ? cell.low_units : units, cols = cell.state_cols;
    if (low) state_factor_gradient(call, direction, product_state);
    if constexpr (CellType::kind == SLUICE_GRU_BEFORE) {
      weight_gradient(call, {all.dy, all.stride, 2 * units, all.count},
                      low ? direction.state.y : gate_inputs, stride, cols, hh);
      weight_gradient(call, {all.dy + 2 * units, all.stride, units, all.count},
                      low ? direction.reset.y : direction.g, stride, cols,
                      hh + ptrdiff_t(2) * units * cols);
    } else {
      if (direction.gate.on())
        direction.gate.gradient(call, cell, all.dy, all.count, gate_inputs, units, product_state,
                                units, cell.hidden, hh);
      else
        weight_gradient(call, all, low ? direction.state.y : product_state, stride, cols, hh);
      if constexpr (CellType::kind != SLUICE_FASTGRNN)
        bias_gradient(call, all, p.gradient_at(direction.layer.b_hh));
    }
    // Over the inputs, the gradients of a GRU that resets after differ only in the candidate: that
    // of g_x replaces that of g_h.
    for (int row = 0; CellType::kind == SLUICE_GRU && row < all.count; ++row)
      copy(direction.g + ptrdiff_t(row) * units,
           direction.a + ptrdiff_t(row) * cell.a_stride + 2 * units, units);
  }

  static constexpr TrainKind kind{CellType::kind, {1, 1}, nullptr, prepare, forward, backward};
};

constexpr TrainKind cells[] = {Trained<GruCell>::kind, Trained<GruBeforeCell>::kind,
                               Trained<LstmCell>::kind, Trained<RnnCell>::kind,
                               Trained<FastGrnnCell>::kind};

}  // namespace

const TrainKind* train_cell(uint8_t kind) {
  for (const TrainKind& cell : cells)
    if (cell.kind == kind) return &cell;
  return nullptr;
}

}  // namespace sluice
