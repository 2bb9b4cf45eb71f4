// Reads NumPy's .npz, a zip of arrays:
//   x          [rows][features], one row per frame, or [sequences][steps][features]; the features
//              are named x0, x1, ...; "X" will do as well
//   lengths    [sequences], of x in three dimensions: the steps of each sequence that count
//   sequence   [rows] or, if x has three dimensions, [sequences]; named by data.sequence; x in
//   three
//              dimensions does not need it
//   label      [rows] or, if data.target_per is "sequence", [sequences]; with x in three dimensions
//              and a target per row [sequences][steps]; named by data.target, one array per target.
//              Classes are whole numbers, truth values, texts, or one-hot in a last dimension;
//              values any numbers, with several targets in a last dimension
//   group      like label; named by data.group, if that is set
// and a bare .npy, [rows][columns]: a table whose columns are named x0, x1, ...
// NaN, and a number that data.missing lists, is a missing value, as an empty cell is in CSV.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/zip_archive.h"
#include "data.h"
#include "features.h"
#include "npy.h"
#include "table.h"

namespace sluice::tools {

namespace {

std::string list_arrays(const ZipArchive& zip) {
  std::vector<std::string> names = zip.names();
  for (std::string& name : names)
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
  return list_names(names);
}

/// Reads an array. Inflates it only if its header and the sizes in the archive agree, since an
/// archive may hold a thousand times its own bytes.
Npy read_array(const ZipArchive& zip, std::uint64_t index, const std::string& name) {
  ZipEntry entry = zip.open(index, name);
  std::string bytes;
  entry.read_to(bytes, npy_header_bytes);
  const Npy header = parse_npy_header(std::string_view(bytes).substr(0, npy_header_bytes), name);
  if (entry.size() != header.size() || entry.size() / most_inflation > entry.compressed())
    refuse("{}: {} bytes of {} in the archive, but its shape {} needs {}; write the file again",
           name, entry.size(), entry.compressed(), header.shape_text(), header.size());
  constexpr std::size_t piece = 1 << 16;
  bytes.reserve(header.size() + piece);
  entry.read_to(bytes, header.size() + 1);  // reads to the end, where libzip checks the checksum
  return parse_npy(std::move(bytes), name);
}

std::optional<Npy> find_array(const ZipArchive& zip, const std::string& array,
                              const std::string& file) {
  const std::optional<std::uint64_t> index = zip.find(array + ".npy");
  if (array.empty() || !index) return std::nullopt;
  return read_array(zip, *index, fmt::format("{}: {}", file, array));
}

Npy need_array(const ZipArchive& zip, const std::string& array, const char* meant,
               const std::string& file) {
  auto found = find_array(zip, array, file);
  if (!found)
    refuse("{}: {}: no such array ({}); the arrays are {}", file, array, meant, list_arrays(zip));
  return *std::move(found);
}

}  // namespace

namespace {

/// Which element of the arrays each row is.
struct Layout {
  bool by_sequence = false;             ///< x is [sequences][steps][features]
  std::size_t steps = 0, features = 0;  ///< of x
  std::size_t sequences = 0;
  std::vector<std::size_t> sequence, step;  ///< [rows] of x in three dimensions: its first indices
  std::size_t rows = 0;
};

Layout layout_of(const Npy& x, const std::optional<Npy>& lengths) {
  Layout layout;
  if (x.single) refuse("{}: is one number; give an array", x.name);
  if (x.is_text()) refuse("{}: texts; give numbers for the features", x.name);
  layout.by_sequence = x.shape.size() == 3;
  if (x.rows == 0 || x.cols == 0) refuse("{}: no rows; give one row per frame", x.name);
  layout.rows = x.rows, layout.features = x.cols;
  if (!layout.by_sequence) return layout;
  layout.steps = x.shape[1], layout.features = x.shape[2], layout.sequences = x.rows;
  layout.rows = 0;
  if (lengths && (lengths->rows != x.rows || lengths->cols != 1 || lengths->is_text()))
    refuse("{}: shape {} for {} sequences; give one number per sequence", lengths->name,
           lengths->shape_text(), x.rows);
  for (std::size_t s = 0; s < x.rows; ++s) {
    const double length = lengths ? lengths->number(s) : double(layout.steps);
    if (lengths &&
        (!(length >= 1 && length <= double(layout.steps)) || length != std::floor(length)))
      refuse("{}: sequence {}: {} is no number of steps; give 1 to {}", lengths->name, s, length,
             layout.steps);
    for (std::size_t t = 0; t < std::size_t(length); ++t, ++layout.rows)
      layout.sequence.push_back(s), layout.step.push_back(t);
  }
  return layout;
}

/// Refuses a feature's number that is missing or infinite.
[[noreturn]] void refuse_number(const Npy& x, const Layout& layout, std::size_t row,
                                const std::string& column, double number, bool missing,
                                const Rows& rows) {
  const std::string& sequence = rows.sequence[row];
  const std::string place =
      layout.by_sequence ? fmt::format("sequence {}, step {}", brief(sequence), layout.step[row])
      : sequence.empty() ? fmt::format("row {}", row)
                         : fmt::format("sequence {}, row {}", brief(sequence), row);
  if (missing)
    refuse("{}: {}: {}: {} is a missing value; give a number, or set data.fill{}", x.name, place,
           column, number,
           layout.by_sequence ? "; or give the steps that count in an array \"lengths\"" : "");
  refuse("{}: {}: {}: {} is not a finite float; give a finite number, or leave the sequence out",
         x.name, place, column, number);
}

/// Reads the features of rows whose sequences are known.
/// @param used  whether a column has another use; empty: none has
void read_features(const Npy& x, const Layout& layout, const std::vector<bool>& used,
                   const Columns& columns, const Expected& expected, Rows& rows) {
  std::vector<std::string> names;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < layout.features; ++i) {
    const std::string name = fmt::format("x{}", i);
    if (!is_feature(name, columns) || (!used.empty() && used[i])) continue;
    names.push_back(name), positions.push_back(i);
  }
  for (const std::string& name : columns.features) need_column(names, name, "features", x.name);
  // Columns of an array have only their positions, so one more of them is no other column.
  Expected strict = expected;
  strict.other_columns = expected.chosen;
  const std::vector<std::size_t> picked = pick_features(names, strict, x.name);
  for (std::size_t i : picked) rows.feature_names.push_back(names[i]);
  const NumberReader numbers(columns.dialect);
  for (std::size_t row = 0; row < layout.rows; ++row)
    for (std::size_t i : picked) {
      const double exact =
          layout.by_sequence
              ? x.number(layout.sequence[row], layout.step[row] * layout.features + positions[i])
              : x.number(row, positions[i]);
      const float value = float(exact);
      const bool missing = std::isnan(exact) || numbers.is_missing(value);
      if (missing ? columns.dialect.fill == Fill::refuse : !std::isfinite(value))
        refuse_number(x, layout, row, names[i], exact, missing, rows);
      if (missing)
        rows.add_number(std::nanf(""), std::nan(""));
      else
        rows.add_number(value, exact);
    }
}

void read_sequences(const std::optional<Npy>& array, const Layout& layout, Rows& rows) {
  const std::size_t wanted = layout.by_sequence ? layout.sequences : rows.rows;
  if (array && (array->rows != wanted || array->cols != 1))
    refuse("{}: {} numbers for {} {}; give one for each", array->name, array->rows * array->cols,
           wanted, layout.by_sequence ? "sequences of x" : "rows of x");
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const std::size_t at = layout.by_sequence ? layout.sequence[row] : row;
    rows.sequence.push_back(array ? array->text(at) : layout.by_sequence ? std::to_string(at) : "");
  }
}

