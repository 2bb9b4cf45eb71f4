// Standard output and standard error. A failed write to standard output is an error.
#pragma once
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tools {

/// Writes data to standard output, byte for byte; on a terminal control characters become '?'. If
/// the write fails (disk full), fails with exit code 1; without a message if the reader closed the
/// pipe.
void print_text(std::string_view text);

/// Writes lines for people; control characters, which names and paths may contain, become '?'.
/// Fails as print_text() does.
void print_lines(std::string_view text);

/// Flushes standard output. Fails as print_text() does.
void flush_output();

/// Writes to standard error at once, byte for byte; pass quoted names through printable(). Ignores
/// a failed write, since a lost message must not end a training.
void write_stderr(std::string_view text);

/// Keeps a line of advice for standard error, the same line only once in a process: files are read
/// several times by a search or a comparison. The next text on standard error, or the end of the
/// command, comes after it. A request that is refused drops it, since a refusal is one line.
void tell_once(const std::string& line);
void drop_untold();

/// Returns the text as a message may quote it: printable, and cut to at most `most` bytes at the
/// end of a character, with "..." in place of the rest.
std::string brief(std::string_view text, std::size_t most = 60);

/// Turns off both standard output and standard error: another process speaks for this one
/// (ranks.h).
void silence_output();

/// Returns the columns of the terminal behind a file descriptor; 80 if it is not a terminal.
int terminal_width(int file);

template <class... Args>
void print(fmt::format_string<Args...> text, Args&&... args) {
  print_lines(fmt::format(text, std::forward<Args>(args)...));
}

/// Returns 1234567 as "1,234,567".
std::string with_commas(std::uint64_t n);

/// Returns the text as a terminal may show it in one line: control characters, those of C1 too,
/// become '?'; other invalid UTF-8 stays.
std::string printable(std::string_view text);

/// Returns the rows as aligned columns, two blanks apart. Cells that begin with a digit are aligned
/// to the right, and so is their heading. The first row is the heading.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace sluice::tools
