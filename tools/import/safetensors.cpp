// The .safetensors format: u64 length of a JSON header, the header, the numbers.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "../common/print.h"
#include "elements.h"
#include "json_document.h"
#include "state_dict.h"

namespace sluice::tools {
namespace {

using Kind = JsonNode::Kind;
constexpr std::size_t length_bytes = 8;
constexpr double exact = 9007199254740992.0;  // 2^53

/// A type of numbers by the format's name of it.
struct NamedType {
  std::string_view name;
  ElementType element;
};
constexpr NamedType types[] = {{"F32", element_of<float>},
                               {"F64", element_of<double>},
                               {"F16", half_element},
                               {"BF16", bfloat16_element},
                               {"I64", element_of<std::int64_t>},
                               {"I32", element_of<std::int32_t>},
                               {"I16", element_of<std::int16_t>},
                               {"I8", element_of<std::int8_t>},
                               {"U64", element_of<std::uint64_t>},
                               {"U32", element_of<std::uint32_t>},
                               {"U16", element_of<std::uint16_t>},
                               {"U8", element_of<std::uint8_t>},
                               {"BOOL", element_of<std::uint8_t>}};

/// Returns a list of sizes; refuses anything else.
std::vector<std::size_t> sizes(const JsonNode* node, const std::string& place) {
  std::vector<std::size_t> result;
  if (!node || !node->is_list() || (node->is(Kind::list) && !node->items.empty()))
    refuse("{}: not a list of whole numbers; write the file again", place);
  for (const double value : node->numbers) {
    if (!(value >= 0 && value <= exact && value == std::floor(value)))
      refuse("{}: a size that is not one; write the file again", place);
    result.push_back(std::size_t(value));
  }
  return result;
}

/// A tensor's place behind the header.
struct Extent {
  std::size_t begin, end;
  std::string name;
};

}  // namespace

std::vector<Tensor> read_safetensors(std::string_view bytes, const std::string& file) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), length_bytes);
  if (length > bytes.size() - length_bytes)
    refuse("{}: its header of {} bytes is longer than the file; it is cut off or damaged", file,
           length);
  const JsonNode root = parse_json_document(bytes.substr(length_bytes, std::size_t(length)), file);
  const std::string_view numbers = bytes.substr(length_bytes + std::size_t(length));
  std::vector<Tensor> tensors;
  std::vector<Extent> extents;
  for (const auto& [name, node] : root.members) {
    if (name == "__metadata__") continue;
    const std::string place = fmt::format("{}: {}", file, brief(name));
    const JsonNode* const type_said = node.find("dtype");
    const std::string type_name = type_said ? type_said->text : "";
    const auto* const type = std::find_if(std::begin(types), std::end(types),
                                          [&](const NamedType& t) { return t.name == type_name; });
    if (type == std::end(types))
      refuse("{}: numbers of type \"{}\"; give F16, BF16, F32, F64 or whole numbers", place,
             brief(type_name));
    Tensor tensor;
    tensor.name = name;
    tensor.shape = sizes(node.find("shape"), place + ": shape");
    const std::vector<std::size_t> at = sizes(node.find("data_offsets"), place + ": data_offsets");
    if (at.size() != 2 || at[0] > at[1] || at[1] > numbers.size())
      refuse("{}: data_offsets: lie outside the {} bytes of numbers; the file is damaged", place,
             numbers.size());
    std::size_t count = 1;
    bool fits = true;
    for (const std::size_t size : tensor.shape) {
      fits = fits && (size == 0 || count <= numbers.size() / size);
      count *= size;
    }
    if (!fits || count > numbers.size() / type->element.bytes ||
        count * type->element.bytes != at[1] - at[0])
      refuse("{}: {} bytes, which are not a tensor of shape {} and type {}; the file is damaged",
             place, at[1] - at[0], tensor.shape_text(), type->name);
    tensor.values.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
      tensor.values.push_back(type->element.read(numbers.data() + at[0] + i * type->element.bytes));
    extents.push_back({at[0], at[1], brief(name)});
    tensors.push_back(std::move(tensor));
  }
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < extents.size(); ++i)
    if (extents[i].begin < extents[i - 1].end)
      refuse("{}: {} and {} overlap; the file is damaged", file, extents[i - 1].name,
             extents[i].name);
  if (tensors.empty()) refuse("{}: holds no tensor; give the file of a model", file);
  return tensors;
}

}  // namespace sluice::tools
