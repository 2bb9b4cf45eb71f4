// Groups rows into sequences.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "../common/error.h"
#include "../common/hash.h"
#include "../common/print.h"
#include "calendar.h"
#include "data.h"
#include "features.h"
#include "files.h"
#include "parse_number.h"

namespace sluice::tools {
namespace {

std::string spot(const Rows& rows, std::size_t row) {
  return rows.line.empty() ? fmt::format("row {}", row) : fmt::format("line {}", rows.line[row]);
}

void find_sequences(const Rows& rows, const Columns& columns, DataSet& data) {
  std::unordered_map<std::string, std::size_t> began;  // sequence -> its first row
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const std::string& name = rows.sequence[row];
    if (row > 0 && name == rows.sequence[row - 1]) continue;
    if (name.empty() && !columns.sequence.empty())
      refuse("{}: {}: the cell is empty; name the row's sequence", place(rows, row),
             columns.sequence);
    const auto [first, is_new] = began.emplace(name, row);
    if (!is_new)
      refuse(
          "{}: {}: sequence \"{}\" of {} continues after another one began; put the rows of a "
          "sequence together",
          place(rows, row), columns.sequence, brief(name), spot(rows, first->second));
    data.first.push_back(row);
    data.names.push_back(name);
  }
  data.first.push_back(rows.rows);
}

/// Returns a whole number of any size without zeros at its begin; nothing if the text is none. Two
/// of them are the same number only if they are the same text.
std::optional<std::string> whole_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  return text.empty() ? "0" : (negative ? "-" : "") + std::string(text);
}

/// A class that is a number: its nearest double, and its one spelling.
struct NumberLabel {
  double value = 0;
  std::string spelling;
};

/// Orders classes by their values. Whole numbers of the same nearest double have equally many
/// digits or, at a power of ten, more digits in the number that is further from 0.
bool is_less(const NumberLabel& a, const NumberLabel& b) {
  if (a.value != b.value) return a.value < b.value;
  const bool further = a.spelling.size() != b.spelling.size()
                           ? a.spelling.size() > b.spelling.size()
                           : a.spelling > b.spelling;
  return a.spelling != b.spelling && further == (a.value < 0);
}

/// Returns a class as a number: "1", "1.0", "+1" and "1e0" are the same. Returns nothing for any
/// other text.
std::optional<NumberLabel> number_label(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto value = parse_double(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  if (const auto whole = whole_number(text)) return NumberLabel{*value, *whole};
  if (*value == std::floor(*value) && std::fabs(*value) < whole_doubles)
    return NumberLabel{*value, std::to_string(static_cast<long long>(*value))};
  return NumberLabel{*value, fmt::format("{}", *value)};
}

/// Returns the classes in the order of their numbers: by value if all are numbers, else by their
/// bytes. A number is called as the file writes it if that is a whole number, always written so.
std::vector<std::string> learn_labels(const Rows& rows, const Columns& columns) {
  std::vector<std::string> labels = rows.label;
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  std::erase(labels, "");
  if (labels.empty())
    refuse("{}: {}: no row has a class; fill in the column", rows.file, columns.target[0]);
  std::vector<std::pair<NumberLabel, std::string>> numbers;
  for (const std::string& label : labels) {
    auto number = number_label(label);
    if (!number) return labels;
    numbers.emplace_back(std::move(*number), label);
  }
  std::stable_sort(numbers.begin(), numbers.end(),
                   [](const auto& a, const auto& b) { return is_less(a.first, b.first); });
  labels.clear();
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i + 1;
    while (end < numbers.size() && numbers[end].first.spelling == numbers[i].first.spelling) ++end;
    const bool as_it_is = end == i + 1 && whole_number(numbers[i].second);
    labels.push_back(as_it_is ? numbers[i].second : numbers[i].first.spelling);
    i = end;
  }
  return labels;
}

