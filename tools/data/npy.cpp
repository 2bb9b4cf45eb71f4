#include "npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <vector>

#include "../common/error.h"
#include "../common/text.h"
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
  if (type.starts_with("[") || type.starts_with("("))
    refuse("{}: its elements have fields; give one array of numbers for the features", array.name);
  const bool known = type.size() >= 3 && std::string_view("<>|=").find(type[0]) != type.npos;
  const auto bytes = known ? parse_integer(type.substr(2)) : std::nullopt;
  array.kind = known ? type[1] : '?';
  array.big_endian = known && type[0] == '>';
  array.bytes = bytes && *bytes > 0 ? std::size_t(*bytes) : 0;
  const auto is = [&](std::initializer_list<std::size_t> sizes) {
    return std::find(sizes.begin(), sizes.end(), array.bytes) != sizes.end();
  };
  if (type.ends_with("O"))
    refuse("{}: holds Python objects; give an array of numbers or texts of one size", array.name);
  if (array.is_text() && bytes && array.bytes > 0 && array.bytes < 1u << 20) {
    if (array.kind == 'U') array.bytes *= 4;
    return;
  }
  if (!(array.kind == 'f' && is({2, 4, 8})) && !(array.kind == 'b' && is({1})) &&
      !((array.kind == 'i' || array.kind == 'u') && is({1, 2, 4, 8})))
    refuse(
        "{}: elements of type \"{}\"; give float16, float32, float64, whole numbers, truth values "
        "or texts",
        array.name, type);
}

template <class T>
T load(const char* at, bool big_endian) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, at, sizeof bytes);
  if (big_endian) std::reverse(std::begin(bytes), std::end(bytes));
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

double binary16_of(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 ? -1 : 1;
  if (exponent == 31) return fraction ? std::nan("") : sign * INFINITY;
  return sign * (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24));
}

std::size_t Npy::at(std::size_t row, std::size_t col) const {
  if (!by_column) return begin + (row * cols + col) * bytes;
  std::size_t index = row, stride = rows;
  // The last index of `col` runs fastest there, and slowest in Fortran's order.
  std::size_t rest = cols;
  for (std::size_t d = 1; d < shape.size(); ++d) {
    rest /= shape[d];
    index += col / rest * stride;
    col %= rest;
    stride *= shape[d];
  }
  return begin + index * bytes;
}

double Npy::number(std::size_t row, std::size_t col) const {
  const char* const from = storage.data() + at(row, col);
  const auto as = [&](auto value) { return double(load<decltype(value)>(from, big_endian)); };
  if (kind == 'f')
    return bytes == 2   ? binary16_of(load<std::uint16_t>(from, big_endian))
           : bytes == 4 ? as(float())
                        : as(double());
  if (kind == 'i')
    return bytes == 8   ? as(std::int64_t())
           : bytes == 4 ? as(std::int32_t())
           : bytes == 2 ? as(std::int16_t())
                        : as(std::int8_t());
  return bytes == 8   ? as(std::uint64_t())
         : bytes == 4 ? as(std::uint32_t())
         : bytes == 2 ? as(std::uint16_t())
                      : as(std::uint8_t());
}

std::string Npy::text(std::size_t row, std::size_t col) const {
  const char* const from = storage.data() + at(row, col);
  if (kind == 'S') {
    const std::string text(from, bytes);
    return text.substr(0, text.find('\0'));
  }
  if (kind == 'U') {
    std::string text;
    for (std::size_t i = 0; i < bytes; i += 4) {
      const std::uint32_t c = load<std::uint32_t>(from + i, big_endian);
      if (c == 0) break;
      if (c > 0x10FFFF) refuse("{}: row {}: a text that is damaged; write it again", name, row);
      append_utf8(text, c);
    }
    return text;
  }
  if (kind == 'i' && bytes == 8) return fmt::format("{}", load<std::int64_t>(from, big_endian));
  if (kind == 'u' && bytes == 8) return fmt::format("{}", load<std::uint64_t>(from, big_endian));
  const double value = number(row, col);
  if (std::isnan(value)) return "";
  if (value != std::floor(value))
    refuse(
        "{}: row {}: {} is not a whole number; give classes, sequences and groups as whole numbers "
        "or texts",
        name, row, value);
  if (std::fabs(value) > whole_doubles)
    refuse("{}: row {}: the float {} stands for many whole numbers; give an array of integers",
           name, row, value);
  return fmt::format("{}", std::int64_t(value));
}

std::string Npy::shape_text() const {
  std::string text;
  for (const std::size_t size : shape) text += fmt::format("[{}]", size);
  return text;
}

Npy Npy::column(std::size_t col) const {
  Npy one;
  one.name = fmt::format("{}: x{}", name, col);
  one.kind = kind, one.bytes = bytes, one.big_endian = big_endian;
  one.shape = {rows}, one.rows = rows;
  for (std::size_t row = 0; row < rows; ++row) one.storage.append(storage, at(row, col), bytes);
  return one;
}

Npy parse_npy_header(std::string_view bytes, const std::string& name, std::size_t dimensions) {
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
  array.shape = parse_shape(entry(header, "shape", ")"), name);
  if (array.shape.empty()) array.single = true, array.shape = {1};
  if (array.shape.size() > dimensions)
    refuse("{}: {} dimensions; give [rows][features], or [sequences][steps][features]", name,
           array.shape.size());
  const std::size_t room = std::numeric_limits<std::ptrdiff_t>::max() - array.begin;
  std::size_t left = room / array.bytes;
  for (const std::size_t size : array.shape) {
    if (size > left)
      refuse("{}: no memory can hold the shape {}; write the file again", name, array.shape_text());
    left = size ? left / size : left;
  }
  array.rows = array.shape[0];
  for (std::size_t d = 1; d < array.shape.size(); ++d) array.cols *= array.shape[d];
  return array;
}

Npy parse_npy(std::string bytes, const std::string& name, std::size_t dimensions) {
  Npy array =
      parse_npy_header(std::string_view(bytes).substr(0, npy_header_bytes), name, dimensions);
  if (bytes.size() != array.size())
    refuse("{}: {} bytes, but its shape {} needs {}; write the file again", name, bytes.size(),
           array.shape_text(), array.size());
  array.storage = std::move(bytes);
  return array;
}

}  // namespace sluice::tools
