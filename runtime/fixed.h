// Cells, Dense and embedding in fixed point. The kernels compute a whole step. A sequence, or many
// streams, is computed one step after the other.
#ifndef SLUICE_FIXED_H
#define SLUICE_FIXED_H

#include <string.h>

#include "embedding.h"
#include "layer.h"

namespace sluice {

/// The two number formats in fixed point. The outputs of layers are int16 in both.
struct Int8 {
  static constexpr uint8_t format = SLUICE_INT8;
  static void run(const Kernels& kernels, const FixedGru& s) { kernels.gru_q8(s); }
  static void run(const Kernels& kernels, const FixedGruBefore& s) { kernels.gru_before_q8(s); }
  static void run(const Kernels& kernels, const FixedLstm& s) { kernels.lstm_q8(s); }
  static void run(const Kernels& kernels, const FixedRnn& s) { kernels.rnn_q8(s); }
  static void run(const Kernels& kernels, const FixedFastGrnn& s) { kernels.fastgrnn_q8(s); }
  static void run(const Kernels& kernels, const FixedDense& s) { kernels.dense_q8(s); }
  static void run(const Kernels& kernels, const FixedGru& s, FixedCurves f) {
    curves_of(kernels).gru_curve_q8(s, f);
  }
  static void run(const Kernels& kernels, const FixedGruBefore& s, FixedCurves f) {
    curves_of(kernels).gru_before_curve_q8(s, f);
  }
  static void run(const Kernels& kernels, const FixedLstm& s, FixedCurves f) {
    curves_of(kernels).lstm_curve_q8(s, f);
  }
  static void run(const Kernels& kernels, const FixedRnn& s, FixedCurves f) {
    curves_of(kernels).rnn_curve_q8(s, f);
  }
};
struct W8a16 {
  static constexpr uint8_t format = SLUICE_W8A16;
  static void run(const Kernels& kernels, const FixedGru& s) { kernels.gru_q16(s); }
  static void run(const Kernels& kernels, const FixedGruBefore& s) { kernels.gru_before_q16(s); }
  static void run(const Kernels& kernels, const FixedLstm& s) { kernels.lstm_q16(s); }
  static void run(const Kernels& kernels, const FixedRnn& s) { kernels.rnn_q16(s); }
  static void run(const Kernels& kernels, const FixedFastGrnn& s) { kernels.fastgrnn_q16(s); }
  static void run(const Kernels& kernels, const FixedDense& s) { kernels.dense_q16(s); }
  static void run(const Kernels& kernels, const FixedGru& s, FixedCurves f) {
    curves_of(kernels).gru_curve_q16(s, f);
  }
  static void run(const Kernels& kernels, const FixedGruBefore& s, FixedCurves f) {
    curves_of(kernels).gru_before_curve_q16(s, f);
  }
  static void run(const Kernels& kernels, const FixedLstm& s, FixedCurves f) {
    curves_of(kernels).lstm_curve_q16(s, f);
  }
  static void run(const Kernels& kernels, const FixedRnn& s, FixedCurves f) {
    curves_of(kernels).rnn_curve_q16(s, f);
  }
};

/// Returns a matrix whose biases are followed by its multipliers.
inline FixedMatrix fixed_matrix(const void* w, const int32_t* bias, uint8_t shift, int rows,
                                int cols, uint8_t order) {
  FixedMatrix matrix;
  matrix.w = w;
  matrix.bias = bias, matrix.m = bias + rows;
  matrix.shift = shift;
  matrix.rows = rows, matrix.cols = cols;
  matrix.order = Order(order);
  return matrix;
}

/// Copies a state panel by panel, in the width in which the kernel has stored it: a load that spans
/// two recent stores would wait for both.
inline void copy_state(const void* from, void* to, int units) {
  for (int i = 0; i < units; i += panel_rows)
    memcpy(static_cast<int16_t*>(to) + i, static_cast<const int16_t*>(from) + i,
           panel_rows * sizeof(int16_t));
}

/// Returns whether a layer reads the model's input.
inline bool reads_frame(const LayerRecord& layer) { return layer.source == 0; }

/// The 32-bit numbers between two possible starts of an array.
constexpr auto line = int(weight_alignment / sizeof(int32_t));
/// Returns the 32-bit numbers from the start of an array to the next array.
constexpr int whole(int numbers) { return (numbers + line - 1) / line * line; }

/// Returns the bytes of a row of a layer's output.
constexpr size_t row_bytes(int n) { return size_t(padded(n)) * sizeof(int16_t); }

/// The factors of low rank. Each is computed as a linear Dense, whose output the cell's matrix
/// reads.
struct Factors {
  FixedMatrix ih, hh;  ///< ih.rows 0: the matrix over the input is whole