/// The numbers of the classes, by their names, and by the spelling of numbers if all are numbers.
class ClassNumbers {
 public:
  explicit ClassNumbers(const std::vector<std::string>& labels) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
      named_[labels[i]] = std::int32_t(i);
      if (const auto number = number_label(labels[i]))
        spelled_.emplace(number->spelling, std::int32_t(i));
    }
    if (spelled_.size() != labels.size()) spelled_.clear();
  }

  std::optional<std::int32_t> find(const std::string& label) const {
    if (const auto found = named_.find(label); found != named_.end()) return found->second;
    if (spelled_.empty()) return std::nullopt;
    const auto number = number_label(label);
    const auto found = number ? spelled_.find(number->spelling) : spelled_.end();
    return found == spelled_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::unordered_map<std::string, std::int32_t> named_, spelled_;
};

/// Returns a row's class; -1 if its cell is empty.
std::int32_t class_of(const Rows& rows, std::size_t row, const Columns& columns,
                      const DataSet& data, const ClassNumbers& numbers) {
  if (rows.label[row].empty()) return -1;
  const auto found = numbers.find(rows.label[row]);
  if (!found)
    refuse("{}: {}: class \"{}\" is not in the training data; give one of {}", place(rows, row),
           columns.target[0], brief(rows.label[row]), list_names(data.labels));
  return *found;
}

/// So many numbered columns may be the steps of a sequence in each row.
constexpr std::size_t fewest_steps = 4;

/// Returns a remark for the refusal of several targets in a sequence, if its rows look like
/// sequences; else an empty text.
std::string wide_hint(const Columns& columns, const DataSet& data) {
  if (columns.format != Format::table || columns.windows.length) return "";
  const std::string steps = numbered_columns(data.feature_names, fewest_steps);
  return steps.empty() ? ""
                       : fmt::format(
                             "; if each row is a sequence, whose steps are the columns {}, set "
                             "data.format = \"wide\"",
                             steps);
}

void add_classes(const Rows& rows, const Columns& columns, const Expected& expected,
                 DataSet& data) {
  data.labels = expected.labels.empty() ? learn_labels(rows, columns) : expected.labels;
  const ClassNumbers numbers(data.labels);
  std::vector<std::int32_t> by_row(rows.rows);
  for (std::size_t row = 0; row < rows.rows; ++row)
    by_row[row] = class_of(rows, row, columns, data, numbers);
  if (data.per_row) {
    data.target = std::move(by_row);
    return;
  }
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    std::int32_t target = -1;
    for (std::size_t row = data.first[s]; row < data.first[s + 1]; ++row) {
      if (target >= 0 && by_row[row] >= 0 && by_row[row] != target)
        refuse(
            "{}: {}: \"{}\" in a sequence that began with \"{}\"; give each sequence one class, or "
            "set data.target_per = \"row\"{}",
            place(rows, row), columns.target[0], brief(rows.label[row]), brief(data.labels[target]),
            wide_hint(columns, data));
      target = std::max(target, by_row[row]);
    }
    if (target < 0)
      refuse("{}: {}: the sequence has no class; give one", place(rows, data.first[s]),
             columns.target[0]);
    data.target.push_back(target);
  }
}

void add_values(const Rows& rows, const Columns& columns, DataSet& data) {
  data.labels = rows.value_names.empty() ? columns.target : rows.value_names;
  const std::size_t outputs = data.labels.size();
  if (data.per_row) {
    data.value = rows.value;
    if (std::all_of(data.value.begin(), data.value.end(), [](float v) { return std::isnan(v); }))
      refuse("{}: {}: no row has a value; fill in the column", rows.file, data.labels[0]);
    return;
  }
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    for (std::size_t k = 0; k < outputs; ++k) {
      float target = std::nanf("");
      for (std::size_t row = data.first[s]; row < data.first[s + 1]; ++row) {
        const float here = rows.value[row * outputs + k];
        if (!std::isnan(here) && !std::isnan(target) && here != target)
          refuse(
              "{}: {}: {} in a sequence that began with {}; give each sequence one value, or set "
              "data.target_per = \"row\"{}",
              place(rows, row), data.labels[k], here, target, wide_hint(columns, data));
        if (std::isnan(target)) target = here;
      }
      if (std::isnan(target))
        refuse("{}: {}: the sequence has no value; give one", place(rows, data.first[s]),
               data.labels[k]);
      data.value.push_back(target);
    }
  }
}

