#include "zip_archive.h"

#include <new>

#include "error.h"

#if SLUICE_WITH_ZIP
#include <zip.h>
#endif

namespace sluice::tools {

#if SLUICE_WITH_ZIP
namespace {

struct Close {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

void need_memory(int zip_error) {
  if (zip_error == ZIP_ER_MEMORY) throw std::bad_alloc();
}

}  // namespace

struct ZipEntry::State {
  std::unique_ptr<zip_file_t, Close> file;
  zip_stat_t stat;
  std::string name;
};

struct ZipArchive::State {
  std::unique_ptr<zip_t, Close> archive;
};

std::uint64_t ZipEntry::size() const { return state_->stat.size; }
std::uint64_t ZipEntry::compressed() const { return state_->stat.comp_size; }

void ZipEntry::read_to(std::string& bytes, std::size_t size) {
  char piece[1 << 16];
  zip_int64_t got = 0;
  while (bytes.size() < size && (got = zip_fread(state_->file.get(), piece, sizeof piece)) > 0)
    bytes.append(piece, std::size_t(got));
  if (got < 0) need_memory(zip_error_code_zip(zip_file_get_error(state_->file.get())));
  if (got < 0) refuse("{}: damaged in the archive; write it again", state_->name);
}

ZipArchive::ZipArchive(std::string_view bytes, const std::string& file, const std::string& kind,
                       const std::string& advice)
    : state_(std::make_unique<State>()) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  zip_t* archive = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (!archive) {
    const std::string why = zip_error_strerror(&error);
    const int code = zip_error_code_zip(&error);
    if (source) zip_source_free(source);
    zip_error_fini(&error);
    need_memory(code);
    refuse("{}: not a {} ({}); {}", file, kind, why, advice);
  }
  zip_error_fini(&error);
  state_->archive.reset(archive);
}

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> names;
  zip_t* const archive = state_->archive.get();
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
    const char* const name = zip_get_name(archive, zip_uint64_t(i), 0);
    names.emplace_back(name ? name : "");
  }
  return names;
}

std::optional<std::uint64_t> ZipArchive::find(const std::string& name) const {
  const zip_int64_t index = zip_name_locate(state_->archive.get(), name.c_str(), 0);
  return index < 0 ? std::nullopt : std::optional<std::uint64_t>(std::uint64_t(index));
}

ZipEntry ZipArchive::open(std::uint64_t index, const std::string& name) const {
  auto entry = std::make_unique<ZipEntry::State>();
  zip_t* const archive = state_->archive.get();
  entry->file.reset(zip_fopen_index(archive, index, 0));
  entry->name = name;
  if (!entry->file) need_memory(zip_error_code_zip(zip_get_error(archive)));
  if (!entry->file || zip_stat_index(archive, index, 0, &entry->stat) != 0)
    refuse("{}: cannot be read from the archive; write it again", name);
  return ZipEntry(std::move(entry));
}

std::string ZipArchive::read(std::uint64_t index, const std::string& name,
                             std::uint64_t most) const {
  ZipEntry entry = open(index, name);
  if (entry.size() > most || entry.size() / most_inflation > entry.compressed())
    refuse("{}: inflates to {} bytes, many times its size in the archive; give the file of a model",
           name, entry.size());
  std::string bytes;
  bytes.reserve(std::size_t(entry.size()));
  entry.read_to(bytes, std::size_t(entry.size()) + 1);  // to the end, where the checksum is
  if (bytes.size() != entry.size())
    refuse("{}: damaged in the archive; write the file again", name);
  return bytes;
}

std::string write_zip(const std::vector<std::pair<std::string, std::string>>& files,
                      const std::string&) {
  // libzip fails here only if memory is missing.
  const auto need = [](bool done) {
    if (!done) throw std::bad_alloc();
  };
  struct Free {
    void operator()(zip_source_t* source) const { zip_source_free(source); }
  };
  zip_source_t* const buffer = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  need(buffer);
  const std::unique_ptr<zip_source_t, Free> written(buffer);
  zip_source_keep(buffer);  // the archive frees it once
  std::unique_ptr<zip_t, Close> archive(zip_open_from_source(buffer, ZIP_TRUNCATE, nullptr));
  if (!archive) zip_source_free(buffer);
  need(archive != nullptr);
  for (const auto& [path, bytes] : files) {
    constexpr zip_uint16_t midnight = 0, first_day = 1 << 5 | 1;  // of 1980
    zip_source_t* const source = zip_source_buffer(archive.get(), bytes.data(), bytes.size(), 0);
    need(source);
    const zip_int64_t index = zip_file_add(archive.get(), path.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) zip_source_free(source);
    need(index >= 0 &&
         zip_set_file_compression(archive.get(), zip_uint64_t(index), ZIP_CM_STORE, 0) == 0 &&
         zip_file_set_dostime(archive.get(), zip_uint64_t(index), midnight, first_day, 0) == 0);
  }
  need(zip_close(archive.get()) == 0);
  static_cast<void>(archive.release());  // zip_close() has freed it
  zip_stat_t stat;
  need(zip_source_stat(buffer, &stat) == 0 && zip_source_open(buffer) == 0);
  std::string bytes(std::size_t(stat.size), '\0');
  const zip_int64_t got = zip_source_read(buffer, bytes.data(), bytes.size());
  zip_source_close(buffer);
  need(got == zip_int64_t(bytes.size()));
  return bytes;
}

#else

struct ZipEntry::State {};
struct ZipArchive::State {};

std::uint64_t ZipEntry::size() const { return 0; }
std::uint64_t ZipEntry::compressed() const { return 0; }
void ZipEntry::read_to(std::string&, std::size_t) {}
ZipArchive::ZipArchive(std::string_view, const std::string& file, const std::string& kind,
                       const std::string&) {
  refuse(
      "{}: is a {}, a zip archive, and this build is without libzip; install libzip-dev and "
      "build again",
      file, kind);
}
std::vector<std::string> ZipArchive::names() const { return {}; }
std::optional<std::uint64_t> ZipArchive::find(const std::string&) const { return std::nullopt; }
ZipEntry ZipArchive::open(std::uint64_t, const std::string&) const { return ZipEntry(nullptr); }
std::string ZipArchive::read(std::uint64_t, const std::string&, std::uint64_t) const { return ""; }
std::string write_zip(const std::vector<std::pair<std::string, std::string>>&,
                      const std::string& name) {
  refuse("{}: this build is without libzip; install libzip-dev and build again", name);
}

#endif

ZipEntry::ZipEntry(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZipEntry::ZipEntry(ZipEntry&&) noexcept = default;
ZipEntry::~ZipEntry() = default;
ZipArchive::ZipArchive(ZipArchive&&) noexcept = default;
ZipArchive::~ZipArchive() = default;

}  // namespace sluice::tools
