// Tables of a FlatBuffers file, read in place: https://flatbuffers.dev/internals. Every place is
// checked when it is read, so that a file may hold any bytes.
#pragma once
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../common/error.h"

namespace sluice::tools {

class FlatFile;

/// A vector of numbers or of tables.
struct FlatVector {
  std::size_t at = 0, count = 0;
};

/// A table: its fields are known by their numbers in the schema, counted from 0.
class FlatTable {
 public:
  FlatTable(const FlatFile& file, std::size_t at);

  /// Returns a number, or another one if the table does not have it.
  template <class T>
  T number(int field, T otherwise) const;
  /// Returns a text, which lies in the file; empty if there is none.
  std::string_view text(int field) const;
  std::optional<FlatTable> table(int field) const;
  /// Returns a vector whose elements have this many bytes; an empty one if there is none.
  FlatVector vector(int field, std::size_t element) const;
  template <class T>
  std::vector<T> numbers(int field) const;
  /// Returns the bytes of a vector of bytes, which lie in the file.
  std::string_view bytes(int field) const;
  /// Returns a table of a vector of tables.
  FlatTable element(const FlatVector& vector, std::size_t i) const;

 private:
  /// Returns the place of a field; 0 if the table does not have it.
  std::size_t place(int field) const;
  const FlatFile* file_;
  std::size_t at_, fields_ = 0, fields_end_ = 0;
};

class FlatFile {
 public:
  FlatFile(std::string_view bytes, const std::string& file)
      : bytes_(bytes), file_(file), left_(4 * bytes.size() + 65536) {}

  FlatTable root() const { return {*this, offset(0)}; }

  template <class T>
  T number(std::size_t at) const {
    if (at > bytes_.size() || bytes_.size() - at < sizeof(T)) damaged();
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  /// Returns the place that the offset at a place says.
  std::size_t offset(std::size_t at) const {
    const std::size_t to = at + number<std::uint32_t>(at);
    if (to >= bytes_.size()) damaged();
    return to;
  }
  std::string_view part(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) damaged();
    return bytes_.substr(at, size);
  }
  /// Counts bytes that are taken out of the file. Parts of a file may lie in one place, so a small
  /// file could say an endless number of them.
  void take(std::size_t size) const {
    if (size > left_) refuse("{}: its parts overlap many times; it is damaged or hostile", file_);
    left_ -= size;
  }
  [[noreturn]] void damaged() const {
    refuse("{}: a damaged file: a part of it lies outside; convert the model again", file_);
  }

 private:
  std::string_view bytes_;
  const std::string& file_;
  mutable std::size_t left_;
};

inline FlatTable::FlatTable(const FlatFile& file, std::size_t at) : file_(&file), at_(at) {
  constexpr std::size_t head = 4;  // two sizes
  file.take(sizeof(std::int32_t));
  const std::int64_t fields = std::int64_t(at) - file.number<std::int32_t>(at);
  if (fields < 0) file.damaged();
  const std::size_t size = file.number<std::uint16_t>(std::size_t(fields));
  if (size < head) file.damaged();
  file.part(std::size_t(fields), size);
  fields_ = std::size_t(fields) + head, fields_end_ = std::size_t(fields) + size;
}

inline std::size_t FlatTable::place(int field) const {
  const std::size_t entry = fields_ + 2 * std::size_t(field);
  if (entry + 2 > fields_end_) return 0;
  const std::size_t offset = file_->number<std::uint16_t>(entry);
  return offset == 0 ? 0 : at_ + offset;
}

template <class T>
T FlatTable::number(int field, T otherwise) const {
  const std::size_t at = place(field);
  return at == 0 ? otherwise : file_->number<T>(at);
}

inline FlatVector FlatTable::vector(int field, std::size_t element) const {
  const std::size_t at = place(field);
  if (at == 0) return {};
  const std::size_t begin = file_->offset(at), count = file_->number<std::uint32_t>(begin);
  file_->take(count * element);
  file_->part(begin + sizeof(std::uint32_t), count * element);
  return {begin + sizeof(std::uint32_t), count};
}

inline std::string_view FlatTable::bytes(int field) const {
  const FlatVector found = vector(field, 1);
  return file_->part(found.at, found.count);
}

inline std::string_view FlatTable::text(int field) const { return bytes(field); }

inline std::optional<FlatTable> FlatTable::table(int field) const {
  const std::size_t at = place(field);
  if (at == 0) return std::nullopt;
  return FlatTable(*file_, file_->offset(at));
}

template <class T>
std::vector<T> FlatTable::numbers(int field) const {
  const FlatVector found = vector(field, sizeof(T));
  std::vector<T> values(found.count);
  if (found.count > 0) {
    const std::string_view bytes = file_->part(found.at, found.count * sizeof(T));
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return values;
}

inline FlatTable FlatTable::element(const FlatVector& vector, std::size_t i) const {
  if (i >= vector.count) file_->damaged();
  return {*file_, file_->offset(vector.at + i * sizeof(std::uint32_t))};
}

}  // namespace sluice::tools