void add_groups(const Rows& rows, const Columns& columns, DataSet& data) {
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    const std::size_t first = data.first[s];
    for (std::size_t row = first; row < data.first[s + 1]; ++row)
      if (rows.group[row] != rows.group[first])
        refuse("{}: {}: \"{}\" in a sequence of group \"{}\"; put each sequence into one group",
               place(rows, row), columns.group, brief(rows.group[row]), brief(rows.group[first]));
    data.group.push_back(rows.group[first]);
  }
}

/// Says if a table looks like one whose rows are sequences.
void tell_wide(const Rows& rows, const Columns& columns, const DataSet& data) {
  if (columns.format != Format::table || columns.windows.length || data.sequences() < 2 ||
      rows.rows != data.sequences())
    return;
  if (const std::string steps = numbered_columns(data.feature_names, fewest_steps); !steps.empty())
    tell_once(fmt::format(
        "{}: every sequence has one row, and the columns {} are numbered; if these are steps, set "
        "data.format = \"wide\"",
        rows.file, steps));
}

}  // namespace

std::string place(const Rows& rows, std::size_t row) {
  std::size_t begin = 0;
  std::string file = rows.file;
  for (const auto& [first, name] : rows.files)
    if (first <= row) begin = first, file = name;
  return rows.line.empty() ? fmt::format("{}: row {}", file, row - begin)
                           : fmt::format("{}:{}", file, rows.line[row]);
}

DataSet assemble(Rows rows, const Columns& columns, const Expected& expected) {
  DataSet data;
  data.feature_names = rows.feature_names;
  data.classes = columns.classes;
  data.per_row = columns.per_row;
  find_sequences(rows, columns, data);
  if (expected.learning()) tell_wide(rows, columns, data);
  check_precision(rows, columns, expected, data.first);
  if (expected.learning() && columns.format == Format::table)
    tell_counters(rows, data.first, time_feature_names(columns.time_features));
  tell_times(rows, data.first);
  data.file_is_sequence = columns.file_is_sequence || !rows.files.empty();
  data.file_is_sequence = data.file_is_sequence && rows.file_is_sequence;
  if (expected.targets && columns.classes) add_classes(rows, columns, expected, data);
  if (expected.targets && !columns.heads.empty()) check_heads(rows, columns);
  if (expected.targets && !columns.classes) add_values(rows, columns, data);
  data.heads = columns.heads;
  data.beside = std::move(rows.beside);
  if (!rows.group.empty()) add_groups(rows, columns, data);
  data.read_as = rows.read_as;
  const Fill fill = columns.dialect.fill;
  if (fill != Fill::refuse) tell_missing(rows, columns);
  data.x = std::move(rows.x);
  data.missing = columns.dialect.missing;
  if (fill != Fill::refuse)
    for (const float number : data.x) data.filled.push_back(std::isnan(number));
  if (fill == Fill::previous) fill_previous(data);
  if (!columns.windows.length) fill_means(data, columns.fill_means);
  if (!rows.text.empty()) add_tokens(rows, columns, expected, data);
  if (!columns.windows.length) hold_out_rows(data, columns, expected, rows.file);
  cut_long(data, columns);
  if (columns.group == containment && !data.ids.empty() && expected.learning())
    for (const std::size_t holder : containment_groups(data.ids, data.first))
      data.group.push_back(std::to_string(holder));
  return data;
}

void cut_long(DataSet& data, const Columns& columns) {
  const std::size_t most = columns.max_steps, width = data.is_text() ? 0 : data.features(),
                    outputs = data.outputs();
  if (!most) return;
  std::size_t to = 0;
  const auto move = [&](auto& list, std::size_t from, std::size_t each) {
    if (!list.empty())
      std::copy_n(list.begin() + std::ptrdiff_t(from * each), each,
                  list.begin() + std::ptrdiff_t(to * each));
  };
  for (std::size_t s = 0; s < data.sequences(); ++s) {
    const std::size_t begin = data.first[s], steps = data.first[s + 1] - begin,
                      kept = std::min(steps, most);
    const std::size_t from = columns.cut_front ? begin + steps - kept : begin;
    data.cut += kept < steps;
    data.first[s] = to;
    for (std::size_t row = from; row < from + kept; ++row, ++to) {
      move(data.x, row, width), move(data.filled, row, width), move(data.ids, row, 1);
      for (std::vector<std::string>& column : data.beside)
        if (width) move(column, row, 1);
      if (data.per_row) move(data.target, row, 1), move(data.value, row, outputs);
    }
  }
  data.first.back() = to;
  if (!data.x.empty()) data.x.resize(to * width);
  if (!data.filled.empty()) data.filled.resize(to * width);
  if (!data.ids.empty()) data.ids.resize(to);
  if (data.per_row && data.classes) data.target.resize(to);
  if (data.per_row && !data.classes) data.value.resize(to * outputs);
}

