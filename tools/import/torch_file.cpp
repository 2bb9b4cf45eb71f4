#include "torch_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>

#include "../common/print.h"
#include "elements.h"
#include "pickle.h"
#include "zip_file.h"

namespace sluice::tools {
namespace {

using Kind = PickleNode::Kind;

/// A class of storages: the type of its numbers.
struct StorageType {
  std::string_view name;
  ElementType element;
};
constexpr StorageType types[] = {{"FloatStorage", element_of<float>},
                                 {"DoubleStorage", element_of<double>},
                                 {"HalfStorage", half_element},
                                 {"BFloat16Storage", bfloat16_element},
                                 {"LongStorage", element_of<std::int64_t>},
                                 {"IntStorage", element_of<std::int32_t>},
                                 {"ShortStorage", element_of<std::int16_t>},
                                 {"CharStorage", element_of<std::int8_t>},
                                 {"ByteStorage", element_of<std::uint8_t>},
                                 {"BoolStorage", element_of<std::uint8_t>}};

/// Values that a pickle of a file may make: those of its tensors' names, shapes and places.
std::size_t most_values(std::string_view bytes) { return 20'000 + bytes.size() / 64; }

/// The files of a zip archive that have the beginning of the model's own folder.
class Archive {
 public:
  Archive(std::string_view bytes, const std::string& file)
      : zip_(bytes, file), names_(zip_.names()) {
    bool found = false;
    for (const std::string& name : names_)
      if (name == main || (name.ends_with("/" + main) && name.find('/') == name.rfind('/')))
        folder_ = name.substr(0, name.size() - main.size()), found = true;
    if (!found)
      refuse(
          "{}: a zip archive without data.pkl, which torch.save writes; give the file of a model",
          file);
  }

  /// Returns a file; nothing if there is none of that name.
  std::optional<std::string> read(const std::string& name) const {
    return zip_.read(folder_ + name);
  }

  /// Returns the names behind a folder's, "data/" say.
  std::vector<std::string> in(const std::string& folder) const {
    std::vector<std::string> names;
    for (const std::string& name : names_)
      if (name.starts_with(folder_ + folder))
        names.push_back(name.substr((folder_ + folder).size()));
    return names;
  }

  static inline const std::string main = "data.pkl";

 private:
  ZipFile zip_;
  std::vector<std::string> names_;
  std::string folder_;
};

/// Reads a pickle of an archive, and the storages in the folder that belongs to it.
TorchValues read_values(const Archive& archive, const std::string& pickle,
                        const std::string& folder, const std::string& file,
                        const PickleRules& rules) {
  TorchValues values;
  const std::string bytes = archive.read(pickle).value_or("");
  std::string_view rest = bytes;
  values.pickle = read_pickle(rest, file, rules);
  for (const std::string& key : archive.in(folder))
    values.storages[key] = archive.read(folder + key).value_or("");
  return values;
}

/// Adds the code of a TorchScript file.
void read_code(const Archive& archive, TorchCode& code) {
  for (std::string name : archive.in("code/")) {
    if (!name.ends_with(".py")) continue;
    const std::string text = archive.read("code/" + name).value_or("");
    name.resize(name.size() - 3);
    std::replace(name.begin(), name.end(), '/', '.');
    code.add(name, text);
  }
}

TorchFile read_zip(std::string_view bytes, const std::string& file) {
  const Archive archive(bytes, file);
  if (archive.read("byteorder").value_or("little") != "little")
    refuse("{}: its numbers are in big-endian order; save it on another machine", file);
  const bool script = !archive.in("code/").empty();
  const PickleRules rules{script, most_values(bytes)};
  TorchFile result;
  result.values = read_values(archive, Archive::main, "data/", file, rules);
  if (script && !archive.in("constants.pkl").empty())
    result.constants = read_values(archive, "constants.pkl", "constants/", file, rules);
  if (script) read_code(archive, result.code);
  return result;
}

/// Reads a file of PyTorch before 1.6: pickles of a number, a version, the machine, the value and
/// the list of storages, then each storage as u64 count and its numbers.
TorchValues read_legacy(std::string_view bytes, const std::string& file) {
  std::string_view rest = bytes;
  const PickleRules rules{false, most_values(bytes)};
  for (int i = 0; i < 3; ++i) read_pickle(rest, file, rules);
  TorchValues result;
  result.pickle = read_pickle(rest, file, rules);
  const Pickle keys = read_pickle(rest, file, rules);
  std::map<std::string, std::size_t> bytes_of;  // an element of each storage
  for (const PickleNode& node : result.pickle.nodes)
    if (node.is(Kind::storage))
      for (const StorageType& type : types)
        if (node.type.ends_with("." + std::string(type.name)))
          bytes_of[node.text] = type.element.bytes;
  for (const PickleNode* const key : keys.root->items) {
    const std::string name = key->is(Kind::integer) ? fmt::format("{}", key->integer) : key->text;
    std::uint64_t count = 0;
    if (rest.size() < sizeof count) refuse("{}: is cut off; write it again", file);
    std::memcpy(&count, rest.data(), sizeof count);
    rest.remove_prefix(sizeof count);
    const std::size_t size = bytes_of[name];
    if (size == 0 || count > rest.size() / size)
      refuse("{}: a storage of {} numbers in {} bytes; it is cut off or damaged", file, count,
             rest.size());
    result.storages[name] = rest.substr(0, std::size_t(count) * size);
    rest.remove_prefix(std::size_t(count) * size);
  }
  return result;
}

/// Adds the tensors in a value, whose names begin with `name`.
void collect(const TorchValues& values, const PickleNode& value, const std::string& name, int depth,
             TensorReader& reader, std::vector<Tensor>& tensors) {
  constexpr int most_depth = 32;
  if (depth > most_depth) refuse("{}: nests deeper than {} levels", reader.file(), most_depth);
  if (value.is(Kind::tensor)) return tensors.push_back(reader.read(values, value, name));
  // The tensors of a module stand in the dict of its attributes.
  if (value.is(Kind::object) && !value.items.empty())
    return collect(values, *value.items[0], name, depth + 1, reader, tensors);
  if (!value.is(Kind::dict)) return;
  for (const auto& [key, item] : value.members)
    if (key->is(Kind::text) && !item->is(Kind::list))
      collect(values, *item, name.empty() ? key->text : name + "." + key->text, depth + 1, reader,
              tensors);
}

bool holds_tensors(const PickleNode& value) {
  return value.is(Kind::dict) &&
         std::any_of(value.members.begin(), value.members.end(),
                     [](const auto& member) { return member.second->is(Kind::tensor); });
}

/// Returns the state dict in a checkpoint: the value itself, or the one member that holds tensors.
const PickleNode* state_dict_of(const PickleNode* given, const std::string& file) {
  const PickleNode& root = *given;
  if (!root.is(Kind::dict) || holds_tensors(root)) return given;
  const PickleNode* found = nullptr;
  std::string names;
  for (const auto& [key, value] : root.members) {
    if (!holds_tensors(*value)) continue;
    if (found)
      refuse(
          "{}: holds several dicts of tensors, {} and {}; save the state_dict() of the model "
          "alone",
          file, names, brief(key->text));
    found = value;
    names = brief(key->text);
  }
  return found ? found : given;
}

}  // namespace

TensorReader::TensorReader(std::size_t bytes, std::string file)
    : file_(std::move(file)), left_(bytes * 2 + (1u << 20)) {}

Tensor TensorReader::read(const TorchValues& values, const PickleNode& node,
                          const std::string& name) {
  const PickleNode& storage = *node.items[0];
  const std::string place = fmt::format("{}: {}", file_, brief(name));
  const auto* const type = std::find_if(
      std::begin(types), std::end(types),
      [&](const StorageType& t) { return storage.type.ends_with("." + std::string(t.name)); });
  if (type == std::end(types))
    refuse("{}: numbers of {}; give floats or whole numbers", place, brief(storage.type));
  const auto found = values.storages.find(storage.text);
  if (found == values.storages.end())
    refuse("{}: its numbers are not in the file; write it again", place);
  const std::string& bytes = found->second;
  const std::size_t size = type->element.bytes;
  const std::uint64_t numbers = bytes.size() / size;
  Tensor tensor;
  tensor.name = name;
  // Sizes and steps are bounded before they are multiplied.
  std::size_t count = 1;
  std::uint64_t last = std::uint64_t(node.integer);
  bool fits = node.integer >= 0 && last <= numbers;
  for (std::size_t d = 0; d < node.shape.size() && fits; ++d) {
    const std::int64_t extent = node.shape[d], step = node.strides[d];
    fits = extent >= 0 && step >= 0 && std::uint64_t(extent) <= numbers &&
           (extent <= 1 || std::uint64_t(step) <= (numbers - 1) / std::uint64_t(extent - 1));
    if (!fits) break;
    if (extent > 1) last += std::uint64_t(extent - 1) * std::uint64_t(step);
    fits = extent == 0 || count <= left_ / std::size_t(extent);
    count *= std::size_t(extent);
    tensor.shape.push_back(std::size_t(extent));
  }
  if (!fits || (count > 0 && last >= numbers))
    refuse("{}: lies outside its {} numbers; the file is damaged", place, numbers);
  if (count > left_ / sizeof(float))
    refuse("{}: the tensors have more numbers than the file; it is damaged or hostile", file_);
  left_ -= count * sizeof(float);
  tensor.values.reserve(count);
  std::vector<std::size_t> index(tensor.shape.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t at = std::size_t(node.integer);
    for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * std::size_t(node.strides[d]);
    tensor.values.push_back(type->element.read(bytes.data() + at * size));
    for (std::size_t d = index.size(); d-- > 0;) {
      if (++index[d] < tensor.shape[d]) break;
      index[d] = 0;
    }
  }
  return tensor;
}

bool is_torch_file(std::string_view bytes) {
  // A zip archive, or the pickle of the number that begins files before PyTorch 1.6.
  return bytes.starts_with("PK\x03\x04") || bytes.starts_with("\x80\x02\x8a\x0a");
}

TorchFile read_torch_file(std::string_view bytes, const std::string& file) {
  if (bytes.starts_with("PK")) return read_zip(bytes, file);
  TorchFile result;
  result.values = read_legacy(bytes, file);
  return result;
}

std::vector<Tensor> torch_tensors(const TorchFile& file, TensorReader& reader) {
  std::vector<Tensor> tensors;
  collect(file.values, *state_dict_of(file.values.pickle.root, reader.file()), "", 0, reader,
          tensors);
  if (tensors.empty())
    refuse("{}: holds no tensor by name; save the state_dict() of a model", reader.file());
  return tensors;
}

}  // namespace sluice::tools
