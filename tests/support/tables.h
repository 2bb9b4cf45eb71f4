// The instruction sets on which a test runs.
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace sluice::tests {

inline std::string name_of(const Kernels& table) { return table.name; }

/// Returns every table that this CPU runs, and names the others in print, once.
inline const std::vector<const Kernels*>& every_table() {
  static const std::vector<const Kernels*> tables = [] {
    std::vector<const Kernels*> v;
    int count = 0;
    const Kernels* const* all = kernel_tables(&count);
    for (int i = 0; i < count; ++i) {
      if (runs_here(*all[i]))
        v.push_back(all[i]);
      else
        MESSAGE("skipped, not run by this CPU: ", name_of(*all[i]));
    }
    return v;
  }();
  return tables;
}

inline const Kernels& scalar_table() { return *pick_kernels("scalar"); }

/// Returns whether dense samples are thinned, as under emulation and sanitizers. The native run
/// tests all of them.
inline bool sparse() { return std::getenv("SLUICE_TESTS_SPARSE") != nullptr; }

}  // namespace sluice::tests
