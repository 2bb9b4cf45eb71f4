// The rows of a text file of cells: finds out how cells are separated and numbers are written.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data.h"

namespace sluice::tools {

/// Reads rows of cells by one separator, with quotes as in RFC 4180. Skips empty lines.
struct CellReader {
  std::string_view text;
  const std::string* file;   ///< for messages
  char separator = ',';      ///< ' ': any number of blanks and tabs
  std::string comment = {};  ///< begin of lines that are skipped; empty: none
  std::size_t at = 0, line = 1, comments = 0;

  /// Reads the next row and the number of its first line. Returns false at the end.
  bool next(std::vector<std::string>& cells, std::size_t& first_line);
};

/// The lines of a file, without blanks at their ends. Skips comments and empty lines.
struct Lines {
  std::string_view text;
  std::string_view comment_signs;  ///< a line that begins with one of these is a comment
  std::size_t number = 0;          ///< of the line that next() gave, from 1

  /// Reads the next line. Returns false at the end.
  bool next(std::string_view& line);
};

/// The way in which numbers are written.
enum class Decimal {
  point,    ///< 1198.5
  grouped,  ///< 1,198.50; without the commas too
  comma,    ///< 1198,5 or 1.198,50
};

/// Reads cells as numbers, in one way of writing.
class NumberReader {
 public:
  /// @param named_columns  whether data.ignore can name a column of the file
  explicit NumberReader(const Dialect& dialect, Decimal decimal = Decimal::point,
                        bool named_columns = true);

  bool is_missing(const std::string& cell) const;
  /// Returns whether dialect.missing lists this number.
  bool is_missing(float number) const;
  /// Returns a cell in plain writing: "1198.5" for "1.198,50", empty if it is missing, and any
  /// other text as it is.
  std::string plain(const std::string& cell) const;
  /// Returns a class: one that is a number in plain writing, any other text as it is.
  std::string label(const std::string& cell) const;
  /// Returns the number of a feature's cell; NaN if it is missing and dialect.fill is not `refuse`.
  /// Refuses any other text with file, line and column.
  float feature(const std::string& cell, const std::string& file, std::size_t line,
                const std::string& column) const;
  /// Returns the number of such a cell as a double; of a text of few digits as the float that it
  /// is.
  double exact(const std::string& cell) const;
  /// Returns the number of a target's cell; NaN if it is missing.
  float target(const std::string& cell, const std::string& file, std::size_t line,
               const std::string& column) const;

 private:
  std::optional<float> parse(const std::string& cell) const;
  float number(const std::string& cell, const std::string& file, std::size_t line,
               const std::string& column) const;

  const Dialect* dialect_;
  bool named_columns_;
  std::vector<float> sentinels_;  ///< numbers that mean a missing value
  Decimal decimal_;
};

/// Returns a cell of column `i` of columns.beside: a target as a plain number, else as in the file.
std::string beside_text(const Columns& columns, std::size_t i, const std::string& cell,
                        const NumberReader& numbers);

/// A file of rows. Its dialect is what the recipe says, and for the rest what its first rows show.
class Table {
 public:
  /// @param has_header   false: all rows are data
  /// @param holds_texts  cells are texts to learn, which must be in UTF-8; else a file in
  ///                     Windows-1252 is converted
  Table(std::string_view text, const std::string& file, const Dialect& dialect,
        bool has_header = true, bool holds_texts = false);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  std::vector<std::string> header;
  std::size_t header_line = 0;
  std::string place;  ///< of the header, for messages: "data.csv:1"
  /// Reads the next row. Refuses one that has not the header's number of cells.
  bool next(std::vector<std::string>& cells, std::size_t& line);
  /// Finds out how the numbers of these columns are written; all columns if there is no header.
  NumberReader numbers(std::span<const std::size_t> columns);
  /// Returns how the file differs from plain CSV, such as "separated by ';', decimal comma", as far
  /// as it was found out; empty if it does not. Call it after the last row.
  std::string read_as() const;

 private:
  bool next_row(CellReader& in, std::vector<std::string>& cells, std::size_t& line, bool checks);
  void find_separator(const Dialect& dialect);
  void read_header();
  void skip_units();
  void drop_empty_rows();

  std::string utf8_;    ///< the text if it had to be converted
  std::string normal_;  ///< the text if its line ends had to be changed
  const std::string& file_;
  const Dialect& dialect_;
  CellReader in_;
  bool has_header_, windows_1252_ = false, carriage_returns_ = false, found_separator_ = false,
                    header_in_comment_ = false, empty_ends_ = false, empty_rows_ = false;
  bool auto_comments_ = false;
  std::size_t comments_ = 0, units_ = 0;  ///< units: the line of the units; 0: there is none
  Decimal decimal_ = Decimal::point;
};

/// Returns the text without a byte-order mark. Refuses UTF-16 and a byte 0.
std::string_view plain_text(std::string_view text, const std::string& file);

/// Adds a remark to those of Rows::read_as.
void add_remark(std::string& read_as, const std::string& remark);

/// Returns a separator as a message names it: "';'", "tabs", "blanks".
std::string separator_name(char separator);

}  // namespace sluice::tools
