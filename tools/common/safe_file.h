// Files, whole: read at once; written to a temporary file beside the target, flushed to disk and
// renamed, so that nobody ever sees half of one.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// The file's bytes. A missing or unreadable file, or a directory, is refused (exit code 2).
std::string read_file(const std::string& path);

/// Replaces the file; if the path is a link, the file that it leads to, which need not be there
/// yet. A directory is refused (exit code 2). On failure (full disk, no permission) fails with exit
/// code 1 and leaves neither a new nor a partial file.
void write_file(const std::string& path, std::string_view bytes);

struct NamedBytes {
  std::string path, bytes;
};

/// The same of several files, on disk before the first of them is renamed: where one cannot be
/// written, none changes.
void write_files(const std::vector<NamedBytes>& files);

/// Adds to the end of a file that is there, so that a reader sees it at once. On failure fails with
/// exit code 1 and leaves the file as it was.
void append_file(const std::string& path, std::string_view bytes);

/// Writes out what was added to a file, so that it survives a power cut; fails with exit code 1.
void sync_file(const std::string& path);

/// Removes a file, if it is there, so that it stays removed after a power cut.
void remove_file(const std::string& path);

/// Refuses to write over what is read: `option` ("--out") names `path`, which is one of `read`
/// (those that are not there are not).
void check_output(const std::string& option, const std::string& path,
                  const std::vector<std::string>& read);

/// Refuses to write a text over a model.
void check_no_model(const std::string& option, const std::string& path);

/// Makes a directory and its parents, which survive a power cut. Returns those that were not there,
/// outermost last. Refuses (exit code 2) a link to a folder that is not there; otherwise fails with
/// exit code 1, and leaves none of them.
std::vector<std::string> make_directory(const std::string& path);

}  // namespace sluice::tools
