// TFLite's operations by TensorFlow's names, and its fused recurrent ones as ONNX's.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flat_file.h"
#include "op_graph.h"
#include "tensorflow_nodes.h"

namespace sluice::tools {

/// A node of a TFLite file.
struct TfliteNode {
  std::int32_t code = 0;
  std::string custom;  ///< its name, if its code is that of custom ones
  std::vector<std::string> inputs, outputs;
  std::vector<std::vector<std::int64_t>> input_shapes, output_shapes;
  bool is_float = true;  ///< its outputs are floats, or integers that stand for them
  std::optional<FlatTable> options;
  std::vector<std::shared_ptr<const OpGraph>> graphs;  ///< of a loop: its condition and its body
  bool is_loop() const;
  bool makes_variable() const;
  bool reads_variable() const;
  bool sets_variable() const;
  bool runs_once() const;
};

class TfliteNodes {
 public:
  /// @param remarks  gets what a person should read in any case
  TfliteNodes(OpGraph& graph, std::vector<std::string>& remarks)
      : graph_(graph), tensorflow_(graph), remarks_(remarks) {}
  void add(const TfliteNode& node);

 private:
  struct Cell;
  template <class T>
  T option(const TfliteNode& node, int field, T otherwise) const {
    return node.options ? node.options->number<T>(field, otherwise) : otherwise;
  }
  void add_operation(const TfliteNode& node, OpNode to);
  void fully_connected(const TfliteNode& node, OpNode to);
  void convolution(const TfliteNode& node, OpNode to);
  bool recurrent(const TfliteNode& node, OpNode to);
  const Constant* constant(const std::string& name) const;
  std::string put(Constant constant, const OpNode& of);

  OpGraph& graph_;
  TensorFlowNodes tensorflow_;
  std::vector<std::string>& remarks_;
};

}  // namespace sluice::tools
