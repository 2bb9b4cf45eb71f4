#include "op_graph.h"

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

}  // namespace sluice::tools
