#include "columns.h"

#include "../common/error.h"
#include "../common/print.h"
#include "../data/parse_number.h"
#include "heads.h"
#include "keys.h"

namespace sluice::tools {

RowRange parse_range(const std::string& place, const std::string& text) {
  if (text.empty()) return {};
  const std::size_t colon = text.find(':');
  const auto first = parse_integer(text.substr(0, colon));
  const auto end = parse_integer(colon == text.npos ? "" : text.substr(colon + 1));
  if (!first || !end || *first < 0 || *end <= *first)
    refuse("{}: \"{}\" is not a range of rows; give \"first:end\", such as \"0:8640\"", place,
           text);
  return {std::size_t(*first), std::size_t(*end)};
}

namespace {

Windows windows_of(const Recipe& recipe) {
  Windows windows;
  windows.length = recipe.format == Format::table ? std::size_t(recipe.window) : 0;
  windows.stride = std::size_t(recipe.stride), windows.horizon = std::size_t(recipe.horizon);
  windows.difference = recipe.windows_target == WindowsTarget::difference;
  windows.window_class = recipe.window_class;
  windows.order = recipe.validation_order;
  windows.reach_back = recipe.reach_back;
  windows.validation = recipe.validation;
  windows.part[0] = parse_range(where(recipe, "data.train_rows"), recipe.train_rows);
  windows.part[1] = parse_range(where(recipe, "data.validation_rows"), recipe.validation_rows);
  windows.part[2] = parse_range(where(recipe, "data.test_rows"), recipe.test_rows);
  return windows;
}

/// Returns a separator's one character; empty if it is to be found out.
std::string separator_of(const Recipe& recipe) {
  const std::string& text = recipe.separator;
  if (text == "auto") return "";
  if (text == "tab") return "\t";
  if (text == "blanks") return " ";
  const bool fits = text.size() == 1 && (text == "\t" || (text[0] >= ' ' && text[0] <= '~')) &&
                    std::string_view("\".+-_0123456789").find(text[0]) == std::string_view::npos &&
                    !((text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z');
  if (!fits)
    refuse(
        "{}: \"{}\" separates no cells; give \",\", \";\", \"|\", \"tab\", \"blanks\" or \"auto\"",
        where(recipe, "data.separator"), brief(text));
  return text;
}

Dialect dialect_of(const Recipe& recipe) {
  const std::string decimal(recipe.decimal == DecimalMark::automatic ? "" : word(recipe.decimal));
  if (decimal == "," && recipe.separator == ",")
    refuse("{}: \",\" separates the cells already; give \".\", or another data.separator",
           where(recipe, "data.decimal"));
  return {.separator = separator_of(recipe),
          .decimal = decimal,
          .comment = recipe.comment,
          .skip_rows = std::size_t(recipe.skip_rows),
          .missing = recipe.missing,
          .fill = recipe.fill};
}

}  // namespace

Columns columns_of(const Recipe& recipe) {
  const bool words = recipe.tokens == TokenKind::automatic ? recipe.format == Format::tsv
                                                           : recipe.tokens == TokenKind::words;
  return {.sequence = recipe.sequence,
          .target = recipe.target,
          .classes = recipe.target_type == TargetType::classes,
          .per_row = recipe.target_per == TargetPer::row,
          .ignore = recipe.ignore,
          .group = recipe.group,
          .features = recipe.features,
          .format = recipe.format,
          .text = recipe.text,
          .tokens = {words, recipe.lower_case},
          .every_character = recipe.vocabulary == 0,
          .max_steps = std::size_t(recipe.max_steps),
          .cut_front = recipe.cut == Cut::front,
          .windows = windows_of(recipe),
          .differences = recipe.differences,
          .heads = heads_of(recipe),
          .dialect = dialect_of(recipe),
          .target_from = recipe.target_from,
          .time = recipe.time,
          .time_features = recipe.time_features,
          .sequence_named = "\"" + recipe.sequence + "\"" != find_key("data.sequence")->fallback};
}

}  // namespace sluice::tools
