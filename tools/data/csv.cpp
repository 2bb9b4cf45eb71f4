// Reads a table of text: a header, then one row per frame. table.h finds out how cells are
// separated and numbers are written.
#include <fmt/format.h>

#include <algorithm>

#include "../common/error.h"
#include "../common/print.h"
#include "calendar.h"
#include "data.h"
#include "features.h"
#include "table.h"

namespace sluice::tools {
namespace {

/// The positions of each role's columns in a row.
struct Roles {
  std::vector<std::size_t> features;
  std::vector<std::size_t> targets;
  std::size_t sequence, group;           ///< no_column if there is none
  std::vector<std::size_t> beside = {};  ///< [columns.beside]; no_column if there is none
  std::size_t time = no_column;
  /// Ignored columns, which may have times to check.
  std::vector<std::size_t> ignored = {};
  /// The unit of the times if they were numbers in other units than seconds.
  std::string time_unit = {};
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
    return use(must ? need_column(header, name, learning ? key : nullptr, place)
                    : find_column(header, name));
  };
  roles.sequence =
      find(columns.sequence, "sequence", !columns.sequence.empty() && !columns.file_is_sequence);
  for (const std::string& name : columns.target)
    roles.targets.push_back(find(name, "target", expected.targets));
  roles.group = find(columns.group, "group", learning && !columns.group.empty());
  for (const std::string& name : columns.ignore)
    if (const std::size_t column = find(name, "ignore", learning); column != no_column)
      roles.ignored.push_back(column);
  const std::vector<std::string> waves = time_feature_names(columns.time_features);
  const bool computed = !waves.empty() && find_column(header, waves[0]) == no_column;
  roles.time = find(columns.time, "time", !columns.time.empty() && (learning || computed));
  for (const std::string& name : columns.features) need_column(header, name, "features", place);
  for (const std::string& name : columns.beside) roles.beside.push_back(find_column(header, name));

  std::vector<std::string> names;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < header.size(); ++i)
    if (!used[i] && is_feature(header[i], columns))
      names.push_back(header[i]), positions.push_back(i);
  for (std::size_t i = 0; i < waves.size() && computed && roles.time != no_column; ++i)
    names.push_back(waves[i]), positions.push_back(header.size() + i);
  for (std::size_t i : pick_features(names, expected, place))
    roles.features.push_back(positions[i]);
  return roles;
}

/// A row of cells, and what reads it.
struct RowCells {
  const std::vector<std::string>& header;
  const NumberReader& numbers;
  std::vector<std::string> cells = {};
  std::size_t line = 0;
};

/// Adds the time of a row. One in an ignored column counts only if all its cells are dates.
Time add_time(Rows& rows, Roles& roles, const RowCells& row, const Columns& columns) {
  if (columns.time.empty() && rows.rows == 0)
    for (const std::size_t column : roles.ignored)
      if (const auto time = parse_time(row.cells[column]);
          time && time->calendar && roles.time == no_column)
        roles.time = column;
  if (roles.time == no_column) return {};
  const std::string& cell = row.cells[roles.time];
  const auto parsed = parse_time(cell);
  if (columns.time.empty() && !(parsed && parsed->calendar)) {
    roles.time = no_column;
    rows.time.clear();
    return {};
  }
  const Time time = parsed ? *parsed : cell_time(cell, rows.file, row.line, columns.time);
  if (*time.unit) roles.time_unit = time.unit;
  rows.time.push_back(time.seconds);
  rows.time_column = row.header[roles.time];
  rows.calendar = time.calendar;
  return time;
}

void add_row(Rows& rows, Roles& roles, const RowCells& row, const Columns& columns,
             const Expected& expected) {
  const std::vector<std::string>&cells = row.cells, &header = row.header;
  const Time time = add_time(rows, roles, row, columns);
  for (const std::size_t column : roles.features)
    if (column < header.size()) {
      rows.add_number(row.numbers.feature(cells[column], rows.file, row.line, header[column]),
                      row.numbers.exact(cells[column]));
    } else {
      const float value = time_feature(columns.time_features, column - header.size(), time);
      rows.add_number(value, double(value));
    }
  if (expected.targets && columns.classes)
    rows.label.push_back(row.numbers.label(cells[roles.targets[0]]));
  if (expected.targets && !columns.classes)
    for (const std::size_t column : roles.targets)
      rows.add_value(row.numbers.target(cells[column], rows.file, row.line, header[column]),
                     row.numbers.exact(cells[column]));
  rows.sequence.push_back(roles.sequence == no_column ? std::string() : cells[roles.sequence]);
  if (roles.group != no_column) rows.group.push_back(cells[roles.group]);
  for (std::size_t i = 0; i < roles.beside.size(); ++i)
    if (roles.beside[i] != no_column)
      rows.beside[i].push_back(beside_text(columns, i, cells[roles.beside[i]], row.numbers));
  rows.line.push_back(row.line);
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
  Roles roles = find_roles(header, columns, expected, table.place);
  const NumberReader numbers = table.numbers(number_columns(roles, columns, expected));

  Rows rows;
  rows.file = file;
  rows.beside.resize(roles.beside.size());
  const std::vector<std::string> waves = time_feature_names(columns.time_features);
  for (const std::size_t column : roles.features)
    rows.feature_names.push_back(column < header.size() ? header[column]
                                                        : waves[column - header.size()]);
  rows.file_is_sequence = roles.sequence == no_column;
  for (RowCells row{header, numbers}; table.next(row.cells, row.line);)
    add_row(rows, roles, row, columns, expected);
  if (rows.rows == 0) refuse("{}: a header without rows; give one row per frame", file);
  if (expected.learning() && !waves.empty())
    tell_once(fmt::format(
        "{}: {} are features, computed from {}; a device computes them for its frames by itself",
        file, list_names(waves), brief(columns.time)));
  rows.read_as = table.read_as();
  if (!roles.time_unit.empty())
    add_remark(rows.read_as,
               fmt::format("{} in {} since 1970", brief(columns.time, 40), roles.time_unit));
  return rows;
}

}  // namespace sluice::tools
