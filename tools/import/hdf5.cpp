#include "hdf5.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "../common/print.h"
#include "../data/npy.h"

namespace sluice::tools {
namespace {

constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
constexpr std::size_t undefined = ~std::size_t(0);  // an address that leads nowhere

/// The types of messages in an object's header.
enum : unsigned {
  dataspace_message = 1,
  link_info_message = 2,
  datatype_message = 3,
  link_message = 6,
  layout_message = 8,
  filter_message = 11,
  attribute_message = 12,
  continuation_message = 16,
  symbol_table_message = 17,
};

std::size_t padded8(std::size_t size) { return (size + 7) & ~std::size_t(7); }

/// Returns the product of sizes; a number above `most` if it is larger.
std::size_t count_of(const std::vector<std::size_t>& shape, std::size_t most) {
  std::size_t count = 1;
  if (std::count(shape.begin(), shape.end(), std::size_t(0))) return 0;
  for (const std::size_t size : shape) {
    if (size > most / count) return most + 1;
    count *= size;
  }
  return count;
}

}  // namespace

bool is_hdf5(std::string_view bytes) { return bytes.starts_with(signature); }

void Hdf5::damaged(const char* what) const {
  refuse("{}: {}; the file is cut off or damaged", file_, what);
}

void Hdf5::need(std::size_t at, std::size_t size) const {
  if (at > bytes_.size() || size > bytes_.size() - at) damaged("ends before its contents do");
}

std::uint64_t Hdf5::number(std::size_t at, std::size_t size) const {
  need(at, size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= std::uint64_t(static_cast<unsigned char>(bytes_[at + i])) << (8 * i);
  return value;
}

std::size_t Hdf5::address(std::size_t at) const {
  const std::uint64_t value = number(at, address_bytes_);
  const std::uint64_t none = address_bytes_ == 8 ? ~std::uint64_t(0) : 0xFFFFFFFFu;
  return value == none ? undefined : std::size_t(value);
}

bool Hdf5::begins(std::size_t at, std::string_view text) const {
  need(at, text.size());
  return bytes_.substr(at, text.size()) == text;
}

Hdf5::Hdf5(std::string_view bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {
  if (!is_hdf5(bytes)) refuse("{}: not an HDF5 file; give a file of Keras", file_);
  const std::uint64_t version = number(8, 1);
  std::size_t at = 0;  // of the addresses
  if (version <= 1) {
    address_bytes_ = std::size_t(number(13, 1)), length_bytes_ = std::size_t(number(14, 1));
    at = version == 0 ? 24 : 28;
  } else if (version <= 3) {
    address_bytes_ = std::size_t(number(9, 1)), length_bytes_ = std::size_t(number(10, 1));
    at = 12;
  } else {
    refuse("{}: HDF5 of version {} of the superblock, and 0 to 3 are read; write it with h5py",
           file_, version);
  }
  for (const std::size_t size : {address_bytes_, length_bytes_})
    if (size != 4 && size != 8) damaged("has addresses that are neither 4 nor 8 bytes long");
  if (address(at) != 0) damaged("does not begin at its address 0");
  // Version 0: the root's entry has the place of a name, and then its header.
  root_ = address(at + (version <= 1 ? 5 : 3) * address_bytes_);
}

void Hdf5::read_messages(std::size_t at, std::size_t end, unsigned version, bool ordered,
                         std::vector<Message>& to,
                         std::vector<std::pair<std::size_t, std::size_t>>& more) const {
  const std::size_t head = version == 1 ? 8 : ordered ? 6 : 4;
  while (at + head <= end) {
    const auto type = unsigned(number(at, version == 1 ? 2 : 1));
    const auto size = std::size_t(number(at + (version == 1 ? 2 : 1), 2));
    const std::uint64_t flags = number(at + (version == 1 ? 4 : 3), 1);
    at += head;
    if (size > end - at) damaged("has a message that is longer than its header");
    if (type == continuation_message) {
      if (size < address_bytes_ + length_bytes_) damaged("has a continuation without a place");
      more.emplace_back(address(at), length(at + address_bytes_));
    } else if (!(flags & 2)) {  // not a message that is shared with others
      to.push_back({type, at, size});
    }
    at += size;
  }
}

std::vector<Hdf5::Message> Hdf5::messages(Node node) const {
  constexpr std::size_t most = 4096;  // of a header's pieces
  std::vector<Message> found;
  std::vector<std::pair<std::size_t, std::size_t>> more;
  const auto at = std::size_t(node);
  const bool second = begins(at, "OHDR");
  bool ordered = false;
  if (second) {
    const std::uint64_t flags = number(at + 5, 1);
    if (number(at + 4, 1) != 2) damaged("has an object's header of an unknown version");
    ordered = flags & 4;
    std::size_t begin = at + 6 + (flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0);
    const std::size_t width = std::size_t(1) << (flags & 3);
    const auto size = std::size_t(number(begin, width));
    begin += width;
    need(begin, size);
    read_messages(begin, begin + size, 2, ordered, found, more);
  } else {
    if (number(at, 1) != 1) damaged("has an object's header of an unknown version");
    const auto size = std::size_t(number(at + 8, 4));
    need(at + 16, size);
    read_messages(at + 16, at + 16 + size, 1, false, found, more);
  }
  for (std::size_t i = 0; i < more.size(); ++i) {
    const auto [begin, size] = more[i];
    need(begin, size);
    if (i == most || found.size() > 64 + bytes_.size() / 16)
      damaged("has an object's header that does not end");
    if (!second) {
      read_messages(begin, begin + size, 1, false, found, more);
    } else {
      if (size < 8 || !begins(begin, "OCHK")) damaged("has a continuation that is none");
      read_messages(begin + 4, begin + size - 4, 2, ordered, found, more);
    }
  }
  return found;
}

std::string Hdf5::heap_name(std::size_t heap, std::size_t offset) const {
  if (!begins(heap, "HEAP")) damaged("has a group without names");
  const std::size_t size = length(heap + 8), data = address(heap + 8 + 2 * length_bytes_);
  need(data, size);
  if (offset >= size) damaged("has a name outside its group");
  const std::string_view names = bytes_.substr(data, size);
  const std::size_t end = names.find('\0', offset);
  if (end == names.npos) damaged("has a name without an end");
  return std::string(names.substr(offset, end - offset));
}

void Hdf5::read_tree(std::size_t at, std::size_t names, int depth, Room& room, Members& to) const {
  constexpr int deepest = 16;
  if (depth > deepest || room.nodes-- == 0) damaged("has a group that contains itself");
  if (begins(at, "SNOD")) {
    const auto count = std::size_t(number(at + 6, 2));
    const std::size_t entry = 2 * address_bytes_ + 24;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t symbol = at + 8 + i * entry;
      std::string name = heap_name(names, std::size_t(number(symbol, address_bytes_)));
      const std::size_t size = name.size() + entry;
      if (size > room.bytes) damaged("has a group that contains itself");
      room.bytes -= size;
      to.emplace_back(std::move(name), address(symbol + address_bytes_));
    }
    return;
  }
  if (!begins(at, "TREE") || number(at + 4, 1) != 0) damaged("has a group without a tree");
  const auto count = std::size_t(number(at + 6, 2));
  const std::size_t first = at + 8 + 2 * address_bytes_ + length_bytes_;
  for (std::size_t i = 0; i < count; ++i)
    read_tree(address(first + i * (address_bytes_ + length_bytes_)), names, depth + 1, room, to);
}

Hdf5::Members Hdf5::members(Node group) const {
  Members found;
  for (const Message& m : messages(group)) {
    if (m.type == symbol_table_message) {
      if (m.size < 2 * address_bytes_) damaged("has a group without a tree");
      Room room = {16 + bytes_.size() / 64, bytes_.size()};
      const std::size_t tree = address(m.at);
      if (tree != undefined) read_tree(tree, address(m.at + address_bytes_), 0, room, found);
    } else if (m.type == link_message) {
      const std::size_t end = m.at + m.size;
      const std::uint64_t flags = number(m.at + 1, 1);
      std::size_t at = m.at + 2;
      const bool hard = !(flags & 8) || number(at, 1) == 0;
      at += (flags & 8 ? 1 : 0) + (flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0);
      const std::size_t width = std::size_t(1) << (flags & 3);
      const auto size = std::size_t(number(at, width));
      at += width;
      if (at > end || size > end - at) damaged("has a name that is longer than its message");
      if (hard) found.emplace_back(std::string(bytes_.substr(at, size)), address(at + size));
    } else if (m.type == link_info_message) {
      const std::uint64_t flags = number(m.at + 1, 1);
      if (address(m.at + 2 + (flags & 1 ? 8 : 0)) != undefined)
        refuse(
            "{}: has a group of many members in HDF5's newer form; write it again with h5py's "
            "libver = \"earliest\"",
            file_);
    }
  }
  return found;
}

std::optional<Hdf5::Node> Hdf5::find(Node group, std::string_view path) const {
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (name.empty()) continue;
    const auto all = members(group);
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const auto& member) { return member.first == name; });
    if (found == all.end()) return std::nullopt;
    group = found->second;
  }
  return group;
}

