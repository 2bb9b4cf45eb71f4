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
  struct stat status {};
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) bytes.reserve(static_cast<std::size_t>(status.st_size));
  char buffer[1 << 16];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n == 0) return bytes;
    if (n > 0) bytes.append(buffer, static_cast<std::size_t>(n));
    if (n < 0 && errno != EINTR) refuse("{}: cannot be read: {}", path, std::strerror(errno));
  }
}

/// 0, or the errno of what went wrong.
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
      return "make the folder first";
    default:
      return "choose a place that can be written";
  }
}

[[noreturn]] void cannot_write(const std::string& path, int error) {
  fail("{}: cannot be written: {}; {}", path, std::strerror(error), advice(error));
}

/// A file with these bytes, on disk. 0, or the errno of what went wrong.
int write_and_sync(int fd, std::string_view bytes, mode_t mode) {
  if (const int error = write_all(fd, bytes)) return error;
  if (fchmod(fd, mode) != 0) return errno;
  return fsync(fd) == 0 ? 0 : errno;
}

/// What a new file may be accessed by: the umask's answer, or what the file that it replaces had.
mode_t mode_for(const std::string& target) {
  struct stat status {};
  if (stat(target.c_str(), &status) == 0) return status.st_mode & 07777;
  const mode_t mask = umask(0);
  umask(mask);
  return 0666 & ~mask;
}

/// So that the rename itself survives a power cut. A file system that cannot do it has still renamed: not an error.
void sync_folder(const fs::path& folder) {
  const Descriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.fd >= 0) fsync(directory.fd);
}

/// A file on disk, under a name of its own until it is kept.
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
    const fs::path folder = fs::path(target).parent_path();
    sync_folder(folder.empty() ? "." : folder);
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
  struct stat status {};
  if (fstat(file.fd, &status) == 0 && S_ISDIR(status.st_mode)) refuse("{}: is a directory; name a file", path);
  return read_all(file.fd, path);
}

void write_file(const std::string& path, std::string_view bytes) { write_files({{path, std::string(bytes)}}); }

void write_files(const std::vector<NamedBytes>& files) {
  std::vector<std::unique_ptr<Staged>> staged;
  for (const NamedBytes& file : files) {
    struct stat status {};
    const bool exists = stat(file.path.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) fail("{}: is a directory; name a file", file.path);
    // A rename would replace a device or a pipe by a file, and a link by what it should point to.
    if (exists && !S_ISREG(status.st_mode))
      write_device(file.path, file.bytes);
    else
      staged.push_back(std::make_unique<Staged>(file.path, exists ? fs::canonical(file.path).string() : file.path, file.bytes));
  }
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

void check_output(const std::string& option, const std::string& path, const std::vector<std::string>& read) {
  std::error_code none;
  for (const std::string& source : read)
    if (!path.empty() && (path == source || fs::equivalent(path, source, none)))
      refuse("{} {}: is what is read; give another file", option, path);
}

void check_no_model(const std::string& option, const std::string& path) {
  constexpr std::string_view magic = "SLU\x1A";
  std::error_code none;
  if (fs::is_regular_file(path, none) && read_file(path).starts_with(magic))
    refuse("{} {}: is a model; give another file", option, path);
}

void make_directory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error && !fs::is_directory(path, error)) error = std::make_error_code(std::errc::not_a_directory);
  if (error) fail("{}: the directory cannot be made: {}; {}", path, error.message(), advice(error.value()));
}

}  // namespace sluice::tools
