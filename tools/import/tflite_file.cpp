// TFLite's file, a FlatBuffers table (github.com/tensorflow/tensorflow,
// tensorflow/compiler/mlir/lite/schema/schema.fbs). Its numbers are the facts of that schema.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "../common/print.h"
#include "elements.h"
#include "flat_file.h"
#include "op_graph.h"
#include "tflite_nodes.h"

namespace sluice::tools {
namespace {

/// Numbers of fields.
namespace model_field {
constexpr int operator_codes = 1, subgraphs = 2, buffers = 4;
}
namespace code_field {
constexpr int old_code = 0, custom_code = 1, code = 3;
}
namespace graph_field {
constexpr int tensors = 0, inputs = 1, outputs = 2, operators = 3;
}
namespace tensor_field {
constexpr int shape = 0, type = 1, buffer = 2, name = 3, quantization = 4, is_variable = 5,
              sparsity = 6, shape_signature = 7;
}
namespace quantization_field {
constexpr int scale = 2, zero_point = 3, dimension = 6;
}
namespace operator_field {
constexpr int code = 0, inputs = 1, outputs = 2, options = 4;
}

/// Types of tensors.
enum class Type {
  float32 = 0,
  float16 = 1,
  int32 = 2,
  uint8 = 3,
  int64 = 4,
  boolean = 6,
  int16 = 7,
  int8 = 9,
  float64 = 10,
  int4 = 17,
  bfloat16 = 18
};

/// A tensor as the file says it.
struct TensorRecord {
  std::string name;  ///< of its own in the whole model
  std::vector<std::int64_t> shape;
  Type type = Type::float32;
  bool is_constant = false;
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& file)
      : size_(bytes.size()), flat_(bytes, file), file_(file), root_(flat_.root()) {
    codes_ = root_.vector(model_field::operator_codes, 4);
    subgraphs_ = root_.vector(model_field::subgraphs, 4);
    buffers_ = root_.vector(model_field::buffers, 4);
  }

  OpGraph read() {
    if (subgraphs_.count == 0) refuse("{}: a TFLite file without a graph; it is damaged", file_);
    OpGraph graph = subgraph(0);
    graph.format = "TFLite", graph.opset = 13;
    if (small_weights_)
      graph.remarks.push_back(
          "its integers became floats: the program that wrote them rounds inputs and outputs of "
          "layers too, so its answers differ from those of this model by that rounding");
    for (const std::string& remark : remarks_) graph.remarks.push_back(remark);
    sort_nodes(graph, file_);
    return graph;
  }

