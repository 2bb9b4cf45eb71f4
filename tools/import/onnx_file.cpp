// ONNX's file, a protobuf message (github.com/onnx/onnx, onnx/onnx.proto).
#include <algorithm>
#include <cstring>

#include "../common/print.h"
#include "elements.h"
#include "op_graph.h"

#if SLUICE_WITH_ONNX
#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>
#endif

namespace sluice::tools {

#if SLUICE_WITH_ONNX
namespace {

using google::protobuf::io::CodedInputStream;

/// Counts the messages in a protobuf text, since a message of two bytes takes some hundred bytes in
/// memory. Fields that are no messages may be counted too. Returns false for damaged bytes.
bool count_messages(CodedInputStream& input, int depth, std::size_t& left) {
  constexpr int most_depth = 24;
  while (input.BytesUntilLimit() > 0) {
    const std::uint32_t tag = input.ReadTag();
    if (tag == 0 || left == 0) return false;
    --left;
    std::uint64_t number = 0;
    std::uint32_t length = 0;
    switch (tag & 7) {
      case 0:
        if (!input.ReadVarint64(&number)) return false;
        break;
      case 1:
        if (!input.Skip(8)) return false;
        break;
      case 5:
        if (!input.Skip(4)) return false;
        break;
      case 2: {
        if (!input.ReadVarint32(&length) ||
            std::int64_t(length) > std::int64_t(input.BytesUntilLimit()))
          return false;
        // Long fields are numbers or texts. A short one is tried as a message.
        constexpr std::uint32_t longest = 64;
        const int end = input.CurrentPosition() + int(length);
        if (length <= longest && depth < most_depth) {
          const CodedInputStream::Limit limit = input.PushLimit(int(length));
          std::size_t inside = left;
          if (count_messages(input, depth + 1, inside)) left = inside;
          input.PopLimit(limit);
        }
        if (end < input.CurrentPosition() || !input.Skip(end - input.CurrentPosition()))
          return false;
        break;
      }
      default:
        return false;
    }
  }
  return true;
}

/// Converts messages to the graph.
class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  OpGraph graph(const onnx::GraphProto& from, int depth = 0) {
    constexpr int most_depth = 16;
    if (depth > most_depth) refuse("{}: graphs inside graphs, deeper than {}", file_, most_depth);
    OpGraph to;
    for (const onnx::TensorProto& tensor : from.initializer())
      to.constants[tensor.name()] = constant(tensor, tensor.name());
    for (const onnx::ValueInfoProto& value : from.input())
      if (!to.constants.count(value.name())) to.inputs.push_back(value_of(value));
    for (const onnx::ValueInfoProto& value : from.output()) to.outputs.push_back(value_of(value));
    for (const onnx::NodeProto& node : from.node()) to.nodes.push_back(node_of(node, depth));
    return to;
  }

 private:
  ConstantPtr constant(const onnx::TensorProto& from, const std::string& name) const {
    const std::string place =
        fmt::format("{}: {}", file_, name.empty() ? "a constant" : brief(name));
    auto to = std::make_shared<Constant>();
    std::uint64_t count = 1;
    const std::uint64_t most = std::uint64_t(from.ByteSizeLong());
    for (const std::int64_t size : from.dims()) {
      if (size < 0) refuse("{}: a negative size; the file is damaged", place);
      to->shape.push_back(size);
      if (size > 0 && count > most / std::uint64_t(size) + 1)
        refuse("{}: more numbers than the file has bytes; it is damaged", place);
      count *= std::uint64_t(size);
    }
    if (from.data_location() == onnx::TensorProto::EXTERNAL)
      refuse("{}: its numbers are in another file; save the model as one file", place);
    to->is_whole = is_whole(from.data_type());
    if (from.has_raw_data() && !from.raw_data().empty()) {
      raw(from, place, count, *to);
    } else {
      for (const float value : from.float_data()) to->floats.push_back(value);
      for (const double value : from.double_data()) to->floats.push_back(float(value));
      for (const std::int64_t value : from.int64_data()) to->whole.push_back(value);
      for (const std::int32_t value : from.int32_data()) {
        if (from.data_type() == onnx::TensorProto::FLOAT16)
          to->floats.push_back(float(binary16_of(std::uint16_t(value))));
        else
          to->whole.push_back(value);
      }
    }
    if (to->count() != count)
      refuse("{}: {} numbers for a shape of {}; the file is damaged", place, to->count(), count);
    return to;
  }

  static bool is_whole(int type) {
    using T = onnx::TensorProto;
    return type == T::INT64 || type == T::INT32 || type == T::BOOL || type == T::INT8 ||
           type == T::UINT8 || type == T::INT16 || type == T::UINT16;
  }

