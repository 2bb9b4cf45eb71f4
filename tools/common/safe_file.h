// Files, whole: read at once; written to a temporary file beside the target, flushed to disk and renamed, so that nobody ever
// sees half of one.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// The file's bytes. A missing or unreadable file, or a directory, is refused (exit code 2).
std::string read_file(const std::string& path);

/// Replaces the file. On failure (full disk, no permission) fails with exit code 1 and leaves neither a new nor a partial file.
void write_file(const std::string& path, std::string_view bytes);

struct NamedBytes {
  std::string path, bytes;
};

/// The same of several files, on disk before the first of them is renamed: where one cannot be written, none changes.
void write_files(const std::vector<NamedBytes>& files);

/// Adds to the end of a file that is there, so that a reader sees it at once. On failure fails with exit code 1 and leaves the
/// file as it was.
void append_file(const std::string& path, std::string_view bytes);

/// Refuses to write over what is read: `option` ("--out") names `path`, which is one of `read` (those that are not there are
/// not).
void check_output(const std::string& option, const std::string& path, const std::vector<std::string>& read);

/// Refuses to write a text over a model.
void check_no_model(const std::string& option, const std::string& path);

/// Makes a directory and its parents; fails with exit code 1.
void make_directory(const std::string& path);

}  // namespace sluice::tools