 private:
  OpGraph subgraph(std::size_t number) {
    if (number >= subgraphs_.count)
      refuse("{}: a node names a graph that is not there; the file is damaged", file_);
    if (std::count(open_.begin(), open_.end(), number))
      refuse("{}: a graph contains itself; the file is damaged", file_);
    open_.push_back(number);
    const FlatTable from = root_.element(subgraphs_, number);
    OpGraph to;
    const FlatVector tensors = from.vector(graph_field::tensors, 4),
                     operators = from.vector(graph_field::operators, 4);
    // An operation takes some hundred bytes in memory.
    count_ += tensors.count + operators.count;
    if (count_ > 20'000 + size_ / 512)
      refuse("{}: consists of too many small values to be a model; give the file of a model",
             file_);
    std::vector<TensorRecord> records;
    for (std::size_t t = 0; t < tensors.count; ++t)
      records.push_back(tensor(root_.element(tensors, t), to));
    const auto record = [&](std::int32_t t) -> const TensorRecord& {
      if (t < 0 || std::size_t(t) >= records.size())
        refuse("{}: a node names a tensor that is not there; the file is damaged", file_);
      return records[std::size_t(t)];
    };
    for (const std::int32_t t : from.numbers<std::int32_t>(graph_field::inputs))
      to.inputs.push_back(value_of(record(t)));
    for (const std::int32_t t : from.numbers<std::int32_t>(graph_field::outputs))
      to.outputs.push_back(value_of(record(t)));
    TfliteNodes nodes(to, remarks_);
    for (std::size_t o = 0; o < operators.count; ++o) {
      const FlatTable op = root_.element(operators, o);
      TfliteNode node;
      const FlatTable code =
          root_.element(codes_, op.number<std::uint32_t>(operator_field::code, 0));
      // Codes above 127 are in the newer field alone.
      node.code = std::max(std::int32_t(code.number<std::int8_t>(code_field::old_code, 0)),
                           code.number<std::int32_t>(code_field::code, 0));
      node.custom = std::string(code.text(code_field::custom_code));
      node.options = op.table(operator_field::options);
      for (const std::int32_t t : op.numbers<std::int32_t>(operator_field::inputs)) {
        node.inputs.push_back(t < 0 ? "" : record(t).name);
        node.input_shapes.push_back(t < 0 ? std::vector<std::int64_t>{} : record(t).shape);
      }
      for (const std::int32_t t : op.numbers<std::int32_t>(operator_field::outputs)) {
        node.outputs.push_back(record(t).name);
        node.output_shapes.push_back(record(t).shape);
        node.is_float = record(t).type != Type::int32 && record(t).type != Type::int64 &&
                        record(t).type != Type::boolean;
      }
      count_ += node.inputs.size() + node.outputs.size();
      if (node.is_loop())
        for (const int field : {0, 1}) {
          const std::int32_t inside =
              node.options ? node.options->number<std::int32_t>(field, 0) : -1;
          node.graphs.push_back(
              std::make_shared<const OpGraph>(subgraph(std::size_t(std::max(inside, 0)))));
        }
      if (!variable(node, to, number)) nodes.add(node);
    }
    if (number == 0) add_states(to, nodes);
    open_.pop_back();
    return to;
  }

  /// Takes a node that is about a variable. Returns false for one of another kind.
  bool variable(const TfliteNode& node, const OpGraph& graph, std::size_t number) {
    constexpr int shared_name = 1, first_graph = 0;
    const auto of = [&]() -> Variable* {
      const auto handle = node.inputs.empty() ? handles_.end() : handles_.find(node.inputs[0]);
      return handle == handles_.end() ? nullptr : &variables_[handle->second];
    };
    if (node.makes_variable() && node.outputs.size() == 1) {
      handles_[node.outputs[0]] =
          std::string(node.options ? node.options->text(shared_name) : std::string_view{});
      return false;  // a loop may read it, and is refused with it
    }
    if (node.runs_once()) {
      const std::int32_t inside =
          node.options ? node.options->number<std::int32_t>(first_graph, 0) : 0;
      const std::size_t outside = std::exchange(begins_, std::size_t(std::max(inside, 0)));
      subgraph(begins_);
      begins_ = outside;
      return true;
    }
    Variable* const one = of();
    if (node.sets_variable() && one && node.inputs.size() == 2) {
      if (number != 0 && number == begins_) {
        const auto found = graph.constants.find(node.inputs[1]);
        if (found != graph.constants.end()) one->begin = found->second;
      } else {
        one->next = node.inputs[1];
      }
      return true;
    }
    if (!node.reads_variable() || !one || number != 0 || node.outputs.size() != 1 ||
        !one->next.empty())
      return node.sets_variable();
    one->reads.push_back(node);
    return true;
  }

  /// Makes the variables that the main graph changes its states, and the others constants.
  void add_states(OpGraph& graph, TfliteNodes& nodes) {
    for (auto& [name, one] : variables_) {
      const bool begins_at_zero =
          one.begin && std::all_of(one.begin->floats.begin(), one.begin->floats.end(),
                                   [](float number) { return number == 0; });
      for (const TfliteNode& read : one.reads) {
        if (!one.begin || (!one.next.empty() && !begins_at_zero)) {
          nodes.add(read);  // which is refused
        } else if (one.next.empty()) {
          graph.constants[read.outputs[0]] = one.begin;
        } else {
          OpValue state;
          state.name = read.outputs[0], state.shape = read.output_shapes[0];
          graph.inputs.push_back(state);
          state.name = one.next;
          graph.outputs.push_back(state);
        }
      }
    }
  }

  TensorRecord tensor(const FlatTable& from, OpGraph& to) {
    TensorRecord record;
    const std::string name(from.text(tensor_field::name));
    record.name = name;
    if (name.empty() || !names_.insert(name).second)
      record.name = fmt::format("{}:{}", name, names_.size());
    names_.insert(record.name);
    record.type = Type(from.number<std::int8_t>(tensor_field::type, 0));
    for (const std::int32_t size : from.numbers<std::int32_t>(tensor_field::shape))
      record.shape.push_back(size);
    const std::vector<std::int32_t> open =
        from.numbers<std::int32_t>(tensor_field::shape_signature);
    const std::uint32_t number = from.number<std::uint32_t>(tensor_field::buffer, 0);
    const std::string_view bytes =
        number > 0 ? root_.element(buffers_, number).bytes(0) : std::string_view{};
    if (from.number<std::uint8_t>(tensor_field::is_variable, 0)) {
      // A state of the stream, which begins as zeros.
      to.constants[record.name] = zeros(record.shape);
      record.is_constant = true;
    } else if (!bytes.empty()) {
      if (from.table(tensor_field::sparsity))
        refuse("{}: {}: a sparse tensor, which is not read; convert the model without it", file_,
               brief(record.name));
      to.constants[record.name] = constant(record, from.table(tensor_field::quantization), bytes);
      record.is_constant = true;
    } else {
      for (std::size_t d = 0; d < std::min(open.size(), record.shape.size()); ++d)
        if (open[d] < 0) record.shape[d] = -1;
    }
    return record;
  }

  ConstantPtr zeros(const std::vector<std::int64_t>& shape) {
    auto made = std::make_shared<Constant>();
    made->shape = shape;
    const auto count = std::size_t(count_of(shape, zeros_left_));
    zeros_left_ -= count;
    made->floats.assign(count, 0.0f);
    return made;
  }

  /// Returns the number of elements of a shape. Refuses more than `most`.
  std::int64_t count_of(const std::vector<std::int64_t>& shape, std::size_t most) const {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) {
      if (size < 0 || (size > 0 && count > std::int64_t(most) / size))
        refuse("{}: tensors of more numbers than the file has bytes; it is damaged", file_);
      count *= size;
    }
    return count;
  }