/// An array that has an element, or several, for each row or each sequence.
struct Spread {
  std::vector<std::size_t> index;    ///< [rows] its first index
  std::size_t each = 1;              ///< elements for each row
  std::vector<std::size_t> element;  ///< [rows] the first of them, counted in the array's row
};

Spread spread(const Npy& array, const Layout& layout, const Rows& rows, bool per_row) {
  Spread result;
  std::vector<std::size_t> own(rows.rows), sequence(rows.rows);
  // Where no sequences were read, groups are sequences.
  const bool unnamed = rows.sequence.empty() || rows.sequence[0].empty();
  const std::vector<std::string>& names =
      unnamed && !rows.group.empty() ? rows.group : rows.sequence;
  for (std::size_t row = 0, s = 0; row < rows.rows; ++row) {
    if (row > 0 && names[row] != names[row - 1]) ++s;
    own[row] = row, sequence[row] = s;
  }
  const std::size_t sequences = sequence.back() + 1, dimensions = array.shape.size();
  result.element.assign(rows.rows, 0);
  result.each = dimensions > 1 ? array.shape.back() : 1;
  if (layout.by_sequence && per_row && dimensions >= 2 && array.rows == layout.sequences &&
      array.shape[1] == layout.steps) {
    result.each = dimensions == 3 ? array.shape[2] : 1;
    result.index = layout.sequence;
    for (std::size_t row = 0; row < rows.rows; ++row)
      result.element[row] = layout.step[row] * result.each;
    return result;
  }
  if (!layout.by_sequence && dimensions <= 2 && array.rows == rows.rows) {
    result.index = own;
    return result;
  }
  if (!per_row && dimensions <= 2 && array.rows == sequences) {
    result.index = sequence;
    return result;
  }
  refuse("{}: shape {} for {} rows in {} sequences; give one number per row{}", array.name,
         array.shape_text(), rows.rows, sequences, per_row ? "" : ", or one per sequence");
}

