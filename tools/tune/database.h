// A thin layer over SQLite: statements are prepared, bound and stepped; a failure is an Error.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::tools {

struct Database {
  enum Mode { read, write, make };  ///< make: creates a file, which must be missing or empty
  /// Refuses (exit code 2) a file that is not a database; fails (1) if it cannot be opened in this
  /// mode.
  Database(const std::string& file, Mode mode);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Runs statements without values or rows.
  void run(const char* sql);

  std::string file;
  sqlite3* handle = nullptr;
};

/// A prepared statement, used in this order: Statement s(db, "SELECT ... WHERE a = ?"); s.bind(1,
/// x); while (s.step()) s.number(0) ...
struct Statement {
  Statement(Database& database, const char* sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  Statement& bind(int place, std::int64_t value);
  Statement& bind(int place, double value);  ///< NaN is stored as NULL
  Statement& bind(int place, std::string_view text);
  Statement& bind_blob(int place, std::string_view bytes);
  Statement& bind_null(int place);
  /// Binds values in order, from the first place on.
  template <class... Values>
  Statement& with(const Values&... values) {
    int place = 0;
    (bind_one(++place, values), ...);
    return *this;
  }

  /// Returns whether there is a row. Bound values stay, but a step after the last row starts again.
  bool step();
  void done();  ///< runs a statement that has no rows, and makes it ready for other values

  /// Return values of the row. A value of another type is refused (exit code 2), since a damaged
  /// file may hold anything.
  std::int64_t whole(int column) const;
  double real(int column) const;       ///< NULL is NaN
  std::string text(int column) const;  ///< text or a blob
  bool null(int column) const;

 private:
  void need_type(int column, std::initializer_list<int> types, const char* expected) const;
  void bind_one(int place, double value) { bind(place, value); }
  void bind_one(int place, std::string_view value) { bind(place, value); }
  template <class Whole>
    requires std::is_integral_v<Whole>
  void bind_one(int place, Whole value) {
    bind(place, std::int64_t(value));
  }
  Database& database;
  sqlite3_stmt* handle = nullptr;
};

/// A transaction: other processes see all of it at once, or nothing. Waits up to 30 s for its turn,
/// then fails.
struct Transaction {
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();  ///< rolls back unless committed
  void commit();

 private:
  Database& database;
  bool open = true;
};

}  // namespace sluice::tools
