// Standard output, with the manners of a file: what could not be written is an error.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// Writes data to standard output, byte for byte; a terminal gets '?' for control characters. Fails
/// with exit code 1 if it cannot: the disk is full, or, without a word, the reader went away.
void print_text(std::string_view text);

/// Writes lines for people, with '?' for control characters: names and paths may hold any. Fails as
/// print_text() does.
void print_lines(std::string_view text);

/// Writes out what is buffered, as print_text does.
void flush_output();

/// Writes to standard error at once, byte for byte: printable() is for what is quoted. Where that
/// fails, work goes on: a lost message must not cost a training.
void tell(std::string_view text);

/// From now on, neither of them: another process speaks for this one (ranks.h).
void say_nothing();

template <class... Args>
void print(fmt::format_string<Args...> text, Args&&... args) {
  print_lines(fmt::format(text, std::forward<Args>(args)...));
}

/// 1234567 as "1,234,567".
std::string with_commas(std::uint64_t n);

/// Text as a line of a terminal may show it: control characters, C1's too, as '?', other invalid
/// UTF-8 as it is.
std::string printable(std::string_view text);

/// Columns as wide as their widest cell, two blanks apart; a cell that begins with a digit goes to
/// the right, as does its heading. The first row is the heading.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace sluice::tools