Hdf5::Type Hdf5::type(std::size_t at, std::size_t size) const {
  if (size < 8) damaged("has a type without a size");
  const std::uint64_t head = number(at, 4);
  const auto bits = unsigned(head >> 8);
  Type type;
  type.bytes = std::size_t(number(at + 4, 4));
  switch (head & 15) {
    case 0:
      type.kind = Type::Kind::whole;
      type.is_signed = bits & 8;
      type.big_endian = bits & 1;
      if (type.bytes != 1 && type.bytes != 2 && type.bytes != 4 && type.bytes != 8)
        type.kind = Type::Kind::other;
      break;
    case 1:
      if (size < 20) damaged("has a type of floats without their form");
      type.exponent = unsigned(number(at + 13, 1));
      type.mantissa = unsigned(number(at + 15, 1));
      type.big_endian = bits & 1;
      if ((type.bytes == 2 && type.exponent == 5 && type.mantissa == 10) ||
          (type.bytes == 2 && type.exponent == 8 && type.mantissa == 7) ||
          (type.bytes == 4 && type.exponent == 8 && type.mantissa == 23) ||
          (type.bytes == 8 && type.exponent == 11 && type.mantissa == 52))
        type.kind = Type::Kind::real;
      break;
    case 3:
      type.kind = Type::Kind::text;
      break;
    case 9:
      if ((bits & 15) == 1) type.kind = Type::Kind::far_text;
      break;
    default:
      break;
  }
  return type;
}

