// Reads a table with one row per sequence: a header, and columns such as ax_0, ax_1, ..., ay_0, ...
// whose names say the feature. Empty cells at the end make a shorter sequence.
#include <unordered_set>

#include "../common/error.h"
#include "../common/print.h"
#include "features.h"
#include "sequence_rows.h"

namespace sluice::tools {

Rows read_wide(std::string_view text, const std::string& file, const Columns& columns,
               const Expected& expected) {
  Table table(text, file, columns.dialect);
  check_header(table.header, table.place);
  const WideRoles roles = wide_roles(table.header, columns, expected, table.place);
  std::vector<std::size_t> number_columns, all;
  for (const std::size_t f : roles.picked)
    number_columns.insert(number_columns.end(), roles.steps[f].begin(), roles.steps[f].end());
  const NumberReader numbers = table.numbers(number_columns);

  Rows rows;
  rows.file = file;
  for (const std::size_t f : roles.picked)
    rows.feature_names.push_back(roles.names[f]), all.push_back(all.size());
  std::vector<std::string> cells;
  std::unordered_set<std::string> names;
  std::size_t count = 0;
  for (std::size_t line = 0; table.next(cells, line);) {
    const SequenceRow row = wide_row(cells, table.header, roles, numbers, file, line);
    if (roles.sequence != no_column && !names.insert(row.name).second)
      refuse("{}:{}: {}: a second row of sequence \"{}\"; a wide file has one row per sequence",
             file, line, columns.sequence, brief(row.name));
    add_sequence(rows, row, count++, all, columns, expected, numbers);
  }
  if (rows.rows == 0) refuse("{}: a header without rows; give one row per sequence", file);
  rows.read_as = table.read_as();
  add_remark(rows.read_as, roles.read_as);
  return rows;
}

}  // namespace sluice::tools
