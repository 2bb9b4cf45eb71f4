// An array of numbers in NumPy's .npy format, versions 1 to 3, as a .npz file contains them.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::tools {

struct Npy {
  std::string name;       ///< "data.npz: x", for messages
  char kind = 'f';        ///< 'f' float, 'i' signed, 'u' unsigned, 'b' bool
  std::size_t bytes = 4;  ///< of one number
  std::size_t rows = 0, cols = 1;
  bool by_column = false;  ///< columns are contiguous (Fortran's order)
  std::string storage;     ///< the whole file; numbers begin at `begin`
  std::size_t begin = 0;

  /// Returns the bytes of the whole file.
  std::size_t size() const { return begin + rows * cols * bytes; }
  double number(std::size_t row, std::size_t col = 0) const;
  bool whole() const { return kind != 'f'; }
  /// Returns a number as a name: a whole number in decimal, NaN as an empty name. Refuses any other
  /// float.
  std::string text(std::size_t row) const;
};

constexpr std::size_t npy_header_bytes = 1 << 17;  ///< longer than any header

/// Reads the header of a .npy file; `bytes` are its first npy_header_bytes, or all. Refuses as
/// parse_npy() does.
Npy parse_npy_header(std::string_view bytes, const std::string& name);

/// Reads a .npy file and takes its bytes. Refuses anything except one or two dimensions of
/// little-endian numbers.
Npy parse_npy(std::string bytes, const std::string& name);

}  // namespace sluice::tools