std::vector<std::size_t> Hdf5::space(std::size_t at, std::size_t size) const {
  if (size < 4) damaged("has an array without a shape");
  const std::uint64_t version = number(at, 1), rank = number(at + 1, 1);
  if (version < 1 || version > 2) damaged("has a shape of an unknown version");
  if (version == 2 && number(at + 3, 1) == 2) return {0};  // of no element
  const std::size_t first = at + (version == 1 ? 8 : 4);
  if (rank > 32 || first + rank * length_bytes_ > at + size) damaged("has a shape without sizes");
  std::vector<std::size_t> shape;
  for (std::size_t i = 0; i < rank; ++i) shape.push_back(length(first + i * length_bytes_));
  return shape;
}

std::string Hdf5::far_text(std::size_t at) const {
  const auto size = std::size_t(number(at, 4));
  const std::size_t heap = address(at + 4);
  const std::uint64_t index = number(at + 4 + address_bytes_, 4);
  if (size == 0 || index == 0) return {};
  if (!begins(heap, "GCOL")) damaged("has a text that is nowhere");
  const std::size_t heap_size = length(heap + 8);
  need(heap, heap_size);
  const std::size_t head = 8 + length_bytes_;
  for (std::size_t object = heap + padded8(head); object + head <= heap + heap_size;) {
    const std::uint64_t number_here = number(object, 2);
    const std::size_t size_here = length(object + 8);
    if (number_here == 0 || size_here > heap_size) break;
    if (number_here == index) {
      if (size > size_here) break;
      need(object + head, size);
      return std::string(bytes_.substr(object + head, size));
    }
    object += padded8(head + size_here);
  }
  damaged("has a text that is nowhere");
}

std::optional<std::vector<std::string>> Hdf5::texts_of(const Type& type, std::size_t count,
                                                       std::size_t at, std::size_t end) const {
  const bool far = type.kind == Type::Kind::far_text;
  if (!far && type.kind != Type::Kind::text) return std::nullopt;
  const std::size_t size = far ? 8 + address_bytes_ : type.bytes;
  need(at, end - at);
  if (count > 0 && (size == 0 || count > (end - at) / size))
    damaged("has an attribute that is cut off");
  std::vector<std::string> texts;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text =
        far ? far_text(at + i * size) : std::string(bytes_.substr(at + i * size, size));
    text.resize(std::min(text.find('\0'), text.size()));
    sum += text.size();
    if (sum > bytes_.size()) damaged("has an attribute with one text many times");
    texts.push_back(std::move(text));
  }
  return texts;
}

