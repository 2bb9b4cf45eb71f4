// TensorFlow 1's frozen graph (GraphDef, github.com/tensorflow/tensorflow,
// tensorflow/core/framework/graph.proto, node_def.proto, attr_value.proto, tensor.proto).
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "../common/print.h"
#include "elements.h"
#include "op_graph.h"
#include "tensorflow_nodes.h"
#include "wire_message.h"

namespace sluice::tools {
namespace {

/// Numbers of fields.
namespace graph_field {
constexpr int node = 1;
}
namespace node_field {
constexpr int name = 1, op = 2, input = 3, attribute = 5;
}
namespace attribute_field {
constexpr int list = 1, text = 2, whole = 3, real = 4, truth = 5, type = 6, shape = 7, tensor = 8;
}
namespace tensor_field {
constexpr int type = 1, shape = 2, content = 4, floats = 5, doubles = 6, ints = 7, longs = 10,
              truths = 11, halves = 13;
}

/// TensorFlow's types of numbers.
enum class Type {
  float32 = 1,
  float64 = 2,
  int32 = 3,
  uint8 = 4,
  int16 = 5,
  int8 = 6,
  int64 = 9,
  boolean = 10,
  bfloat16 = 14,
  half = 19
};

bool is_float(Type type) {
  return type == Type::float32 || type == Type::float64 || type == Type::half ||
         type == Type::bfloat16;
}

/// A node as the file says it.
struct FileNode {
  OpNode node;
  std::string frame;          ///< of an Enter: the name of its loop
  bool is_invariant = false;  ///< of an Enter: its value is the same in each step
  Type type = Type::float32;  ///< of a placeholder
  std::vector<std::int64_t> shape;
  std::set<std::string> loops;  ///< that it is inside of
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  OpGraph read() {
    read_nodes();
    graph_.format = "TensorFlow GraphDef", graph_.opset = 13;
    fold_branches();
    find_ends();
    find_loops();
    TensorFlowNodes to(graph_);
    for (FileNode& from : nodes_) {
      if (!used_.count(from.node.name) || !from.loops.empty()) continue;
      add(from, graph_, to);
    }
    for (const auto& [frame, nodes] : frames_) add_loop(frame, nodes, to);
    sort_nodes(graph_, file_);
    return std::move(graph_);
  }

 private:
  void read_nodes() {
    WireMessage message(bytes_, file_);
    WireField field;
    std::size_t left = 20'000 + bytes_.size() / 512;  // a node takes some hundred bytes in memory
    while (message.next(field)) {
      if (field.number != graph_field::node || !field.is_bytes) continue;
      if (left-- == 0)
        refuse("{}: consists of too many small values to be a model; give the file of a model",
               file_);
      FileNode node = read_node(field.bytes, left);
      const std::string name = node.node.name;
      if (name.empty() || !places_.emplace(name, nodes_.size()).second)
        refuse("{}: two nodes \"{}\", or one without a name; the file is damaged", file_,
               brief(name));
      nodes_.push_back(std::move(node));
    }
    // The number of a node's outputs is that of the highest one that is read.
    std::map<std::string, std::size_t> counts;
    for (const FileNode& reader : nodes_)
      for (const std::string& input : reader.node.inputs) {
        const auto [name, output] = split(input);
        std::size_t& count = counts[name];
        count = std::max(count, output + 1);
      }
    std::size_t outputs_left = 20'000 + bytes_.size() / 16;
    for (FileNode& one : nodes_) {
      std::size_t count = std::max<std::size_t>(counts[one.node.name], 1);
      const std::string& op = one.node.op;
      if (op == "Split" || op == "SplitV")
        count = std::max<std::size_t>(count, wanted(one.node.whole("num_split", 1)));
      if (op == "Unpack") count = std::max<std::size_t>(count, wanted(one.node.whole("num", 1)));
      if (count > outputs_left)
        refuse("{}: {}: too many outputs; the file is damaged", file_, brief(one.node.name));
      outputs_left -= count;
      for (std::size_t i = 0; i < count; ++i)
        one.node.outputs.push_back(i == 0 ? one.node.name : fmt::format("{}:{}", one.node.name, i));
    }
  }

