// Counter-based random numbers: a number depends on a key and a counter, never on earlier draws.
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011.
#ifndef SLUICE_RANDOM_H
#define SLUICE_RANDOM_H

#include <stdint.h>

namespace sluice {

struct Philox {
  uint32_t word[4];

  /// Returns the four words of this key and counter.
  static Philox at(uint64_t key, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3) {
    uint32_t k0 = uint32_t(key), k1 = uint32_t(key >> 32);
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t(0xD2511F53u) * c0, p1 = uint64_t(0xCD9E8D57u) * c2;
      const uint32_t n0 = uint32_t(p1 >> 32) ^ c1 ^ k0, n2 = uint32_t(p0 >> 32) ^ c3 ^ k1;
      c0 = n0, c1 = uint32_t(p1), c2 = n2, c3 = uint32_t(p0);
      k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
  }
};

/// The use of a random number. It is part of the counter, so that uses with the same seed get
/// different numbers.
enum class Purpose : uint32_t {
  initialize = 1,
  shuffle = 2,
  split = 3,
  input_dropout = 4,
  output_dropout = 5,
  self_test = 6,
  layer_dropout = 7,
  recurrent_dropout = 8,
  bucket = 9,
  bootstrap = 10,
  sampling = 11,
  gate_dropout = 12,
  generate = 13,
  tune = 14,
  folds = 15
};

/// Returns a word as a number in [0, 1), a multiple of 2^-24, which is exact in float.
inline float unit_float(uint32_t word) { return float(word >> 8) * (1.0f / 16777216.0f); }

/// Returns a number in [0, bound), by Lemire's multiplication; its bias is at most bound / 2^32.
/// @param bound  1 or more
inline uint32_t below(uint32_t word, uint32_t bound) {
  return uint32_t((uint64_t(word) * bound) >> 32);
}

}  // namespace sluice

#endif
