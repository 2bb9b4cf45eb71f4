// The network as a drawing: a column of layers, and beside it the outputs that skip layers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>

#include "../common/print.h"
#include "../model/graph.h"
#include "../model/lanes.h"
#include "draw.h"
#include "markup.h"
#include "report.h"
#include "style.h"

namespace sluice::tools {
namespace {

constexpr double left = 88, narrowest = 190, widest = 250;  ///< of a box
constexpr double lane_step = 13, first_lane = 20, rim = 4;
constexpr double least_height = 24, port_step = 8, gap = 14, top = 4;
constexpr double number_width = 26, letter = 6.6;
constexpr std::size_t answer_letters = 9;  ///< left of the boxes

/// The frame or a layer as drawn. Its ports are on its right side: one for each wire that it reads,
/// from the inner lane to the outer one, and one for its own wire below them.
struct Node {
  double top = 0, height = least_height;
  std::vector<const Wire*> read;
  const Wire* own = nullptr;
  double bottom() const { return top + height; }
  double middle() const { return top + height / 2; }
  double port(std::size_t i) const {
    return top + height * double(i + 1) / double(read.size() + (own ? 2 : 1));
  }
};

struct Drawing {
  const Network& network;
  std::vector<Wire> wires;
  std::vector<Node> nodes;  ///< [layers + 1], the frame first
  double right = widest, step = lane_step;

