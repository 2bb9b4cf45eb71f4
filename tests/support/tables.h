// The instruction sets that a test goes through.
#pragma once
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace sluice::tests {

inline std::string name_of(const Kernels& table) { return table.name; }

/// Every table that this CPU runs; what it does not run is named in print, once.
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

/// Under emulation and sanitizers dense samples are thinned: the native run goes through all of
/// them.
inline bool sparse() { return std::getenv("SLUICE_TESTS_SPARSE") != nullptr; }

}  // namespace sluice::tests
