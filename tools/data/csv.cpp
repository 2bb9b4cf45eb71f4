// Reads tidy CSV (RFC 4180): a header, then one row per frame. Commas; LF or CRLF. A byte-order
// mark, empty lines, and blanks around unquoted cells are ignored.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "data.h"
#include "features.h"

namespace sluice::tools {
namespace {

struct Reader {
  std::string_view text;
  const std::string& file;
  std::size_t at = 0, line = 1;
};

/// Reads a quoted cell from its opening quote; two quotes stand for one.
std::string quoted_cell(Reader& in) {
  const std::size_t opened = in.line;
  std::string cell;
  for (++in.at; in.at < in.text.size(); ++in.at) {
    const char c = in.text[in.at];
    if (c == '"' && in.at + 1 < in.text.size() && in.text[in.at + 1] == '"') {
      ++in.at;
    } else if (c == '"') {
      ++in.at;
      return cell;
    }
    if (c == '\n') ++in.line;
    cell += c;
  }
  refuse("{}:{}: a quote is never closed; close it, or write \"\" for a quote inside a cell",
         in.file, opened);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
  return first == text.npos ? std::string_view{} : text.substr(first, last - first + 1);
}

/// Reads up to the next comma or line end, which it leaves.
std::string cell(Reader& in) {
  const std::size_t start = std::min(in.text.find_first_not_of(" \t", in.at), in.text.size());
  const bool quoted = start < in.text.size() && in.text[start] == '"';
  std::string value;
  if (quoted) {
    in.at = start;
    value = quoted_cell(in);
  }
  const std::size_t end = std::min(in.text.find_first_of(",\n", in.at), in.text.size());
  const std::string_view rest = trimmed(in.text.substr(in.at, end - in.at));
  in.at = end;
  if (!quoted) return std::string(rest);
  if (!rest.empty())
    refuse("{}:{}: \"{}\" after a closing quote; end the cell with a comma", in.file, in.line,
           rest);
  return value;
}

/// Reads the next row that is not an empty line, and the number of its first line. Returns false at
/// the end.
bool next_row(Reader& in, std::vector<std::string>& cells, std::size_t& line) {
  while (in.at < in.text.size()) {
    line = in.line;
    cells.clear();
    for (;;) {
      cells.push_back(cell(in));
      if (in.at >= in.text.size() || in.text[in.at] == '\n') break;
      ++in.at;
    }
    ++in.at, ++in.line;
    if (cells.size() > 1 || !cells[0].empty()) return true;
  }
  return false;
}

/// The positions of each role's columns in a row.
struct Roles {
  std::vector<std::size_t> features;
  std::vector<std::size_t> targets;
  std::size_t sequence, group;  ///< no_column if there is none
};

/// @param learning  whether this is the training file, which must have every column that the recipe
/// names
Roles find_roles(const std::vector<std::string>& header, const Columns& columns,
                 const Expected& expected, const std::string& place) {
  const bool learning = expected.learning();
  Roles roles;
  std::vector<bool> used(header.size());
  auto use = [&](std::size_t column) {
    if (column != no_column) used[column] = true;
    return column;
  };
  auto find = [&](const std::string& name, const char* key, bool must) {
    return use(must ? need_column(header, name, key, place) : find_column(header, name));
  };
  roles.sequence = find(columns.sequence, "sequence", !columns.sequence.empty());
  for (const std::string& name : columns.target)
    roles.targets.push_back(find(name, "target", expected.targets));
  roles.group = find(columns.group, "group", learning && !columns.group.empty());
  for (const std::string& name : columns.ignore) find(name, "ignore", learning);
  for (const std::string& name : columns.features) need_column(header, name, "features", place);

  std::vector<std::string> names;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < header.size(); ++i)
    if (!used[i] && is_feature(header[i], columns))
      names.push_back(header[i]), positions.push_back(i);
  for (std::size_t i : pick_features(names, expected.features, place))
    roles.features.push_back(positions[i]);
  return roles;
}

void add_row(Rows& rows, const Roles& roles, const std::vector<std::string>& header,
             std::vector<std::string>& cells, std::size_t line, const Columns& columns,
             const Expected& expected) {
  for (std::size_t column : roles.features)
    rows.x.push_back(cell_number(cells[column], rows.file, line, header[column]));
  if (expected.targets && columns.classes) rows.label.push_back(cells[roles.targets[0]]);
  if (expected.targets && !columns.classes)
    for (std::size_t column : roles.targets)
      rows.value.push_back(cells[column].empty()
                               ? std::nanf("")
                               : cell_number(cells[column], rows.file, line, header[column]));
  rows.sequence.push_back(roles.sequence == no_column ? std::string() : cells[roles.sequence]);
  if (roles.group != no_column) rows.group.push_back(cells[roles.group]);
  rows.line.push_back(line);
  ++rows.rows;
}

}  // namespace

Rows read_csv(std::string_view text, const std::string& file, const Columns& columns,
              const Expected& expected) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Reader in{text, file};
  if (const std::size_t nul = text.find('\0'); nul != text.npos)
    refuse("{}:{}: contains a byte 0; give text in UTF-8", file,
           1 + std::count(text.begin(), text.begin() + std::ptrdiff_t(nul), '\n'));
  std::vector<std::string> header, cells;
  std::size_t line = 0;
  if (!next_row(in, header, line)) refuse("{}: empty; give a header and one row per frame", file);
  const std::string place = fmt::format("{}:{}", file, line);
  check_header(header, place);
  const Roles roles = find_roles(header, columns, expected, place);

  Rows rows;
  rows.file = file;
  for (std::size_t column : roles.features) rows.feature_names.push_back(header[column]);
  while (next_row(in, cells, line)) {
    if (cells.size() != header.size())
      refuse("{}:{}: {} cells, but the header has {} columns; give one cell per column", file, line,
             cells.size(), header.size());
    add_row(rows, roles, header, cells, line, columns, expected);
  }
  if (rows.rows == 0) refuse("{}: a header without rows; give one row per frame", file);
  return rows;
}

}  // namespace sluice::tools
