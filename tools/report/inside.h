// The inner values of a float network while it reads a sequence: states, gates, and the influence
// of the input on its answer. All are computed by the runtime on networks with the same weights; no
// cell's arithmetic is repeated here.
#pragma once
#include <string>
#include <vector>

#include "../data/data.h"
#include "../model/network.h"

namespace sluice::tools {

/// The beginning of a sequence.
struct Excerpt {
  const DataSet& data;
  std::size_t sequence, steps;
};

/// Values of every step.
struct Steps {
  std::size_t width = 0;
  std::vector<float> values;  ///< [steps][width]
};

struct Gate {
  std::string name;  ///< "update gate z"
  Steps open;        ///< of each unit, 0 to 1
};

struct RecurrentLayer {
  std::size_t layer = 0;  ///< index in the network
  Steps state;            ///< h after each step; for both directions side by side
  std::vector<Gate> gates;
};

/// Returns the output of the first `layers` layers, at every step of the last one.
Steps run_layers(const Network& network, std::size_t layers, const Excerpt& excerpt);

/// Returns the number of layers in front that only prepare the input: differences and
/// standardization, or an embedding.
std::size_t front_layers(const Network& network);

/// Returns states and gates of every recurrent layer.
std::vector<RecurrentLayer> inside(const Network& network, const Excerpt& excerpt);

/// One output of one answer.
struct AnswerAt {
  std::size_t step, output;  ///< step: for a network that answers every step
};

/// Returns the gradient of one output, before a last softmax or sigmoid, by the outputs of the
/// front layers at every step. These are frames or their differences, in deviations of the training
/// data if the network standardizes; for a text the vectors of its tokens. The gradient is exact,
/// by back-propagation. Refuses a network with a batch normalization, which computes differently in
/// training and in use.
Steps input_gradient(const Network& network, const Excerpt& excerpt, const AnswerAt& point);

}  // namespace sluice::tools
