// Reads and writes whole files. A file is written under a temporary name beside the target, flushed
// to disk and renamed, so that no reader ever sees a partial file.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// Returns the file's bytes. Refuses (exit code 2) a missing or unreadable file and a directory.
std::string read_file(const std::string& path);

/// Replaces the file; if the path is a link, replaces the file that it leads to, which need not
/// exist. Refuses (exit code 2) a directory. On failure (full disk, no permission) fails with exit
/// code 1 and leaves neither a new nor a partial file.
void write_file(const std::string& path, std::string_view bytes);

struct NamedBytes {
  std::string path, bytes;
};

/// Does the same for several files. All are on disk before the first one is renamed; if one cannot
/// be written, none changes.
/// @param before  is called when all are on disk and none is renamed, for words that a user is to
///                read before a file changes, and not beside an error; empty: nothing
void write_files(const std::vector<NamedBytes>& files, const std::function<void()>& before = {});

/// Appends to an existing file, so that a reader sees the bytes at once. On failure fails with exit
/// code 1 and leaves the file as it was.
void append_file(const std::string& path, std::string_view bytes);

/// Flushes appended bytes to disk, so that they survive a power cut. On failure fails with exit
/// code 1.
void sync_file(const std::string& path);

/// Removes a file if it exists, so that it stays removed after a power cut.
void remove_file(const std::string& path);

/// Refuses to overwrite an input: `option` ("--out") gives `path`, which must not be one of `read`.
/// Files that do not exist count as different.
void check_output(const std::string& option, const std::string& path,
                  const std::vector<std::string>& read);

/// Refuses to overwrite a model with a text.
void check_no_model(const std::string& option, const std::string& path);

/// Creates a directory and its parents, so that they survive a power cut. Returns those that were
/// new, outermost last. Refuses (exit code 2) a link to a missing folder; any other failure has
/// exit code 1 and leaves none of them.
std::vector<std::string> make_directory(const std::string& path);

}  // namespace sluice::tools
