// Reads Weka's ARFF with one row per sequence, as in the UCR and UEA archives: attributes are
// steps, as the columns of a wide table are, or one relational attribute has a line for each
// dimension. The target is the attribute that data.target names, else the last one.
#include <algorithm>

#include "../common/error.h"
#include "../common/text.h"
#include "features.h"
#include "sequence_rows.h"

namespace sluice::tools {
namespace {

/// Reads a cell from `at`, which then is at the separator behind it or at the end. Quotes are ' or
/// "; a backslash and n inside them are a line end.
std::string quoted_or_plain(std::string_view line, std::size_t& at, std::string_view separators) {
  while (at < line.size() && (line[at] == ' ' || line[at] == '\t')) ++at;
  std::string cell;
  if (at < line.size() && (line[at] == '\'' || line[at] == '"')) {
    const char quote = line[at];
    for (++at; at < line.size() && line[at] != quote; ++at) {
      const bool escaped = line[at] == '\\' && at + 1 < line.size();
      if (escaped) ++at;
      cell += escaped && line[at] == 'n' ? '\n' : line[at];
    }
    ++at;
    at = std::min(line.find_first_of(separators, std::min(at, line.size())), line.size());
    return cell;
  }
  const std::size_t end = std::min(line.find_first_of(separators, at), line.size());
  cell = trimmed(line.substr(at, end - at));
  at = end;
  return cell;
}

std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  for (std::size_t at = 0;; ++at) {
    cells.push_back(quoted_or_plain(line, at, ","));
    if (at >= line.size()) return cells;
  }
}

struct Attributes {
  std::vector<std::string> names;
  std::size_t relational = no_column;
};

/// Reads the head up to @data.
Attributes read_head(Lines& lines, const std::string& file) {
  Attributes attributes;
  bool nested = false;
  for (std::string_view here; lines.next(here);) {
    const std::string word = ascii_lower(here.substr(0, here.find_first_of(" \t")));
    if (word == "@data") return attributes;
    if (word == "@end") nested = false;
    if (word != "@attribute" || nested) continue;
    std::size_t from = word.size();
    attributes.names.push_back(quoted_or_plain(here, from, " \t{"));
    nested = ascii_lower(trimmed(here.substr(from))) == "relational";
    if (nested) attributes.relational = attributes.names.size() - 1;
  }
  refuse("{}: no @data; give an ARFF file", file);
}

/// Returns the recipe's columns for a file of these attributes: without the target's name, its last
/// attribute is the target.
Columns columns_for(const Columns& columns, const Attributes& attributes) {
  Columns read = columns;
  const bool named = std::all_of(
      columns.target.begin(), columns.target.end(),
      [&](const auto& name) { return find_column(attributes.names, name) != no_column; });
  if (!named && columns.target.size() == 1 && !attributes.names.empty()) {
    read.target = {attributes.names.back()};
    std::replace(read.beside.begin(), read.beside.end(), columns.target[0], read.target[0]);
  }
  return read;
}

SequenceRow relational_row(const std::vector<std::string>& cells, const Attributes& attributes,
                           std::size_t target, const NumberReader& numbers, const std::string& file,
                           std::size_t line) {
  SequenceRow row;
  row.line = line;
  if (target != no_column) row.targets = {cells[target]};
  const std::string& text = cells[attributes.relational];
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::vector<Step>& steps = row.features.emplace_back();
    for (const std::string& cell : cells_of(std::string_view(text).substr(at, end - at)))
      steps.push_back(step_number(cell, numbers, file, line,
                                  "dimension " + std::to_string(row.features.size())));
    at = end + 1;
  }
  return row;
}

}  // namespace

Rows read_arff(std::string_view text, const std::string& file, const Columns& columns,
               const Expected& expected) {
  text = plain_text(text, file);
  Dialect dialect = columns.dialect;
  if (std::find(dialect.missing.begin(), dialect.missing.end(), "?") == dialect.missing.end())
    dialect.missing.emplace_back("?");
  const NumberReader numbers(dialect, Decimal::point, false);
  Lines lines{text, "%"};
  const Attributes attributes = read_head(lines, file);
  check_header(attributes.names, file);
  const Columns read = columns_for(columns, attributes);
  const bool relational = attributes.relational != no_column;
  Rows rows;
  rows.file = file;
  WideRoles roles{};
  std::vector<std::size_t> picked;
  if (!relational) {
    roles = wide_roles(attributes.names, read, expected, file);
    rows.read_as = roles.read_as;
    for (const std::size_t f : roles.picked)
      rows.feature_names.push_back(roles.names[f]), picked.push_back(picked.size());
  }
  const std::size_t target = find_column(attributes.names, read.target.at(0));
  std::size_t dimensions = 0, count = 0;
  for (std::string_view here; lines.next(here);) {
    const std::size_t line = lines.number;
    if (here[0] == '{') refuse("{}:{}: a sparse row; write all values of the row", file, line);
    const std::vector<std::string> cells = cells_of(here);
    if (cells.size() != attributes.names.size())
      refuse("{}:{}: {} cells, but there are {} attributes; give one cell per attribute", file,
             line, cells.size(), attributes.names.size());
    if (!relational) {
      add_sequence(rows, wide_row(cells, attributes.names, roles, numbers, file, line), count++,
                   picked, columns, expected, numbers);
      continue;
    }
    const SequenceRow row = relational_row(cells, attributes, target, numbers, file, line);
    if (rows.rows == 0) {
      dimensions = row.features.size();
      const std::vector<std::string> names = numbered_features(dimensions);
      for (const std::size_t i : pick_features(names, expected, file))
        picked.push_back(i), rows.feature_names.push_back(names[i]);
    }
    if (row.features.size() != dimensions)
      refuse("{}:{}: {} dimensions, but the first sequence has {}; give each row the same", file,
             line, row.features.size(), dimensions);
    add_sequence(rows, row, count++, picked, columns, expected, numbers);
  }
  if (rows.rows == 0) refuse("{}: no row after @data; give one row per sequence", file);
  return rows;
}

}  // namespace sluice::tools
