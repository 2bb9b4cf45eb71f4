// SQLite with our manners: a statement is prepared, bound and stepped by name of what it does; what
// fails is an Error.
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
  enum Mode { read, write, make };  ///< make: a file that must not be there yet, or is empty
  /// Refused (exit code 2) where the file is no database; fails (1) where it cannot be opened so.
  Database(const std::string& file, Mode mode);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// Statements without values or rows.
  void run(const char* sql);

  std::string file;
  sqlite3* handle = nullptr;
};

/// Of a database, in this order: Statement s(db, "SELECT ... WHERE a = ?"); s.bind(1, x); while
/// (s.step()) s.number(0) ...
struct Statement {
  Statement(Database& database, const char* sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  Statement& bind(int place, std::int64_t value);
  Statement& bind(int place, double value);  ///< NaN: NULL
  Statement& bind(int place, std::string_view text);
  Statement& bind_blob(int place, std::string_view bytes);
  Statement& bind_null(int place);
  /// Values in order, from the first place on.
  template <class... Values>
  Statement& with(const Values&... values) {
    int place = 0;
    (bind_one(++place, values), ...);
    return *this;
  }

  /// whether there is a row; binds stay, but the next step after the last row begins anew
  bool step();
  void done();  ///< steps a statement that has no rows, and makes it ready for other values

  /// Values of the row; one of another type is refused (exit code 2): what should hold numbers may
  /// hold anything.
  std::int64_t whole(int column) const;
  double real(int column) const;       ///< NULL: NaN
  std::string text(int column) const;  ///< and blobs
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

/// What other processes see at once or never. Waits up to 30 s for its turn, then fails.
struct Transaction {
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();  ///< takes back what was not committed
  void commit();

 private:
  Database& database;
  bool open = true;
};

}  // namespace sluice::tools
