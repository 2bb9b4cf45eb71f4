// The drawings of networks: every source reaches its readers along a lane of its own, in text and
// on the page.
#include "model/lanes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "../support/markup.h"
#include "../support/models.h"
#include "command/graph_text.h"
#include "model/graph.h"
#include "report/report.h"

using namespace sluice;
using namespace sluice::tests;
using tools::GraphLine;
using tools::Wire;

namespace {

using Edges = std::set<std::pair<uint32_t, uint32_t>>;  ///< a source and its reader

Edges edges_of(const Network& network) {
  Edges edges;
  for (uint32_t l = 0; l < network.layers.size(); ++l)
    for (const uint32_t source : tools::sources_of(network, l)) edges.emplace(source, l + 1);
  return edges;
}

/// Layers of which every second one joins up to `most` earlier ones, drawn by lot, and the frame.
Network random_graph(int layers, int most, uint64_t seed) {
  Noise noise(seed);
  std::vector<Spec> specs = {dense(4)};
  while (int(specs.size()) < layers) {
    const int before = int(specs.size());
    std::vector<uint32_t> sources;
    for (int i = 0; i < 2 + noise.below(most - 1); ++i)
      sources.push_back(uint32_t(noise.below(before + 1)));
    specs.push_back(concat(sources));
    specs.push_back(dense(4));
  }
  return random_network(4, specs, seed);
}

std::vector<Named> every_drawn() {
  std::vector<Named> networks;
  for (const auto& [name, specs] : every_graph())
    networks.push_back({name, random_network(6, specs)});
  networks.push_back({"a chain", random_network(6, {dense(4), gru(3), dense(2)})});
  for (const int layers : {3, 9, 20, 60})
    for (uint64_t seed = 1; seed <= 4; ++seed)
      networks.push_back({"by lot", random_graph(layers, int(2 * seed), seed)});
  return networks;
}

/// The edges of a text drawing, read from its lines alone.
Edges edges_of(const std::vector<GraphLine>& lines) {
  Edges edges;
  std::map<size_t, uint32_t> running;  ///< the source in each column
  uint32_t layer = 0;
  bool apart = true;
  for (const GraphLine& line : lines) {
    for (size_t at = 2; at < line.text.size(); at += 2) {
      const char mark = line.text[at];
      if (mark == '.') {
        REQUIRE_FALSE(running.contains(at));
        running[at] = layer;
      } else if (mark != ' ' && mark != '-') {
        REQUIRE(running.contains(at));
        if (mark != '|') edges.emplace(running[at], layer);
        if (mark == '\'') running.erase(at);
      } else {
        REQUIRE_FALSE(running.contains(at));
      }
    }
    if (!apart && !line.between) edges.emplace(layer - 1, layer);
    apart = line.between;
    if (!line.between) ++layer;
  }
  CHECK(running.empty());
  return edges;
}

std::string drawn(const Network& network) {
  std::string text;
  for (const GraphLine& line : tools::graph_lines(network)) text += line.text + "\n";
  return text;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

struct Segment {
  double x1, y1, x2, y2;
};

std::vector<Segment> wires_in(const std::string& html) {
  std::vector<Segment> wires;
  for (size_t at = 0; (at = html.find("<path class=\"wire", at)) != html.npos; ++at) {
    Segment s{};
    REQUIRE_EQ(std::sscanf(html.c_str() + html.find(" d=\"", at), " d=\"M%lf %lfL%lf %lf", &s.x1,
                           &s.y1, &s.x2, &s.y2),
               4);
    wires.push_back(s);
  }
  return wires;
}

}  // namespace

TEST_CASE(
    "wires and steps to the next layer are exactly the edges, and no two wires share a lane") {
  for (const Named& one : every_drawn()) {
    INFO(one.name);
    const std::vector<Wire> wires = tools::wires_of(one.network);
    if (tools::is_chain(one.network)) CHECK(wires.empty());
    Edges edges;
    for (const Wire& wire : wires)
      for (const uint32_t reader : wire.readers) {
        CHECK(reader > wire.source + 1);
        CHECK_MESSAGE(edges.emplace(wire.source, reader).second, "an edge is drawn twice");
      }
    for (uint32_t l = 1; l <= one.network.layers.size(); ++l)
      if (tools::reads_previous(one.network, l)) edges.emplace(l - 1, l);
    CHECK(edges == edges_of(one.network));
    std::set<std::pair<size_t, uint32_t>> taken;  // a lane beside a layer
    for (const Wire& wire : wires)
      for (uint32_t at = wire.source; at <= wire.end(); ++at)
        CHECK_MESSAGE(taken.emplace(wire.lane, at).second, "two wires meet in lane ", wire.lane);
  }
}

TEST_CASE("a text drawing has the edges of the network, in at most 40 columns") {
  size_t without = 0;
  for (const Named& one : every_drawn()) {
    INFO(one.name);
    const std::vector<GraphLine> lines = tools::graph_lines(one.network);
    without += lines.empty();
    CHECK_EQ(lines.empty(), tools::lanes_of(tools::wires_of(one.network)) > 19);
    for (const GraphLine& line : lines) CHECK(line.text.size() <= 40);
    if (!lines.empty()) CHECK(edges_of(lines) == edges_of(one.network));
  }
  CHECK(without > 0);
}

TEST_CASE("RNNoise in lines") {
  const Network network = random_network(
      42, {dense(24), gru(24, every_step), dense(1), concat({1, 2, 0}), gru(48, every_step),
           concat({2, 5, 0}), gru(96, every_step), dense(22), concat({3, 8})});
  CHECK_EQ(drawn(network),
           "o-----.\n"
           "o-.   |\n"
           "o-|-. |\n"
           "o-|-|-|-.\n"
           "  | | | |\n"
           "o-'-+-+ |\n"
           "o   | | |\n"
           "o---'-' |\n"
           "o       |\n"
           "o       |\n"
           "o-------'\n");
}

TEST_CASE("the page draws a box for each layer, an arrow for each edge, and no line across a box") {
  for (const Named& one : every_drawn()) {
    INFO(one.name);
    const std::string html = tools::network_section(one.network);
    CHECK_EQ(markup_fault("\n" + html), "");
    CHECK_EQ(count(html, "<rect class=\"node"), one.network.layers.size() + 1);
    const size_t box = html.find(" x=\"", html.find("<rect class=\"node"));
    double left = 0, top = 0, width = 0;
    REQUIRE_EQ(
        std::sscanf(html.c_str() + box, " x=\"%lf\" y=\"%lf\" width=\"%lf\"", &left, &top, &width),
        3);
    for (const Segment& wire : wires_in(html)) {
      CHECK((wire.x1 == wire.x2 || wire.y1 == wire.y2));
      CHECK(std::min(wire.x1, wire.x2) >= left + width);
      CHECK(std::max(wire.x1, wire.x2) < 440);
    }
    size_t arrows = 0;
    for (const Wire& wire : tools::wires_of(one.network)) arrows += wire.readers.size();
    CHECK_EQ(count(html, "<path class=\"b"), arrows);
  }
}

TEST_CASE("the page marks the answers by number and name, and tells each layer in a title") {
  Network network = random_network(
      4, {gru(11, every_step), dense(5, SLUICE_SOFTMAX), from(dense(2), 1), concat({2, 3})});
  network.layers[1].name = "direction", network.layers[2].name = "a<b";
  const std::string html = tools::network_section(network);
  CHECK(holds(html, "<title>The network: 4 layers, 4 in, 7 out</title>"));
  CHECK(holds(html, "<title>layer 2 (direction): dense, 5 numbers; reads 1; answer 1</title>"));
  CHECK(holds(html, "<title>layer 3 (a&lt;b): dense, 2 numbers; reads 1; answer 2</title>"));
  CHECK(holds(html, ">answer 1<"));
  CHECK(holds(html, ">answer 2<"));
  CHECK_EQ(count(html, "\"node head\""), 2);
  const std::string chain =
      tools::network_section(random_network(4, {low_rank(gru(9), 2), dense(1)}));
  CHECK(holds(chain, ">gru of rank 2<"));
  CHECK(holds(chain, ">answer<"));
  CHECK_FALSE(holds(chain, "class=\"wire"));
}
