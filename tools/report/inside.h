// What goes on inside a float network while it reads a sequence: states, gates, and what of the
// input its answer rests on. All of it by networks made of the same weights that the runtime runs,
// or differentiates; no cell's arithmetic stands here.
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

/// Numbers of every step.
struct Steps {
  std::size_t width = 0;
  std::vector<float> values;  ///< [steps][width]
};

struct Gate {
  std::string name;  ///< "update gate z"
  Steps open;        ///< of each unit, 0 to 1
};

struct RecurrentLayer {
  std::size_t layer = 0;  ///< of the network
  Steps state;            ///< h after each step; of both directions one beside the other
  std::vector<Gate> gates;
};

/// What the first `layers` layers hand on, the last of them at every step.
Steps run_layers(const Network& network, std::size_t layers, const Excerpt& excerpt);

/// How many layers in front only prepare what enters: differences, standardization; or an
/// embedding.
std::size_t front_layers(const Network& network);

/// States and gates of every recurrent layer.
std::vector<RecurrentLayer> inside(const Network& network, const Excerpt& excerpt);

/// Which number of which answer.
struct AnswerAt {
  std::size_t step, output;  ///< step: of a network that answers every one
};

/// The gradient of a number that the network answers, before a last softmax or sigmoid, by what
/// leaves the front layers at every step: frames, or what changes between them, in deviations of
/// the training data where the network standardizes; of a text the vectors of its tokens. Exact, by
/// back-propagation. Refused where a batch normalization is left, whose training differs from its
/// use.
Steps input_gradient(const Network& network, const Excerpt& excerpt, const AnswerAt& point);

}  // namespace sluice::tools
