// A network in the tools: plain rows of float weights, before it is packed into a blob.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/blob.h"
#include "sluice.h"

namespace sluice::tools {

/// One array of a layer in plain order [gates * rows][cols].
struct Array {
  /// As in the layer's anatomy (runtime/anatomy.h); with "_reverse" appended for the backward
  /// direction.
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
  bool every_step = false;  ///< recurrent: the output has every step
  int in = 0, out = 0;
  std::vector<Array> arrays;  ///< in the order of layer_weights()
  sluice_format format = SLUICE_F32;
  int shift_ih = 0, shift_hh = 0, shift_c = 0, shift_h = 0;  ///< of fixed point
  bool mean = false;           ///< recurrent: the output is the mean over the steps
  bool both = false;           ///< recurrent: reads in both directions, each with half of `out`
  bool initial_state = false;  ///< recurrent: begins from a state that it stores, not from zero
  /// Slope of a hard sigmoid or hard SiLU, epsilon of a normalization, lowest value of a clip.
  float parameter = 0;
  float second = 0;  ///< alpha of an ELU or leaky ReLU, highest value of a clip
  sluice_activation candidate = SLUICE_TANH;  ///< recurrent: of the candidate (LayerRecord)
  bool peepholes = false;                     ///< LSTM: its gates read its cell state
  float cell_clip = 0;                        ///< LSTM: the largest |c|; 0: it is not clipped
  int cells = 0;  ///< LSTM with a projection: the cells of a direction; else 0
  int rank = 0;   ///< recurrent: of matrices of low rank (LayerRecord::rank); 0: whole
  int factor_shift_ih = 0, factor_shift_hh = 0;  ///< of fixed point and low rank
  /// Of a window: its steps. Of a pooling or a Dense: the equal parts of its input to each of which
  /// it applies; 0: the whole.
  int parts = 0;
  int dilation = 0;  ///< of a window: every how many steps it takes one
  int stride = 1;    ///< of a window: every how many steps it has an output
  int ahead = 0;     ///< of a window: how many steps behind that of its output it reads
  int first = 0;     ///< of a window: the step, counted from 0, of its first output
  /// Of fixed point: the blob stores only the blocks of its matrices that are not all zeros.
  bool sparse = false;
  /// the earlier layer whose weights it shares, which are stored once; the arrays are equal
  int tied = -1;
  std::string name;  ///< name of its output in a recipe; may be empty
  /// Its sources: 0 for the frame, else a layer counted from 1; empty: the layer before.
  std::vector<std::uint32_t> sources;

  /// Returns the rows of a gate of one direction of a cell.
  int gate_rows() const { return cells > 0 ? cells : both ? out / 2 : out; }
  /// Returns whether it has one output a sequence, although its source has one a step.
  bool ends_steps() const { return anatomy().once || (anatomy().recurrent && !every_step); }
  /// Returns whether it has no output for some steps of its source.
  bool thins() const { return kind == SLUICE_WINDOW && (stride > 1 || first > 0); }
  const Anatomy& anatomy() const { return anatomy_of(std::uint32_t(kind)); }
  /// Returns the array of that role, which the layer must have.
  const Array& array(Role role, bool backward = false) const;
  Array& array(Role role, bool backward = false);
  /// Returns the array of that role, or null if the layer has none.
  const Array* find(Role role, bool backward = false) const;
  WeightGroup group_of(const Array& array) const {
    return sluice::group_of(std::uint32_t(kind), array.role);
  }
};

/// The scales of a fixed-point network's inputs and answers (sluice_quantize, sluice_dequantize):
/// an input's number is value * inverse + offset; an output's value is number * unit + zero.
struct Scales {
  std::vector<float> inverse, offset;  ///< [inputs]
  std::vector<float> unit, zero;       ///< [outputs]
};

struct Network {
  std::vector<Layer> layers;
  int width = 0;  ///< numbers in a frame; 0: the width of the first layer, for an embedding 1
  std::vector<std::string> inputs;  ///< names of the features; empty or one per input
  /// Names of the classes, or of the values; empty, or one per output.
  std::vector<std::string> labels;
  std::string made;         ///< record of how it was made, as JSON; may be empty
  Scales scales;            ///< of a fixed-point network
  bool wide_frame = false;  ///< in int8: its frames are int16 (BlobHeader::wide_frame)
  std::string self_test;    ///< the section that sluice_selftest reads; may be empty
  std::string vocabulary;   ///< the section (vocabulary.h); empty for a network that reads no text
};

/// Returns the name of an array of a layer of that kind.
std::string array_name(std::uint32_t kind, const Weights& array);

/// Returns a layer of that kind and shape with its arrays, all zeros.
Layer make_layer(sluice_layer_kind kind, int in, int out,
                 sluice_activation activation = SLUICE_LINEAR, bool every_step = false,
                 sluice_format format = SLUICE_F32);

/// Returns the layer with the arrays that its other fields require, all zeros.
Layer with_arrays(Layer layer);

/// Returns a recurrent float layer with whole matrices W1 W2 in place of those of low rank. It
/// computes the same function, except for the last bits. Other layers are returned unchanged.
Layer multiplied_out(const Layer& layer);

/// Numbers of blocks of 8 x 4 weights, as fixed point stores them: the rows of one gate, padded to
/// whole blocks.
struct BlockShare {
  std::uint64_t blocks = 0, zero = 0;
  double share() const { return blocks ? double(zero) / double(blocks) : 0; }
};
BlockShare zero_blocks(const Array& matrix);

/// Stores the layer's matrices sparse if that takes fewer bytes.
void choose_sparse(Layer& layer);

/// Returns whether a layer has a state.
bool recurrent(const Layer& layer);

/// Returns the width of a frame; 1 if it is an id.
int frame_width(const Network& network);

/// Returns the name of a number of the frame; "x0", "x1", ... if the network does not name them.
std::string input_name(const Network& network, std::size_t i);

/// Returns whether a layer is in front of those that a recipe lists, and has nothing to learn:
/// differences, standardization.
bool only_prepares(const Layer& layer);

/// The offsets of a record, in the order of the arrays in the file.
constexpr int offset_fields = 8;
std::uint32_t& offset_field(LayerRecord& record, std::uint32_t i);

/// Returns a layer's record, without offsets, wiring and place.
LayerRecord record_of(const Layer& layer);

/// Lists the arrays of a layer that has no place yet. The offset of each is the number of its
/// field; an array without a field follows the one before. Returns the number of arrays.
int arrays_of(const Layer& layer, Weights out[most_arrays]);

}  // namespace sluice::tools
