// The list of layers, and the arrays of weights that each has.
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
#ifndef SLUICE_WITHOUT_STANDARDIZE
    Standardize::kind,
#endif
#endif
#ifndef SLUICE_WITHOUT_INT8
#ifndef SLUICE_WITHOUT_GRU
    FixedGruLayer<Int8>::kind,
#endif
#ifndef SLUICE_WITHOUT_DENSE
    FixedDenseLayer<Int8>::kind,
#endif
#endif
#ifndef SLUICE_WITHOUT_W8A16
#ifndef SLUICE_WITHOUT_GRU
    FixedGruLayer<W8a16>::kind,
#endif
#ifndef SLUICE_WITHOUT_DENSE
    FixedDenseLayer<W8a16>::kind,
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

/// The arrays of a recurrent layer's one direction.
int recurrent_weights(const LayerRecord& layer, Weights* out) {
  const int in = int(layer.in), rows = int(layer.out);
  const bool fixed = layer.format != SLUICE_F32;
  const Element matrix = fixed ? Element::i8 : Element::f32, vector = fixed ? Element::i32 : Element::f32;
  const Order order = Order(layer.order);
  const int gates = layer.kind == SLUICE_LSTM ? 4 : layer.kind == SLUICE_RNN ? 1 : 3;
  const int biases = (fixed ? 2 : 1) * gates;  // biases, then multipliers
  out[0] = {layer.w_ih, gates, rows, in, true, true, matrix, order};
  if (layer.kind == SLUICE_GRU_BEFORE) {
    out[1] = {layer.w_hh, 2, rows, rows, true, true, matrix, order};
    out[2] = {uint32_t(layer.w_hh + weight_bytes(out[1])), 1, rows, rows, true, true, matrix, order};
    out[3] = {layer.b_ih, biases, rows, 1, false, true, vector};
    return 4;
  }
  out[1] = {layer.w_hh, gates, rows, rows, true, true, matrix, order};
  out[2] = {layer.b_ih, biases, rows, 1, false, true, vector};
  out[3] = {layer.b_hh, biases, rows, 1, false, true, vector};
  return 4;
}

}  // namespace

namespace {

int arrays_of(const LayerRecord& layer, Weights out[most_arrays]) {
  if (is_recurrent(layer.kind)) {
    const int n = recurrent_weights(direction_of(layer, false), out);
    return layer.flags & both_directions_flag ? n + recurrent_weights(direction_of(layer, true), out + n) : n;
  }
  const int in = int(layer.in), rows = int(layer.out);
  const bool fixed = layer.format != SLUICE_F32;
  const Element matrix = fixed ? Element::i8 : Element::f32, vector = fixed ? Element::i32 : Element::f32;
  const Order order = Order(layer.order);
  switch (layer.kind) {
    case SLUICE_DENSE:
      out[0] = {layer.w_ih, 1, rows, in, true, true, matrix, order};
      out[1] = {layer.b_ih, fixed ? 2 : 1, rows, 1, false, true, vector};  // biases, then multipliers
      return 2;
    case SLUICE_EMBEDDING:
      out[0] = {layer.w_ih, 1, rows, in, true, true, matrix, order};
      return 1;
    case SLUICE_BATCH_NORM:
      out[0] = {layer.w_ih, 1, rows, 1, false, true};
      out[1] = {layer.b_ih, 1, rows, 1, false, true};
      out[2] = {layer.w_hh, 1, rows, 1, false, false};
      out[3] = {layer.b_hh, 1, rows, 1, false, false};
      return 4;
    case SLUICE_LAYER_NORM:
      out[0] = {layer.w_ih, 1, rows, 1, false, true};
      out[1] = {layer.b_ih, 1, rows, 1, false, true};
      return 2;
    case SLUICE_STANDARDIZE:
      out[0] = {layer.w_ih, 1, rows, 1, false, false};
      out[1] = {layer.b_ih, 1, rows, 1, false, false};
      return 2;
    default:
      return 0;
  }
}

}  // namespace

int layer_weights(const LayerRecord& layer, Weights out[most_arrays]) {
  const int n = arrays_of(layer, out);
  for (int i = 0; i < n; ++i) {
    const bool state = is_recurrent(layer.kind) && out[i].matrix && out[i].offset != layer.w_ih && out[i].offset != layer.back[0];
    out[i].group = !out[i].matrix                          ? bias_group
                   : layer.kind == SLUICE_EMBEDDING        ? embedding_group
                   : !is_recurrent(layer.kind)             ? output_group
                   : state                                 ? recurrent_group
                                                           : input_group;
  }
  return n;
}

}  // namespace sluice
