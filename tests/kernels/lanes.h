// The interface to an instruction set's lane types for tests.
#ifndef SLUICE_TESTS_LANES_H
#define SLUICE_TESTS_LANES_H

#include <stddef.h>

namespace sluice::tests {

/// The operations on n numbers, a multiple of 16.
struct LaneType {
  const char* isa;
  int width;
  void (*fma)(const float* a, const float* b, const float* c, float* y, size_t n);
  void (*divide)(const float* a, const float* b, float* y, size_t n);
  void (*sqrt)(const float* a, float* y, size_t n);
};

}  // namespace sluice::tests

#endif
