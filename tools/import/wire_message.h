// Messages of Protocol Buffers, read in place: https://protobuf.dev/programming-guides/encoding.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "../common/error.h"

namespace sluice::tools {

/// A field of a message: a number, or the bytes of a text, a message or packed numbers.
struct WireField {
  int number = 0;
  bool is_bytes = false;
  std::uint64_t value = 0;  ///< of a field that is a number: its bits
  std::string_view bytes;

  std::int64_t whole() const { return std::int64_t(value); }
  float real() const {
    const auto bits = std::uint32_t(value);
    float number_of_bits;
    std::memcpy(&number_of_bits, &bits, sizeof bits);
    return number_of_bits;
  }
};

/// Takes the fields of a message one after another.
class WireMessage {
 public:
  WireMessage(std::string_view bytes, const std::string& file) : rest_(bytes), file_(&file) {}

  /// Takes the next field. Returns false at the end.
  bool next(WireField& field) {
    if (rest_.empty()) return false;
    const std::uint64_t tag = varint();
    field = {};
    field.number = int(tag >> 3 & 0x1fffffff);
    switch (tag & 7) {
      case 0:
        field.value = varint();
        break;
      case 1:
        field.value = fixed<std::uint64_t>();
        break;
      case 2: {
        const std::uint64_t size = varint();
        if (size > rest_.size()) damaged();
        field.is_bytes = true;
        field.bytes = rest_.substr(0, std::size_t(size));
        rest_.remove_prefix(std::size_t(size));
        break;
      }
      case 5:
        field.value = fixed<std::uint32_t>();
        break;
      default:
        damaged();
    }
    if (field.number == 0) damaged();
    return true;
  }

  /// Takes a number of 7 bits a byte.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) damaged();
      const auto byte = std::uint8_t(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    damaged();
  }
  template <class T>
  T fixed() {
    if (rest_.size() < sizeof(T)) damaged();
    T value;
    rest_.copy(reinterpret_cast<char*>(&value), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  bool empty() const { return rest_.empty(); }
  [[noreturn]] void damaged() const {
    refuse("{}: not a graph of TensorFlow, or a damaged one; freeze the model again", *file_);
  }

 private:
  std::string_view rest_;
  const std::string* file_;
};

}  // namespace sluice::tools
