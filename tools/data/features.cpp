#include "features.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "../common/error.h"
#include "../common/print.h"
#include "../common/text.h"
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

/// Returns a name's letters and digits, in lower case.
std::string bare(const std::string& name) {
  std::string text;
  for (const char c : ascii_lower(name))
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c & 0x80)) text += c;
  return text;
}

/// Lists names that are missing, each with the one among the others that differs only in capitals,
/// blanks or signs.
std::string list_missing(const std::vector<std::string>& missing,
                         const std::vector<std::string>& others) {
  std::vector<std::string> names;
  for (const std::string& name : missing) {
    const auto near = std::find_if(others.begin(), others.end(), [&](const std::string& other) {
      return !bare(name).empty() && bare(other) == bare(name);
    });
    names.push_back(near == others.end() ? name : fmt::format("{} (there is {})", name, *near));
  }
  return list_names(names);
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
    text += fmt::format("{}{}", i ? ", " : "", brief(names[i], 40));
  return names.size() > 10 ? fmt::format("{} and {} more", text, names.size() - 10) : text;
}

bool is_feature(const std::string& name, const Columns& columns) {
  const auto holds = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  return !holds(columns.ignore) && (columns.features.empty() || holds(columns.features));
}

std::optional<NumberedName> numbered_name(const std::string& name) {
  constexpr std::size_t most_digits = 9;
  std::size_t begin = name.size();
  while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9') --begin;
  if (begin == name.size() || name.size() - begin > most_digits) return std::nullopt;
  const std::size_t end = name.find_last_not_of("_-. ", begin ? begin - 1 : 0);
  return NumberedName{begin == 0 || end == name.npos ? "" : name.substr(0, end + 1),
                      std::size_t(*parse_integer(name.substr(begin)))};
}

std::string numbered_columns(const std::vector<std::string>& header, std::size_t many) {
  std::size_t first = 0;
  for (std::size_t i = 1; i <= header.size(); ++i) {
    const auto before = numbered_name(header[i - 1]),
               here = i < header.size() ? numbered_name(header[i]) : std::nullopt;
    if (before && here && here->name == before->name && here->number == before->number + 1)
      continue;
    if (i - first >= many)
      return fmt::format("{} to {}", brief(header[first], 40), brief(header[i - 1], 40));
    first = i;
  }
  return "";
}

namespace {

/// Returns a remark on a header that may be none, or that is one of sequences in rows; or an empty
/// text.
std::string header_hint(const std::vector<std::string>& header) {
  const auto numbers = std::count_if(header.begin(), header.end(),
                                     [](const auto& name) { return parse_float(name); }),
             whole = std::count_if(header.begin(), header.end(),
                                   [](const auto& name) { return parse_integer(name); });
  for (const char* mark : {"%", "//", "--", "!", "*", ";"})
    if (header[0].starts_with(mark))
      return fmt::format(
          "; if lines that begin with \"{0}\" are comments, set data.comment = \"{0}\"", mark);
  if (header.size() == 1 || (header.size() == 2 && numbers > 0))
    return "; if the names of the columns are in a later line, set data.skip_rows; if they are "
           "separated otherwise, data.separator";
  if (const std::string steps = numbered_columns(header); !steps.empty())
    return fmt::format(
        "; if a row is a sequence, whose steps are the columns {}, set data.format = \"wide\"",
        steps);
  if (numbers > whole && std::size_t(numbers) * 2 >= header.size())
    return "; the first line has numbers: give a line with the names of the columns first, or set "
           "data.format = \"ucr\" if a line is a sequence after its class";
  return "";
}

}  // namespace

void check_header(const std::vector<std::string>& header, const std::string& place) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i].empty())
      refuse("{}: column {} has no name; name every column (pandas: to_csv(index=False))", place,
             i + 1);
    if (!seen.insert(header[i]).second)
      refuse("{}: {}: two columns have this name; give each column its own{}", place,
             brief(header[i]), header_hint(header));
  }
}

std::size_t find_column(const std::vector<std::string>& header, const std::string& name) {
  const auto found = std::find(header.begin(), header.end(), name);
  return name.empty() || found == header.end() ? no_column : found - header.begin();
}

std::size_t need_column(const std::vector<std::string>& header, const std::string& name,
                        const char* key, const std::string& place) {
  const std::size_t column = find_column(header, name);
  if (column == no_column && !key)
    refuse(
        "{}: {}: no such column, but the model was trained with it; the columns are {}; give the "
        "file that column",
        place, brief(name), list_names(header));
  if (column == no_column)
    refuse("{}: {}: no such column; the columns are {}; correct data.{}{}{}", place, brief(name),
           list_names(header), key,
           std::string_view(key) == "sequence"
               ? ", or set it to \"\" if the whole file is one sequence"
           : std::string_view(key) == "target"
               ? ", or, if the class is the name of a file or a folder, set data.target_from"
               : "",
           header_hint(header));
  return column;
}

std::vector<std::size_t> pick_features(const std::vector<std::string>& names,
                                       const Expected& expected, const std::string& place) {
  if (names.empty())
    refuse("{}: no column is left for features; give at least one column of numbers", place);
  const std::vector<std::string>& wanted = expected.features;
  const std::vector<std::string> missing = without(wanted, names), extra = without(names, wanted);
  std::vector<std::size_t> picked;
  if (wanted.empty() || (!missing.empty() && names.size() == wanted.size() &&
                         (positional(names) || positional(wanted)))) {
    for (std::size_t i = 0; i < names.size(); ++i) picked.push_back(i);
    return picked;
  }
  const bool refused = !extra.empty() && !expected.other_columns;
  if (!missing.empty() || refused)
    refuse("{}: {} feature columns, but the model expects {}{}{}{}{}; give the columns {}", place,
           names.size(), wanted.size(), missing.empty() ? "" : ": missing ",
           list_missing(missing, extra),
           !refused          ? ""
           : missing.empty() ? ": not expected "
                             : ", not expected ",
           refused ? list_names(extra) : "", list_names(wanted));
  for (const std::string& name : wanted)
    picked.push_back(std::find(names.begin(), names.end(), name) - names.begin());
  return picked;
}

}  // namespace sluice::tools
