#include "progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "print.h"

namespace sluice::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t narrow_bar = 6, wide_bar = 20;

std::string bar(std::uint64_t done, std::uint64_t total, std::size_t width) {
  const std::size_t filled =
      std::size_t(std::min(done, total) * width / std::max<std::uint64_t>(total, 1));
  return fmt::format("[{}{}]", std::string(filled, '#'), std::string(width - filled, '.'));
}

}  // namespace

Progress start_progress(std::uint64_t total) {
  Progress progress;
  progress.total = total;
  progress.terminal = isatty(STDERR_FILENO) != 0;
  progress.start = Clock::now();
  progress.drawn = progress.start;
  return progress;
}

double seconds_since_start(const Progress& progress) {
  return std::chrono::duration<double>(Clock::now() - progress.start).count();
}

std::string duration_text(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = std::uint64_t(std::floor(seconds + 0.5));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

void show_progress(Progress& progress, std::uint64_t done, const std::string& text,
                   const std::string& more) {
  if (progress.silent || !progress.terminal ||
      Clock::now() - progress.drawn < std::chrono::milliseconds(100))
    return;
  progress.drawn = Clock::now();
  const std::uint64_t now = done - progress.before;
  const double left =
      now ? seconds_since_start(progress) * double(progress.total - done) / double(now) : 0;
  std::string rest =
      fmt::format(" {:>7} left  {}", now ? duration_text(left) : "?", printable(text));
  // A bar that wrapped would leave its upper part on the terminal.
  const std::size_t room = std::size_t(terminal_width(STDERR_FILENO)) - 1, brackets = 2;
  if (brackets + narrow_bar + rest.size() + more.size() <= room) rest += printable(more);
  // one width for a whole training, or the bar would jump
  const std::size_t width = room >= 100 ? wide_bar : narrow_bar;
  std::string line = bar(done, progress.total, width) + rest;
  line.resize(std::min(line.size(), room));
  write_stderr("\r\x1b[K" + line);
  progress.visible = true;
}

void progress_line(Progress& progress, const std::string& text) {
  if (!progress.silent && !progress.terminal) write_stderr(printable(text) + "\n");
}

void end_progress(Progress& progress) {
  if (progress.visible) write_stderr("\r\x1b[K");
  progress.visible = false;
}

}  // namespace sluice::tools
