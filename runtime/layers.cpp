// The list of layers, and the arrays of weights that each has.
#include "dense.h"
#include "difference.h"
#include "embedding.h"
#include "fixed.h"
#include "join.h"
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
#ifndef SLUICE_WITHOUT_FASTGRNN
    Recurrent<FastGrnnCell>::kind,
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
#ifndef SLUICE_WITHOUT_DIFFERENCE
    Difference::kind,
#endif
#ifndef SLUICE_WITHOUT_GRAPH
    Concat<SLUICE_F32>::kind,
    Select<SLUICE_F32>::kind,
    FloatJoin<SLUICE_ADD>::kind,
    FloatJoin<SLUICE_MULTIPLY>::kind,
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
#ifndef SLUICE_WITHOUT_FASTGRNN
    FixedRecurrent<Int8, FixedFastGrnnCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_DENSE
    FixedDenseLayer<Int8>::kind,
#endif
#ifndef SLUICE_WITHOUT_EMBEDDING
    FixedEmbedding<Int8>::kind,
#endif
#ifndef SLUICE_WITHOUT_GRAPH
    Concat<SLUICE_INT8>::kind,
    Select<SLUICE_INT8>::kind,
    FixedJoin<SLUICE_ADD, SLUICE_INT8>::kind,
    FixedJoin<SLUICE_MULTIPLY, SLUICE_INT8>::kind,
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
#ifndef SLUICE_WITHOUT_FASTGRNN
    FixedRecurrent<W8a16, FixedFastGrnnCell>::kind,
#endif
#ifndef SLUICE_WITHOUT_DENSE
    FixedDenseLayer<W8a16>::kind,
#endif
#ifndef SLUICE_WITHOUT_EMBEDDING
    FixedEmbedding<W8a16>::kind,
#endif
#ifndef SLUICE_WITHOUT_GRAPH
    Concat<SLUICE_W8A16>::kind,
    Select<SLUICE_W8A16>::kind,
    FixedJoin<SLUICE_ADD, SLUICE_W8A16>::kind,
    FixedJoin<SLUICE_MULTIPLY, SLUICE_W8A16>::kind,
#endif
#endif
};
}  // namespace

const LayerKind* find_layer(uint8_t kind, uint8_t format) {
  for (const LayerKind& k : kinds)
    if (k.kind == kind && k.format == format) return &k;
  return nullptr;
}

const LayerKind* kinds_of(uint8_t format) {
  for (const LayerKind& k : kinds)
    if (k.format == format) return &k;
  return nullptr;
}

namespace {

int extent_of(Extent extent, int in, int units) {
  return extent == Extent::one ? 1 : extent == Extent::in ? in : units;
}

/// Where the next array begins, of one whose contents do not decide its size.
uint64_t behind(const Weights& w) {
  return (w.offset + weight_bytes(w, nullptr) + weight_alignment - 1) &
         ~uint64_t(weight_alignment - 1);
}

/// The arrays of one direction of a layer, appended to out.
int list_direction(const LayerKind& kind, const LayerRecord& one, bool backward, Weights* out,
                   int n) {
  const uint32_t fields[] = {one.w_ih, one.w_hh, one.b_ih, one.b_hh};
  const bool fixed = !holds_f32 || one.format != SLUICE_F32;
  for (int i = 0; i < kind.arrays; ++i) {
    const ArrayShape& shape = kind.array[i];
    const int in = int(one.in), units = int(one.out);
    const bool matrix = is_matrix(shape.role);
    Weights w{0,
              shape.role,
              shape.gates,
              extent_of(shape.rows, in, units),
              extent_of(shape.cols, in, units),
              shape.trained,
              backward,
              shape.index,
              shape.role == Role::columns ? Element::i32
              : !fixed                    ? Element::f32
              : matrix                    ? Element::i8
                                          : Element::i32};
    if (fixed && matrix) w.order = Order(one.order);
    if (fixed && has_multipliers(shape.role)) w.gates *= 2;
    if (w.gates == 0) w.gates = one.parts;
    w.offset =
        shape.field != Field::behind ? fields[int(shape.field)] : uint32_t(behind(out[n - 1]));
    out[n++] = w;
  }
  return n;
}

}  // namespace

int layer_weights(const LayerRecord& layer, Weights out[most_arrays]) {
  const LayerKind& kind = *find_layer(layer.kind, layer.format);
  const int n = list_direction(kind, direction_of(layer, false), false, out, 0);
  return goes_both_ways(layer) ? list_direction(kind, direction_of(layer, true), true, out, n) : n;
}

}  // namespace sluice