/// Returns the class of a row that has a 1 in its place and 0 elsewhere.
std::string one_hot(const Npy& array, const Spread& from, std::size_t row) {
  std::size_t ones = 0, zeros = 0, at = 0;
  for (std::size_t i = 0; i < from.each; ++i) {
    const double number = array.number(from.index[row], from.element[row] + i);
    if (number == 1) ++ones, at = i;
    zeros += number == 0;
  }
  if (ones != 1 || zeros + 1 != from.each)
    refuse(
        "{}: row {}: {} numbers that are not one 1 among 0; classes are one number each, or "
        "one-hot; for several values set data.target_type = \"value\"",
        array.name, from.index[row], from.each);
  return std::to_string(at);
}

void read_classes(const Npy& array, const Layout& layout, bool per_row, Rows& rows) {
  const Spread from = spread(array, layout, rows, per_row);
  for (std::size_t row = 0; row < rows.rows; ++row)
    rows.label.push_back(from.each > 1 && !array.is_text()
                             ? one_hot(array, from, row)
                             : array.text(from.index[row], from.element[row]));
}

void read_values(const std::vector<Npy>& arrays, const Layout& layout, const Columns& columns,
                 Rows& rows) {
  std::vector<Spread> from;
  std::size_t outputs = 0;
  for (const Npy& array : arrays) {
    if (array.is_text()) refuse("{}: texts, but values are numbers", array.name);
    from.push_back(spread(array, layout, rows, columns.per_row));
    outputs += from.back().each;
  }
  if (!columns.heads.empty() && outputs != arrays.size())
    refuse("{}: shape {}; the layers' losses need one array for each target", arrays[0].name,
           arrays[0].shape_text());
  for (std::size_t k = 0; k < arrays.size() && outputs != arrays.size(); ++k) {
    const std::string name = arrays[k].name.substr(arrays[k].name.rfind(' ') + 1);
    for (std::size_t i = 0; i < from[k].each; ++i)
      rows.value_names.push_back(from[k].each == 1 ? name : fmt::format("{}{}", name, i));
  }
  const NumberReader numbers(columns.dialect);
  for (std::size_t row = 0; row < rows.rows; ++row)
    for (std::size_t k = 0; k < arrays.size(); ++k)
      for (std::size_t i = 0; i < from[k].each; ++i) {
        const double exact = arrays[k].number(from[k].index[row], from[k].element[row] + i);
        const float value = float(exact);
        if (std::isinf(value))
          refuse("{}: row {}: infinity is not a value; give a number, or NaN to mask it",
                 arrays[k].name, from[k].index[row]);
        rows.add_value(numbers.is_missing(value) ? std::nanf("") : value, exact);
      }
}

/// The arrays of a file by their names: those of the archive, or the columns of one array.
template <class Find, class Need>
void read_rest(Find find, Need need, const Layout& layout, const Columns& columns,
               const Expected& expected, Rows& rows) {
  std::optional<Npy> sequence;
  if (!columns.sequence.empty())
    sequence = layout.by_sequence || columns.file_is_sequence ? find(columns.sequence)
                                                              : need(columns.sequence, "sequence");
  rows.file_is_sequence = !layout.by_sequence && !sequence;
  read_sequences(sequence, layout, rows);
  std::vector<Npy> targets;
  if (expected.targets)
    for (const std::string& name : columns.target) targets.push_back(need(name, "target"));
  if (expected.targets && columns.classes)
    read_classes(targets[0], layout, columns.per_row, rows);
  else if (expected.targets)
    read_values(targets, layout, columns, rows);
  if (columns.group.empty()) return;
  const std::optional<Npy> group =
      expected.learning() ? need(columns.group, "group") : find(columns.group);
  if (!group) return;
  const Spread from = spread(*group, layout, rows, false);
  for (std::size_t row = 0; row < rows.rows; ++row)
    rows.group.push_back(group->text(from.index[row], from.element[row]));
}

/// Returns an element as text; empty if it is NaN.
std::string element_text(const Npy& array, std::size_t row, std::size_t col) {
  if (array.kind != 'f') return array.text(row, col);
  const double value = array.number(row, col);
  if (std::isnan(value)) return "";
  return array.bytes <= 4 ? fmt::format("{}", float(value)) : fmt::format("{}", value);
}

