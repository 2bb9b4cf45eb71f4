// The limits of this core, measured in this process before anything else, and the least time that
// they allow for a job.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace sluice::bench {

/// The bare loops of one instruction set, compiled with the flags of its kernels (limits_isa.cpp).
struct Probe {
  const char* name;  ///< of the kernels' instruction set
  int fma_lanes;     ///< multiply-accumulates of a round of fma
  int read_floats;   ///< floats of a round of read
  /// Runs `rounds` rounds of independent chains of fused multiply-adds. Returns their sum, so that
  /// the compiler cannot drop them.
  float (*fma)(size_t rounds);
  /// Reads n floats, a multiple of read_floats, `passes` times, by the widest loads into sums that
  /// do not wait for one another.
  float (*read)(const float* x, size_t n, size_t passes);
};

/// One level of memory. Lists begin with the smallest and end with main memory.
struct Level {
  std::string name;     ///< "L1", "L2", "L3", "memory"
  size_t bytes;         ///< its size; SIZE_MAX for main memory
  double bytes_per_ns;  ///< read bandwidth of one core
};

struct Limits {
  double mac_per_ns;  ///< peak of fused multiply-adds
  std::vector<Level> levels;

  /// Returns the smallest level that holds so many bytes.
  const Level& level_for(size_t bytes) const;
};

/// Measures each limit as the best of many short runs, so that a loaded machine does not lower it.
Limits measure_limits(const Kernels& kernels);

/// The least work of a job.
struct Work {
  double macs = 0;          ///< multiply-accumulates, without padding
  size_t weight_bytes = 0;  ///< of all weights: decides which level holds them
  /// Bytes of weights that must be read, over all passes; 0 if reuse makes reading no limit.
  double weight_bytes_read = 0;
};

/// The least time, and the limit that sets it: "fma", or the level that the weights are read from.
struct Bound {
  double ns;
  std::string by;
};
Bound bound_of(const Limits& limits, const Work& work);

}  // namespace sluice::bench
