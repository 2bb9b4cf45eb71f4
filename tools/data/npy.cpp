#include "npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "../common/error.h"
#include "parse_number.h"

namespace sluice::tools {
namespace {

static_assert(std::endian::native == std::endian::little,
              "numbers are read in the file's byte order");

std::uint32_t little(std::string_view bytes, std::size_t at, int n) {
  std::uint32_t value = 0;
  for (int i = 0; i < n; ++i) value |= std::uint32_t((unsigned char)bytes[at + i]) << (8 * i);
  return value;
}

/// Returns the text after 'key': in the header's Python dictionary, up to any of `ends`.
std::string_view entry(std::string_view header, std::string_view key, std::string_view ends) {
  const std::size_t found = header.find(fmt::format("'{}':", key));
  if (found == header.npos) return {};
  std::string_view rest = header.substr(found + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest.substr(0, rest.find_first_of(ends));
}

/// Returns the numbers of "(270, 12".
std::vector<std::size_t> parse_shape(std::string_view text, const std::string& name) {
  std::vector<std::size_t> shape;
  if (!text.starts_with('('))
    refuse("{}: the .npy header has no shape; write the file with numpy.savez", name);
  text.remove_prefix(1);
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    if (part.empty()) continue;
    const auto size = parse_integer(part);
    if (!size || *size < 0)
      refuse("{}: the shape in the .npy header is damaged; write the file with numpy.savez", name);
    shape.push_back(std::size_t(*size));
  }
  return shape;
}

void parse_type(std::string_view type, Npy& array) {
  const bool known = type.size() >= 3 && type.size() <= 4 && (type[0] == '<' || type[0] == '|');
  const auto bytes = known ? parse_integer(type.substr(2)) : std::nullopt;
  array.kind = known ? type[1] : '?';
  array.bytes = bytes ? std::size_t(*bytes) : 0;
  const bool is_float = array.kind == 'f' && (array.bytes == 4 || array.bytes == 8);
  const bool is_whole =
      (array.kind == 'i' || array.kind == 'u') &&
      (array.bytes == 1 || array.bytes == 2 || array.bytes == 4 || array.bytes == 8);
  if (!is_float && !is_whole && !(array.kind == 'b' && array.bytes == 1))
    refuse("{}: numbers of type \"{}\"; give float32, float64 or whole numbers, little-endian",
           array.name, type);
}

template <class T>
T load(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

double Npy::number(std::size_t row, std::size_t col) const {
  const char* at =
      storage.data() + begin + (by_column ? col * rows + row : row * cols + col) * bytes;
  if (kind == 'f') return bytes == 4 ? double(load<float>(at)) : load<double>(at);
  if (kind == 'i' && bytes == 8) return double(load<std::int64_t>(at));
  if (kind == 'i')
    return bytes == 4   ? load<std::int32_t>(at)
           : bytes == 2 ? load<std::int16_t>(at)
                        : load<std::int8_t>(at);
  if (bytes == 8) return double(load<std::uint64_t>(at));
  return bytes == 4   ? load<std::uint32_t>(at)
         : bytes == 2 ? load<std::uint16_t>(at)
                      : load<std::uint8_t>(at);
}

std::string Npy::text(std::size_t row) const {
  if (kind == 'i' && bytes == 8)
    return fmt::format("{}", load<std::int64_t>(storage.data() + begin + row * bytes));
  const double value = number(row);
  if (std::isnan(value)) return "";
  if (value != std::floor(value) || std::fabs(value) > 9007199254740992.0)
    refuse(
        "{}: row {}: {} is not a whole number; give classes, sequences and groups as whole numbers",
        name, row, value);
  return fmt::format("{}", std::int64_t(value));
}

Npy parse_npy_header(std::string_view bytes, const std::string& name) {
  constexpr std::string_view magic = "\x93NUMPY";
  if (!bytes.starts_with(magic) || bytes.size() < 12)
    refuse("{}: not a .npy array; write the file with numpy.savez", name);
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    refuse("{}: .npy version {} is newer than this reader (3); save it with an older NumPy", name,
           version);
  const std::size_t length_bytes = version == 1 ? 2 : 4, start = 8 + length_bytes;
  const std::size_t length = little(bytes, 8, int(length_bytes));
  if (length > bytes.size() - start)
    refuse("{}: the .npy header is cut off; write the file again", name);

  Npy array;
  array.name = name;
  array.begin = start + length;
  const std::string_view header = bytes.substr(start, length);
  const std::string_view type = entry(header, "descr", ",}");
  parse_type(type.size() >= 2 ? type.substr(1, type.size() - 2) : type, array);
  array.by_column = entry(header, "fortran_order", ",}").starts_with("True");
  const std::vector<std::size_t> shape = parse_shape(entry(header, "shape", ")"), name);
  if (shape.empty() || shape.size() > 2)
    refuse("{}: {} dimensions; give an array of one dimension, or [rows][features]", name,
           shape.size());
  array.rows = shape[0];
  array.cols = shape.size() == 2 ? shape[1] : 1;
  const std::size_t room = std::numeric_limits<std::ptrdiff_t>::max() - array.begin;
  if (array.cols != 0 && array.rows > room / array.bytes / array.cols)
    refuse("{}: no memory can hold the shape [{}][{}]; write the file again", name, array.rows,
           array.cols);
  return array;
}

Npy parse_npy(std::string bytes, const std::string& name) {
  Npy array = parse_npy_header(std::string_view(bytes).substr(0, npy_header_bytes), name);
  if (bytes.size() != array.size())
    refuse("{}: {} bytes, but its shape [{}][{}] needs {}; write the file again", name,
           bytes.size(), array.rows, array.cols, array.size());
  array.storage = std::move(bytes);
  return array;
}

}  // namespace sluice::tools
