// The list of layers, and the arrays of weights of each.
#include "dense.h"
#include "difference.h"
#include "embedding.h"
#include "fixed.h"
#include "join.h"
#include "norm.h"
#include "over_steps.h"
#include "pool.h"
#include "recurrent.h"
#include "window.h"

namespace sluice {

namespace {
// Firmware may leave out some layers (SLUICE_LAYERS, SLUICE_FORMATS in CMakeLists.txt).
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
#ifndef SLUICE_WITHOUT_CONVOLUTION
    Window<SLUICE_F32>::kind,
    FloatPool<SLUICE_MAX_POOL>::kind,
    FloatPool<SLUICE_MEAN_POOL>::kind,
    FloatPool<SLUICE_NORM_POOL>::kind,
    UnitNorm::kind,
    CurveLayer::kind,
    FloatOverSteps<SLUICE_MAX_OVER_STEPS>::kind,
    FloatOverSteps<SLUICE_MEAN_OVER_STEPS>::kind,
#ifndef SLUICE_WITHOUT_GRAPH
    Attention::kind,
#endif
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
#ifndef SLUICE_WITHOUT_DIFFERENCE
    FixedDifference<SLUICE_INT8>::kind,
#endif
#ifndef SLUICE_WITHOUT_GRAPH
    Concat<SLUICE_INT8>::kind,
    Select<SLUICE_INT8>::kind,
    FixedJoin<SLUICE_ADD, SLUICE_INT8>::kind,
    FixedJoin<SLUICE_MULTIPLY, SLUICE_INT8>::kind,
#endif
#ifndef SLUICE_WITHOUT_CONVOLUTION
    Window<SLUICE_INT8>::kind,
    FixedPool<SLUICE_MAX_POOL, SLUICE_INT8>::kind,
    FixedPool<SLUICE_MEAN_POOL, SLUICE_INT8>::kind,
    FixedPool<SLUICE_NORM_POOL, SLUICE_INT8>::kind,
    FixedOverSteps<SLUICE_MAX_OVER_STEPS, SLUICE_INT8, int16_t>::kind,
    FixedOverSteps<SLUICE_MEAN_OVER_STEPS, SLUICE_INT8, int64_t>::kind,
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
#ifndef SLUICE_WITHOUT_DIFFERENCE
    FixedDifference<SLUICE_W8A16>::kind,
#endif
#ifndef SLUICE_WITHOUT_GRAPH
    Concat<SLUICE_W8A16>::kind,
    Select<SLUICE_W8A16>::kind,
    FixedJoin<SLUICE_ADD, SLUICE_W8A16>::kind,
    FixedJoin<SLUICE_MULTIPLY, SLUICE_W8A16>::kind,
#endif
#ifndef SLUICE_WITHOUT_CONVOLUTION
    Window<SLUICE_W8A16>::kind,
    FixedPool<SLUICE_MAX_POOL, SLUICE_W8A16>::kind,
    FixedPool<SLUICE_MEAN_POOL, SLUICE_W8A16>::kind,
    FixedPool<SLUICE_NORM_POOL, SLUICE_W8A16>::kind,
    FixedOverSteps<SLUICE_MAX_OVER_STEPS, SLUICE_W8A16, int16_t>::kind,
    FixedOverSteps<SLUICE_MEAN_OVER_STEPS, SLUICE_W8A16, int64_t>::kind,
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

int extent_of(Extent extent, const LayerRecord& one) {
  if (extent == Extent::in) return int(one.in);
  if (extent == Extent::units) return int(one.out);
  if (holds_other_cells && extent == Extent::cells) return int(cells_of(one));
  return holds_low_rank && extent == Extent::rank ? one.rank : 1;
}

/// Returns the offset behind an array, at a multiple of 64. The array must not be sparse, because
/// its contents would decide its size.
uint64_t behind(const Weights& w) {
  return (w.offset + weight_bytes(w, nullptr) + weight_alignment - 1) &
         ~uint64_t(weight_alignment - 1);
}

/// Returns whether a direction has an array that its kind may have.
bool has_array(const LayerRecord& one, Role role) {
  if (holds_initial_state && of_initial_state(role)) return has_initial_state(one);
  if (holds_lstm_options && role == Role::peephole) return one.options & peephole_option;
  if (holds_lstm_options && role == Role::projection) return one.options & projection_option;
  if (holds_f32 && role == Role::slope) return holds_curves && one.activation == SLUICE_PRELU;
  if (of_input_factor(role)) return holds_low_rank && has_input_factor(one);
  return !of_state_factor(role) || (holds_low_rank && has_state_factor(one));
}

int columns_of(const LayerRecord& one, const ArrayShape& shape) {
  if (holds_low_rank && one.rank) {
    if (shape.role == Role::input_weight && has_input_factor(one)) return one.rank;
    if (shape.role == Role::state_weight || shape.role == Role::candidate_weight) return one.rank;
  }
  return extent_of(shape.cols, one);
}

uint32_t field_of(const LayerRecord& one, Field field) {
  uint32_t fields[4];
  memcpy(fields, &one.w_ih, sizeof fields);
  return fields[int(field)];
}

/// Whether a kind of this build has an array without a field, behind another array.
constexpr bool follows_another =
    holds_other_cells || holds_low_rank || holds_initial_state || holds_lstm_options;

}  // namespace

ArrayIterator::ArrayIterator(const LayerRecord& layer)
    : layer_(layer), kind_(*find_layer(layer.kind, layer.format)) {}

bool ArrayIterator::next(Weights& array) {
  if (goes_both_ways(layer_)) return next_of(direction_of(layer_, backward_), array);
  return has_parts(layer_) ? next_of(part_record(layer_), array) : next_of(layer_, array);
}

/// @param one  the direction as a layer of its own
bool ArrayIterator::next_of(const LayerRecord& one, Weights& array) {
  while (next_ < kind_.arrays && !has_array(one, kind_.array[next_].role)) ++next_;
  if (next_ == kind_.arrays) {
    if (!goes_both_ways(layer_) || backward_) return false;
    backward_ = true, next_ = 0;
    return next(array);
  }
  const ArrayShape& shape = kind_.array[next_++];
  const bool fixed = !holds_f32 || layer_.format != SLUICE_F32, matrix = is_matrix(shape.role);
  array.role = shape.role;
  array.gates = shape.gates;
  array.rows = extent_of(shape.rows, one);
  array.cols = columns_of(one, shape);
  array.trained = shape.trained;
  array.backward = backward_;
  array.index = shape.index;
  array.field = shape.field;
  array.element = shape.role == Role::columns ? Element::i32
                  : !fixed                    ? Element::f32
                  : matrix                    ? Element::i8
                                              : Element::i32;
  array.order = fixed && matrix ? Order(layer_.order) : Order::canonical;
  if (fixed && has_multipliers(shape.role)) array.gates *= 2;
  if (array.gates == 0) array.gates = layer_.parts;
  const bool follows = follows_another && shape.field == Field::behind;
  array.offset = follows ? behind_ : field_of(one, shape.field);
  if (follows_another) behind_ = is_sparse(array) ? 0 : uint32_t(behind(array));
  return true;
}

int layer_weights(const LayerRecord& layer, Weights out[most_arrays]) {
  ArrayIterator arrays(layer);
  int n = 0;
  for (Weights array; arrays.next(array);) out[n++] = array;
  return n;
}

uint32_t offset_of(const LayerRecord& one, Role role) {
  ArrayIterator arrays(one);
  Weights array{};
  while (arrays.next(array) && array.role != role) {
  }
  return array.offset;
}

void copy_initial_state(const LayerRecord& one, const uint8_t* base, void* state) {
  const bool fixed = !holds_f32 || one.format != SLUICE_F32;
  uint8_t* to = static_cast<uint8_t*>(state);
  ArrayIterator arrays(one);
  for (Weights array; arrays.next(array);) {
    if (!of_initial_state(array.role)) continue;
    const size_t stored = sizeof(float), bytes = fixed ? sizeof(int16_t) : stored;
    for (int i = 0; i < padded(array.rows); ++i, to += bytes)
      memcpy(to, base + array.offset + size_t(i) * stored, bytes);
  }
}

}  // namespace sluice
