#include "keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "../common/nearest.h"
#include "keys/sections.h"

namespace sluice::tools {
namespace {

/// Returns the keys of all sections, one section after another.
const std::vector<Key>& table() {
  static const std::vector<Key> all = [] {
    std::vector<Key> keys;
    for (const std::span<const Key> section :
         {data_keys(), model_keys(), train_keys(), device_keys(), tune_keys()})
      keys.insert(keys.end(), section.begin(), section.end());
    for (Key& key : keys)
      if (const auto* choice = std::get_if<Choice<Recipe>>(&key.field); choice && key.words.empty())
        key.words.assign(choice->words.begin(), choice->words.end());
    return keys;
  }();
  return all;
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

std::string number_text(double value) { return fmt::format("{}", value); }

}  // namespace

std::span<const Key> keys() { return table(); }

const Key* find_key(std::string_view name) {
  for (const Key& key : table())
    if (key.name == name) return &key;
  return nullptr;
}

std::string_view nearest_key(std::string_view name) {
  std::string_view best;
  std::size_t least = 0;
  for (const Key& key : table()) {
    const std::size_t last = letters_apart(last_part(name), last_part(key.name));
    if (!is_near(last, last_part(name))) continue;
    // The section decides only between equally near keys, since a key in the wrong section is a
    // common mistake.
    const std::size_t differ = last * 1000 + letters_apart(name, key.name);
    if (best.empty() || differ < least) best = key.name, least = differ;
  }
  return best;
}

std::string_view type_name(const Key& key) {
  constexpr std::array names = {
      "true or false",
      "a whole number",
      "a number",
      "text",
      "text or a list of texts",
      "a list of layers",
      "a number, or a table of numbers by input, recurrent, bias, output and embedding",
      "text",
      "text"};
  return names[key.field.index()];
}

bool is_choice(const Key& key) { return !key.words.empty() && key.min == key.max; }

std::string allowed(const Key& key) {
  std::string words;
  for (std::size_t i = 0; i < key.words.size(); ++i)
    words += fmt::format("{}\"{}\"",
                         i == 0                      ? ""
                         : i + 1 == key.words.size() ? " or "
                                                     : ", ",
                         key.words[i]);
  if (is_choice(key)) return words;
  if (key.min == key.max) return std::string(type_name(key));
  // An upper limit that no user reaches is not shown.
  const std::string range =
      key.max >= 1000000 ? number_text(key.min) + " or more"
                         : fmt::format("{} to {}", number_text(key.min), number_text(key.max));
  return words.empty() ? range : fmt::format("{}, or {}", range, words);
}

}  // namespace sluice::tools
