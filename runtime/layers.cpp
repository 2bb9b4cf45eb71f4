// The list of layers, and the arrays of weights that each has.
#include "change.h"
#include "dense.h"
#include "embedding.h"
#include "fixed.h"
#include "norm.h"
#include "recurrent.h"

namespace sluice {

namespace {
// Firmware may leave some out (SLUICE_LAYERS, SLUICE_FORMATS in CMakeLists.txt).
constexpr LayerKind kinds[] = {
#ifndef SLUICE_WITHOUT_F32
#ifndef SLUICE_WITHOUT_GRU
    Recurrent<GruCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_GRU_BEFORE
    Recurrent<GruBeforeCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_LSTM
    Recurrent<LstmCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_RNN
    Recurrent<RnnCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_DENSE
    Dense::kind,
#endif
#ifndef SLUICE_WITHOUT_EMBEDDING
    Embedding::kind,
#endif
#ifndef SLUICE_WITHOUT_NORM
    BatchNorm::kind,
    LayerNorm::kind,
#endif
#ifndef SLUICE_WITHOUT_CHANGE
    Difference::kind,
    AddInput::kind,
#endif
#ifndef SLUICE_WITHOUT_STANDARDIZE
    Standardize::kind,
#endif
#endif
#ifndef SLUICE_WITHOUT_INT8
#ifndef SLUICE_WITHOUT_GRU
    FixedRecurrent<Int8, FixedGruCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_GRU_BEFORE
    FixedRecurrent<Int8, FixedGruBeforeCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_LSTM
    FixedRecurrent<Int8, FixedLstmCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_RNN
    FixedRecurrent<Int8, FixedRnnCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_DENSE
    FixedDenseLayer<Int8>::kind,
#endif
#ifndef SLUICE_WITHOUT_EMBEDDING
    FixedEmbedding<Int8>::kind,
#endif
#endif
#ifndef SLUICE_WITHOUT_W8A16
#ifndef SLUICE_WITHOUT_GRU
    FixedRecurrent<W8a16, FixedGruCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_GRU_BEFORE
    FixedRecurrent<W8a16, FixedGruBeforeCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_LSTM
    FixedRecurrent<W8a16, FixedLstmCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_RNN
    FixedRecurrent<W8a16, FixedRnnCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_DENSE
    FixedDenseLayer<W8a16>::kind,
#endif
#ifndef SLUICE_WITHOUT_EMBEDDING
    FixedEmbedding<W8a16>::kind,
#endif
#endif
};
}  // namespace

const LayerKind* find_layer(uint8_t kind, uint8_t format) {
  for (const LayerKind& k : kinds)
    if (k.kind == kind && k.format == format) return &k;
  return nullptr;
}

bool knows_format(uint8_t format) {
  for (const LayerKind& k : kinds)
    if (k.format == format) return true;
  return false;
}

namespace {

/// Writes down the arrays of a layer, in order.
struct Lister {
  Weights* out;
  int rows;
  bool fixed;
  Order order;
  int n = 0;

  void matrix(uint32_t offset, int gates, int cols) {
    out[n++] = {offset, gates, rows, cols, true, true, fixed ? Element::i8 : Element::f32, order};
  }
  /// In fixed point biases, then multipliers.
  void vector(uint32_t offset, int gates, bool trained = true) {
    out[n++] = {offset, fixed ? 2 * gates : gates, rows, 1, false, trained, fixed ? Element::i32 : Element::f32};
  }

  /// One direction of a recurrent layer.
  void recurrent(const LayerRecord& layer) {
    rows = int(layer.out);
    const int in = int(layer.in);
    const int gates = holds_other_cells && layer.kind == SLUICE_LSTM ? 4 : holds_other_cells && layer.kind == SLUICE_RNN ? 1 : 3;
    const bool before = holds_other_cells && layer.kind == SLUICE_GRU_BEFORE;
    matrix(layer.w_ih, gates, in);
    matrix(layer.w_hh, before ? 2 : gates, rows);
    if (before) matrix(uint32_t(layer.w_hh + weight_bytes(out[n - 1], nullptr)), 1, rows);
    vector(layer.b_ih, gates);
    if (!before || fixed) vector(layer.b_hh, gates);
  }
};

}  // namespace

int layer_weights(const LayerRecord& layer, Weights out[most_arrays]) {
  Lister list{out, int(layer.out), !holds_f32 || layer.format != SLUICE_F32, Order(layer.order)};
  if (is_recurrent(layer.kind)) {
    if (!goes_both_ways(layer)) {
      list.recurrent(layer);
    } else {
      list.recurrent(direction_of(layer, false));
      list.recurrent(direction_of(layer, true));
    }
  } else if (layer.kind == SLUICE_DENSE) {
    list.matrix(layer.w_ih, 1, int(layer.in));
    list.vector(layer.b_ih, 1);
  } else if (holds_embedding && layer.kind == SLUICE_EMBEDDING) {
    list.matrix(layer.w_ih, 1, int(layer.in));
  } else if (holds_norm && (layer.kind == SLUICE_BATCH_NORM || layer.kind == SLUICE_LAYER_NORM)) {
    list.vector(layer.w_ih, 1);
    list.vector(layer.b_ih, 1);
    if (layer.kind == SLUICE_LAYER_NORM) return list.n;
    list.vector(layer.w_hh, 1, false);
    list.vector(layer.b_hh, 1, false);
  } else if (holds_change && layer.kind == SLUICE_ADD_INPUT) {
    list.vector(layer.w_ih, 1, false);
  } else if (holds_standardize && layer.kind == SLUICE_STANDARDIZE) {
    list.vector(layer.w_ih, 1, false);
    list.vector(layer.b_ih, 1, false);
  }
  return list.n;
}

}  // namespace sluice
