// The blob's structures, as runtime/README.md specifies them, and the checks that make them safe to
// read in place.
#ifndef SLUICE_BLOB_H
#define SLUICE_BLOB_H

#include "../kernels/kernels.h"
#include "anatomy.h"
#include "sluice.h"

namespace sluice {

constexpr uint8_t blob_magic[4] = {'S', 'L', 'U', 0x1A};
constexpr uint32_t weight_alignment = 64;  ///< of weight arrays, in the file
constexpr uint32_t section_alignment = 16;
constexpr uint32_t widest = 1u << 16;  ///< the most inputs or units of a layer

struct BlobHeader {
  uint8_t magic[4];
  uint16_t major, minor;
  uint32_t bytes;     ///< the whole blob
  uint32_t crc;       ///< CRC-32 (IEEE 802.3) of all bytes, with this field 0
  uint32_t sections;  ///< entries of the table that follows the header
  uint32_t layers;
  uint32_t inputs, outputs;
  uint32_t reserved[8];  ///< 0
};

struct BlobSection {
  uint32_t kind;    ///< sluice_section_kind; unknown kinds are passed over
  uint32_t offset;  ///< from the start of the blob, a multiple of 16; weights of 64
  uint32_t bytes;
  uint32_t reserved;  ///< 0
};

/// One layer. The blob's table of these is the model: it is read where it lies.
struct LayerRecord {
  uint8_t kind;        ///< sluice_layer_kind
  uint8_t format;      ///< sluice_format
  uint8_t activation;  ///< Dense: sluice_activation. Recurrent: of the gates, 0 for sigmoid. Else 0
  uint8_t flags;       ///< recurrent: every_step_flag or mean_flag, both_directions_flag; all:
                       ///< once_flag, answer_flag
  uint32_t in, out;
  uint32_t w_ih, w_hh, b_ih, b_hh;  ///< offsets from the start of the blob, multiples of 64, inside
                                    ///< the weight section; 0 for none
  uint8_t shift_ih,
      shift_hh;     ///< fixed point: s of R for the accumulators over the input and over the state
  uint8_t order;    ///< Order of int8 weights; else 0
  uint8_t shift_c;  ///< fixed point: an LSTM's cell state is in units of 2^(shift_c - 15); else 0
  union {
    uint32_t back[4];     ///< both directions: the backward one's w_ih, w_hh, b_ih, b_hh; else 0
    uint16_t sources[8];  ///< of a layer that joins: what it reads, each as `source`; else 0
  };
  float parameter;  ///< the hard sigmoid's slope; a normalization's epsilon; else 0
  uint16_t source;  ///< what it reads: 0 the frame, else the output of that layer, counted from 1.
                    ///< Joins: 0
  uint16_t parts;   ///< of a layer that joins: how many sources; else 0
  uint32_t y;       ///< where its output lies in the buffers: numbers of a row, a multiple of 8
  uint16_t rank;    ///< of a cell's matrices of low rank: columns of W1 in W = W1 W2; else 0
  uint8_t factor_shift_ih, factor_shift_hh;  ///< fixed point: s of R for the sums of W2; else 0
};

/// The section of scales: for each input its inverse and its offset (sluice_quantize), then for
/// each output its unit and its offset (sluice_dequantize).
struct BlobScale {
  float factor, offset;
};

constexpr int most_shift = 30;
constexpr int most_cell_shift = 15;
constexpr uint8_t every_step_flag = 1;  ///< hands every step on; without it, the last one
constexpr uint8_t mean_flag =
    2;  ///< hands on the mean over the steps so far; not with every_step_flag
constexpr uint8_t both_directions_flag =
    4;  ///< out is twice the units: the forward direction's, then the backward one's
constexpr uint8_t once_flag =
    8;  ///< hands on one row a sequence: the last step's (recurrent) or what becomes of such rows
constexpr uint8_t answer_flag = 16;  ///< the last layer, and if that is a concat, its sources
constexpr uint32_t most_layers = 4096;
constexpr uint32_t most_sources = 8;  ///< of a layer that joins

static_assert(sizeof(BlobHeader) == 64 && sizeof(BlobSection) == 16 && sizeof(LayerRecord) == 64,
              "the file's layout");

enum class Element : uint8_t { f32, i8, i32 };
constexpr int bytes_of(Element e) { return e == Element::i8 ? 1 : 4; }

/// An array of a layer in a blob. The check, the hash, the trainer and the tools walk these.
struct Weights {
  uint32_t offset;  ///< from the start of the blob
  Role role;
  int gates;  ///< groups of rows, each padded on its own; of a bias in fixed point twice as many:
              ///< biases, then the multipliers of R
  int rows;   ///< of one gate, without padding
  int cols;   ///< 1 for a vector
  bool trained;
  bool backward;  ///< belongs to the backward direction
  uint8_t index;  ///< among the arrays of the layer's anatomy
  Field field;    ///< of the record, with its offset
  Element element = Element::f32;
  Order order = Order::canonical;  ///< of int8
};

inline int padded_rows(const Weights& w) { return w.gates * padded(w.rows); }
inline int panels(const Weights& w) { return padded_rows(w) / panel_rows; }
/// Whether the matrices of a kind may lie in the sparse order.
inline bool may_be_sparse(uint8_t kind) {
  constexpr uint32_t kinds = kinds_with([](const Anatomy& a) { return a.sparse; });
  return has_kind(kinds, kind);
}

inline bool is_sparse(const Weights& w) {
  return holds_sparse && w.element == Element::i8 && w.order == Order::sparse;
}
/// Elements, padding included, were they all stored.
inline uint64_t elements(const Weights& w) {
  return uint64_t(padded_rows(w)) * uint64_t(w.element == Element::i8 ? blocked(w.cols) : w.cols);
}
/// Of a sparse matrix, of which only the blob knows the size: its blocks, once its ends are known
/// to be sound.
inline uint32_t stored_blocks(const Weights& w, const uint8_t* array) {
  return reinterpret_cast<const uint32_t*>(array)[panels(w) - 1];
}
inline uint64_t weight_bytes(const Weights& w, const uint8_t* array) {
  if (is_sparse(w)) return SparseMatrix::bytes(uint64_t(panels(w)), stored_blocks(w, array));
  return elements(w) * uint64_t(bytes_of(w.element));
}

/// Where element (gate, row, col) lies, in elements from the array's offset; not of a sparse
/// matrix.
inline size_t element(const Weights& w, int gate, int row, int col) {
  const int padded_row = gate * padded(w.rows) + row;
  if (w.element == Element::i8) return weight_index(w.order, w.cols, padded_row, col);
  return packed_index(padded_rows(w), w.cols, padded_row, col);
}

/// The weight that a byte of an int8 array holds.
inline int8_t weight_at(const Weights& w, const uint8_t* array, size_t index) {
  return int8_t(is_biased(w.order, index) ? array[index] ^ 0x80 : array[index]);
}

/// Element (gate, row, col) of an int8 matrix in any order.
int8_t weight_at(const Weights& w, const uint8_t* array, int gate, int row, int col);

/// Whether a cell's matrix over its input has low rank, and that over its state. A rank that is no
/// smaller than the number of inputs leaves the input's matrix whole.
inline bool has_input_factor(const LayerRecord& one_direction) {
  return one_direction.rank > 0 && one_direction.rank < one_direction.in;
}
inline bool has_state_factor(const LayerRecord& one_direction) { return one_direction.rank > 0; }

/// A walk over the arrays of a layer, whose kind must be known: first those of the forward
/// direction.
class ArrayWalk {
 public:
  explicit ArrayWalk(const LayerRecord& layer);
  /// Gives the next array; false at the end.
  bool next(Weights& array);

