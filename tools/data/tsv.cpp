// Reads a table of texts: a header, then one row per text with its target. In cells separated by
// tabs there are no quotes: a cell is all that is between two tabs. Other files are read as CSV.
#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "data.h"
#include "features.h"
#include "table.h"

namespace sluice::tools {
namespace {

std::vector<std::string> cells_of(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::vector<std::string> cells;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find('\t', at), line.size());
    cells.emplace_back(line.substr(at, end - at));
    at = end + 1;
  }
  return cells;
}

/// Calls f(cells, line number) for every line that is not empty.
template <class F>
void each_line(std::string_view text, F f) {
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::vector<std::string> cells = cells_of(text.substr(at, end - at));
    if (cells.size() > 1 || !cells[0].empty()) f(cells, line);
    at = end + 1;
  }
}

struct TextRoles {
  std::size_t text = no_column, group = no_column;
  std::vector<std::size_t> targets, beside;
};

TextRoles text_roles(const std::vector<std::string>& header, const Columns& columns,
                     const Expected& expected, const std::string& place) {
  check_header(header, place);
  TextRoles roles;
  roles.text = need_column(header, columns.text, expected.learning() ? "text" : nullptr, place);
  for (const std::string& name : columns.target)
    if (expected.targets)
      roles.targets.push_back(
          need_column(header, name, expected.learning() ? "target" : nullptr, place));
  for (const std::string& name : columns.beside) roles.beside.push_back(find_column(header, name));
  if (columns.group.empty() || columns.group == containment) return roles;
  roles.group = expected.learning() ? need_column(header, columns.group, "group", place)
                                    : find_column(header, columns.group);
  return roles;
}

/// Calls f(cells, line number) for the header and every row, in cells separated by tabs.
template <class F>
void each_tabbed_row(std::string_view text, const std::string& file, F f) {
  std::size_t columns = 0;
  each_line(text, [&](const std::vector<std::string>& cells, std::size_t line) {
    if (columns == 0) columns = cells.size();
    if (cells.size() != columns)
      refuse(
          "{}:{}: {} cells, but the header has {} columns; give one cell per column, separated by "
          "tabs",
          file, line, cells.size(), columns);
    f(cells, line);
  });
}

/// Does the same for a table with quotes, as CSV. Returns how the file differs from plain CSV.
template <class F>
std::string each_table_row(std::string_view text, const std::string& file, const Dialect& dialect,
                           F f) {
  Table table(text, file, dialect, true, true);
  f(table.header, table.header_line);
  std::vector<std::string> cells;
  for (std::size_t line = 0; table.next(cells, line);) f(cells, line);
  return table.read_as();
}

/// Returns whether the cells of a file are separated by tabs: its header has one, or a single
/// column, and its name is not that of CSV.
bool has_tabs(std::string_view text, const std::string& file, const Dialect& dialect) {
  if (!dialect.separator.empty()) return dialect.separator == "\t";
  const std::string_view header = text.substr(0, text.find_first_of("\r\n"));
  if (header.find('\t') != header.npos) return true;
  const bool csv = file.ends_with(".csv") || file.ends_with(".csv.gz");
  return !csv && header.find_first_of(",;|") == header.npos;
}

}  // namespace

Rows read_tsv(std::string_view text, const std::string& file, const Columns& columns,
              const Expected& expected) {
  text = plain_text(text, file);
  check_text(text, file);
  const NumberReader numbers(columns.dialect);
  Rows rows;
  rows.file = file;
  rows.feature_names = {"id"};
  rows.beside.resize(columns.beside.size());
  std::vector<std::string> header;
  TextRoles roles;
  const auto add_row = [&](const std::vector<std::string>& cells, std::size_t line) {
    if (header.empty()) {
      header = cells;
      roles = text_roles(header, columns, expected, fmt::format("{}:{}", file, line));
      return;
    }
    rows.text.push_back(cells[roles.text]);
    if (expected.targets && columns.classes) rows.label.push_back(cells[roles.targets[0]]);
    if (expected.targets && !columns.classes)
      for (const std::size_t column : roles.targets)
        rows.add_value(numbers.target(cells[column], file, line, header[column]),
                       numbers.exact(cells[column]));
    if (roles.group != no_column) rows.group.push_back(cells[roles.group]);
    for (std::size_t i = 0; i < roles.beside.size(); ++i)
      if (roles.beside[i] != no_column) rows.beside[i].push_back(cells[roles.beside[i]]);
    rows.sequence.push_back(std::to_string(line));
    rows.line.push_back(line);
    ++rows.rows;
  };
  if (has_tabs(text, file, columns.dialect))
    each_tabbed_row(text, file, add_row);
  else
    rows.read_as = each_table_row(text, file, columns.dialect, add_row);
  if (header.empty()) refuse("{}: empty; give a header and one row per text", file);
  if (rows.rows == 0) refuse("{}: a header without rows; give one row per text", file);
  return rows;
}

}  // namespace sluice::tools
