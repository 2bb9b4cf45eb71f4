// The names of data files. A recipe's text of names has one name a line; each is a file or a
// pattern such as "gestures/*/*.csv".
#pragma once
#include <string>
#include <vector>

#include "data.h"

namespace sluice::tools {

/// Returns the lines of a text of names, and the text of such lines.
std::vector<std::string> lines_of(const std::string& names);
std::string text_of_lines(const std::vector<std::string>& names);

/// Returns whether the text may name several files: it has several lines, or is a pattern.
bool names_several(const std::string& names);

/// Returns the files that a text names: those of a pattern in the order of their bytes. Refuses a
/// pattern that no file matches, and a file that is named twice.
std::vector<std::string> files_named(const std::string& names);

/// Returns the first name in the text that leads to no file; empty if there is none.
std::string missing_file(const std::string& names);

/// Returns the text as a message shows it: "a.csv", or "a.csv and 3 more".
std::string shown_files(const std::string& names);

/// Returns the names without the folder that is common to all of them: the place of the data.
std::string without_folder(const std::string& names);

/// Returns the class that a file's name says: of its folder, or its own without the ending and
/// without a number at the end ("circle_01.csv" is "circle"; "1.csv" is "1"). It is empty if the
/// name has no folder.
std::string name_with_class(const std::string& path, TargetFrom from);

/// Does the same, and refuses a name without a folder.
std::string class_of_file(const std::string& path, TargetFrom from);

}  // namespace sluice::tools