  /// @param begin  the address of the factors, behind the layer's other arrays
  Factors(const LayerRecord& layer, const int32_t* begin) : ih{}, hh{} {
    const uint8_t* at = reinterpret_cast<const uint8_t*>(begin);
    if (has_input_factor(layer)) ih = take(layer, at, layer.factor_shift_ih, int(layer.in));
    hh = take(layer, at, layer.factor_shift_hh, int(layer.out));
  }

 private:
  static FixedMatrix take(const LayerRecord& layer, const uint8_t*& at, uint8_t shift, int cols) {
    const int rows = padded(layer.rank);
    const size_t bytes = size_t(rows) * size_t(blocked(cols)), unit = weight_alignment - 1;
    const auto* const bias = reinterpret_cast<const int32_t*>(at + ((bytes + unit) & ~unit));
    const uint8_t* const w = at;
    at = reinterpret_cast<const uint8_t*>(bias + 2 * rows);
    return fixed_matrix(w, bias, shift, rows, cols, layer.order);
  }
};

// The cells. Each has: scratch, the bytes that it needs besides those of the products; own, the
// 32-bit numbers of its own arrays between b_hh and the factors; and step, the arguments of its
// kernel.

struct FixedGruCell {
  using Step = FixedGru;
  static constexpr uint8_t kind = SLUICE_GRU;
  static size_t scratch(const LayerRecord&) { return 0; }
  static constexpr int own(int) { return 0; }
  static void complete(const StepCall&, Step&) {}
};

struct FixedRnnCell {
  using Step = FixedRnn;
  static constexpr uint8_t kind = SLUICE_RNN;
  static size_t scratch(const LayerRecord&) { return 0; }
  static constexpr int own(int) { return 0; }
  static void complete(const StepCall&, Step&) {}
};

/// The state is h, then c.
struct FixedLstmCell {
  using Step = FixedLstm;
  static constexpr uint8_t kind = SLUICE_LSTM;
  static size_t scratch(const LayerRecord&) { return 0; }
  static constexpr int own(int) { return 0; }
  static void complete(const StepCall& call, Step& s) {
    s.c = s.h + s.units, s.shift_c = call.layer.shift_c;
  }
};

/// b_hh and its multipliers are followed by the biases of gate and candidate, zeta and nu, each at
/// a multiple of 64 bytes.
struct FixedFastGrnnCell {
  using Step = FixedFastGrnn;
  static constexpr uint8_t kind = SLUICE_FASTGRNN;
  static size_t scratch(const LayerRecord&) { return 0; }
  static constexpr int own(int units) { return 2 * whole(units) + 2 * line; }
  static void complete(const StepCall& call, Step& s) {
    s.gate_bias = s.hh.bias + 2 * s.units;
    s.update_bias = s.gate_bias + whole(s.units);
    const int32_t* const zeta = s.update_bias + whole(s.units);
    s.zeta = zeta[0], s.nu = zeta[line], s.shift_c = call.layer.shift_c;
  }
};

/// w_hn is right behind w_hh. Their biases and multipliers are one array of three gates.
struct FixedGruBeforeCell {
  using Step = FixedGruBefore;
  static constexpr uint8_t kind = SLUICE_GRU_BEFORE;
  static size_t scratch(const LayerRecord& layer) {
    const size_t two_rows = 2 * size_t(padded(int(layer.out))) * sizeof(int16_t);
    if (!holds_low_rank || !layer.rank) return two_rows;
    return two_rows + row_bytes(layer.rank) + side_bytes(int(layer.out));
  }
  static constexpr int own(int) { return 0; }
  static void complete(const StepCall&, Step& s) {
    const int before = 2 * s.units;
    s.hn = s.hh;
    s.hh.rows = before;
    s.hn.w = static_cast<const uint8_t*>(s.hh.w) + size_t(before) * size_t(blocked(s.hh.cols));
    s.hn.bias += before, s.hn.m += before, s.hn.rows = s.units;
  }
};

template <class Format, class Cell>
struct FixedRecurrent {
  static int state(const LayerRecord& layer) {
    return anatomy_of(Cell::kind).states * padded(int(layer.out)) * int(sizeof(int16_t));
  }
  static size_t scratch(const LayerRecord& layer) {
    const int in = int(layer.in), out = int(layer.out);
    if (!holds_low_rank || !layer.rank)
      return side_bytes(in) + side_bytes(out) + Cell::scratch(layer);
    const size_t products = own_scratch(layer) + row_bytes(layer.rank);
    if (!has_input_factor(layer)) return products + side_bytes(out);
    return products + row_bytes(layer.rank) + side_bytes(in > out ? in : out);
  }
  /// For low rank, returns the bytes of the cell's step. The factors' products are behind them.
  static size_t own_scratch(const LayerRecord& layer) {
    const int in = has_input_factor(layer) ? layer.rank : int(layer.in);
    return side_bytes(in) + side_bytes(layer.rank) + Cell::scratch(layer);
  }

