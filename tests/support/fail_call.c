// A library for LD_PRELOAD that makes one call fail, or ends the process there, and lists calls
// that change files.
//   FAIL_CALL  memory: malloc and its kin; disk: calls that open a file to write, write, sync,
//              rename, remove or make a folder
//   FAIL_AT    the number of the call that fails, counted from 1 when the process begins
//   FAIL_HOW   kill: the process ends in place of the call; else the call fails, for lack of memory
//              or with an error of the disk
//   CALL_LOG   a file that gets a line for each of the disk's calls: the call's name and the path
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void*, size_t),
    *__libc_memalign(size_t, size_t);

enum kind { memory, disk };

static int is_the_one(enum kind kind) {
  static long calls[2];
  const char* const which = getenv("FAIL_CALL");
  const char* const at = getenv("FAIL_AT");
  const long number = __atomic_add_fetch(&calls[kind], 1, __ATOMIC_RELAXED);
  if (!which || !at || strcmp(which, kind == memory ? "memory" : "disk") != 0 || number != atol(at))
    return 0;
  const char* const how = getenv("FAIL_HOW");
  if (how && strcmp(how, "kill") == 0) kill(getpid(), SIGKILL);
  errno = kind == memory ? ENOMEM : EIO;
  return 1;
}

void* malloc(size_t n) { return is_the_one(memory) ? NULL : __libc_malloc(n); }
void* calloc(size_t n, size_t size) { return is_the_one(memory) ? NULL : __libc_calloc(n, size); }
void* realloc(void* p, size_t n) { return is_the_one(memory) ? NULL : __libc_realloc(p, n); }
void* aligned_alloc(size_t alignment, size_t n) {
  return is_the_one(memory) ? NULL : __libc_memalign(alignment, n);
}

#define REAL(name) ((__typeof__(name)*)dlsym(RTLD_NEXT, #name))

static int fails(const char* call, const char* path) {
  const char* const log = getenv("CALL_LOG");
  char line[PATH_MAX + 32];
  if (log) {
    const int n = snprintf(line, sizeof line, "%s %s\n", call, path);
    const int fd = REAL(open)(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (REAL(write)(fd, line, (size_t)n) < n) abort();
    close(fd);
  }
  return is_the_one(disk);
}

static int fails_at(const char* call, int fd) {
  char link[32], path[PATH_MAX] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (readlink(link, path, sizeof path - 1) < 0 || path[0] != '/' || strncmp(path, "/dev/", 5) == 0)
    return 0;  // no file
  return fails(call, path);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  if ((flags & O_ACCMODE) != O_RDONLY && strncmp(path, "/dev/", 5) != 0 && fails("open", path))
    return -1;
  return REAL(open)(path, flags, mode);
}
int mkostemp(char* path, int flags) {
  return fails("mkostemp", path) ? -1 : REAL(mkostemp)(path, flags);
}
ssize_t write(int fd, const void* bytes, size_t n) {
  return fails_at("write", fd) ? -1 : REAL(write)(fd, bytes, n);
}
int ftruncate(int fd, off_t size) {
  return fails_at("ftruncate", fd) ? -1 : REAL(ftruncate)(fd, size);
}
int fsync(int fd) { return fails_at("fsync", fd) ? -1 : REAL(fsync)(fd); }
int rename(const char* from, const char* to) {
  return fails("rename", to) ? -1 : REAL(rename)(from, to);
}
int unlink(const char* path) { return fails("unlink", path) ? -1 : REAL(unlink)(path); }
int remove(const char* path) { return fails("unlink", path) ? -1 : REAL(remove)(path); }
int mkdir(const char* path, mode_t mode) {
  return fails("mkdir", path) ? -1 : REAL(mkdir)(path, mode);
}
