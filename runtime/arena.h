// Takes arrays from memory that the caller hands over. If its base is null, an arena only measures.
// So an announced size is measured by the code that will use the memory.
#ifndef SLUICE_ARENA_H
#define SLUICE_ARENA_H

#include <stddef.h>
#include <stdint.h>

namespace sluice {

struct Arena {
  uint8_t* base;  ///< at a multiple of 16, or null to measure
  /// Bytes that are taken now. 64 bits, so that a measurement cannot wrap on a 32-bit core.
  uint64_t used = 0;
  uint64_t peak = 0;  ///< the most bytes that were taken at once

  explicit Arena(void* memory) : base(static_cast<uint8_t*>(memory)) {}
  bool measures() const { return base == nullptr; }

  /// Returns n elements at a multiple of 16 bytes, uninitialized; null if the arena measures.
  template <class T>
  T* take(uint64_t n) {
    T* at = base ? reinterpret_cast<T*>(base + used) : nullptr;
    used += (n * sizeof(T) + 15) / 16 * 16;
    if (used > peak) peak = used;
    return at;
  }
};

}  // namespace sluice

#endif
