// Reads tab-separated text: a header, then one row per text with its target. There are no quotes: a
// cell is all that is between two tabs. LF or CRLF; a byte-order mark and empty lines are ignored.
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
  roles.text = need_column(header, columns.text, "text", place);
  for (const std::string& name : columns.target)
    if (expected.targets) roles.targets.push_back(need_column(header, name, "target", place));
  for (const std::string& name : columns.beside) roles.beside.push_back(find_column(header, name));
  if (columns.group.empty() || columns.group == containment) return roles;
  roles.group = expected.learning() ? need_column(header, columns.group, "group", place)
                                    : find_column(header, columns.group);
  return roles;
}

}  // namespace

Rows read_tsv(std::string_view text, const std::string& file, const Columns& columns,
              const Expected& expected) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  check_text(text, file);
  const NumberReader numbers(columns.dialect);
  Rows rows;
  rows.file = file;
  rows.feature_names = {"id"};
  rows.beside.resize(columns.beside.size());
  std::vector<std::string> header;
  TextRoles roles;
  each_line(text, [&](const std::vector<std::string>& cells, std::size_t line) {
    if (header.empty()) {
      header = cells;
      roles = text_roles(header, columns, expected, fmt::format("{}:{}", file, line));
      return;
    }
    if (cells.size() != header.size())
      refuse(
          "{}:{}: {} cells, but the header has {} columns; give one cell per column, separated by "
          "tabs",
          file, line, cells.size(), header.size());
    rows.text.push_back(cells[roles.text]);
    if (expected.targets && columns.classes) rows.label.push_back(cells[roles.targets[0]]);
    if (expected.targets && !columns.classes)
      for (const std::size_t column : roles.targets)
        rows.value.push_back(numbers.target(cells[column], file, line, header[column]));
    if (roles.group != no_column) rows.group.push_back(cells[roles.group]);
    for (std::size_t i = 0; i < roles.beside.size(); ++i)
      if (roles.beside[i] != no_column) rows.beside[i].push_back(cells[roles.beside[i]]);
    rows.sequence.push_back(std::to_string(line));
    rows.line.push_back(line);
    ++rows.rows;
  });
  if (header.empty()) refuse("{}: empty; give a header and one row per text", file);
  if (rows.rows == 0) refuse("{}: a header without rows; give one row per text", file);
  return rows;
}

}  // namespace sluice::tools
