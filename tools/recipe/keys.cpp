#include "keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "keys/sections.h"

namespace sluice::tools {
namespace {

/// All sections, one after another.
const std::vector<Key>& table() {
  static const std::vector<Key> all = [] {
    std::vector<Key> keys;
    for (const std::span<const Key> section : {data_keys(), model_keys(), train_keys(), device_keys(), tune_keys()})
      keys.insert(keys.end(), section.begin(), section.end());
    return keys;
  }();
  return all;
}

/// How many letters differ: insertions, deletions, replacements, and neighbors that changed places (Damerau, Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j - 1] + (a[i - 1] != b[j - 1]), d[i - 1][j] + 1, d[i][j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

bool near(std::size_t differ, std::string_view word) {
  return differ <= std::max<std::size_t>(word.size() > 2, word.size() / 3);
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

std::string number_text(double value) { return fmt::format("{}", value); }

/// `text` in lines of at most `width` letters, each after `indent`.
std::string wrapped(std::string_view text, std::size_t width, std::string_view indent) {
  std::string out, line;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      out += fmt::format("{}{}\n", indent, line);
      line.clear();
    }
    line += line.empty() ? "" : " ";
    line += word;
  }
  return out + fmt::format("{}{}\n", indent, line);
}

}  // namespace

std::span<const Key> keys() { return table(); }

const Key* find_key(std::string_view name) {
  for (const Key& key : table())
    if (key.name == name) return &key;
  return nullptr;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  std::string_view best;
  std::size_t least = 0;
  for (std::string_view candidate : words) {
    const std::size_t differ = distance(word, candidate);
    if (near(differ, word) && (best.empty() || differ < least)) best = candidate, least = differ;
  }
  return best;
}

std::string_view nearest_key(std::string_view name) {
  std::string_view best;
  std::size_t least = 0;
  for (const Key& key : table()) {
    const std::size_t last = distance(last_part(name), last_part(key.name));
    if (!near(last, last_part(name))) continue;
    // The section decides only between keys that are equally near: a key in the wrong section is a common slip.
    const std::size_t differ = last * 1000 + distance(name, key.name);
    if (best.empty() || differ < least) best = key.name, least = differ;
  }
  return best;
}

std::string_view type_name(const Key& key) {
  constexpr std::array names = {"true or false", "a whole number",          "a number",
                                "text",          "text or a list of texts", "a list of layers",
                                "a number, or a table of numbers by input, recurrent, bias, output and embedding"};
  return names[key.field.index()];
}

bool is_choice(const Key& key) { return !key.words.empty() && key.min == key.max; }

std::string allowed(const Key& key) {
  std::string words;
  for (std::size_t i = 0; i < key.words.size(); ++i)
    words += fmt::format("{}\"{}\"", i == 0 ? "" : i + 1 == key.words.size() ? " or " : ", ", key.words[i]);
  if (is_choice(key)) return words;
  if (key.min == key.max) return std::string(type_name(key));
  // An upper limit that nobody meets in earnest is not worth the reader's time.
  const std::string range = key.max >= 1000000 ? number_text(key.min) + " or more"
                                               : fmt::format("{} to {}", number_text(key.min), number_text(key.max));
  return words.empty() ? range : fmt::format("{}, or {}", range, words);
}

namespace {

/// What a key takes, what it is for, and where that comes from; without its name.
std::string explanation(const Key& key) {
  std::string text = is_choice(key) ? allowed(key) : std::string(type_name(key));
  if (key.min != key.max) text += ", " + allowed(key);
  text += key.fallback.empty() ? " (must be given)\n" : fmt::format(" (default {})\n", key.fallback);
  text += wrapped(key.help, 100, "      ");
  if (!key.source.empty()) text += fmt::format("      Source: {}\n", key.source);
  return text;
}

/// Calls f for every key, after a section's head where one begins.
template <class F>
std::string by_section(F f) {
  std::string text, section;
  for (const Key& key : table()) {
    const std::string its_section(key.name.substr(0, key.name.find('.')));
    if (its_section != section) text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", its_section);
    section = its_section;
    text += f(key);
  }
  return text;
}

}  // namespace

std::string key_manual() {
  constexpr const char* search = R"(
Instead of a value, also inside model.layers, a recipe may say what "sluice tune" may try; "sluice train" uses the value:
  { value = 1e-3, low = 1e-4, high = 1e-1, log = true }    a range, whole numbers where all of it is; log: by its logarithm
  { value = 16, low = 8, high = 64, step = 8 }             only every step; with log a step is a factor
  { value = "adam", choices = ["adam", "sgd"] }            one of a list, of anything
  { value = 0.0, low = 0.0, high = 0.9, when = { "train.optimizer" = "sgd" } }    only where others have these values
Layers count from 1: model.layers.2.gru. A layer with use = { value = false, choices = [false, true] } may be left out.
)";
  return by_section([](const Key& key) {
           return fmt::format("  {}: {}{}", key.name, explanation(key), key.name == "model.layers" ? layer_manual() : "");
         }) +
         search;
}

std::string explained(const Recipe& recipe) {
  return by_section([&](const Key& key) {
    const auto origin = recipe.origin.find(std::string(key.name));
    return fmt::format("  {} = {}{}\n      {}", key.name, value_text(recipe, key),
                       origin == recipe.origin.end() ? "" : fmt::format("    # {}", origin->second), explanation(key));
  });
}

}  // namespace sluice::tools
