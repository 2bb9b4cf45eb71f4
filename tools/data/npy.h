// One array of numbers in NumPy's .npy format, versions 1 to 3, as it stands inside a .npz.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::tools {

struct Npy {
  std::string name;       ///< "data.npz: x", for messages
  char kind = 'f';        ///< 'f' float, 'i' signed, 'u' unsigned, 'b' truth value
  std::size_t bytes = 4;  ///< of one number
  std::size_t rows = 0, cols = 1;
  bool by_column = false;  ///< Fortran's order
  std::string storage;     ///< the whole file; numbers begin at `begin`
  std::size_t begin = 0;

  /// Bytes of the whole file.
  std::size_t size() const { return begin + rows * cols * bytes; }
  double number(std::size_t row, std::size_t col = 0) const;
  bool whole() const { return kind != 'f'; }
  /// A number as a name: whole numbers in decimal, NaN empty, any other float refused.
  std::string text(std::size_t row) const;
};

constexpr std::size_t npy_header_bytes = 1 << 17;  ///< a header is shorter by far

/// What the header of a .npy says; `bytes` are the file's first ones, npy_header_bytes or all.
/// Refused as by parse_npy().
Npy parse_npy_header(std::string_view bytes, const std::string& name);

/// Takes the bytes of a .npy. Anything but one or two dimensions of little-endian numbers is
/// refused.
Npy parse_npy(std::string bytes, const std::string& name);

}  // namespace sluice::tools
