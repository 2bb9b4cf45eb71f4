// Text without a locale.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::tools {

/// Returns the text without blanks, tabs and CR at its ends.
inline std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
  return first == text.npos ? std::string_view{} : text.substr(first, last - first + 1);
}

/// Returns the text with small letters in place of the capital letters of ASCII.
inline std::string ascii_lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  return result;
}

/// Appends a Unicode code point in UTF-8.
inline void append_utf8(std::string& text, std::uint32_t c) {
  if (c < 0x80) {
    text += char(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr std::uint32_t lead[] = {0, 0xC0, 0xE0, 0xF0};
  text += char(lead[more] | (c >> (6 * more) & (0x3Fu >> more)));
  for (int i = more - 1; i >= 0; --i) text += char(0x80 | (c >> (6 * i) & 0x3F));
}

/// Takes the next line, without its end, from the front of the text. Returns false at its end.
inline bool next_line(std::string_view& text, std::string_view& line) {
  if (text.empty()) return false;
  const std::size_t end = text.find('\n');
  line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return true;
}

}  // namespace sluice::tools
