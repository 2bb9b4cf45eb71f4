#include "files.h"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "../common/error.h"
#include "../common/print.h"
#include "features.h"

namespace sluice::tools {
namespace fs = std::filesystem;
namespace {

bool is_there(const std::string& name) {
  std::error_code unknown;
  return fs::exists(name, unknown);
}

/// Returns whether a name that is not a file's has the signs of a pattern.
bool is_pattern(const std::string& name) {
  const std::size_t bracket = name.find('[');
  const bool signs = name.find_first_of("*?") != name.npos ||
                     (bracket != name.npos && name.find(']', bracket) != name.npos);
  return signs && !is_there(name);
}

std::vector<std::string> matches_of(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> files;
  if (glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  globfree(&found);
  std::erase_if(files, [](const std::string& file) {
    std::error_code unknown;
    return fs::is_directory(file, unknown);
  });
  std::sort(files.begin(), files.end());
  return files;
}

/// Returns the folders of a name up to its file, or up to the first part that is a pattern.
std::vector<std::string> folders_of(const std::string& name) {
  std::vector<std::string> parts;
  for (const fs::path& part : fs::path(name).parent_path()) {
    if (part.string().find_first_of("*?[") != std::string::npos) break;
    parts.push_back(part.string());
  }
  return parts;
}

}  // namespace

std::vector<std::string> lines_of(const std::string& names) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find('\n', at), names.size());
    lines.push_back(names.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string text_of_lines(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "\n") + name;
  return text;
}

bool names_several(const std::string& names) {
  return names.find('\n') != names.npos || is_pattern(names);
}

namespace {

/// Returns a pattern of the files in a folder, or in its folders if it has no others.
std::string pattern_of_folder(const std::string& folder) {
  bool files = false, folders = false;
  std::error_code none;
  for (const fs::directory_entry& one : fs::directory_iterator(folder, none))
    (one.is_directory(none) ? folders : files) = true;
  return (fs::path(folder) / (folders && !files ? "*/*.csv" : "*.csv")).string();
}

}  // namespace

std::vector<std::string> files_named(const std::string& names) {
  std::vector<std::string> files;
  for (const std::string& name : lines_of(names)) {
    std::vector<std::string> matches = {name};
    if (is_pattern(name)) matches = matches_of(name);
    if (std::error_code unknown; fs::is_directory(name, unknown))
      refuse("{}: is a directory; give its files, by a pattern such as \"{}\"", name,
             pattern_of_folder(name));
    if (matches.empty())
      refuse("{}: no file has a name of this pattern; give another", brief(name));
    files.insert(files.end(), matches.begin(), matches.end());
  }
  std::set<std::string> seen;
  for (const std::string& file : files)
    if (!seen.insert(file).second) refuse("{}: is named twice; name each file once", file);
  return files;
}

std::string missing_file(const std::string& names) {
  for (const std::string& name : lines_of(names))
    if (is_pattern(name) ? matches_of(name).empty() : !is_there(name)) return name;
  return "";
}

std::string shown_files(const std::string& names) {
  const std::vector<std::string> lines = lines_of(names);
  return lines.size() < 2 ? names : fmt::format("{} and {} more", lines[0], lines.size() - 1);
}

std::string without_folder(const std::string& names) {
  std::vector<std::string> lines = lines_of(names);
  if (lines.empty()) return "";
  std::vector<std::string> common = folders_of(lines[0]);
  for (const std::string& line : lines) {
    const std::vector<std::string> folders = folders_of(line);
    std::size_t same = 0;
    while (same < std::min(common.size(), folders.size()) && common[same] == folders[same]) ++same;
    common.resize(same);
  }
  for (std::string& line : lines) {
    fs::path rest;
    std::size_t at = 0;
    for (const fs::path& part : fs::path(line))
      if (at++ >= common.size()) rest /= part;
    line = rest.string();
  }
  return text_of_lines(lines);
}

std::string name_with_class(const std::string& path, TargetFrom from) {
  const fs::path file(path);
  if (from == TargetFrom::folder) {
    const std::string folder = file.parent_path().filename().string();
    return folder == "." || folder == ".." ? "" : folder;
  }
  std::string name = file.filename().string();
  name = name.substr(0, name.find('.', 1));
  const auto numbered = numbered_name(name);
  return numbered && !numbered->name.empty() ? numbered->name : name;
}

std::string class_of_file(const std::string& path, TargetFrom from) {
  std::string name = name_with_class(path, from);
  if (name.empty())
    refuse(
        "{}: its name has no folder, which is its class by data.target_from = \"folder\"; give it "
        "with its folder",
        path);
  return name;
}

}  // namespace sluice::tools
