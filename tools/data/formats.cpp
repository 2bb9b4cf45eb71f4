// The formats of data, each in one line, and the way from a file's name to its rows.
#include <algorithm>
#include <iterator>

#include "../common/error.h"
#include "../common/gzip.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "data.h"

namespace sluice::tools {
namespace {

std::string_view name_without_gz(std::string_view file) {
  if (file.ends_with(".gz")) file.remove_suffix(3);
  return file;
}

/// A table is NumPy's archive if its name ends so, else text.
Rows read_table(std::string_view bytes, const std::string& file, const Columns& columns,
                const Expected& expected) {
  const std::string_view name = name_without_gz(file);
  if (name.ends_with(".npz")) return read_npz(bytes, file, columns, expected);
  for (const char* format : {"ts", "arff"})
    if (name.ends_with(std::string(".") + format))
      refuse("{}: is no table; set data.format = \"{}\"", file, format);
  if (bytes.starts_with("PK\x03\x04"))
    refuse("{}: is a zip archive, as a spreadsheet is; give CSV, or name it .npz if it is NumPy's",
           file);
  return read_csv(bytes, file, columns, expected);
}

/// What is to be known of a format.
struct FormatEntry {
  Format format;
  RowReader* read;  ///< null: the file is one stream, without rows
  bool holds_texts, row_is_sequence;
};

constexpr FormatEntry formats[] = {
    {Format::table, read_table, false, false}, {Format::text, nullptr, true, false},
    {Format::tsv, read_tsv, true, false},      {Format::wide, read_wide, false, true},
    {Format::ucr, read_ucr, false, true},      {Format::ts, read_ts, false, true},
    {Format::arff, read_arff, false, true},
};

const FormatEntry& entry(Format format) {
  return *std::find_if(std::begin(formats), std::end(formats),
                       [&](const FormatEntry& e) { return e.format == format; });
}

}  // namespace

bool holds_texts(Format format) { return entry(format).holds_texts; }
bool row_is_sequence(Format format) { return entry(format).row_is_sequence; }

std::string read_data_file(const std::string& path) {
  std::string bytes = read_file(path);
  return is_gzip(bytes) ? inflated(bytes, path) : bytes;
}

Rows read_rows(const std::string& path, const Columns& columns, const Expected& expected) {
  if (!expected.learning() && !columns.features.empty()) {
    // the model names its features; an array's columns have other names than those of data.features
    Columns any = columns;
    Expected named = expected;
    any.features.clear(), named.other_columns = true;
    return read_rows(path, any, named);
  }
  const std::string bytes = read_data_file(path);
  Rows rows = entry(columns.format).read(bytes, path, columns, expected);
  if (!rows.read_as.empty()) tell_once(fmt::format("{}: read as: {}", path, rows.read_as));
  return rows;
}

}  // namespace sluice::tools
