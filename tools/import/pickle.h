// A reader of Python's pickles that runs no code. It knows the opcodes that state dicts and
// TorchScript use, and of all functions and classes those alone that make tensors.
// Format: Python's documentation of pickletools, protocols 0 to 5.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::tools {

struct PickleNode;
using Pickled = PickleNode*;

/// A value of a pickle.
struct PickleNode {
  enum class Kind {
    none,
    boolean,
    integer,
    real,
    text,
    list,     ///< a list, tuple or set: `items`
    dict,     ///< `members`, in order
    global,   ///< a function or class: `text` is its module and name with a dot between
    object,   ///< of a class `text`; its state is in `items`[0], if it has one
    storage,  ///< numbers of a tensor: `text` is its key, `type` the class of their type
    tensor,   ///< `items`[0] is its storage
  };
  Kind kind = Kind::none;
  std::int64_t integer = 0;  ///< also of a boolean; of a tensor its first element in the storage
  double real = 0;
  std::string text, type;
  std::vector<Pickled> items;
  std::vector<std::pair<Pickled, Pickled>> members;
  std::vector<std::int64_t> shape = {}, strides = {};  ///< of a tensor

  bool is(Kind other) const { return kind == other; }
  /// Returns the member with that text as its key; null if there is none.
  const PickleNode* find(std::string_view key) const;
};

/// How a pickle is read.
struct PickleRules {
  /// Whether classes of the file's own (modules of TorchScript) become objects. Else each is
  /// refused by its name.
  bool objects = false;
  std::size_t most_values = 0;  ///< the file is refused if it makes more
};

/// A pickle's values. They may refer to one another in circles.
struct Pickle {
  std::deque<PickleNode> nodes;
  Pickled root = nullptr;
};

/// Reads one pickle from the beginning of `bytes`, and removes it from them. Refuses (exit code 2)
/// damaged ones, and functions that a tensor does not need, by their names.
Pickle read_pickle(std::string_view& bytes, const std::string& file, const PickleRules& rules);

}  // namespace sluice::tools
