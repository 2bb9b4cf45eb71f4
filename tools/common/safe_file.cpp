#include "safe_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "error.h"

namespace sluice::tools {
namespace fs = std::filesystem;
namespace {

/// Closes a file descriptor at the end of a scope.
struct Descriptor {
  int fd;
  explicit Descriptor(int number) : fd(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

std::string read_all(int fd, const std::string& path) {
  std::string bytes;
  struct stat status{};
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
    bytes.reserve(static_cast<std::size_t>(status.st_size));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n == 0) return bytes;
    if (n > 0) bytes.append(buffer, static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR) refuse("{}: cannot be read: {}", path, std::strerror(errno));
  }
}

/// Writes all bytes. Returns 0 or the errno of the failure.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR) return errno;
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

const char* advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "make room, or choose another place";
    case ENOENT:
      return "create the folder first";
    default:
      return "choose a writable place";
  }
}

[[noreturn]] void cannot_write(const std::string& path, int error) {
  fail("{}: cannot be written: {}; {}", path, std::strerror(error), advice(error));
}

/// Writes the bytes to an open file and flushes it to disk. Returns 0 or the errno of the failure.
int write_and_sync(int fd, std::string_view bytes, mode_t mode) {
  if (const int error = write_all(fd, bytes)) return error;
  if (fchmod(fd, mode) != 0) return errno;
  return fsync(fd) == 0 ? 0 : errno;
}

/// Returns the access rights of a new file: those of the file that it replaces, else those that the
/// umask allows.
mode_t mode_for(const std::string& target) {
  struct stat status{};
  if (stat(target.c_str(), &status) == 0) return status.st_mode & 07777;
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

/// Flushes a folder's entries, so that a file's new name or removal survives a power cut. A file
/// system that cannot do this is no error, since the file itself is on disk.
void sync_folder(const fs::path& folder) {
  const Descriptor directory(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.fd >= 0) fsync(directory.fd);
}

/// Returns the path that a link leads to, through further links, whether or not a file exists
/// there. A rename to the link itself would replace the link.
std::string target_of(const std::string& path) {
  constexpr int most_links = 40;  // as in Linux
  std::error_code none;
  fs::path target = path;
  for (int links = 0; fs::is_symlink(target, none); ++links) {
    if (links == most_links) cannot_write(path, ELOOP);
    // an absolute link replaces the folder
    target = target.parent_path() / fs::read_symlink(target, none);
  }
  return target.string();
}

/// A complete file on disk under a temporary name.
struct Staged {
  std::string path, target, temporary;

  Staged(const std::string& name, std::string to, std::string_view bytes)
      : path(name), target(std::move(to)), temporary(target + ".XXXXXX") {
    const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
    if (file.fd < 0) cannot_write(path, errno);
    if (const int error = write_and_sync(file.fd, bytes, mode_for(target))) {
      unlink(temporary.c_str());
      cannot_write(path, error);
    }
  }
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;
  ~Staged() {
    if (!temporary.empty()) unlink(temporary.c_str());
  }

  void keep() {
    if (rename(temporary.c_str(), target.c_str()) != 0) cannot_write(path, errno);
    temporary.clear();
    sync_folder(fs::path(target).parent_path());
  }
};

void write_device(const std::string& path, std::string_view bytes) {
  const Descriptor device(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (device.fd < 0) cannot_write(path, errno);
  if (const int error = write_all(device.fd, bytes)) cannot_write(path, error);
}

}  // namespace

std::string read_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0 && errno == ENOENT) refuse("{}: no such file; check the path", path);
  if (file.fd < 0) refuse("{}: cannot be read: {}", path, std::strerror(errno));
  struct stat status{};
  if (fstat(file.fd, &status) == 0 && S_ISDIR(status.st_mode))
    refuse("{}: is a directory; give a file", path);
  return read_all(file.fd, path);
}

void write_file(const std::string& path, std::string_view bytes) {
  std::vector<NamedBytes> files;  // not a list, which would copy the bytes once more
  files.push_back({path, std::string(bytes)});
  write_files(files);
}

void write_files(const std::vector<NamedBytes>& files, const std::function<void()>& before) {
  std::vector<std::unique_ptr<Staged>> staged;
  for (const NamedBytes& file : files) {
    struct stat status{};
    const bool exists = stat(file.path.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) refuse("{}: is a directory; give a file", file.path);
    if (exists && !S_ISREG(status.st_mode))  // a rename would replace a device or a pipe
      write_device(file.path, file.bytes);
    else
      staged.push_back(std::make_unique<Staged>(file.path, target_of(file.path), file.bytes));
  }
  if (before) before();
  for (const auto& one : staged) one->keep();
}

void append_file(const std::string& path, std::string_view bytes) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (file.fd < 0) cannot_write(path, errno);
  const off_t before = lseek(file.fd, 0, SEEK_END);
  const int error = write_all(file.fd, bytes);
  if (!error) return;
  [[maybe_unused]] const int cut = ftruncate(file.fd, before);
  cannot_write(path, error);
}

void sync_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0 || fsync(file.fd) != 0) cannot_write(path, errno);
}

void remove_file(const std::string& path) {
  std::error_code ignored;
  if (fs::remove(path, ignored)) sync_folder(fs::path(path).parent_path());
}

void check_output(const std::string& option, const std::string& path,
                  const std::vector<std::string>& read) {
  std::error_code none;
  for (const std::string& source : read)
    if (!path.empty() && (path == source || fs::equivalent(path, source, none)))
      refuse("{} {}: is an input of this command; give another file", option, path);
}

void check_no_model(const std::string& option, const std::string& path) {
  constexpr std::string_view magic = "SLU\x1A";
  std::error_code none;
  if (fs::is_regular_file(path, none) && read_file(path).starts_with(magic))
    refuse("{} {}: is a model; give another file", option, path);
}

std::vector<std::string> make_directory(const std::string& path) {
  std::error_code unknown;
  fs::path folder = fs::absolute(path).lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();
  if (fs::is_symlink(folder, unknown) && !fs::exists(folder, unknown))
    refuse("{}: is a link to a missing folder; create that folder, or give another one", path);
  std::vector<std::string> missing;
  for (fs::path p = folder; !fs::exists(p, unknown) && p != p.parent_path(); p = p.parent_path())
    missing.push_back(p.string());
  int error = missing.empty() && !fs::is_directory(folder, unknown) ? ENOTDIR : 0;
  std::size_t made = 0;
  for (; made < missing.size() && !error; ++made) {
    const std::string& next = missing[missing.size() - 1 - made];
    if (mkdir(next.c_str(), 0777) != 0 && !(errno == EEXIST && fs::is_directory(next, unknown)))
      error = errno;
    if (error) break;
    sync_folder(fs::path(next).parent_path());
  }
  if (!error) return missing;
  while (made > 0) rmdir(missing[missing.size() - made--].c_str());
  fail("{}: the directory cannot be created: {}; {}", path, std::strerror(error), advice(error));
}

}  // namespace sluice::tools