  ConstantPtr constant(const TensorRecord& record, const std::optional<FlatTable>& quantization,
                       std::string_view bytes) {
    const std::string place = fmt::format("{}: {}", file_, brief(record.name));
    auto made = std::make_shared<Constant>();
    made->shape = record.shape;
    const auto count = std::size_t(count_of(record.shape, 2 * bytes.size()));
    const auto need = [&](std::size_t size) {
      if (bytes.size() != size)
        refuse("{}: {} bytes for {} numbers; the file is damaged", place, bytes.size(), count);
    };
    const auto floats = [&](const ElementType& type) {
      need(count * type.bytes);
      made->floats.reserve(count);
      for (std::size_t i = 0; i < count; ++i)
        made->floats.push_back(type.read(bytes.data() + i * type.bytes));
    };
    const auto whole = [&](auto type) {
      using Number = decltype(type);
      need(count * sizeof(Number));
      made->is_whole = true;
      made->whole.reserve(count);
      for (std::size_t i = 0; i < count; ++i) {
        Number value;
        std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
        made->whole.push_back(std::int64_t(value));
      }
    };
    switch (record.type) {
      case Type::float32:
        floats(element_of<float>);
        break;
      case Type::float64:
        floats(element_of<double>);
        break;
      case Type::float16:
        floats(half_element);
        break;
      case Type::bfloat16:
        floats(bfloat16_element);
        break;
      case Type::int32:
        whole(std::int32_t());
        break;
      case Type::int64:
        whole(std::int64_t());
        break;
      case Type::int16:
        whole(std::int16_t());
        break;
      case Type::int8:
        whole(std::int8_t());
        break;
      case Type::uint8:
      case Type::boolean:
        whole(std::uint8_t());
        break;
      case Type::int4: {
        need((count + 1) / 2);
        made->is_whole = true;
        for (std::size_t i = 0; i < count; ++i) {
          const int half = (std::uint8_t(bytes[i / 2]) >> (i % 2 == 0 ? 0 : 4)) & 15;
          made->whole.push_back(half < 8 ? half : half - 16);
        }
        break;
      }
      default:
        refuse("{}: numbers of type {}, which are not read", place, int(record.type));
    }
    if (made->is_whole && quantization) dequantize(*quantization, place, *made);
    return made;
  }

