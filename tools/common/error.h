// Errors end a command. main() prints one line on standard error and exits.
#pragma once
#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace sluice::tools {

/// The request was wrong (exit code 2) or the work failed (1). The text is the whole line: place,
/// fault and remedy, as in "file:line: key: fault; remedy". It is empty if there is nothing to
/// print.
struct Error : std::runtime_error {
  int exit_code;
  Error(int code, const std::string& text) : std::runtime_error(text), exit_code(code) {}
};

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(2, fmt::format(text, std::forward<Args>(args)...));
}

template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(1, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace sluice::tools
