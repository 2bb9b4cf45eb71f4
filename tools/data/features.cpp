#include "features.h"

#include <fmt/format.h>

#include <algorithm>

#include "../common/error.h"

namespace sluice::tools {
namespace {

/// Whether the names are x0, x1, ...: the ones that an array's columns get, which say no more than the position.
bool positional(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] != fmt::format("x{}", i)) return false;
  return true;
}

std::vector<std::string> without(const std::vector<std::string>& names, const std::vector<std::string>& others) {
  std::vector<std::string> left;
  for (const std::string& name : names)
    if (std::find(others.begin(), others.end(), name) == others.end()) left.push_back(name);
  return left;
}

}  // namespace

std::string list_names(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < 10; ++i) text += fmt::format("{}{}", i ? ", " : "", names[i]);
  return names.size() > 10 ? fmt::format("{} and {} more", text, names.size() - 10) : text;
}

std::vector<std::size_t> pick_features(const std::vector<std::string>& names, const std::vector<std::string>& expected,
                                       const std::string& place) {
  if (names.empty()) refuse("{}: no column is left for features; give at least one column of numbers", place);
  std::vector<std::size_t> picked;
  if (expected.empty() || (names.size() == expected.size() && (positional(names) || positional(expected)))) {
    for (std::size_t i = 0; i < names.size(); ++i) picked.push_back(i);
    return picked;
  }
  const std::vector<std::string> missing = without(expected, names), extra = without(names, expected);
  if (!missing.empty() || !extra.empty())
    refuse("{}: {} feature columns where the model expects {}{}{}{}{}; give the columns {}", place, names.size(),
           expected.size(), missing.empty() ? "" : ": missing ", list_names(missing),
           extra.empty()     ? ""
           : missing.empty() ? ": not expected "
                             : ", not expected ",
           list_names(extra), list_names(expected));
  for (const std::string& name : expected) picked.push_back(std::find(names.begin(), names.end(), name) - names.begin());
  return picked;
}

}  // namespace sluice::tools
