// Reads sktime's .ts: a head of lines that begin with '@', then one row per sequence; dimensions
// are separated by ':', and the class or value stands behind the last. '?' is a missing value.
#include <algorithm>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/text.h"
#include "features.h"
#include "parse_number.h"
#include "sequence_rows.h"

namespace sluice::tools {
namespace {

std::vector<std::string> parts_at(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.emplace_back(trimmed(text.substr(at, end - at)));
    at = end + 1;
  }
  return parts;
}

/// What the head says of the targets.
struct TsHead {
  bool labelled = false;             ///< rows end with a class or a value
  std::vector<std::string> classes;  ///< the classes that there may be; empty: any
  std::size_t line = 0;              ///< where they are listed
};

TsHead read_head(Lines& lines, const std::string& file) {
  TsHead head;
  for (std::string_view line; lines.next(line);) {
    const std::string text = ascii_lower(line);
    if (text.starts_with("@data")) return head;
    if (text[0] != '@')
      refuse("{}:{}: \"{}\" before @data; give the lines of a .ts file", file, lines.number,
             brief(line));
    const std::vector<std::string> words = parts_at(text, ' ');
    const bool yes = words.size() > 1 && words[1] == "true";
    if ((words[0] == "@classlabel" || words[0] == "@targetlabel") && yes) head.labelled = true;
    if (words[0] == "@classlabel" && yes) {
      std::vector<std::string> listed = parts_at(line, ' ');
      listed.erase(listed.begin(), listed.begin() + 2);
      std::erase(listed, "");
      head.classes = std::move(listed), head.line = lines.number;
    }
    if (words[0] == "@timestamps" && yes)
      refuse("{}:{}: steps with times of their own are not read; write the values alone", file,
             lines.number);
  }
  refuse("{}: no @data; give a .ts file, as sktime writes it", file);
}

/// Returns whether the head lists a class, or a number in another spelling, or lists none.
bool is_listed(const TsHead& head, const std::string& label) {
  return head.classes.empty() ||
         std::any_of(head.classes.begin(), head.classes.end(), [&](const std::string& one) {
           const auto number = parse_double(one);
           return one == label || (number && number == parse_double(label));
         });
}

}  // namespace

Rows read_ts(std::string_view text, const std::string& file, const Columns& columns,
             const Expected& expected) {
  Dialect dialect = columns.dialect;
  if (std::find(dialect.missing.begin(), dialect.missing.end(), "?") == dialect.missing.end())
    dialect.missing.emplace_back("?");
  const NumberReader numbers(dialect, Decimal::point, false);
  Lines lines{plain_text(text, file), "#%"};
  const TsHead head = read_head(lines, file);
  const bool labelled = head.labelled;
  if (!labelled && expected.targets)
    refuse("{}: @classLabel and @targetLabel are not true; give a file with targets", file);
  Rows rows;
  rows.file = file;
  std::vector<std::size_t> picked;
  std::size_t dimensions = 0, count = 0;
  for (std::string_view line; lines.next(line);) {
    std::vector<std::string> parts = parts_at(line, ':');
    SequenceRow row;
    row.line = lines.number;
    if (labelled) row.targets = {parts.back()}, parts.pop_back();
    if (labelled && expected.targets && columns.classes && !is_listed(head, row.targets[0]))
      refuse(
          "{}:{}: class \"{}\" is not among those of @classLabel in line {}: {}; correct the row, "
          "or add the class there",
          file, lines.number, brief(row.targets[0]), head.line, list_names(head.classes));
    if (rows.rows == 0) {
      dimensions = parts.size();
      const std::vector<std::string> names = numbered_features(dimensions);
      for (const std::size_t i : pick_features(names, expected, file))
        picked.push_back(i), rows.feature_names.push_back(names[i]);
    }
    if (parts.size() != dimensions || parts.empty())
      refuse("{}:{}: {} dimensions, but the first sequence has {}; give each row the same", file,
             lines.number, parts.size(), dimensions);
    for (std::size_t d = 0; d < dimensions; ++d) {
      std::vector<Step>& steps = row.features.emplace_back();
      for (const std::string& cell : parts_at(parts[d], ','))
        steps.push_back(
            step_number(cell, numbers, file, row.line, "dimension " + std::to_string(d + 1)));
    }
    add_sequence(rows, row, count++, picked, columns, expected, numbers);
  }
  if (rows.rows == 0) refuse("{}: no row after @data; give one row per sequence", file);
  return rows;
}

}  // namespace sluice::tools
