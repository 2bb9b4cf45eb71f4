// A zip archive of a model: the files in it, as many bytes of them as a model of this size has.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../common/zip_archive.h"

namespace sluice::tools {

/// A zip archive whose bytes are in memory, where they must stay.
class ZipFile {
 public:
  /// Refuses (exit code 2) bytes that are not a zip archive, and a build without libzip. So do the
  /// functions below, with a damaged file.
  ZipFile(std::string_view bytes, std::string file);

  std::vector<std::string> names() const { return archive_.names(); }
  /// Returns a file of the archive; nothing if there is none of that name. Refuses one with which
  /// all files that were read have more than twice the bytes of the archive and 256 KiB.
  std::optional<std::string> read(const std::string& name) const;

 private:
  std::string file_;
  ZipArchive archive_;
  mutable std::size_t room_;  ///< bytes that may still be read
};

/// Returns whether bytes begin as a zip archive.
bool is_zip(std::string_view bytes);

}  // namespace sluice::tools
