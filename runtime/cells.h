// The cells of recurrent layers: their shapes, weights and steps, which inference and training
// share. Gate order and names are PyTorch's; kernels/kernels.h has the formulas of the gates.
//   GRU         reset-after: r = s(W_ir x + b_ir + b_hr + W_hr h), z the same with its weights,
//               n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = z h + (1 - z) n
//               (Cho et al. 2014, the variant of cuDNN, PyTorch, and Keras with reset_after=True)
//   GruBefore   n = tanh(W_in x + b_n + W_hn (r h)), else as GRU
//               (Cho et al. 2014, Keras with reset_after=False)
//   Lstm        i, f, o = s(...), g = tanh(...), c' = f c + i g, h' = o tanh(c')
//               (Hochreiter, Schmidhuber 1997; Gers et al. 2000)
//   Rnn         h' = tanh(W_ih x + b_ih + b_hh + W_hh h)
//               (Elman 1990)
//   FastGrnn    u = W_ih x + W_hh h, z = s(u + b_z), n = tanh(u + b_n),
//               h' = (zeta (1 - z) + nu) n + z h
//               (Kusupati et al. 2018; zeta and nu are sigmoids of two trained numbers)
// s is the activation in the layer's record: the sigmoid, a hard sigmoid or tanh. In place of the
// other tanh, of a candidate and of an LSTM's output, the record may have another curve.
#ifndef SLUICE_CELLS_H
#define SLUICE_CELLS_H

#include <string.h>

#include "layer.h"

namespace sluice {

/// Copies a row of units panel by panel. Rows are short, and a call of memcpy for a whole row would
/// cost more than the copies.
inline void copy(const float* from, float* to, int units) {
  for (int i = 0; i < units; i += panel_rows) memcpy(to + i, from + i, panel_rows * sizeof(float));
}

/// Returns one direction of a recurrent layer as a record of its own.
inline LayerRecord direction_of(const LayerRecord& layer, bool backward) {
  LayerRecord one = layer;
  if (!goes_both_ways(layer)) return one;
  one.out = layer.out / 2;
  one.flags &= uint8_t(~both_directions_flag);
  if (backward)
    one.w_ih = layer.back[0], one.w_hh = layer.back[1], one.b_ih = layer.back[2],
    one.b_hh = layer.back[3];
  return one;
}

/// The arguments of one step of `count` streams. After it, a and g hold the values that the
/// backward step reads.
struct CellStep {
  float* a;  ///< [count][gates] In: the chains over the inputs
  float* g;  ///< [count][extra * units]
  /// The state that enters products: h itself, unless training drops or rounds it.
  const float* product_state;
  const float* h;
  const float* c;  ///< Lstm: the cell state
  int stride;      ///< of h, product_state and c from stream to stream; 0: one for all
  /// Lstm with a projection: of c and c_next, if there are several streams.
  int c_stride;
  float *h_next, *c_next;
  int next_stride;
  int count;
  float* low = nullptr;  ///< for low rank: [count][low_units] room for the state factor's product
  float* low_reset = nullptr;  ///< for low rank, GruBefore: the same over r * h; may be low
};

/// The shape and weights of a cell, and the products that all cells share.
struct Cell {
  int in, hidden;       ///< hidden without padding: the length of a chain over h
  int units;            ///< padded
  int gates;            ///< the chains of all gates: the length of a row of a
  int a_stride;         ///< from row to row of a: gates, unless the trainer spreads the rows
  bool other = false;   ///< of low rank, with another candidate than tanh, or with options
  bool curved = false;  ///< the candidate has the curve `f`
  Curve gate;
  const void *w_ih, *w_hh;
  const float *b_ih, *b_hh;
  int in_cols, state_cols;           ///< columns of w_ih and w_hh: in and hidden, or the rank
  int low_units = 0;                 ///< the rank, padded; 0: no matrix has low rank
  const float* ih_factor = nullptr;  ///< [low_units][in]; null: w_ih is whole
  const float* hh_factor = nullptr;  ///< [low_units][hidden]; null: w_hh is whole
  OtherCurve f;                      ///< set if curved

  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): f costs a plain cell nothing
  Cell(const LayerRecord& layer, const uint8_t* base, int gate_count)
      : in(int(layer.in)),
        hidden(int(layer.out)),
        units(padded(hidden)),
        gates(gate_count * units),
        a_stride(gates),
        gate(gate_curve(layer)),
        w_ih(base + layer.w_ih),
        w_hh(base + layer.w_hh),
        b_ih(reinterpret_cast<const float*>(base + layer.b_ih)),
        b_hh(reinterpret_cast<const float*>(base + layer.b_hh)),
        in_cols(in),
        state_cols(hidden) {
    if (!is_plain(layer)) find_others(layer, base);
  }