namespace {

/// Targets of windows that are values are columns, as the features are; classes are those of rows.
DataSet read_windows(const std::string& path, const Columns& columns, const Expected& expected) {
  Columns read = columns;
  Expected wanted = expected;
  read.group.clear();
  const auto cut = [&] {
    Rows table = read_rows(path, read, wanted);
    if (!wanted.learning()) table.feature_names = wanted.features;  // also those found by position
    DataSet rows = assemble(std::move(table), read, wanted);
    std::string read_as = std::move(rows.read_as);
    Columns with_times = columns;
    if (!columns.features.empty() && expected.learning())
      for (const std::string& name : time_feature_names(columns.time_features))
        with_times.features.push_back(name);
    DataSet data = cut_windows(std::move(rows), with_times, expected, path);
    data.read_as = std::move(read_as);
    fill_means(data, columns.fill_means);
    return data;
  };
  if (columns.classes) {
    read.per_row = true;
    return cut();
  }
  read.target.clear(), wanted.targets = false, read.classes = false;
  if (columns.windows.difference) read.changes = columns.target;
  const auto add = [&](std::vector<std::string>& list) {
    for (const std::string& name : columns.target)
      if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
  };
  if (!read.features.empty()) add(read.features);
  if (!wanted.learning() && (expected.targets || columns.windows.difference)) add(wanted.features);
  return cut();
}

}  // namespace

DataSet read_data(const std::string& path, const Columns& columns, const Expected& expected) {
  if (names_several(path) && columns.format == Format::text)
    refuse("{}: several files; a text is one", shown_files(path));
  if (columns.format == Format::text)
    return read_stream(read_data_file(path), path, columns, expected);
  if (columns.windows.length) return read_windows(path, columns, expected);
  return assemble(read_rows(path, columns, expected), columns, expected);
}

bool has_target(const DataSet& data, std::span<const std::size_t> sequences) {
  for (std::size_t s : sequences) {
    const std::size_t begin = data.target_begin(s), end = begin + data.targets(s);
    for (std::size_t i = begin; i < end; ++i) {
      if (data.classes && data.target[i] >= 0) return true;
      for (std::size_t k = 0; !data.classes && k < data.outputs(); ++k)
        if (!std::isnan(data.value_at(i, k))) return true;
    }
  }
  return false;
}

std::vector<std::size_t> all_sequences(const DataSet& data) {
  std::vector<std::size_t> all(data.sequences());
  std::iota(all.begin(), all.end(), std::size_t(0));
  return all;
}

std::uint64_t data_hash(const DataSet& data) {
  Fnv fnv;
  fnv.texts(data.feature_names);
  fnv.texts(data.labels);
  fnv.texts(data.group);
  fnv.number(std::uint64_t(data.sequences()));
  for (std::size_t first : data.first) fnv.number(std::uint64_t(first));
  for (float x : data.x) fnv.number(x);
  if (data.is_text()) fnv.texts(data.tokens.texts);
  for (std::int32_t id : data.ids) fnv.number(std::uint64_t(id));
  for (std::int32_t target : data.target) fnv.number(std::uint64_t(std::int64_t(target)));
  if (!data.window) {
    for (float value : data.own.empty() ? data.value : data.own) fnv.number(value);
    return fnv.hash;
  }
  DataSet original;  // the targets of every window in the units of the data
  original.labels = data.labels, original.first = data.first, original.window = data.window;
  original.horizon = data.horizon, original.difference = data.difference;
  original.value = data.own.empty() ? data.value : data.own;
  for (std::size_t s = 0; s < data.sequences() && !original.value.empty(); ++s)
    for (std::size_t k = 0; k < data.outputs(); ++k) fnv.number(original.value_at(s, k));
  return fnv.hash;
}

}  // namespace sluice::tools
