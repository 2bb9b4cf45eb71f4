// A network as the tools see it: plain rows of float weights, before it is a blob.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/blob.h"
#include "sluice.h"

namespace sluice::tools {

/// One array of a layer in plain order [gates * rows][cols].
struct Array {
  /// as the layer's anatomy has it (runtime/anatomy.h); of a backward direction with "_reverse"
  /// behind it
  std::string name;
  Role role{};
  bool backward = false, trained = true;
  int gates = 1, rows = 0, cols = 1;
  std::vector<float> values;
  std::vector<std::int32_t> integers;  ///< in place of values if the layer is in fixed point
  bool is_matrix() const { return sluice::is_matrix(role); }
};

struct Layer {
  sluice_layer_kind kind = SLUICE_DENSE;
  sluice_activation activation = SLUICE_LINEAR;
  bool every_step = false;  ///< recurrent: hands every step on
  int in = 0, out = 0;
  std::vector<Array> arrays;  ///< in the order of layer_weights()
  sluice_format format = SLUICE_F32;
  int shift_ih = 0, shift_hh = 0, shift_c = 0;  ///< of fixed point
  bool mean = false;                            ///< recurrent: hands on the mean over steps
  bool both = false;    ///< recurrent: goes in both directions, half of `out` each
  float parameter = 0;  ///< slope of the hard sigmoid, epsilon of a normalization
  int rank = 0;         ///< recurrent: of matrices of low rank (LayerRecord::rank); 0: whole
  int factor_shift_ih = 0, factor_shift_hh = 0;  ///< of fixed point and low rank
  /// of fixed point: its blob stores only the blocks of its matrices that are not all zeros
  bool sparse = false;
  int tied = -1;  ///< the layer before it whose weights it has, stored once; the arrays are equal
  std::string name;  ///< by which a recipe refers to its output; may be empty
  /// what it reads: 0 the frame, else a layer counted from 1; empty: the layer before
  std::vector<std::uint32_t> sources;

  const Anatomy& anatomy() const { return anatomy_of(std::uint32_t(kind)); }
  /// The array of that role, which the layer must have.
  const Array& array(Role role, bool backward = false) const;
  Array& array(Role role, bool backward = false);
  /// The same, or null if the layer has none.
  const Array* find(Role role, bool backward = false) const;
  WeightGroup group_of(const Array& array) const {
    return sluice::group_of(std::uint32_t(kind), array.role);
  }
};

/// How a network in fixed point takes its inputs and gives its answers (sluice_quantize,
/// sluice_dequantize): an input's number is value * inverse + offset, an output's value number *
/// unit + zero.
struct Scales {
  std::vector<float> inverse, offset;  ///< [inputs]
  std::vector<float> unit, zero;       ///< [outputs]
};

struct Network {
  std::vector<Layer> layers;
  int width = 0;  ///< numbers in a frame; 0: as many as the first layer takes, of an embedding 1
  std::vector<std::string> inputs;  ///< names of the features; empty or one per input
  /// names of the classes, or of the values; empty or one per output
  std::vector<std::string> labels;
  std::string made;        ///< how it was made, as JSON; may be empty
  Scales scales;           ///< in fixed point
  std::string self_test;   ///< the section that sluice_selftest reads; may be empty
  std::string vocabulary;  ///< the section (vocabulary.h); empty for a network that reads no text
};

/// The name of an array of a layer of that kind.
std::string array_name(std::uint32_t kind, const Weights& array);

/// A layer with its arrays, all zeros, of the shape that its kind has.
Layer make_layer(sluice_layer_kind kind, int in, int out,
                 sluice_activation activation = SLUICE_LINEAR, bool every_step = false,
                 sluice_format format = SLUICE_F32);

/// The same of a layer's other fields.
Layer with_arrays(Layer layer);

/// A recurrent float layer with whole matrices W1 W2 in place of those of low rank: the same
/// function, except for the last bits. Other layers as they are.
Layer multiplied_out(const Layer& layer);

/// Blocks of 8 x 4 weights, as fixed point stores them: of one gate's rows, each padded to whole
/// blocks.
struct BlockShare {
  std::uint64_t blocks = 0, zero = 0;
  double share() const { return blocks ? double(zero) / double(blocks) : 0; }
};
BlockShare zero_blocks(const Array& matrix);

/// Has the blob store the layer's matrices sparse, where that takes fewer bytes.
void choose_sparse(Layer& layer);

/// Whether a layer has a state.
bool recurrent(const Layer& layer);

/// Numbers in a frame: 1 if it is an id.
int frame_width(const Network& network);

/// Whether a layer stands before those that a recipe lists, and has nothing to learn: differences,
/// standardization.
bool only_prepares(const Layer& layer);

/// The offsets of a record, in the order in which the arrays lie in the file.
constexpr int offset_fields = 8;
std::uint32_t& offset_field(LayerRecord& record, std::uint32_t i);

/// A layer's record, without offsets, wiring and place.
LayerRecord record_of(const Layer& layer);

/// The arrays of a layer that lies nowhere yet: the offset of each is the number of its field; of
/// an array without a field it follows the array before it. Returns how many.
int arrays_of(const Layer& layer, Weights out[most_arrays]);

}  // namespace sluice::tools
