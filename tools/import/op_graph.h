// A graph of operations as ONNX defines them, without its file's format; and some of TensorFlow's.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "imported.h"

namespace sluice::tools {

/// A tensor of known numbers: floats, or whole numbers of shapes and indices.
struct Constant {
  std::vector<std::int64_t> shape;
  std::vector<float> floats;
  std::vector<std::int64_t> whole;
  bool is_whole = false;
  std::size_t count() const { return is_whole ? whole.size() : floats.size(); }
  double number(std::size_t i) const { return is_whole ? double(whole[i]) : double(floats[i]); }
};
using ConstantPtr = std::shared_ptr<const Constant>;

struct OpGraph;

/// An attribute of an operation.
struct OpAttribute {
  std::int64_t whole = 0;
  float real = 0;
  std::string text;
  std::vector<std::int64_t> wholes;
  std::vector<float> reals;
  std::vector<std::string> texts;
  ConstantPtr tensor;
  std::shared_ptr<const OpGraph> graph;
};

struct OpNode {
  std::string op, domain, name;
  std::string file_op;  ///< the operation's name in the file, if that is another one
  std::vector<std::string> inputs, outputs;  ///< names of values; "" for one that is left out
  std::map<std::string, OpAttribute> attributes;

  /// Returns the operation's name for messages.
  const std::string& shown_op() const { return file_op.empty() ? op : file_op; }
  const OpAttribute* find(const std::string& attribute) const {
    const auto found = attributes.find(attribute);
    return found == attributes.end() ? nullptr : &found->second;
  }
  std::int64_t whole(const std::string& attribute, std::int64_t otherwise) const {
    const OpAttribute* const found = find(attribute);
    return found ? found->whole : otherwise;
  }
  float real(const std::string& attribute, float otherwise) const {
    const OpAttribute* const found = find(attribute);
    return found ? found->real : otherwise;
  }
};

/// An input or output of a graph. A dimension of unknown size is -1.
struct OpValue {
  std::string name;
  std::vector<std::int64_t> shape;
  bool is_whole = false;
};

struct OpGraph {
  std::vector<OpNode> nodes;  ///< in an order in which every value is made before it is used
  std::map<std::string, ConstantPtr> constants;
  std::vector<OpValue> inputs, outputs;
  std::string producer, producer_version;
  std::int64_t opset = 0;
  std::string format = "ONNX";       ///< of the file, for people
  std::vector<std::string> remarks;  ///< that a person should read in any case
};

/// Reads an ONNX file. Refuses (exit code 2) damaged ones, circles, and tensors that lie about
/// their sizes.
OpGraph read_onnx(std::string_view bytes, const std::string& file);

/// Returns whether bytes are those of an ONNX file.
bool is_onnx(std::string_view bytes);

/// Puts nodes into an order in which every value is made before it is used. Refuses (exit code 2)
/// circles and values that no node makes.
void sort_nodes(OpGraph& graph, const std::string& file);

/// Reads a TFLite file. Refuses (exit code 2) damaged ones. Weights in integers become floats.
OpGraph read_tflite(std::string_view bytes, const std::string& file);
bool is_tflite(std::string_view bytes);

/// Reads a frozen graph of TensorFlow 1. Refuses (exit code 2) damaged ones.
OpGraph read_graphdef(std::string_view bytes, const std::string& file);
bool is_graphdef(std::string_view bytes);

/// Gives inputs that are a whole sequence as one row, of which a Reshape makes frames, the shape of
/// those frames.
void unfold_inputs(OpGraph& graph);

/// How a GRU of PyTorch without linear_before_reset is to be read; open: ask.
enum class ResetChoice { open, after, before };

/// The words of a person on what a graph leaves open.
struct GraphChoices {
  ResetChoice reset = ResetChoice::open;
  std::int64_t frame = 0;  ///< numbers in a frame, if the file does not say; 0: not given
};

/// Returns the model that a graph of operations computes. Refuses (exit code 2) operations that
/// cannot be expressed, all at once.
Imported model_of_graph(const OpGraph& graph, const std::string& file, const GraphChoices& choices);

}  // namespace sluice::tools