  bool plain() const { return only_plain_cells || !other; }
  bool low_rank() const { return holds_low_rank && low_units > 0; }

  /// Computes the product of a factor: y [rows][low_units], each chain from zero.
  void reduce(const Kernels& kernels, const float* factor, int cols, const float* x, int x_stride,
              float* y, int rows) const {
    // Only a cell without low rank, which has no factor, has no y.
    // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker)
    memset(y, 0, size_t(rows) * size_t(low_units) * sizeof(float));
    kernels.product_f32({factor, low_units, cols, 0},
                        {{y, low_units}, {x, x_stride}, 1, {y, low_units}, rows});
  }

  /// Computes the input products of `rows` frames at once: a [rows][gates].
  /// @param low  for low rank: [rows][low_units] room for the factor's product
  void inputs(const Kernels& kernels, const float* bias, int bias_stride, const float* x,
              int x_stride, float* low, float* a, int rows) const {
    if (low_rank() && ih_factor) {
      reduce(kernels, ih_factor, in, x, x_stride, low, rows);
      x = low, x_stride = low_units;
    }
    kernels.product_f32({w_ih, gates, in_cols, 0},
                        {{bias, bias_stride}, {x, x_stride}, 1, {a, a_stride}, rows});
  }

  /// Continues the first `rows` chains of a over the state.
  /// @param known_plain  the cell is plain, as the caller knows
  void over_state(const Kernels& kernels, const CellStep& s, int rows,
                  bool known_plain = false) const {
    const float* x = s.product_state;
    int stride = s.stride;
    if (!known_plain && low_rank()) {
      reduce(kernels, hh_factor, hidden, s.product_state, s.stride, s.low, s.count);
      x = s.low, stride = low_units;
    }
    kernels.product_f32({w_hh, rows, state_cols, 0},
                        {{s.a, a_stride}, {x, stride}, 1, {s.a, a_stride}, s.count});
  }

 private:
  void find_others(const LayerRecord& layer, const uint8_t* base) {
    other = true;
    if (holds_curves && layer.candidate) curved = true, f = candidate_curve(layer);
    if (!holds_low_rank || !layer.rank) return;
    const auto at = [&](Role role) {
      return reinterpret_cast<const float*>(base + offset_of(layer, role));
    };
    low_units = padded(layer.rank);
    state_cols = layer.rank, hh_factor = at(Role::state_factor);
    if (has_input_factor(layer)) in_cols = layer.rank, ih_factor = at(Role::input_factor);
  }

 protected:
  /// Writes b_ih + b_hh for the first `summed` rows, and b_ih for the others.
  void sum_biases(float* __restrict out, int summed) const {
    for (int i = 0; i < gates; i += panel_rows)
      for (int j = 0; j < panel_rows; ++j)
        out[i + j] = i < summed ? b_ih[i + j] + b_hh[i + j] : b_ih[i + j];
  }
};

/// Computes one stream's step in place, product by product.
template <class CellType>
void step_in_parts(const CellType& cell, const Kernels& kernels, const float* x, float* a, float* g,
                   float* low, float* state) {
  if (x) {
    cell.bias(a);
    cell.inputs(kernels, a, 0, x, 0, low, a, 1);
  }
  float* const c = state + cell.units;
  CellStep s;
  s.a = a, s.g = g;
  s.h = s.product_state = s.h_next = state;
  s.c = s.c_next = c;
  s.stride = s.next_stride = 0;
  s.count = 1;
  s.low = s.low_reset = low;
  cell.step(kernels, s);
}

struct GruCell : Cell {
  static constexpr int kind = SLUICE_GRU, extra = 1;  ///< g: g_x, then the candidate
  static constexpr int gate_count = anatomy_of(kind).gates;
  GruCell(const LayerRecord& layer, const uint8_t* base) : Cell(layer, base, gate_count) {}

