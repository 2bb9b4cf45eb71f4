// Reads NumPy's .npz, a zip of arrays:
//   x          [rows][features] numbers, one row per frame; features are named x0, x1, ...
//   sequence   [rows] whole numbers, named by data.sequence
//   label      [rows] or, if data.target_per is "sequence", [sequences]; named by data.target, one
//              array per target. Classes are whole numbers, values any numbers; NaN is masked, as
//              an
//              empty cell is in CSV
//   group      like label; named by data.group, if that is set
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>

#include "../common/error.h"
#include "data.h"
#include "features.h"
#include "npy.h"

#if SLUICE_WITH_ZIP
#include <zip.h>
#endif

namespace sluice::tools {

#if SLUICE_WITH_ZIP
namespace {

struct Close {
  void operator()(zip_t* z) const { zip_discard(z); }
  void operator()(zip_file_t* f) const { zip_fclose(f); }
};
using Zip = std::unique_ptr<zip_t, Close>;

void need_memory(int zip_error) {
  if (zip_error == ZIP_ER_MEMORY) throw std::bad_alloc();
}

/// @param bytes  must outlive the archive
Zip open_zip(std::string_view bytes, const std::string& file) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip_t* zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (!zip) {
    const std::string why = zip_error_strerror(&error);
    if (source) zip_source_free(source);
    need_memory(zip_error_code_zip(&error));
    refuse("{}: not a .npz file ({}); write it with numpy.savez", file, why);
  }
  return Zip(zip);
}

std::string list_arrays(zip_t* zip) {
  std::vector<std::string> names;
  for (zip_int64_t i = 0; i < zip_get_num_entries(zip, 0); ++i) {
    const char* const found = zip_get_name(zip, zip_uint64_t(i), 0);  // null if there is none
    const std::string name = found ? found : "";
    names.push_back(name.ends_with(".npy") ? name.substr(0, name.size() - 4) : name);
  }
  return list_names(names);
}

/// Reads an array. Inflates it only if its header and the sizes in the archive agree, since an
/// archive may hold a thousand times its own bytes.
Npy read_array(zip_t* zip, zip_uint64_t index, const std::string& name) {
  constexpr std::uint64_t most_inflation = 1032;  // highest ratio of deflate
  zip_stat_t stat;
  std::unique_ptr<zip_file_t, Close> entry(zip_fopen_index(zip, index, 0));
  if (!entry) need_memory(zip_error_code_zip(zip_get_error(zip)));
  if (!entry || zip_stat_index(zip, index, 0, &stat) != 0)
    refuse("{}: cannot be read from the archive; write it again", name);
  std::string bytes;
  char piece[1 << 16];
  const auto read_to = [&](std::size_t size) {
    zip_int64_t got = 0;
    while (bytes.size() < size && (got = zip_fread(entry.get(), piece, sizeof piece)) > 0)
      bytes.append(piece, std::size_t(got));
    if (got < 0) need_memory(zip_error_code_zip(zip_file_get_error(entry.get())));
    if (got < 0) refuse("{}: damaged in the archive; write it again", name);
  };
  read_to(npy_header_bytes);
  const Npy header = parse_npy_header(std::string_view(bytes).substr(0, npy_header_bytes), name);
  if (stat.size != header.size() || stat.size / most_inflation > stat.comp_size)
    refuse(
        "{}: {} bytes of {} in the archive, but its shape [{}][{}] needs {}; write the file again",
        name, stat.size, stat.comp_size, header.rows, header.cols, header.size());
  bytes.reserve(header.size() + sizeof piece);
  read_to(header.size() + 1);  // reads to the end, where libzip checks the checksum
  return parse_npy(std::move(bytes), name);
}

std::optional<Npy> find_array(zip_t* zip, const std::string& array, const std::string& file) {
  const zip_int64_t index = zip_name_locate(zip, (array + ".npy").c_str(), 0);
  if (array.empty() || index < 0) return std::nullopt;
  const std::string name = fmt::format("{}: {}", file, array);
  return read_array(zip, zip_uint64_t(index), name);
}

Npy need_array(zip_t* zip, const std::string& array, const char* meant, const std::string& file) {
  auto found = find_array(zip, array, file);
  if (!found)
    refuse("{}: {}: no such array ({}); the arrays are {}", file, array, meant, list_arrays(zip));
  return *std::move(found);
}

void read_features(const Npy& x, const Columns& columns, const Expected& expected, Rows& rows) {
  std::vector<std::string> names;
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < x.cols; ++i) {
    const std::string name = fmt::format("x{}", i);
    if (!is_feature(name, columns)) continue;
    names.push_back(name), positions.push_back(i);
  }
  for (const std::string& name : columns.features) need_column(names, name, "features", x.name);
  const std::vector<std::size_t> picked = pick_features(names, expected, x.name);
  for (std::size_t i : picked) rows.feature_names.push_back(names[i]);
  for (std::size_t row = 0; row < x.rows; ++row)
    for (std::size_t i : picked) {
      const float value = float(x.number(row, positions[i]));
      if (!std::isfinite(value))
        refuse(
            "{}: row {}: {}: {} is not a finite float; give a finite number, or leave the sequence "
            "out",
            x.name, row, names[i], x.number(row, positions[i]));
      rows.x.push_back(value);
    }
}

