// The table of recipe keys: the one place that knows their names, types, defaults, ranges and help. Parsing, --set, "did you
// mean", the resolved recipe, what a blob says of its making, and the manual (`sluice train --keys`) all walk it.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice::tools {

struct Recipe;
struct LayerSpec;

/// The kinds of weights, in the order of sluice_weight_group.
constexpr const char* weight_groups[] = {"input", "recurrent", "bias", "output", "embedding"};
constexpr int weight_group_count = 5;

/// A number for each kind of weights: `1e-4` for all but biases, or `{ recurrent = 1e-4, bias = 1e-5 }`.
struct GroupValues {
  double of[weight_group_count] = {};
  bool operator==(const GroupValues&) const = default;
  bool any() const { return *this != GroupValues{}; }
};

/// Where a key's value lies in a Recipe; which alternative it is, is the key's type.
using Field = std::variant<bool Recipe::*, std::int64_t Recipe::*, double Recipe::*, std::string Recipe::*,
                           std::vector<std::string> Recipe::*, std::vector<LayerSpec> Recipe::*, GroupValues Recipe::*>;

struct Key {
  std::string_view name;  ///< dotted: "train.batch"
  Field field;
  std::string_view fallback;                 ///< the default, as a recipe would write it; empty: must be given
  std::string_view noun;                     ///< what a value is, for messages: "0 is not a batch size"
  std::string_view help;                     ///< one sentence
  double min = 0, max = 0;                   ///< both allowed; of numbers
  std::vector<std::string_view> words = {};  ///< the allowed ones, of text; empty: any text. Of a whole number: what it may be
                                             ///< instead; the Recipe then holds -1 for the first, -2 for the second
  std::string_view source = "";              ///< paper or formula, where there is one
  bool never_changes_result = false;         ///< left out of what a blob says of its making, as are file names
  bool file_name = false;
  bool measures = false;  ///< says what is measured, and on what: trials of a search that differ in it could not be compared
};

/// All keys, section by section, in the order in which a recipe is written.
std::span<const Key> keys();

/// The key of that name, or null.
const Key* find_key(std::string_view name);

/// The name nearest to a mistyped one: "train.bach", "bach" without its section, "data.batch" in a wrong one; empty when none
/// is near.
std::string_view nearest_key(std::string_view name);

/// The one of `words` nearest to a mistyped word; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

/// "an integer", "text": the type in a message.
std::string_view type_name(const Key& key);

/// Whether a value is one of the key's words and nothing else.
bool is_choice(const Key& key);

/// "1 or more", "0 to 0.99", "1 or more, or \"all\"", "\"adam\" or \"adamw\"": what would do.
std::string allowed(const Key& key);

/// The manual: every key with type, default, range, help and source.
std::string key_manual();

/// A recipe's every key with its value, where that was set, and what the manual says of it (`sluice train --explain`).
std::string explained(const Recipe& recipe);

}  // namespace sluice::tools