  int g_units() const { return units; }
  void bias(float* out) const { sum_biases(out, 2 * units); }

  void step(const Kernels& kernels, const CellStep& s) const {
    begin(s);
    over_state(kernels, s, gates);
    finish(kernels, s);
  }
  /// Moves g_x from a to g, and puts the start of g_h in its place.
  void begin(const CellStep& s) const {
    for (int i = 0; i < s.count; ++i) {
      float* const candidate = s.a + ptrdiff_t(i) * a_stride + 2 * units;
      copy(candidate, s.g + ptrdiff_t(i) * units, units);
      copy(b_hh + 2 * units, candidate, units);
    }
  }
  void finish(const Kernels& kernels, const CellStep& s) const {
    Gates gru;
    gru.a = s.a, gru.a_stride = a_stride;
    gru.g = s.g, gru.g_stride = units;
    gru.h = s.h, gru.h_stride = s.stride;
    gru.h_next = s.h_next, gru.h_next_stride = s.next_stride;
    gru.hidden = units, gru.count = s.count;
    gru.gate = gate;
    if (holds_curves && curved) return curves_of(kernels).gru_curve_f32(gru, f);
    kernels.gru_f32(gru);
  }

  /// Computes one stream's step of a plain layer, in place, without a cell.
  /// This is the most frequent step in firmware.
  /// @param a  [4][units] scratch
  static void step_whole(const Kernels& kernels, const LayerRecord& layer, const uint8_t* base,
                         const float* x, float* a, float* state) {
    const int units = padded(int(layer.out));
    const auto at = [&](uint32_t offset) { return reinterpret_cast<const float*>(base + offset); };
    GruStep s;
    s.w_ih = at(layer.w_ih), s.w_hh = at(layer.w_hh);
    s.b_ih = at(layer.b_ih), s.b_hh = at(layer.b_hh);
    s.x = x;
    s.a = a, s.g = a + gate_count * units;
    s.h = s.h_next = state;
    s.in = int(layer.in), s.units = int(layer.out), s.hidden = units;
    s.gate = gate_curve(layer);
    kernels.gru_step_f32(s);
  }

  /// Computes one stream's step in place. If x is null, a holds the chains over the inputs already.
  /// The contents of a and g are undefined after it.
  void step_one(const Kernels& kernels, const float* x, float* a, float* g, float* low,
                float* state) const {
    if (!plain()) return step_in_parts(*this, kernels, x, a, g, low, state);
    GruStep s;
    s.w_ih = w_ih, s.w_hh = w_hh;
    s.b_ih = b_ih, s.b_hh = b_hh;
    s.x = x;
    s.a = a, s.g = g;
    s.h = s.h_next = state;
    s.in = in, s.units = hidden, s.hidden = units;
    s.gate = gate;
    kernels.gru_step_f32(s);
  }
};

/// A cell without a kernel for its whole step.
template <class CellType>
struct PlainCell : Cell {
  static constexpr int gate_count() { return anatomy_of(CellType::kind).gates; }
  // NOLINTNEXTLINE(bugprone-crtp-constructor-accessibility): the cells inherit it
  PlainCell(const LayerRecord& layer, const uint8_t* base) : Cell(layer, base, gate_count()) {}
  int g_units() const { return CellType::extra * units; }  ///< of a row of g
  void step_one(const Kernels& kernels, const float* x, float* a, float* g, float* low,
                float* state) const {
    step_in_parts(*static_cast<const CellType*>(this), kernels, x, a, g, low, state);
  }
};

struct GruBeforeCell : PlainCell<GruBeforeCell> {
  static constexpr int kind = SLUICE_GRU_BEFORE, extra = 1;  ///< g: r * h
  using PlainCell::PlainCell;

  void bias(float* out) const { copy(b_ih, out, gates); }
  /// Returns the candidate's matrix, which follows that of r and z.
  const float* w_hn() const {
    return static_cast<const float*>(w_hh) + ptrdiff_t(2) * units * state_cols;
  }
  ResetBefore rows(const CellStep& s) const {
    ResetBefore reset;
    reset.a = s.a, reset.a_stride = a_stride;
    reset.s = s.g, reset.s_stride = units;
    reset.h = s.h, reset.h_stride = s.stride;
    reset.h_next = s.h_next, reset.h_next_stride = s.next_stride;
    reset.hidden = units, reset.count = s.count;
    reset.gate = gate;
    return reset;
  }

