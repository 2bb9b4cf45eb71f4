// A network as the tools see it: plain rows of float weights, before it is a blob.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sluice.h"

namespace sluice::tools {

/// One array of weights in plain order [gates * rows][cols], named as PyTorch names it.
struct Array {
  std::string name;  ///< as weights_name() has it (runtime/blob.h)
  int gates = 1, rows = 0, cols = 1;
  std::vector<float> values;
  std::vector<std::int32_t> integers;  ///< in place of values where the layer is in fixed point
};

struct Layer {
  sluice_layer_kind kind = SLUICE_DENSE;
  sluice_activation activation = SLUICE_LINEAR;
  bool every_step = false;  ///< recurrent: hands every step on
  int in = 0, out = 0;
  std::vector<Array> arrays;  ///< in the order of layer_weights()
  sluice_format format = SLUICE_F32;
  int shift_ih = 0, shift_hh = 0, shift_c = 0;  ///< of fixed point
  bool mean = false;               ///< recurrent: hands on the mean over steps
  bool both = false;               ///< recurrent: goes in both directions, half of `out` each
  float parameter = 0;             ///< slope of the hard sigmoid, epsilon of a normalization
  bool sparse = false;             ///< of fixed point: its blob stores only the blocks of its matrices that are not all zeros
  int tied = -1;                   ///< the layer before it whose weights it has, stored once; the arrays are equal
};

/// How a network in fixed point takes its inputs and gives its answers (sluice_quantize, sluice_dequantize).
struct Scales {
  float output = 1;
  std::vector<float> inverse, offset;
};

struct Network {
  std::vector<Layer> layers;
  std::vector<std::string> inputs;  ///< names of the features; empty or one per input
  std::vector<std::string> labels;  ///< names of the classes, or of the values; empty or one per output
  std::string made;                 ///< how it was made, as JSON; may be empty
  Scales scales;                    ///< in fixed point
  std::string self_test;            ///< the section that sluice_selftest reads; may be empty
  std::string vocabulary;           ///< the section (vocabulary.h); empty for a network that reads no text
};

/// A layer with its arrays, all zeros, of the shape that its kind has.
Layer make_layer(sluice_layer_kind kind, int in, int out, sluice_activation activation = SLUICE_LINEAR, bool every_step = false,
                 sluice_format format = SLUICE_F32);

/// The same of a layer's other fields.
Layer with_arrays(Layer layer);

/// Blocks of 8 x 4 weights, as fixed point stores them: of one gate's rows, each padded to whole blocks.
struct BlockShare {
  std::uint64_t blocks = 0, zero = 0;
  double share() const { return blocks ? double(zero) / double(blocks) : 0; }
};
BlockShare zero_blocks(const Array& matrix);

/// Has the blob store the layer's matrices sparse, where that takes fewer bytes.
void choose_sparse(Layer& layer);

/// Whether a layer has a state.
bool recurrent(const Layer& layer);

/// Numbers in a frame: 1 where it is an id.
int frame_width(const Network& network);

/// Whether a layer comes before those that a recipe lists, and learns nothing: differences, standardization.
bool only_prepares(const Layer& layer);

/// Whether a model's last layer adds numbers of the frame to its answers; and a network without that layer.
bool adds_input(const sluice_model& model);
Network without_added_input(Network network);

/// The blob, format 1 (runtime/README.md). The network must be sound: opening the result is a check, not a hope.
std::string write_blob(const Network& network);

/// The network in a blob that has been opened.
Network read_network(const sluice_model& model);

/// Where every weight of a float model lies in its weight section: layer by layer, array by array, in plain order.
std::vector<std::uint32_t> weight_places(const sluice_model& model);

/// A float network's weights out of a copy of its model's weight section, and into one.
void unpack_weights(const std::vector<std::uint32_t>& places, const float* section, Network& network);
void pack_weights(const std::vector<std::uint32_t>& places, const Network& network, float* section);

}  // namespace sluice::tools
