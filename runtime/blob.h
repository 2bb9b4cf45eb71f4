// The structures of a blob, which runtime/README.md specifies, and the checks after which they can
// be read in place.
#ifndef SLUICE_BLOB_H
#define SLUICE_BLOB_H

#include "../kernels/kernels.h"
#include "anatomy.h"
#include "sluice.h"

namespace sluice {

constexpr uint8_t blob_magic[4] = {'S', 'L', 'U', 0x1A};
constexpr uint32_t weight_alignment = 64;  ///< of weight arrays, in the file
constexpr uint32_t section_alignment = 16;

struct BlobHeader {
  uint8_t magic[4];
  uint16_t major, minor;
  uint32_t bytes;     ///< the whole blob
  uint32_t crc;       ///< CRC-32 (IEEE 802.3) of all bytes, with this field 0
  uint32_t sections;  ///< entries of the table that follows the header
  uint32_t layers;
  uint32_t inputs, outputs;
  /// 1: a model in int8 whose frames are int16, because they enter the answer without a product,
  /// which would narrow them, or differences are taken of them. Only layers that select or join,
  /// and a difference, read such a frame. Else 0.
  uint32_t wide_frame;
  uint32_t reserved[7];  ///< 0
};

struct BlobSection {
  uint32_t kind;    ///< sluice_section_kind; unknown kinds are ignored
  uint32_t offset;  ///< from the start of the blob, a multiple of 16; for weights of 64
  uint32_t bytes;
  uint32_t reserved;  ///< 0
};

/// The steps of a window, in units of the steps of its source.
struct WindowSteps {
  uint16_t dilation;  ///< it takes every dilation-th one
  uint16_t stride;    ///< it has an output at every stride-th one
  /// Its newest one lies so many behind the one of its output. Then a call is a whole sequence.
  uint16_t ahead;
  uint16_t first;  ///< its first output is that of this step, counted from 0
};

/// The frames of a sequence, counted from 0, for which a layer has an output: first, first +
/// stride, and so on.
struct Clock {
  static constexpr uint64_t most = 1u << 24;  ///< of either number, in a blob
  uint64_t first = 0, stride = 1;

