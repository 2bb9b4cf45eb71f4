// A zip archive in memory (libzip). Without libzip every archive is refused.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::tools {

/// A file in an archive while it is read.
class ZipEntry {
 public:
  /// Returns the sizes that the archive says, of the file and of its compressed bytes.
  std::uint64_t size() const;
  std::uint64_t compressed() const;
  /// Appends to `bytes` until it has `size` bytes or the file ends. At its end the checksum is
  /// compared. Refuses (exit code 2) damaged bytes.
  void read_to(std::string& bytes, std::size_t size);

  struct State;
  explicit ZipEntry(std::unique_ptr<State> state);
  ZipEntry(ZipEntry&&) noexcept;
  ~ZipEntry();

 private:
  std::unique_ptr<State> state_;
};

class ZipArchive {
 public:
  /// Opens the archive in `bytes`, which must outlive it. Refuses (exit code 2) bytes that are
  /// none.
  /// @param kind    of file, for the message: ".npz file"
  /// @param advice  ends the message
  ZipArchive(std::string_view bytes, const std::string& file, const std::string& kind,
             const std::string& advice);
  ZipArchive(ZipArchive&&) noexcept;
  ~ZipArchive();

  std::vector<std::string> names() const;  ///< "" for one that has none
  /// Returns the place of a file among names(); nothing if there is none of that name.
  std::optional<std::uint64_t> find(const std::string& name) const;
  /// Opens a file. `name` is for messages.
  ZipEntry open(std::uint64_t index, const std::string& name) const;
  /// Returns a file's bytes. Refuses (exit code 2) one of more than `most` bytes, and sizes that no
  /// compression reaches.
  std::string read(std::uint64_t index, const std::string& name, std::uint64_t most) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

constexpr std::uint64_t most_inflation = 1032;  ///< the highest ratio of deflate

/// Returns an archive of these files, not compressed, with the same bytes at any time. Refuses
/// (exit code 2) in a build without libzip.
/// @param name  of the archive, for messages
std::string write_zip(const std::vector<std::pair<std::string, std::string>>& files,
                      const std::string& name);

}  // namespace sluice::tools