  void step(const Kernels& kernels, const CellStep& s) const {
    over_state(kernels, s, 2 * units);
    finish(kernels, s);
  }
  void finish(const Kernels& kernels, const CellStep& s) const {
    ResetBefore reset = rows(s);
    reset.h = s.product_state;
    kernels.gru_reset_f32(reset);
    float* const candidate = s.a + 2 * units;
    const float* x = s.g;
    int stride = units;
    if (low_rank()) {
      reduce(kernels, hh_factor, hidden, s.g, units, s.low_reset, s.count);
      x = s.low_reset, stride = low_units;
    }
    kernels.product_f32({w_hn(), units, state_cols, 0},
                        {{candidate, a_stride}, {x, stride}, 1, {candidate, a_stride}, s.count});
    if (holds_curves && curved) return curves_of(kernels).gru_update_curve_f32(rows(s), f);
    kernels.gru_update_f32(rows(s));
  }
};

/// The record of a cell that is not plain must outlive it.
struct LstmCell : PlainCell<LstmCell> {
  /// g: tanh(c'); with a projection, then its input o * tanh(c').
  static constexpr int kind = SLUICE_LSTM, extra = 1;

  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): record_ costs a plain cell nothing
  LstmCell(const LayerRecord& layer, const uint8_t* base) : PlainCell(layer, base) {
    if (!holds_lstm_options || plain()) return;
    record_ = &layer;
    if (has_options()) gates = a_stride = gate_count() * padded(cells());
  }

  /// Returns whether the cell has peepholes or a projection, or clips its cell state. The functions
  /// below are of such a cell, except the numbers of a row.
  bool has_options() const {
    return holds_lstm_options && !plain() && (record_->options & lstm_options);
  }
  bool projects() const { return has_options() && (record_->options & projection_option); }
  int c_units() const { return projects() ? padded(cells()) : units; }      ///< of a row of c
  int g_units() const { return projects() ? 2 * padded(cells()) : units; }  ///< of a row of g
  int cells() const { return int(cells_of(*record_)); }
  /// Returns the projection's matrix [units][cells].
  const float* projection() const {
    return record_->options & peephole_option ? behind(peepholes() + 3 * c_units()) : peepholes();
  }
  OtherCurve curve() const { return candidate_curve(*record_); }
  LstmOptions options() const {
    return {record_->options & peephole_option ? peepholes() : nullptr, record_->cell_clip};
  }

  void bias(float* out) const { sum_biases(out, gates); }
  /// Asks once whether the cell is plain, which is the most frequent step in firmware.
  void step(const Kernels& kernels, const CellStep& s) const {
    if (plain()) {
      over_state(kernels, s, gates, true);
      return kernels.lstm_f32(lstm_of(s));
    }
    over_state(kernels, s, gates);
    finish(kernels, s);
  }
  void finish(const Kernels& kernels, const CellStep& s) const {
    if (has_options()) return finish_with_options(kernels, s);
    if (holds_curves && curved) return curves_of(kernels).lstm_curve_f32(lstm_of(s), f);
    kernels.lstm_f32(lstm_of(s));
  }

 private:
  /// Returns the first array behind those that other cells have too.
  const float* peepholes() const {
    return behind(low_rank() ? hh_factor + ptrdiff_t(low_units) * hidden : b_hh + gates);
  }
  /// Returns the array behind the end of another one, at the next multiple of 64 bytes of the blob.
  const float* behind(const float* end) const {
    const uint8_t* const blob = static_cast<const uint8_t*>(w_ih) - record_->w_ih;
    const auto used = size_t(reinterpret_cast<const uint8_t*>(end) - blob);
    constexpr size_t unit = weight_alignment - 1;
    return reinterpret_cast<const float*>(blob + ((used + unit) & ~unit));
  }

  /// It is a function of its own, so that a plain step has its stack for itself. With a projection,
  /// h' = W (o * tanh(c')), whose chains start from zero.
  __attribute__((noinline)) void finish_with_options(const Kernels& kernels,
                                                     const CellStep& s) const {
    LstmGates lstm = lstm_of(s);
    const bool projected = projects();
    if (projected) {
      lstm.hidden = c_units();
      lstm.t_stride = lstm.h_next_stride = g_units();
      lstm.c_stride = lstm.c_next_stride = s.count > 1 ? s.c_stride : 0;
      lstm.h_next = s.g + lstm.hidden;
    }
    curves_of(kernels).lstm_options_f32(lstm, curve(), options());
    if (!projected) return;
    for (int i = 0; i < s.count; ++i)
      memset(s.h_next + ptrdiff_t(i) * s.next_stride, 0, size_t(units) * sizeof(float));
    kernels.product_f32({projection(), units, cells(), 0}, {{s.h_next, s.next_stride},
                                                            {lstm.h_next, lstm.h_next_stride},
                                                            1,
                                                            {s.h_next, s.next_stride},
                                                            s.count});
  }

  LstmGates lstm_of(const CellStep& s) const {
    LstmGates lstm;
    lstm.a = s.a, lstm.a_stride = a_stride;
    lstm.t = s.g, lstm.t_stride = units;
    lstm.c = s.c, lstm.c_stride = s.stride;
    lstm.c_next = s.c_next, lstm.c_next_stride = s.next_stride;
    lstm.h_next = s.h_next, lstm.h_next_stride = s.next_stride;
    lstm.hidden = units, lstm.count = s.count;
    lstm.gate = gate;
    return lstm;
  }

  const LayerRecord* record_;  ///< set if the cell is not plain
};