  static std::size_t wanted(std::int64_t count) {
    return std::size_t(std::max<std::int64_t>(count, 1));
  }

  /// Splits the name of a value: a node's name, and the number of its output.
  static std::pair<std::string, std::size_t> split(const std::string& value) {
    const std::size_t colon = value.rfind(':');
    if (colon == value.npos || colon + 1 == value.size()) return {value, 0};
    std::size_t number = 0;
    for (std::size_t i = colon + 1; i < value.size(); ++i) {
      if (value[i] < '0' || value[i] > '9' || number > 100'000) return {value, 0};
      number = number * 10 + std::size_t(value[i] - '0');
    }
    return {value.substr(0, colon), number};
  }

  FileNode read_node(std::string_view bytes, std::size_t& left) {
    FileNode made;
    WireMessage message(bytes, file_);
    WireField field;
    std::vector<std::string_view> attributes;
    while (message.next(field)) {
      if (!field.is_bytes) continue;
      switch (field.number) {
        case node_field::name:
          made.node.name = std::string(field.bytes);
          break;
        case node_field::op:
          made.node.op = std::string(field.bytes);
          break;
        case node_field::input: {
          if (field.bytes.starts_with('^')) {  // an order of running alone
            controls_.insert(std::string(field.bytes.substr(1)));
            break;
          }
          if (left > 0) --left;
          const auto [name, output] = split(std::string(field.bytes));
          made.node.inputs.push_back(output == 0 ? name : fmt::format("{}:{}", name, output));
          break;
        }
        case node_field::attribute:
          attributes.push_back(field.bytes);
          break;
        default:
          break;
      }
    }
    for (const std::string_view one : attributes) read_attribute(one, made);
    return made;
  }

  void read_attribute(std::string_view bytes, FileNode& to) {
    WireMessage entry(bytes, file_);
    WireField field;
    std::string name;
    std::string_view value;
    while (entry.next(field)) {
      if (field.number == 1) name = std::string(field.bytes);
      if (field.number == 2) value = field.bytes;
    }
    WireMessage message(value, file_);
    OpAttribute made;
    while (message.next(field)) {
      switch (field.number) {
        case attribute_field::list: {
          WireMessage list(field.bytes, file_);
          WireField one;
          while (list.next(one))
            if (one.number == attribute_field::whole) take_wholes(one, made.wholes);
          break;
        }
        case attribute_field::text:
          if (name == "frame_name") to.frame = std::string(field.bytes);
          break;
        case attribute_field::whole:
        case attribute_field::truth:
          made.whole = field.whole();
          break;
        case attribute_field::real:
          made.real = field.real();
          break;
        case attribute_field::type:
          made.whole = field.whole();
          if (name == "dtype") to.type = Type(field.whole());
          if (name == "DstT") {
            constexpr std::int64_t type_float = 1, type_whole = 7;  // ONNX's numbers
            to.node.attributes["to"].whole =
                is_float(Type(field.whole())) ? type_float : type_whole;
          }
          break;
        case attribute_field::shape:
          to.shape = read_shape(field.bytes);
          break;
        case attribute_field::tensor:
          if (name == "value") made.tensor = read_tensor(field.bytes, to.node.name);
          break;
        default:
          break;
      }
    }
    if (name == "is_constant") to.is_invariant = made.whole != 0;
    if (name != "shape") to.node.attributes[name] = std::move(made);
  }

  void take_wholes(const WireField& field, std::vector<std::int64_t>& to) const {
    if (!field.is_bytes) {
      to.push_back(field.whole());
      return;
    }
    WireMessage packed(field.bytes, file_);
    while (!packed.empty()) to.push_back(std::int64_t(packed.varint()));
  }

  std::vector<std::int64_t> read_shape(std::string_view bytes) const {
    std::vector<std::int64_t> shape;
    WireMessage message(bytes, file_);
    WireField field;
    constexpr int dimension = 2, size_of = 1;
    while (message.next(field)) {
      if (field.number != dimension) continue;
      WireMessage one(field.bytes, file_);
      WireField size;
      std::int64_t number = 0;
      while (one.next(size))
        if (size.number == size_of) number = size.whole();
      shape.push_back(number);
    }
    return shape;
  }

  ConstantPtr read_tensor(std::string_view bytes, const std::string& name) {
    const std::string place = fmt::format("{}: {}", file_, brief(name));
    auto made = std::make_shared<Constant>();
    Type type = Type::float32;
    std::string_view content;
    std::vector<std::int64_t> wholes;
    WireMessage message(bytes, file_);
    WireField field;
    while (message.next(field)) {
      switch (field.number) {
        case tensor_field::type:
          type = Type(field.whole());
          break;
        case tensor_field::shape:
          made->shape = read_shape(field.bytes);
          break;
        case tensor_field::content:
          content = field.bytes;
          break;
        case tensor_field::floats: {
          if (!field.is_bytes) made->floats.push_back(field.real());
          WireMessage packed(field.bytes, file_);
          while (!packed.empty()) made->floats.push_back(packed.fixed<float>());
          break;
        }
        case tensor_field::doubles: {
          WireMessage packed(field.bytes, file_);
          while (!packed.empty()) made->floats.push_back(float(packed.fixed<double>()));
          break;
        }
        case tensor_field::ints:
        case tensor_field::longs:
        case tensor_field::truths:
        case tensor_field::halves:
          take_wholes(field, wholes);
          break;
        default:
          break;
      }
    }
    made->is_whole = !is_float(type);
    if (type == Type::half)
      for (const std::int64_t bits : wholes)
        made->floats.push_back(float(binary16_of(std::uint16_t(bits))));
    else if (made->is_whole)
      for (const std::int64_t number : wholes)
        made->whole.push_back(type == Type::int32 ? std::int32_t(number) : number);
    std::uint64_t count = 1;
    const std::uint64_t most = bytes_.size() + filled_left_;
    for (const std::int64_t size : made->shape) {
      if (size < 0 || (size > 0 && count > most / std::uint64_t(size)))
        refuse("{}: more numbers than the file has bytes; it is damaged", place);
      count *= std::uint64_t(size);
    }
    if (!content.empty()) {
      take_content(content, type, std::size_t(count), place, *made);
    } else if (made->count() < count && made->count() > 0) {
      // The last number stands for all that follow.
      const std::size_t filled = std::size_t(count) - made->count();
      if (filled > filled_left_)
        refuse("{}: more numbers than the file has bytes; it is damaged", place);
      filled_left_ -= filled;
      if (made->is_whole)
        made->whole.resize(std::size_t(count), made->whole.back());
      else
        made->floats.resize(std::size_t(count), made->floats.back());
    }
    if (made->count() != count)
      refuse("{}: {} numbers for a shape of {}; the file is damaged", place, made->count(), count);
    return made;
  }

  static void take_content(std::string_view bytes, Type type, std::size_t count,
                           const std::string& place, Constant& to) {
    const auto take = [&](const ElementType& element) {
      if (bytes.size() / element.bytes != count || bytes.size() % element.bytes != 0)
        refuse("{}: {} bytes for {} numbers; the file is damaged", place, bytes.size(), count);
      to.floats.clear(), to.whole.clear();
      for (std::size_t i = 0; i < count; ++i) {
        const char* const at = bytes.data() + i * element.bytes;
        if (!to.is_whole) {
          to.floats.push_back(element.read(at));
        } else if (element.bytes == sizeof(std::int64_t)) {
          std::int64_t number;
          std::memcpy(&number, at, sizeof number);
          to.whole.push_back(number);
        } else if (element.bytes == sizeof(std::int32_t)) {
          std::int32_t number;
          std::memcpy(&number, at, sizeof number);
          to.whole.push_back(number);
        } else {
          to.whole.push_back(std::int64_t(element.read(at)));
        }
      }
    };
    switch (type) {
      case Type::float32:
        return take(element_of<float>);
      case Type::float64:
        return take(element_of<double>);
      case Type::half:
        return take(half_element);
      case Type::bfloat16:
        return take(bfloat16_element);
      case Type::int32:
        return take(element_of<std::int32_t>);
      case Type::int64:
        return take(element_of<std::int64_t>);
      case Type::int16:
        return take(element_of<std::int16_t>);
      case Type::int8:
        return take(element_of<std::int8_t>);
      case Type::uint8:
      case Type::boolean:
        return take(element_of<std::uint8_t>);
      default:
        refuse("{}: numbers of type {}, which are not read", place, int(type));
    }
  }

  FileNode* find(const std::string& value) {
    const auto found = places_.find(split(value).first);
    return found == places_.end() ? nullptr : &nodes_[found->second];
  }

  /// Returns the truth of a value that does not depend on the data; nothing for others.
  std::optional<bool> truth_of(std::string value) {
    constexpr int most = 32;
    for (int i = 0; i < most; ++i) {
      const FileNode* const one = find(value);
      if (!one) return std::nullopt;
      const OpNode& node = one->node;
      if (node.op == "Const") {
        const OpAttribute* const found = node.find("value");
        if (!found || !found->tensor || found->tensor->count() != 1) return std::nullopt;
        return found->tensor->number(0) != 0;
      }
      if ((node.op != "Identity" && node.op != "PlaceholderWithDefault") || node.inputs.empty())
        return std::nullopt;
      value = node.inputs[0];
    }
    return std::nullopt;
  }

  /// Takes the branches that are not taken out of the graph, such as those of a training.
  void fold_branches() {
    std::map<std::string, std::string> same;  // values that are others
    std::set<std::string> dead;
    for (FileNode& one : nodes_) {
      if (one.node.op != "Switch" || one.node.inputs.size() != 2) continue;
      const std::optional<bool> truth = truth_of(one.node.inputs[1]);
      if (!truth) continue;
      const std::string second = one.node.name + ":1";
      dead.insert(*truth ? one.node.name : second);
      same[*truth ? second : one.node.name] = one.node.inputs[0];
    }
    if (dead.empty()) return;
    std::map<std::string, std::vector<FileNode*>> readers;
    for (FileNode& one : nodes_)
      for (const std::string& input : one.node.inputs) readers[input].push_back(&one);
    std::vector<std::string> open(dead.begin(), dead.end());
    while (!open.empty()) {
      const std::string value = open.back();
      open.pop_back();
      for (const FileNode* const reader : readers[value])
        if (reader->node.op != "Merge")
          for (const std::string& output : reader->node.outputs)
            if (dead.insert(output).second) open.push_back(output);
    }
    for (FileNode& one : nodes_) {
      OpNode& node = one.node;
      if (node.op == "Merge") {
        std::vector<std::string> live;
        for (const std::string& input : node.inputs)
          if (!dead.count(input)) live.push_back(input);
        if (live.size() == 1 && node.inputs.size() > 1) node.op = "Identity", node.inputs = live;
      }
      constexpr int most = 32;
      for (std::string& input : node.inputs)
        for (int i = 0; i < most; ++i) {
          const auto other = same.find(input);
          if (other == same.end()) break;
          input = other->second;
        }
    }
    for (const std::string& value : dead) controls_.insert(split(value).first);  // no answers
  }

  /// Finds the answers, which no node reads, the inputs, and the nodes between.
  void find_ends() {
    std::set<std::string> read = controls_;
    for (const FileNode& one : nodes_)
      for (const std::string& input : one.node.inputs) read.insert(split(input).first);
    // An answer depends on an input.
    std::map<std::string, std::vector<std::string>> readers;
    std::vector<std::string> open;
    for (const FileNode& one : nodes_) {
      for (const std::string& input : one.node.inputs)
        readers[split(input).first].push_back(one.node.name);
      if (one.node.op == "Placeholder" || one.node.op == "Mfcc") open.push_back(one.node.name);
    }
    std::set<std::string> fed;
    while (!open.empty()) {
      const std::string name = open.back();
      open.pop_back();
      if (!fed.insert(name).second) continue;
      open.insert(open.end(), readers[name].begin(), readers[name].end());
    }
    for (const FileNode& one : nodes_) {
      const std::string& op = one.node.op;
      if (read.count(one.node.name) || !fed.count(one.node.name) || one.node.inputs.empty() ||
          op == "Assert" || op == "NoOp" || op == "Exit" || op == "SaveV2" || op == "Assign")
        continue;
      OpValue output;
      output.name = one.node.name;
      graph_.outputs.push_back(output);
      open.push_back(one.node.name);
    }
    if (graph_.outputs.empty())
      refuse("{}: no answer of an input comes out of its nodes; it is damaged", file_);
    while (!open.empty()) {
      const std::string name = open.back();
      open.pop_back();
      if (!used_.insert(name).second) continue;
      FileNode* const one = find(name);
      if (!one)
        refuse("{}: a node reads \"{}\", which is not there; the file is damaged", file_,
               brief(name));
      if (one->node.op == "Mfcc") one->node.inputs.clear();  // the caller computes features
      for (const std::string& input : one->node.inputs) open.push_back(split(input).first);
    }
  }

  /// Finds the loop that each node is in: behind an Enter, and before an Exit.
  void find_loops() {
    std::map<std::string, std::vector<FileNode*>> readers;
    for (FileNode& one : nodes_)
      if (used_.count(one.node.name))
        for (const std::string& input : one.node.inputs)
          readers[split(input).first].push_back(&one);
    for (FileNode& enter : nodes_) {
      if (enter.node.op != "Enter" || !used_.count(enter.node.name)) continue;
      std::vector<FileNode*> open = {&enter};
      while (!open.empty()) {
        FileNode& one = *open.back();
        open.pop_back();
        if (!one.loops.insert(enter.frame).second) continue;
        if (one.loops.size() > 1)
          refuse("{}: {} ({}): a loop inside another one, which is not read", file_,
                 brief(one.node.name), brief(one.node.op));
        frames_[enter.frame].push_back(&one);
        if (one.node.op == "Exit") continue;
        for (FileNode* const reader : readers[one.node.name]) open.push_back(reader);
      }
    }
  }

  /// Appends a node that is in no loop, or one of a loop's own graph.
  void add(FileNode& from, OpGraph& graph, TensorFlowNodes& to) {
    OpNode& node = from.node;
    if (node.op == "Const") {
      const OpAttribute* const value = node.find("value");
      if (!value || !value->tensor)
        refuse("{}: {}: a constant without numbers; the file is damaged", file_, brief(node.name));
      graph.constants[node.name] = value->tensor;
    } else if (node.op == "Placeholder") {
      OpValue input;
      input.name = node.name;
      input.is_whole = !is_float(from.type);
      for (const std::int64_t size : from.shape) input.shape.push_back(size > 0 ? size : -1);
      // Of sequences of a known length one is read at a time.
      if (input.shape.size() == 3 && input.shape[0] < 0 && input.shape[1] > 1) input.shape[0] = 1;
      graph.inputs.push_back(input);
    } else if (node.op == "Mfcc") {
      constexpr std::int64_t usual = 13;
      OpValue input;
      input.name = node.name;
      input.shape = {1, -1, node.whole("dct_coefficient_count", usual)};
      graph.inputs.push_back(input);
      graph.remarks.push_back(
          fmt::format("{} (Mfcc): the features of sound are the model's input; the caller computes "
                      "them",
                      brief(node.name)));
    } else {
      if (node.op == "PlaceholderWithDefault") node.op = "Identity";
      constants_of(node, graph);
      to.add(node);
    }
  }

  /// Gives a graph the constants that a node of it reads, since axes are among them.
  void constants_of(const OpNode& node, OpGraph& graph) {
    for (const std::string& input : node.inputs)
      if (const FileNode* const from = find(input); from && from->node.op == "Const")
        if (const OpAttribute* const value = from->node.find("value"); value && value->tensor)
          graph.constants[input] = value->tensor;
  }

  /// Appends a loop: all nodes of its name, as one node with a graph for a step.
  void add_loop(const std::string& frame, const std::vector<FileNode*>& nodes,
                TensorFlowNodes& outer) {
    auto body = std::make_shared<OpGraph>(), condition = std::make_shared<OpGraph>();
    OpNode loop;
    loop.op = "While", loop.name = frame, loop.file_op = "Enter";
    const auto carry = [&](const std::string& begin, const std::string& in_body,
                           const std::string& in_condition, const std::string& next,
                           const std::string& after) {
      loop.inputs.push_back(begin), loop.outputs.push_back(after);
      OpValue value;
      value.name = in_body;
      body->inputs.push_back(value);
      value.name = next;
      body->outputs.push_back(value);
      value.name = in_condition;
      condition->inputs.push_back(value);
    };
    const auto reader_of = [&](const std::string& value, const char* op) -> const FileNode* {
      for (const FileNode* const one : nodes)
        if (one->node.op == op && !one->node.inputs.empty() && one->node.inputs[0] == value)
          return one;
      return nullptr;
    };
    const auto odd = [&](const OpNode& node) {
      refuse("{}: {} ({}): a loop of another form than TensorFlow's", file_, brief(node.name),
             brief(node.op));
    };
    for (const FileNode* const one : nodes) {
      const OpNode& node = one->node;
      if (node.op == "Enter") {
        if (node.inputs.size() != 1) odd(node);
        if (one->is_invariant)
          carry(node.inputs[0], node.name, node.name, node.name, node.name + " after");
      } else if (node.op == "Merge") {
        if (node.inputs.size() != 2) odd(node);
        const FileNode *const enter = find(node.inputs[0]), *const next = find(node.inputs[1]),
                              *const branch = reader_of(node.name, "Switch");
        if (!enter || !next || enter->node.op != "Enter" || next->node.op != "NextIteration" ||
            enter->node.inputs.size() != 1 || next->node.inputs.size() != 1)
          odd(node);
        const FileNode* const exit = branch ? reader_of(branch->node.name, "Exit") : nullptr;
        carry(enter->node.inputs[0], branch ? branch->node.name + ":1" : node.name + " in the body",
              node.name, next->node.inputs[0], exit ? exit->node.name : node.name + " after");
      }
    }
    std::vector<std::string> ends;
    for (const OpValue& output : body->outputs) ends.push_back(output.name);
    add_inside(frame, ends, *body);
    ends.clear();
    for (const FileNode* const one : nodes)
      if (one->node.op == "LoopCond")
        ends.insert(ends.end(), one->node.inputs.begin(), one->node.inputs.end());
    add_inside(frame, ends, *condition);
    OpAttribute first, second;
    first.graph = condition, second.graph = body;
    outer.own(loop, "While", loop.inputs, loop.outputs, {{"cond", first}, {"body", second}});
  }

  /// Appends the nodes of a loop that these values need, in order.
  void add_inside(const std::string& frame, std::vector<std::string> ends, OpGraph& graph) {
    static const std::set<std::string> control = {"Enter", "Merge",         "Switch",
                                                  "Exit",  "NextIteration", "LoopCond"};
    TensorFlowNodes to(graph);
    std::set<std::string> seen;
    while (!ends.empty()) {
      FileNode* const one = find(ends.back());
      ends.pop_back();
      if (!one || !seen.insert(one->node.name).second) continue;
      const bool inside = one->loops.count(frame) != 0 || one->node.op == "Const";
      if (!inside || control.count(one->node.op)) continue;
      add(*one, graph, to);
      ends.insert(ends.end(), one->node.inputs.begin(), one->node.inputs.end());
    }
    sort_nodes(graph, file_);
  }

  std::string_view bytes_;
  const std::string& file_;
  std::size_t filled_left_ = bytes_.size() / 4 + 65536;  ///< numbers that others stand for
  OpGraph graph_;
  std::vector<FileNode> nodes_;
  std::map<std::string, std::size_t> places_;
  std::set<std::string> controls_;  ///< nodes that others wait for
  std::set<std::string> used_;      ///< names of nodes that an answer needs
  std::map<std::string, std::vector<FileNode*>> frames_;
};

}  // namespace

OpGraph read_graphdef(std::string_view bytes, const std::string& file) {
  return Reader(bytes, file).read();
}

bool is_graphdef(std::string_view bytes) {
  // Its first field is a node, whose first field is a name.
  if (bytes.size() < 16 || bytes[0] != 0x0a) return false;
  std::size_t at = 1;
  while (at < 6 && std::uint8_t(bytes[at]) >= 0x80) ++at;
  const auto name = std::size_t(std::uint8_t(bytes[at + 2]));
  return bytes[at + 1] == 0x0a && name < 0x80 && at + 3 + name < bytes.size() &&
         bytes[at + 3 + name] == 0x12;
}

}  // namespace sluice::tools
