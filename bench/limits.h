// What this core can do at the most, measured in this process before anything else; and the least
// time that a job takes by that.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace sluice::bench {

/// The bare loops of one instruction set, compiled with the flags of its kernels (limits_isa.cpp).
struct Probe {
  const char* name;  ///< that of the kernels
  int fma_lanes;     ///< multiply-accumulates of a round of fma
  int read_floats;   ///< floats of a round of read
  /// `rounds` rounds of independent chains of fused multiply-adds; the sum keeps the compiler
  /// honest.
  float (*fma)(size_t rounds);
  /// Reads n floats, a multiple of read_floats, `passes` times, by the widest loads into sums that
  /// do not wait for one another.
  float (*read)(const float* x, size_t n, size_t passes);
};

/// Memory of one kind, the smallest first; the last one is main memory.
struct Level {
  std::string name;     ///< "L1", "L2", "L3", "memory"
  size_t bytes;         ///< its size; SIZE_MAX for main memory
  double bytes_per_ns;  ///< what a core reads from it
};

struct Limits {
  double mac_per_ns;  ///< peak of fused multiply-adds
  std::vector<Level> levels;

  /// The smallest level that holds so many bytes.
  const Level& level_for(size_t bytes) const;
};

/// The best of many short runs each: a limit that a loaded machine does not lower.
Limits measure_limits(const Kernels& kernels);

/// What a job must do at the least.
struct Work {
  double macs = 0;          ///< multiply-accumulates, without padding
  size_t weight_bytes = 0;  ///< of all its weights: says in which level they lie
  double weight_bytes_read =
      0;  ///< how much of them it must read, all passes together; 0 where reuse makes it no limit
};

/// The least time, and what binds: "fma", or the level that the weights are read from.
struct Bound {
  double ns;
  std::string by;
};
Bound bound_of(const Limits& limits, const Work& work);

}  // namespace sluice::bench
