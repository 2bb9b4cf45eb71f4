#include "op_graph.h"

#include <algorithm>
#include <queue>
#include <set>

#include "../common/print.h"

namespace sluice::tools {

void sort_nodes(OpGraph& graph, const std::string& file) {
  // Of the nodes that could be next, the first one of the file is.
  const std::size_t count = graph.nodes.size();
  std::set<std::string> made;
  for (const auto& [name, constant] : graph.constants) made.insert(name);
  for (const OpValue& value : graph.inputs) made.insert(value.name);
  std::map<std::string, std::vector<std::size_t>> waiting;  // nodes, by a value that they read
  std::vector<std::size_t> missing(count);
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t n = 0; n < count; ++n) {
    for (const std::string& name :
         std::set<std::string>(graph.nodes[n].inputs.begin(), graph.nodes[n].inputs.end()))
      if (!name.empty() && !made.count(name)) waiting[name].push_back(n), ++missing[n];
    if (missing[n] == 0) ready.push(n);
  }
  std::vector<OpNode> sorted;
  sorted.reserve(count);
  std::vector<bool> done(count);
  while (!ready.empty()) {
    const std::size_t n = ready.top();
    ready.pop();
    done[n] = true;
    for (const std::string& name : graph.nodes[n].outputs) {
      const auto readers = waiting.find(name);
      if (readers == waiting.end()) continue;
      for (const std::size_t reader : readers->second)
        if (--missing[reader] == 0) ready.push(reader);
      waiting.erase(readers);
    }
    sorted.push_back(std::move(graph.nodes[n]));
  }
  for (std::size_t n = 0; n < count; ++n)
    if (!done[n])
      refuse(
          "{}: {} ({}) reads a value that no node makes before it; the graph is damaged or a "
          "circle",
          file, brief(graph.nodes[n].name), brief(graph.nodes[n].shown_op()));
  graph.nodes = std::move(sorted);
}

void unfold_inputs(OpGraph& graph) {
  for (OpValue& input : graph.inputs) {
    if (input.is_whole) continue;
    // The last of the Reshapes that follow one another.
    std::string value = input.name;
    std::vector<std::int64_t> shape;
    for (;;) {
      const OpNode* reader = nullptr;
      bool one = true;
      for (const OpNode& node : graph.nodes)
        if (std::count(node.inputs.begin(), node.inputs.end(), value))
          one = one && !reader, reader = &node;
      if (!reader || !one || (reader->op != "Reshape" && reader->op != "Identity") ||
          reader->outputs.size() != 1)
        break;
      if (reader->op == "Reshape") {
        const auto found = reader->inputs.size() < 2 ? graph.constants.end()
                                                     : graph.constants.find(reader->inputs[1]);
        const OpAttribute* const said = reader->find("shape");
        if (!said && found == graph.constants.end()) break;
        const std::vector<std::int64_t>& target = said ? said->wholes : found->second->whole;
        if (target.size() == 3 && target[1] > 0 && target[2] > 0) shape = target;
        if (target.size() == 3 && shape != target) break;
      }
      value = reader->outputs[0];
      if (!shape.empty()) break;
    }
    const auto known = [](const std::vector<std::int64_t>& sizes) {
      return sizes.size() == 3 && sizes[1] > 0 && sizes[2] > 0;
    };
    if (!known(shape) || known(input.shape)) continue;
    // The nodes between are left without a reader.
    for (OpNode& node : graph.nodes)
      std::replace(node.inputs.begin(), node.inputs.end(), value, input.name + " in frames");
    input.name += " in frames";
    input.shape = {1, shape[1], shape[2]};
  }
}

}  // namespace sluice::tools
