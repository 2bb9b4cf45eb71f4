// FNV-1a, 64 bits. It tells different data apart; it does not protect against forgery.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

struct Fnv {
  std::uint64_t hash = 14695981039346656037u;
  void byte(unsigned char b) { hash = (hash ^ b) * 1099511628211u; }
  void number(std::uint64_t n) {
    for (int i = 0; i < 8; ++i) byte((unsigned char)(n >> (8 * i)));
  }
  void number(float f) {
    std::uint32_t bits;
    std::memcpy(&bits, &f, 4);
    number(std::uint64_t(std::isnan(f) ? 0x7FC00000u : bits));
  }
  void texts(const std::vector<std::string>& list) {
    number(std::uint64_t(list.size()));
    for (const std::string& text : list) {
      number(std::uint64_t(text.size()));
      for (const char c : text) byte((unsigned char)c);
    }
  }
};

inline std::uint64_t hash_of(std::string_view bytes) {
  Fnv fnv;
  for (const char c : bytes) fnv.byte((unsigned char)c);
  return fnv.hash;
}

}  // namespace sluice::tools