 private:
  const LayerRecord& layer_;
  const struct LayerKind& kind_;
  uint32_t behind_ = 0;  ///< where an array without a field begins
  uint8_t next_ = 0;
  bool backward_ = false;
};

/// The arrays of a layer; returns how many. The layer's kind must be known.
int layer_weights(const LayerRecord& layer, Weights out[most_arrays]);

/// The offset of a direction's array, which it must have.
uint32_t offset_of(const LayerRecord& one_direction, Role role);

/// Calls f for each array of a layer.
template <class F>
void for_each_array(const LayerRecord& layer, F f) {
  ArrayWalk walk(layer);
  for (Weights array; walk.next(array);) f(array);
}

/// An opened blob. Lies inside sluice_model.
struct OpenModel {
  const uint8_t* blob;
  const Kernels* kernels;
  const LayerRecord* layers;
  uint32_t layer_count;
  const struct LayerKind* kinds;  ///< those of the model's number format
  uint32_t buffer_units;          ///< numbers of a row in the buffers of the layers' outputs
  uint32_t state_bytes;           ///< of a stream
  uint8_t x_bytes, y_bytes;       ///< of a number in a frame, and in what a layer hands on
  bool whole;                     ///< a layer goes in both directions: every call is a sequence
  uint8_t format() const { return layers[0].format; }
  const BlobHeader& header() const { return *reinterpret_cast<const BlobHeader*>(blob); }
  const float* floats_at(uint32_t offset) const {
    return reinterpret_cast<const float*>(blob + offset);
  }
};

inline const OpenModel& model_of(const sluice_model* handle) {
  return *reinterpret_cast<const OpenModel*>(handle);
}

/// The section of that kind, or null.
const BlobSection* find_section(const uint8_t* blob, uint32_t kind);

/// Checks everything that can be wrong with a blob; on SLUICE_OK it may be read in place.
/// @param any_order  also weights in an order that this build's kernels do not read
sluice_status check_blob(const void* blob, size_t bytes, bool any_order);

/// CRC-32 of a blob of `bytes` >= 64 bytes, its own field taken as 0.
uint32_t blob_crc(const uint8_t* blob, size_t bytes);

}  // namespace sluice

#endif