void read_sequences(const std::optional<Npy>& array, Rows& rows) {
  if (array && (array->rows != rows.rows || array->cols != 1))
    refuse("{}: {} numbers for {} rows of x; give one per row", array->name,
           array->rows * array->cols, rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row)
    rows.sequence.push_back(array ? array->text(row) : "");
}

/// Returns for each row the index of its number in an array: its own, or its sequence's. Where no
/// sequences were read, groups are sequences.
std::vector<std::size_t> spread(const Npy& array, const Rows& rows, bool per_row) {
  std::vector<std::size_t> index(rows.rows), sequence(rows.rows);
  const bool unnamed = rows.sequence.empty() || rows.sequence[0].empty();
  const std::vector<std::string>& names =
      unnamed && !rows.group.empty() ? rows.group : rows.sequence;
  for (std::size_t row = 0, s = 0; row < rows.rows; ++row) {
    if (row > 0 && names[row] != names[row - 1]) ++s;
    index[row] = row, sequence[row] = s;
  }
  if (array.cols == 1 && array.rows == rows.rows) return index;
  if (array.cols == 1 && !per_row && array.rows == sequence.back() + 1) return sequence;
  refuse("{}: shape [{}][{}] for {} rows in {} sequences; give one number per row{}", array.name,
         array.rows, array.cols, rows.rows, sequence.back() + 1,
         per_row ? "" : ", or one per sequence");
}

void read_targets(const std::vector<Npy>& arrays, const Columns& columns, Rows& rows) {
  if (!columns.classes) rows.value.resize(rows.rows * arrays.size());
  for (std::size_t k = 0; k < arrays.size(); ++k) {
    const std::vector<std::size_t> from = spread(arrays[k], rows, columns.per_row);
    for (std::size_t row = 0; row < rows.rows; ++row) {
      if (columns.classes) {
        rows.label.push_back(arrays[k].text(from[row]));
        continue;
      }
      const float value = float(arrays[k].number(from[row]));
      if (std::isinf(value))
        refuse("{}: row {}: infinity is not a value; give a number, or NaN to mask it",
               arrays[k].name, from[row]);
      rows.value[row * arrays.size() + k] = value;
    }
  }
}

/// Returns a number as text; empty if it is NaN.
std::string number_text(const Npy& array, std::size_t row, std::size_t col) {
  const double value = array.number(row, col);
  if (std::isnan(value)) return "";
  if (array.whole() && array.cols == 1) return array.text(row);
  return array.bytes == 4 ? fmt::format("{}", float(value)) : fmt::format("{}", value);
}

/// Returns a cell for each row, from the array of this name or from that column of x; an empty list
/// if there is neither.
std::vector<std::string> read_beside(zip_t* zip, const std::string& name, const Npy& x,
                                     const Rows& rows) {
  std::vector<std::string> cells;
  if (const std::optional<Npy> array = find_array(zip, name, rows.file); array) {
    for (const std::size_t from : spread(*array, rows, false))
      cells.push_back(number_text(*array, from, 0));
    return cells;
  }
  for (std::size_t i = 0; i < x.cols; ++i)
    if (name == fmt::format("x{}", i))
      for (std::size_t row = 0; row < x.rows; ++row) cells.push_back(number_text(x, row, i));
  return cells;
}

}  // namespace

Rows read_npz(std::string_view bytes, const std::string& file, const Columns& columns,
              const Expected& expected) {
  const Zip zip = open_zip(bytes, file);
  Rows rows;
  rows.file = file;
  const Npy x = need_array(zip.get(), "x", "the features", file);
  rows.rows = x.rows;
  if (x.rows == 0) refuse("{}: no rows; give one row per frame", x.name);
  read_features(x, columns, expected, rows);
  std::optional<Npy> sequence;
  if (!columns.sequence.empty())
    sequence = need_array(zip.get(), columns.sequence, "data.sequence", file);
  read_sequences(sequence, rows);
  std::vector<Npy> targets;
  if (expected.targets)
    for (const std::string& name : columns.target)
      targets.push_back(need_array(zip.get(), name, "data.target", file));
  read_targets(targets, columns, rows);
  std::optional<Npy> group;
  if (!columns.group.empty())
    group = expected.features.empty() ? need_array(zip.get(), columns.group, "data.group", file)
                                      : find_array(zip.get(), columns.group, file);
  if (group)
    for (std::size_t from : spread(*group, rows, false)) rows.group.push_back(group->text(from));
  for (const std::string& name : columns.beside)
    rows.beside.push_back(read_beside(zip.get(), name, x, rows));
  return rows;
}

#else

Rows read_npz(std::string_view, const std::string& file, const Columns&, const Expected&) {
  refuse("{}: this sluice was built without libzip and cannot read .npz files; give a CSV file",
         file);
}

#endif

}  // namespace sluice::tools
