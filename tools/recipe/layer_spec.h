// A layer of a recipe, with its options.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sluice.h"
#include "words.h"

namespace sluice::tools {

struct LayerSpec {
  sluice_layer_kind kind = SLUICE_DENSE;
  /// 0: as many as there are inputs (normalizations, curve). Of a window: steps; of patches and
  /// pooling: the positions of one; of a dense with `part`: units for each part.
  std::int64_t units = 0;
  sluice_activation activation = SLUICE_LINEAR;  ///< Dense
  sluice_activation candidate = SLUICE_TANH;     ///< recurrent; the key is activation, too
  StepsOut steps = StepsOut::open;               ///< recurrent; open until resolved
  Directions directions = Directions::one;       ///< recurrent
  sluice_activation gates = SLUICE_SIGMOID;      ///< GRU and LSTM
  Reset reset = Reset::after;                    ///< GRU
  double slope = 0;                              ///< of hard_sigmoid and hard_silu
  double alpha = 0;                              ///< of elu and leaky_relu; 0: the default of each
  double low = 0, high = 0;                      ///< of clip
  double epsilon = 0;                            ///< normalizations
  std::int64_t repeat = 1;       ///< recurrent: number of layers stacked on one another
  bool tied = false;             ///< the repeated layers share their weights
  double dropout = 0;            ///< on the layer's output
  double recurrent_dropout = 0;  ///< -1: as model.dropout.recurrent
  double gate_dropout = 0;
  bool initial_state = false;   ///< recurrent: learns the state from which a sequence begins
  bool peepholes = false;       ///< LSTM
  double cell_clip = 0;         ///< LSTM; 0: none
  std::int64_t projection = 0;  ///< LSTM: the units of its output; 0: as many as cells
  std::int64_t rank = 0;        ///< recurrent: of matrices of low rank; 0: they are whole
  std::int64_t dilation = 1;    ///< of a window
  std::int64_t part = 0;        ///< of a dense: numbers of a part; 0: all of them are one part
  std::int64_t channels = 1;    ///< of patches and pooling: numbers of a position
  std::int64_t stride =
      0;  ///< of patches, in positions; 0: patches do not overlap. Of a window, in steps
  Padding padding = Padding::none;  ///< of patches
  std::int64_t skip = 0;            ///< of patches: positions in front of the first patch
  std::int64_t count = 0;           ///< of patches: the most that are taken; 0: all
  std::int64_t first = 0;           ///< of a window: the step of its first output
  std::int64_t ahead = 0;           ///< of a window: steps behind the one of its output
  std::string name;                 ///< by which later layers may refer to it; may be empty
  std::string from;                 ///< the one layer that it reads, by name; empty: the one before
  HeadLoss loss = HeadLoss::none;   ///< of a layer that is a part of the answer
  double weight = 0;                ///< of that loss in the sum; 0: the layer has no loss
  std::vector<std::string> sources;  ///< of concat, add and multiply: the layers they join

  bool recurrent() const;
  bool joins() const;
  /// Returns whether it has one output a sequence, although its source has one a step.
  bool ends_steps() const;
  /// Returns whether it has no output for some steps of its source.
  bool thins() const;
  /// Returns the width of the layer's output for `in` inputs.
  std::int64_t out(std::int64_t in) const;
};

}  // namespace sluice::tools