  /// Returns how many of so many frames have an output.
  uint64_t of(uint64_t frames) const {
    return frames > first ? (frames - first - 1) / stride + 1 : 0;
  }
  /// Returns the frame of an output.
  uint64_t frame(uint64_t output) const { return first + output * stride; }
  /// Returns the clock of a layer whose clock in steps of this one is `next`.
  Clock then(Clock next) const { return {frame(next.first), stride * next.stride}; }
  bool fits() const { return first <= most && stride <= most; }
  /// Returns whether every frame has an output.
  bool is_every() const { return first == 0 && stride == 1; }
};

/// One layer. The model is the blob's table of these records, which is read in place.
struct LayerRecord {
  uint8_t kind;        ///< sluice_layer_kind
  uint8_t format;      ///< sluice_format
  uint8_t activation;  ///< Dense: sluice_activation. Recurrent: of the gates, 0 for sigmoid. Else 0
  /// Recurrent: every_step_flag or mean_flag, both_directions_flag, initial_state_flag. All:
  /// once_flag, answer_flag.
  uint8_t flags;
  uint32_t in, out;
  /// Offsets from the start of the blob, multiples of 64, inside the weight section; 0 for none.
  uint32_t w_ih, w_hh, b_ih, b_hh;
  /// Fixed point: s of R for the accumulators over the input and over the state.
  uint8_t shift_ih, shift_hh;
  uint8_t order;  ///< Order of int8 weights; else 0
  /// Fixed point, of a kind with shifted_state: c, or else h, is in units of 2^(shift_c - 15). Of
  /// a cell whose candidate is not tanh: h is, or an LSTM's c. Else 0.
  uint8_t shift_c;
  union {
    uint32_t back[4];     ///< both directions: the backward one's w_ih, w_hh, b_ih, b_hh; else 0
    uint16_t sources[8];  ///< of a layer that joins: its sources, numbered like `source`; else 0
    WindowSteps window;   ///< of a window; the place behind it is 0
  };
  /// The slope of a hard sigmoid or a hard SiLU; a normalization's epsilon, of a unit norm the
  /// lowest |x|; the lowest value of a clip; else 0.
  float parameter;
  /// 0: the layer reads the frame; else the number, counted from 1, of the layer that it reads. 0
  /// for a layer that joins.
  uint16_t source;
  /// Of a layer that joins: the number of its sources. Of a window: the number of its steps. Of a
  /// pooling: the number of equal parts of its input; of a Dense too, if it applies to each of
  /// several. Else 0.
  uint16_t parts;
  uint32_t y;     ///< the first number of its output in a row of the buffers, a multiple of 8
  uint16_t rank;  ///< of a cell whose matrices have low rank, W = W1 W2: the columns of W1; else 0
  /// The curve of a cell's candidate, of an LSTM's output too: candidate_code. Rank, candidate and
  /// options are one word, so that one comparison tells plain cells from others (is_plain).
  uint8_t candidate;
  /// Of a cell: hard_gates_option, peephole_option, clip_option, projection_option; else 0.
  uint8_t options;
  uint8_t factor_shift_ih, factor_shift_hh;  ///< fixed point: s of R for the sums of W2; else 0
  /// Fixed point, of an LSTM whose candidate is not tanh: h is in units of
  /// 2^(shift_c - shift_h - 15); else 0.
  uint8_t shift_h;
  uint8_t reserved_8;  ///< 0
  /// alpha of an ELU or a leaky ReLU, the highest value of a clip; else 0
  float second;
  float cell_clip;  ///< of an LSTM with clip_option: the largest |c|, above 0; else 0
  uint32_t cells;   ///< of an LSTM with projection_option: a direction's cells; else 0
};

/// The code of a candidate's curve in a record, and the curve of a code. tanh, which most cells
/// have, is 0.
constexpr uint8_t candidate_code(sluice_activation curve) { return uint8_t(curve ^ SLUICE_TANH); }
constexpr uint32_t candidate_number(uint8_t code) { return code ^ uint32_t(SLUICE_TANH); }
/// @param code  of a record that was checked
constexpr sluice_activation candidate_of(uint8_t code) {
  return sluice_activation(candidate_number(code));
}

/// The section of scales: for each input its inverse and its offset (sluice_quantize), then for
/// each output its unit and its offset (sluice_dequantize).
struct BlobScale {
  float factor, offset;
};

constexpr int most_shift = 30;
constexpr int most_cell_shift = 15;
constexpr int most_state_shift = 14;
/// A recurrent layer's output has a row for every step. Without this flag and mean_flag, it is the
/// last step's.
constexpr uint8_t every_step_flag = 1;
/// The output is the mean over the steps so far. Not with every_step_flag.
constexpr uint8_t mean_flag = 2;
/// out is twice the units: the forward direction's, then the backward one's.
constexpr uint8_t both_directions_flag = 4;
/// The output has one row a sequence: a recurrent layer's last step or mean, or it is computed from
/// such a row.
constexpr uint8_t once_flag = 8;
/// The output is the answer or a part of it: the last layer's, and if that is a concat, its
/// sources'.
constexpr uint8_t answer_flag = 16;
/// A sequence begins from states that the blob stores for each direction; without it from zero.
constexpr uint8_t initial_state_flag = 32;
/// Fixed point: the gates of a cell are a hard sigmoid.
constexpr uint8_t hard_gates_option = 1;
/// Float: the gates of an LSTM read its cell state through weights of their own.
constexpr uint8_t peephole_option = 2;
/// Float: the cell state of an LSTM is clipped.
constexpr uint8_t clip_option = 4;
/// Float: h is W (o * tanh(c')), of fewer numbers than there are cells, as a rule.
constexpr uint8_t projection_option = 8;
constexpr uint8_t lstm_options = peephole_option | clip_option | projection_option;
constexpr uint32_t most_layers = 4096;

static_assert(sizeof(BlobHeader) == 64 && sizeof(BlobSection) == 16 && sizeof(LayerRecord) == 80,
              "the file's layout");

enum class Element : uint8_t { f32, i8, i32 };
constexpr int bytes_of(Element e) { return e == Element::i8 ? 1 : 4; }

/// An array of a layer in a blob. The check, the hash, the trainer and the tools loop over these.
struct Weights {
  uint32_t offset;  ///< from the start of the blob
  Role role;
  /// Groups of rows, each padded on its own. A bias in fixed point has twice as many: biases, then
  /// the multipliers of R.
  int gates;
  int rows;  ///< of one gate, without padding
  int cols;  ///< 1 for a vector
  bool trained;
  bool backward;  ///< belongs to the backward direction
  uint8_t index;  ///< among the arrays of the layer's anatomy
  Field field;    ///< the field of the record that holds its offset
  Element element = Element::f32;
  Order order = Order::canonical;  ///< of int8
};

inline int padded_rows(const Weights& w) { return w.gates * padded(w.rows); }
inline int panels(const Weights& w) { return padded_rows(w) / panel_rows; }
/// Returns whether the matrices of a kind may be in the sparse order.
inline bool may_be_sparse(uint8_t kind) {
  constexpr uint32_t kinds = kinds_with([](const Anatomy& a) { return a.sparse; });
  return has_kind(kinds, kind);
}

inline bool is_sparse(const Weights& w) {
  return holds_sparse && w.element == Element::i8 && w.order == Order::sparse;
}
/// Returns the number of elements, padding included, as if all were stored.
inline uint64_t elements(const Weights& w) {
  return uint64_t(padded_rows(w)) * uint64_t(w.element == Element::i8 ? blocked(w.cols) : w.cols);
}
/// Returns the number of stored blocks of a sparse matrix. Its array must hold valid ends.
inline uint32_t stored_blocks(const Weights& w, const uint8_t* array) {
  return reinterpret_cast<const uint32_t*>(array)[panels(w) - 1];
}
/// Bytes of a matrix that is not sparse.
inline uint64_t dense_bytes(const Weights& w) {
  return elements(w) * uint64_t(bytes_of(w.element));
}
inline uint64_t weight_bytes(const Weights& w, const uint8_t* array) {
  if (is_sparse(w)) return SparseMatrix::bytes(uint64_t(panels(w)), stored_blocks(w, array));
  return dense_bytes(w);
}

/// Returns the index of element (gate, row, col), in elements from the array's offset. The matrix
/// must not be sparse.
inline size_t element(const Weights& w, int gate, int row, int col) {
  const int padded_row = gate * padded(w.rows) + row;
  if (w.element == Element::i8) return weight_index(w.order, w.cols, padded_row, col);
  return packed_index(padded_rows(w), w.cols, padded_row, col);
}

/// Returns the weight that a byte of an int8 array holds.
inline int8_t weight_at(const Weights& w, const uint8_t* array, size_t index) {
  return int8_t(is_biased(w.order, index) ? array[index] ^ 0x80 : array[index]);
}

/// Returns element (gate, row, col) of an int8 matrix in any order.
int8_t weight_at(const Weights& w, const uint8_t* array, int gate, int row, int col);

/// Return whether a cell's matrix over its input has low rank, and whether that over its state has.
/// A rank that is not smaller than the number of inputs leaves the input's matrix whole.
inline bool has_input_factor(const LayerRecord& one_direction) {
  return one_direction.rank > 0 && one_direction.rank < one_direction.in;
}
inline bool has_state_factor(const LayerRecord& one_direction) { return one_direction.rank > 0; }

/// Iterates over the arrays of a layer, whose kind must be known: first those of the forward
/// direction, then those of the backward one.
class ArrayIterator {
 public:
  explicit ArrayIterator(const LayerRecord& layer);
  /// Sets the next array; returns false at the end.
  bool next(Weights& array);

