#include "zip_file.h"

#include <cstdint>

#include "../common/error.h"
#include "../common/print.h"

namespace sluice::tools {

ZipFile::ZipFile(std::string_view bytes, std::string file)
    : file_(std::move(file)),
      archive_(bytes, file_, "zip archive that can be read", "the file is cut off or damaged"),
      room_(2 * bytes.size() + (256 << 10)) {}

std::optional<std::string> ZipFile::read(const std::string& name) const {
  const std::optional<std::uint64_t> index = archive_.find(name);
  if (!index) return std::nullopt;
  std::string bytes = archive_.read(*index, fmt::format("{}: {}", file_, brief(name)), room_);
  room_ -= bytes.size();
  return bytes;
}

bool is_zip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04"); }

}  // namespace sluice::tools