  static void step(const StepCall& call) {
    const LayerRecord& layer = call.layer;
    constexpr int gates = Cell::Step::gates;
    const int units = padded(int(layer.out));
    const auto matrix = [&](uint32_t w, uint32_t b, uint8_t shift, uint32_t cols) {
      return fixed_matrix(call.model.blob + w, call.model.ints_at(b), shift, gates * units,
                          int(cols), layer.order);
    };
    auto* const h = reinterpret_cast<int16_t*>(call.state);
    typename Cell::Step s;
    s.ih = matrix(layer.w_ih, layer.b_ih, layer.shift_ih, layer.in);
    s.hh = matrix(layer.w_hh, layer.b_hh, layer.shift_hh, layer.out);
    s.x = call.x, s.frame = reads_frame(layer);
    s.h = h, s.product_state = h;
    s.units = units;
    s.scratch = call.scratch;
    if (is_plain(layer)) {
      Cell::complete(call, s);
      Format::run(*call.model.kernels, s);
    } else {
      run_other(call, s);
    }
    copy_state(call.state, call.y, units);
  }

  /// Runs a cell of low rank or of other curves. It is a function of its own, so that the step of a
  /// plain cell has its registers and its stack for itself.
  __attribute__((noinline)) static void run_other(const StepCall& call, typename Cell::Step& s) {
    const LayerRecord& layer = call.layer;
    if (holds_low_rank && layer.rank) reduce(call, s);
    Cell::complete(call, s);
    if constexpr (holds_curves && anatomy_of(Cell::kind).curved) {
      if (layer.candidate || layer.options)
        return Format::run(*call.model.kernels, s,
                           FixedCurves{layer.options != 0,
                                       Activation(candidate_of(layer.candidate)), layer.shift_h});
    }
    Format::run(*call.model.kernels, s);
  }

  static constexpr uint8_t flags = every_step_flag | (holds_initial_state ? initial_state_flag : 0);

