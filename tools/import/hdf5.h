// Reads the part of HDF5 that files of Keras consist of: groups, attributes of text, and arrays of
// numbers that lie in one piece. Nothing in a file is believed before it is checked against the
// bytes that are there, and a damaged file is refused with one line.
//
// HDF5's own library is not used: Debian's 1.10.8 crashed on 49 of 6,000 copies of small Keras
// files in which 1 to 4 bytes were changed.
// Format: docs.hdfgroup.org, HDF5 File Format Specification 3.0.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "imported.h"

namespace sluice::tools {

/// An HDF5 file whose bytes are in memory, where they must stay.
class Hdf5 {
 public:
  /// Refuses (exit code 2) bytes that are not HDF5, and what a damaged file contradicts itself in.
  /// So do all functions here.
  Hdf5(std::string_view bytes, std::string file);

  /// A group or an array: the place of its header.
  using Node = std::uint64_t;
  using Members = std::vector<std::pair<std::string, Node>>;

  Node root() const { return root_; }
  /// Returns what a path such as "layers/lstm" leads to from a group.
  std::optional<Node> find(Node group, std::string_view path) const;
  /// Returns the names in a group and what they lead to, in the file's order; nothing of an array.
  Members members(Node group) const;
  /// Returns the texts of an attribute; nothing if there is no such attribute of text.
  std::optional<std::vector<std::string>> texts(Node node, std::string_view attribute) const;
  /// Returns an array. Refuses arrays that overlap with others that were read.
  /// @param name  for messages
  Tensor tensor(Node node, const std::string& name);
  /// Returns whether a node is an array.
  bool is_array(Node node) const;

  /// Returns the size of the file.
  std::size_t bytes() const { return bytes_.size(); }

 private:
  /// A message of an object's header, as the format calls its properties.
  struct Message {
    unsigned type;
    std::size_t at, size;
  };
  /// The type of an array's or attribute's elements.
  struct Type {
    enum class Kind { whole, real, text, far_text, other } kind = Kind::other;
    std::size_t bytes = 0;  ///< of an element
    bool big_endian = false, is_signed = false;
    unsigned exponent = 0, mantissa = 0;  ///< bits
  };
  struct Extent {
    std::size_t begin, end;
    Node node;
  };
  /// The most that a group's tree may still have: nodes, and bytes of its entries and names.
  struct Room {
    std::size_t nodes, bytes;
  };

  [[noreturn]] void damaged(const char* what) const;
  std::uint64_t number(std::size_t at, std::size_t size) const;
  std::size_t address(std::size_t at) const;
  std::size_t length(std::size_t at) const { return std::size_t(number(at, length_bytes_)); }
  void need(std::size_t at, std::size_t size) const;
  bool begins(std::size_t at, std::string_view signature) const;

  std::vector<Message> messages(Node node) const;
  void read_messages(std::size_t at, std::size_t end, unsigned version, bool ordered,
                     std::vector<Message>& to,
                     std::vector<std::pair<std::size_t, std::size_t>>& more) const;
  void read_tree(std::size_t at, std::size_t names, int depth, Room& room, Members& to) const;
  std::string heap_name(std::size_t heap, std::size_t offset) const;
  Type type(std::size_t at, std::size_t size) const;
  std::vector<std::size_t> space(std::size_t at, std::size_t size) const;
  std::string far_text(std::size_t at) const;
  std::optional<std::vector<std::string>> texts_of(const Type& type, std::size_t count,
                                                   std::size_t at, std::size_t end) const;
  float element(const Type& type, std::size_t at) const;

  std::string_view bytes_;
  std::string file_;
  std::size_t address_bytes_ = 8, length_bytes_ = 8;
  Node root_ = 0;
  std::vector<Extent> read_;  ///< the places of the arrays that were read
};

/// Returns whether bytes begin as an HDF5 file.
bool is_hdf5(std::string_view bytes);

}  // namespace sluice::tools
