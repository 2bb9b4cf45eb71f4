// JSON files of models: arrays of numbers are kept as such, since a tree with a node for each
// number takes many times the memory of the file.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "imported.h"

namespace sluice::tools {

struct JsonMember;

/// A value of a JSON text.
struct JsonNode {
  enum class Kind { null, boolean, number, text, numbers, list, object };
  Kind kind = Kind::null;
  double number = 0;                ///< of a number; 1 of true
  std::string text;                 ///< of a text
  std::vector<double> numbers;      ///< of an array of one number or more, with nothing else in it
  std::vector<JsonNode> items;      ///< of every other array
  std::vector<JsonMember> members;  ///< of an object, in the file's order

  bool is(Kind other) const { return kind == other; }
  bool is_list() const { return kind == Kind::list || kind == Kind::numbers; }
  /// Returns the number of elements of an array.
  std::size_t size() const { return kind == Kind::numbers ? numbers.size() : items.size(); }
  /// Returns the member of that name; null if there is none, or this is no object.
  const JsonNode* find(std::string_view name) const;
};

struct JsonMember {
  std::string name;
  JsonNode value;
};

/// Returns the value of a text. Refuses (exit code 2), with the line, a text that is not JSON,
/// nests deeper than json_levels, or consists of so many small values that it would take a multiple
/// of its size in memory.
/// @param size  the bytes that bound the values in place of the text's own; 0: the text's
JsonNode parse_json_document(std::string_view text, const std::string& file, std::size_t size = 0);

/// Returns nested arrays of numbers as a tensor. Refuses (exit code 2) other values, rows of
/// different lengths and numbers that are not finite floats.
/// @param name  of the tensor, for messages
Tensor tensor_of(const JsonNode& node, const std::string& name, const std::string& file);

}  // namespace sluice::tools
