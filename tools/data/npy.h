// An array of numbers in NumPy's .npy format, versions 1 to 3, as a .npz file contains them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

struct Npy {
  std::string name;  ///< "data.npz: x", for messages
  /// 'f' float, 'i' signed, 'u' unsigned, 'b' bool; 'S' bytes and 'U' characters of a text
  char kind = 'f';
  std::size_t bytes = 4;  ///< of one element
  bool big_endian = false;
  std::vector<std::size_t> shape;  ///< one size or more
  std::size_t rows = 0, cols = 1;  ///< the first size, and the product of the others
  bool single = false;             ///< one number without dimensions, read as an array of one
  bool by_column = false;          ///< the first index runs fastest (Fortran's order)
  std::string storage;             ///< the whole file; elements begin at `begin`
  std::size_t begin = 0;

  /// Returns the bytes of the whole file.
  std::size_t size() const { return begin + rows * cols * bytes; }
  /// Returns where an element begins in `storage`.
  /// @param col  counts the elements of a row, the last index fastest
  std::size_t at(std::size_t row, std::size_t col) const;
  bool is_text() const { return kind == 'S' || kind == 'U'; }
  double number(std::size_t row, std::size_t col = 0) const;
  /// Returns an element as a name: a text, a whole number in decimal, NaN as an empty name. Refuses
  /// any other float.
  std::string text(std::size_t row, std::size_t col = 0) const;
  /// "[12][10][3]"
  std::string shape_text() const;
  /// Returns one column as an array of its own.
  Npy column(std::size_t col) const;
};

/// Returns the number of IEEE 754's binary16 with these bits.
double binary16_of(std::uint16_t bits);

constexpr std::size_t npy_header_bytes = 1 << 17;  ///< longer than any header

/// Reads the header of a .npy file; `bytes` are its first npy_header_bytes, or all. Refuses as
/// parse_npy() does.
Npy parse_npy_header(std::string_view bytes, const std::string& name, std::size_t dimensions = 3);

/// Reads a .npy file and takes its bytes. Refuses anything except one to three dimensions (or as
/// many as `dimensions`) of numbers of at most 8 bytes, truth values or texts.
/// @param dimensions  the most that are taken
Npy parse_npy(std::string bytes, const std::string& name, std::size_t dimensions = 3);

}  // namespace sluice::tools
