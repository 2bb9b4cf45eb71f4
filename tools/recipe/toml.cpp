#include "toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "../common/error.h"

namespace sluice::tools {
namespace {

constexpr int most_levels = 32;         // TOML_MAX_NESTED_VALUES too
constexpr std::size_t most_dots = 256;  // per line

/// Returns the first line, counted from 1, with more dots than that; 0: none. The parser bounds the
/// nesting of brackets, but it makes a table for each part of a dotted key, and tables are
/// destroyed by recursion. A key ends with its line.
std::size_t dotted_line(std::string_view text) {
  for (std::size_t begin = 0, line = 1; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (std::size_t(std::count(text.begin() + begin, text.begin() + end, '.')) > most_dots)
      return line;
    begin = end + 1;
  }
  return 0;
}

/// Returns a node deeper than most_levels; null: none.
const toml::node* too_deep(const toml::table& root) {
  std::vector<std::pair<const toml::node*, int>> left = {{&root, 0}};
  while (!left.empty()) {
    const auto [node, level] = left.back();
    left.pop_back();
    if (level > most_levels) return node;
    if (const toml::table* table = node->as_table())
      for (auto&& [key, value] : *table) left.emplace_back(&value, level + 1);
    if (const toml::array* array = node->as_array())
      for (const toml::node& value : *array) left.emplace_back(&value, level + 1);
  }
  return nullptr;
}

}  // namespace

toml::table parse_toml(std::string_view text, const std::string& file) {
  if (const std::size_t line = dotted_line(text))
    refuse("{}:{}: more than {} dots in a line; no key of a recipe has so many parts", file, line,
           most_dots);
  toml::table table;
  try {
    table = toml::parse(text, std::string_view(file));
  } catch (const toml::parse_error& error) {
    const std::string_view what = error.description();
    if (what.find("TOML_MAX_NESTED_VALUES") == what.npos)
      refuse("{}:{}: {}", file, error.source().begin.line, what);
    refuse("{}:{}: nests deeper than {} levels, as no recipe does", file, error.source().begin.line,
           most_levels);
  }
  if (const toml::node* node = too_deep(table))
    refuse("{}:{}: nests deeper than {} levels, as no recipe does", file, node->source().begin.line,
           most_levels);
  return table;
}

std::optional<toml::table> parse_toml_value(std::string_view key, std::string_view value) {
  const std::string text = fmt::format("{} = {}", key, value);
  if (dotted_line(text)) return std::nullopt;
  try {
    toml::table table = toml::parse(text);
    if (table.size() == 1 && !too_deep(table)) return table;
  } catch (const toml::parse_error&) {  // NOLINT(bugprone-empty-catch): not a value of TOML
  }
  return std::nullopt;
}

}  // namespace sluice::tools
