#include "print.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#include "error.h"
#include "runtime/tokens.h"

namespace sluice::tools {
namespace {

/// Returns the columns that a text takes on a terminal; continuation bytes of UTF-8 take none.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool silent = false;

/// Lines of advice that are not on standard error yet.
struct Untold {
  std::mutex mutex;
  std::set<std::string> known;
  std::string text;
  std::string take() {
    const std::lock_guard lock(mutex);
    return std::exchange(text, "");
  }
} untold;

/// Returns the text with '?' for each control character of C0, C1 and DEL, except those in `kept`.
/// Other bytes that are not UTF-8 stay; one of 0x80 to 0x9F becomes '?', since a terminal that
/// reads bytes takes it for a control character.
std::string without_controls(std::string_view text, std::string_view kept) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  std::string result;
  result.reserve(text.size());
  for (std::size_t begin = 0, at = 0; begin < text.size(); begin = at) {
    std::uint32_t c = next_code_point(bytes, text.size(), &at);
    if (c == malformed) c = bytes[begin];
    const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    if (control && kept.find(text[begin]) == kept.npos)
      result += '?';
    else
      result.append(text, begin, at - begin);
  }
  return result;
}

void write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) flush_output();
}

constexpr std::string_view layout = "\n\t";  ///< control characters that stay in lines

bool is_number(const std::string& cell) {
  return !cell.empty() && cell[0] >= '0' && cell[0] <= '9';
}

}  // namespace

void silence_output() { silent = true; }

void flush_output() {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return;
  if (errno == EPIPE) throw Error(1, "");  // the reader closed the pipe: nothing to report
  fail("standard output: cannot be written: {}", std::strerror(errno));
}

void print_text(std::string_view text) {
  if (silent) return;
  if (isatty(STDOUT_FILENO))
    write_out(without_controls(text, layout));
  else
    write_out(text);
}

void print_lines(std::string_view text) {
  if (!silent) write_out(without_controls(text, layout));
}

void tell_once(const std::string& line) {
  const std::lock_guard lock(untold.mutex);
  if (untold.known.insert(line).second) untold.text += printable(line) + "\n";
}

void drop_untold() { untold.take(); }

void write_stderr(std::string_view text) {
  if (silent) return;
  const std::string before = untold.take();
  std::fwrite(before.data(), 1, before.size(), stderr);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  std::clearerr(stderr);
}

std::string brief(std::string_view text, std::size_t most) {
  if (text.size() <= most) return printable(text);
  std::size_t end = most;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return printable(text.substr(0, end)) + "...";
}

int terminal_width(int file) {
  winsize size{};
  return ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string with_commas(std::uint64_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string printable(std::string_view text) { return without_controls(text, ""); }

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    right.resize(widths.size());
    for (std::size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], width(row[c]));
      if (&row != &rows.front() && is_number(row[c])) right[c] = true;
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string fill(widths[c] - width(row[c]), ' ');
      line += (c ? "  " : "") + (right[c] ? fill + row[c] : row[c] + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace sluice::tools