/// Returns a cell for each row from an array: its element of this number or, of a class that is
/// one-hot, the number of the class.
/// @param name  of the array
std::vector<std::string> cells_of(const Npy& array, const std::string& name, std::size_t element,
                                  const Columns& columns, const Layout& layout, const Rows& rows) {
  const bool target =
      std::find(columns.target.begin(), columns.target.end(), name) != columns.target.end();
  const bool classes = target && columns.classes;
  const bool each_step = layout.by_sequence && array.shape.size() >= 2 &&
                         array.rows == layout.sequences && array.shape[1] == layout.steps &&
                         (columns.per_row || !target);
  const Spread from = spread(array, layout, rows, each_step);
  std::vector<std::string> cells;
  for (std::size_t row = 0; row < rows.rows && element < from.each; ++row)
    cells.push_back(classes && from.each > 1 && !array.is_text()
                        ? one_hot(array, from, row)
                        : element_text(array, from.index[row], from.element[row] + element));
  return cells;
}

/// Returns a cell for each row, from the array of this name, from an element of an array ("y1" of
/// y), or from that column of x; an empty list if there is none.
template <class Find>
std::vector<std::string> read_beside(Find find, const std::string& name, const Columns& columns,
                                     const Npy& x, const Layout& layout, const Rows& rows) {
  std::vector<std::string> cells;
  if (const std::optional<Npy> array = find(name); array)
    return cells_of(*array, name, 0, columns, layout, rows);
  for (std::size_t i = 0; i < layout.features; ++i)
    if (name == fmt::format("x{}", i))
      for (std::size_t row = 0; row < rows.rows; ++row)
        cells.push_back(layout.by_sequence ? element_text(x, layout.sequence[row],
                                                          layout.step[row] * layout.features + i)
                                           : element_text(x, row, i));
  const std::string array_name = name.substr(0, name.find_last_not_of("0123456789") + 1);
  const std::string number = name.substr(array_name.size());
  if (!cells.empty() || number.empty() || number.size() > 6 || array_name == "x") return cells;
  if (const std::optional<Npy> array = find(array_name); array)
    return cells_of(*array, array_name, std::stoul(number), columns, layout, rows);
  return cells;
}

}  // namespace

Rows read_npy(std::string_view bytes, const std::string& file, const Columns& columns,
              const Expected& expected) {
  const Npy table = parse_npy(std::string(bytes), file);
  const Layout layout = layout_of(table, std::nullopt);
  Rows rows;
  rows.file = file, rows.rows = layout.rows;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < layout.features; ++i) names.push_back(fmt::format("x{}", i));
  std::vector<bool> used(layout.features);
  const auto find = [&](const std::string& name) -> std::optional<Npy> {
    const std::size_t column = layout.by_sequence ? no_column : find_column(names, name);
    if (column == no_column) return std::nullopt;
    used[column] = true;
    return table.column(column);
  };
  const auto need = [&](const std::string& name, const char* key) {
    if (auto found = find(name)) return *std::move(found);
    if (layout.by_sequence)
      refuse(
          "{}: {}: an array in three dimensions holds features alone; save it with its targets by "
          "numpy.savez, as x and {}",
          file, name, name);
    need_column(names, name, key, file);
    return Npy{};
  };
  read_rest(find, need, layout, columns, expected, rows);
  for (const std::string& name : columns.target) find(name);  // no feature, whether read or not
  read_features(table, layout, used, columns, expected, rows);
  for (const std::string& name : columns.beside)
    rows.beside.push_back(read_beside(find, name, columns, table, layout, rows));
  return rows;
}

Rows read_npz(std::string_view bytes, const std::string& file, const Columns& columns,
              const Expected& expected) {
  const ZipArchive zip(bytes, file, ".npz file", "write it with numpy.savez");
  Rows rows;
  rows.file = file;
  std::optional<Npy> found = find_array(zip, "x", file);
  if (!found) found = find_array(zip, "X", file);
  const Npy x = found ? *std::move(found) : need_array(zip, "x", "the features", file);
  const Layout layout =
      layout_of(x, x.shape.size() == 3 ? find_array(zip, "lengths", file) : std::nullopt);
  rows.rows = layout.rows;
  const auto find = [&](const std::string& name) { return find_array(zip, name, file); };
  const auto need = [&](const std::string& name, const char* key) {
    const std::string meant =
        std::string_view(key) == "sequence"
            ? "data.sequence; \"\" if the file is one sequence; x as [sequences][steps][features] "
              "needs none"
            : std::string("data.") + key;
    return need_array(zip, name, meant.c_str(), file);
  };
  read_rest(find, need, layout, columns, expected, rows);
  read_features(x, layout, {}, columns, expected, rows);
  for (const std::string& name : columns.beside)
    rows.beside.push_back(read_beside(find, name, columns, x, layout, rows));
  return rows;
}

}  // namespace sluice::tools
