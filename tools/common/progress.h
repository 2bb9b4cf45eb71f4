// Progress of long work on standard error: a bar that is redrawn on a terminal, plain lines
// elsewhere.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace sluice::tools {

struct Progress {
  std::uint64_t total = 1;   ///< units of work in all
  std::uint64_t before = 0;  ///< units that were done before the start
  bool terminal = false, silent = false;
  std::chrono::steady_clock::time_point start, drawn;
  bool visible = false;  ///< the terminal's last line shows a bar
};

Progress start_progress(std::uint64_t total);

/// Shows that `done` units are done. `text` describes the state; `more` is left out on a narrow
/// terminal. Draws at most ten times a second, and only on a terminal.
void show_progress(Progress& progress, std::uint64_t done, const std::string& text,
                   const std::string& more);

/// Writes a line that stays, but only if standard error is not a terminal.
void progress_line(Progress& progress, const std::string& text);

/// Removes the bar.
void end_progress(Progress& progress);

double seconds_since_start(const Progress& progress);

/// Returns a text such as "1.4 s", "3 min 20 s" or "2 h 5 min".
std::string duration_text(double seconds);

}  // namespace sluice::tools
