// Reads a table of text: a header, then one row per frame. table.h finds out how cells are
// separated and numbers are written.
#include <fmt/format.h>

#include <algorithm>

#include "../common/error.h"
#include "data.h"
#include "features.h"
#include "table.h"

namespace sluice::tools {
namespace {

/// The positions of each role's columns in a row.
struct Roles {
  std::vector<std::size_t> features;
  std::vector<std::size_t> targets;
  std::size_t sequence, group;      ///< no_column if there is none
  std::vector<std::size_t> beside;  ///< [columns.beside]; no_column if there is none
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
  for (const std::string& name : columns.beside) roles.beside.push_back(find_column(header, name));

  std::vector<std::string> names;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < header.size(); ++i)
    if (!used[i] && is_feature(header[i], columns))
      names.push_back(header[i]), positions.push_back(i);
  for (std::size_t i : pick_features(names, expected, place))
    roles.features.push_back(positions[i]);
  return roles;
}

void add_row(Rows& rows, const Roles& roles, const std::vector<std::string>& header,
             std::vector<std::string>& cells, std::size_t line, const Columns& columns,
             const Expected& expected, const NumberReader& numbers) {
  for (std::size_t column : roles.features)
    rows.add_number(numbers.feature(cells[column], rows.file, line, header[column]),
                    numbers.exact(cells[column]));
  if (expected.targets && columns.classes) rows.label.push_back(cells[roles.targets[0]]);
  if (expected.targets && !columns.classes)
    for (std::size_t column : roles.targets)
      rows.value.push_back(numbers.target(cells[column], rows.file, line, header[column]));
  rows.sequence.push_back(roles.sequence == no_column ? std::string() : cells[roles.sequence]);
  if (roles.group != no_column) rows.group.push_back(cells[roles.group]);
  for (std::size_t i = 0; i < roles.beside.size(); ++i)
    if (roles.beside[i] != no_column)
      rows.beside[i].push_back(beside_text(columns, i, cells[roles.beside[i]], numbers));
  rows.line.push_back(line);
  ++rows.rows;
}

/// Returns the columns of numbers.
std::vector<std::size_t> number_columns(const Roles& roles, const Columns& columns,
                                        const Expected& expected) {
  std::vector<std::size_t> all = roles.features;
  if (expected.targets && !columns.classes)
    all.insert(all.end(), roles.targets.begin(), roles.targets.end());
  return all;
}

}  // namespace

Rows read_csv(std::string_view text, const std::string& file, const Columns& columns,
              const Expected& expected) {
  Table table(text, file, columns.dialect);
  const std::vector<std::string>& header = table.header;
  check_header(header, table.place);
  const Roles roles = find_roles(header, columns, expected, table.place);
  const NumberReader numbers = table.numbers(number_columns(roles, columns, expected));

  Rows rows;
  rows.file = file;
  rows.beside.resize(roles.beside.size());
  for (std::size_t column : roles.features) rows.feature_names.push_back(header[column]);
  std::vector<std::string> cells;
  for (std::size_t line = 0; table.next(cells, line);)
    add_row(rows, roles, header, cells, line, columns, expected, numbers);
  if (rows.rows == 0) refuse("{}: a header without rows; give one row per frame", file);
  rows.read_as = table.read_as();
  return rows;
}

}  // namespace sluice::tools