 private:
  bool next_of(const LayerRecord& one, Weights& array);

  const LayerRecord& layer_;
  const struct LayerKind& kind_;
  uint32_t behind_ = 0;  ///< the offset of the next array if it has no field
  uint8_t next_ = 0;
  bool backward_ = false;
};

/// Writes the arrays of a layer to out and returns their number. The layer's kind must be known.
int layer_weights(const LayerRecord& layer, Weights out[most_arrays]);

/// Returns the offset of a direction's array of this role, which it must have.
uint32_t offset_of(const LayerRecord& one_direction, Role role);

/// Calls f for each array of a layer.
template <class F>
void for_each_array(const LayerRecord& layer, F f) {
  ArrayIterator arrays(layer);
  for (Weights array; arrays.next(array);) f(array);
}

/// An opened blob: the contents of a sluice_model.
struct OpenModel {
  const uint8_t* blob;
  const Kernels* kernels;
  const LayerRecord *layers, *last;
  uint32_t layer_count;
  const struct LayerKind* kinds;  ///< the kinds of the model's number format
  uint32_t buffer_units;          ///< numbers of a row in the buffers of the layers' outputs
  uint32_t state_bytes;           ///< of a stream
  uint8_t x_bytes, y_bytes;       ///< of a number in a frame, and in a layer's output
  bool whole;  ///< a layer goes in both directions or looks ahead: every call is a sequence
  bool thins;  ///< some frames have no answer
  uint8_t format() const { return layers[0].format; }
  const BlobHeader& header() const { return *reinterpret_cast<const BlobHeader*>(blob); }
  const int32_t* ints_at(uint32_t offset) const {
    return reinterpret_cast<const int32_t*>(blob + offset);
  }
  const float* floats_at(uint32_t offset) const {
    return reinterpret_cast<const float*>(blob + offset);
  }
};

inline const OpenModel& model_of(const sluice_model* handle) {
  return *reinterpret_cast<const OpenModel*>(handle);
}

/// Returns the section of that kind, or null.
const BlobSection* find_section(const uint8_t* blob, uint32_t kind);

/// Checks everything that can be wrong with a blob. After SLUICE_OK it may be read in place.
/// @param any_order  accepts also weights in an order that this build's kernels do not read
sluice_status check_blob(const void* blob, size_t bytes, bool any_order);

/// Returns the CRC-32 of a blob of `bytes` >= 64 bytes, with its own field taken as 0.
uint32_t blob_crc(const uint8_t* blob, size_t bytes);

}  // namespace sluice

#endif