  /// Computes the factors' products, which replace the input and the state of the cell's products.
  static void reduce(const StepCall& call, typename Cell::Step& s) {
    const LayerRecord& layer = call.layer;
    const Factors factors(layer, s.hh.bias + 2 * s.hh.rows + Cell::own(s.units));
    uint8_t* const room = static_cast<uint8_t*>(call.scratch) + own_scratch(layer);
    auto* const product_state = reinterpret_cast<int16_t*>(room);
    int16_t* const x = product_state + padded(layer.rank);
    void* const side = x + factors.ih.rows;
    const auto product = [&](const FixedMatrix& m, const void* from, bool frame, int16_t* to) {
      Format::run(*call.model.kernels, FixedDense{m, from, frame, Activation::linear, to, side});
    };
    if (factors.ih.rows) {
      product(factors.ih, s.x, s.frame, x);
      s.x = x, s.frame = false, s.ih.cols = layer.rank;
    }
    product(factors.hh, s.h, false, product_state);
    s.product_state = product_state, s.hh.cols = layer.rank;
    if constexpr (Cell::kind == SLUICE_GRU_BEFORE) s.factor = factors.hh;
  }

  static constexpr LayerKind kind =
      make_kind<Cell::kind, Format::format>(state, step, nullptr, scratch, flags);
};

template <class Format>
struct FixedDenseLayer {
  static size_t scratch(const LayerRecord& layer) {
    if (!has_parts(layer)) return side_bytes(int(layer.in));
    const LayerRecord one = part_record(layer);
    return side_bytes(int(one.in)) + row_bytes(int(one.in)) + row_bytes(int(one.out));
  }

  static void step(const StepCall& call) {
    if (has_parts(call.layer)) return step_parts(call);
    apply(call, call.layer, call.x, static_cast<int16_t*>(call.y), call.scratch);
  }

  static void apply(const StepCall& call, const LayerRecord& layer, const void* x, int16_t* y,
                    void* side) {
    const bool logits = layer.flags & answer_flag &&
                        (layer.activation == SLUICE_SIGMOID || layer.activation == SLUICE_SOFTMAX);
    Format::run(
        *call.model.kernels,
        FixedDense{fixed_matrix(call.model.blob + layer.w_ih, call.model.ints_at(layer.b_ih),
                                layer.shift_ih, padded(int(layer.out)), int(layer.in), layer.order),
                   x, reads_frame(layer),
                   logits ? Activation::linear : Activation(layer.activation), y, side});
  }

  /// Applies one matrix to each of the parts of a row. Kernels read and write whole, aligned rows,
  /// so the parts are copied.
  __attribute__((noinline)) static void step_parts(const StepCall& call) {
    const LayerRecord one = part_record(call.layer);
    auto* const x = static_cast<uint8_t*>(call.scratch);
    auto* const y = reinterpret_cast<int16_t*>(x + row_bytes(int(one.in)));
    void* const side = y + padded(int(one.out));
    const size_t bytes = size_t(one.in) * (reads_frame(one) ? call.model.x_bytes : sizeof(int16_t));
    for (uint32_t part = 0; part < call.layer.parts; ++part) {
      memcpy(x, static_cast<const uint8_t*>(call.x) + part * bytes, bytes);
      apply(call, one, x, y, side);
      memcpy(static_cast<int16_t*>(call.y) + part * one.out, y, size_t(one.out) * sizeof(int16_t));
    }
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_DENSE, Format::format>(no_state, step, nullptr, scratch);
};

/// Outputs the column of weights of an id. Each weight is the upper byte of an int16.
template <class Format>
struct FixedEmbedding {
  static size_t scratch(const LayerRecord&) { return 0; }

  static void step(const StepCall& call) {
    const LayerRecord& layer = call.layer;
    const uint8_t* const weights = call.model.blob + layer.w_ih;
    const int column = known_id(*static_cast<const int32_t*>(call.x), layer.in);
    for (int row = 0; row < padded(int(layer.out)); ++row) {
      const size_t at = weight_index(own_order, int(layer.in), row, column);
      const int weight = int8_t(is_biased(own_order, at) ? weights[at] ^ 0x80 : weights[at]);
      static_cast<int16_t*>(call.y)[row] = int16_t(256 * weight);
    }
  }

  static constexpr LayerKind kind =
      make_kind<SLUICE_EMBEDDING, Format::format>(no_state, step, nullptr, scratch);
};

}  // namespace sluice

#endif
