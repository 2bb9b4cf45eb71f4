#include "ending.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

namespace sluice::tools {
namespace {

void say(std::string_view line) noexcept {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

/// Set once an allocation has failed. A library may terminate in a function that it has declared
/// noexcept, and then no exception can be asked for the reason.
std::atomic<bool> ran_out_of_memory = false;

[[noreturn]] void note_and_throw() {
  ran_out_of_memory = true;
  throw std::bad_alloc();
}

void end_on_terminate() {
  if (ran_out_of_memory) end_out_of_memory();
  try {
    if (std::current_exception()) throw;
  } catch (const std::bad_alloc&) {
    end_out_of_memory();
  } catch (...) {  // NOLINT(bugprone-empty-catch): named by the line that follows
  }
  say("sluice: stopped by an internal error; please report it with the command line\n");
  std::abort();
}

}  // namespace

void end_out_of_memory() noexcept {
  say("sluice: out of memory\n");
  _exit(1);
}

void end_well_on_terminate() {
  std::set_new_handler(note_and_throw);
  std::set_terminate(end_on_terminate);
}

}  // namespace sluice::tools
