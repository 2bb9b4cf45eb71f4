// Captures the message of a refused request.
#pragma once
#include <doctest/doctest.h>

#include <string>

#include "common/error.h"

namespace sluice::tests {

/// Returns the message of the refusal (exit code 2) that f throws; "accepted" if it throws none.
template <class F>
std::string refusal_of(F f) {
  try {
    f();
  } catch (const tools::Error& error) {
    CHECK_EQ(error.exit_code, 2);
    return error.what();
  }
  return "accepted";
}

}  // namespace sluice::tests
