// Files in a zip archive, as .keras and .pt are.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// A zip archive whose bytes are in memory, where they must stay.
class ZipFile {
 public:
  /// Refuses (exit code 2) bytes that are not a zip archive, and a build without libzip. So do the
  /// functions below, with a damaged file.
  ZipFile(std::string_view bytes, std::string file);
  ~ZipFile();
  ZipFile(const ZipFile&) = delete;
  ZipFile& operator=(const ZipFile&) = delete;

  std::vector<std::string> names() const;
  /// Returns a file of the archive; nothing if there is none of that name. Refuses it if all that
  /// was read would have more than twice the bytes of the archive and 256 KiB.
  std::optional<std::string> read(const std::string& name) const;

 private:
  struct Archive;
  std::unique_ptr<Archive> archive_;
  std::string file_;
  mutable std::size_t room_ = 0;  ///< bytes that may still be read
};

/// Returns whether bytes begin as a zip archive.
bool is_zip(std::string_view bytes);

}  // namespace sluice::tools