struct RnnCell : PlainCell<RnnCell> {
  static constexpr int kind = SLUICE_RNN, extra = 0;
  using PlainCell::PlainCell;

  void bias(float* out) const { sum_biases(out, gates); }
  void step(const Kernels& kernels, const CellStep& s) const {
    over_state(kernels, s, gates);
    if (holds_curves && curved)
      curves_of(kernels).curve_f32(f, s.a, s.count, units, a_stride);
    else
      kernels.activate_f32(Activation::tanh, s.a, s.count, units, a_stride);
    for (int i = 0; i < s.count; ++i)
      copy(s.a + ptrdiff_t(i) * a_stride, s.h_next + ptrdiff_t(i) * s.next_stride, units);
  }
};

/// The chain starts from zero. The biases and the two numbers are behind w_hh, in the order of the
/// anatomy.
struct FastGrnnCell : PlainCell<FastGrnnCell> {
  static constexpr int kind = SLUICE_FASTGRNN, extra = 1;  ///< g: the candidate
  using PlainCell::PlainCell;

  /// Return the floats from the start of w_hh to the arrays behind it. Each array begins at a
  /// multiple of 64 bytes.
  ptrdiff_t gate_bias() const { return whole(ptrdiff_t(units) * state_cols); }
  ptrdiff_t update_bias() const { return gate_bias() + whole(units); }
  ptrdiff_t zeta() const { return update_bias() + whole(units); }
  ptrdiff_t nu() const { return zeta() + whole(panel_rows); }
  const float* at(ptrdiff_t place) const { return static_cast<const float*>(w_hh) + place; }

  void bias(float* out) const { memset(out, 0, size_t(gates) * sizeof(float)); }
  void step(const Kernels& kernels, const CellStep& s) const {
    over_state(kernels, s, gates);
    FastGrnnGates fast;
    fast.a = s.a, fast.a_stride = a_stride;
    fast.n = s.g, fast.n_stride = units;
    fast.h = s.h, fast.h_stride = s.stride;
    fast.h_next = s.h_next, fast.h_next_stride = s.next_stride;
    fast.gate_bias = at(gate_bias()), fast.update_bias = at(update_bias());
    fast.zeta = *at(zeta()), fast.nu = *at(nu());
    fast.hidden = units, fast.count = s.count;
    fast.gate = gate;
    kernels.fastgrnn_f32(fast);
  }

 private:
  static constexpr ptrdiff_t whole(ptrdiff_t floats) {
    constexpr auto line = ptrdiff_t(weight_alignment / sizeof(float));
    return (floats + line - 1) / line * line;
  }
};

}  // namespace sluice

#endif