  double lane(const Wire& wire) const { return right + first_lane + step * double(wire.lane); }
};

bool reads(const Wire& wire, std::uint32_t node) {
  return std::binary_search(wire.readers.begin(), wire.readers.end(), node);
}

Drawing drawing_of(const Network& network) {
  Drawing drawing{network, wires_of(network), {}};
  const double steps = double(std::max<std::size_t>(lanes_of(drawing.wires), 1)) - 1;
  drawing.right = std::clamp(sheet_width - rim - first_lane - steps * lane_step, left + narrowest,
                             left + widest);
  if (steps > 0)
    drawing.step = std::min(lane_step, (sheet_width - rim - first_lane - drawing.right) / steps);
  std::vector<const Wire*> by_lane;
  for (const Wire& wire : drawing.wires) by_lane.push_back(&wire);
  std::sort(by_lane.begin(), by_lane.end(),
            [](const Wire* a, const Wire* b) { return a->lane < b->lane; });
  double y = top;
  for (std::uint32_t i = 0; i <= network.layers.size(); ++i) {
    Node node;
    node.top = y;
    for (const Wire* const wire : by_lane) {
      if (wire->source == i) node.own = wire;
      if (reads(*wire, i)) node.read.push_back(wire);
    }
    node.height = std::max(least_height, port_step * double(node.read.size() + 2));
    y = node.bottom() + gap;
    drawing.nodes.push_back(std::move(node));
  }
  return drawing;
}

std::string color_of(const Drawing& drawing, const Wire& wire) {
  return std::to_string(std::size_t(&wire - drawing.wires.data()) % (series_colors - 2) + 1);
}

/// @param dx, dy  where it points: one of them is 0, the other 1 or -1
std::string arrow_head(double x, double y, double dx, double dy, std::string_view css) {
  return fmt::format("<path class=\"{}\" d=\"M{} {}L{} {}L{} {}z\"/>\n", css, coordinate(x),
                     coordinate(y), coordinate(x - 6 * dx - 3 * dy),
                     coordinate(y - 6 * dy - 3 * dx), coordinate(x - 6 * dx + 3 * dy),
                     coordinate(y - 6 * dy + 3 * dx));
}

/// A wire's piece between a box and its lane, drawn over the lanes that it crosses.
std::string port_line(const Drawing& drawing, const Wire& wire, double y) {
  const double to = drawing.lane(wire), end = to - std::min(3.0, drawing.step / 2);
  return (wire.lane ? line(drawing.right + 2, y, end, y, "cut") : "") +
         line(drawing.right, y, to, y, "wire s" + color_of(drawing, wire));
}

std::string wires_text(const Drawing& drawing) {
  std::string lanes, ports;
  for (const Wire& wire : drawing.wires) {
    const std::string color = color_of(drawing, wire);
    const Node& source = drawing.nodes[wire.source];
    const double begin = source.port(source.read.size());
    double end = begin;
    ports += port_line(drawing, wire, begin);
    for (const std::uint32_t reader : wire.readers) {
      const Node& node = drawing.nodes[reader];
      end = node.port(
          std::size_t(std::find(node.read.begin(), node.read.end(), &wire) - node.read.begin()));
      ports += port_line(drawing, wire, end) + arrow_head(drawing.right, end, -1, 0, "b" + color);
      if (reader != wire.end())
        ports += fmt::format("<circle class=\"b{}\" cx=\"{}\" cy=\"{}\" r=\"2.4\"/>\n", color,
                             coordinate(drawing.lane(wire)), coordinate(end));
    }
    lanes += line(drawing.lane(wire), begin, drawing.lane(wire), end, "wire s" + color);
  }
  return lanes + ports;
}

/// The lines between boxes, from each layer to the next if that reads it.
std::string steps_text(const Drawing& drawing) {
  std::string text;
  const double x = (left + drawing.right) / 2;
  for (std::uint32_t i = 1; i < drawing.nodes.size(); ++i)
    if (reads_previous(drawing.network, i))
      text += line(x, drawing.nodes[i - 1].bottom(), x, drawing.nodes[i].top - 3, "step") +
              arrow_head(x, drawing.nodes[i].top, 0, 1, "tip");
  return text;
}

std::string kind_text(const Layer& layer) {
  const std::string curve = layer.candidate == SLUICE_TANH
                                ? ""
                                : fmt::format(" with {}", sluice_activation_name(layer.candidate));
  return sluice_layer_name(layer.kind) + curve +
         (layer.rank ? fmt::format(" of rank {}", layer.rank) : "") +
         (layer.parts ? fmt::format(" of {} {}", layer.parts,
                                    layer.kind == SLUICE_WINDOW ? "steps" : "parts")
                      : "") +
         (layer.stride > 1 ? fmt::format(", stride {}", layer.stride) : "") +
         (layer.ahead ? fmt::format(", {} ahead", layer.ahead) : "") +
         (layer.first ? fmt::format(", from step {} on", layer.first + 1) : "") +
         (layer.cells ? fmt::format(", projected from {} cells", layer.cells) : "") +
         (layer.peepholes ? ", peepholes" : "") +
         (layer.cell_clip != 0 ? fmt::format(", cells clipped to {}", layer.cell_clip) : "") +
         (layer.initial_state ? ", initial state" : "");
}

std::string source_text(const Network& network, std::uint32_t source) {
  if (source == 0) return "the frame";
  const std::string& name = network.layers[source - 1].name;
  return name.empty() ? std::to_string(source) : fmt::format("{} ({})", source, name);
}

/// The answers that a layer is, counted from 1: usually none or one.
std::vector<std::size_t> answers_at(const Network& network, std::uint32_t node) {
  std::vector<std::size_t> at;
  const std::vector<std::uint32_t> answers = answers_of(network);
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (answers[i] == node) at.push_back(i + 1);
  return at;
}

/// "answer", of several "answer 2", or "answers 1, 3"; empty if the node is none.
std::string answer_text(const Network& network, std::uint32_t node) {
  const std::vector<std::size_t> at = answers_at(network, node);
  if (at.empty()) return "";
  if (answers_of(network).size() == 1) return "answer";
  return fmt::format("answer{} {}", at.size() > 1 ? "s" : "", fmt::join(at, ", "));
}

std::string node_text(const Network& network, std::uint32_t node) {
  std::string text;
  if (node == 0) {
    text = fmt::format("the frame: {}", counted(std::uint64_t(width_of(network, 0)), "number"));
  } else {
    const Layer& layer = network.layers[node - 1];
    std::vector<std::string> sources;
    for (const std::uint32_t source : sources_of(network, node - 1))
      sources.push_back(source_text(network, source));
    text = fmt::format("layer {}: {}, {}; reads {}", source_text(network, node), kind_text(layer),
                       counted(std::uint64_t(layer.out), "number"), fmt::join(sources, ", "));
  }
  const std::string answer = answer_text(network, node);
  return answer.empty() ? text : text + "; " + answer;
}

/// An arrow from an answer's box to the left. Of several answers it has the name below it.
std::string answer_mark(const Drawing& drawing, std::uint32_t node) {
  const std::string text = answer_text(drawing.network, node);
  if (text.empty()) return "";
  const double y = drawing.nodes[node].middle(), end = left - 14;
  const std::string name = node ? drawing.network.layers[node - 1].name : "";
  const bool named = text != "answer" && !name.empty();
  return line(left, y, end + 5, y, "step") + arrow_head(end, y, -1, 0, "tip") +
         text_at(end - 5, named ? y - 2 : y + 4, "end", shortened(text, answer_letters)) +
         (named ? text_at(end - 5, y + 11, "tick end", shortened(name, answer_letters)) : "");
}

std::string box(const Drawing& drawing, std::uint32_t i) {
  const Node& node = drawing.nodes[i];
  const Network& network = drawing.network;
  const double base = node.middle() + 4;
  const std::string kind = i ? kind_text(network.layers[i - 1]) : "frame",
                    width = with_commas(std::uint64_t(width_of(network, i)));
  std::string text = fmt::format(
      "<g><title>{}</title>\n<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" "
      "rx=\"4\"/>\n",
      escaped(node_text(network, i)), answers_at(network, i).empty() ? "node" : "node head",
      coordinate(left), coordinate(node.top), coordinate(drawing.right - left),
      coordinate(node.height));
  if (i) text += text_at(left + number_width - 6, base, "tick end", std::to_string(i));
  std::string name = i ? network.layers[i - 1].name : "";
  const double room =
      drawing.right - left - number_width - 22 - letter * double(letters(kind) + width.size());
  if (!name.empty() && room > 3 * letter)
    name = fmt::format("<tspan class=\"tick\" dx=\"7\">{}</tspan>",
                       escaped(shortened(name, std::size_t(room / letter))));
  else
    name.clear();
  text += fmt::format("<text x=\"{}\" y=\"{}\">{}{}</text>\n", coordinate(left + number_width),
                      coordinate(base), escaped(kind), name);
  return text + text_at(drawing.right - 8, base, "tick end", width) + "</g>\n";
}

}  // namespace

std::string network_chart(const Network& network) {
  const Drawing drawing = drawing_of(network);
  std::string description, boxes;
  for (std::uint32_t i = 0; i < drawing.nodes.size(); ++i) {
    description += node_text(network, i) + ". ";
    boxes += box(drawing, i) + answer_mark(drawing, i);
  }
  description.pop_back();
  std::size_t outputs = 0;
  for (const std::uint32_t answer : answers_of(network))
    outputs += std::size_t(width_of(network, answer));
  const std::string title =
      fmt::format("The network: {}, {} in, {} out", counted(network.layers.size(), "layer"),
                  with_commas(std::uint64_t(width_of(network, 0))), with_commas(outputs));
  return figure(title, "",
                svg(title, drawing.nodes.back().bottom() + top,
                    fmt::format("<desc>{}</desc>\n", escaped(description)) + steps_text(drawing) +
                        wires_text(drawing) + boxes),
                drawing.wires.empty() ? ""
                                      : "A line beside the boxes is one layer\u2019s output. Each "
                                        "arrow into a box is an output that the layer reads.");
}

std::string network_section(const Network& network) {
  return section("Network", charts(network_chart(network)));
}

}  // namespace sluice::tools
