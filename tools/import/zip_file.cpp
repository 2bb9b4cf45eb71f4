#include "zip_file.h"

#include <new>

#include "../common/error.h"
#include "../common/print.h"

#if SLUICE_WITH_ZIP
#include <zip.h>
#endif

namespace sluice::tools {

bool is_zip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04"); }

#if SLUICE_WITH_ZIP
namespace {

void need_memory(int zip_error) {
  if (zip_error == ZIP_ER_MEMORY) throw std::bad_alloc();
}

}  // namespace

struct ZipFile::Archive {
  zip_t* zip = nullptr;
  ~Archive() {
    if (zip) zip_discard(zip);
  }
};

ZipFile::ZipFile(std::string_view bytes, std::string file)
    : archive_(std::make_unique<Archive>()),
      file_(std::move(file)),
      room_(2 * bytes.size() + (256 << 10)) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  archive_->zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (archive_->zip) return;
  const std::string why = zip_error_strerror(&error);
  if (source) zip_source_free(source);
  need_memory(zip_error_code_zip(&error));
  refuse("{}: a zip archive that cannot be read ({}); the file is cut off or damaged", file_, why);
}

std::vector<std::string> ZipFile::names() const {
  std::vector<std::string> names;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive_->zip, 0); ++i)
    if (const char* const name = zip_get_name(archive_->zip, zip_uint64_t(i), 0))
      names.emplace_back(name);
  return names;
}

std::optional<std::string> ZipFile::read(const std::string& name) const {
  struct Close {
    void operator()(zip_file_t* f) const { zip_fclose(f); }
  };
  const zip_int64_t index = zip_name_locate(archive_->zip, name.c_str(), 0);
  if (index < 0) return std::nullopt;
  std::unique_ptr<zip_file_t, Close> entry(zip_fopen_index(archive_->zip, zip_uint64_t(index), 0));
  zip_stat_t stat;
  if (!entry) need_memory(zip_error_code_zip(zip_get_error(archive_->zip)));
  if (!entry || zip_stat_index(archive_->zip, zip_uint64_t(index), 0, &stat) != 0)
    refuse("{}: {}: cannot be read from the archive; the file is damaged", file_, brief(name));
  if (stat.size > room_)
    refuse(
        "{}: {}: inflates to {} bytes, many times its size in the archive; give the file of a "
        "model",
        file_, brief(name), stat.size);
  room_ -= std::size_t(stat.size);
  std::string bytes(std::size_t(stat.size), '\0');
  std::size_t filled = 0;
  zip_int64_t got = 0;
  char more = 0;
  while (filled < bytes.size() &&
         (got = zip_fread(entry.get(), bytes.data() + filled, bytes.size() - filled)) > 0)
    filled += std::size_t(got);
  // At the end libzip checks the checksum.
  if (filled == bytes.size()) got = zip_fread(entry.get(), &more, 1);
  if (got < 0) need_memory(zip_error_code_zip(zip_file_get_error(entry.get())));
  if (got != 0 || filled < bytes.size())
    refuse("{}: {}: damaged in the archive; write the file again", file_, brief(name));
  return bytes;
}

#else

struct ZipFile::Archive {};

ZipFile::ZipFile(std::string_view, std::string file) : file_(std::move(file)) {
  refuse("{}: a zip archive, which this build does not read; build with libzip (libzip-dev)",
         file_);
}

std::vector<std::string> ZipFile::names() const { return {}; }

std::optional<std::string> ZipFile::read(const std::string&) const { return std::nullopt; }

#endif

ZipFile::~ZipFile() = default;

}  // namespace sluice::tools
