#include "manual.h"

#include <fmt/format.h>

#include <algorithm>

#include "keys.h"
#include "layer_table.h"
#include "write.h"

namespace sluice::tools {
namespace {

constexpr std::size_t columns = 100;  // of the manual

/// Returns the text in lines of at most `width` letters, each after `indent`.
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

/// Returns each line of the text wrapped, its second and later lines indented by four more blanks.
std::string wrapped_lines(std::string_view text) {
  constexpr std::size_t further = 4;
  std::string out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t blanks = std::min(line.find_first_not_of(' '), line.size());
    const std::string indent(blanks + further, ' ');
    out += wrapped(line.substr(blanks), columns - indent.size(), indent).substr(further);
  }
  return out;
}

/// Returns a key's type, default, range, help and source; without its name.
std::string explanation(const Key& key) {
  std::string text = is_choice(key) ? allowed(key) : std::string(type_name(key));
  if (key.min != key.max) text += ", " + allowed(key);
  text +=
      key.fallback.empty() ? " (must be given)\n" : fmt::format(" (default {})\n", key.fallback);
  constexpr std::string_view indent = "      ";
  text += wrapped(key.help, columns - indent.size(), indent);
  if (!key.source.empty()) text += fmt::format("      Source: {}\n", key.source);
  return text;
}

/// Calls f for every key, after the head of each section.
template <class F>
std::string by_section(F f) {
  std::string text, section;
  for (const Key& key : keys()) {
    const std::string its_section(key.name.substr(0, key.name.find('.')));
    if (its_section != section)
      text += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", its_section);
    section = its_section;
    text += f(key);
  }
  return text;
}

}  // namespace

std::string key_manual() {
  constexpr const char* search = R"(
In place of a value, also inside model.layers, a recipe may give a range or a list for
"sluice tune" to search. "sluice train" uses the one after "value":
  { value = 1e-3, low = 1e-4, high = 1e-1, log = true }
      a range, here on a logarithmic scale; of whole numbers if the key takes only those
  { value = 16, low = 8, high = 64, step = 8 }
      only the values low, low + step, ...; with log = true a step is a factor
  { value = "adam", choices = ["adam", "sgd"] }
      a list of choices, of any type
  { value = 0.0, low = 0.0, high = 0.9, when = { "train.optimizer" = "sgd" } }
      searched only if the other parameter has this value
Layers count from 1: model.layers.2.gru. To search whether a layer is used, give it
use = { value = false, choices = [false, true] }.
)";
  return by_section([](const Key& key) {
           return fmt::format("  {}: {}{}", key.name, explanation(key),
                              key.name == "model.layers" ? wrapped_lines(layer_manual()) : "");
         }) +
         search;
}

std::string explained(const Recipe& recipe) {
  return by_section([&](const Key& key) {
    const auto origin = recipe.origin.find(std::string(key.name));
    return fmt::format("  {} = {}{}\n      {}", key.name, value_text(recipe, key),
                       origin == recipe.origin.end() ? "" : fmt::format("    # {}", origin->second),
                       explanation(key));
  });
}

}  // namespace sluice::tools
