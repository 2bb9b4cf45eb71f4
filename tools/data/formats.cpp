// The formats of data, each in one line, and the way from a file's name to its rows.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "../common/error.h"
#include "../common/gzip.h"
#include "../common/print.h"
#include "../common/safe_file.h"
#include "data.h"
#include "files.h"

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
  if (name.ends_with(".npy")) return read_npy(bytes, file, columns, expected);
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

namespace {

/// Fills the target's column of columns.beside with the class in a file's name, if that is a class
/// of the model.
void add_class_beside(const std::string& path, const Columns& columns, const Expected& expected,
                      Rows& rows) {
  const auto target = std::find(columns.beside.begin(), columns.beside.end(), columns.target.at(0));
  if (target == columns.beside.end()) return;
  const std::string name = name_with_class(path, columns.target_from);
  if (std::find(expected.labels.begin(), expected.labels.end(), name) == expected.labels.end())
    return;
  rows.beside.resize(columns.beside.size());
  rows.beside[std::size_t(target - columns.beside.begin())].assign(rows.rows, name);
}

/// Reads one file. Its class may be in its name.
Rows read_one(const std::string& path, const Columns& columns, const Expected& expected) {
  const std::string bytes = read_data_file(files_named(path)[0]);
  Expected wanted = expected;
  const bool named = columns.target_from != TargetFrom::column;
  if (named) wanted.targets = false;
  Rows rows = entry(columns.format).read(bytes, path, columns, wanted);
  if (named && expected.targets)
    rows.label.assign(rows.rows, class_of_file(path, columns.target_from));
  if (named && !expected.targets) add_class_beside(path, columns, expected, rows);
  return rows;
}

/// How files are read that are not plain CSV, and which.
class Remarks {
 public:
  void add(const std::string& file, const std::string& read_as) {
    if (read_as.empty()) return;
    const auto same = std::find_if(found_.begin(), found_.end(),
                                   [&](const Remark& one) { return one.read_as == read_as; });
    if (same == found_.end()) return found_.push_back({read_as, file, 0});
    ++same->more;
  }
  /// Says each way in one line.
  void tell() const {
    for (const Remark& one : found_)
      tell_once(fmt::format("{}{}: read as: {}", one.file,
                            one.more ? fmt::format(" and {} more", one.more) : "", one.read_as));
  }

 private:
  struct Remark {
    std::string read_as, file;  ///< the first such file
    std::size_t more;           ///< number of other files that are read so
  };
  std::vector<Remark> found_;
};

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// Adds the rest of another file's numbers, before the numbers are added.
void append_rest(std::vector<float>& to, const std::vector<float>& numbers_to,
                 std::vector<float>& from, const std::vector<float>& numbers_from) {
  if (to.empty() && from.empty()) return;
  to.resize(numbers_to.size()), from.resize(numbers_from.size());
  append(to, from);
}

/// Adds the rows of another file.
void append_rows(Rows& all, Rows rows) {
  if (rows.group.empty() != all.group.empty())
    refuse("{}: has no groups, or {} has none; give all files the column of data.group", rows.file,
           all.files[0].second);
  if (rows.value_names != all.value_names)
    refuse("{}: has other values than {}; give all files the same number of them", rows.file,
           all.files[0].second);
  if (rows.time.empty() != all.time.empty() || rows.calendar != all.calendar)
    all.time.clear(), rows.time.clear();
  all.files.emplace_back(all.rows, rows.file);
  for (std::size_t i = 0; i < all.beside.size(); ++i) {
    if (all.beside[i].empty() && rows.beside[i].empty()) continue;
    all.beside[i].resize(all.rows), rows.beside[i].resize(rows.rows);
    append(all.beside[i], rows.beside[i]);
  }
  append_rest(all.rest, all.x, rows.rest, rows.x);
  append_rest(all.value_rest, all.value, rows.value_rest, rows.value);
  append(all.x, rows.x), append(all.sequence, rows.sequence), append(all.label, rows.label);
  append(all.value, rows.value), append(all.group, rows.group), append(all.text, rows.text);
  append(all.line, rows.line), append(all.time, rows.time);
  if (all.read_as.empty()) all.read_as = rows.read_as;
  all.file_is_sequence = all.file_is_sequence || rows.file_is_sequence;
  all.rows += rows.rows;
}

/// Names the sequences of a file by its name, and by their own if the file has several.
void name_sequences(Rows& rows, const std::string& name) {
  for (std::string& sequence : rows.sequence)
    sequence = rows.file_is_sequence ? name : fmt::format("{}:{}", name, sequence);
}

}  // namespace

Rows read_rows(const std::string& path, const Columns& columns, const Expected& expected) {
  if (!expected.learning() && !columns.features.empty()) {
    // the model names its features; an array's columns have other names than those of data.features
    Columns any = columns;
    Expected named = expected;
    any.features.clear(), named.other_columns = named.chosen = true;
    return read_rows(path, any, named);
  }
  if (!names_several(path)) {
    Rows rows = read_one(path, columns, expected);
    Remarks remarks;
    remarks.add(path, rows.read_as);
    remarks.tell();
    if (rows.file_is_sequence && columns.file_is_sequence)
      name_sequences(rows, without_folder(path));
    return rows;
  }
  const std::vector<std::string> files = files_named(path),
                                 names = lines_of(without_folder(text_of_lines(files)));
  Columns read = columns;
  read.file_is_sequence = true;
  Expected wanted = expected;
  Rows all;
  Remarks remarks;
  bool any_column = false;  // of sequences
  for (std::size_t i = 0; i < files.size(); ++i) {
    Rows rows = read_one(files[i], read, wanted);
    remarks.add(files[i], rows.read_as);
    any_column = any_column || !rows.file_is_sequence;
    name_sequences(rows, names[i]);
    if (i > 0) {
      append_rows(all, std::move(rows));
      continue;
    }
    all = std::move(rows);
    all.files = {{0, files[i]}};
    wanted.features = all.feature_names;  // the first file says which features there are
  }
  if (!any_column && columns.sequence_named && !columns.sequence.empty())
    refuse(
        "{}: {}: no file has this column; correct data.sequence, or leave it out if each file is "
        "a sequence",
        shown_files(path), brief(columns.sequence));
  remarks.tell();
  all.file = shown_files(path);
  return all;
}

}  // namespace sluice::tools