std::optional<std::vector<std::string>> Hdf5::texts(Node node, std::string_view attribute) const {
  for (const Message& m : messages(node)) {
    if (m.type != attribute_message) continue;
    if (m.size < 8) damaged("has an attribute that is cut off");
    const std::uint64_t version = number(m.at, 1), flags = number(m.at + 1, 1);
    const auto name_bytes = std::size_t(number(m.at + 2, 2)),
               type_bytes = std::size_t(number(m.at + 4, 2)),
               space_bytes = std::size_t(number(m.at + 6, 2));
    const auto place = [&](std::size_t size) { return version == 1 ? padded8(size) : size; };
    const std::size_t name = m.at + (version == 3 ? 9 : 8), type_at = name + place(name_bytes),
                      space_at = type_at + place(type_bytes), data = space_at + place(space_bytes),
                      end = m.at + m.size;
    if (version < 1 || version > 3 || data > end) damaged("has an attribute that is cut off");
    std::string_view found = bytes_.substr(name, name_bytes);
    found = found.substr(0, found.find('\0'));
    if (found != attribute) continue;
    if (version > 1 && (flags & 3)) return std::nullopt;  // its type is elsewhere
    const std::size_t count = count_of(space(space_at, space_bytes), bytes_.size());
    return texts_of(type(type_at, type_bytes), count, data, end);
  }
  return std::nullopt;
}

bool Hdf5::is_array(Node node) const {
  const auto all = messages(node);
  return std::any_of(all.begin(), all.end(),
                     [](const Message& m) { return m.type == layout_message; });
}

float Hdf5::element(const Type& type, std::size_t at) const {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < type.bytes; ++i) {
    const std::size_t byte = type.big_endian ? type.bytes - 1 - i : i;
    bits |= std::uint64_t(static_cast<unsigned char>(bytes_[at + byte])) << (8 * i);
  }
  if (type.kind == Type::Kind::whole) {
    const std::size_t unused = 64 - 8 * std::clamp<std::size_t>(type.bytes, 1, 8);
    if (type.is_signed) return float(std::int64_t(bits << unused) >> unused);
    return float(bits);
  }
  if (type.bytes == 8) return float(std::bit_cast<double>(bits));
  if (type.bytes == 4) return std::bit_cast<float>(std::uint32_t(bits));
  if (type.exponent == 5) return float(binary16_of(std::uint16_t(bits)));
  return std::bit_cast<float>(std::uint32_t(bits) << 16);
}

Tensor Hdf5::tensor(Node node, const std::string& name) {
  Type type;
  std::optional<std::vector<std::size_t>> shape;
  const Message* layout = nullptr;
  const auto all = messages(node);
  for (const Message& m : all) {
    if (m.type == dataspace_message) shape = space(m.at, m.size);
    if (m.type == datatype_message) type = this->type(m.at, m.size);
    if (m.type == layout_message) layout = &m;
    if (m.type == filter_message)
      refuse(
          "{}: {}: is compressed, and Keras does not compress; write it again with h5repack -f "
          "NONE -l CONTI",
          file_, name);
  }
  if (!shape || !layout) refuse("{}: {}: is not an array of numbers", file_, name);
  if (type.kind != Type::Kind::whole && type.kind != Type::Kind::real)
    refuse("{}: {}: has elements that are not floats of 16, 32 or 64 bits or whole numbers", file_,
           name);
  Tensor tensor;
  tensor.name = name, tensor.shape = *shape;
  const std::size_t count = count_of(*shape, bytes_.size());
  if (layout->size < 2) damaged("has an array without a place");
  const std::uint64_t version = number(layout->at, 1), kind = number(layout->at + 1, 1);
  if (version < 3 || version > 4 || kind > 1)
    refuse("{}: {}: does not lie in one piece; write it again with h5repack -f NONE -l CONTI",
           file_, name);
  std::size_t at = 0, size = 0;
  if (kind == 0) {  // inside the header
    size = std::size_t(number(layout->at + 2, 2)), at = layout->at + 4;
    if (size > layout->size - std::min<std::size_t>(layout->size, 4))
      damaged("has an array that is cut off");
  } else {
    if (layout->size < 2 + address_bytes_ + length_bytes_) damaged("has an array without a place");
    at = address(layout->at + 2), size = length(layout->at + 2 + address_bytes_);
  }
  if (at == undefined && count > 0)
    refuse("{}: {}: has a shape and no numbers; the file is damaged", file_, name);
  if (count > size / type.bytes)
    refuse("{}: {}: {} bytes, which are not an array of shape {}; the file is damaged", file_, name,
           size, tensor.shape_text());
  if (count == 0) return tensor;
  need(at, size);
  const Extent extent = {at, at + count * type.bytes, node};
  for (const Extent& other : read_)
    if (other.node != node && other.begin < extent.end && extent.begin < other.end)
      refuse("{}: {}: overlaps with another array; the file is damaged", file_, name);
  read_.push_back(extent);
  tensor.values.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    tensor.values.push_back(element(type, at + i * type.bytes));
  check_finite(tensor, file_);
  return tensor;
}

}  // namespace sluice::tools
