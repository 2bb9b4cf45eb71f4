// Sequences that are one row of a file each: what wide.cpp, ucr.cpp, ts.cpp and arff.cpp share.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "data.h"
#include "table.h"

namespace sluice::tools {

/// A number of a file; NaN: a missing value.
struct Step {
  float number;  ///< the nearest one of float32
  double exact;  ///< as the file has it
};

/// A row of a file as a sequence.
struct SequenceRow {
  std::vector<std::vector<Step>> features = {};  ///< [features][steps]
  std::vector<std::string> targets = {};         ///< cells of the targets
  std::string name = {}, group = {};             ///< empty: there is none
  /// [columns.beside] cells; empty: only targets are there
  std::vector<std::optional<std::string>> beside = {};
  std::size_t line = 0;
};

/// Drops the steps at the end in which no feature has a value: a shorter sequence, filled up to the
/// length of the longest.
void drop_empty_end(SequenceRow& row);

/// Adds a sequence to the rows. Refuses one without steps, one whose features differ in length, and
/// a missing value if `columns` does not say what stands in its place.
/// @param number  its number, from 0, which names it if the row has no name
/// @param picked  the features to take, in this order
void add_sequence(Rows& rows, const SequenceRow& row, std::size_t number,
                  const std::vector<std::size_t>& picked, const Columns& columns,
                  const Expected& expected, const NumberReader& numbers);

/// Adds the cells of columns.beside to the rows of a sequence that has `steps` of them.
void add_beside(Rows& rows, const SequenceRow& row, std::size_t steps, const Columns& columns,
                const NumberReader& numbers);

/// Returns the number of a step's cell.
Step step_number(const std::string& cell, const NumberReader& numbers, const std::string& file,
                 std::size_t line, const std::string& column);

/// Returns x0, x1, ...: the names of features that have only a position.
std::vector<std::string> numbered_features(std::size_t count);

/// The columns of a table whose rows are sequences: the columns of a feature are its steps, in the
/// order of their numbers or, without numbers, in the order of the file.
struct WideRoles {
  std::vector<std::string> names;               ///< of the features
  std::vector<std::vector<std::size_t>> steps;  ///< [features][steps] columns
  std::vector<std::size_t> picked;              ///< features to take, in the order of the model
  std::vector<std::size_t> targets;
  std::size_t sequence, group;      ///< no_column if there is none
  std::vector<std::size_t> beside;  ///< [columns.beside]; no_column if there is none
  std::string read_as = {};  ///< for Rows::read_as: another order than that of the file, gaps
};

/// Finds these columns. Refuses features of different numbers of steps, by name.
WideRoles wide_roles(const std::vector<std::string>& header, const Columns& columns,
                     const Expected& expected, const std::string& place);

/// Returns a row of cells as a sequence.
SequenceRow wide_row(const std::vector<std::string>& cells, const std::vector<std::string>& header,
                     const WideRoles& roles, const NumberReader& numbers, const std::string& file,
                     std::size_t line);

}  // namespace sluice::tools
