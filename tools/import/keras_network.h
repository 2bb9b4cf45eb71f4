// Makes a network of a Keras model: walks its graph, and reads each kind of layer.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "imported.h"
#include "keras_config.h"
#include "keras_weights.h"
#include "weights.h"

namespace sluice::tools {

/// A tensor of Keras, and the layer of the network that computes it.
struct KerasValue {
  bool known = false;             ///< false: it comes from a layer that cannot be expressed
  std::uint32_t source = 0;       ///< 0: the frame; else a layer counted from 1
  bool sequence = false;          ///< has a row for each step
  bool once = false;              ///< the network computes it after the last step alone
  bool input = false;             ///< an input of one row, as the frame has it
  bool reversed = false;          ///< its steps are in the opposite order of the network's
  bool masked = false;            ///< frames with the mask's value are left out of it
  std::vector<std::size_t> dims;  ///< of a row
  std::size_t steps = 0;          ///< 0: any number
  std::uint32_t left_out = 0;     ///< the last layer that left steps out of it, counted from 1
  /// Zeros that were put in front of its steps, or positions, and behind them, for the convolution
  /// that reads it.
  std::size_t front = 0, back = 0;
  bool padded_steps = false;  ///< they are steps
  bool is_padded() const { return front > 0 || back > 0; }
  std::size_t width() const {
    std::size_t product = 1;
    for (const std::size_t size : dims) product *= size;
    return product;
  }
};
using KerasValues = std::vector<KerasValue>;

/// Returns whether an axis is the last one of a tensor; a list of one axis will do.
bool is_last_axis(const JsonNode* axis, std::size_t rank);

/// Returns the rank of a value, with the batch's dimension.
std::size_t rank_of(const KerasValue& value);

/// Returns whole numbers of a list or a single one; nothing if a number is none.
std::optional<std::vector<double>> whole_numbers(const JsonNode* node);

/// The settings of a recurrent layer.
struct KerasCell {
  sluice_layer_kind kind = SLUICE_LSTM;
  std::size_t units = 0;
  std::string activation;  ///< of the candidate
  sluice_activation gates = SLUICE_LINEAR;
  float slope = 0;  ///< of hard-sigmoid gates
  bool bias = true, backwards = false, sequences = false, state = false;
  bool known = true;  ///< false: it cannot be expressed
};

class KerasNetwork {
 public:
  /// @param version  of Keras: 1, 2 or 3
  KerasNetwork(KerasWeights& weights, int version, std::size_t bytes, const std::string& file,
               Imported& to);

  /// Makes the network. Refuses (exit code 2) a model that cannot be expressed, with all reasons.
  void read(const KerasModel& model);

 private:
  /// A layer while one call of it is read.
  struct Use {
    const KerasLayer& layer;
    const KerasCall& call;
    KerasPlace place;
    std::string at;  ///< its name and type, for messages
    KerasEntries config;
    std::vector<std::size_t> readers;  ///< of each output
  };
  using Reader = KerasValues (KerasNetwork::*)(const Use&, const KerasValues&);
  struct Kind {
    const char* type;
    Reader reader;
  };
  static const Kind kinds[];

  // The graph.
  KerasValues read_model(const KerasModel& model, const KerasPlace& place, const std::string& path,
                         const KerasValues& inputs);
  KerasValues read_layer(const KerasLayer& layer, const KerasCall& call, const KerasPlace& place,
                         const std::string& path, std::vector<std::size_t> readers,
                         const KerasValues& inputs);
  KerasValues make_inputs(const KerasModel& model);
  void make_answers(const KerasModel& model, const KerasValues& outputs);

