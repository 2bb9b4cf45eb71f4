// TensorFlow's operations as those that a follower of graphs knows (graph_follower.h).
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "op_graph.h"

namespace sluice::tools {

/// Appends operations of TensorFlow to a graph. TFLite's come in by TensorFlow's names.
class TensorFlowNodes {
 public:
  explicit TensorFlowNodes(OpGraph& graph) : graph_(graph) {}

  /// Appends a node whose operation and attributes are TensorFlow's. One that cannot be expressed
  /// becomes a node that the follower refuses by name, if an answer needs it.
  void add(const OpNode& node);

  /// Appends a node of the follower's own for a node of the file.
  void own(const OpNode& from, const std::string& op, std::vector<std::string> inputs,
           std::vector<std::string> outputs,
           std::vector<std::pair<std::string, OpAttribute>> attributes = {});
  /// Appends a node that is refused with a reason.
  void refused(const OpNode& from, const std::string& reason);

  /// Returns the name of a new constant of whole numbers.
  std::string constant(std::vector<std::int64_t> shape, std::vector<std::int64_t> numbers);
  std::string constant(float number);
  /// Returns a name that no other value of the graph has.
  std::string fresh(const OpNode& of);
  /// Returns the whole numbers of a constant; null if the value is another one.
  const std::vector<std::int64_t>* whole(const std::string& value) const;

 private:
  bool add_shapes(const OpNode& node);
  bool add_arithmetic(const OpNode& node);
  bool add_lists(const OpNode& node);
  OpGraph& graph_;
  int made_ = 0;
};

/// Returns an attribute of whole numbers.
OpAttribute whole_attribute(std::int64_t number);
OpAttribute wholes_attribute(std::vector<std::int64_t> numbers);
OpAttribute real_attribute(float number);
OpAttribute text_attribute(std::string text);

}  // namespace sluice::tools
