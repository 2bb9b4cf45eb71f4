#include "database.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <new>

#include "../common/error.h"

namespace sluice::tools {
namespace {

constexpr int patience_ms = 30000;  // time to wait for a lock of another process

[[noreturn]] void fail_database(const Database& database, int code) {
  const std::string& file = database.file;
  if (code == SQLITE_IOERR_NOMEM) throw std::bad_alloc();
  switch (code & 0xff) {
    case SQLITE_NOMEM:
      throw std::bad_alloc();
    case SQLITE_ERROR:  // a table or column is missing
      refuse("{}: {}; it is not a study, or it is damaged", file, sqlite3_errmsg(database.handle));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      fail("{}: another process has locked it for longer than {} s", file, patience_ms / 1000);
    case SQLITE_READONLY:
    case SQLITE_PERM:
      fail(
          "{}: is not writable; give another file to --study, or only read it with --list, --show, "
          "--best or --json",
          file);
    case SQLITE_FULL:
      fail("{}: the disk is full; make room, and run the same command again", file);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      refuse("{}: is not a study, or is damaged; give a file that \"sluice tune --study\" made",
             file);
    default:
      fail("{}: {}", file,
           database.handle ? sqlite3_errmsg(database.handle) : sqlite3_errstr(code));
  }
}

void need(const Database& database, int code) {
  if (code != SQLITE_OK) fail_database(database, code);
}

/// Returns a file's name as a URI, as some options need it.
std::string uri_of(const std::string& file, const char* options) {
  std::string text = "file:";
  for (const char c : std::filesystem::absolute(file).string())
    text += c == '?' || c == '#' || c == '%'
                ? fmt::format("%{:02x}", unsigned(static_cast<unsigned char>(c)))
                : std::string(1, c);
  return text + options;
}

/// Returns whether one row can be read, which opens the write-ahead log too.
bool readable(sqlite3* handle) {
  return sqlite3_exec(handle, "SELECT count(*) FROM sqlite_schema", nullptr, nullptr, nullptr) ==
         SQLITE_OK;
}

}  // namespace

Database::Database(const std::string& name, Mode mode) : file(name) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  const auto open = [&](const std::string& path, int flags) {
    sqlite3_close(handle);
    handle = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &handle,
                                     flags | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI, nullptr);
    if (code == SQLITE_OK) sqlite3_busy_timeout(handle, patience_ms);
    return code;
  };
  if (mode != make && !fs::exists(file, unknown))
    refuse("{}: no such file; give a study that \"sluice tune\" made", file);
  if (fs::is_directory(file, unknown)) refuse("{}: is a directory; give a file", file);
  try {
    if (mode != read) {
      const int code =
          open(uri_of(file, ""),
               mode == make ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE);
      if ((code & 0xff) == SQLITE_CANTOPEN)
        fail("{}: cannot be opened for writing; choose a writable place", file);
      need(*this, code);
      if (sqlite3_db_readonly(handle, "main") == 1) fail_database(*this, SQLITE_READONLY);
      run("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
      return;
    }
    // Opened for writing if possible, so that the last reader removes the log; SQLite itself falls
    // back to reading.
    int code = open(uri_of(file, ""), SQLITE_OPEN_READWRITE);
    if (code == SQLITE_OK && !readable(handle)) code = sqlite3_errcode(handle);
    // In a folder that is not writable, a database opens only as an immutable one, and without its
    // log.
    if ((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY) {
      if (const auto size = fs::file_size(file + "-wal", unknown); !unknown && size > 0)
        fail(
            "{}: its log {}-wal can be read only in a folder that is writable; copy both files to "
            "one",
            file, file);
      code = open(uri_of(file, "?immutable=1"), SQLITE_OPEN_READONLY);
    }
    need(*this, code);
  } catch (...) {
    sqlite3_close(handle);
    throw;
  }
}

Database::~Database() { sqlite3_close(handle); }

void Database::run(const char* sql) {
  need(*this, sqlite3_exec(handle, sql, nullptr, nullptr, nullptr));
}

Statement::Statement(Database& of, const char* sql) : database(of) {
  need(database, sqlite3_prepare_v2(database.handle, sql, -1, &handle, nullptr));
}

Statement::~Statement() { sqlite3_finalize(handle); }

Statement& Statement::bind(int place, std::int64_t value) {
  need(database, sqlite3_bind_int64(handle, place, value));
  return *this;
}

Statement& Statement::bind(int place, double value) {
  need(database, std::isnan(value) ? sqlite3_bind_null(handle, place)
                                   : sqlite3_bind_double(handle, place, value));
  return *this;
}

Statement& Statement::bind(int place, std::string_view text) {
  need(database,
       sqlite3_bind_text64(handle, place, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_blob(int place, std::string_view bytes) {
  need(database, sqlite3_bind_blob64(handle, place, bytes.data(), bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind_null(int place) {
  need(database, sqlite3_bind_null(handle, place));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail_database(database, code);
  sqlite3_reset(handle);
  return false;
}

void Statement::done() {
  while (step()) {
  }
}

/// Checked because SQLite would convert a value of another type to the requested one.
void Statement::need_type(int column, std::initializer_list<int> types,
                          const char* expected) const {
  const int type = sqlite3_column_type(handle, column);
  if (std::find(types.begin(), types.end(), type) != types.end()) return;
  constexpr const char* names[] = {"", "a whole number", "a number", "a text", "bytes", "nothing"};
  refuse("{}: {} is {}, but must be {}; the study is damaged", database.file,
         sqlite3_column_name(handle, column), names[type], expected);
}

std::int64_t Statement::whole(int column) const {
  need_type(column, {SQLITE_INTEGER}, "a whole number");
  return sqlite3_column_int64(handle, column);
}

double Statement::real(int column) const {
  need_type(column, {SQLITE_FLOAT, SQLITE_INTEGER, SQLITE_NULL}, "a number");
  return null(column) ? std::numeric_limits<double>::quiet_NaN()
                      : sqlite3_column_double(handle, column);
}

std::string Statement::text(int column) const {
  need_type(column, {SQLITE_TEXT, SQLITE_BLOB, SQLITE_NULL}, "a text");
  const void* bytes = sqlite3_column_blob(handle, column);
  const auto size = std::size_t(sqlite3_column_bytes(handle, column));
  return bytes ? std::string(static_cast<const char*>(bytes), size) : std::string();
}

bool Statement::null(int column) const {
  return sqlite3_column_type(handle, column) == SQLITE_NULL;
}

Transaction::Transaction(Database& of) : database(of) { database.run("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (open) sqlite3_exec(database.handle, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database.run("COMMIT");
  open = false;
}

}  // namespace sluice::tools