  void raw(const onnx::TensorProto& from, const std::string& place, std::uint64_t count,
           Constant& to) const {
    using T = onnx::TensorProto;
    const std::string& bytes = from.raw_data();
    const auto copy = [&](auto type, auto& numbers) {
      using Number = decltype(type);
      if (bytes.size() / sizeof(Number) != count || bytes.size() % sizeof(Number) != 0)
        return false;
      for (std::size_t i = 0; i < count; ++i) {
        Number value;
        std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
        numbers.push_back(typename std::decay_t<decltype(numbers)>::value_type(value));
      }
      return true;
    };
    const auto elements = [&](const ElementType& type) {
      if (bytes.size() / type.bytes != count) return false;
      for (std::size_t i = 0; i < count; ++i)
        to.floats.push_back(type.read(bytes.data() + i * type.bytes));
      return true;
    };
    bool fits = false;
    switch (from.data_type()) {
      case T::FLOAT:
        fits = copy(float(), to.floats);
        break;
      case T::DOUBLE:
        fits = copy(double(), to.floats);
        break;
      case T::FLOAT16:
        fits = elements(half_element);
        break;
      case T::BFLOAT16:
        fits = elements(bfloat16_element);
        break;
      case T::INT64:
        fits = copy(std::int64_t(), to.whole);
        break;
      case T::INT32:
        fits = copy(std::int32_t(), to.whole);
        break;
      case T::INT16:
        fits = copy(std::int16_t(), to.whole);
        break;
      case T::UINT16:
        fits = copy(std::uint16_t(), to.whole);
        break;
      case T::INT8:
        fits = copy(std::int8_t(), to.whole);
        break;
      case T::UINT8:
      case T::BOOL:
        fits = copy(std::uint8_t(), to.whole);
        break;
      default:
        refuse("{}: numbers of type {}, which are not read", place, from.data_type());
    }
    if (!fits)
      refuse("{}: {} bytes for {} numbers; the file is damaged", place, bytes.size(), count);
  }

  OpNode node_of(const onnx::NodeProto& from, int depth) {
    OpNode to;
    to.op = from.op_type(), to.domain = from.domain(), to.name = from.name();
    for (const std::string& name : from.input()) to.inputs.push_back(name);
    for (const std::string& name : from.output()) to.outputs.push_back(name);
    if (to.name.empty() && !to.outputs.empty()) to.name = to.outputs[0];
    for (const onnx::AttributeProto& attribute : from.attribute()) {
      OpAttribute& made = to.attributes[attribute.name()];
      made.whole = attribute.i(), made.real = attribute.f(), made.text = attribute.s();
      made.wholes.assign(attribute.ints().begin(), attribute.ints().end());
      made.reals.assign(attribute.floats().begin(), attribute.floats().end());
      made.texts.assign(attribute.strings().begin(), attribute.strings().end());
      if (attribute.has_t()) made.tensor = constant(attribute.t(), to.name);
      if (attribute.has_g())
        made.graph = std::make_shared<const OpGraph>(graph(attribute.g(), depth + 1));
    }
    return to;
  }

  static OpValue value_of(const onnx::ValueInfoProto& from) {
    OpValue to;
    to.name = from.name();
    if (!from.type().has_tensor_type()) return to;
    const auto& tensor = from.type().tensor_type();
    to.is_whole = is_whole(tensor.elem_type());
    for (const auto& dimension : tensor.shape().dim())
      to.shape.push_back(
          dimension.has_dim_value() && dimension.dim_value() > 0 ? dimension.dim_value() : -1);
    return to;
  }

  const std::string& file_;
};

}  // namespace

OpGraph read_onnx(std::string_view bytes, const std::string& file) {
  CodedInputStream counted(reinterpret_cast<const std::uint8_t*>(bytes.data()), int(bytes.size()));
  const CodedInputStream::Limit all = counted.PushLimit(int(bytes.size()));
  std::size_t left = 10'000 + bytes.size() / 8;
  if (!count_messages(counted, 0, left)) {
    if (left == 0)
      refuse("{}: consists of too many small values to be a model; give the file of a model", file);
    refuse("{}: not an ONNX file, or a damaged one; export the model again", file);
  }
  counted.PopLimit(all);
  onnx::ModelProto model;
  google::protobuf::SetLogHandler(nullptr);
  if (!model.ParseFromArray(bytes.data(), int(bytes.size())) || !model.has_graph())
    refuse("{}: not an ONNX file, or a damaged one; export the model again", file);
  OpGraph graph = Reader(file).graph(model.graph());
  graph.producer = model.producer_name(), graph.producer_version = model.producer_version();
  for (const auto& set : model.opset_import())
    if (set.domain().empty() || set.domain() == "ai.onnx") graph.opset = set.version();
  sort_nodes(graph, file);
  return graph;
}

#else

OpGraph read_onnx(std::string_view, const std::string& file) {
  refuse("{}: is an ONNX file, and this build is without ONNX; install libonnx-dev and build again",
         file);
}

#endif

bool is_onnx(std::string_view bytes) {
  // The first field of a model is its version, a small number.
  return bytes.size() > 16 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 32;
}

}  // namespace sluice::tools