  /// Gives integers the floats that they stand for, scale * (q - zero point).
  void dequantize(const FlatTable& from, const std::string& place, Constant& to) {
    const auto scales = from.numbers<float>(quantization_field::scale);
    if (scales.empty()) return;
    const auto zeros = from.numbers<std::int64_t>(quantization_field::zero_point);
    const std::int32_t dimension = from.number<std::int32_t>(quantization_field::dimension, 0);
    std::size_t inner = 1, channels = 1;
    if (scales.size() > 1) {
      if (dimension < 0 || std::size_t(dimension) >= to.shape.size() ||
          to.shape[std::size_t(dimension)] != std::int64_t(scales.size()))
        refuse("{}: {} scales do not fit its shape; the file is damaged", place, scales.size());
      channels = scales.size();
      for (std::size_t d = std::size_t(dimension) + 1; d < to.shape.size(); ++d)
        inner *= std::size_t(to.shape[d]);
    }
    if (!zeros.empty() && zeros.size() != 1 && zeros.size() != scales.size())
      refuse("{}: {} zero points beside {} scales; the file is damaged", place, zeros.size(),
             scales.size());
    to.floats.reserve(to.whole.size());
    for (std::size_t i = 0; i < to.whole.size(); ++i) {
      const std::size_t channel = channels == 1 ? 0 : i / inner % channels;
      const std::int64_t zero = zeros.empty() ? 0 : zeros.size() == 1 ? zeros[0] : zeros[channel];
      to.floats.push_back(scales[channel] * float(double(to.whole[i]) - double(zero)));
    }
    to.whole.clear(), to.whole.shrink_to_fit(), to.is_whole = false;
    small_weights_ = true;
  }

  static OpValue value_of(const TensorRecord& record) {
    OpValue value;
    value.name = record.name, value.shape = record.shape;
    value.is_whole =
        record.type == Type::int32 || record.type == Type::int64 || record.type == Type::boolean;
    return value;
  }

  /// A variable of the main graph.
  struct Variable {
    ConstantPtr begin;              ///< its numbers before the first call; null: not in the file
    std::string next;               ///< the value that it has after each call
    std::vector<TfliteNode> reads;  ///< the nodes that read it
  };

  std::size_t size_;
  FlatFile flat_;
  const std::string& file_;
  FlatTable root_;
  FlatVector codes_, subgraphs_, buffers_;
  std::set<std::string> names_;
  std::vector<std::size_t> open_;  ///< graphs that are being read, one inside another
  std::vector<std::string> remarks_;
  std::map<std::string, std::string> handles_;  ///< names of variables by those of their handles
  std::map<std::string, Variable> variables_;
  std::size_t begins_ = 0;  ///< the graph that gives variables their first numbers
  std::size_t count_ = 0;
  std::size_t zeros_left_ = size_ / 4 + 65536;  ///< numbers of states, which have none in the file
  bool small_weights_ = false;
};

}  // namespace

OpGraph read_tflite(std::string_view bytes, const std::string& file) {
  return Reader(bytes, file).read();
}

bool is_tflite(std::string_view bytes) { return bytes.size() > 16 && bytes.substr(4, 4) == "TFL3"; }

}  // namespace sluice::tools
