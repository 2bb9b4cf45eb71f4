// The weights of a Keras model's layers, wherever an HDF5 file keeps them.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "hdf5.h"
#include "keras_config.h"

namespace sluice::tools {

/// The place of the weights of a layer or model.
/// - Keras 1 to 3, .h5: a group for each layer, whose attribute "weight_names" lists its arrays.
///   Those of a model inside a model are in one list.
/// - Keras 3, .keras and .weights.h5: a tree of groups, "layers/lstm_1/cell/vars/0".
struct KerasPlace {
  bool listed = false;                                   ///< by weight_names
  std::vector<std::pair<std::string, Hdf5::Node>> list;  ///< names, and arrays
  bool there = false;                                    ///< in the tree
  Hdf5::Node group = 0;
};

class KerasWeights {
 public:
  explicit KerasWeights(Hdf5& file) : file_(file) {}

  /// Returns the place of the whole model's weights.
  KerasPlace model() const;
  /// Returns the place of a layer of the model whose place that is.
  KerasPlace layer(const KerasPlace& model, const KerasLayer& layer) const;
  /// Returns the place of a layer inside a wrapper: "layer", "forward_layer", "backward_layer".
  KerasPlace part(const KerasPlace& wrapper, const char* name) const;
  /// Returns the arrays of a layer in Keras's order; those of a cell inside it, too. Refuses
  /// (exit code 2) numbers that are not finite.
  /// @param name  of the layer, for messages
  std::vector<Tensor> arrays(const KerasPlace& place, const std::string& name);

 private:
  Hdf5& file_;
};

/// The arrays of one direction of a cell, gates in the order of Keras 2 and 3: z, r, h of a GRU,
/// and i, f, c, o of an LSTM.
struct KerasCellArrays {
  std::vector<float> input;        ///< [in][gates * units]
  std::vector<float> state;        ///< [units][gates * units]
  std::vector<float> bias;         ///< [gates * units]; empty: there is none
  std::vector<float> second_bias;  ///< of the product over the state; empty: there is none
};

/// Returns a cell's arrays. Reads them as Keras 2 and 3 write them, as Keras 1 does (arrays for
/// each gate), and in cuDNN's layout. Refuses (exit code 2) other shapes.
/// @param found  2 or 3 arrays, or 3 for each gate
KerasCellArrays keras_cell(std::vector<Tensor> found, sluice_layer_kind kind, std::size_t units,
                           std::size_t in, const std::string& file);

/// Returns the texts of an attribute that Keras may have spread over several: "layer_names0", ...
std::vector<std::string> keras_texts(const Hdf5& file, Hdf5::Node node, const std::string& name);

/// Returns the name of a class as Keras 3 names groups: "batch_normalization".
std::string snake_case(const std::string& type);

}  // namespace sluice::tools
