// The list of layers, and the arrays of weights that each has.
#include "dense.h"
#include "fixed.h"
#include "recurrent.h"

namespace sluice {

namespace {
// Firmware may leave some out (SLUICE_LAYERS, SLUICE_FORMATS in CMakeLists.txt).
constexpr LayerKind kinds[] = {
#ifndef SLUICE_WITHOUT_F32
#ifndef SLUICE_WITHOUT_GRU
    Gru::kind,
#endif
#ifndef SLUICE_WITHOUT_DENSE
    Dense::kind,
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

int layer_weights(const LayerRecord& layer, Weights out[4]) {
  const int in = int(layer.in), rows = int(layer.out);
  const bool fixed = layer.format != SLUICE_F32;
  const Element matrix = fixed ? Element::i8 : Element::f32, vector = fixed ? Element::i32 : Element::f32;
  const Order order = Order(layer.order);
  const int twice = fixed ? 2 : 1;  // biases, then multipliers
  switch (layer.kind) {
    case SLUICE_GRU:
      out[0] = {layer.w_ih, 3, rows, in, true, true, matrix, order};
      out[1] = {layer.w_hh, 3, rows, rows, true, true, matrix, order};
      out[2] = {layer.b_ih, 3 * twice, rows, 1, false, true, vector};
      out[3] = {layer.b_hh, 3 * twice, rows, 1, false, true, vector};
      return 4;
    case SLUICE_DENSE:
      out[0] = {layer.w_ih, 1, rows, in, true, true, matrix, order};
      out[1] = {layer.b_ih, twice, rows, 1, false, true, vector};
      return 2;
    case SLUICE_STANDARDIZE:
      out[0] = {layer.w_ih, 1, rows, 1, false, false};
      out[1] = {layer.b_ih, 1, rows, 1, false, false};
      return 2;
    default:
      return 0;
  }
}

}  // namespace sluice
