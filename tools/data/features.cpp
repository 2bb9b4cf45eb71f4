#include "features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../common/error.h"
#include "parse_number.h"

namespace sluice::tools {
namespace {

/// Returns whether the names are x0, x1, ..., as columns of an array are named. Such names say no
/// more than the position.
bool positional(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] != fmt::format("x{}", i)) return false;
  return true;
}

std::vector<std::string> without(const std::vector<std::string>& names,
                                 const std::vector<std::string>& others) {
  std::vector<std::string> left;
  for (const std::string& name : names)
    if (std::find(others.begin(), others.end(), name) == others.end()) left.push_back(name);
  return left;
}

}  // namespace

std::string list_names(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < 10; ++i)
    text += fmt::format("{}{}", i ? ", " : "", names[i]);
  return names.size() > 10 ? fmt::format("{} and {} more", text, names.size() - 10) : text;
}

bool is_feature(const std::string& name, const Columns& columns) {
  const auto holds = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  return !holds(columns.ignore) && (columns.features.empty() || holds(columns.features));
}

void check_header(const std::vector<std::string>& header, const std::string& place) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i].empty())
      refuse("{}: column {} has no name; name every column (pandas: to_csv(index=False))", place,
             i + 1);
    if (std::find(header.begin(), header.begin() + i, header[i]) != header.begin() + i)
      refuse("{}: {}: two columns have this name; give each column its own", place, header[i]);
  }
}

std::size_t find_column(const std::vector<std::string>& header, const std::string& name) {
  const auto found = std::find(header.begin(), header.end(), name);
  return name.empty() || found == header.end() ? no_column : found - header.begin();
}

std::size_t need_column(const std::vector<std::string>& header, const std::string& name,
                        const char* key, const std::string& place) {
  const std::size_t column = find_column(header, name);
  if (column == no_column)
    refuse("{}: {}: no such column; the columns are {}; correct data.{}", place, name,
           list_names(header), key);
  return column;
}

float cell_number(const std::string& text, const std::string& file, std::size_t line,
                  const std::string& column) {
  const auto value = parse_float(text);
  if (text.empty()) refuse("{}:{}: {}: the cell is empty; give a number", file, line, column);
  if (!value)
    refuse(
        "{}:{}: {}: \"{}\" is not a number; give one such as -0.25, or list the column in "
        "data.ignore",
        file, line, column, text);
  if (!std::isfinite(*value))
    refuse("{}:{}: {}: {} is not a finite float; give a finite number, or leave the sequence out",
           file, line, column, text);
  return *value;
}

std::vector<std::size_t> pick_features(const std::vector<std::string>& names,
                                       const std::vector<std::string>& expected,
                                       const std::string& place) {
  if (names.empty())
    refuse("{}: no column is left for features; give at least one column of numbers", place);
  std::vector<std::size_t> picked;
  if (expected.empty() ||
      (names.size() == expected.size() && (positional(names) || positional(expected)))) {
    for (std::size_t i = 0; i < names.size(); ++i) picked.push_back(i);
    return picked;
  }
  const std::vector<std::string> missing = without(expected, names),
                                 extra = without(names, expected);
  if (!missing.empty() || !extra.empty())
    refuse("{}: {} feature columns, but the model expects {}{}{}{}{}; give the columns {}", place,
           names.size(), expected.size(), missing.empty() ? "" : ": missing ", list_names(missing),
           extra.empty()     ? ""
           : missing.empty() ? ": not expected "
                             : ", not expected ",
           list_names(extra), list_names(expected));
  for (const std::string& name : expected)
    picked.push_back(std::find(names.begin(), names.end(), name) - names.begin());
  return picked;
}

}  // namespace sluice::tools
