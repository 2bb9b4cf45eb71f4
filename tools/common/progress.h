// Progress of long work on standard error: a bar that redraws itself on a terminal, plain lines
// elsewhere.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace sluice::tools {

struct Progress {
  std::uint64_t total = 1;   ///< units of work
  std::uint64_t before = 0;  ///< of which so many were done before the start
  bool terminal = false, silent = false;
  std::chrono::steady_clock::time_point start, drawn;
  bool visible = false;  ///< a bar stands on the terminal's last line
};

Progress start_progress(std::uint64_t total);

/// After `done` units; `text` says how it goes, `more` what may be left out where the terminal is
/// narrow. Draws at most ten times a second, and only on a terminal.
void show_progress(Progress& progress, std::uint64_t done, const std::string& text,
                   const std::string& more);

/// A line that stays where there is no terminal; nothing on one.
void progress_line(Progress& progress, const std::string& text);

/// Takes the bar away.
void end_progress(Progress& progress);

double seconds_since_start(const Progress& progress);

/// "1.4 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds);

}  // namespace sluice::tools