  // Kinds of layers.
  KerasValues read_recurrent(const Use& use, const KerasValues& inputs);
  KerasValues read_bidirectional(const Use& use, const KerasValues& inputs);
  KerasValues read_time_distributed(const Use& use, const KerasValues& inputs);
  KerasValues read_nested(const Use& use, const KerasValues& inputs);
  KerasValues read_dense(const Use& use, const KerasValues& inputs);
  KerasValues read_convolution(const Use& use, const KerasValues& inputs);
  KerasValues read_embedding(const Use& use, const KerasValues& inputs);
  KerasValues read_batch_norm(const Use& use, const KerasValues& inputs);
  KerasValues read_layer_norm(const Use& use, const KerasValues& inputs);
  KerasValues read_normalization(const Use& use, const KerasValues& inputs);
  KerasValues read_rescaling(const Use& use, const KerasValues& inputs);
  KerasValues read_activation(const Use& use, const KerasValues& inputs);
  KerasValues read_nothing(const Use& use, const KerasValues& inputs);
  KerasValues read_masking(const Use& use, const KerasValues& inputs);
  KerasValues read_flatten(const Use& use, const KerasValues& inputs);
  KerasValues read_reshape(const Use& use, const KerasValues& inputs);
  KerasValues read_permute(const Use& use, const KerasValues& inputs);
  KerasValues read_repeat(const Use& use, const KerasValues& inputs);
  KerasValues read_pooling(const Use& use, const KerasValues& inputs);
  KerasValues read_over_steps(const Use& use, const KerasValues& inputs);
  KerasValues read_padding(const Use& use, const KerasValues& inputs);
  KerasValues read_slice(const Use& use, const KerasValues& inputs);
  KerasValues read_join(const Use& use, const KerasValues& inputs);
  KerasValues read_operator(const Use& use, const KerasValues& inputs);

  // Parts of them.
  /// A kernel over steps or positions, and the settings that say so.
  struct Kernel;
  std::optional<Kernel> kernel_of(const Use& use, const KerasValue& from, const char* const* names,
                                  bool pools);
  bool has_last_channels(const Use& use);
  KerasValue step_window(const Use& use, const KerasValue& from, const Kernel& kernel);
  KerasValue patches(const Use& use, const KerasValue& from, const Kernel& kernel, bool largest);
  KerasValue kernel_product(const Use& use, const KerasValue& from, const Kernel& kernel,
                            std::size_t filters, const std::vector<float>& weights,
                            const View& bias, const Curve& curve);
  /// The curve of an activation.
  std::optional<Curve> curve_of(const std::string& word, const JsonNode* settings,
                                const std::string& at);
  bool put_candidate(Layer& layer, const std::string& word) const;
  KerasCell cell_of(const Use& use);
  KerasCellArrays cell_arrays(const KerasPlace& place, const std::string& at, const KerasCell& cell,
                              std::size_t in);
  Layer cell_layer(const KerasCell& cell, std::size_t in, bool both);
  void put_direction(Layer& layer, bool backward, const KerasCellArrays& arrays, std::size_t in,
                     const std::string& at);
  bool takes_sequence(const Use& use, const KerasValues& inputs);
  bool takes_one(const Use& use, const KerasValues& inputs);
  /// An array that a layer must have, and the array of the network's layer that it becomes.
  struct Wanted {
    const char* becomes;
    std::vector<std::size_t> shape;
  };
  /// Returns the arrays of a layer, and notes what they become. Refuses other shapes.
  std::vector<Tensor> arrays(const KerasPlace& place, const std::string& at,
                             const std::vector<Wanted>& wanted);
  KerasValue add(const Use& use, Layer layer, const KerasValue& from);
  KerasValue select(const KerasValue& from, std::size_t first, std::size_t count);
  KerasValue join(sluice_layer_kind kind, const KerasValues& parts);
  void fold_norm(KerasValue& value);
  KerasValue curved(KerasValue from, const Curve& curve, const std::string& at);
  KerasValue scaled(const KerasValue& from, const std::vector<float>& scale,
                    const std::vector<float>& shift);
  std::uint32_t source_of(const KerasValue& value);
  bool is_shared(std::uint32_t source) const;
  void share(std::uint32_t source);
  bool once_a_sequence(KerasValue& value, bool mean);
  void take(std::size_t numbers);
  Layer& layer_at(std::uint32_t source) { return to_.network.layers[source - 1]; }
  /// Notes the layer that a layer of Keras became, and its arrays.
  void note(const Use& use, const std::string& became);

  KerasWeights& weights_;
  int version_;
  const std::string& file_;
  Imported& to_;
  Obstacles obstacles_;
  std::size_t room_;          ///< numbers of weights that the network may still get
  std::vector<bool> shared_;  ///< by source: whether several layers read it
  /// The first layer of the network that has the weights of a layer of Keras.
  std::map<std::pair<const JsonNode*, const JsonNode*>, int> first_with_;
  std::size_t calls_ = 0;  ///< of layers that were read
  std::size_t given_inputs_ = 0;
  bool frame_read_ = false;   ///< as it is in the file
  std::size_t reshaped_ = 0;  ///< the width of frames as another shape has it; 0: none
};

}  // namespace sluice::tools
