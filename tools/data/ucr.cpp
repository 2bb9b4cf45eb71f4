// Reads the text files of the UCR archive of time series: no header; in each row the class, then
// the values of the steps, separated by tabs, commas or blanks. Missing values at the end (NaN in
// the archive) make a shorter sequence.
#include "../common/error.h"
#include "features.h"
#include "sequence_rows.h"

namespace sluice::tools {

Rows read_ucr(std::string_view text, const std::string& file, const Columns& columns,
              const Expected& expected) {
  Table table(text, file, columns.dialect, false);
  const NumberReader numbers = table.numbers({});
  Rows rows;
  rows.file = file;
  rows.feature_names = numbered_features(1);
  const std::vector<std::size_t> picked = pick_features(rows.feature_names, expected, file);
  std::vector<std::string> cells;
  std::size_t count = 0;
  for (std::size_t line = 0; table.next(cells, line);) {
    SequenceRow row;
    row.line = line;
    row.targets = {cells[0]};
    std::vector<Step>& steps = row.features.emplace_back();
    for (std::size_t i = 1; i < cells.size(); ++i)
      steps.push_back(
          step_number(cells[i], numbers, file, line, "column " + std::to_string(i + 1)));
    drop_empty_end(row);
    add_sequence(rows, row, count++, picked, columns, expected, numbers);
  }
  if (rows.rows == 0) refuse("{}: empty; give one row per sequence, its class first", file);
  return rows;
}

}  // namespace sluice::tools
